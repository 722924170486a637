#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A pod that is an endpoint of the service it calls: where the others do not answer its connection comes back to
# itself, and works.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/68-rescued-to-itself
one_region
pod h h3 10.0.0.13,fd00:a0::13
web h1 h3
svc ack-hangzhou two 172.16.0.30 80
eps ack-hangzhou two 10.0.0.11 10.0.0.12
svc ack-hangzhou two6 fd00:5::30 80
eps ack-hangzhou two6 fd00:a0::11 fd00:a0::12
svc ack-hangzhou three 172.16.0.31 80
eps ack-hangzhou three 10.0.0.11 10.0.0.12 10.0.0.13
agent_start h
wait_for 10 serves h 4

expect_eq "one refuses, the other is itself" "h1=6" "$(hits h1 172.16.0.30 80 6)"
expect_eq "by IPv6" "h1=6" "$(hits h1 fd00:5::30 80 6)"
expect_between "some of them had to be rescued" 2 6 "$(reason h RESCUE_REFUSED)"
expect_eq "no answer was taken for a late one" 0 "$(reason h LATE_ANSWER)"
expect_eq "where there is another one, that has what was rescued" "h1=4 h3=8" "$(hits h1 172.16.0.31 80 12)"
blackhole h2
expect_eq "the other is silent" "h1=4" "$(hits h1 172.16.0.30 80 4)"
sandbox_end

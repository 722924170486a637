#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A service can be left out of rescue; one that is rescued in vain gives up when it would have without.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# rule NAME [ANNOTATIONS]: fails over, ejects nobody.
rule() {
  policy "$1" <<YAML
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: $1, namespace: default, annotations: { ${2:-} } }
spec:
  host: $1
  trafficPolicy:
    outlierDetection: { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0, interval: 1h }
    loadBalancer: { localityLbSetting: { failover: [{ from: cn-hangzhou, to: cn-shanghai }] } }
YAML
}

sandbox_begin e2e/64-rescue-settings
two_regions
web s1
number=30
for name in rescued left impatient; do
  svc ack-hangzhou $name 172.16.0.$((number++)) 80
  eps ack-hangzhou $name 10.0.0.11
  eps ack-shanghai $name 10.1.0.11
done
rule rescued
rule left 'meridian.dev/rescue: "off"'
rule impatient 'meridian.dev/syn-timeout: 20ms'
agent_start h

served() { [[ $(served_interfaces h) == *veth0=pod* ]]; }
expect_ok "the client's interface is served" wait_for 10 served
expect_eq "rescued" "s1=3" "$(hits client 172.16.0.30 80 3)"
expect_eq "left out" "ECONNREFUSED=3" "$(hits client 172.16.0.31 80 3)"
expect_eq "only the former were moved" 3 "$(reason h RESCUE_REFUSED)"
blackhole h1
expect_eq "whoever asks for it does not wait for what is known" "s1=3" "$(hits client 172.16.0.32 80 3)"

blackhole s1
# Milliseconds until a connect with so many retries of the kernel's is given up, and by which error.
cat >"$SANDBOX/patience.py" <<'END'
import errno, socket, sys, time
s = socket.socket()
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, int(sys.argv[2]))
begin = time.monotonic()
try:
    s.connect((sys.argv[1], 80))
except OSError as e:
    print(errno.errorcode[e.errno], int((time.monotonic() - begin) * 1000),
          s.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), s.getsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT))
END
# patience RETRIES WORDS: of one that is rescued in vain, and of one that is not rescued.
patience() {
  local address error rescued option retries other left
  pids=()
  for address in 172.16.0.30 172.16.0.31; do
    run_in client python3 "$SANDBOX/patience.py" $address "$1" >"$SANDBOX/patience.$address" &
    pids+=($!)
  done
  wait "${pids[@]}"
  read -r error rescued option retries <"$SANDBOX/patience.172.16.0.30"
  read -r other left _ <"$SANDBOX/patience.172.16.0.31"
  expect_eq "$2: the kernel's ordinary error" "$other" "$error"
  expect_between "$2: after the time that the other took ($left ms)" $((left * 6 / 7)) $((left * 7 / 6)) "$rescued"
  expect_eq "$2: the application's options are its own again, for its next connect, too" "0 $1" "$option $retries"
}
patience 1 "nothing is known of the region"
unblackhole h1
web h1
expect_eq "it answers" "h1=3" "$(hits client 172.16.0.30 80 3)"
blackhole h1
patience 1 "its time is known"
# From three on, kernels with linear timeouts in front (Linux 6.5) are later than twice as long each time makes it.
patience 3 "three retries"
# With one of them 3 s would be over when no timer rings.
linear=/proc/sys/net/ipv4/tcp_syn_linear_timeouts
if [[ -e $linear ]]; then
  run_in client sh -c "echo 1 >$linear"
  patience 1 "as the client's namespace has it"
fi
sandbox_end

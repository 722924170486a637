#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The binaries that were built here do their work on the kernels of Debian 11 and 12, under qemu.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=${MRD_OUT:-out/rel}
for tool in qemu-system-x86_64 cpio busybox; do
  if ! command -v "$tool" >/dev/null; then
    echo "SKIP e2e/91-other-kernels: $tool is missing (make deps)"
    exit 77
  fi
done
if tests/kernels/run.sh "$out/meridiand" "$out/meridianctl" "$out/tests/peer" "$out/tests/tc_packets" \
  "$out/../bpf"; then
  echo "PASS e2e/91-other-kernels"
else
  echo "FAIL e2e/91-other-kernels"
  exit 1
fi

#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# rootfs.sh DIR: fills DIR with what an image of the agent holds: both programs, the libraries that
# they load, the public authorities, and nothing else; no shell. Called where the programs were built,
# so that programs and libraries fit. Environment: OUT, SOURCE_DATE_EPOCH (of every file; 0).
#
# The same programs give the same tree, byte for byte.
set -euo pipefail
umask 022

cd "$(dirname "$0")/.."
OUT=${OUT:-out}
root=${1:?usage: rootfs.sh DIR}
authorities=/etc/ssl/certs/ca-certificates.crt

die() {
  echo "rootfs.sh: $*" >&2
  exit 1
}

# The libraries of a program, and the loader; each by the path that the loader asks for.
libraries() {
  ldd "$1" | awk '
    / => not found/ { print "not found: " $1 >"/dev/stderr"; bad = 1 }
    $2 == "=>" && $3 ~ /^\// { print $3 }
    $1 ~ /^\// { print $1 }
    END { exit bad }'
}

[[ -r $authorities ]] || die "$authorities is missing: apt-get install ca-certificates"
rm -rf "$root"
mkdir -p "$root"
root=$(realpath "$root")
for program in meridiand meridianctl; do
  [[ -x $OUT/$program ]] || die "$OUT/$program is missing: make"
  install -D -m 755 -s "$OUT/$program" "$root/usr/sbin/$program"
  found=$(libraries "$OUT/$program") || die "a library of $program is missing: make deps"
  while IFS= read -r library; do
    install -D -m 755 "$(realpath "$library")" "$root$library"
  done <<<"$found"
done
install -D -m 644 "$authorities" "$root$authorities"
install -D -m 644 -t "$root/usr/share/doc/meridian" LICENSES/*
# Where names of hosts are looked up; and who 0 is, for what asks.
mkdir -p "$root/etc/meridian" "$root/run/meridian" "$root/host/bpf" "$root/host/cgroup" "$root/tmp"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'root:x:0:0:root:/:/nonexistent' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
find "$root" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +

#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Boots stock Debian kernels other than the running one under qemu (no KVM needed) and lets the
# binaries that were built here do their work there: proof that the objects relocate (CO-RE), that
# the fallbacks for older kernels hold, and that a failure says what is missing.
#
# Usage: run.sh MERIDIAND MERIDIANCTL PEER TC_PACKETS BPF_FOLDER [SUITE…]
# suites: bullseye (5.10), bookworm (6.1)
# Kernels come as Debian packages from the archive that this machine's apt uses, and are kept in
# ${XDG_CACHE_HOME:-~/.cache}/meridian/kernels.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
agent=$(readlink -f "$1")
ctl=$(readlink -f "$2")
peer=$(readlink -f "$3")
tc_packets=$(readlink -f "$4")
objects=$(readlink -f "$5")
shift 5
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(bullseye bookworm)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meridian/kernels
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
boot_seconds=420 # without KVM on a busy machine; an idle one needs a minute, most of it for the verifier

# private_apt SUITE ARGS…: apt with lists of its own, of one suite of the archive already in use
private_apt() {
  local suite=$1 dir=$cache/apt-$1 site
  shift
  # shellcheck disable=SC2016 # apt expands it
  site=$(apt-get indextargets --format '$(SITE)' | grep -v security | head -n 1)
  mkdir -p "$dir/lists/partial" "$dir/archives/partial"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
    "$site" "$suite" >"$dir/sources.list"
  "$1" -qq -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none "${@:2}"
}

# kernel SUITE: prints the path of the suite's cloud kernel, fetched once with the modules that TC needs
kernel() {
  local suite=$1 package image
  image=$(find "$cache/$suite" -name 'vmlinuz-*' 2>/dev/null | head -n 1)
  if [ -z "$image" ] || [ -z "$(find "$cache/$suite" -name 'cls_bpf.ko*')" ]; then
    rm -rf "${cache:?}/$suite"
    private_apt "$suite" apt-get update >&2
    package=$(private_apt "$suite" apt-cache depends linux-image-cloud-amd64 |
      awk '$1 == "Depends:" && $2 ~ /^linux-image/ { print $2; exit }')
    (cd "$tmp" && private_apt "$suite" apt-get download "$package" >&2)
    mkdir -p "$cache/$suite"
    dpkg-deb --fsys-tarfile "$tmp/$package"_*.deb | tar -x -C "$cache/$suite" --wildcards './boot/vmlinuz-*' \
      '*/veth.ko*' '*/sch_ingress.ko*' '*/cls_bpf.ko*'
    image=$(find "$cache/$suite" -name 'vmlinuz-*' | head -n 1)
  fi
  [ -n "$image" ] && printf '%s\n' "$image"
}

# initramfs: busybox, the programs with their libraries, and the guest's script
initramfs() {
  local root=$tmp/root lib
  mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,etc,state,www}
  cp /sbin/ip "$root/bin/ip-real" # busybox's make no veths, and know no filters of clsact
  cp /sbin/tc "$root/bin/tc-real"
  cp /bin/busybox "$root/bin/busybox"
  cp "$agent" "$root/bin/meridiand"
  cp "$ctl" "$root/bin/meridianctl"
  cp "$peer" "$root/bin/peer"
  cp "$tc_packets" "$root/bin/tc_packets"
  cp "$objects"/meridian{,_legacy}.bpf.o "$root/"
  cp "$here/guest.sh" "$root/init"
  cp "$here"/guest-*.yaml "$root/etc/"
  chmod 755 "$root/init"
  ldd "$agent" "$ctl" "$peer" "$tc_packets" /sbin/ip /sbin/tc | grep -o '/[^ ]*' | grep -v ':$' | sort -u | while read -r lib; do
    mkdir -p "$root$(dirname "$lib")"
    cp -L "$lib" "$root$lib"
  done
  (cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$tmp/initrd"
}

# modules SUITE: another archive behind that one
modules() {
  local dir=$tmp/$1
  mkdir -p "$dir/modules"
  find "$cache/$1" -name '*.ko*' -exec cp -t "$dir/modules" {} +
  (cd "$dir" && find modules | cpio --quiet -o -H newc | gzip -1)
}

initramfs
failed=0
for suite in "${suites[@]}"; do
  if ! image=$(kernel "$suite"); then
    echo "FAIL kernels/$suite: its kernel package could not be fetched"
    failed=1
    continue
  fi
  log=$tmp/$suite.log
  { cat "$tmp/initrd" && modules "$suite"; } >"$tmp/$suite.initrd"
  timeout "$boot_seconds" qemu-system-x86_64 -accel tcg -cpu max -m 512 -display none -no-reboot \
    -serial "file:$log" -monitor none -nic none -device isa-debug-exit,iobase=0xf4,iosize=0x04 \
    -kernel "$image" -initrd "$tmp/$suite.initrd" -append 'console=ttyS0 quiet panic=-1' </dev/null || true
  tr -d '\r' <"$log" | sed -n "s/^\\(PASS\\|FAIL\\) guest\\//\\1 kernels\\/$suite\\//p"
  if ! tr -d '\r' <"$log" | grep -q '^GUEST DONE 0$'; then
    echo "FAIL kernels/$suite: the guest's own words follow"
    tr -d '\r' <"$log" | tail -n 60 | sed 's/^/    /'
    failed=1
  fi
done
exit "$failed"

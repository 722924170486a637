# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# Real nodes for the tests: for each cluster one, with kubelet, containerd and kube-proxy, and its control
# plane beside them. To be sourced in the place of lib.sh. A node is a network namespace and a cgroup of
# the sandbox, as any; what runs in it thinks that it is a machine (node.sh).
# shellcheck source=tests/kube/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

declare -A NODE_OF=()

# nodes_begin NAME: kube_begin, where there is what nodes need.
nodes_begin() {
  local tool

  kube_begin "$1"
  "$SANDBOX_ROOT/scripts/kube_assets.sh" --dir --nodes >/dev/null 2>&1 ||
    sandbox_skip "no kubelet: make kube-assets"
  for tool in containerd ctr runc /usr/lib/cni/ptp jq busybox; do
    command -v "$tool" >/dev/null || sandbox_skip "no $tool: make deps"
  done
  mkdir "$SANDBOX/images"
}

# two_nodes: clusters ack-hangzhou and ack-shanghai, the guide's regions and blocks; every tar of
# $SANDBOX/images is loaded.
two_nodes() {
  cluster ack-hangzhou cn-hangzhou
  cluster ack-shanghai cn-shanghai
  node hangzhou-1 cluster=ack-hangzhou 20.0.0.11 10.0.0.0/16
  node shanghai-1 cluster=ack-shanghai 21.0.0.11 10.1.0.0/16
  link hangzhou-1 shanghai-1
  node_launch ack-hangzhou hangzhou-1 10.0.0.0/16 172.16.0.0/16
  node_launch ack-shanghai shanghai-1 10.1.0.0/16 172.17.0.0/16
  node_wait ack-hangzhou
  node_wait ack-shanghai
}

# node_launch CLUSTER NODE PODS SERVICES
node_launch() {
  local cluster=$1 node=$2 folder=$SANDBOX/kube/$1 address=${NODE_ADDRS[$2]# }

  NODE_OF[$cluster]=$node
  KUBE_SERVICES[$cluster]=$4
  KUBE_HOST[$cluster]=$node
  KUBE_ADDRESS[$cluster]=$address
  mkdir -p "$folder/pki"
  # Processes of the node reach services, too: by some route, which kube-proxy rewrites.
  ip -n "$node" route add "$4" dev lo src "$address"
  nsenter --net="/run/netns/$node" sysctl -qw net.ipv4.tcp_orphan_retries=1
  kube_certificates "$folder/pki" "$address,IP:${4%.0/*}.1"
  cp "$folder/pki"/{ca.crt,admin.crt,admin.key} "$folder"
  kube_config "$cluster" admin "client-certificate: $folder/pki/admin.crt" "client-key: $folder/pki/admin.key"
  sed -i "s|certificate-authority: |&$folder/pki/|; s/ admin\$/ $cluster/; s/: admin\\([ ,]\\)/: $cluster\\1/g" "$folder/admin.conf"
  ln -s "$SANDBOX/images" "$folder/images"
  cat >"$folder/settings" <<SETTINGS
NODE=$node ADDRESS=$address PODS=$3 SERVICES=$4 REGION=${CLUSTER_REGION[$cluster]}
SETTINGS
  sandbox_spawn "$SANDBOX_CGROUP/$node" "$SANDBOX/log/$node" nsenter --net="/run/netns/$node" -- \
    unshare --cgroup --mount --pid --uts --ipc --fork \
    "$KUBE_TESTS/node.sh" "$folder" "$KUBE_PROGRAMS"
}

node_wait() {
  local folder=$SANDBOX/kube/$1

  if ! wait_for 120 test -e "$folder/started" || ! wait_for 60 node_is_ready "$1"; then
    tail -n 5 "$folder"/log/* >&2
    return 1
  fi
}

node_is_ready() {
  [[ $(kube "$1" get node "${NODE_OF[$1]}" \
    -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]] &&
    kube "$1" get serviceaccount default
}

# on_node CLUSTER COMMAND…: as a process of the node, in its namespaces and its cgroup.
on_node() (
  cluster=$1 cgroup=$SANDBOX_CGROUP/${NODE_OF[$1]}/system
  shift
  trap - EXIT ERR
  pid=$(head -n 1 "$cgroup/cgroup.procs")
  echo "$BASHPID" >"$cgroup/cgroup.procs"
  exec nsenter --target "$pid" --net --mount --pid --uts --ipc --cgroup -- "$@"
)

# daemon_stop CLUSTER NAME, daemon_start CLUSTER NAME: one of node.sh's. SIGKILL: an API server with open
# watches takes a minute else.
daemon_stop() {
  touch "$SANDBOX/kube/$1/stop-$2"
  on_node "$1" kill -KILL "$(<"$SANDBOX/kube/$1/pid-$2")"
}
daemon_start() { rm "$SANDBOX/kube/$1/stop-$2"; }

# region_freeze CLUSTER, region_thaw CLUSTER: everything of the node stands still, its kernel, which would
# shake hands, included: nobody answers, and nobody hangs up.
region_freeze() {
  echo 1 >"$SANDBOX_CGROUP/${NODE_OF[$1]}/cgroup.freeze"
  blackhole "${NODE_OF[$1]}"
}
region_thaw() {
  unblackhole "${NODE_OF[$1]}"
  echo 0 >"$SANDBOX_CGROUP/${NODE_OF[$1]}/cgroup.freeze"
}

# programs_of CLUSTER: how many programs are attached to its node's cgroup or below it, but for those of
# runc, which guard devices.
programs_of() {
  on_node "$1" bpftool -j cgroup tree /sys/fs/cgroup |
    jq '[.[].programs[] | select(.attach_type | test("device") | not)] | length'
}

# ------------------------------------------------------------------------------ images

# pods_image: what the test's pods run, and the pause image too: Bookinfo, curl, busybox.
pods_image() {
  local root=$SANDBOX/pods-root program library

  mkdir -p "$root"/{bin,tmp,etc}
  cp "$(command -v busybox)" "$root/bin/busybox"
  for program in sh sleep grep wc seq; do
    ln -s busybox "$root/bin/$program"
  done
  for program in "$SANDBOX_OUT/demo/bookinfo" "$(command -v curl)"; do
    install -D -t "$root/bin" "$program"
    while IFS= read -r library; do
      install -D "$(realpath "$library")" "$root$library"
    done < <(ldd "$program" | grep -oE '/[^ ]+')
  done
  image_of "$root" registry.local/pods:test "$SANDBOX/images/pods.tar" /bin/sleep 2147483647
}

# image_of ROOT NAME TAR COMMAND…: a docker-archive with one layer.
image_of() {
  local root=$1 name=$2 tar=$3 work sum

  shift 3
  work=$(mktemp -d -p "$SANDBOX")
  tar --create --owner=0 --group=0 --numeric-owner --directory "$root" --file "$work/layer.tar" .
  sum=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
  jq -n --arg sum "sha256:$sum" --arg arch "$(dpkg --print-architecture)" '{architecture: $arch, os: "linux",
    config: {Cmd: $ARGS.positional, Env: ["PATH=/bin"]},
    rootfs: {type: "layers", diff_ids: [$sum]}}' --args "$@" >"$work/config.json"
  jq -n --arg name "$name" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$work/manifest.json"
  tar --create --directory "$work" --file "$tar" config.json manifest.json layer.tar
  rm -r "$work"
}

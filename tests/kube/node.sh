#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# node.sh FOLDER PROGRAMS: the first process of a node with a whole control plane, called by nodes.sh in
# namespaces of its own (network, mounts, cgroup, processes, names, IPC) from the node's cgroup, which
# thus is the root of what the node sees. FOLDER: pki (ca, server, admin, sa), admin.conf, images, and
# `settings`, which is sourced: NODE, ADDRESS, PODS, SERVICES, REGION.
#
# To kubelet and containerd it is a plain machine with cgroup v2. What the real one may lack is taken
# care of: controllers (oci_runtime.sh leaves limits out), CAP_SYS_RESOURCE, an init system.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=$1 programs=$2
# shellcheck source=/dev/null # written by nodes.sh
. "$folder/settings"
pki=$folder/pki
mkdir -p "$folder"/{log,etcd,kubelet,containerd,cni,cni-state,pods}

machine() {
  hostname "$NODE"
  mount --make-rprivate /
  mount -t proc proc /proc
  umount --recursive --lazy /sys
  mount -t sysfs sysfs /sys
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mount -t bpf bpf /sys/fs/bpf
  mkdir -p /sys/fs/cgroup/system
  echo $$ >/sys/fs/cgroup/system/cgroup.procs
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/netns /run/lock /var/lib/kubelet /var/lib/cni
  mount --bind "$folder/kubelet" /var/lib/kubelet
  mount --bind "$folder/cni-state" /var/lib/cni
  mount --bind "$folder/pods" /var/log
  mount --make-rshared /
  : >"$folder/resolv.conf"
}

# runs NAME COMMAND…: in the background, its output in log/NAME. Started again when it ends, but for while
# there is a file stop-NAME.
runs() {
  local name=$1

  shift
  while :; do
    while [[ -e $folder/stop-$name ]]; do sleep 0.1; done
    "$@" >>"$folder/log/$name" 2>&1 &
    echo $! >"$folder/pid-$name"
    wait $! || true
    sleep 0.2
  done &
}

# until_ok SECONDS COMMAND…
until_ok() {
  local -i until=$((SECONDS + $1))

  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || {
      echo "gave up: $*" >&2
      return 1
    }
    sleep 0.1
  done
}

kubectl() { "$programs/kubectl" --kubeconfig "$folder/admin.conf" "$@"; }

control_plane() {
  local url=http://127.0.0.1

  runs etcd "$programs/etcd" --name e --data-dir "$folder/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls $url:2379 --advertise-client-urls $url:2379 --listen-peer-urls $url:2380 \
    --initial-advertise-peer-urls $url:2380 --initial-cluster e=$url:2380
  runs server "$programs/kube-apiserver" --etcd-servers $url:2379 --bind-address 0.0.0.0 \
    --advertise-address "$ADDRESS" --secure-port 6443 --service-cluster-ip-range "$SERVICES" \
    --authorization-mode RBAC --allow-privileged --client-ca-file "$pki/ca.crt" \
    --tls-cert-file "$pki/server.crt" --tls-private-key-file "$pki/server.key" \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$pki/sa.pub" \
    --service-account-signing-key-file "$pki/sa.key" \
    --kubelet-client-certificate "$pki/admin.crt" --kubelet-client-key "$pki/admin.key" \
    --kubelet-preferred-address-types InternalIP
  until_ok 120 kubectl get --raw /readyz
  runs controllers "$programs/kube-controller-manager" --kubeconfig "$folder/admin.conf" \
    --leader-elect=false --bind-address 127.0.0.1 --service-account-private-key-file "$pki/sa.key" \
    --root-ca-file "$pki/ca.crt" --use-service-account-credentials --allocate-node-cidrs \
    --cluster-cidr "$PODS" --node-cidr-mask-size 24 --service-cluster-ip-range "$SERVICES"
  runs scheduler "$programs/kube-scheduler" --kubeconfig "$folder/admin.conf" --leader-elect=false \
    --bind-address 127.0.0.1
}

containers() {
  local image

  cat >"$folder/containerd.toml" <<TOML
version = 2
root = "$folder/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.local/pods:test"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$folder/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    # Works on whatever the folder lies on.
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "$here/oci_runtime.sh"
TOML
  cat >"$folder/cni/10-ptp.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipMasq": false,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "${PODS%/*}/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
  runs containerd containerd -c "$folder/containerd.toml"
  until_ok 60 test -S /run/containerd/containerd.sock
  for image in "$folder"/images/*.tar; do
    until_ok 60 ctr -n k8s.io images import "$image"
  done
}

kubelet() {
  cat >"$folder/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: { anonymous: { enabled: false }, webhook: { enabled: false }, x509: { clientCAFile: $pki/ca.crt } }
authorization: { mode: AlwaysAllow }
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
enforceNodeAllocatable: []
failSwapOn: false
oomScoreAdj: 0
localStorageCapacityIsolation: false
syncFrequency: 2s # so long a ConfigMap takes to reach a pod
resolvConf: $folder/resolv.conf
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: { memory.available: 50Mi, nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%", imagefs.inodesFree: "0%" }
YAML
  runs kubelet "$programs/kubelet" --config "$folder/kubelet.yaml" --kubeconfig "$folder/admin.conf" \
    --hostname-override "$NODE" --node-ip "$ADDRESS" \
    --node-labels "topology.kubernetes.io/region=$REGION,topology.kubernetes.io/zone=$REGION-a"
  # No limits of conntrack: they are the machine's.
  runs proxy "$programs/kube-proxy" --kubeconfig "$folder/admin.conf" --proxy-mode nftables \
    --hostname-override "$NODE" --cluster-cidr "$PODS" --conntrack-max-per-core 0 --conntrack-min 0 \
    --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0 --oom-score-adj 0
}

machine
containers &
loading=$!
control_plane
wait "$loading"
kubelet
touch "$folder/started"
while :; do sleep 3600 & wait $! || true; done

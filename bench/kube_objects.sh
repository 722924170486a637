# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# Thousands of objects for the API server of ack-hangzhou, and changes of them. To be sourced after
# tests/kube/lib.sh.
OBJECTS_SLICES=/apis/discovery.k8s.io/v1/endpointslices

# objects COMMAND ARGUMENT…: kube_objects.py beside etcd.
objects() {
  local command=$1

  shift
  nsenter --net="/run/netns/${KUBE_HOST[ack-hangzhou]}" -- \
    python3 "$SANDBOX_ROOT/bench/kube_objects.py" "$command" "$SANDBOX/templates" "$@"
}

# What the server makes of a service, a slice and a node, and of the service's address, as controllers write them.
templates() {
  local json=(-H "Content-Type: application/json" -o /dev/null --fail)

  mkdir "$SANDBOX/templates"
  api ack-hangzhou /api/v1/namespaces/default/services "${json[@]}" -d '{"metadata": {"name": "template",
    "labels": {"app": "template"}}, "spec": {"selector": {"app": "template"},
    "ports": [{"name": "http", "port": 80, "targetPort": 9080}]}}'
  api ack-hangzhou "${OBJECTS_SLICES/v1/v1/namespaces/default}" "${json[@]}" -d '{"metadata": {"name": "template",
    "labels": {"app": "template", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      "kubernetes.io/service-name": "template"}, "ownerReferences": [{"apiVersion": "v1", "kind": "Service",
      "name": "template", "uid": "00000000-0000-4000-8000-000000000000", "controller": true,
      "blockOwnerDeletion": true}]}, "addressType": "IPv4",
    "ports": [{"name": "http", "port": 9080, "protocol": "TCP"}],
    "endpoints": [{"addresses": ["10.0.0.11"], "nodeName": "n", "zone": "cn-hangzhou-h",
      "conditions": {"ready": true, "serving": true, "terminating": false},
      "targetRef": {"kind": "Pod", "namespace": "default", "name": "p", "uid": "u"}}]}'
  api ack-hangzhou /api/v1/nodes "${json[@]}" -d '{"metadata": {"name": "template", "labels": {
    "kubernetes.io/hostname": "template", "topology.kubernetes.io/region": "cn-hangzhou",
    "topology.kubernetes.io/zone": "cn-hangzhou-h"}}, "spec": {"podCIDR": "10.0.0.0/24"}}'
  # Its name is the address, and the server has made one for the service.
  api ack-hangzhou /apis/networking.k8s.io/v1/ipaddresses |
    jq '.items[] | select(.spec.parentRef.name == "template")
      + {kind: "IPAddress", apiVersion: "networking.k8s.io/v1"}' >"$SANDBOX/templates/address.json"
  api ack-hangzhou /api/v1/namespaces/default/services/template >"$SANDBOX/templates/service.json"
  api ack-hangzhou "${OBJECTS_SLICES/v1/v1/namespaces/default}/template" >"$SANDBOX/templates/slice.json"
  api ack-hangzhou /api/v1/nodes/template >"$SANDBOX/templates/node.json"
}

# is_filled COUNT: for wait_for, after "objects fill COUNT".
is_filled() {
  [[ $(api ack-hangzhou "$OBJECTS_SLICES?limit=1&resourceVersion=" | jq .metadata.remainingItemCount) -ge $(($1 - 1)) ]]
}

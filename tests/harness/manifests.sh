# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# Kubernetes objects for tests, a line each. To be sourced after sandbox.sh; every function prints
# YAML documents, and `put` saves what it reads as one file of a cluster's state:
#
#   {
#     k8s_node a1 cn-hangzhou cn-hangzhou-h
#     k8s_service default/web 172.16.0.9 http=80
#     k8s_slice default/web http=8080 -- 10.0.0.3@a1 10.0.0.4@a1+unready
#   } | put ack-hangzhou web.yaml
#
# A port is [NAME=]NUMBER[/UDP].

# put CLUSTER FILE: the state folder gets the whole file at once, as an editor that renames does.
put() {
  local dir=$SANDBOX/state/$1

  cat >"$SANDBOX/put-$$"
  mv "$SANDBOX/put-$$" "$dir/$2"
}

# put_policy FILE: the same for the policy folder of every agent.
put_policy() {
  cat >"$SANDBOX/put-$$"
  mv "$SANDBOX/put-$$" "$SANDBOX/policy/$1"
}

# k8s_node NAME [REGION [ZONE [SUBZONE]]]
k8s_node() {
  echo "---"
  echo "apiVersion: v1"
  echo "kind: Node"
  echo "metadata:"
  echo "  name: $1"
  echo "  labels:"
  echo "    kubernetes.io/hostname: $1"
  [[ -z ${2-} ]] || echo "    topology.kubernetes.io/region: $2"
  [[ -z ${3-} ]] || echo "    topology.kubernetes.io/zone: $3"
  [[ -z ${4-} ]] || echo "    topology.istio.io/subzone: $4"
}

# k8s_service NAMESPACE/NAME VIP[,VIP] PORT… [SPEC_LINE…]: a spec line is YAML with a colon and a
# space, as "internalTrafficPolicy: Local". Without VIPs ("None"): headless.
k8s_service() {
  local name=$1 vips=$2 port

  shift 2
  echo "---"
  echo "apiVersion: v1"
  echo "kind: Service"
  echo "metadata: { namespace: ${name%/*}, name: ${name#*/} }"
  echo "spec:"
  echo "  clusterIP: \"${vips%%,*}\""
  echo "  clusterIPs: [\"${vips//,/\", \"}\"]"
  for port; do
    [[ $port != *": "* ]] || echo "  $port"
  done
  echo "  ports:"
  for port; do
    [[ $port == *": "* ]] || echo "  - { $(k8s_port "$port") }"
  done
}

# k8s_slice NAMESPACE/SERVICE PORT… -- [ADDRESS[@NODE][+STATE]…]: STATE is unready, terminating
# (serving still) or gone (terminating, not serving). The family is that of the first address; the
# name is the service's and the family's, or $SLICE.
k8s_slice() {
  local name=$1 ports=() family=IPv4 endpoint

  shift
  while [[ $1 != -- ]]; do
    ports+=("$1")
    shift
  done
  shift
  [[ ${1-} != *:*:* ]] || family=IPv6
  echo "---"
  echo "apiVersion: discovery.k8s.io/v1"
  echo "kind: EndpointSlice"
  echo "metadata:"
  echo "  namespace: ${name%/*}"
  echo "  name: ${SLICE:-${name#*/}-${family,,}}"
  echo "  labels: { kubernetes.io/service-name: ${name#*/} }"
  echo "addressType: $family"
  echo "ports:"
  for endpoint in "${ports[@]}"; do
    echo "- { $(k8s_port "$endpoint") }"
  done
  (($#)) && echo "endpoints:" || echo "endpoints: null"
  for endpoint; do
    k8s_endpoint "$endpoint"
  done
}

k8s_endpoint() {
  local address=${1%%[@+]*} node='' state=''

  [[ $1 != *@* ]] || node=${1#*@} node=${node%+*}
  [[ $1 != *+* ]] || state=${1#*+}
  echo "- addresses: [\"$address\"]"
  case $state in
  unready) echo "  conditions: { ready: false, serving: false, terminating: false }" ;;
  terminating) echo "  conditions: { ready: false, serving: true, terminating: true }" ;;
  gone) echo "  conditions: { ready: false, serving: false, terminating: true }" ;;
  *) echo "  conditions: { ready: true, serving: true, terminating: false }" ;;
  esac
  [[ -z $node ]] || echo "  nodeName: $node"
}

k8s_port() {
  local name='' number=${1##*=} protocol=TCP

  [[ $1 != *=* ]] || name=${1%%=*}
  [[ $number != */* ]] || protocol=${number#*/}
  echo "name: \"$name\", port: ${number%/*}, protocol: $protocol"
}

# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# The stage of the demo: two clusters of one node each, Bookinfo in both, a gateway, and somebody
# outside who asks for pages. To be sourced after tests/harness/sandbox.sh.
#
#   laptop ──── hangzhou-1 ═══ 15 ms each way ═══ shanghai-1
#               │ gateway (nginx)                 │
#               │ productpage details ratings     │ productpage-sh details-sh ratings-sh
#               │ reviews-v1 reviews-v3           │ reviews-v2
#
# Names and CIDRs are the guide's. The laptop is in no node's cgroup, so nothing of Meridian touches
# its connections; the pods are.

# The gateway's address; a cloud's load balancer would forward to it.
GATEWAY=10.0.0.80
DELAY_MS=15
DEMO_DIR=$SANDBOX_ROOT/demo

stage_needs() {
  local tool missing=()

  for tool in ip unshare nsenter curl ping nginx ss findmnt bpftool awk; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  for tool in "$MERIDIAND" "$MERIDIANCTL" "$DELAY_LINE" "$SANDBOX_OUT/demo/bookinfo"; do
    [[ -x $tool ]] || missing+=("$tool")
  done
  if ((${#missing[@]})); then
    echo "missing: ${missing[*]} (make demo installs and builds what the demo needs)" >&2
    exit 1
  fi
}

stage_up() {
  cluster ack-hangzhou cn-hangzhou 'podCIDRs=[10.0.0.0/16]' 'serviceCIDRs=[172.16.0.0/16]'
  cluster ack-shanghai cn-shanghai 'podCIDRs=[10.1.0.0/16]' 'serviceCIDRs=[172.17.0.0/16]'
  scale ack-hangzhou
  scale ack-shanghai
  node hangzhou-1 cluster=ack-hangzhou 20.0.0.11 10.0.0.0/16
  node shanghai-1 cluster=ack-shanghai 21.0.0.11 10.1.0.0/16
  node laptop 198.51.100.7
  link hangzhou-1 shanghai-1 "$DELAY_MS"
  link laptop hangzhou-1

  bookinfo hangzhou-1 details 10.0.0.10 details
  bookinfo hangzhou-1 ratings 10.0.0.40 ratings
  bookinfo hangzhou-1 reviews-v1 10.0.0.20 reviews v1
  bookinfo hangzhou-1 reviews-v3 10.0.0.21 reviews v3
  bookinfo hangzhou-1 productpage 10.0.0.30 productpage
  bookinfo shanghai-1 details-sh 10.1.0.10 details
  bookinfo shanghai-1 ratings-sh 10.1.0.40 ratings
  bookinfo shanghai-1 reviews-v2 10.1.0.20 reviews v2
  bookinfo shanghai-1 productpage-sh 10.1.0.30 productpage
  gateway
}

# bookinfo NODE POD ADDRESS ROLE [VERSION]: a pod that calls others by their VIPs in its cluster.
bookinfo() {
  local region=cn-${1%-*} services=172.16.0

  [[ $1 != shanghai-1 ]] || services=172.17.0
  pod "$1" "$2" "$3"
  serve "$2" env "REGION=$region" "POD_NAME=$2" "DETAILS_URL=http://$services.10:9080" \
    "REVIEWS_URL=http://$services.20:9080" "RATINGS_URL=http://$services.40:9080" \
    "$SANDBOX_OUT/demo/bookinfo" "${@:4}"
}

# The ingress gateway: a stock reverse proxy, whose upstream is the VIP of productpage. nginx makes a
# new connection for each request unless told otherwise, and does not try twice.
gateway() {
  mkdir "$SANDBOX/nginx"
  cat >"$SANDBOX/nginx/nginx.conf" <<END
user root;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  proxy_temp_path proxy;
  proxy_next_upstream off;
  server {
    listen 80;
    location / {
      proxy_pass http://172.16.0.30:9080;
    }
  }
}
END
  pod hangzhou-1 gateway "$GATEWAY"
  serve gateway nginx -p "$SANDBOX/nginx" -e stderr -c nginx.conf -g 'daemon off;'
}

stage_wait_listen() {
  local name

  for name in "${!POD_NODE[@]}"; do
    if [[ $name == gateway ]]; then
      wait_listen "$name" 80
    else
      wait_listen "$name" 9080
    fi
  done
}

# ------------------------------------------------------------------------------ state and policy

# scale CLUSTER [POD…]: the cluster's state as it stands in demo/state, without the endpoints of
# these pods, as after `kubectl scale --replicas=0`. The file is replaced at once.
scale() {
  local cluster=$1 gone

  shift
  gone=$(IFS='|' && echo "$*")
  awk -v gone="name: (${gone:-none})-" '
    function keep() {
      if (block != "" && block !~ gone)
        kept = kept "\n" block
      block = ""
    }
    /^  endpoints:$/ { inside = 1; kept = ""; next }
    inside && /^  - / { keep(); block = $0; next }
    inside && /^    / { block = block "\n" $0; next }
    inside { keep(); inside = 0; print "  endpoints:" (kept == "" ? " null" : kept) }
    { print }' "$DEMO_DIR/state/${cluster#ack-}/all.yaml" >"$SANDBOX/all.yaml"
  mv "$SANDBOX/all.yaml" "$SANDBOX/state/$cluster/all.yaml"
}

# policy [FILE [SED_SCRIPT]]: makes it the only policy, or none; SED_SCRIPT edits the copy.
policy() {
  rm -f "$SANDBOX"/policy/*.yaml
  if (($#)); then
    sed "${2-}" "$DEMO_DIR/policy/$1" >"$SANDBOX/policy.new"
    mv "$SANDBOX/policy.new" "$SANDBOX/policy/$1"
  fi
}

# ------------------------------------------------------------------------------ asking for pages

# pages COUNT: that many pages, one after the other, as the laptop gets them.
pages() {
  # shellcheck disable=SC2016 # $0 and $1 are the inner shell's
  run_in laptop bash -c 'for ((i = 0; i < $1; i++)); do
    curl --silent --show-error --max-time 5 "$0" || echo failed
  done' "http://$GATEWAY/productpage" "$1" 2>&1
}

# answered VERSION: how many of the pages on stdin have their reviews from that version.
answered() {
  grep -c "answered: reviews $1 " || true
}

# fail POD CODE: tells an instance what to answer; 0: be well again.
fail() {
  run_in "$1" curl --silent --show-error --fail -X POST -o /dev/null \
    "http://127.0.0.1:9080/fail?code=$2"
}

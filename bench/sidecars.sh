# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# Proxies as sidecars in a twin's client pod, each set up as its manual advises for this work: connections to the pods are
# kept and shared; an endpoint that fails, or answers 5xx, is left and taken again after PEERS_EJECTION_S (HAProxy: after a
# good check); a request that can be repeated goes to another one, and to the other region when none is left at home.
# Both processors are theirs. Part of peers.sh.
declare -A SIDECAR_PORT=([haproxy]=8081 [nginx]=8082 [envoy]=8083)
SIDECAR_CONNECT_MS=250
# For an answer, so that a request can be tried again before its client gives up (outage.sh: after 3 s).
SIDECAR_ANSWER_MS=500

# sidecar_start NAME [POD]: in its twin's client pod, or in that one; 1: it is not there, which was told.
sidecar_start() {
  local pod=${2:-$1-client}

  if [[ -z $(sidecar_program "$1") ]]; then
    missing "$1" "$(sidecar_how "$1")"
    return 1
  fi
  sidecar_launch "$1" "$pod"
  if ! wait_listen "$pod" "${SIDECAR_PORT[$1]}" 20; then
    stop "$SERVE_PID" || true
    missing "$1" "it does not start; it said: $(tail -n 1 "$SANDBOX/log/$1")"
    return 1
  fi
}

sidecar_program() {
  if [[ $1 == envoy ]]; then
    command -v "${ENVOY-}" || true
  else
    command -v "$1" || true
  fi
}

# sidecar_how NAME: to get it.
sidecar_how() {
  if [[ $1 == envoy ]]; then
    echo "ENVOY= names a binary of envoyproxy.io"
  else
    echo "make deps installs it"
  fi
}

# sidecar_file NAME: its configuration. By the name's end Envoy knows which language that is in.
sidecar_file() {
  local file=$SANDBOX/$1.conf

  [[ $1 != envoy ]] || file=$SANDBOX/sidecar-envoy.yaml
  "${1}_conf" >"$file"
  echo "$file"
}

# sidecar_launch NAME POD
sidecar_launch() {
  local conf command=("$(sidecar_program "$1")")

  conf=$(sidecar_file "$1")
  case $1 in
  haproxy) command+=(-W -db -f "$conf") ;;
  nginx) command+=(-e stderr -c "$conf") ;;
  envoy) command+=(--config-path "$conf" --concurrency "$(nproc)" --log-level error --use-dynamic-base-id) ;;
  esac
  sandbox_spawn "$SANDBOX_CGROUP/agents/$1" "$SANDBOX/log/$1" nsenter --net="/run/netns/$2" -- "${command[@]}"
}

# sidecar_reload NAME: after a change of PEERS_HOME, as an operator would: both have a signal for it.
sidecar_reload() {
  sidecar_file "$1" >/dev/null
  if [[ $1 == haproxy ]]; then
    kill -USR2 "${PEER_PID[$1]}"
  else
    kill -HUP "${PEER_PID[$1]}"
  fi
}

# sidecar_servers FORMAT: a line for each endpoint at home, by printf with name and address.
sidecar_servers() {
  local pod

  for pod in "${PEERS_HOME[@]}"; do
    # shellcheck disable=SC2059 # the format is what differs
    printf "$1\n" "$pod" "${PEER_ADDRESS[$pod]}"
  done
}

haproxy_conf() {
  local check="check inter 1s fall 1 rise 1 observe layer7 error-limit 1 on-error mark-down"

  cat <<CONF
global
  nbthread $(nproc)
  maxconn 4000
defaults
  mode http
  maxconn 4000
  option http-keep-alive
  option splice-auto
  option redispatch 1
  http-reuse always
  retries 3
  retry-on all-retryable-errors
  timeout connect ${SIDECAR_CONNECT_MS}ms
  timeout client 60s
  timeout server ${SIDECAR_ANSWER_MS}ms
  timeout http-keep-alive 60s
frontend sidecar
  bind 127.0.0.1:${SIDECAR_PORT[haproxy]} backlog 4096
  http-request disable-l7-retry if METH_POST
  default_backend reviews
backend reviews
  balance roundrobin
  option httpchk GET /
$(sidecar_servers "  server %s %s:9080 $check")
  server remote ${PEER_ADDRESS[remote]}:9080 backup $check
CONF
}

nginx_conf() {
  local fails="max_fails=1 fail_timeout=${PEERS_EJECTION_S}s"

  cat <<CONF
daemon off;
pid $SANDBOX/nginx.pid;
worker_processes $(nproc);
worker_rlimit_nofile 20000;
error_log stderr error;
events { worker_connections 8192; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000;
  keepalive_timeout 60s;
  client_body_temp_path $SANDBOX/nginx.body;
  proxy_temp_path $SANDBOX/nginx.proxy;
  fastcgi_temp_path $SANDBOX/nginx.fastcgi;
  uwsgi_temp_path $SANDBOX/nginx.uwsgi;
  scgi_temp_path $SANDBOX/nginx.scgi;
  upstream reviews {
    zone reviews 256k;
$(sidecar_servers "    server %.0s%s:9080 $fails;")
    server ${PEER_ADDRESS[remote]}:9080${PEERS_HOME[0]:+ backup} $fails;
    keepalive 128;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${SIDECAR_PORT[nginx]} reuseport backlog=4096;
    location / {
      proxy_pass http://reviews;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host \$host;
      proxy_connect_timeout ${SIDECAR_CONNECT_MS}ms;
      proxy_read_timeout ${SIDECAR_ANSWER_MS}ms;
      proxy_next_upstream error timeout http_500 http_502 http_503 http_504;
      proxy_next_upstream_tries 4;
    }
  }
}
CONF
}

# envoy_endpoint ADDRESS
envoy_endpoint() {
  echo "{endpoint: {address: {socket_address: {address: $1, port_value: 9080}}}}"
}

envoy_conf() {
  local home

  home=$(sidecar_servers "%.0s%s" | while read -r address; do envoy_endpoint "$address"; done | paste -sd,)
  cat <<CONF
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: ${SIDECAR_PORT[envoy]}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: sidecar
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - name: reviews
              domains: ["*"]
              routes:
              - match: {prefix: /}
                route:
                  cluster: reviews
                  retry_policy:
                    retry_on: connect-failure,refused-stream,reset,retriable-status-codes,gateway-error
                    num_retries: 3
                    per_try_timeout: $(awk "BEGIN { print $SIDECAR_ANSWER_MS / 1000 }")s
                    host_selection_retry_max_attempts: 3
                    retry_host_predicate:
                    - name: envoy.retry_host_predicates.previous_hosts
                      typed_config:
                        "@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate
  clusters:
  - name: reviews
    type: STATIC
    connect_timeout: $(awk "BEGIN { print $SIDECAR_CONNECT_MS / 1000 }")s
    circuit_breakers: {thresholds: [{max_connections: 4096, max_pending_requests: 4096, max_requests: 4096, max_retries: 1024}]}
    common_lb_config: {healthy_panic_threshold: {value: 0}}
    outlier_detection:
      consecutive_5xx: 1
      consecutive_gateway_failure: 1
      interval: 1s
      base_ejection_time: ${PEERS_EJECTION_S}s
      max_ejection_percent: 100
    load_assignment:
      cluster_name: reviews
      endpoints:
      - {priority: 0, locality: {region: cn-hangzhou}, lb_endpoints: [$home]}
      - {priority: 1, locality: {region: cn-shanghai}, lb_endpoints: [$(envoy_endpoint "${PEER_ADDRESS[remote]}")]}
CONF
}

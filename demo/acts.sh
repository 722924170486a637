# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# The acts of the demo. Each sets its scene, says what will happen, lets it happen, and proves it by
# a number; demo.sh has the words for that (say, typed, look, prove), stage.sh the players.

# Of the demo's own copy of the policy: nobody wants to watch a minute pass.
EJECTION_S=5

# ------------------------------------------------------------------------------ scenes

# plan_is NODE MODE ADDRESSES: does the kernel hold this for reviews?
plan_is() {
  local addresses

  ctl "$1" services | grep -qE "default/reviews .*\<$2\>" || return 1
  addresses=$(ctl "$1" endpoints default/reviews | grep -oE '\<10\.[01]\.0\.2[0-9]\>' | sort -u)
  [[ ${addresses//$'\n'/ } == "$3" ]]
}

# settled MODE ADDRESSES [MODE_IN_SHANGHAI]: both kernels.
settled() {
  wait_for 5 plan_is hangzhou-1 "$1" "$2"
  wait_for 5 plan_is shanghai-1 "${3:-$1}" "$2"
}

# What meridianctl's widest tables are cut to.
SERVICE_COLUMNS='SERVICE MODE ROUTE'
ENDPOINT_COLUMNS='ADDRESS REGION STATE EJECTIONS CONNECTS 2XX 5XX RESPONSE'

# Everything as the cluster files say, every instance well, and no policy.
scene() {
  local pod

  for pod in reviews-v1 reviews-v2 reviews-v3; do
    fail "$pod" 0
  done
  policy
  scale ack-hangzhou
  scale ack-shanghai
  settled pool "10.0.0.20 10.0.0.21 10.1.0.20"
}

# adopt FILE [SED_SCRIPT]: the policy, as a user would put it there.
adopt() {
  typed "cp demo/policy/$1 policy/" "${2:+its copy: baseEjectionTime: ${EJECTION_S}s}"
  policy "$@"
}

# scaled_to_zero DEPLOYMENT…, in Hangzhou.
scaled_to_zero() {
  typed "kubectl --context ack-hangzhou scale deployment $* --replicas=0"
  scale ack-hangzhou "$@"
}

# The guide's loop, as it stands there.
guide_loop() {
  typed "for ((i=1;i<=10;i++)); do curl http://$GATEWAY/productpage 2>&1 | grep full.stars; done | wc -l"
  # shellcheck disable=SC2016 # $1 is the inner shell's
  LOOP=$(run_in laptop bash -c \
    'for ((i=1;i<=10;i++)); do curl http://$1/productpage 2>&1 | grep full.stars; done | wc -l' \
    bash "$GATEWAY")
  echo "$LOOP" | indented
}

# ask COUNT: pages, and who wrote their reviews: V1, V2, V3, and ERRORS.
ask() {
  typed "$1 x curl http://$GATEWAY/productpage"
  PAGES=$(pages "$1")
  V1=$(answered v1 <<<"$PAGES")
  V2=$(answered v2 <<<"$PAGES")
  V3=$(answered v3 <<<"$PAGES")
  ERRORS=$(($1 - V1 - V2 - V3))
  echo "v1 (Hangzhou): $V1   v3 (Hangzhou): $V3   v2 (Shanghai): $V2   without reviews: $ERRORS" |
    indented
}

# ------------------------------------------------------------------------------ acts

# round_trip POD ADDRESS: the mean in whole milliseconds; the first ping is for ARP.
round_trip() {
  run_in "$1" ping -q -c 1 -W 2 "$2" >/dev/null
  typed "ping $2" "in the pod $1"
  PING=$(run_in "$1" ping -q -c 5 -i 0.1 -W 2 "$2" | tail -n 1)
  echo "$PING" | indented
  PING=$(cut -d/ -f5 <<<"$PING")
  PING=${PING%.*}
}

act_connectivity() {
  say "Two clusters, joined by a link of $DELAY_MS ms each way. No two blocks overlap:"
  indented <<'END'

cluster       region       node        nodes          pods          services
ack-hangzhou  cn-hangzhou  hangzhou-1  20.0.0.0/16    10.0.0.0/16   172.16.0.0/16
ack-shanghai  cn-shanghai  shanghai-1  21.0.0.0/16    10.1.0.0/16   172.17.0.0/16
END
  round_trip gateway 10.1.0.20
  prove "ms from Hangzhou to Shanghai and back" 30 40 "$PING"
  round_trip reviews-v2 10.0.0.20
  prove "ms from Shanghai to Hangzhou and back" 30 40 "$PING"
}

act_pool() {
  scene
  say "Step 4 of the guide: no rule yet. The endpoints of both clusters are one pool, so pages have" \
    "their reviews from v1, v2 and v3 about 1:1:1."
  COLUMNS_SHOWN=$SERVICE_COLUMNS look hangzhou-1 services
  COLUMNS_SHOWN=$ENDPOINT_COLUMNS look hangzhou-1 endpoints default/reviews
  ask 30
  prove "of 30 pages by v1, without stars" 8 12 "$V1"
  prove "of 30 pages by v2, black stars" 8 12 "$V2"
  prove "of 30 pages by v3, red stars" 8 12 "$V3"
}

act_failover() {
  scene
  say "Step 5 of the guide: each region is the other's backup. While Hangzhou is healthy, nothing" \
    "leaves it. Then reviews in Hangzhou is scaled to 0, and Shanghai takes over; v2 has stars on" \
    "both reviews of a page, so ten pages are 20 lines."
  adopt failover.yaml
  settled failover "10.0.0.20 10.0.0.21 10.1.0.20"
  ask 10
  prove "of 10 pages by Shanghai, before" 0 0 "$V2"
  scaled_to_zero reviews-v1 reviews-v3
  settled failover "10.1.0.20"
  COLUMNS_SHOWN=$ENDPOINT_COLUMNS look hangzhou-1 endpoints default/reviews
  guide_loop
  prove "lines with stars, the guide's loop" 20 20 "$LOOP"
}

# The modes exclude each other, and the refusal says where each of them is asked for.
both_at_once() {
  local refusal

  typed "cp demo/policy/failover.yaml policy/" "beside distribution.yaml"
  cp "$DEMO_DIR/policy/failover.yaml" "$SANDBOX/policy/"
  wait_for 5 agent_said hangzhou-1 'exclude each other'
  refusal=$(grep -o '/[^ ]*/failover.yaml:.*exclude each other.*' "$(agent_log_of hangzhou-1)")
  refusal=${refusal//"$SANDBOX/"/}
  prose <<<"${refusal%%\"*}"
  prove "places that the refusal names" 2 2 \
    "$(grep -oE '(failover|distribution)\.yaml:[0-9]+' <<<"$refusal" | sort -u | wc -l)"
}

act_distribution() {
  scene
  say "Step 6 of the guide: 10 % of what Hangzhou asks goes to Shanghai. The other policy leaves" \
    "first: the two modes exclude each other. v3 is scaled to 0 here, which the guide does not say:" \
    "its stars would be counted, too. One page in ten has v2's two lines."
  adopt distribution.yaml
  scaled_to_zero reviews-v3
  # No rule is for what Shanghai asks, so that stays one pool, as without a policy.
  settled distribute "10.0.0.20 10.1.0.20" pool
  COLUMNS_SHOWN=$SERVICE_COLUMNS ROWS_SHOWN=default/reviews look hangzhou-1 services
  guide_loop
  prove "lines with stars, the guide's loop" 2 2 "$LOOP"
  ask 100
  prove "of 100 pages by Shanghai" 9 11 "$V2"
  both_at_once
}

ejected() {
  ctl hangzhou-1 endpoints default/reviews | grep "$1:" | grep -q EJECTED
}

act_ejection() {
  local -i since_ms

  scene
  say "An instance goes bad: v3 answers 503 to everything. Meridian reads the status line as it" \
    "passes, and takes the instance out after that one answer (consecutive5xxErrors: 1). The guide" \
    "ejects for a minute; this copy of its rule for ${EJECTION_S} s."
  adopt failover.yaml "s/baseEjectionTime: 1m/baseEjectionTime: ${EJECTION_S}s/"
  settled failover "10.0.0.20 10.0.0.21 10.1.0.20"
  typed "curl -X POST 'http://127.0.0.1:9080/fail?code=503'" "in the pod reviews-v3"
  fail reviews-v3 503
  # Two pages are sure to meet v3 once: within a region the endpoints take turns.
  since_ms=$(now_ms)
  ask 20
  prove "of 20 pages without reviews" 1 1 "$ERRORS"
  echo
  say "Half of Hangzhou's reviews is left. As in Envoy it keeps 1.4 times its healthy part," \
    "70 %, and Shanghai helps with the rest."
  COLUMNS_SHOWN=$ENDPOINT_COLUMNS look hangzhou-1 endpoints default/reviews
  typed "bpftool map dump pinned bpf/hangzhou-1/mrd_health | grep -B 6 -A 6 EJECTED"
  map_dump hangzhou-1 mrd_health | grep -B 6 -A 6 EJECTED | indented
  typed "curl -X POST 'http://127.0.0.1:9080/fail?code=0'" "in the pod reviews-v3"
  fail reviews-v3 0
  wait_for $((EJECTION_S + 5)) eval '! ejected 10.0.0.21'
  prove "ms until it is back, at a sweep" $((EJECTION_S * 1000 - 200)) \
    $((EJECTION_S * 1000 + 2000)) "$(($(now_ms) - since_ms))"
  settled failover "10.0.0.20 10.0.0.21 10.1.0.20"
  ask 10
  prove "of 10 pages by v3, afterwards" 4 6 "$V3"
}

# The laptop asks for page after page until loop_end: a line of its log for each, good or bad, and how many
# milliseconds it took. Between two pages nobody holds the lock.
loop_start() {
  : >"$SANDBOX/log/laptop"
  # shellcheck disable=SC2016 # for the inner shell
  serve laptop bash -c 'exec 9>"$1"; while sleep 0.01; do
    flock 9
    page=$(curl --silent --max-time 5 --write-out "%{time_total}" "$0" | tr "\n" " ")
    verdict=bad took=${page##*[!0-9.]}
    [[ $page != *"answered: details"*"answered: reviews"* ]] || verdict=good page=
    echo "$verdict $((10#${took/./} / 1000)) $page"
    flock -u 9
  done' "http://$GATEWAY/productpage" "$SANDBOX/between"
  LOOP_PID=$SERVE_PID
}
loop_end() { stop "$LOOP_PID" || true; }
asked() { grep -c '' "$SANDBOX/log/laptop"; }
asked_at_least() { (($(asked) >= $1)); }
failed_of_loop() { grep -vc '^good' "$SANDBOX/log/laptop" || true; }

is_back() { ! ctl hangzhou-1 endpoints | grep -q EJECTED; }

act_black_hole() {
  local -i before
  local pod silent=(productpage details ratings reviews-v1 reviews-v3)

  scene
  say "All of Hangzhou falls silent while the laptop asks for page after page: every instance behind the" \
    "gateway hears nothing any more, and nobody hangs up. A SYN without an answer goes to Shanghai before the" \
    "application notices. A request that is under way dies with its pod, so silence falls between two."
  adopt failover.yaml "s/baseEjectionTime: 1m/baseEjectionTime: ${EJECTION_S}s/
    s/^\( *\)consecutive5xxErrors: 5/&\n\1interval: 1s\n\1baseEjectionTime: ${EJECTION_S}s/"
  settled failover "10.0.0.20 10.0.0.21 10.1.0.20"
  loop_start
  wait_for 10 asked_at_least 30
  typed "nft 'table inet hole { chain in { type filter hook prerouting priority -300; iif != lo drop; }; }'" \
    "in ${silent[*]}"
  exec 9>"$SANDBOX/between"
  flock 9
  for pod in "${silent[@]}"; do
    blackhole "$pod"
  done
  before=$(asked)
  exec 9>&-
  wait_for 20 asked_at_least $((before + 30))
  loop_end
  typed "meridianctl status | grep rescue_" "on hangzhou-1: connections that were moved"
  ctl hangzhou-1 status | grep rescue_ | indented
  COLUMNS_SHOWN=$ENDPOINT_COLUMNS look hangzhou-1 endpoints default/productpage
  prove "failed pages of $(asked)" 0 0 "$(failed_of_loop)"
  prove "ms that the slowest page took" 1 1999 \
    "$(tail -n "+$((before + 1))" "$SANDBOX/log/laptop" | cut -d' ' -f 2 | sort -n | tail -n 1)"
  for pod in "${silent[@]}"; do
    unblackhole "$pod"
  done
  wait_for $((2 * EJECTION_S + 5)) is_back
  ask 10
  prove "of 10 pages by Hangzhou, afterwards" 10 10 $((V1 + V3))
}

act_agent_killed() {
  local -i before without

  scene
  say "The agent of Hangzhou is killed with -9 while the laptop asks for page after page, and started" \
    "again. Maps and links are pinned in bpffs: the kernel goes on by the last plan, and the new" \
    "agent takes over what it finds."
  adopt failover.yaml
  settled failover "10.0.0.20 10.0.0.21 10.1.0.20"
  loop_start
  wait_for 10 asked_at_least 30
  typed "kill -9 ${AGENT_PID[hangzhou-1]}" "meridiand on hangzhou-1"
  before=$(asked)
  agent_kill hangzhou-1
  typed "meridianctl status | head -n 16" "on hangzhou-1"
  { ctl hangzhou-1 status 2>&1 || true; } | sed "s|$SANDBOX/||" | head -n 16 | prose
  wait_for 10 asked_at_least $((before + 60))
  without=$(($(asked) - before))
  typed "meridiand --config hangzhou-1.yaml"
  agent_start hangzhou-1
  sed "s|$SANDBOX/||g" "$(agent_log_of hangzhou-1)" | prose
  wait_for 10 asked_at_least $((before + without + 30))
  loop_end
  prove "pages while there was no agent" 60 9999 "$without"
  prove "failed pages of $(asked)" 0 0 "$(failed_of_loop)"
}

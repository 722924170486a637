#!/bin/busybox sh
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=dash
# init of the guest (see run.sh): everything on loopback, with busybox as servers and clients.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /sys/fs/cgroup /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /sys/fs/cgroup/node
ip link set lo up

bad=0
ok() { # ok NAME COMMAND…
  name=$1
  shift
  if "$@"; then
    echo "PASS guest/$name"
  else
    echo "FAIL guest/$name: $*"
    bad=1
  fi
}
soon() { # soon COMMAND…: within two minutes, for the verifier takes its time in an emulated machine
  i=0
  until "$@" >/dev/null 2>&1; do
    i=$((i + 1))
    [ $i -lt 600 ] || return 1
    usleep 200000
  done
}
in_node() { sh -c 'echo $$ >/sys/fs/cgroup/node/cgroup.procs && exec "$@"' - "$@"; }
get() { in_node peer get "$1" 80 "$2"; } # get ADDRESS COUNT: an answer a line
start_agent() {
  : >/tmp/agent.log # so that what the last one said is not taken for this one
  meridiand --config /etc/guest-meridian.yaml >/tmp/agent.log 2>&1 &
  agent=$!
  soon grep -q 'ready' /tmp/agent.log || { cat /tmp/agent.log; return 1; }
}
count() { get "$1" "$2" | grep -c "$3"; } # count ADDRESS N WORD: how many of N answers are WORD

# A pod: a namespace behind a veth. Its processes are in no cgroup that the socket hooks are on.
make_pod() {
  insmod /modules/veth.ko || return 1
  unshare -n sleep 100000 &
  pod=$!
  soon sh -c "[ \"\$(readlink /proc/$pod/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]" || return 1
  ip addr add 10.8.0.1/32 dev lo
  ip-real link add host0 type veth peer name eth0 netns $pod || return 1
  ip addr add 169.254.1.1/32 dev host0
  ip link set host0 up
  ip route add 10.9.0.2 dev host0
  in_pod ip addr add 10.9.0.2/32 dev eth0
  in_pod ip link set eth0 up
  in_pod ip route add 169.254.1.1 dev eth0
  in_pod ip route add default via 169.254.1.1
}
in_pod() { nsenter -t "$pod" -n "$@"; }

echo "kernel $(uname -r)"
mkdir -p /state/home /www/a /www/b
cp /etc/guest-state.yaml /state/home/state.yaml
echo from-a >/www/a/index.html
echo from-b >/www/b/index.html
httpd -p 127.0.0.2:9080 -h /www/a
httpd -p 127.0.0.3:9080 -h /www/b
printf '#!/bin/sh\nread -r line\nprintf "HTTP/1.1 503 no\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n"\n' >/tmp/503
chmod 755 /tmp/503
nc -ll -p 9081 -e /tmp/503 &
peer udp-echo 127.0.0.5 5353 hello &
ok a-pod make_pod
httpd -p 10.8.0.1:9080 -h /www/a
printf '#!/bin/sh\nexec cat >>/tmp/caught\n' >/tmp/catch
chmod 755 /tmp/catch
nc -ll -p 9082 -e /tmp/catch &

ok ready start_agent
grep -E 'feature|warn' /tmp/agent.log
ok pool-is-even [ "$(count 172.16.0.20 10 from-a)" = 5 ]
# bpf_set_retval is of Linux 5.18; before, a refusal is EPERM.
no_endpoint() {
  case $(uname -r) in 5.1[0-7].*) error=EPERM ;; *) error=ECONNREFUSED ;; esac
  case $(in_node peer connect 172.16.0.30 80) in "$error "*) true ;; *) false ;; esac
}
name() { case $(in_node peer connect 172.16.0.20 80) in "connected 172.16.0.20 80 "*) true ;; *) false ;; esac }
ok getpeername name
ok no-endpoint-is-refused no_endpoint
udp() { [ "$(in_node peer udp unconnected 1 172.16.0.40 53)" = "hello from 172.16.0.40 53" ]; }
ok udp-reply udp
# What connections of a service ask for.
options() { [ "$(in_node peer options 172.16.0.61 80 99)" = "keepalive 1 idle 33 interval 7 probes 4 user-timeout 99" ]; }
soon options # an earlier connection may just be closing
ok options-are-set options
say() { # say WANTED PIECE…: each in a message of its own; what the server caught
  wanted=$1
  shift
  : >/tmp/caught
  for piece; do
    # shellcheck disable=SC2059 # the pieces are formats
    printf "$piece"
    usleep 100000
  done | in_node nc -w 1 172.16.0.61 80 >/dev/null
  # shellcheck disable=SC2059
  [ "$(cat /tmp/caught)" = "$(printf "$wanted")" ]
}
get='GET / HTTP/1.1\r\nHost: a\r\n' close='Connection: close\r\n\r\n.'
ok close-is-told say "$get$close" "$get\r\n."
ok close-is-told-in-pieces say "$get$close" GET ' / HTTP/1.1\r\nHo' 'st: a\r\n' '\r' '\n.'
ok keep-alive-is-overwritten say "${get}Connection: close     \r\n\r\n." "${get}Connection: keep-alive\r\n\r\n."
one_more() {
  in_node peer hold 172.16.0.61 80 5 >/tmp/held &
  soon grep -q held /tmp/held || return 1
  case $(in_node peer connect 172.16.0.61 80) in "connected "*) false ;; E*) true ;; *) false ;; esac
}
ok one-more-is-refused one_more
ejected() {
  get 172.16.0.50 2 >/dev/null
  soon sh -c 'meridianctl --control /run/m.sock -o json endpoints | grep -q EJECTED'
}
ok 503-is-ejected ejected
after_ejection() { [ "$(count 172.16.0.50 6 from-a)" = 6 ]; }
ok ejected-is-not-picked after_ejection
# Before Linux 6.6 by filters, whose modules are missing at first.
not_served() { meridianctl --control /run/m.sock status | grep -q 'NOT SERVED host0: .*sch_ingress and cls_bpf'; }
ok what-is-missing-is-named soon not_served
insmod /modules/cls_bpf.ko
insmod /modules/sch_ingress.ko
is_served() { meridianctl --control /run/m.sock status | grep -q '^host0 .* pod  *clsact'; }
by_tc() { [ "$(in_pod peer get 172.16.0.60 80 3 | grep -c from-a)" = 3 ]; }
ok an-interface-is-served soon is_served
ok translated-at-tc by_tc
kill -9 "$agent"
wait "$agent" 2>/dev/null
ok tc-outlives-the-agent by_tc
ok outlives-the-agent [ "$(count 172.16.0.20 10 from-a)" = 5 ]
ok adopted-after-kill start_agent
filters() { tc-real filter show dev host0 ingress | grep -c 'handle 0x'; }
ok filters-are-replaced soon is_served
ok one-filter-is-there [ "$(filters)" = 1 ]
ok translated-by-the-next by_tc
adopted() { grep -q adopt /tmp/agent.log && [ "$(count 172.16.0.50 4 from-a)" = 4 ]; }
ok ejection-outlives-restart adopted
detached() { meridianctl --control /run/m.sock detach >/dev/null && [ -z "$(find /sys/fs/bpf -type f)" ]; }
ok detach-leaves-nothing detached
ok and-no-queueing-discipline [ -z "$(tc-real qdisc show dev host0 | grep clsact)" ]
# What the agent's feature test chose above: atomic operations with results are of Linux 5.12.
translated() {
  case $(uname -r) in 5.1[01].*) object=/meridian_legacy.bpf.o ;; *) object=/meridian.bpf.o ;; esac
  tc_packets "$object" >/tmp/tc.log 2>&1 || { grep -v '^PASS ' /tmp/tc.log; return 1; }
}
ok packets-are-translated translated
[ $bad = 0 ] || cat /tmp/agent.log
echo "GUEST DONE $bad"
sync
# isa-debug-exit: ends the machine
printf '\020' | dd of=/dev/port bs=1 seek=244 count=1 2>/dev/null
poweroff -f

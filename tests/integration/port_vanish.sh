#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# port_vanish: a netdev disappears and comes back, and what was pinned is gone meanwhile.
. "$(dirname "$0")/lib.sh"
lab
port_is() { [ "$(port_state "$1")" = "$2" ]; }
xdp_on() { ip -n router -j link show dev "$1" | jq -e '.[0].xdp' >/dev/null; }
port_is_not() { ! port_is "$@"; }
steer_all
check 'daemons start' start_daemons
warm
by_dataplane 10 'traffic flows' ping_from host1 10.0.2.2

check 'r2 is deleted' ip -n router link del r2
soon 'the port waits' port_is r2 waiting
check 'wye-dpd lives' kill -0 "$dpd"
says 'wye status says which' 'r2' wye status
check 'the router is still reached' ping_from host1 10.0.1.1
check 'and somebody clears bpffs' rm /sys/fs/bpf/wye_*

ip netns del host2
lab_ports=(r1)
check 'r2 comes back' add_host 2
soon 'the port is active' port_is r2 active
soon 'the router reaches host2' ping_from router 10.0.2.2
warm
by_dataplane 10 'the dataplane forwards again' ping_from host1 10.0.2.2
by_dataplane 10 'in both directions' ping_from host2 10.0.1.2

check 'r1 goes down' ip -n router link set r1 down
soon 'the port is idle' port_is_not r1 active
check 'r1 goes up' ip -n router link set r1 up
ip -n router addr add fd00:1::1/64 dev r1
soon 'traffic flows again' ping_from host1 10.0.2.2
soon 'by the dataplane' port_is r1 active
by_dataplane 10 'it forwards' ping_from host1 10.0.2.2

# Deleted and made anew under the same index, faster than wye-ctld hears of it.
index=$(on router cat /sys/class/net/r2/ifindex)
kill -STOP "$ctld"
ip -n router link del r2
ip -n router link add r2 index "$index" numtxqueues 1 numrxqueues 1 type veth peer name eth0 netns host2 \
	numtxqueues 1 numrxqueues 1
on router sysctl -qw net.ipv6.conf.r2.accept_dad=0
ip -n host2 addr add 10.0.2.2/24 dev eth0
ip -n router addr add 10.0.2.1/24 dev r2
on host2 ethtool -K eth0 tx off >/dev/null
on router ethtool -K r2 tx off >/dev/null
ip -n host2 link set eth0 up
ip -n router link set r2 up
ip -n host2 route add default via 10.0.2.1
kill -CONT "$ctld"
soon 'the new r2 has the program' xdp_on r2
soon 'and is active' port_is r2 active
soon 'traffic flows over it' ping_from host1 10.0.2.2
by_dataplane 10 'by the dataplane' ping_from host1 10.0.2.2
check 'SIGTERM' stop "$dpd"

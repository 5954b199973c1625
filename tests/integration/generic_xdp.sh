#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# generic_xdp: a port whose driver has no XDP of its own. A punted frame meets the same program again and must pass it.
. "$(dirname "$0")/lib.sh"
lab
ip -n router link set r1 down
ip -n router link set r1 name below1
ip -n router addr flush dev below1
on router sysctl -qw net.ipv4.conf.below1.arp_ignore=1 # or its MAC is told to host1 as often as r1's
ip -n router link add link below1 name r1 type macvlan mode private 2>/dev/null || skip 'the kernel has no macvlan'
# or the netdev below answers for r1's address, too, and host1 may send to it
on router sysctl -qw net.ipv6.conf.r1.accept_dad=0 net.ipv4.conf.below1.arp_ignore=1
ip -n router addr add 10.0.1.1/24 dev r1
ip -n router addr add fd00:1::1/64 dev r1
ip -n router link set below1 up
ip -n router link set r1 up
soon 'r1 is a macvlan with a carrier' carrier 1
steer_all
check 'daemons start' start_daemons
equal 'its mode' "$(wye -j show port r1 | jq -r .[].mode)" generic
warm
by_dataplane 10 'forwarding' ping_from host1 10.0.2.2
by_dataplane 10 'forwarding (IPv6)' ping_from host1 fd00:2::2
by_dataplane 1000 'UDP' udp 1000 host1 host2 10.0.2.2

before=$(reason ip4_forward_unresolved)
on router ip neigh flush dev r2
unresolved() { [ "$(wye -j lookup 10.0.2.2 | jq -r '.paths[0].verdict')" = kernel ]; }
soon 'the neighbour is forgotten' unresolved
check 'the kernel gets the packet, once, and resolves it' on host1 ping -q -c 1 -W 2 10.0.2.2
at_least 'punted' $(($(reason ip4_forward_unresolved) - before)) 1
by_dataplane 10 'then the dataplane forwards again' ping_from host1 10.0.2.2
says 'the kernel answers for what has no more hops' 'From 10\.0\.1\.1 .*Time to live exceeded' \
	on host1 ping -n -c 1 -W 2 -t 1 10.0.2.2

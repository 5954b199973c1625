#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# ecmp: flows are shared over two next hops by weight, and follow when a leg goes.
. "$(dirname "$0")/lib.sh"
lab
add_host 3
for host in host2 host3; do
	ip -n $host addr add 10.9.0.1/32 dev lo
	ip -n $host addr add fd00:9::1/128 dev lo
done
on router sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1
legs4='nexthop via 10.0.2.2 weight 1 nexthop via 10.0.3.2 weight 3'
ip -n router route add 10.9.0.0/24 $legs4
ip -n router route add fd00:9::/64 nexthop via fd00:2::2 weight 1 nexthop via fd00:3::2 weight 3
steer_all
check 'daemons start' start_daemons
warm
# share ADDRESS: percent of 2,000 packets in 500 flows that left by r3; host2 need not see them all
share() {
	local r2 r3
	r2=$(port_counter r2 tx_packets) r3=$(port_counter r3 tx_packets)
	udp 2000 host1 host2 "$1" --flows 500 >/dev/null
	r2=$(($(port_counter r2 tx_packets) - r2)) r3=$(($(port_counter r3 tx_packets) - r3))
	echo $((100 * r3 / (r2 + r3 + 1)))
}
for address in 10.9.0.1 fd00:9::1; do
	percent=$(share $address)
	at_least "$address: share of the heavier leg" "$percent" 65
	at_most "$address: share of the heavier leg" "$percent" 85
done
# told FROM TO PROTO: the leg that a traced packet with source port 7000 + n took is the one wye lookup names
told() {
	local from=$1 to=$2 port
	for port in 7001 7002 7003 7004 7005 7006; do
		check 'cleared' wye trace clear
		check 'a trace' wye trace add r1 1 "udp src port $port"
		soon "UDP from port $port" traced_leg "$from" "$to" "$port"
		equal 'takes the leg that is told' "$leg" \
			"$(wye -j lookup "$to" from "$from" iif r1 ipproto udp sport "$port" dport 7000 | jq '.paths[] | select(.chosen) | .id')"
	done
}
traced_leg() {
	on host1 python3 -c 'import socket, sys
sender = socket.socket(socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET, socket.SOCK_DGRAM)
sender.bind((sys.argv[1], int(sys.argv[3])))
sender.sendto(b"x", (sys.argv[2], 7000))' "$@"
	leg=$(wye -j trace | jq -r '.packets[].steps[].data.leg // empty')
	[ -n "$leg" ]
}
told 10.0.1.2 10.9.0.1
told fd00:1::2 fd00:9::1
all_on_r2() { [ "$(share "$1")" = 0 ]; }

check 'a leg is removed' ip -n router route replace 10.9.0.0/24 via 10.0.2.2
soon 'all by the other' all_on_r2 10.9.0.1
by_dataplane 2000 'nothing is lost' udp 2000 host1 host2 10.9.0.1 --flows 500
check 'and comes back' ip -n router route replace 10.9.0.0/24 $legs4
refused 'shared again' all_on_r2 10.9.0.1

on router ip nexthop add id 1 via 10.0.2.2 dev r2
on router ip nexthop add id 2 via 10.0.2.2 dev r2
check 'a resilient group' on router ip nexthop add id 3 group 1/2 type resilient buckets 32
check 'and a route by it' ip -n router route replace 10.9.0.0/24 nhid 3
is_kind() { [ "$(wye -j lookup 10.9.0.1 | jq -r '.paths[0].kind')" = "$1" ]; }
soon 'which is the kernel'"'"'s' is_kind kernel
by_kernel 2000 'a resilient group' udp 2000 host1 host2 10.9.0.1 --flows 500
check 'another group again' ip -n router route replace 10.9.0.0/24 $legs4
soon 'which the dataplane forwards by' is_kind forward

on router sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=1 net.ipv6.conf.all.ignore_routes_with_linkdown=1
check 'the carrier of r3 is lost' ip -n host3 link set eth0 down
soon 'all by the other' all_on_r2 10.9.0.1
soon 'all by the other (IPv6)' all_on_r2 fd00:9::1

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# scale_out: two routers behind one ECMP route, with the configurations of docs/scale-out.md. One of them dies.
. "$(dirname "$0")/routing.sh"
lab
check 'a second router' add_router router2
as_router router2 add_link 3 host1 eth1
as_router router2 add_link 4 host2 eth1
on host1 sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1
ip -n host2 addr add 20.0.0.1/32 dev lo
ip -n host2 addr add fd20::1/128 dev lo
WYE_CPU=0 as_router router2 steer_all
steer_all
check 'daemons start on router2' as_router router2 start_daemons
check 'daemons start on router' start_daemons
config() { sed -n '/^```'"$1"'$/,/^```$/{//!p}' "$lab_top/docs/scale-out.md"; }
behind() {	# what is in front, mirrored, and it announces
	config front | sed 's/10.0.1/10.0.2/g; s/10.0.3/10.0.4/; s/fd00:1:/fd00:2:/; s/fd00:3:/fd00:4:/; s/65001/65002/
		s/import all; export none;/import none; export all;/'
	printf 'protocol static { ipv%s; route %s blackhole; }\n' 4 20.0.0.0/24 6 fd20::/64
}
check 'BIRD behind' bird host2 < <(behind)
check 'BIRD in front' bird host1 < <(config front)
check 'FRR on router' frr router bgpd bfdd < <(config frr)
check 'BIRD on router2' bird router2 < <(config bird)
ways() {
	[ "$(for to in 20.0.0.1 fd20::1; do ip -n host1 route get fibmatch $to; done | grep -o "eth[01]" | sort | uniq -c | xargs)" = "$1" ]
}
sent_by() { as_router "$1" sent_by_dataplane; }
both_send() { [ "$(sent_by router2)" -ge $((second + 200)) ] && [ "$(sent_by_dataplane)" -ge $((first + 200)) ]; }
shared() {
	soon 'two ways in front' ways '2 eth0 2 eth1'
	first=$(sent_by_dataplane) second=$(sent_by router2)
	soon 'both dataplanes forward' both_send
}
lost() { flows_stop "$1: lost" "$2" "$2" && flows_start; }

soon 'two ways in front' ways '2 eth0 2 eth1'
flows_start
shared
lost 'nothing happens' 0

by_the_kernel() { [ "$(kernel_forwarded 4)" -gt "$kernel" ]; }
kernel=$(kernel_forwarded 4)
crash "$ctld"
crash "$dpd"
soon 'the daemons of router are killed: its kernel forwards' by_the_kernel
check 'nothing shifts' ways '2 eth0 2 eth1'
lost 'daemons killed' 1000
check 'they start again' start_daemons
shared
lost 'restart' 500

on router2 sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
kill -STOP "${pid[bird.router2]}"
soon 'router2 is dead with its links up: nothing comes by it' ways '2 eth0'
says 'BFD saw it' 'BFD session down' birdc host1 show protocols second4
lost 'BFD' 1500
on router2 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
crash "${pid[bird.router2]}"
check 'it starts again' bird_start router2
sessions() {
	[ "$(birdc router2 show protocols | grep -c Established) $(birdc router2 show bfd sessions | grep -c ' Up ')" = '4 4' ]
}
soon 'and has its sessions' sessions
shared
lost 'return' 500

ip -n router link set r1 down
ip -n router link set r2 down
soon 'the links of router are down: carrier is lost' ways '2 eth1'
lost 'carrier' 1500
second=$(sent_by router2)
by_router2() { [ "$(sent_by router2)" -ge $((second + 500)) ]; }
soon 'the dataplane of router2 forwards it all' by_router2
lost 'afterwards' 0

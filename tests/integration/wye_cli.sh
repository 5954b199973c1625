#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# wye_cli: links, addresses, neighbours and routes as `wye -j` shows them are those of `ip -j`, member by member.
. "$(dirname "$0")/lib.sh"
lab
steer_all
# Leaves out what wye does not mirror, or shows beside ip's keys
plain='[.[] | del(.wye, .xdp, .altnames, .permaddr, .parentbus, .parentdev, .expires) |
	(if .addr_info then .addr_info |= sort_by(tostring) else . end)] | if $sort then sort_by(tostring) else . end'
same() {
	local sort=$1
	shift
	diff <(ip -n router -j "$@" | jq -S --argjson sort "$sort" "$plain") <(wye -j "$@" | jq -S --argjson sort "$sort" "$plain")
}

ip -n router -batch - <<-EOF || fail 'ip -batch'
	link add br0 type bridge
	link add mv0 link r1 type macvlan mode bridge
	link add va type veth peer name vb
	link set vb master br0
	link set va up
	link set vb up
	link set br0 up
	addr add 10.7.0.1/24 brd + dev r1
	addr add 10.7.0.3/24 dev r1
	addr add 10.9.0.1 peer 10.9.0.2/32 dev r2
	neigh add 10.0.1.2 lladdr 02:00:00:00:00:02 dev r1 nud permanent
	neigh add fd00:1::7 lladdr 02:00:00:00:00:07 dev r1 nud permanent router
	nexthop add id 7 via 10.0.1.9 dev r1
	nexthop add id 8 via 10.0.2.8 dev r2
	nexthop add id 9 group 7,3/8
	addr add 10.10.0.1/24 dev va
	route add 10.10.7.0/24 via 10.10.0.2 proto static
	route add default via 10.0.1.2
	route add 10.11.0.0/16 via 10.0.1.2 metric 70000 proto bird mtu 1400
	route add 10.12.0.0/16 nexthop via 10.0.1.2 weight 2 nexthop via 10.0.2.3 dev r2 onlink
	route add 10.13.0.0/16 via inet6 fd00:1::2 dev r1
	route add blackhole 10.14.0.0/16
	route add unreachable 10.15.0.0/16 metric 9
	route add prohibit 10.16.0.0/16
	route add throw 10.17.0.0/16
	route add 10.18.0.0/16 dev r2 scope link src 10.0.1.1
	route add 10.19.0.0/16 nhid 7
	route add 10.20.0.0/16 nhid 9
	route add 10.11.0.0/16 via 10.0.2.2 metric 5
	route add ::/0 via fd00:1::2
	route add fd01::/48 nexthop via fd00:1::2 weight 3 nexthop via fd00:2::3
	route add blackhole fd02::/48
	route add unreachable fd03::/48
	route add throw fd05::/48
	route add fd04::/48 via fd00:2::4 mtu 1300 pref high proto static
EOF
ip -n router route add 10.21.0.0/16 via 10.0.2.2 proto static
ip -n router route add 10.22.0.0/16 nexthop via 10.0.1.2 nexthop via 10.0.2.2
check 'wye-ctld starts' start_ctld
soon 'link' same false link
soon 'addr' same false addr
soon 'route' same false route
soon 'route, local table' same false route show table local
soon 'route, one prefix' same false route show 10.11.0.0/16
soon 'route, one device' same false route show dev va
soon 'route, IPv6' same true -6 route
soon 'route, IPv6 local' same true -6 route show table local
soon 'neigh' same true neigh
soon 'neigh, one state' same true neigh show nud permanent
soon 'neigh, one device' same true neigh show dev r1

check 'host2 pulls the plug' ip -n host2 link set eth0 down
soon 'link without carrier' same false link
soon 'routes without carrier' same false route
soon 'routes without carrier, local' same false route show table local
soon 'routes without carrier, IPv6' same true -6 route
check 'and puts it back' ip -n host2 link set eth0 up
soon 'route again' same false route

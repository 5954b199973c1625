#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_silent: what the kernel does to routes without telling.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld

routed() { [ "$(wye -j lookup "$1" | jq -r .route.dst)" != null ]; }
not_routed() { ! routed "$@"; }
kernel_decides() { [ "$(wye -j lookup "$1" | jq -r '.paths[0].kind // .kind')" = kernel ]; }
mtus() { [ "$(wye -j lookup "$1" | jq -r '[.paths[].mtu] | sort | join(" ")')" = "$2" ]; }
ecmp() { rip route replace 198.51.100.0/24 nexthop via 10.9.1.2 nexthop via 10.9.2.2 nexthop via 10.9.3.2; }
ecmp
rip route add 192.0.2.0/24 via 10.9.2.2 metric 5
rip route add 192.0.2.0/24 via 10.9.1.2 metric 10
rip -6 route add 2001:db8::/32 nexthop via fd09:1::2 nexthop via fd09:2::2
rip nexthop add id 12 via 10.9.2.9 dev m2
rip nexthop add id 13 via 10.9.3.9 dev m3
rip nexthop add id 20 group 12/13
rip route add 203.0.113.0/25 nhid 12
rip route add 203.0.113.128/25 nhid 20
lookups=(198.51.100.1 192.0.2.1 2001:db8::1 203.0.113.1 203.0.113.129)
soon 'before' same "${lookups[@]}"

for i in 1 2 3; do
	rip link set m2 down
	soon "link down ($i)" same "${lookups[@]}"
	equal 'the leg is out' "$(wye -j lookup 198.51.100.1 | jq '.paths | length')" 2
	rip link set m2 up
	ecmp
	soon "link up ($i)" same "${lookups[@]}"
	equal 'the leg is in' "$(wye -j lookup 198.51.100.1 | jq '.paths | length')" 3
done

rip addr add fd09:2::1/64 dev m2 nodad
rip route replace 192.0.2.0/24 via 10.9.2.2 metric 5
soon 'routes again' same "${lookups[@]}"
on router sysctl -qw net.ipv4.conf.m2.ignore_routes_with_linkdown=1
rip link set p2 down
soon 'carrier lost, ignored routes' same "${lookups[@]}"
equal 'the backup forwards' "$(wye -j lookup 192.0.2.1 | jq -r .route.gateway)" 10.9.1.2
rip link set p2 up
soon 'carrier back' same "${lookups[@]}"
equal 'the first again' "$(wye -j lookup 192.0.2.1 | jq -r .route.gateway)" 10.9.2.2
on router sysctl -qw net.ipv4.conf.m2.ignore_routes_with_linkdown=0
on router sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=1	# which kernels heed, or not
rip link set p2 down
soon 'carrier lost, ignored by all or nobody' same "${lookups[@]}"
on router sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=0
soon 'ignored no more' same "${lookups[@]}"
rip link set p2 up
soon 'carrier back again' same "${lookups[@]}"

rip nexthop replace id 12 via 10.9.2.9 dev m2
rip route replace 203.0.113.0/25 nhid 12
soon 'a route by an object' same "${lookups[@]}"
kill -STOP "$ctld"
rip link set m2 down
rip link set m2 up
rip nexthop replace id 12 blackhole	# no replacement: the first went with its link, and so did the route
kill -CONT "$ctld"
soon 'an object made anew has not the old routes' same "${lookups[@]}"

six=2001:db8:9::/48
rip -6 route add $six nexthop via fd09:1::2 nexthop via fd09:3::2
rip -6 route append $six dev m1
rip -6 route append $six via fd09:3::9
soon 'a route between paths of a multipath route, which no dump shows' kernel_decides 2001:db8:9::1
rip addr add 10.9.3.77/24 dev m3
rip route add 192.0.4.0/24 via 10.9.1.2 src 10.9.3.77
soon 'a route that a dump will miss' routed 192.0.4.1
rip link set p1 down
rip link set p1 up
rip addr del 10.9.3.77/24 dev m3
soon 'the dumps are over' not_routed 192.0.4.1
check 'it is there still' kernel_decides 2001:db8:9::1
rip -6 route del $six via fd09:3::9
soon 'a dump shows it' same "${lookups[@]}" 2001:db8:9::1
rip -6 route flush root $six
rip -6 route add $six via fd09:1::2 mtu lock 1300
rip -6 route append $six via fd09:3::2
rip neigh replace fd09:1::2 lladdr 02:00:00:00:00:01 dev m1
rip neigh replace fd09:3::2 lladdr 02:00:00:00:00:03 dev m3
soon 'each path has its own MTU' mtus 2001:db8:9::1 '1300 1500'
rip -6 route flush root $six

rip addr add 10.9.3.77/24 dev m3
rip route add 192.0.3.0/24 via 10.9.1.2 src 10.9.3.77
soon 'a route that prefers an address of another link' same 192.0.3.1
rip addr del 10.9.3.77/24 dev m3
soon 'goes with the address' same 192.0.3.1
rip addr del 10.9.3.1/24 dev m3
soon 'the last address takes the routes' same "${lookups[@]}" 192.0.3.1
rip link del m2
soon 'a device takes all' same "${lookups[@]}"
rip link add m2 type veth peer name p2
rip link set m2 up
rip addr add 10.9.2.1/24 dev m2
rip route add 192.0.2.0/24 via 10.9.2.2 metric 5
soon 'and comes back as another' same "${lookups[@]}"
ip netns add elsewhere
rip link set m1 netns elsewhere
soon 'a device moved away' same "${lookups[@]}"
rip link set m3 down
rip link set m3 name renamed mtu 1400 address 02:00:00:00:33:33
rip link set renamed up
soon 'renamed, another MTU and MAC' same

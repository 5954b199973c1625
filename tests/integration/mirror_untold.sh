#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_untold: what neither a message nor every dump tells, found by tools/oracle.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
routed() { [ "$(wye -j lookup "$1" | jq -r .route.dst)" != null ]; }
not_routed() { ! routed "$@"; }
forwards() { [ "$(wye -j lookup "$1" | jq -r '.paths[0].kind')" = forward ]; }
kernel_decides() { [ "$(wye -j lookup "$1" | jq -r '.paths[0].kind')" = kernel ]; }
mtus() { [ "$(wye -j lookup "$1" | jq -r '[.paths[].mtu] | sort | join(" ")')" = "$2" ]; }
six=2001:db8:9::/48

rip route add 192.0.2.0/24 via 10.9.2.2 metric 5
rip route add 192.0.2.0/24 via 10.9.1.2 metric 10
on router sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=1	# which kernels heed, or not
rip link set p2 down
soon 'carrier lost, ignored by all or nobody' same 192.0.2.1
on router sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=0
soon 'ignored no more' same 192.0.2.1
rip link set p2 up
soon 'carrier back' same 192.0.2.1

rip link set p2 down
rip route add 203.0.113.0/24 nexthop via 10.9.1.3 dev m1 nexthop via inet6 fd09:2::9 dev m2
on router sysctl -qw net.ipv4.conf.m2.ignore_routes_with_linkdown=1
soon 'a path whose lack of a carrier the kernel has not noticed' same 203.0.113.1
rip link set m2 multicast off	# now it has
soon 'and then has' same 203.0.113.1
rip route add 10.51.0.0/24 dev m2 scope host
soon 'a route of scope host does not die with its link' same 10.51.0.1
rip route del 10.51.0.0/24
for kind in anycast multicast; do
	rip route add 10.52.0.0/24 via 10.9.1.2
	rip route add $kind 10.52.0.0/25 dev m2
	soon "an IPv4 route of type $kind does" same 10.52.0.1
	rip route del $kind 10.52.0.0/25
	rip route del 10.52.0.0/24
done
on router sysctl -qw net.ipv4.conf.m2.ignore_routes_with_linkdown=0
rip link set p2 up
rip route del 203.0.113.0/24

rip neigh add 10.9.1.3 lladdr 02:00:00:00:01:03 dev m1 nud permanent
rip route add local 10.9.1.0/24 dev m1
rip route add 198.51.100.0/24 via 10.9.1.3	# an own address: the kernel asks for the destination on the link
soon 'a gateway of the host itself' kernel_decides 198.51.100.1
rip route del local 10.9.1.0/24 dev m1
soon 'stays one for its routes' kernel_decides 198.51.100.1
rip route replace 198.51.100.0/24 via 10.9.1.3 mtu 1400
soon 'but not for later ones' forwards 198.51.100.1
rip route add 10.50.0.0/24 dev m1 scope host
rip neigh add 10.50.0.3 lladdr 02:00:00:00:01:03 dev m1 nud permanent
rip route replace 198.51.100.0/24 via 10.50.0.3
soon 'nor is there one behind a route of scope host' kernel_decides 198.51.100.1
rip route del 198.51.100.0/24
rip route del 10.50.0.0/24

rip nexthop add id 12 via 10.9.2.9 dev m2
rip route add 203.0.113.0/25 nhid 12
soon 'a route by an object' same 203.0.113.1
kill -STOP "$ctld"
rip link set m2 down
rip link set m2 up
rip nexthop replace id 12 blackhole	# no replacement: the first went with its link, and so did the route
kill -CONT "$ctld"
soon 'an object made anew has not the old routes' same 203.0.113.1

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
crash "$ctld"
check 'another wye-ctld, which cannot know of it' start_ctld
rip -6 route del $six via fd09:3::9
soon 'a dump shows it' same 2001:db8:9::1
rip -6 route flush root $six

rip -6 route add $six via fd09:1::2 mtu lock 1300
rip -6 route append $six via fd09:3::2
rip neigh replace fd09:1::2 lladdr 02:00:00:00:00:01 dev m1
rip neigh replace fd09:3::2 lladdr 02:00:00:00:00:03 dev m3
soon 'each path has its own MTU' mtus 2001:db8:9::1 '1300 1500'
rip -6 route flush root $six

rip -6 route add $six nexthop via fd09:1::2 nexthop via fd09:3::2
on router sysctl -qw net.ipv6.route.skip_notify_on_dev_down=1
rip link set m1 down
soon 'one path of two is dead' same 2001:db8:9::1
rip link set m3 down
soon 'the last one takes the route along, unsaid' same 2001:db8:9::1

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_link_down: a link goes down or away, and IPv4 has no message for the routes that go with it, nor when it is back.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
ecmp() { rip route replace 198.51.100.0/24 nexthop via 10.9.1.2 nexthop via 10.9.2.2 nexthop via 10.9.3.2; }
paths() { wye -j lookup 198.51.100.1 | jq '.paths | length'; }
ecmp
rip route add 192.0.2.0/24 via 10.9.2.2 metric 5
rip route add 192.0.2.0/24 via 10.9.1.2 metric 10
rip -6 route add 2001:db8::/32 nexthop via fd09:1::2 nexthop via fd09:2::2
lookups=(198.51.100.1 192.0.2.1 2001:db8::1)
soon 'before' same "${lookups[@]}"
for i in 1 2 3; do
	rip link set m2 down
	soon "link down ($i)" same "${lookups[@]}"
	equal 'the leg is out' "$(paths)" 2
	rip link set m2 up
	ecmp
	soon "link up ($i)" same "${lookups[@]}"
	equal 'the leg is in' "$(paths)" 3
done
# IPv6 addresses that go with the link are told, and lead to its routes: here there are none
on router sysctl -qw net.ipv6.conf.m4.disable_ipv6=1
rip addr add 10.9.4.1/24 dev m4
rip route add 203.0.113.0/24 via 10.9.4.2 metric 5
rip route add 203.0.113.0/24 via 10.9.1.2 metric 10
soon 'a link without IPv6' same 203.0.113.1
rip link set m4 down
soon 'its routes go as well' same 203.0.113.1
equal 'indeed' "$(wye -j lookup 203.0.113.1 | jq -r .route.gateway)" 10.9.1.2

rip route replace 192.0.2.0/24 via 10.9.2.2 metric 5
for _ in 1 2 3 4 5; do rip link set m2 down; rip link set m2 up; done
soon 'down and up before anybody looks' same "${lookups[@]}"
rip link del m2
soon 'a device takes all' same "${lookups[@]}"
rip link add m2 type veth peer name p2
rip link set m2 up
rip addr add 10.9.2.1/24 dev m2
rip route add 192.0.2.0/24 via 10.9.2.2 metric 5
soon 'and comes back as another' same "${lookups[@]}"

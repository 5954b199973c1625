#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_dead_flags: what the kernel says of dead and linkdown is old by the next change of carrier; cached routes are none.
. "$(dirname "$0")/mirror.sh"
mirror_lab
rip route add 192.0.2.0/24 via 10.9.2.2 metric 5
rip route add 192.0.2.0/24 via 10.9.1.2 metric 10
rip route add 198.51.100.0/24 nexthop via 10.9.1.2 nexthop via 10.9.2.2
rip -6 route add 2001:db8::/32 nexthop via fd09:1::2 nexthop via fd09:2::2
rip -6 route add 2001:db8:1::/48 via fd09:1::2
rip -6 route add anycast 2001:db8:1:1::/64 dev m2	# by hand, so not as the kernel's own (RTF_ANYCAST)
lookups=(192.0.2.1 198.51.100.1 2001:db8::1 2001:db8:1:1::1)
rip link set p2 down
check 'wye-ctld starts' start_ctld
flags() { wye -j show route 192.0.2.0/24 | jq -c '.[0].flags'; }
soon 'a link without carrier at the start' same "${lookups[@]}"
equal 'its routes say so' "$(flags)" "$(rip -j route show 192.0.2.0/24 | jq -c '.[0].flags')"
on router sysctl -qw net.ipv4.conf.m2.ignore_routes_with_linkdown=1 net.ipv6.conf.m2.ignore_routes_with_linkdown=1
soon 'are ignored when the link says so' same "${lookups[@]}"
equal 'the backup forwards' "$(wye -j lookup 192.0.2.1 | jq -r .route.gateway)" 10.9.1.2
equal 'behind an anycast route too' "$(wye -j lookup 2001:db8:1:1::1 | jq -r .route.gateway)" fd09:1::2
rip link set p2 up
soon 'carrier' same "${lookups[@]}"
equal 'the first again' "$(wye -j lookup 192.0.2.1 | jq -r .route.gateway)" 10.9.2.2
for _ in 1 2 3; do rip link set p2 down; rip link set p2 up; done
soon 'flapping' same "${lookups[@]}"
rip link set p2 down
soon 'none again' same "${lookups[@]}"
on router sysctl -qw net.ipv4.conf.m2.ignore_routes_with_linkdown=0 net.ipv6.conf.m2.ignore_routes_with_linkdown=0
soon 'not ignored any more' same "${lookups[@]}"
rip link set p2 up

rip route get 192.0.2.1 >/run/output
before=$(ctld_stat routes6)
rip -6 route get 2001:db8::5 from fd09:1::1 >/run/output
rip -6 route show cache >/run/output
soon 'cached routes are not mirrored' same "${lookups[@]}"
equal 'none was added' "$(ctld_stat routes6)" "$before"

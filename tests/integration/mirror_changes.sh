#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_changes: route and nexthop-object changes that come with messages.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld

rip route add 192.0.2.0/24 metric 300 via 10.9.1.2
rip route add 192.0.2.0/24 metric 256 via 10.9.2.2
rip route add 192.0.2.0/24 metric 44 via 10.9.3.2
soon 'metrics above 255 keep their order' same 192.0.2.1
rip route del 192.0.2.0/24 metric 44
soon 'the next best takes over' same 192.0.2.1
equal 'it is metric 256' "$(wye -j lookup 192.0.2.1 | jq .route.metric)" 256

rip route append 192.0.2.0/24 metric 256 via 10.9.3.2
rip route prepend 192.0.2.0/24 metric 256 via 10.9.1.3
soon 'append and prepend' same 192.0.2.1
equal 'prepended is first' "$(wye -j lookup 192.0.2.1 | jq -r .route.gateway)" 10.9.1.3
rip route replace 192.0.2.0/24 metric 256 via 10.9.1.4
soon 'replace takes the first of its metric' same 192.0.2.1
rip route del 192.0.2.0/24 metric 256 via 10.9.1.4
soon 'delete by gateway' same 192.0.2.1

rip route add 198.51.100.0/24 nexthop via 10.9.1.2 nexthop via 10.9.2.2 nexthop via 10.9.3.2
soon 'multipath' same 198.51.100.1
rip route change 198.51.100.0/24 nexthop via 10.9.1.2 weight 5 nexthop via 10.9.3.2
soon 'multipath changed' same 198.51.100.1

rip -6 route add 2001:db8::/32 via fd09:1::2
rip -6 route append 2001:db8::/32 via fd09:2::2
rip -6 route append 2001:db8::/32 via fd09:3::2
soon 'IPv6 append makes siblings' same 2001:db8::1
equal 'three of them' "$(wye -j lookup 2001:db8::1 | jq '.paths | length')" 3
rip -6 route del 2001:db8::/32 via fd09:2::2
soon 'IPv6 delete takes one' same 2001:db8::1
rip -6 route replace 2001:db8::/32 via fd09:2::3
soon 'IPv6 replace takes all' same 2001:db8::1
rip -6 route add 2001:db8:1::/48 nexthop via fd09:1::2 nexthop via fd09:2::2
rip -6 route del 2001:db8:1::/48
soon 'IPv6 delete takes the whole route' same 2001:db8:1::1

rip nexthop add id 11 via 10.9.1.9 dev m1
rip nexthop add id 12 via 10.9.2.9 dev m2
rip nexthop add id 20 group 11/12
rip route add 203.0.113.0/25 nhid 11
rip route add 203.0.113.128/25 nhid 20
soon 'nexthop objects' same 203.0.113.1 203.0.113.129
rip nexthop replace id 11 via 10.9.3.9 dev m3
soon 'an object replaced moves its routes' same 203.0.113.1 203.0.113.129
equal 'and its group' "$(wye -j lookup 203.0.113.129 | jq -r '[.paths[].gateway] | sort | join(" ")')" '10.9.2.9 10.9.3.9'
rip nexthop replace id 20 group 11,7/12,1
soon 'weights' same 203.0.113.129
equal 'are shares' "$(wye -j lookup 203.0.113.129 | jq -r '[.paths[] | .buckets] | max / min')" 7
rip nexthop del id 11
soon 'an object deleted takes its routes' same 203.0.113.1 203.0.113.129
equal 'and leaves its group' "$(wye -j lookup 203.0.113.129 | jq -r '[.paths[].gateway] | join(" ")')" 10.9.2.9
rip nexthop add id 13 blackhole
rip route add 203.0.113.0/25 nhid 13
soon 'a blackhole object' same 203.0.113.1
equal 'drops' "$(wye -j lookup 203.0.113.1 | jq -r .paths[0].kind)" blackhole

rip neigh replace 10.9.1.2 lladdr 02:00:00:00:01:02 dev m1
rip neigh replace 10.9.2.9 lladdr 02:00:00:00:02:09 dev m2
soon 'neighbours' same 203.0.113.129
equal 'resolve' "$(wye -j lookup 203.0.113.129 | jq -r .paths[0].kind)" forward
rip neigh del 10.9.2.9 dev m2
soon 'and go' same
rip route add local 10.0.0.0/8 dev lo
rip route add 10.77.0.0/16 via 10.9.1.2
soon 'a local prefix over a main route' same
equal 'leaves the choice to the kernel' "$(wye -j lookup 10.77.0.1 | jq -r .paths[0].kind)" kernel
rip route del local 10.0.0.0/8 dev lo
soon 'and takes it back' same 10.77.0.1
equal 'when it is gone' "$(wye -j lookup 10.77.0.1 | jq -r .paths[0].kind)" forward
equal 'no message was malformed' "$(ctld_stat malformed)" 0
equal 'none was lost' "$(ctld_stat overruns)" 0

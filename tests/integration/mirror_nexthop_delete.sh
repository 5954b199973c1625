#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_nexthop_delete: an object that is deleted takes its routes with it, and leaves its groups, without a word on either.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld

mirror_objects
rip -6 nexthop add id 13 via fd09:3::9 dev m3
rip -6 route add 2001:db8::/32 nhid 13
rip route add 192.0.2.0/24 metric 5 nhid 11
rip route add 192.0.2.0/24 metric 10 via 10.9.3.2
lookups+=(2001:db8::1 192.0.2.1)
soon 'before' same "${lookups[@]}"
rip nexthop del id 11
soon 'an object deleted' same "${lookups[@]}"
equal 'its route is gone' "$(wye -j lookup 203.0.113.1 | jq -r .route)" null
equal 'another metric has taken over' "$(wye -j lookup 192.0.2.1 | jq -r .route.gateway)" 10.9.3.2
equal 'it left its group' "$(wye -j lookup 203.0.113.129 | jq -r '[.paths[].gateway] | join(" ")')" 10.9.2.9
rip nexthop del id 12
soon 'the group'"'"'s last member takes the group along' same "${lookups[@]}"
equal 'and its routes' "$(wye -j lookup 203.0.113.129 | jq -r .route)" null
rip nexthop del id 13
soon 'IPv6' same "${lookups[@]}"
rip nexthop add id 11 via 10.9.1.9 dev m1
rip route add 203.0.113.0/25 nhid 11
soon 'the id again' same "${lookups[@]}"
rip nexthop flush 2>/dev/null
soon 'all at once' same "${lookups[@]}"
equal 'none is left' "$(wye -j show nexthop | jq '[.[] | select(.nhid)] | length')" 0

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_nexthop_replace: an object that is replaced moves all its routes, with and without the kernel's messages for each.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
gateways() { wye -j lookup "$1" | jq -r '[.paths[].gateway] | sort | join(" ")'; }
shares() { wye -j lookup 203.0.113.129 | jq -r '[.paths[].buckets] | max / min | round'; }

mirror_objects
soon 'nexthop objects' same "${lookups[@]}"
for compat in 1 0; do
	on router sysctl -qw net.ipv4.nexthop_compat_mode=$compat
	rip nexthop replace id 11 via 10.9.3.9 dev m3
	on router sysctl -qw net.ipv4.nexthop_compat_mode=1 # without, ip does not say where an object leads
	soon "an object replaced, compat mode $compat" same "${lookups[@]}"
	equal 'moves its route' "$(gateways 203.0.113.1)" 10.9.3.9
	equal 'and its group' "$(gateways 203.0.113.129)" '10.9.2.9 10.9.3.9'
	rip nexthop replace id 11 via 10.9.1.9 dev m1
	soon 'back' same "${lookups[@]}"
done
rip nexthop replace id 20 group 11,7/12,1
soon 'weights' same 203.0.113.129
equal 'are shares' "$(shares)" 7
if rip nexthop replace id 20 group 11,600/12,200 2>/dev/null; then # 16 bits since Linux 6.12
	soon 'weights above 255' same 203.0.113.129
	equal 'are shares' "$(shares)" 3
fi
rip nexthop replace id 20 group 12
soon 'a group of one' same 203.0.113.129
equal 'is that one' "$(gateways 203.0.113.129)" 10.9.2.9
rip nexthop add id 30 group 11/12 type resilient buckets 32 idle_timer 1
rip route replace 203.0.113.128/25 nhid 30
soon 'a resilient group' same 203.0.113.129
kind() { wye -j lookup 203.0.113.129 | jq -r '.paths[0].kind'; }
the_kernels() { [ "$(kind)" = kernel ]; }
soon 'is the kernel'"'"'s' the_kernels
rip nexthop replace id 30 group 11/12,3 type resilient buckets 32
soon 'with other weights' same 203.0.113.129
equal 'still' "$(kind)" kernel
rip route replace 203.0.113.128/25 nhid 20
soon 'another group' same 203.0.113.129
refused 'is not' the_kernels
rip nexthop del id 20
rip nexthop del id 30
rip nexthop replace id 11 blackhole
soon 'a blackhole' same 203.0.113.1
equal 'drops' "$(wye -j lookup 203.0.113.1 | jq -r .paths[0].kind)" blackhole
rip nexthop add id 40 via 192.0.2.9 fdb
soon 'one for a bridge table is no way for packets' same "${lookups[@]}"
equal 'it is the kernel'"'"'s' "$(wye -j show nexthop | jq -r '.[] | select(.nhid == 40) | .kind')" kernel
equal 'no message was malformed' "$(ctld_stat malformed)" 0

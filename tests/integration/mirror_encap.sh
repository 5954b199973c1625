#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_encap: routes that wrap packets are mirrored and left to the kernel, also as one path of several or in an object.
. "$(dirname "$0")/mirror.sh"
mirror_lab
kinds=0
check 'wye-ctld starts' start_ctld
kind() { [ "$(wye -j lookup "$1" | jq -r '.paths[0].kind')" = "$2" ]; }
for encap in 'ip id 5 dst 198.51.100.1' 'ip6 id 5 dst fd09:2::2' 'seg6 mode encap segs fd09:2::2' 'mpls 100'; do
	rip route add 192.0.2.0/24 encap $encap via 10.9.1.2 2>/dev/null || continue
	kinds=$((kinds + 1))
	soon "encap ${encap%% *}" same
	soon 'is the kernel'"'"'s' kind 192.0.2.1 kernel
	rip route replace 192.0.2.0/24 via 10.9.1.2
	soon 'replaced by a plain one' kind 192.0.2.1 unresolved
	rip route append 192.0.2.0/24 encap $encap via 10.9.2.2
	rip route del 192.0.2.0/24 via 10.9.1.2
	soon 'left over by its deletion' kind 192.0.2.1 kernel
	rip route del 192.0.2.0/24
done
[ $kinds -gt 0 ] || skip 'the kernel has no lightweight tunnels'

rip -6 route add 2001:db8::/32 encap seg6 mode encap segs fd09:2::2 via fd09:1::2
soon 'IPv6' same
soon 'likewise' kind 2001:db8::1 kernel
rip -6 route replace 2001:db8::/32 via fd09:1::2
soon 'and back' kind 2001:db8::1 unresolved
rip route add 192.0.2.0/24 nexthop via 10.9.2.2 nexthop encap ip id 5 dst 198.51.100.1 via 10.9.1.2
soon 'one path of two' same
kinds_of() { [ "$(wye -j lookup "$1" | jq -rc '[.paths[].kind] | sort')" = "$2" ]; }
soon 'is one path of two' kinds_of 192.0.2.1 '["kernel","unresolved"]'
rip nexthop add id 5 encap ip id 5 dst 198.51.100.1 via 10.9.1.2 dev m1
rip route replace 192.0.2.0/24 nhid 5
soon 'an object' kind 192.0.2.1 kernel
rip nexthop replace id 5 via 10.9.1.2 dev m1
soon 'that does no more' kind 192.0.2.1 unresolved
equal 'no message was malformed' "$(ctld_stat malformed)" 0

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
# wide_group ID MEMBER,WEIGHT...: weights of 16 bits, which Linux has since 6.12 and many an ip has not
wide_group() {
	on router python3 - "$@" <<-'EOF'
	import socket, struct, sys
	members = [[int(n) for n in member.split(",")] for member in sys.argv[2:]]
	group = b"".join(struct.pack("=IBBH", i, (w - 1) & 255, w - 1 >> 8, 0) for i, w in members)
	body = struct.pack("=BBBBI", 0, 0, 4, 0, 0) + struct.pack("=HHI", 8, 1, int(sys.argv[1])) + struct.pack("=HH", 4 + len(group), 2) + group
	with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route:
	    route.send(struct.pack("=IHHII", 16 + len(body), 104, 0x505, 1, 0) + body)
	    sys.exit(struct.unpack_from("=i", route.recv(4096), 16)[0] != 0)
	EOF
}
if wide_group 20 11,600 12,200; then
	soon 'weights above 255' eval '[ "$(shares)" = 3 ]'
	equal 'are told' "$(wye -j show nexthop | jq -c '.[] | select(.nhid == 20) | [.group[]?.weight] | sort')" '[200,600]'
else
	echo 'not here: weights above 255: the kernel takes none'
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
kinds() { [ "$(wye -j lookup 203.0.113.1 | jq -r .paths[0].kind) $(wye -j lookup 203.0.113.65 | jq -r .paths[0].kind)" = "$*" ]; }
rip route add multicast 203.0.113.64/28 nhid 11
soon 'a route of another type, of which that is not told' same 203.0.113.1
rip nexthop replace id 11 via 10.9.1.9 dev m1
soon 'when the object leads somewhere, each is what it was' kinds unresolved kernel
check 'the kernel agrees' same 203.0.113.1
rip nexthop replace id 11 blackhole
soon 'a blackhole again' kinds blackhole kernel
check 'an audit' audit
equal 'finds no drift' "$(ctld_stat audit_drift)" 0
rip nexthop replace id 11 via 10.9.1.9 dev m1
rip nexthop add id 40 via 192.0.2.9 fdb
soon 'one for a bridge table is no way for packets' same "${lookups[@]}"
equal 'it is the kernel'"'"'s' "$(wye -j show nexthop | jq -r '.[] | select(.nhid == 40) | .kind')" kernel
equal 'no message was malformed' "$(ctld_stat malformed)" 0

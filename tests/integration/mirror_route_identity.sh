#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_route_identity: an IPv4 prefix has a list of routes by TOS and priority; none is taken for another.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
best() { wye -j lookup 192.0.2.1 | jq -r ".route.$1"; }

rip route add 192.0.2.0/24 metric 300 via 10.9.1.2
rip route add 192.0.2.0/24 metric 256 via 10.9.2.2
rip route add 192.0.2.0/24 metric 4000000000 via 10.9.2.2
rip route add 192.0.2.0/24 metric 44 via 10.9.3.2
soon 'metrics above 255 keep their order' same 192.0.2.1
rip route del 192.0.2.0/24 metric 44
soon 'the next best takes over' same 192.0.2.1
equal 'it is metric 256' "$(best metric)" 256

rip route append 192.0.2.0/24 metric 256 via 10.9.3.2
rip route prepend 192.0.2.0/24 metric 256 via 10.9.1.3
soon 'append and prepend' same 192.0.2.1
equal 'prepended is first' "$(best gateway)" 10.9.1.3
rip route replace 192.0.2.0/24 metric 256 via 10.9.1.4
soon 'replace takes the first of its metric' same 192.0.2.1
rip route change 192.0.2.0/24 metric 256 via 10.9.1.5 mtu lock 1300
soon 'so does change' same 192.0.2.1
says 'the MTU is locked' 'mtu lock 1300' wye show route 192.0.2.0/24
rip route del 192.0.2.0/24 metric 256 via 10.9.1.5
soon 'delete by gateway' same 192.0.2.1
rip route append 192.0.2.0/24 metric 256 via 10.9.1.6 proto static
rip route append 192.0.2.0/24 metric 256 via 10.9.1.6 proto bgp src 10.9.2.1
soon 'alike but for protocol and source' same 192.0.2.1
rip route del 192.0.2.0/24 metric 256 proto static
soon 'delete by protocol' same 192.0.2.1
rip route add 192.0.2.0/24 tos 0x10 metric 300 via 10.9.1.2
soon 'a TOS is another route' same 192.0.2.1
equal 'and the choice the kernel'"'"'s' "$(wye -j lookup 192.0.2.1 | jq -r .paths[0].kind)" kernel
rip route del 192.0.2.0/24 tos 0x10
soon 'without it' same 192.0.2.1
rip route add 192.0.2.0/24 metric 5 via 203.0.113.9 dev m1 onlink
soon 'onlink' same 192.0.2.1
rip route replace 192.0.2.0/24 metric 5 via inet6 fd09:1::2 dev m1
soon 'by an IPv6 gateway' same 192.0.2.1
rip route replace 192.0.2.0/24 metric 5 via 10.9.1.2 mtu 9000
soon 'an MTU above the link'"'"'s' same 192.0.2.1
for kind in blackhole unreachable prohibit throw; do
	rip route replace "$kind" 192.0.2.0/24 metric 5
	soon "$kind" same 192.0.2.1
done

# While nothing goes without a word it is ours, and the table is not read again.
table /run/table 2000
check 'a table' load add /run/table
rip route add 198.51.100.0/24 via 10.9.1.2
rip route append 198.51.100.0/24 via 10.9.2.2
soon 'two of one class' same 198.51.100.1
told=$(ctld_stat messages)
for i in {3..22}; do rip route replace 198.51.100.0/24 via "10.9.1.$i"; done
soon 'the first of them is replaced, again and again' same 198.51.100.1
at_most 'what was told of that' $(($(ctld_stat messages) - told)) 1000

# The first of its class goes without a word, and what replaces the next is heard of first.
rip route append unreachable 10.9.3.0/24 proto bird
soon 'behind that of an address' same
kill -STOP "$ctld"
rip link del m3
rip route replace throw 10.9.3.0/24
kill -CONT "$ctld"
soon 'is what was replaced' same
equal 'no message was malformed' "$(ctld_stat malformed)" 0

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# rp_filter: reverse-path filtering on a port, strict and loose. The dataplane forwards what the kernel would; what it does not
# is the kernel's, which drops and counts it.
. "$(dirname "$0")/parity.sh"
parity_lab

sysctl_rp() { on router sysctl -qw "net.ipv4.conf.$1.rp_filter=$2"; }
# asks LINK off|loose|strict: what the mirror has the dataplane ask of that link's packets
asks() { [ "$(wye -j show link dev "$1" | jq -r '.[0].wye.urpf')" = "$2" ]; }
filtered() { on router awk '$1 == "TcpExt:" { if (n++) print $i; else for (i = 1; $i != "IPReversePathFilter"; i++); }' /proc/net/netstat; }
# from SOURCE [N]: host1 sends N datagrams to host2, each of which arrives
from() { udp "${2-50}" host1 host2 10.0.2.2 --src "$1"; }
# dropped WHAT SOURCE: none of host1's from SOURCE arrives, and the kernel says why
dropped() {
	local before sent
	before=$(filtered) sent=$(sent_by_dataplane)
	on host1 fping -q -c 20 -p 10 -t 50 -S "$2" 10.0.2.2 >/run/output 2>&1
	soon "$1: the kernel counts them" counts "$((before + 20))"
	says "$1: none is answered" '0/20/100%|20/0/100%' cat /run/output
	equal "$1: none is sent by the dataplane" $(($(sent_by_dataplane) - sent)) 0
}
counts() { [ "$(filtered)" -ge "$1" ]; }

# 192.0.2.1: its way back is by r1; .2: by r2; .3: by both; .4: nowhere
for i in 1 2 3 4; do ip -n host1 addr add 192.0.2.$i/32 dev lo; done
ip -n router route add 192.0.2.1/32 via 10.0.1.2
ip -n router route add 192.0.2.2/32 via 10.0.2.2
ip -n router route add 192.0.2.3/32 nexthop via 10.0.1.2 nexthop via 10.0.2.2
ip -n host2 route add 192.0.2.0/24 via 10.0.2.1
routed() { [ "$(wye -j lookup "$1" | jq -r '.paths | length')" -ge 1 ]; }
for i in 1 2 3; do soon "192.0.2.$i is routed" routed 192.0.2.$i; done

soon 'no question at first' asks r1 off
for i in 1 2 3 4; do by_dataplane 50 "not filtered, from 192.0.2.$i" from 192.0.2.$i; done

sysctl_rp r1 2
soon 'loose' asks r1 loose
for i in 1 2 3; do by_dataplane 50 "loose, from 192.0.2.$i" from 192.0.2.$i; done
dropped 'loose, from nowhere' 192.0.2.4
by_dataplane 5 'loose: IPv6 is not concerned' ping_from host1 fd00:2::2
by_dataplane 5 'loose: other ports are not concerned' ping_from host3 10.0.2.2

sysctl_rp r1 1
soon 'strict' asks r1 strict
for i in 1 3; do by_dataplane 50 "strict, from 192.0.2.$i" from 192.0.2.$i; done
dropped 'strict, from elsewhere' 192.0.2.2
dropped 'strict, from nowhere' 192.0.2.4

# The larger of `all` and the link's counts; the kernel takes any number.
sysctl_rp r1 0
sysctl_rp all 1
soon 'that of all' asks r1 strict
soon 'on each link' asks r2 strict
dropped 'that of all, from elsewhere' 192.0.2.2
sysctl_rp r1 256
soon 'any other number is loose' asks r1 loose
by_dataplane 50 '256, from elsewhere' from 192.0.2.2
dropped '256, from nowhere' 192.0.2.4
sysctl_rp all -1
sysctl_rp r1 -1
soon 'below 0 as well' asks r1 loose
by_dataplane 50 '-1, from elsewhere' from 192.0.2.2
dropped '-1, from nowhere' 192.0.2.4
sysctl_rp all 0
soon 'unless the larger is 0' asks r1 off
by_dataplane 50 '0 and -1, from nowhere' from 192.0.2.4

# Without an address on the link loose is strict: there is nothing that a packet could have come to.
sysctl_rp r1 2
soon 'loose again' asks r1 loose
host1_mac=$(ip -n host1 -j link show eth0 | jq -r '.[0].address')
ip -n router addr del 10.0.1.1/24 dev r1
ip -n router neigh replace 10.0.1.2 lladdr "$host1_mac" dev r1 nud permanent
ip -n router route replace 192.0.2.1/32 via 10.0.1.2 dev r1 onlink
ip -n host1 neigh replace 10.0.1.1 lladdr "$(ip -n router -j link show r1 | jq -r '.[0].address')" dev eth0 nud permanent
soon 'loose without an address is strict' asks r1 strict
soon '192.0.2.1 is routed' routed 192.0.2.1
by_dataplane 50 'no address, from 192.0.2.1' from 192.0.2.1
dropped 'no address, from elsewhere' 192.0.2.2
ip -n router addr add 10.0.1.1/24 dev r1
soon 'with an address it is loose' asks r1 loose
by_dataplane 50 'an address, from elsewhere' from 192.0.2.2

ignoring rp_filter
soon 'it can be ignored' asks r1 off
by_dataplane 5 'ignored, from nowhere' from 192.0.2.4

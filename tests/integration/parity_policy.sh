#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# parity_policy: IPsec policies, policy rules, encapsulating routes, forwarding switched off: the kernel decides.
. "$(dirname "$0")/parity.sh"
parity_lab
rip() { ip -n router "$@"; }

for dir in fwd out; do
	guarded all xfrm 4 "an IPsec policy, $dir" "rip xfrm policy add src 192.0.2.0/24 dst 198.51.100.0/24 dir $dir action block" \
		"rip xfrm policy flush"
	guarded all xfrm 6 "an IPsec policy, $dir, IPv6" \
		"rip xfrm policy add src 2001:db8:1::/48 dst 2001:db8:2::/48 dir $dir action block" "rip xfrm policy flush"
done
check 'a policy for what the host receives' rip xfrm policy add src 192.0.2.0/24 dst 10.0.1.1 dir in action block
by_all dataplane 'which is no policy for forwarded packets'
check 'is gone' rip xfrm policy flush
check 'no packet without a policy' rip xfrm policy setdefault fwd block
soon 'is seen' held all xfrm
refused 'and obeyed' ping_from host1 10.0.2.2 -t 1000
refused 'and obeyed (IPv6)' ping_from host1 fd00:2::2 -t 1000
check 'any packet' rip xfrm policy setdefault fwd accept
soon 'is seen' released all xfrm
by_all dataplane 'any packet'

guarded all rules 4 'a policy rule' "rip rule add from 192.0.2.0/24 lookup 100" "rip rule del from 192.0.2.0/24 lookup 100"
guarded all rules 6 'a policy rule of IPv6' "rip -6 rule add iif r1 dport 9 lookup 100" \
	"rip -6 rule del iif r1 dport 9 lookup 100"

guarded all pmtu 4 'path MTUs heeded in forwarding' 'on router sysctl -qw net.ipv4.ip_forward_use_pmtu=1' \
	'on router sysctl -qw net.ipv4.ip_forward_use_pmtu=0'

# Routes decide one by one: no scope, nothing to ignore
check 'an encapsulating route' rip route add 10.0.2.2/32 encap ip id 5 dst 10.0.2.9 dev r2
by_kernel 50 'an encapsulating route' udp 50 host1 host2 10.0.2.2
check 'is gone' rip route del 10.0.2.2/32
forwards() { [ "$(wye -j lookup 10.0.2.2 | jq -r '.paths[0].verdict')" = dataplane ]; }
soon 'is mirrored' forwards
by_all dataplane 'is gone'
check 'an encapsulating nexthop object' rip nexthop add id 9 encap ip id 5 dst 10.0.2.9 via 10.0.2.2 dev r2
check 'and a route by it' rip route add 10.0.2.2/32 nhid 9
by_kernel 50 'an encapsulating nexthop object' udp 50 host1 host2 10.0.2.2
check 'is gone' rip nexthop del id 9
soon 'is mirrored' forwards
by_all dataplane 'is gone'

check 'IPv4 forwarding off on one link' on router sysctl -qw net.ipv4.conf.r1.forwarding=0
detail() { [ "$(wye -j show port | jq -r '.[] | select(.netdev == "r1") | .detail')" = "$1" ]; }
soon 'is told' detail "IPv4 is the kernel's: forwarding is off"
refused 'and obeyed' ping_from host1 10.0.2.2 -t 1000
by_dataplane 10 'IPv6 is forwarded' ping_from host1 fd00:2::2
check 'on again' on router sysctl -qw net.ipv4.conf.r1.forwarding=1
by_all dataplane 'on again'

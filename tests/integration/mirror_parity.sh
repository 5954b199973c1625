#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_parity: what the dataplane would bypass is seen, and seen to go.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld

soon 'nothing at first' parity all ''
rip rule add from 192.0.2.0/24 lookup 100
soon 'a policy rule' parity all 'rules'
rip rule del from 192.0.2.0/24 lookup 100
soon 'is gone' parity all ''
rip -6 rule add iif m1 lookup 100
soon 'an IPv6 rule' parity all 'rules'
rip -6 rule del iif m1 lookup 100
soon 'is gone' parity all ''

if on router nft add table ip t 2>/dev/null; then
	on router nft add chain ip t in '{ type filter hook input priority 0; }'
	on router nft add chain ip t other
	soon 'an input chain does not matter' parity all ''
	on router nft add chain ip t f '{ type filter hook forward priority 0; }'
	soon 'a forward chain does' parity all 'netfilter'
	on router nft flush ruleset
	soon 'is gone' parity all ''
fi
if rip xfrm policy add src 192.0.2.0/24 dst 198.51.100.0/24 dir fwd tmpl mode tunnel 2>/dev/null; then
	soon 'an IPsec policy' parity all 'xfrm'
	rip xfrm policy flush
	soon 'is gone' parity all ''
fi
if on router tc qdisc add dev m1 clsact 2>/dev/null; then
	soon 'clsact alone does not matter' parity m1 ''
	if on router tc filter add dev m1 ingress matchall action pass 2>/dev/null; then
		soon 'a filter does' parity m1 'tc'
		on router tc filter del dev m1 ingress
		soon 'is gone' parity m1 ''
	fi
	on router tc qdisc del dev m1 clsact
fi
if on router tc qdisc replace dev m1 root tbf rate 1mbit burst 32kbit latency 400ms 2>/dev/null; then
	soon 'a chosen qdisc' parity m1 'tc'
	on router tc qdisc del dev m1 root
	soon 'is gone' parity m1 ''
fi
on router sysctl -qw net.ipv4.conf.m2.rp_filter=1
soon 'rp_filter on one link' parity m2 'rp_filter'
on router sysctl -qw net.ipv4.conf.m2.rp_filter=0
soon 'is off' parity m2 ''
if rip link add br0 type bridge 2>/dev/null; then
	rip link set m4 master br0
	soon 'a bridge port' parity m4 'bridge_port'
	rip link set m4 nomaster
	soon 'is free' parity m4 ''
fi
forwards() { [ "$(wye -j show link "$1" | jq -r '.[].wye | "\(.forward4) \(.forward6)"')" = "$2" ]; }
soon 'forwarding on' forwards m1 'true true'
on router sysctl -qw net.ipv4.conf.m1.forwarding=0
soon 'off on one link for IPv4' forwards m1 'false true'
soon 'and not on another' forwards m2 'true true'
on router sysctl -qw net.ipv6.conf.all.forwarding=0
soon 'off everywhere for IPv6' forwards m2 'true false'
on router sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.m2.disable_ipv6=1
soon 'IPv6 disabled on a link' forwards m2 'true false'

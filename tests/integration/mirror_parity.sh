#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_parity: what the guard found is told in full, and what else decides on forwarding is mirrored. That packets obey
# is shown in parity_*.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
tell() { wye -j show parity | jq -c "map(select(.scope == \"$1\")) | .[0] | [.families, .reason, .where, .effect, .override]"; }

soon 'nothing at first' parity all ''
says 'says so' '^nothing: the dataplane may forward on every link$' wye show parity
before=$(date +%s)
rip rule add priority 77 from 192.0.2.0/24 lookup 100
soon 'a policy rule' parity all 'rules'
equal 'told' "$(tell all)" \
	'[["inet"],"rules","rule 77, with a selector or option","kernel","parity: { rules: ignore }"]'
since=$(date -d "$(wye -j show parity | jq -r '.[0].since')" +%s)
at_least 'since when' "$since" "$before"
at_most 'since when' "$since" "$(date +%s)"
says 'for people' '^all +inet +rules +rule 77, with a selector or option +[0-9T:+-]+ +kernel$' wye show parity
says 'and what to do' 'parity: \{ REASON: ignore \}' wye show parity
rip rule del priority 77
soon 'is gone' parity all ''

rip link add br0 type bridge
rip link set m4 master br0
soon 'a bridge port' parity m4 'bridge_port'
equal 'told' "$(tell m4)" \
	'[["inet","inet6"],"bridge_port","master br0 (bridge)","kernel","parity: { bridge_port: ignore }"]'
rip link set p4 master br0
equal 'what is no port of ours does not matter' "$(parity p4 '' && echo yes)" yes

# The configuration: which links are ports, whose packets XDP sees before the dataplane
echo '__attribute__((section("xdp"), used)) int foreign_pass(void *ctx) { return 2; }' >/run/foreign.c
clang -O2 -g -target bpf -c /run/foreign.c -o /run/foreign.o
check 'an XDP program' rip link set m1 xdpgeneric object /run/foreign.o section xdp
soon 'of somebody else' parity m1 'xdp'
says 'is named' '"XDP program foreign_pass, id [0-9]+"' tell m1
printf '%s\n' 'ports: [{ netdev: m1, driver: devargs, devargs: net_null0 }]' 'parity: { xdp: ignore }' >"$conf"
kill -HUP "$ctld"
soon 'not a port any more' parity m4 ''
soon 'nor guarded' eval 'tell m1 | grep -q ignored'
check 'detached' rip link set m1 xdpgeneric off
soon 'is gone' parity m1 ''

forwards() { [ "$(wye -j show link "$1" | jq -r '.[].wye | "\(.forward4) \(.forward6)"')" = "$2" ]; }
soon 'forwarding on' forwards m1 'true true'
on router sysctl -qw net.ipv4.conf.m1.forwarding=0
soon 'off on one link for IPv4' forwards m1 'false true'
soon 'and not on another' forwards m2 'true true'
on router sysctl -qw net.ipv6.conf.all.forwarding=0
soon 'off everywhere for IPv6' forwards m2 'true false'
on router sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.m2.disable_ipv6=1
soon 'IPv6 disabled on a link' forwards m2 'true false'

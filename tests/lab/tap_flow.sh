#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# tap_flow: a bifurcated port without the hardware: DPDK's tap with a remote is steered by rte_flow, whose entries are tc
# flower filters on the netdev. What no entry matches is the kernel's, on the same netdev. Then the table that the other
# backends are tested with, over real wires.
#
# DPDK 22.11 leaves three filters behind in isolated mode (own MAC, broadcast, IPv6 multicast; prefs 61450, 61453, 61454),
# which would take everything: this fixture deletes them. And the filters are what the parity guard holds back for.
. "$(dirname "$0")/../integration/lib.sh"
lab
add_host 3
ip link add probe type dummy 2>/dev/null && tc qdisc add dev probe ingress && tc filter add dev probe ingress \
	pref 1 protocol ip flower dst_ip 10.0.0.1 action mirred egress redirect dev lo 2>/dev/null || skip 'the kernel has no cls_flower or act_mirred'
ip link del probe

# taps: ports of the configuration become taps with the netdev as their remote; `in: p0` of the table's rules is r1
taps() {
	configure 'parity: { tc: ignore }' 'tables: { stale_after_s: 2 }'
	sed -i -E 's/netdev: r(.), driver: af_xdp/netdev: r\1, driver: devargs, devargs: "net_tap\1,iface=dtap\1,remote=r\1"/' "$conf"
	sed -i 's/in: p0/in: r1/; s/in: p1/in: r2/; s/in: p2/in: r3/' "$conf"
}
rules() {
	taps <<-END
	steering:
	  default: kernel
	  rules:
	    - { name: control, match: { proto: udp, dport: 7001 }, action: kernel }
	    - { name: media, match: { proto: udp, dport: 7000-7001 }, action: dataplane }
	    - { name: bulk, match: { dst: 10.0.0.0/16, proto: tcp, dport: 1024-65535 }, action: dataplane }
	    - { name: six, match: { dst: "fd00:2::/64", proto: udp }, action: ${1-dataplane} }
	END
}
without_leftovers() {
	local n pref
	for n in 1 2 3; do
		for pref in 61450 61453 61454; do on router tc filter del dev r$n ingress pref $pref 2>/dev/null; done
	done
	true
}
filters() { on router tc -j filter show dev "$1" ingress | jq "[.[] | select(.kind == \"$2\" and .options)] | length"; }
entries() { wye -j show steer | jq -c ".rules[] | select(.name == \"$1\") | [.wanted, .installed]"; }
has_entries() { [ "$(entries "$1")" = "$2" ]; }
reload() {
	local before
	before=$(reloads)
	kill -HUP "$dpd"
	await 10 reloaded_since "$before"
}
reloaded_since() { [ "$(reloads)" -gt "$1" ]; }

rules
check 'daemons start' start_daemons
check 'what DPDK left is deleted' without_leftovers
equal 'steered by' "$(wye -j show steer | jq -r .backends)" rte_flow
soon 'one rule, three ports, two families, two destination ports' has_entries media '[12,12]'
equal 'rules for the kernel have no entries in a device without groups' "$(entries control)" '[0,0]'
warm
by_kernel 5 'what no rule matches' ping_from host1 10.0.2.2
by_dataplane 1000 'UDP 7000' udp 1000 host1 host2 10.0.2.2 --port 7000
by_dataplane 100 'UDP (IPv6)' udp 100 host1 host2 fd00:2::2 --port 9
by_kernel 1000 'UDP 7001, which an earlier rule keeps' udp 1000 host1 host2 10.0.2.2 --port 7001
by_kernel 100 'UDP 9' on host1 bash -c 'for i in {1..100}; do echo >/dev/udp/10.0.2.2/9; done'
check 'TCP' iperf host1 host2 10.0.2.2 -M 1000
says 'the kernel answers for what has no more hops' 'From 10\.0\.1\.1|10\.0\.1\.1' \
	on host1 traceroute -n -q 1 -w 2 -m 1 -p 7000 10.0.2.2

rules kernel
check 'a reload' reload
soon 'the rule that went to the kernel has no entries' has_entries six '[0,0]'
equal 'the others stay' "$(entries media)" '[12,12]'
by_kernel 100 'UDP (IPv6)' udp 100 host1 host2 fd00:2::2 --port 9

kill -STOP "$ctld"
gone() { [ "$(filters r1 flower)" = 0 ]; }
check 'a stale mirror: no entry is left' await 20 gone
by_kernel 100 'UDP 7000, by the kernel' udp 100 host1 host2 10.0.2.2 --port 7000
kill -CONT "$ctld"
soon 'then the dataplane has its flows again' forwarding

check 'an orderly end' stop "$dpd"
equal 'filters left on the netdev' "$(filters r1 flower) $(filters r1 bpf)" '0 0'
by_kernel 100 'UDP 7000, without wye-dpd' udp 100 host1 host2 10.0.2.2 --port 7000

# ---- the table -----------------------------------------------------------------------------------------------------
send() { on wire "$WYE_BUILD/tests/unit/send_cases" "$@" p0 p1 p2; }
taken() { wye -j show steer | jq .xdp.taken; }
taken_since() { [ $(($(taken) - $1)) -ge "$2" ]; }
ip netns add wire
for n in 1 2 3; do
	ip -n host$n link set eth0 netns wire name p$((n - 1))
	on wire sysctl -qw net.ipv6.conf.p$((n - 1)).disable_ipv6=1
	ip -n wire link set p$((n - 1)) up
	ip -n router link set r$n address 02:00:00:00:01:01
done
ip -n router addr flush dev r3
ip -n router route add local 198.51.100.0/24 dev lo
ip -n router route add local 2001:db8:ffff::/48 dev lo
cases=0 all_taken=0
"$WYE_BUILD/tests/unit/send_cases" none | taps
check 'wye-dpd starts again' start_dpd
check 'what DPDK left is deleted' without_leftovers
for set in none all prefixes ports protocols inports order; do
	"$WYE_BUILD/tests/unit/send_cases" $set | taps
	check "$set: a reload" reload
	before=$(taken)
	kept=$(send $set kernel) || fail "$set: not sent"
	sent=$(send $set taken) || fail "$set: not sent"
	check "$set: $sent packets for the dataplane" await 10 taken_since "$before" "$sent"
	equal "$set: $kept packets for the kernel, $sent for the dataplane, which took" $(($(taken) - before)) "$sent"
	cases=$((cases + kept + sent)) all_taken=$((all_taken + sent))
done
# Once more after the counters have been copied again: nothing came late.
up=$(status .dpd.uptime_s)
later() { [ $(($(status .dpd.uptime_s) - up)) -ge 3 ]; }
check 'three seconds pass' await 10 later
equal 'taken in all' "$(taken)" $all_taken
at_least 'cases' $cases 200

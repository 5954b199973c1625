#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# link_down: an interface goes down with 50,000 routes behind it. Nothing is sent there any more, the other ports lose
# nothing, and when it comes back wye has what the kernel has.
. "$(dirname "$0")/lib.sh"
route_load=$WYE_BUILD/tools/benches/route_load
[ -x "$route_load" ] || skip "not built: $route_load"
lab
add_host 3
ip -n host3 addr add 20.0.0.1/32 dev lo
ip -n host3 addr add 2001:db8::1/128 dev lo
for ((i = 0; i < 45000; i++)); do printf '20.%d.%d.0/24 0\n' $((i >> 8)) $((i & 255)); done >/run/table4
for ((i = 0; i < 5000; i++)); do printf '2001:db8:%x::/48 0\n' "$i"; done >/run/table6
fill() { on router "$route_load" add /run/table4 10.0.3.2 1 /run/table6 fd00:3::2 1; }
listed() { sed 's/ *$//' | LC_ALL=C sort; }
same_routes() {
	local family
	for family in -4 -6; do
		diff <(ip -n router $family route show | listed) <(wye $family show route | listed) | head -n 20
	done | tee /run/differ
	[ ! -s /run/differ ]
}
check 'routes behind r3' fill
steer_all
check 'daemons start' start_daemons
warm
soon 'wye has the routes' same_routes
by_dataplane 5 'to one of them' ping_from host1 20.0.0.1
by_dataplane 5 'to one of them (IPv6)' ping_from host1 2001:db8::1

check 'a flow to another port' flow_start other --from host1 --to host2 --dst 10.0.2.2 --rate 1000
check 'a flow behind r3' flow_start behind --from host1 --to host3 --dst 20.0.0.1 --port 7001 --rate 500
check 'r3 goes down' ip -n router link set r3 down
seen() { wye -j show link | jq -e '.[] | select(.ifname == "r3") | .flags | index("UP") | not'; }
soon 'wye sees it' seen
r3=$(port_counter r3 tx_packets) r2=$(port_counter r2 tx_packets)
goes_on() { [ $(($(port_counter r2 tx_packets) - r2)) -ge 3000 ]; }
soon 'the other port goes on' goes_on
equal 'sent out of r3 meanwhile' "$(($(port_counter r3 tx_packets) - r3))" 0
soon 'the routes are gone, as in the kernel' same_routes
flow_stop behind
flow_stop other
equal 'lost to the other port' "$(flow other lost)" 0

check 'r3 is back' ip -n router link set r3 up
check 'with its IPv6 address' ip -n router addr add fd00:3::1/64 dev r3 nodad
check 'and the routes' fill
soon 'wye has them again' same_routes
check 'host3 reaches the router' ping_from host3 10.0.3.1
check 'host3 reaches the router (IPv6)' ping_from host3 fd00:3::1
by_dataplane 5 'to one of them again' ping_from host1 20.0.0.1
by_dataplane 5 'to one of them again (IPv6)' ping_from host1 2001:db8::1

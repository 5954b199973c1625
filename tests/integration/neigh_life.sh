#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# neigh_life: packets that only the dataplane sees keep their neighbours verified, as the kernel's own would.
. "$(dirname "$0")/lib.sh"
lab
add_host 3
steer_all 'tables: { stale_after_s: 120 }'
for family in ipv4 ipv6; do # seconds instead of minutes: reachable for 1.5 to 4.5 s, a probe 1 s after use
	for port in r1 r2 r3; do
		on router sysctl -qw "net.$family.neigh.$port.base_reachable_time_ms=3000" \
			"net.$family.neigh.$port.delay_first_probe_time=1"
	done
done
check 'daemons start' start_daemons
warm

address() { [ "$1" = 4 ] && echo "10.0.$2.2" || echo "fd00:$2::2"; }
neighbour() { ip -n router -s -j neigh show "$(address "$1" "$2")" dev "r$2"; }
is() { [ "$(neighbour "$1" "$2" | jq -r '.[0].state[0]')" = "$3" ]; }
uses() { status .mirror.neigh_uses; }
uses_since() { [ "$(uses)" -gt "$1" ]; }
# Packets that no kernel sees, in the background; ends_by_dataplane: and none was lost
traffic() { flow_start life --from host1 --to host2 --dst "$(address "$1" 2)" --rate 50; }
ends_by_dataplane() {
	flow_stop life
	equal "$1: lost" "$(flow life lost)" 0
}

for family in 4 6; do
	soon "IPv$family: without traffic, a neighbour goes stale" is $family 2 STALE
	before=$(uses) kernel=$(kernel_forwarded $family)
	check "IPv$family: traffic" traffic $family
	soon "IPv$family: the kernel is told" uses_since "$before"
	soon "IPv$family: and verifies the neighbour" is $family 2 REACHABLE
	soon "IPv$family: again" uses_since $((before + 1))
	soon "IPv$family: and again" is $family 2 REACHABLE
	ends_by_dataplane "IPv$family"
	at_most "IPv$family: forwarded by the kernel" $(($(kernel_forwarded $family) - kernel)) 0
	soon "IPv$family: stale, without traffic" is $family 2 STALE
done
equal 'one without traffic is not asked about' "$(neighbour 4 3 | jq -r '.[0].state[0]')" STALE

# The same with a wye-ctld that stands still: nobody tells the kernel
kill -STOP "$ctld"
check 'traffic' traffic 4
starved=$(guard stale)
for _ in 1 2 3 4 5 6 7 8; do
	by_dataplane 10 'the neighbour ages' ping_from host1 10.0.2.2
	is 4 2 STALE && continue
	await 2 starved_since "$starved" || fail 'the kernel knows of the traffic without being told'
	printf 'starved of CPU: the kernel has forwarded, and so knows\n'
	break
done
kill -CONT "$ctld"
soon 'told, the kernel verifies it' is 4 2 REACHABLE
ends_by_dataplane 'traffic'

# What it is for: a neighbour has another MAC address, and does not say so
mac() { ip -n router -j neigh show 10.0.2.2 dev r2 | jq -r '.[0].lladdr'; }
moved() { [ "$(mac)" = 02:00:00:00:99:02 ]; }
on host2 sysctl -qw net.ipv4.conf.eth0.arp_notify=0
on router sysctl -qw net.ipv4.neigh.r2.locktime=0 net.ipv4.neigh.r2.retrans_time_ms=250
check 'traffic' traffic 4
check 'host2 has another MAC address' ip -n host2 link set eth0 address 02:00:00:00:99:02
soon 'the kernel finds out' moved
flow_stop life
by_dataplane 10 'and the dataplane goes on' ping_from host1 10.0.2.2

# One that is gone and comes back
gone() { ! neighbour 4 2 | jq -e '.[0] | select(.lladdr and .state[0] != "FAILED" and .state[0] != "INCOMPLETE")'; }
check 'traffic' traffic 4
check 'host2 answers no more' ip -n host2 link set eth0 arp off
soon 'the kernel finds out' gone
check 'it does again' ip -n host2 link set eth0 arp on
soon 'and is reached at once' ping_from host1 10.0.2.2
flow_stop life
by_dataplane 10 'by the dataplane' ping_from host1 10.0.2.2

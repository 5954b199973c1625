#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# forward_vrf: packets that come in by a VRF's links are forwarded by its table, and only by it.
. "$(dirname "$0")/lib.sh"
ip -n router link add red type vrf table 100 2>/dev/null || skip 'the kernel has no VRF'
lab
add_host 3
ip -n router link set red up
for n in 1 2; do
	ip -n router link set "r$n" master red # takes the IPv6 addresses away
	ip -n router addr add "fd00:$n::1/64" dev "r$n" nodad
done
steer_all
check 'daemons start' start_daemons
warm
by_dataplane 10 'in the VRF' ping_from host1 10.0.2.2
by_dataplane 10 'in the VRF (IPv6)' ping_from host1 fd00:2::2
equal 'main has no such route' "$(wye -j lookup 10.0.2.2 | jq -r .route)" null

# One prefix, two meanings
for n in 2 3; do ip -n "host$n" addr add 192.0.2.1/32 dev lo; done
ip -n router route add 192.0.2.0/24 via 10.0.2.2 vrf red
ip -n router route add 192.0.2.0/24 via 10.0.3.2
by() { [ "$(wye -j lookup 192.0.2.1 vrf "$1" | jq -r '.paths[0] | "\(.dev) \(.verdict)"')" = "$2 dataplane" ]; }
soon 'the VRF leads to host2' by red r2
soon 'main to host3' by main r3
received() { on "$1" nstat -asz IcmpInEchos | awk '/IcmpInEchos/ { print $2 }'; }
before2=$(received host2) before3=$(received host3)
by_dataplane 10 'the prefix in the VRF' ping_from host1 192.0.2.1
at_least 'host2 got them' $(($(received host2) - before2)) 5
equal 'host3 none' $(($(received host3) - before3)) 0

# A table without a route goes on to main, which is the kernel's to do; main may lead to a VRF's link
ip -n router route add 10.0.1.0/24 dev r1
leaks() { [ "$(wye -j lookup 10.0.1.2 vrf main | jq -r '.paths[0].verdict')" = dataplane ]; }
soon 'a route of main to the VRF'"'"'s link' leaks
before=$(kernel_forwarded 4) before_dp=$(sent_by_dataplane)
check 'from the VRF to main'"'"'s link and back' ping_from host1 10.0.3.2
at_least 'there by the kernel' $(($(kernel_forwarded 4) - before)) 5
soon 'back by the dataplane' dataplane_sent_since "$before_dp" 5
ip -n router route add unreachable default vrf red metric 4278198272
refused 'not with an unreachable default' ping_from host1 10.0.3.2 -t 1000

# A source that is the router's own in main is martian in a VRF too
ip -n host1 addr add 10.0.3.1/32 dev lo
before2=$(received host2)
refused 'a packet from an address of the router' on host1 ping -q -c 3 -i 0.2 -W 1 -I 10.0.3.1 10.0.2.2
equal 'does not arrive' $(($(received host2) - before2)) 0
ip -n host1 addr del 10.0.3.1/32 dev lo

# rp_filter of the VRF's link, in the VRF's table: main leads to 192.0.2.0/24 by another link
asks() { [ "$(wye -j show link dev r1 | jq -r '.[0].wye.urpf')" = "$1" ]; }
on router sysctl -qw net.ipv4.conf.r1.rp_filter=1
soon 'strict' asks strict
by_dataplane 10 'strict: its way back is by r1' ping_from host1 10.0.2.2
ip -n host1 addr add 192.0.2.9/32 dev lo
before2=$(received host2) before_dp=$(sent_by_dataplane)
refused 'strict: from elsewhere' on host1 ping -q -c 3 -i 0.2 -W 1 -I 192.0.2.9 10.0.2.2
equal 'does not arrive' $(($(received host2) - before2)) 0
equal 'nor is it sent' $(($(sent_by_dataplane) - before_dp)) 0
on router sysctl -qw net.ipv4.conf.r1.rp_filter=2
soon 'loose' asks loose
before2=$(received host2)
refused 'loose: there is a way back, if a wrong one' on host1 ping -q -c 3 -i 0.2 -W 1 -I 192.0.2.9 10.0.2.2
equal 'it arrives' $(($(received host2) - before2)) 3
on router sysctl -qw net.ipv4.conf.r1.rp_filter=0
soon 'off' asks off
ip -n host1 addr del 192.0.2.9/32 dev lo

on router ip rule del l3mdev pref 1000
soon 'without the rule that leads to its table' parity all rules
on router ip rule add l3mdev pref 1000
soon 'and with it' parity all ''
soon 'the dataplane again' by red r2
for n in 1 2; do ip -n router link set "r$n" nomaster; done
soon 'out of the VRF' ping_from host1 10.0.2.2 # neighbours went with the VRF
by_dataplane 10 'by main again' ping_from host1 10.0.2.2

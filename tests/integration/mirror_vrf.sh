#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_vrf: a FIB per VRF table.
. "$(dirname "$0")/mirror.sh"
mirror_lab
rip link add red type vrf table 100 2>/dev/null || skip 'the kernel has no VRF'
rip route add 192.0.2.0/24 table 100 via 10.9.2.2 dev m2 # before the VRF is up and m2 in it
rip link set red up
check 'wye-ctld starts' start_ctld

of_vrf() { wye -j lookup "$1" vrf red | jq -r ".paths[0].$2"; }
soon 'VRF before the start' same
equal 'the rule that comes with it is no obstacle' "$(wye -j show parity | jq length)" 0
rip link set m2 master red
soon 'enslaved' same
equal 'its link looks up table 100' "$(wye -j show link m2 | jq -r '.[].wye.table')" 100
equal 'and is no bridge port' "$(wye -j show link m2 | jq -c '.[].wye.parity')" '[]'
rip route replace 192.0.2.0/24 vrf red via 10.9.2.2
rip route add 192.0.2.0/24 via 10.9.1.2
in_red() { [ "$(of_vrf 192.0.2.1 gateway)" = 10.9.2.2 ]; }
soon 'a route of the VRF' in_red
equal 'and another of main' "$(wye -j lookup 192.0.2.1 | jq -r .paths[0].gateway)" 10.9.1.2
soon 'all tables' same 192.0.2.1
rip link set m4 master red
rip -6 route add 2001:db8::/32 vrf red nexthop via fe80::2 dev m2 nexthop via fe80::3 dev m2
rip -6 route append 2001:db8::/32 vrf red dev m4 pref high
rip -6 route append 2001:db8::/32 vrf red via fe80::4 dev m2
crash "$ctld"
check 'wye-ctld starts again' start_ctld
equal 'a route that no dump shows, asked for' "$(of_vrf 2001:db8::1 kind)" kernel
equal 'is known' "$(wye -j show route 2001:db8::/32 table 100 | jq length)" 2
rip -6 route del 2001:db8::/32 vrf red dev m4
unresolved() { [ "$(of_vrf 2001:db8::1 kind)" = unresolved ]; }
soon 'it goes' unresolved

rip link add blue type vrf table 200
rip link set blue up
rip link set m3 master blue
rip route add 198.51.100.0/24 vrf blue via 10.9.3.2
soon 'a VRF that comes later' same
equal 'has its routes' "$(wye -j lookup 198.51.100.1 vrf blue | jq -r .paths[0].gateway)" 10.9.3.2
rip link del blue
soon 'and goes' same
rip link set m2 nomaster
soon 'released' same
equal 'main again' "$(wye -j show link m2 | jq -r '.[].wye.table')" main

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_upper: VLAN devices and bonds as state: whose carrier, master and routes follow from the devices below.
. "$(dirname "$0")/mirror.sh"
mirror_lab
rip link add link m1 name m1.7 type vlan id 7 2>/dev/null || skip 'the kernel has no VLAN devices'
rip link add bond0 type bond mode active-backup miimon 20 2>/dev/null || skip 'the kernel has no bonding'
rip link set m1.7 up
rip addr add 10.9.7.1/24 dev m1.7
check 'wye-ctld starts' start_ctld
member() { wye -j show link "$1" | jq -r ".[0].$2"; }
rip route add 192.0.2.0/24 via 10.9.7.2
soon 'a VLAN device that was there' same 192.0.2.1
equal 'its id' "$(member m1.7 wye.vlan_id)" 7
equal 'the device below' "$(member m1.7 link)" m1
rip link set m1 down
soon 'goes down with the device below' same 192.0.2.1
rip link set m1 up
rip link set m1.7 up
rip route replace 192.0.2.0/24 via 10.9.7.2
soon 'up again' same 192.0.2.1
rip link set p1 down
soon 'and loses its carrier with it' same 192.0.2.1
rip link set p1 up
soon 'and has it again' same 192.0.2.1

for n in 3 4; do
	rip link set "m$n" down
	rip link set "m$n" master bond0
done
rip link set bond0 up
rip addr add 10.9.8.1/24 dev bond0
rip route add 198.51.100.0/24 via 10.9.8.2
soon 'a bond of two' same 198.51.100.1
equal 'its ports know it' "$(member m3 master) $(member m4 master)" 'bond0 bond0'
soon 'and are no longer for the dataplane' parity m4 bridge_port
soon 'the bond is not forbidden' parity bond0 ''
rip link set p3 down
soon 'one leg without carrier' same 198.51.100.1
rip link set p4 down
soon 'both' same 198.51.100.1
rip link set p3 up
soon 'one again' same 198.51.100.1
rip link add link bond0 name bond0.9 type vlan id 9
rip link set bond0.9 up
rip addr add 10.9.9.1/24 dev bond0.9
soon 'a VLAN on the bond' same 10.9.9.2
rip link set m4 nomaster
soon 'a port leaves' same
rip link del bond0
soon 'the bond goes, with its VLAN and routes' same 198.51.100.1 10.9.9.2
equal 'no message was malformed' "$(ctld_stat malformed)" 0

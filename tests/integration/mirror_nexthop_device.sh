#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_nexthop_device: an object's device goes down, loses its carrier or goes away; no message tells of object or group.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
objects() {
	rip nexthop replace id 11 via 10.9.1.9 dev m1
	rip nexthop replace id 12 via 10.9.2.9 dev m2
	rip nexthop replace id 20 group 11/12
	rip route replace 203.0.113.0/25 nhid 11
	rip route replace 203.0.113.128/25 nhid 20
}
objects
lookups=(203.0.113.1 203.0.113.129)
soon 'before' same "${lookups[@]}"
rip link set m1 down
soon 'a device down' same "${lookups[@]}"
equal 'its route is gone' "$(wye -j lookup 203.0.113.1 | jq -r .route)" null
equal 'it left its group' "$(wye -j lookup 203.0.113.129 | jq -r '[.paths[].gateway] | join(" ")')" 10.9.2.9
rip link set m1 up
objects
soon 'and up' same "${lookups[@]}"
rip link set p2 down
soon 'a carrier lost' same "${lookups[@]}"
rip link set p2 up
objects
soon 'and found' same "${lookups[@]}"
on router sysctl -qw net.ipv4.conf.m2.ignore_routes_with_linkdown=1
rip link set p2 down
soon 'lost with ignore_routes_with_linkdown' same "${lookups[@]}"
rip link set p2 up
objects
soon 'and found' same "${lookups[@]}"
rip link del m2
soon 'a device gone' same "${lookups[@]}"
ip netns add elsewhere
rip link set m1 netns elsewhere
soon 'a device moved away' same "${lookups[@]}"
equal 'no object is left' "$(wye -j show nexthop | jq '[.[] | select(.nhid)] | length')" 0

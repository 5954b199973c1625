#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# neigh: neighbours: the first punt resolves them, a new MAC address is followed.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
resolved() { wye -j show neigh | jq -e ".[] | select(.dst == \"$1\") | .lladdr == \"$2\""; }
mac() { ip -n "$1" -j link show eth0 | jq -r '.[0].address'; }
forgotten() { ! wye -j show neigh | jq -e ".[] | select(.dst == \"$1\" and .lladdr)"; }

soon 'the mirror knows host2' resolved 10.0.2.2 "$(mac host2)"
check 'the kernel forgets it' ip -n router neigh flush dev r2
soon 'so does the mirror' forgotten 10.0.2.2
check 'the first packets are not lost' ping_from host1 10.0.2.2
check 'the first packets are not lost (IPv6)' ping_from host1 fd00:2::2
at_least 'punted as unresolved' "$(reason ip4_forward_unresolved)" 1
at_least 'punted as unresolved (IPv6)' "$(reason ip6_forward_unresolved)" 1
soon 'the mirror knows it again' resolved fd00:2::2 "$(mac host2)"
by_dataplane 10 'then the dataplane goes on' ping_from host1 10.0.2.2

on router sysctl -qw net.ipv4.neigh.r2.locktime=0
on host2 sysctl -qw net.ipv4.conf.eth0.arp_notify=1 net.ipv6.conf.eth0.ndisc_notify=1
check 'host2 changes its MAC address' ip -n host2 link set eth0 address 02:00:00:00:99:02
soon 'the mirror follows' resolved 10.0.2.2 02:00:00:00:99:02
by_dataplane 10 'and the dataplane' ping_from host1 10.0.2.2

check 'a permanent neighbour that is wrong' ip -n router neigh replace 10.0.2.2 lladdr 02:00:00:00:00:66 dev r2
soon 'is believed as the kernel does' resolved 10.0.2.2 02:00:00:00:00:66
refused 'so the host is not reached' ping_from host1 10.0.2.2
check 'put right' ip -n router neigh replace 10.0.2.2 lladdr 02:00:00:00:99:02 dev r2
soon 'it is reached' ping_from host1 10.0.2.2

says 'a host that is not there' 'From 10\.0\.1\.1 .*Destination Host Unreachable' on host1 ping -n -c 1 -W 5 10.0.2.77

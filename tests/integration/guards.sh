#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# guards: packets to the host and for its links reach the kernel, whatever the steering file says.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
by_dataplane 10 'transit is with the dataplane' ping_from host1 10.0.2.2

before=$(received_by_dataplane)
check 'ping the near address' ping_from host1 10.0.1.1
check 'ping the far address' ping_from host1 10.0.2.1
check 'ping the far address (IPv6)' ping_from host1 fd00:2::1
check 'ping the link-local address' ping_from host1 "$(link_local router r1)%eth0"
on router sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
check 'broadcast' on host1 ping -q -c 1 -W 5 -b 10.0.1.255
check 'ping all routers (IPv6)' on host1 ping -q -c 1 -W 5 ff02::2%eth0
check 'TCP to the router' iperf host1 router 10.0.1.1 -t 1
check 'TCP to the far address' iperf host1 router 10.0.2.1 -t 1
check 'TCP to the router (IPv6)' iperf host1 router fd00:1::1 -t 1

check 'forget the neighbours' ip -n host1 neigh flush all
check 'ARP' ping_from host1 10.0.1.1
check 'neighbour discovery' ping_from host1 fd00:1::1
equal 'none of it came to the dataplane' "$(received_by_dataplane)" "$before"
check 'a new address' ip -n router addr add 10.0.1.9/24 dev r1
soon 'reaches the kernel at once' ping_from host1 10.0.1.9
check 'an address on the loopback device' ip -n router addr add 192.0.2.1/32 dev lo
soon 'reaches the kernel as well' ping_from host1 192.0.2.1

check 'fragments' ping_from host1 10.0.2.2 -b 4000
check 'fragments (IPv6)' ping_from host1 fd00:2::2 -b 4000
check 'IP options' on host1 ping -q -c 1 -W 5 -R 10.0.2.2

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# pmtu: path MTU discovery works through the router, and what may be fragmented is.
. "$(dirname "$0")/lib.sh"
lab
ip -n router link set r2 mtu 1400
ip -n host2 link set eth0 mtu 1400
steer_all
check 'daemons start' start_daemons
warm
ping_one() { on host1 ping -n -c 1 -W 1 "$@"; }

by_dataplane 1 'what fits goes through' ping_one -M do -s 1372 10.0.2.2
check 'what may be fragmented arrives' ping_one -M dont -s 1400 10.0.2.2
says 'fragmentation needed' 'From 10\.0\.1\.1 .*Frag needed and DF set \(mtu = 1400\)' ping_one -M do -s 1373 10.0.2.2
says 'packet too big' 'From fd00:1::1 .*Packet too big: mtu=1400' ping_one -M do -s 1353 fd00:2::2
says 'tracepath' 'Resume: pmtu 1400' on host1 tracepath -n 10.0.2.2
says 'tracepath (IPv6)' 'Resume: pmtu 1400' on host1 tracepath -n fd00:2::2
at_least 'punted because too big' "$(reason ip4_forward_too_big)" 2
at_least 'punted because too big (IPv6)' "$(reason ip6_forward_too_big)" 1
by_dataplane 1000 'TCP finds its size' iperf host1 host2 10.0.2.2
by_dataplane 1000 'TCP finds its size (IPv6)' iperf host1 host2 fd00:2::2

check 'a route with an MTU' ip -n router route add 10.8.0.1/32 via 10.0.2.2 mtu lock 1300
ip -n host2 addr add 10.8.0.1/32 dev lo
soon 'is reached' ping_one 10.8.0.1
says 'and answered for' 'Frag needed and DF set \(mtu = 1300\)' ping_one -M do -s 1350 10.8.0.1

check 'a smaller MTU for IPv6 alone' on router sysctl -qw net.ipv6.conf.r2.mtu=1300
mtu_is() { [ "$(wye -j lookup "$1" | jq '.paths[0].mtu')" = "$2" ]; }
soon 'is seen' mtu_is fd00:2::2 1300
says 'and answered for' 'Packet too big: mtu=1300' ping_one -M do -s 1300 fd00:2::2
equal 'IPv4 is as before' "$(wye -j lookup 10.0.2.2 | jq '.paths[0].mtu')" 1400

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mtu: large frames up to AF_XDP's limit; an MTU changed under way is followed.
. "$(dirname "$0")/lib.sh"
set_mtu() {
	local n
	for n in 1 2; do ip -n "host$n" link set eth0 mtu "$1" && ip -n router link set "r$n" mtu "$1" || return; done
}
port_is() { [ "$(port_state "$1")" = "$2" ]; }
too_big() { grep -qE 'Frag needed|too long' <(on host1 ping -c 1 -W 2 -M do "$@" 10.0.2.2 2>&1); }
room_for() { [ "$(port_counter r1 mtu_max)" -ge "$1" ]; }
lab
check 'MTU 3502' set_mtu 3502
steer_all
check 'daemons start' start_daemons
warm
by_dataplane 10 'the largest packet' ping_from host1 10.0.2.2 -b 3474
by_dataplane 10 'the largest packet (IPv6)' ping_from host1 fd00:2::2 -b 3454
by_dataplane 1000 'TCP' iperf host1 host2 10.0.2.2
punted=$(port_counter r1 punted)
check 'a smaller MTU ahead' ip -n router link set r2 mtu 3000
soon 'what does not fit is answered' too_big -s 3474
check 'by the kernel, to which it was punted' test "$(port_counter r1 punted)" -gt "$punted"

check 'MTU 1500' set_mtu 1500
by_dataplane 10 'the largest packet now' ping_from host1 10.0.2.2 -b 1472
check 'stop' stop "$dpd"
check 'start with small buffers' start_dpd
warm
by_dataplane 10 'the largest packet' ping_from host1 10.0.2.2 -b 1472
check 'MTU 3000 under way' set_mtu 3000
soon 'is too large for them: they are made anew' room_for 3000
soon 'r1 is taken' port_is r1 active
soon 'r2 is taken' port_is r2 active
soon 'large packets go on' ping_from host1 10.0.2.2 -b 2972
by_dataplane 10 'by the dataplane' ping_from host1 10.0.2.2 -b 2972
check 'MTU 1500 again' set_mtu 1500
by_dataplane 10 'nothing changes' ping_from host1 10.0.2.2 -b 1472

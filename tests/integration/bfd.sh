#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bfd: sessions of 50 ms stay up while the worker gets more packets than it can send.
. "$(dirname "$0")/routing.sh"
gen=$WYE_BUILD/tools/benches/gen
[ -x "$gen" ] || skip "not built: $gen"
routing_lab
steer_all
bgp_tables 100 50
check 'daemons start' start_daemons
warm
check 'host2 speaks BGP' bgp_peer 2
check 'host3 speaks BGP' bgp_peer 3
check 'the router speaks BGP' bgp_frr
counted() { vty router 'show bfd peers counters json' | jq "[.[].\"session-$1\"] | add"; }
up() { [ "$(counted up)" = 4 ]; }
soon 'four sessions are up' up

received=$(received_by_dataplane)
check 'as many packets as CPU 0 can make, for five seconds' "$gen" --object "$gen.bpf.o" --seconds 5 --cpu 0 \
	--router-cpu "$WYE_CPU" host1 eth0 router r2 host2 eth0 10.0.2.2 "$(cat /sys/class/net/r1/address)" 10.0.1.2 10.0.2.2
sed 's/^/info: /' /run/output
at_least 'the dataplane had of them' $(($(received_by_dataplane) - received)) 100000
equal 'sessions that went down' "$(counted down)" 0
equal 'sessions that came up' "$(counted up)" 4

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# graph_swap: ports come and go, so that the workers' graphs are made anew and swapped, while numbered packets pass
# between two others: none is lost, none arrives twice, and the dataplane goes on forwarding.
. "$(dirname "$0")/lib.sh"
lab
add_host 3
steer_all
sed -i 's/size_mib: 128/size_mib: 256/' "$conf"	# a closed AF_XDP port keeps buffers
port_is() { [ "$(port_state "$1")" = "$2" ]; }
check 'daemons start' start_daemons
warm
dataplane=$(sent_by_dataplane)
check 'packets pass' flow_start steady --from host1 --to host2 --dst 10.0.2.2 --rate 5000 --flows 8
for round in 1 2 3 4; do
	check "r3 goes, $round" ip -n router link del r3
	soon 'the port waits' port_is r3 waiting
	soon 'the dataplane forwards without it' dataplane_sent_since "$(sent_by_dataplane)" 500
	ip netns del host3
	lab_ports=(r1 r2)
	check "r3 comes back, $round" add_host 3
	soon 'the port is active' port_is r3 active
	soon 'the dataplane forwards with it' dataplane_sent_since "$(sent_by_dataplane)" 500
done
check 'the flow ends' flow_stop steady
equal 'lost' "$(flow steady lost)" 0
equal 'twice' "$(flow steady duplicates)" 0
at_least 'by the dataplane' $(($(sent_by_dataplane) - dataplane)) $(($(flow steady sent) / 2))

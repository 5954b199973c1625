#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# link_down_unheard: an interface goes down and up again while wye-ctld gets no CPU. The kernel refuses what is sent there,
# which is enough: its packets are the kernel's, and the dataplane's again when it is back.
. "$(dirname "$0")/lib.sh"
lab
add_host 3
configure <<'END'
tables: { stale_after_s: 60 }
steering: { default: dataplane }
END
check 'daemons start' start_daemons
warm
by_dataplane 5 'to host3' ping_from host1 10.0.3.2

check 'wye-ctld stands still' kill -STOP "$ctld"
check 'r3 goes down' ip -n router link set r3 down
tx=$(port_counter r3 tx_packets)
on host1 fping -c 500 -p 2 10.0.3.2 >/run/output 2>&1
at_least 'answers by the kernel' "$(grep -c 'Unreachable from 10.0.1.1' /run/output)" 1
at_least 'handed to the kernel' "$(reason ip4_forward_link_down)" 100
at_most 'given to r3 all the same, of 500' $(($(port_counter r3 tx_packets) - tx)) 128
by_dataplane 5 'to host2 meanwhile' ping_from host1 10.0.2.2

check 'r3 comes up' ip -n router link set r3 up
again() {
	local tx
	tx=$(port_counter r3 tx_packets)
	ping_from host1 10.0.3.2 && [ $(($(port_counter r3 tx_packets) - tx)) -ge 5 ]
}
soon 'to host3 by the dataplane again' again
check 'wye-ctld goes on' kill -CONT "$ctld"
seen() { wye -j show link | jq -e '.[] | select(.ifname == "r3") | .flags | index("UP")'; }
soon 'and has r3 up' seen

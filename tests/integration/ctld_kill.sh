#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# ctld_kill: the mirror dies under load: nothing is lost; too old, the kernel takes over; restarted, flows return.
. "$(dirname "$0")/lib.sh"
lab
add_host 3
for host in host2 host3; do ip -n $host addr add 10.8.0.1/32 dev lo; done
ip -n router route add 10.8.0.0/24 via 10.0.2.2
steer_all 'tables: { stale_after_s: 2 }'
check 'daemons start' start_daemons
warm
kernel_has_it() { [ "$(kernel_forwarded 4)" -gt "$kernel_before" ]; }

flow_start stale --from host1 --to host2 --dst 10.8.0.1 --rate 2000
crash "$ctld"
by_dataplane 1000 'SIGKILL: the dataplane forwards on' await 1 dataplane_sent_since "$(sent_by_dataplane)" 1000
kernel_before=$(kernel_forwarded 4)
soon 'after stale_after_s the kernel forwards' kernel_has_it
says 'wye status says so' 'stale|not running' wye status
check 'restart' start_ctld
soon 'the flow returns' dataplane_sent_since "$(sent_by_dataplane)" 1000
flow_stop stale
equal 'lost in all' "$(flow stale lost)" 0

flow_start quick --from host1 --to host2 --dst 10.8.0.1 --rate 2000
crash "$ctld"
check 'restart within stale_after_s' start_ctld
flow_stop quick
equal 'lost by a quick restart' "$(flow quick lost)" 0

crash "$ctld"
check 'a route changes while it is dead' ip -n router route replace 10.8.0.0/24 via 10.0.3.2
check 'restart' start_ctld
by_r3() { [ "$(port_counter r3 tx_packets)" -gt "$r3_before" ]; }
r3_before=$(port_counter r3 tx_packets)
check 'the answer comes' ping_from host1 10.8.0.1
soon 'the new region says r3' by_r3
check 'SIGTERM' stop "$ctld"

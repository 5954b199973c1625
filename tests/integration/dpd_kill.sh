#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# dpd_kill: the dataplane dies or hangs under load: the kernel forwards at once; restarted, it takes the flows back.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
kernel_forwards() { local n; n=$(kernel_forwarded 4); await 1 kernel_forwarded_since "$n"; }
kernel_forwarded_since() { [ "$(kernel_forwarded 4)" -gt $(($1 + 100)) ]; }
dataplane_forwards() { await 1 dataplane_sent_since "$(sent_by_dataplane)" 100; }

flow_start kill --from host1 --to host2 --dst 10.0.2.2 --rate 5000
soon 'the dataplane forwards' dataplane_forwards
crash "$dpd"
check 'SIGKILL: the kernel forwards' kernel_forwards
flow_stop kill
at_most 'lost by SIGKILL' "$(flow kill lost)" 4096
at_most 'longest gap (ms)' "$(flow kill 'longest_gap_ms | floor')" 1000

flow_start restart --from host1 --to host2 --dst 10.0.2.2 --rate 5000
check 'restart' start_dpd
soon 'the dataplane forwards again' dataplane_forwards
flow_stop restart
at_most 'lost by the restart' "$(flow restart lost)" 500

flow_start stop --from host1 --to host2 --dst 10.0.2.2 --rate 5000
kill -STOP "$dpd"
check 'SIGSTOP: the kernel forwards within a second' kernel_forwards
kill -CONT "$dpd"
soon 'SIGCONT: the dataplane forwards again' dataplane_forwards
flow_stop stop
at_most 'lost by a hang: about a second of traffic' "$(flow stop lost)" 7500
by_dataplane 10 'all is well' ping_from host1 10.0.2.2
check 'SIGTERM still ends it in order' stop "$dpd"

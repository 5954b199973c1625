#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# slow_flows: with `steering.slow: kernel` flows go to the kernel while they are slow and back when they are fast; numbered
# packets lose nothing and stay in order but for one overtaking a switch. WYE_SWITCHES: how many (40; 10000 take 11 minutes).
. "$(dirname "$0")/lib.sh"
lab
slow_is() {
	configure <<<"steering: { default: dataplane, slow: $1, slow_below_pps: 1500, slow_after_ms: 20, fast_above_pps: 4000 }"
}
slow_is kernel
check 'daemons start' start_daemons
warm
slow() { wye show port r1 | grep -q 'slow: with the kernel until more than 4000 packets/s come'; }
handed_back() { all_ports handed_back; }
switched() { [ $((($(handed_back) - before) * 2)) -ge "${WYE_SWITCHES:-40}" ]; }

soon 'a port without packets is slow' slow
equal 'its state' "$(port_state r1)" active
by_kernel 10 'ping' ping_from host1 10.0.2.2
counted() { [ "$(guard slow)" -ge 10 ]; }
soon 'the packets are counted' counted
before=$(sent_by_dataplane)
check 'a thousand fast packets' udp 1000 host1 host2 10.0.2.2
at_least 'by the dataplane, after fifty or so' $(($(sent_by_dataplane) - before)) 500
soon 'slow again' slow

# The counters tell of no packet either when the worker has not got to them: what waits for it must not be overtaken.
flow_start busy --from host1 --to host2 --dst 10.0.2.2 --rate 8000
fast() { ! slow; }
soon 'fast' fast
hold wye-worker-0
before=$(handed_back)
soon 'the worker stands still, and brings nothing' grep -q 'a worker stands still' /run/log/dpd
equal 'packets wait: the port is not handed back' "$(handed_back)" "$before"
kill "$holder"
check 'the flow ends' flow_stop busy
soon 'slow again' slow

before=$(handed_back)
flow_start pulse --from host1 --to host2 --dst 10.0.2.2 --rate 10000 --pulse 8
check "${WYE_SWITCHES:-40} switches" await 1200 switched
flow_stop pulse
switches=$((($(handed_back) - before) * 2))
equal 'lost' "$(flow pulse lost)" 0
equal 'twice' "$(flow pulse duplicates)" 0
at_most "overtaken in $switches switches" "$(flow pulse reordered)" "$switches"

slow_is dataplane
before=$(reloads)
kill -HUP "$dpd"
reloaded() { [ "$(reloads)" -gt "$before" ] && ! slow; }
soon 'a reload ends it' reloaded
by_dataplane 10 'ping' ping_from host1 10.0.2.2

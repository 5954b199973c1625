#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# dpd_stopped: what lies in the queues of a stopped wye-dpd is not forwarded by what held before, nor is what comes when it
# goes on: a filter has come meanwhile, and another wye-ctld, whose tables it has not seen.
. "$(dirname "$0")/lib.sh"
on router nft add table ip probe 2>/dev/null || skip 'the kernel has no nf_tables'
on router nft delete table ip probe
lab
steer_all 'tables: { stale_after_s: 1 }'
check 'daemons start' start_daemons
warm
received() { ip -n host2 -s -j link show eth0 | jq '.[0].stats64.rx.packets'; }
dropped() { on router nft list chain ip t f | grep -o 'packets [0-9]*' | grep -o '[0-9]*'; }
dropped_since() { [ "$(dropped)" -gt "$1" ]; }
silent() { [ "$(status '.dpd.heartbeat_age_ms')" -gt 1500 ]; }
dataplane_alive() { [ "$(status .dpd.heartbeat_age_ms)" -lt 500 ]; }

flow_start stop --from host1 --to host2 --dst 10.0.2.2 --rate 20000
soon 'the dataplane forwards' dataplane_sent_since "$(sent_by_dataplane)" 1000
kill -STOP "$dpd"
crash "$ctld"
check 'a filter comes' on router nft -f - <<<'table ip t { chain f { type filter hook forward priority 0; counter drop; }; }'
soon 'the kernel drops' dropped_since 1000
check 'wye-ctld again' start_ctld
soon 'longer than stale_after_s' silent
before=$(received) drops=$(dropped)
kill -CONT "$dpd"
soon 'the filter holds the port' parity all nftables
soon 'wye-dpd runs' dataplane_alive
soon 'the kernel drops on' dropped_since $((drops + 5000))
at_most 'got through: what the worker had in hand' $(($(received) - before)) 200
kill -TERM "${flows[stop]}"

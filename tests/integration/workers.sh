#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# multi_queue: two queues a port and two workers: all flows arrive, both queues work.
. "$(dirname "$0")/lib.sh"
[ "$(nproc)" -ge 2 ] || skip 'needs two CPUs'
lab 2
steer_all
sed -i 's/^workers:.*/workers: { cpus: [0, 1] }/' "$conf"
check 'daemons start' start_daemons
warm
queue_packets() { on router ethtool -S r1 | awk "/rx_queue_$1_xdp_redirect:/ { print \$2 }"; }

equal 'queues of r1' "$(wye -j show port | jq '.[] | select(.netdev == "r1") | .queues')" 2
by_dataplane 4000 'sixteen flows' udp 4000 host1 host2 10.0.2.2 --flows 16
by_dataplane 4000 'sixteen flows (IPv6)' udp 4000 host1 host2 fd00:2::2 --flows 16
at_least 'first queue' "$(queue_packets 0)" 500
at_least 'second queue' "$(queue_packets 1)" 500
by_dataplane 1000 'four TCP streams' iperf host1 host2 10.0.2.2 -P 4
by_dataplane 1000 'four TCP streams the other way' iperf host1 host2 10.0.2.2 -P 4 -R
equal 'both workers loop' "$(wye -j show stats | jq '[.workers[] | select(.loops > 0)] | length >= 2')" true

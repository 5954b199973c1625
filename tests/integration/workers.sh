#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# workers: two workers share the ports; what arrives on a queue without a socket stays with the kernel, and nothing is
# lost. (DPDK's af_xdp driver takes one queue of a netdev without combined channels, such as veth.)
. "$(dirname "$0")/lib.sh"
[ "$(nproc)" -ge 2 ] || skip 'needs two CPUs'
lab 2
steer_all
sed -i 's/^workers:.*/workers: { cpus: [0, 1] }/' "$conf"
check 'daemons start' start_daemons
warm
worker_sent() { wye -j show stats | jq "[.workers[] | select(.thread == $1) | .ports[].tx_packets] | add"; }
mapfile -t started < <(worker_sent 1; worker_sent 2)

dataplane=$(sent_by_dataplane) kernel=$(kernel_forwarded 4)
check 'sixteen flows there' udp 4000 host1 host2 10.0.2.2 --flows 16
check 'sixteen flows back' udp 4000 host2 host1 10.0.1.2 --flows 16
dataplane=$(($(sent_by_dataplane) - dataplane)) kernel=$(($(kernel_forwarded 4) - kernel))
at_least 'by the dataplane' "$dataplane" 1000
at_least 'by the kernel' "$kernel" 1000
equal 'each packet by one of them' $((dataplane + kernel)) 8000
at_least 'by the first worker' $(($(worker_sent 1) - started[0])) 300
at_least 'by the second worker' $(($(worker_sent 2) - started[1])) 300
says 'wye-dpd says what it has no socket on' 'r1.* 1 of 2 queues' cat /run/log/dpd
check 'four TCP streams' iperf host1 host2 10.0.2.2 -P 4
check 'four TCP streams the other way' iperf host1 host2 10.0.2.2 -P 4 -R

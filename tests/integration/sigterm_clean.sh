#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# sigterm_clean: SIGTERM leaves the interfaces as they were found.
. "$(dirname "$0")/lib.sh"
lab
steer_all
state() {
	local port
	ip -n router -d addr show | sed 's/valid_lft.*//'
	ip -n router rule; ip -n router -6 rule
	for port in "${lab_ports[@]}"; do
		on router ethtool -k "$port"
		on router tc qdisc show dev "$port"
		on router tc filter show dev "$port" ingress
	done
	find /sys/fs/bpf -mindepth 1
	find "$run_dir" -name 'tables.*' -o -name stats 2>/dev/null
	find /dev/hugepages -name '*wye*' 2>/dev/null
}
clean() { diff <(echo "$before") <(state); }
before=$(state)

check 'daemons start' start_daemons
refused 'they change something' clean
says 'XDP is attached' 'xdp' ip -n router link show r1
check 'wye-dpd ends with status 0' stop "$dpd"
check 'wye-ctld ends with status 0' stop "$ctld"
check 'nothing is left' clean

check 'start again' start_daemons
crash "$dpd"
crash "$ctld"
check 'start after SIGKILL of both' start_daemons
warm
by_dataplane 10 'traffic flows' ping_from host1 10.0.2.2
kill -INT "$ctld"; wait "$ctld"
equal 'SIGINT: status of wye-ctld' $? 0
kill -INT "$dpd"; wait "$dpd"
equal 'SIGINT: status of wye-dpd' $? 0
check 'nothing is left either' clean

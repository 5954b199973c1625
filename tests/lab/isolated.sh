#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# isolated: a worker whose CPU nobody has named gets the isolated one, wye-dpd's main thread keeps off it, and a worker that a
# reload puts elsewhere is told of. `wye doctor` means the same CPU.
#
#	tools/lab --append isolcpus=1 tests/lab/isolated.sh
[ -n "${WYE_ISOLATED-}" ] || for module in veth tun; do modprobe $module 2>/dev/null; done
. "$(dirname "$0")/../integration/lib.sh"
isolated=$(cat /sys/devices/system/cpu/isolated)
[[ $isolated =~ ^[1-9][0-9]*$ ]] || skip 'not one isolated CPU; in tools/lab: --append isolcpus=1'
# cpus_of NAME: that wye-dpd's threads of this name may run on
cpus_of() {
	local task
	for task in /proc/"$dpd"/task/*; do
		[ "$(<"$task/comm")" != "$1" ] || awk '/^Cpus_allowed_list/ { print $2 }' "$task/status"
	done
}
worker_on() { [ "$(cpus_of wye-worker-0)" = "$1" ]; }
lab
steer_all
sed -i '/^workers:/d' "$conf"
check 'daemons start' start_daemons
equal 'the worker is on the isolated CPU' "$(cpus_of wye-worker-0)" "$isolated"
equal 'main is not' "$(cpus_of wye-dpd)" 0
refused 'nothing to be told' grep 'not isolated' /run/log/dpd
says 'wye doctor' "^ok +cpu +CPU $isolated: .*isolated" wye doctor --config "$conf"
warm
by_dataplane 10 'it forwards' ping_from host1 10.0.2.2
echo 'workers: { cpus: [0] }' >>"$conf"
kill -HUP "$dpd"
soon 'a reload moves it' worker_on 0
says 'and it is said' 'CPU 0 as well: not isolated' cat /run/log/dpd
equal 'main is not on the isolated CPU' "$(cpus_of wye-dpd)" 0
by_dataplane 10 'it forwards on' ping_from host1 10.0.2.2

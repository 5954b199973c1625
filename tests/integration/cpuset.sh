#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# cpuset: a worker on a CPU that the cpuset of wye-dpd's cgroup has not is refused, and both are named; on one that it has,
# it forwards.
. "$(dirname "$0")/lib.sh"
[ "$(nproc)" -ge 2 ] || skip 'needs two CPUs'
cgroups=/run/cgroups group=$cgroups/wye-test-$(</proc/sys/kernel/random/uuid)
mkdir "$cgroups"
mount -t cgroup -o cpuset cpuset "$cgroups" 2>/dev/null || mount -t cgroup2 cgroup2 "$cgroups"
rmdir "$cgroups"/wye-test-* 2>/dev/null || true	# of tests that were killed: empty ones
mkdir "$group" 2>/dev/null || skip 'no cgroup can be made'
cpu_0_alone() {
	echo 0 >"$group/cpuset.cpus" && { [ ! -e "$cgroups/cpuset.mems" ] || cat "$cgroups/cpuset.mems" >"$group/cpuset.mems"; }
}
cpu_0_alone 2>/dev/null || { rmdir "$group"; skip 'cgroups have no cpuset controller here'; }
enter() { echo 0 >"$group/cgroup.procs"; }
workers() { sed -i "s/^workers:.*/workers: { cpus: [$1] }/" "$conf"; }
lab
steer_all
check 'wye-ctld starts' start_ctld

workers 1
refused_there() (
	enter
	timeout 20 nsenter --net=/run/netns/router -- "$WYE_BUILD/dataplane/wye-dpd" -c "$conf" -r "$run_dir" >/run/refusal 2>&1
	[ $? = 1 ]
)
check 'CPU 1 is refused' refused_there
says 'with both named' 'workers.cpus: this process may not run on CPU 1: its cpuset has 0$' cat /run/refusal
workers 0
forwards_there() (
	enter
	start_dpd && warm && by_dataplane 10 'ping from within the cpuset' ping_from host1 10.0.2.2 && stop "$dpd"
)
check 'CPU 0' forwards_there
check 'the cgroup is empty again' rmdir "$group"

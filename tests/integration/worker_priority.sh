#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# worker_priority: workers.priority makes the worker's thread real-time and nobody else's, a reload changes it and takes it
# away again, and who may not have it is told so.
. "$(dirname "$0")/lib.sh"
chrt -f 1 true 2>/dev/null || skip 'nobody may be real-time here'
lab
steer_all
priority() { sed -i "s/^workers:.*/workers: { cpus: [$WYE_CPU]${1:+, priority: $1} }/" "$conf"; }
# policies: of all threads of wye-dpd, each with its name
policies() {
	local task
	for task in /proc/"$dpd"/task/*; do
		echo "$(<"$task/comm") $(chrt -p "${task##*/}" | sed -n '1,2s/.*: //p' | paste -sd ' ')"
	done
}
worker_is() { [ "$(policies | grep '^wye-worker-0 ')" = "wye-worker-0 $1" ]; }
niceness() { awk '{ print $19 }' "/proc/$dpd/stat" /proc/"$dpd"/task/*/stat | sort -u | paste -sd ' '; }
priority 3
check 'daemons start' start_daemons
nice=$(niceness)
equal 'real-time: the worker alone' "$(policies | grep -v SCHED_OTHER)" 'wye-worker-0 SCHED_FIFO 3'
warm
by_dataplane 10 'it forwards' ping_from host1 10.0.2.2
check 'as many packets as it takes' udp 4000 host1 host2 10.0.2.2 --flows 16

priority 7
kill -HUP "$dpd"
soon 'a reload raises it' worker_is 'SCHED_FIFO 7'
priority
kill -HUP "$dpd"
soon 'another takes it away' worker_is 'SCHED_OTHER 0'
by_dataplane 10 'it forwards on' ping_from host1 10.0.2.2
equal 'as nice as before' "$(niceness)" "$nice"
check 'wye-dpd ends' stop "$dpd"

priority 3
refused_without() (
	timeout 20 setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice nsenter --net=/run/netns/router -- \
		"$WYE_BUILD/dataplane/wye-dpd" -c "$conf" -r "$run_dir" >/run/refusal 2>&1
	[ $? = 1 ]
)
check 'without the capability it is refused' refused_without
says 'and says why' 'workers.priority: 3: .*CAP_SYS_NICE' cat /run/refusal

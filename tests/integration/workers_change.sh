#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# workers_change: reloads start, end and move workers while numbered packets pass both ways: queues change hands, none is
# lost, none arrives twice. What cannot be is refused, and what waits for a restart is said.
. "$(dirname "$0")/lib.sh"
[ "$(nproc)" -ge 2 ] || skip 'needs two CPUs'
lab
steer_all
check 'daemons start' start_daemons
warm
# reload_with CPUS [IDLE]: and it has been taken, or refused
reload_with() {
	local before
	before=$(reloads_seen)
	sed -i "s/^workers:.*/workers: { cpus: [$1], idle: ${2-adaptive} }/" "$conf"
	kill -HUP "$dpd"
	soon "a reload with workers on $1, ${2-adaptive}" reloaded_since "$before"
}
reloads_seen() { status '.dpd | .reloads + .reload_errors'; }
reloaded_since() { [ "$(reloads_seen)" -gt "$1" ]; }
# running: CPUs of the workers that run; pinned: those that the kernel lets their threads run on
running() { wye -j show runtime | jq -r '[.[] | select(.kind == "pre-input" and .node == "plan") | .cpu] | join(" ")'; }
pinned() {
	local task
	for task in /proc/"$dpd"/task/*; do
		grep -q '^wye-worker-' "$task/comm" && awk '/^Cpus_allowed_list/ { print $2 }' "$task/status"
	done | paste -sd ' '
}
# others_on CPU: threads that are no workers, and may run there
others_on() {
	local task
	for task in /proc/"$dpd"/task/*; do
		grep -q '^wye-worker-' "$task/comm" && continue
		awk '/^Cpus_allowed_list/ { print $2 }' "$task/status" | grep -qx "0-.*\|$1" && cat "$task/comm"
	done
}
polls() { wye -j show runtime | jq "[.[] | select(.thread == $1 and .kind == \"input\") | .calls] | add // 0"; }
loops() { wye -j show stats | jq "[.workers[] | select(.thread == $1) | .loops] | add // 0"; }
loops_since() { [ $(($(loops "$1") - $2)) -ge 100 ]; }
worker_sent() { wye -j show stats | jq "[.workers[] | select(.thread == $1) | .ports[].tx_packets] | add // 0"; }
worker_sent_since() { [ $(($(worker_sent "$1") - $2)) -ge 100 ]; }

# A worker that is held in its loop may be polling: nobody else polls its queues before it has let go.
hold wye-worker-0
before=$(reloads_seen)
sed -i 's/^workers:.*/workers: { cpus: [0, 1] }/' "$conf"
kill -HUP "$dpd"
soon 'a second worker is there' loops_since 2 0
soon 'and runs' loops_since 2 "$(loops 2)"
equal 'it polls nothing yet' "$(polls 2)" 0
equal 'and main waits' "$(reloads_seen)" "$before"
kill "$holder"
soon 'the first goes on, and lets go' reloaded_since "$before"
polls_now() { [ "$(polls 2)" -gt 0 ]; }
soon 'then the second polls' polls_now

dataplane=$(sent_by_dataplane)
flow_start there --from host1 --to host2 --dst 10.0.2.2 --rate 3000 --flows 8
flow_start back --from host2 --to host1 --dst 10.0.1.2 --rate 3000 --flows 8
for round in 1 2 3; do
	reload_with 0,1
	equal "two workers, $round" "$(running)" '0 1'
	equal 'each on its CPU alone' "$(pinned)" '0 1'
	soon 'the second has a port' worker_sent_since 2 "$(worker_sent 2)"
	soon 'the first has the other' worker_sent_since 1 "$(worker_sent 1)"
	reload_with 1,0
	equal 'they change places' "$(pinned)" '1 0'
	soon 'the second works on' worker_sent_since 2 "$(worker_sent 2)"
	reload_with 0
	equal 'one worker' "$(running)" 0
	equal 'on its CPU' "$(pinned)" 0
	equal 'and nothing else of wye-dpd there' "$(others_on 0)" ''
	soon 'the first has both ports' dataplane_sent_since "$(sent_by_dataplane)" 500
	reload_with 1 poll
	equal 'on another' "$(pinned)" 1
	soon 'it works on' dataplane_sent_since "$(sent_by_dataplane)" 500
done
check 'the flows end' flow_stop there
check 'both' flow_stop back
for flow in there back; do
	equal "lost $flow" "$(flow $flow lost)" 0
	equal "twice $flow" "$(flow $flow duplicates)" 0
done
at_least 'by the dataplane' $(($(sent_by_dataplane) - dataplane)) $((($(flow there sent) + $(flow back sent)) / 2))
by_dataplane 5 'IPv6 as well' ping_from host1 fd00:2::2

reload_with 1,1000
equal 'no reader but the one worker' "$(readers)" '1 reads'
says 'a CPU that there is not is refused' 'reload refused, .*CPU 1000 is not online' cat /run/log/dpd
equal 'and all is as it was' "$(running) $(pinned)" '1 1'
sed -i -e 's/size_mib: 128/size_mib: 256/' -e 's/driver: af_xdp/driver: af_xdp, queues: 1/' "$conf"
reload_with 1
says 'what waits is said' 'section memory waits for a restart' cat /run/log/dpd
says 'of ports, too' 'section ports waits for a restart' cat /run/log/dpd
refused 'and nothing else' grep -qE 'section (plugins|punt) waits' /run/log/dpd
check 'and ends in order' stop "$dpd"

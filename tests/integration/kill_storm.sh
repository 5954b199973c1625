#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# kill_storm: both daemons are killed again and again, at any moment of their start: most of what is sent meanwhile arrives,
# nothing piles up, and the next start is as good as the first.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
traces() {
	ls "$run_dir" | sed 's/\.[0-9]*$//'	# a region's number goes up
	ls /sys/class/net /sys/fs/bpf
	on router tc qdisc show | wc -l
}
traces >/run/before
start_both() {	# and waits for neither
	"${in_router[@]}" "$WYE_BUILD/ctlplane/wye-ctld" -c "$conf" -r "$run_dir" >>/run/log/ctld 2>&1 </dev/null &
	ctld=$!
	"${in_router[@]}" "$WYE_BUILD/dataplane/wye-dpd" -c "$conf" -r "$run_dir" >>/run/log/dpd 2>&1 </dev/null &
	dpd=$!
}

flow_start storm --from host1 --to host2 --dst 10.0.2.2 --rate 2000
for moment in 0.0{1..9..2} 0.{1..9}; do
	crash "$dpd"
	crash "$ctld"
	start_both
	sleep "$moment"	# nothing is waited for: it is the moment to be hit
done
crash "$dpd"
crash "$ctld"
check 'then they start' start_daemons
flow_stop storm
at_most 'lost, of a hundred' $(($(flow storm lost) * 100 / $(flow storm sent))) 30
traces >/run/after
check 'nothing is left behind' diff /run/before /run/after
by_dataplane 10 'as good as new' ping_from host1 10.0.2.2

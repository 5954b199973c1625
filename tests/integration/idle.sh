# SPDX-License-Identifier: BSD-3-Clause
#
# idle.sh: does the worker sleep, and does every packet wake it? To be sourced, after lib.sh.

# mode NETDEV: interrupts, polled, native …
mode() { wye -j show port "$1" | jq -r '.[].mode'; }
worker() { grep -lx wye-worker-0 /proc/"$dpd"/task/*/comm | cut -d / -f 5; }
# switches: how often the worker has given up its CPU, as the kernel counts
switches() { awk '/^voluntary/ { print $2 }' "/proc/$dpd/task/$(worker)/status"; }
# sleeps_in SECONDS
sleeps_in() {
	local before
	before=$(switches)
	sleep "$1"
	echo $(($(switches) - before))
}
# rarer SLEEPS NAPS: of an idle worker, in the same time
rarer() { at_least "an idle worker slept $1 times; in naps" "$2" $(($1 * 10)); }
# wakes_up FROM N: hundreds of sleeps and wakings up by packets of host FROM to host2, then N packets at once
wakes_up() {
	local from=$1 n=$2 before burst
	before=$(switches)
	by_dataplane 400 'a slow train' udp 400 "$from" host2 10.0.2.2 --rate 50
	at_least 'sleeps between its packets' $(($(switches) - before)) 200
	# A packet that did not end the sleep waits for the next.
	on "$from" fping -q -C 60 -p 200 -t 5000 10.0.2.2 2>&1 | sed 's/.*: //' | tr ' ' '\n' >/run/times
	equal 'answers to pings 200 ms apart' "$(grep -c . /run/times)" 60
	equal 'of which none came' "$(grep -c -- - /run/times)" 0
	at_most 'or after more than 100 ms' "$(awk '$1 > 100' /run/times | wc -l)" 10
	for burst in 1 2 3 4; do
		by_dataplane "$n" "burst $burst after a sleep" udp "$n" "$from" host2 10.0.2.2 --rate 1000000
	done
}

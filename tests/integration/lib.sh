# SPDX-License-Identifier: BSD-3-Clause
#
# lib.sh: what every integration test starts with. Sourcing it puts the test into private namespaces (tools/netlab.sh)
# and gives it assertions; the first that fails ends the test, with what the daemons said.
set -u -o pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/netlab.sh"
. "$(dirname "${BASH_SOURCE[0]}")/assert.sh"

finish() {
	local status=$? log
	[ "$status" = 0 ] && { no_drift || status=1; }
	[ "$status" = 0 ] || [ "$status" = 77 ] && exit "$status"
	for log in /run/log/*; do
		printf -- '--- %s\n' "${log##*/}"
		tail -n 40 "$log"
	done
	[ -e "$run_dir/stats" ] && { wye status; wye show port; wye show stats; wye show steer; } 2>&1
	exit "$status"
}

# no_drift: a wye-ctld that still runs has never lost touch with the kernel, and has not now (an audit by order). A test
# that made it do so says how often in expected_drift.
expected_drift=0
no_drift() {
	local drift
	[ "$(cat "/proc/${ctld-none}/comm" 2>/dev/null)" = wye-ctld ] || return 0
	audit || { echo 'fail: the mirror is not compared with the kernel within 20 s'; return 1; }
	drift=$(status .mirror.audit_drift)
	[ "$drift" = "$expected_drift" ] || { echo "fail: the mirror drifted: $drift, expected $expected_drift"; return 1; }
}
# audit: the whole mirror against the kernel
audit() {
	local before
	before=$(status .mirror.audits)
	kill -USR1 "$ctld" && await 20 audited_since "$before"
}
audited_since() { [ "$(status .mirror.audits)" -gt "$1" ]; }

# by_dataplane N WHAT COMMAND...: succeeds, and wye sends at least N packets while the kernel forwards none. A worker that
# the machine gave no CPU for too long loses its flows to the kernel, as it should: then once more.
by_dataplane() {
	local n=$1 what=$2 before_dp before4 before6 starved forwarded status
	shift 2
	for _ in 1 2 3 4 5; do
		starved=$(guard stale) before_dp=$(sent_by_dataplane) before4=$(kernel_forwarded 4) before6=$(kernel_forwarded 6)
		"$@" >/run/output 2>&1
		status=$?
		await 2 dataplane_sent_since "$before_dp" "$n"
		forwarded="$(($(kernel_forwarded 4) - before4)) $(($(kernel_forwarded 6) - before6))"
		[ $status = 0 ] && dataplane_sent_since "$before_dp" "$n" && [ "$forwarded" = '0 0' ] && break
		await 2 starved_since "$starved" || break
		printf 'starved of CPU: %s\n' "$what"
	done
	[ $status = 0 ] || { printf '$ %s\n' "$*"; cat /run/output; fail "$what"; }
	pass "$what"
	at_least "$what: sent by the dataplane" $(($(sent_by_dataplane) - before_dp)) "$n"
	equal "$what: forwarded by the kernel (IPv4, IPv6)" "$forwarded" '0 0'
}
starved_since() { [ "$(guard stale)" -gt "$1" ]; }
# by_kernel N WHAT COMMAND...: the other way round
by_kernel() {
	local n=$1 what=$2 before_dp before
	shift 2
	before_dp=$(sent_by_dataplane) before=$(($(kernel_forwarded 4) + $(kernel_forwarded 6)))
	check "$what" "$@"
	at_least "$what: forwarded by the kernel" $(($(kernel_forwarded 4) + $(kernel_forwarded 6) - before)) "$n"
	equal "$what: forwarded by the dataplane" $(($(sent_by_dataplane) - before_dp)) 0
}
sent_by_dataplane() { all_ports tx_packets; }
received_by_dataplane() { all_ports rx_packets; }
all_ports() { wye -j show port 2>/dev/null | jq "[.[].$1] | add"; }
dataplane_sent_since() { [ $(($(sent_by_dataplane) - $1)) -ge "$2" ]; }

# ping_from HOST ADDRESS [ARGS of fping]: five quick ones, each answered within five seconds (ping itself waits for the last
# but two round trips long). warm: lets both sides learn their neighbours first
ping_from() {
	local host=$1 address=$2
	shift 2
	on "$host" fping -q -c 5 -p 20 -t 5000 "$@" "$address" 2>&1 | tee /run/fping | grep -q ' = 5/5/0%' ||
		{ cat /run/fping; return 1; }
}
warm() {
	local n
	for n in "${!lab_ports[@]}"; do
		check "host$((n + 1)) reaches the router" ping_from "host$((n + 1))" "10.0.$((n + 1)).1"
		check "host$((n + 1)) reaches the router (IPv6)" ping_from "host$((n + 1))" "fd00:$((n + 1))::1"
	done
}
# udp N FROM TO ADDRESS: N numbered packets, none lost
udp() {
	local n=$1 from=$2 to=$3 address=$4 result
	shift 4
	result=$(python3 "$lab_top/tools/udpflow.py" --from "$from" --to "$to" --dst "$address" --count "$n" --rate 5000 "$@" |
		tail -n 1)
	echo "$result"
	jq -e '.lost == 0' <<<"$result" >/dev/null
}
# iperf FROM TO ADDRESS [ARGS]: iperf3 for two seconds; prints its end line as JSON
iperf() {
	local from=$1 to=$2 address=$3 server status
	shift 3
	on "$to" iperf3 -s -1 -B "$address" >/run/log/iperf3 2>&1 </dev/null &
	server=$!
	await 5 listening "$to" 5201 || return 1
	on "$from" iperf3 -c "$address" -t 2 -J "$@" >/run/iperf.json
	status=$?
	[ $status = 0 ] || kill "$server"
	wait "$server"
	jq -c .end.sum_received /run/iperf.json
	return $status
}
listening() { on "$1" ss -Hlnt "sport = :$2" | grep -q .; }
# parity SCOPE REASONS: why packets of a port, or "all", stay with the kernel; "" = no reason
parity() { [ "$(wye -j show parity | jq -r "[.[] | select(.scope == \"$1\") | .reason] | unique | join(\" \")")" = "$2" ]; }

# readers: wye-dpd's slots in the readers file, each worker and whether it may hold on to old tables
readers() {
	python3 - "$run_dir/readers" "$dpd" <<-'EOF'
	import struct, sys
	data = open(sys.argv[1], "rb").read()
	slots = [struct.unpack_from("<IIQQQ", data, at) for at in range(128, len(data), 128)]
	print(", ".join(f"{thread} {'rests' if epoch == 2**64 - 1 else 'reads'}" for pid, thread, _, _, epoch in sorted(slots)
	                if pid == int(sys.argv[2])))
	EOF
}
# hold NAME: stops that thread of wye-dpd alone, until ${holder} is killed
hold() {
	rm -f /run/held
	python3 - "$(grep -lx "$1" /proc/"$dpd"/task/*/comm | cut -d / -f 5)" >/run/held <<-'EOF' &
	import ctypes, os, signal, sys
	SEIZE, INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
	libc, thread = ctypes.CDLL(None, use_errno=True), int(sys.argv[1])
	for request in SEIZE, INTERRUPT:
	    if libc.ptrace(request, thread, None, None):
	        sys.exit(os.strerror(ctypes.get_errno()))
	os.waitpid(thread, WALL)
	print("held", flush=True)
	signal.pause()
	EOF
	holder=$!
	soon "$1 is held" grep -q held /run/held
}

[ "$(id -u)" = 0 ] || skip 'needs root: network namespaces and BPF'
[ -x "$WYE_BUILD/dataplane/wye-dpd" ] && [ -x "$WYE_BUILD/ctlplane/wye-ctld" ] || fail "not built in $WYE_BUILD"
isolate "$0" "$@"
trap finish EXIT
ip link add wyeprobe type veth peer name wyeprobe1 2>/dev/null || skip 'the kernel has no veth'
ip link del wyeprobe
mountpoint -q /sys/fs/bpf || skip 'the kernel has no BPF filesystem'

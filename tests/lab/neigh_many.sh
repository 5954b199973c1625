#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# neigh_many: ten thousand neighbours, all with traffic that only the dataplane sees, stay alive for ten minutes; a hundred
# without traffic age. By hand, since it takes its time:
#
#	tools/lab --timeout 1200 env RAISE_LIMITS=1 tests/lab/neigh_many.sh [NEIGHBOURS [SECONDS]]
#
# Each address of 10.20.64.0/18 is a host behind r2: the kernel of host2 answers ARP for them all. The limits of the
# neighbour table are the whole machine's: raised in the virtual machine, a reason to skip elsewhere.
if [ -z "${WYE_ISOLATED-}" ] && [ -n "${RAISE_LIMITS-}" ]; then
	for module in veth tun; do modprobe $module 2>/dev/null; done
	sysctl -qw net.ipv4.neigh.default.gc_thresh3=32768 net.ipv4.neigh.default.gc_thresh2=16384	# gc_thresh1 stays: 128
fi
[ -n "${WYE_ISOLATED-}" ] || export limit=$(cat /proc/sys/net/ipv4/neigh/default/gc_thresh2)
. "$(dirname "$0")/../integration/lib.sh"
neighbours=${1-10000} seconds=${2-600}
[ "$limit" -gt $((neighbours + 200)) ] || skip "the machine keeps $limit neighbours: net.ipv4.neigh.default.gc_thresh2"
lab
steer_all 'punt: { rate_pps: 100000 }'
ip -n router addr add 10.20.0.1/16 dev r2
ip -n host2 route add 10.20.0.0/16 dev eth0
ip -n host2 route add local 10.20.64.0/18 dev lo
check 'daemons start' start_daemons
warm

address() { echo "10.20.$((64 + $1 / 256)).$(($1 % 256))"; }
# The kernel's table: with a link-layer address, idle ones, seconds since the oldest of the active was confirmed
table() {
	ip -n router -s -j neigh show dev r2 | jq -c --argjson n "$neighbours" '
		map(select(.lladdr and (.dst | startswith("10.20."))) | .n = (.dst / "." | (.[2] | tonumber - 64) * 256 + (.[3] | tonumber)))
		| { active: map(select(.n < $n)) | length, idle: map(select(.n >= $n)) | length,
		    oldest: (map(select(.n < $n) | .confirmed) | max), states: (map(.state[0]) | group_by(.) | map({ (.[0]): length }) | add) }'
}
all_known() { [ "$(table | jq .active)" -ge "$neighbours" ]; }

for ((i = neighbours; i < neighbours + 100; i++)); do on router ping -q -c 1 -W 2 "$(address $i)" >/dev/null; done
python3 - "$neighbours" <<-'END' &
	import ctypes, os, socket, sys, time
	fd = os.open("/run/netns/host1", os.O_RDONLY)
	assert ctypes.CDLL(None).setns(fd, 0x40000000) == 0
	n, sock, sent, start = int(sys.argv[1]), socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0, time.monotonic()
	while True:
	    while sent < (time.monotonic() - start) * n / 5:	# each of them every five seconds
	        sock.sendto(b"x", (f"10.20.{64 + sent % n // 256}.{sent % n % 256}", 9))
	        sent += 1
	    time.sleep(0.002)
END
await 120 all_known || fail "$neighbours neighbours are not resolved: $(table)"
pass "$neighbours neighbours are known: $(table)"
unresolved=$(reason ip4_forward_unresolved) kernel=$(kernel_forwarded 4) uses=$(status .mirror.neigh_uses)
sent=$(port_counter r2 tx_packets) start=$SECONDS
while [ $((SECONDS - start)) -lt "$seconds" ]; do
	sleep 20
	now=$(table)
	printf '%4d s: %s, %d probes asked for, %d punted as unresolved\n' $((SECONDS - start)) "$now" \
		$(($(status .mirror.neigh_uses) - uses)) $(($(reason ip4_forward_unresolved) - unresolved))
	[ "$(jq .active <<<"$now")" = "$neighbours" ] || fail "$(jq .active <<<"$now") of $neighbours are left"
done
equal 'punted as unresolved meanwhile' $(($(reason ip4_forward_unresolved) - unresolved)) 0
# A worker whose CPU is taken leaves its flows to the kernel for a moment: too few to have kept them alive
at_most 'of a thousand packets, forwarded by the kernel' \
	$((1000 * ($(kernel_forwarded 4) - kernel) / ($(port_counter r2 tx_packets) - sent))) 5
at_most 'seconds since the oldest was confirmed' "$(table | jq .oldest)" 90
equal 'without traffic: left' "$(table | jq .idle)" 0

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# second_queue: an AF_XDP port whose second queue somebody else holds is tried again and again; that costs no packet buffers, no
# descriptors and no mappings, and the other ports nothing. Once the queue is free, the port is taken.
. "$(dirname "$0")/lib.sh"
lab
mkfifo /run/orders
on router "$(dirname "$0")/queue_holder.py" t3 </run/orders >/run/holder 2>&1 &
exec 8>/run/orders
holder_says() { [ "$(tail -n 1 /run/holder)" = "$1" ]; }
await 5 holder_says tap || skip "no TAP with two queues: $(tail -n 1 /run/holder)"
on router ethtool -l t3 2>&1 | tail -n 1 | grep -qE 'Combined:.*2' || skip 'the kernel does not tell how many queues a TAP has'
ip -n router link set t3 up
echo >&8
check "somebody else holds t3's second queue" await 5 holder_says held

configure <<<'steering: { default: dataplane }'
sed -i 's/^ports:/&\n  - { netdev: t3, driver: af_xdp }/' "$conf"
check 'daemons start, with r1 and r2' start_daemons
free_buffers() { wye -j show memory | jq .heap.buffers_free; }
descriptors() { ls "/proc/$dpd/fd" | wc -l; }
sockets_mapped() { grep -c socket: "/proc/$dpd/maps"; }
# A new MTU makes it try at once; the driver says so each time.
attempts() { grep -c 'Failed to configure xdp socket' /run/log/dpd; }
attempted_since() { [ "$(attempts)" -gt "$1" ]; }
attempt() {
	local before
	before=$(attempts)
	ip -n router link set t3 mtu "$1"
	await 10 attempted_since "$before"
}
says 't3 says why' '^t3 .*failed .*receive queue 1 of 2' wye show port
check 'it is tried' attempt 1400
counted() { [ "$(free_buffers)" -gt 0 ]; }
soon 'the buffers are counted' counted
warm
free=$(free_buffers) fds=$(descriptors) maps=$(sockets_mapped)
for mtu in 1401 1402 1403 1404 1405 1406; do check "tried again, with MTU $mtu" attempt $mtu; done
up=$(status .dpd.uptime_s)
later() { [ $(($(status .dpd.uptime_s) - up)) -ge 3 ]; }
check 'the buffers are counted again' await 10 later
at_most "buffers gone, of $free, for which a queue has 2048" $((free - $(free_buffers))) 1000
as_before() { [ "$(descriptors)" -le "$fds" ] && [ "$(sockets_mapped)" -le "$maps" ]; }
soon "descriptors and mappings of sockets, $fds and $maps, are no more" as_before
by_dataplane 10 'the others forward' ping_from host1 10.0.2.2
refused 'and were never closed' grep -q 'packet buffers are made anew' /run/log/dpd

echo >&8
check 'the queue is let go' await 5 holder_says free
active() { [ "$(port_state t3)" = active ]; }
check 't3 is a port' await 20 active
check 'an orderly end' stop "$dpd"

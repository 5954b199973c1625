#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_address_kept: an IPv6 address is told by the kernel's own worker, later; not at all if its link goes down before, even
# if the link keeps it.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
on router sysctl -qw net.ipv6.conf.all.keep_addr_on_down=1
have() { ip -n router -6 -j addr show dev m1 | jq '[.[].addr_info[] | select(.local | startswith("fd0a:"))] | length'; }
told() { grep -c ' m1 .*inet6 fd0a:' /run/told; }
# An address whose life is set anew is told at once.
life() { rip addr replace fd09:2::77/64 dev m2 nodad valid_lft "$1" preferred_lft "$1" && grep -q "valid_lft $1" /run/told; }

# In real time the worker of that CPU has to wait for `ip`.
for n in $(seq 64); do echo "addr add fd0a::$n/64 dev m1 nodad noprefixroute"; done >/run/batch
echo 'link set m1 down' >>/run/batch
chrt -f 1 true || skip 'no real-time scheduling'
for _ in $(seq 20); do
	stdbuf -oL ip -n router monitor address >/run/told &
	monitor=$!
	soon 'the monitor runs' life 1000
	chrt -f 1 ip -n router -batch /run/batch
	equal 'addresses of the link, which is down' "$(have)" 64
	soon 'all that is told was told' life 2000
	kill "$monitor"
	[ "$(told)" -lt 64 ] && break
	rip link set m1 up
	rip -6 addr flush dev m1
done
[ "$(told)" -lt 64 ] || skip 'the kernel told of every address before its link went down'
soon "of which the kernel told $(told)" same
rip link set m1 up
soon 'the link is up again' same

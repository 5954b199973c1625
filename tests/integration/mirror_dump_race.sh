#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_dump_race: a dump is no snapshot. Routes that come and go while it is taken are neither lost nor left over.
. "$(dirname "$0")/mirror.sh"
mirror_lab
[ -x "$route_load" ] || skip "not built: $route_load"
table /run/stays 20000
for ((i = 0; i < 3000; i++)); do printf '30.%d.%d.0/24 0\n' $((i >> 8)) $((i & 255)); done >/run/flaps
check 'routes that stay' load add /run/stays
printf '%s\n' 'route add 2001:db8::/32 via fd09:1::2' 'route append 2001:db8::/32 via fd09:2::2' \
	'route del 2001:db8::/32 via fd09:1::2' 'route del 2001:db8::/32' >/run/flaps6
touch /run/changing
while [ -e /run/changing ]; do load add /run/flaps; load delete /run/flaps; done >/dev/null 2>&1 &
flaps=$!
while [ -e /run/changing ]; do on router ip -6 -force -batch /run/flaps6; done 2>/dev/null &
flaps6=$!
for i in 1 2 3; do
	check "start $i, under changes" start_ctld
	[ "$i" = 3 ] || check 'end' stop "$ctld"
done
rm /run/changing
wait "$flaps" "$flaps6"
soon 'what the kernel has, no more and no less' same 20.0.0.1 30.0.0.1 2001:db8::1
equal 'none was lost' "$(ctld_stat overruns)" 0

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# parity_rtnl: while the kernel, holding its RTNL lock, takes out a full table's routes with their link, a filter that needs
# no such lock is heard of.
. "$(dirname "$0")/lib.sh"
ROUTES=1000000
lab
add_host 3
python3 -c "for i in range($ROUTES): print(f'{32 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.0/24 0')" >/run/routes
steer_all
check 'daemons start' start_daemons
warm
load() { on router "$WYE_BUILD/tools/benches/route_load" add /run/routes 10.0.3.2 1; }
has_routes() { [ "$(status .mirror.routes4)" -gt $ROUTES ]; }
is_down() { wye -j show link | jq -e 'any(.[]; .ifname == "r3" and (.flags | index("UP") | not))'; }
held() { wye -j show parity | jq -e 'any(.[]; .reason == "nftables")'; }
filter() { on router nft 'table inet storm { chain forward { type filter hook forward priority 0; policy drop; }; }'; }

# Where the kernel is done too soon to tell, once more
heard=0
for round in 1 2 3 4 5; do
	ip -n router link set r3 up
	check "$round: a full table" load
	soon 'is mirrored' has_routes
	ip -n router link set r3 down &
	down=$!
	soon 'its link goes down' is_down
	check 'a filter' filter
	await 2 held && kill -0 $down 2>/dev/null && heard=1
	wait $down
	soon 'is heard of at last' held
	check 'the filter goes' on router nft delete table inet storm
	[ $heard = 1 ] && break
done
equal 'heard of while the link was going down' $heard 1

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_overrun: more changes than the receive buffer holds while wye-ctld cannot run; then the tables are right again.
. "$(dirname "$0")/mirror.sh"
mirror_lab
[ -x "$route_load" ] || skip "not built: $route_load"
table /run/table 120000
check 'wye-ctld starts' start_ctld
rip route add 192.0.2.0/24 via 10.9.2.2

kill -STOP "$ctld"
for i in 1 2 3; do
	check "fill $i" load add /run/table
	check "empty $i" load delete /run/table
done
rip route del 192.0.2.0/24
rip route add 192.0.3.0/24 via 10.9.2.2
rip link set m3 down
kill -CONT "$ctld"
overrun() { [ "$(ctld_stat overruns)" -ge 1 ]; }
soon 'the buffer overran' overrun
soon 'in sync again' in_sync
soon 'and like the kernel' same 192.0.2.1 192.0.3.1 20.0.0.1
at_least 'resyncs' "$(ctld_stat resyncs)" 1
soon 'wye-ctld lives' kill -0 "$ctld"

check 'a full table' load add /run/table
mirrored() { [ "$(ctld_stat routes4)" -ge 120000 ]; }
soon 'is mirrored' mirrored
rip link set m1 down
soon 'and goes with its link' same 20.0.0.1

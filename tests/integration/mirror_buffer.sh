#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_buffer: the receive buffer a wye-ctld has without being told holds a burst of 100,000 routes while it cannot run.
. "$(dirname "$0")/mirror.sh"
mirror_lab
[ -x "$route_load" ] || skip "not built: $route_load"
table /run/table 100000
check 'wye-ctld starts' start_ctld
kill -STOP "$ctld"
check '100,000 routes' load add /run/table
kill -CONT "$ctld"
mirrored() { [ "$(ctld_stat routes4)" -ge 100000 ]; }
soon 'are mirrored' mirrored
equal 'overruns' "$(ctld_stat overruns)" 0
equal 'resyncs' "$(ctld_stat resyncs)" 0
soon 'as the kernel has them' same 20.0.0.1

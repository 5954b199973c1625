#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_changes: multipath, neighbours, and local prefixes over others.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld

rip route add 198.51.100.0/24 nexthop via 10.9.1.2 nexthop via 10.9.2.2 nexthop via 10.9.3.2
soon 'multipath' same 198.51.100.1
rip route change 198.51.100.0/24 nexthop via 10.9.1.2 weight 5 nexthop via 10.9.3.2
soon 'multipath changed' same 198.51.100.1

rip neigh replace 10.9.1.2 lladdr 02:00:00:00:01:02 dev m1
rip neigh replace 10.9.3.2 lladdr 02:00:00:00:03:02 dev m3
soon 'neighbours' same 198.51.100.1
kinds() { [ "$(wye -j lookup 198.51.100.1 | jq -r '[.paths[].kind] | sort | join(" ")')" = "$1" ]; }
soon 'resolve' kinds 'forward forward'
rip neigh del 10.9.3.2 dev m3
soon 'and go' same
soon 'one does not any more' kinds 'forward unresolved'
rip route add local 10.0.0.0/8 dev lo
rip route add 10.77.0.0/16 via 10.9.1.2
soon 'a local prefix over a main route' same
equal 'leaves the choice to the kernel' "$(wye -j lookup 10.77.0.1 | jq -r .paths[0].kind)" kernel
rip route del local 10.0.0.0/8 dev lo
soon 'and takes it back' same 10.77.0.1
equal 'when it is gone' "$(wye -j lookup 10.77.0.1 | jq -r .paths[0].kind)" forward
equal 'no message was malformed' "$(ctld_stat malformed)" 0
equal 'none was lost' "$(ctld_stat overruns)" 0

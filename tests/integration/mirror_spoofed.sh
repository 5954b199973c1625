#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_spoofed: somebody with CAP_NET_ADMIN sends messages to wye-ctld's netlink sockets: none is believed, none lost for it.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
knows() { wye -j show route | jq -e --arg dst "$1" 'any(.[]; .dst == $dst)'; }
lie() { on router python3 "$lab_top/tests/integration/mirror_spoofed.py" "$@" "$(on router cat /sys/class/net/r2/ifindex)"; }

routes=$(status .mirror.routes4) neighbours=$(status .mirror.neighbours)
check 'lies to wye-ctld' lie "$ctld"
told=$(tail -n 1 /run/output)
equal 'messages that a socket took' "${told% *}" 0
at_least 'that were refused' "${told#* }" 6
check 'then a route of the kernel' ip -n router route add 198.51.100.0/24 via 10.0.2.2
soon 'is mirrored' knows 198.51.100.0/24
refused 'the route that is not there' knows 203.0.113.0/24
equal 'routes' "$(status .mirror.routes4)" $((routes + 1))
equal 'neighbours' "$(status .mirror.neighbours)" "$neighbours"
equal 'malformed' "$(status .mirror.malformed)" 0
equal 'overruns' "$(status .mirror.overruns)" 0
by_dataplane 10 'the link that is said to be gone' ping_from host1 10.0.2.2

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# punt_tap: whatever befalls a port's punt TAP, exceptions reach the kernel again: the port is opened anew.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
tap() { wye -j show port r1 | jq -r '.[0].tap'; }
index() { on router cat "/sys/class/net/$1/ifindex"; }
# The kernel's answer to a packet that has no route is what a punt is for.
answered() { grep -q '+1 errors' <<<"$(on host1 ping -q -c 1 -W 1 192.0.2.9 2>&1)"; }
anew() { [ "$(port_state r1)" = active ] && [ "$(index "$(tap)")" != "$before" ]; }
# hurt WHAT COMMAND...: the port gets another TAP
hurt() {
	before=$(index "$(tap)")
	check "$1" "${@:2}"
	soon "$1: answers come again" answered
	soon "$1: the port has another TAP" anew
	by_dataplane 10 "$1: the port forwards" ping_from host1 10.0.2.2
}
check 'no route' answered
hurt 'the TAP is down' ip -n router link set "$(tap)" down
hurt 'its program is gone' on router tc qdisc del dev "$(tap)" clsact
hurt 'the TAP is deleted' ip -n router link del "$(tap)"
says 'the log says why' 'port r1: waiting: .*punt TAP' cat /run/log/dpd
check 'SIGTERM' stop "$dpd"

# SPDX-License-Identifier: BSD-3-Clause
#
# parity.sh: what the tests of the parity guard share. To be sourced instead of lib.sh: three hosts around the router,
# daemons started, all traffic with the dataplane.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# held SCOPE REASON [EFFECT]: the guard has found it there
held() {
	wye -j show parity |
		jq -e --arg s "$1" --arg r "$2" --arg e "${3-kernel}" 'any(.[]; .scope == $s and .reason == $r and .effect == $e)'
}
released() { ! wye -j show parity | jq -e --arg s "$1" --arg r "$2" 'any(.[]; .scope == $s and .reason == $r)'; }
nothing_held() { [ "$(wye -j show parity | jq length)" = 0 ]; }

parity_lab() {
	lab
	add_host 3
	steer_all "$@"
	check 'daemons start' start_daemons
	warm
	soon 'nothing is held' nothing_held
}

# ignoring REASON...: both daemons read a configuration that ignores these
ignoring() {
	local reason list=
	for reason; do list+="${list:+, }$reason: ignore"; done
	steer_all ${list:+"parity: { $list }"}
	check "parity: { $list }" wye check "$conf"
	kill -HUP "$ctld" "$dpd"
}

# by_all kernel|dataplane WHAT: what the mirror says, ports heed within a tenth of a second or at the next packet
by_all() {
	[ "$1" = kernel ] || soon 'all ports are active' all_active
	"by_$1" 10 "$2, IPv4" ping_from host1 10.0.2.2
	"by_$1" 10 "$2, IPv6" ping_from host1 fd00:2::2
}
# all_ports_active: of every port, and with nothing held back
all_active() { [ "$(wye -j show port | jq -r '[.[] | select(.state == "active" and (.detail // "") == "")] | length')" = 3 ]; }

# guarded SCOPE REASON FAMILIES WHAT CAUSE UNDO: while the cause (a command line) holds, the kernel gets the packets of
# FAMILIES (4, 6 or 46) that touch SCOPE, and only those; undone, all flows return; ignored, they never go
guarded() {
	local scope=$1 reason=$2 families=$3 what=$4 cause=$5 undo=$6
	check "$what" eval "$cause"
	soon "$what: seen" held "$scope" "$reason"
	case $families in
	*4*) by_kernel 10 "$what: IPv4 is the kernel's" ping_from host1 10.0.2.2 ;;
	*) by_dataplane 10 "$what: IPv4 is not concerned" ping_from host1 10.0.2.2 ;;
	esac
	case $families in
	*6*) by_kernel 10 "$what: IPv6 is the kernel's" ping_from host1 fd00:2::2 ;;
	*) by_dataplane 10 "$what: IPv6 is not concerned" ping_from host1 fd00:2::2 ;;
	esac
	[ "$scope" = r1 ] && by_dataplane 10 "$what: other ports are not concerned" ping_from host3 10.0.2.2
	ignoring "$reason"
	soon "$what: can be ignored" held "$scope" "$reason" ignored
	by_all dataplane "$what, ignored"
	ignoring
	soon "$what: or not" held "$scope" "$reason"
	check "$what: undone" eval "$undo"
	soon "$what: is seen to be gone" released "$scope" "$reason"
	by_all dataplane "$what, gone"
}

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# parity_link: traffic control, BPF programs and masters: the kernel gets the packets of the links they are on.
. "$(dirname "$0")/parity.sh"
parity_lab
tc() { on router tc "$@"; }

guarded r1 tc 46 'a qdisc somebody chose' "tc qdisc replace dev r1 root handle 1: pfifo" "tc qdisc del dev r1 root"
check 'clsact' tc qdisc add dev r1 clsact
by_all dataplane 'clsact without filters'
for side in ingress egress; do
	guarded r1 tc 46 "a filter on $side" "tc filter add dev r1 $side protocol all u32 match u32 0 0 classid 1:1" \
		"tc filter del dev r1 $side"
done
check 'filters and all' tc filter add dev r1 ingress protocol all u32 match u32 0 0 classid 1:1
soon 'are seen' held r1 tc
check 'go with their qdisc' tc qdisc del dev r1 clsact
soon 'are seen to be gone' released r1 tc
told() { wye -j show parity | jq -e --arg w "$1" 'any(.[]; .where == $w)'; }
guarded r1 tc 46 'a filter of a shared block' \
	"tc qdisc add dev r1 ingress_block 7 ingress; tc filter add block 7 protocol all u32 match u32 0 0 classid 1:1;
	await 10 told 'ingress filter, kind u32'" \
	"tc qdisc del dev r1 ingress"

# program SCOPE REASON FAMILIES KIND [DEVICE]: linked as long as its process lives
program() {
	local scope=$1 reason=$2 families=$3
	shift 3
	nsenter --net=/run/netns/router -- python3 "$(dirname "$0")/bpf_attach.py" "$@" >/run/attach 2>&1 &
	attached=$!
	if await 5 grep -q attached /run/attach; then
		guarded "$scope" "$reason" "$families" "a BPF program, $1" true 'kill "$attached"; wait "$attached" || true'
	else
		wait "$attached"
		printf 'not here: %s: %s\n' "$1" "$(cat /run/attach)"
	fi
}
program r1 tc 46 tcx_ingress r1
program r1 tc 46 tcx_egress r1
program all hooks 4 netfilter4
program all hooks 6 netfilter6

# A port's own addresses are not answered for any more once it is in a bridge, nor its probes of neighbours: what host1
# says to them comes in by the bridge, which forwards it. So neither side has anything to probe.
know() { # NETNS NETDEV MAC ADDRESS...
	local netns=$1 netdev=$2 mac=$3 address
	shift 3
	for address; do ip -n "$netns" neigh replace "$address" lladdr "$mac" dev "$netdev" nud permanent || return; done
}
mac() { ip -n "$1" -j link show "$2" | jq -r '.[0].address'; }
check 'the router knows host1' know router r1 "$(mac host1 eth0)" 10.0.1.2 fd00:1::2 "$(link_local host1 eth0)"
check 'host1 knows the router' know host1 eth0 "$(mac router r1)" 10.0.1.1 fd00:1::1 "$(link_local router r1)"
guarded r1 bridge_port 46 'a bridge port' "ip -n router link add br0 type bridge; ip -n router link set br0 up;
	ip -n router link set r1 master br0" "ip -n router link del br0"

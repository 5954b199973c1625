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
guarded r1 tc 46 'a filter of a shared block' \
	"tc qdisc add dev r1 ingress_block 7 ingress; tc filter add block 7 protocol all u32 match u32 0 0 classid 1:1" \
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
# answers comes in by the bridge, which forwards it. So there is nothing to probe.
mac=$(ip -n host1 -j link show eth0 | jq -r '.[0].address')
for address in 10.0.1.2 fd00:1::2; do ip -n router neigh replace $address lladdr "$mac" dev r1 nud permanent; done
guarded r1 bridge_port 46 'a bridge port' "ip -n router link add br0 type bridge; ip -n router link set br0 up;
	ip -n router link set r1 master br0" "ip -n router link del br0"

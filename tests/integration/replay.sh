#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# replay: a recording of a kernel under changes, replayed elsewhere, shows what the kernel had; one that is cut short or is
# none is refused with the place.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
rip route add 198.51.100.0/24 nexthop via 10.9.1.2 nexthop via 10.9.2.2 nexthop via 10.9.3.2
rip -6 route add 2001:db8::/32 nexthop via fd09:1::2 nexthop via fd09:2::2
rip nexthop add id 12 via 10.9.2.9 dev m2
rip nexthop add id 13 via 10.9.3.9 dev m3
rip nexthop add id 20 group 12/13
rip route add 203.0.113.128/25 nhid 20
rip neigh replace 10.9.1.2 lladdr 02:00:00:00:01:02 dev m1

nsenter --net=/run/netns/router -- "$WYE_BUILD/tools/wye" record /run/recording >/run/log/record 2>&1 &
recorder=$!
recording() { [ "$(stat -c %s /run/recording)" -gt 4096 ]; }
soon 'a recording begins' recording
on router tc qdisc add dev m1 clsact
on router tc filter add dev m1 egress protocol all u32 match u32 0 0 classid 1:1
on router tc qdisc replace dev m2 root handle 1: pfifo
on router nft 'add table inet t; add chain inet t c { type filter hook forward priority 0; policy drop; }'
on router nft 'add table inet u { flags dormant; }; add chain inet u c { type filter hook forward priority 0; policy drop; }'
on router nft 'add table netdev n; add chain netdev n c { type filter hook ingress device m3 priority 0; policy drop; }'
rip xfrm policy add dir fwd src 10.0.0.0/8 dst 10.0.0.0/8 action block
for i in $(seq 40); do
	rip route add "20.0.$i.0/24" via "10.9.$((i % 3 + 1)).2" metric $((i * 100))
	[ $((i % 3)) = 0 ] && rip route del "20.0.$((i - 1)).0/24"
done
rip -6 route append 2001:db8::/32 via fd09:3::2
rip -6 route del 2001:db8::/32 via fd09:1::2
rip addr add 10.9.4.1/24 dev m4
rip addr del 10.9.3.1/24 dev m3
rip link set m2 down
rip link set m2 up
rip link set m4 mtu 1400
rip nexthop del id 13
rip neigh replace 10.9.4.9 lladdr 02:00:00:00:04:09 dev m4
soon 'the mirror follows' same
stop "$recorder"
equal 'the recorder ends' $? 0
says 'and says what it has' 'recording: [0-9]+ messages' cat /run/log/record

guards='[.[] | [.reason, .scope, .families, .where, .effect]] | sort'
guard() { wye -j show parity | jq -c "$guards"; }
guard_has() { [ "$(wye -j show parity | jq length)" = "$1" ]; }
soon 'what the guard finds' guard_has 5

# replay DIR FILE [ARGS]: elsewhere, a namespace with nothing in it
ip netns add elsewhere
replay() { on elsewhere "$WYE_BUILD/ctlplane/wye-ctld" -c "$conf" -r "/run/$1" --replay "${@:2}"; }
alike() { # WYE ARGUMENTS...: both say the same; ids of next hops are wye's own
	diff <(wye -j "$@" | strip) <(on elsewhere "$WYE_BUILD/tools/wye" -r /run/replayed -j "$@" 2>/dev/null | strip)
}
strip() { jq -S 'if type == "object" then del(.nexthop, .paths[]?.id) else sort_by(tojson) end'; }
check 'it is replayed' replay replayed /run/recording
at_least 'something is shown' "$(wye -j -4 show route table all | jq length)" 20
for what in link addr neigh '-4 route table all' '-6 route table all' vrf; do
	check "$what: as the mirror has it" alike show $what
done
for address in 198.51.100.1 2001:db8::1 203.0.113.129 192.0.2.1 10.9.4.9 20.0.{1..41}.1; do
	alike lookup "$address" >/run/output || { cat /run/output; fail "lookup $address"; }
done
pass 'lookups'
equal 'what the guard found' \
	"$(on elsewhere "$WYE_BUILD/tools/wye" -r /run/replayed -j show parity 2>/dev/null | jq -c "$guards")" "$(guard)"
equal 'no dataplane would trust it' "$("$WYE_BUILD/tools/wye" -r /run/replayed -j status 2>/dev/null | jq -r .ctld.state)" \
	not_running

refused_with() { # WHAT PATTERN FILE
	refused "$1" replay scratch "$3"
	says "$1: why" "$2" cat /run/output
}
size=$(stat -c %s /run/recording)
head -c $((size - 4)) /run/recording >/run/cut
refused_with 'four bytes less' "byte [0-9]+: a message goes on beyond the end, at byte $((size - 4))" /run/cut
head -c $((size / 2 & ~3)) /run/recording >/run/cut
refused_with 'half of it' 'cut short' /run/cut
head -c 1000 /dev/urandom >/run/cut
refused_with 'noise' 'byte 0: not a recording' /run/cut
: >/run/cut
refused_with 'nothing' 'empty' /run/cut
refused_with 'no file' 'No such file' /run/none

# What iproute2 saves.
rip addr save >/run/saved.nl
rip route save table all >>/run/saved.nl
check "ip's own files" replay saved /run/saved.nl
equal 'routes of ip route save' "$("$WYE_BUILD/tools/wye" -r /run/saved -j -4 show route 2>/dev/null | jq length)" \
	"$(rip -j -4 route | jq length)"
says 'ip reads ours' '20.0.1.0/24 via 10.9.2.2' rip monitor file /run/recording route

# Who may not ask for filters and policies still has the rest.
check 'without CAP_NET_ADMIN' on router setpriv --bounding-set -net_admin --inh-caps -net_admin -- \
	"$WYE_BUILD/tools/wye" record /run/less --seconds 0
says 'which is said' 'nf_tables are not recorded' cat /run/output
check 'is replayed' replay scratch /run/less

# What is wrong with a message is said once a kind, with the place of the first.
python3 -c 'import struct, sys
sys.stdout.buffer.write(struct.pack("=IHHII", 16, 1, 0, 0, 0) + 3 * struct.pack("=IHHII", 16, 24, 0, 0, 0))' >/run/odd
check 'messages without their header' replay scratch /run/odd
equal 'are said once, from where' "$(grep -c 'netlink /run/odd, byte 16: a message of type 24, .*: a length or value' /run/output)" 1
equal 'and no more' "$(grep -c 'type 24' /run/output)" 1

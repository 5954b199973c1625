# SPDX-License-Identifier: BSD-3-Clause
#
# mirror.sh: what the tests of wye-ctld's mirror share. To be sourced instead of lib.sh; no dataplane runs. Four ports
# m1 … m4 with peers p1 … p4 in the router's namespace, m1 … m3 addressed; the kernel's own tools are the oracle.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
route_load=$WYE_BUILD/tools/benches/route_load

rip() { ip -n router "$@"; }

mirror_lab() {
	local n
	printf '%s\n' 'ports: [{ netdev: m1 }, { netdev: m2 }, { netdev: m3 }, { netdev: m4 }]' \
		'steering: { default: kernel }' "$@" >"$conf"
	on router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0
	for n in 1 2 3 4; do
		rip link add "m$n" type veth peer name "p$n"
		rip link set "m$n" up
		rip link set "p$n" up
		[ "$n" = 4 ] && continue
		rip addr add "10.9.$n.1/24" dev "m$n"
		rip addr add "fd09:$n::1/64" dev "m$n" nodad
	done
}

# mirror_objects: a nexthop object and a group, a route by each, and who is to be asked about them
mirror_objects() {
	rip nexthop add id 11 via 10.9.1.9 dev m1
	rip nexthop add id 12 via 10.9.2.9 dev m2
	rip nexthop add id 20 group 11/12
	rip route add 203.0.113.0/25 nhid 11
	rip route add 203.0.113.128/25 nhid 20
	lookups=(203.0.113.1 203.0.113.129)
}

# same: links, addresses, neighbours, routes of all tables, and lookups say what the kernel says
same() { on router python3 "$(dirname "${BASH_SOURCE[0]}")/mirror_same.py" "$WYE_BUILD/tools/wye" "$run_dir" "$@"; }

# table FILE COUNT: COUNT distinct /24 for route_load
table() {
	local i
	for ((i = 0; i < $2; i++)); do
		printf '%d.%d.%d.0/24 %d\n' $((20 + (i >> 16))) $(((i >> 8) & 255)) $((i & 255)) $((i % 8))
	done >"$1"
}
load() { on router "$route_load" "$1" "$2" 10.9.1.2 8; }

ctld_stat() { wye -j status | jq -r ".mirror.$1"; }
generation() { wye -j status | jq -r '.ctld.generation'; }

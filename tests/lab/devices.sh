# SPDX-License-Identifier: BSD-3-Clause
#
# devices.sh: a virtual machine's NICs between the lab's namespaces; sourced after lib.sh. Descriptor 9 is the network namespace
# that the machine's netdevs are in.

dev=/sys/bus/pci/devices
outside() { nsenter --net=/proc/self/fd/9 "$@"; }
driver() { basename "$(readlink "$dev/$1/driver")"; }
detail() { wye -j show port | jq -r ".[] | select(.netdev == \"$1\") | \"\(.state) \(.detail)\""; }
says_detail() { detail "$1" | grep -qE "$2"; }
# other_end HOST NETDEV SUBNET...: a NIC that the kernel keeps, with 10.0.SUBNET.2 of each; the first leads anywhere
other_end() {
	local host=$1 netdev=$2 n
	shift 2
	ip netns add "$host"
	outside ip link set "$netdev" netns $$ && ip link set "$netdev" netns "$host" name eth0 || return
	for n in "$@"; do ip -n "$host" addr add "10.0.$n.2/24" dev eth0; done
	ip -n "$host" link set eth0 up
	ip -n "$host" route add default via "10.0.$1.1"
}
# port NETDEV HOST SUBNET: the router's end
port() {
	ip -n router addr add "10.0.$3.1/24" dev "$1" && ip -n router link set "$1" up
	await 30 says_detail "$1" '^active ' || fail "$1: $(detail "$1")"
	soon "$1: ARP and ping, from the host" ping_from router "10.0.$3.2"
	soon "$1: and to it" ping_from "$2" "10.0.$3.1"
}

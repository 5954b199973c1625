#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vfio_pf: a VF on vfio-pci as a port whose companion is the VF's own PF: the kernel goes on with the PF, what is sent to the
# VF's MAC is the dataplane's, what the dataplane does not take the PF receives. The neighbour on the wire sends to the VF's MAC
# because the router answers ARP for one address with it (nft), or because a neighbour entry says so.
#
#	tools/lab --iommu --nic igb --nic e1000 tests/lab/vfio_pf.sh
if [ -z "${WYE_ISOLATED-}" ]; then
	for module in igb e1000 vfio-pci veth tun nf_tables; do modprobe $module 2>/dev/null; done
	echo 160 >/proc/sys/vm/nr_hugepages
	for device in /sys/bus/pci/devices/*; do
		[ -e "$device/sriov_totalvfs" ] && echo 0 >"$device/sriov_numvfs"
		[ -e "$device/sriov_totalvfs" ] && [ -e "$device/iommu_group" ] && export pf=${device##*/} netdev=$(ls "$device/net")
	done
	for device in /sys/bus/pci/drivers/e1000/0000:*; do [ -e "$device/net" ] && export peer=$(ls "$device/net"); done
	[ -n "${pf-}" ] && { "${WYE_BUILD:-$(dirname "$0")/../../build}/tools/wye" vf create "$netdev" 2 mac 52:54:00:aa:00:fe || exit; }
	exec 9</proc/self/ns/net	# where the NICs are
fi
. "$(dirname "$0")/../integration/lib.sh"
[ -n "${pf-}" ] && [ -n "${peer-}" ] || skip 'no igb in an IOMMU group, or no e1000; in tools/lab: --iommu --nic igb --nic e1000'
dev=/sys/bus/pci/devices
vf=$(basename "$(readlink "$dev/$pf/virtfn0")") other=$(basename "$(readlink "$dev/$pf/virtfn1")")
vf_mac=52:54:00:aa:00:fe
outside() { nsenter --net=/proc/self/fd/9 "$@"; }
detail() { wye -j show port | jq -r ".[] | select(.netdev == \"$1\") | \"\(.state) \(.detail)\""; }
says_detail() { detail "$1" | grep -qE "$2"; }
becomes() { await 20 says_detail pf0 "^$2" || fail "$1: pf0 is $(detail pf0)"; pass "$1"; }
punted() { port_counter pf0 punted; }
# forwards WHEN [ADDRESS of host2]
forwards() {
	local to=${2-10.0.2.2}
	soon "$1: the way by the VF" ping_from host3 "$to"
	by_dataplane 10 "$1: VF to veth and back" ping_from host3 "$to"
}

lab
ip netns add host3	# the e1000, on one wire with PF and VF
outside ip link set "$peer" netns $$ && ip link set "$peer" netns host3 name eth0
outside ip link set "$netdev" netns $$ && ip link set "$netdev" netns router name pf0
on router sysctl -qw net.ipv6.conf.pf0.accept_dad=0 net.ipv4.icmp_echo_ignore_broadcasts=0
on host3 sysctl -qw net.ipv6.conf.eth0.accept_dad=0
ip -n router addr add 10.0.3.1/24 brd + dev pf0
ip -n router addr add 10.0.3.254/24 dev pf0	# the gateway by the VF
ip -n router addr add fd00:3::1/64 dev pf0
ip -n router link set pf0 up
ip -n host3 addr add 10.0.3.2/24 dev eth0
ip -n host3 addr add fd00:3::2/64 dev eth0
ip -n host3 link set eth0 up
ip -n host3 route add 10.0.2.0/24 via 10.0.3.254
ip -n host3 route add 10.0.1.0/24 via 10.0.3.1
ip -n host3 route add default via fd00:3::1
check 'ARP for one address is answered with the MAC of the VF' on router nft "table arp wye { chain out {
	type filter hook output priority 0; arp operation reply arp saddr ip 10.0.3.254 arp saddr ether set $vf_mac; }; }"
lab_ports=(r2)
configure <<<'steering: { default: dataplane }'
sed -i "s/hugepages: none/hugepages: auto/
	s/^ports:/&\n  - { netdev: pf0, driver: vfio, devargs: \"$vf\" }\n  - { netdev: r1, driver: vfio, devargs: \"$other\" }/" "$conf"
pf_mac=$(ip -n router -j link show pf0 | jq -r .[].address)
check 'to VFIO' wye bind "$vf" vfio-pci
check 'and the other' wye bind "$other" vfio-pci
check 'daemons start' start_daemons

# ---- what it does not stand beside
soon 'a netdev on another wire' says_detail r1 "^failed r1 is neither $other's PF nor"
soon 'and which would be right' grep -q 'port r1: .*give the port pf0, or a name that no netdev has' /run/log/dpd

# ---- one port
becomes 'the VF is a port beside its PF' active
grep -o 'port pf0: .* opened in .*' /run/log/dpd | tail -n 1
check 'the PF is reached' ping_from host3 10.0.3.1
check 'and reaches' ping_from router 10.0.3.2
check 'host2 reaches the router' ping_from host2 10.0.2.1
check 'host2 reaches the router (IPv6)' ping_from host2 fd00:2::1
before=$(punted)
check 'the host by the MAC of the VF' ping_from host3 10.0.3.254
equal 'which the neighbour has learnt' "$(ip -n host3 -j neigh show 10.0.3.254 | jq -r '.[].lladdr')" $vf_mac
equal 'while the address of the PF stays with it' "$(ip -n host3 -j neigh show 10.0.3.1 | jq -r '.[].lladdr')" "$pf_mac"
at_least 'punted into the PF' $(($(punted) - before)) 5
check 'broadcasts, of which PF and VF have a copy each' on host3 ping -b -q -c 3 -i 0.2 -W 4 10.0.3.255
says 'are answered once' '3 received, 0% packet loss' cat /run/output
equal 'duplicates' "$(grep -c duplicates /run/output)" 0
at_least 'since copies are dropped' "$(reason ether_copy)" 3

# ---- forwarding, each way
on host3 timeout 60 tcpdump -peni eth0 -c 1 'udp and src host 10.0.2.2' >/run/source 2>/run/log/tcpdump &
tcpdump=$!
check 'somebody looks' await 10 grep -q 'listening on' /run/log/tcpdump
forwards start
by_dataplane 200 'UDP from the VF' udp 200 host3 host2 10.0.2.2 --rate 500
by_dataplane 200 'UDP to it' udp 200 host2 host3 10.0.3.2 --rate 500
wait $tcpdump
says 'it leaves with the MAC of the VF' "$vf_mac > " cat /run/source
ip -n host3 neigh replace fd00:3::1 lladdr $vf_mac nud permanent dev eth0
forwards 'IPv6, by an entry of the neighbour' fd00:2::2
by_kernel 100 'what is sent to the PF is the kernel'"'"'s' udp 100 host3 host1 10.0.1.2 --rate 500
says 'the kernel answers for what has no more hops' '^ *1 +10\.0\.3\.' on host3 traceroute -n -q 1 -w 4 -m 1 10.0.2.2

# ---- the PF's link, and the VF's
by_hand() { ip -n router link set pf0 "$@"; }
check 'the PF goes down' by_hand down
becomes 'so does the port' '(kernel|failed)'
check 'up again, its VFs reset' by_hand up
becomes 'the port is back' active
forwards 'after a reset'

# ---- one MAC for both
check 'the PF takes the MAC of the VF' by_hand address $vf_mac
becomes 'both would receive all' "failed $vf has the MAC of pf0"
check 'its own again' by_hand address "$pf_mac"
becomes 'the port is back' active
forwards 'after two MACs'

# ---- what the PF does with its VF
check 'the VF is put in a VLAN' by_hand vf 0 vlan 7
becomes 'which the PF is not in' "failed $vf's packets are put in VLAN 7"
by_kernel 10 'the PF goes on' ping_from host3 10.0.1.2
check 'in none again' by_hand vf 0 vlan 0
check 'another MAC' by_hand vf 0 mac 52:54:00:aa:00:66
becomes 'the port is back' active
soon 'with the MAC' grep -q 'has the MAC 52:54:00:AA:00:66' /run/log/dpd
opened() { grep -c "beside it, has the MAC ${vf_mac^^}" /run/log/dpd; }
before=$(opened)
opened_since() { [ "$(opened)" -gt "$before" ]; }
check 'its own again' by_hand vf 0 mac $vf_mac
soon 'which is noticed' opened_since
becomes 'the port is back' active
forwards 'after VLAN and MAC'

# ---- wye-dpd dies
crash "$dpd"
by_kernel 10 'after SIGKILL the PF goes on' ping_from host3 10.0.1.2
check 'and the host answers' ping_from host3 10.0.3.1
lost() { ! on host3 ping -q -c 1 -W 1 10.0.2.2 >/dev/null; }
check 'what is sent to the VF is lost' lost
check 'it starts again' start_dpd
becomes 'it is a port again' active
forwards 'after a restart'
check 'an orderly end' stop "$dpd"
check 'back' wye unbind --all

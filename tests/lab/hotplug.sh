#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# hotplug: a NIC and its VF are taken away under the dataplane and come back, as an af_xdp port (the PF) and a vfio port (the
# VF). Nothing else stops; what comes back is a port again.
#
#	tools/lab --iommu --nic igb --nic e1000 tests/lab/hotplug.sh
if [ -z "${WYE_ISOLATED-}" ]; then
	for module in igb e1000 vfio-pci veth tun; do modprobe $module 2>/dev/null; done
	echo 160 >/proc/sys/vm/nr_hugepages
	for device in /sys/bus/pci/devices/*; do
		[ -e "$device/sriov_totalvfs" ] && echo 0 >"$device/sriov_numvfs"
		[ -e "$device/sriov_totalvfs" ] && [ -e "$device/iommu_group" ] && export pf=${device##*/} pf_mac=$(cat "$device"/net/*/address)
	done
	for device in /sys/bus/pci/drivers/e1000/0000:*; do [ -e "$device/net" ] && export peer=$(ls "$device/net"); done
	exec 9</proc/self/ns/net	# where netdevs appear
fi
. "$(dirname "$0")/../integration/lib.sh"
[ -n "${pf-}" ] && [ -n "${peer-}" ] || skip 'no igb in an IOMMU group, or no e1000; in tools/lab: --iommu --nic igb --nic e1000'
. "$(dirname "$0")/devices.sh"
bus=/sys/bus/pci

# take_pf: into the router as pf0, 10.0.4.1 there
take_pf() {
	local netdev
	netdev=$(outside ip -j link show | jq -r ".[] | select(.address == \"$pf_mac\") | .ifname")
	outside ip link set "$netdev" netns $$ && ip link set "$netdev" netns router name pf0 || return
	on router ethtool -L pf0 combined 1
	ip -n router addr add 10.0.4.1/24 dev pf0
	ip -n router link set pf0 up
}
make_vf() {
	wye vf create pf0 1 mac 52:54:00:aa:00:fe && vf=$(basename "$(readlink "$bus/devices/$pf/virtfn0")") &&
		wye bind "$vf" vfio-pci
}
state_is() { [ "$(port_state "$1")" = "$2" ]; }
# becomes WHAT NETDEV STATE: what it is instead is part of the message, which is all that a summary has
becomes() {
	await 30 state_is "$2" "$3" || fail "$1: $2 is $(detail "$2")"
	pass "$1"
}
state_is_not() { ! state_is "$@"; }
forwards_vf() {
	soon 'the VF reaches host3' ping_from router 10.0.3.2
	by_dataplane 10 "$1: VF to veth" ping_from host3 10.0.2.2
}
forwards_pf() {
	soon 'the PF reaches host3' ping_from router 10.0.4.2
	by_dataplane 10 "$1: PF to veth" ping_from host3 10.0.1.2
}
forwards_others() { by_dataplane 10 "$1: the others" ping_from host1 10.0.2.2; }

lab
ip netns add host3	# the e1000, on one wire with PF and VF
outside ip link set "$peer" netns $$
ip link set "$peer" netns host3 name eth0
ip -n host3 addr add 10.0.3.2/24 dev eth0
ip -n host3 addr add 10.0.4.2/24 dev eth0
ip -n host3 link set eth0 up
ip -n host3 route add 10.0.2.0/24 via 10.0.3.1
ip -n host3 route add 10.0.1.0/24 via 10.0.4.1
on router sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
check 'the PF' take_pf
check 'its VF' make_vf
# The VF first: igb resets it when the PF's XDP program is attached, so it is opened once more.
configure <<<'steering: { default: dataplane }'
sed -i "s/hugepages: none/hugepages: auto/; s/^ports:/&\n  - { netdev: vf0, driver: vfio, devargs: \"$vf\" }\n  - { netdev: pf0, driver: af_xdp }/" "$conf"
check 'daemons start' start_daemons
ip -n router addr add 10.0.3.1/24 dev vf0
ip -n router link set vf0 up
becomes 'the VF is a port' vf0 active
becomes 'the PF is a port' pf0 active
warm
soon 'the VF was reset by the XDP program and opened again' grep -q 'port vf0: .*its PF was reset' /run/log/dpd
becomes 'and is a port' vf0 active
forwards_vf start
forwards_pf start
vf_address() { ip -n router -j link show vf0 | jq -r .[].address; }
untouched() { [ "$(vf_address)" = 52:54:00:aa:00:fe ]; }
check 'a MAC for the companion' ip -n router link set vf0 address 52:54:00:aa:00:77
soon 'that the PF refuses, as the VF is not trusted' grep -q 'port vf0: .* does not take the MAC 52:54:00:AA:00:77' /run/log/dpd
soon 'is taken back' untouched
forwards_vf 'its own MAC'

echo '# ---- the VF goes'
check 'the kernel gets it back' timeout 100 bash -c "echo 0 >$bus/devices/$pf/sriov_numvfs"
soon 'the port is not active any more' state_is_not vf0 active
forwards_others 'without the VF'
forwards_pf 'without the VF'
check 'it comes back' make_vf
becomes 'and is a port' vf0 active
forwards_vf 'a new VF'

echo '# ---- the NIC goes, and with it the VF'
check 'removed' timeout 100 bash -c "echo 1 >$bus/devices/$pf/remove"
soon 'the VF is no port any more' state_is_not vf0 active
becomes 'the PF waits' pf0 waiting
check 'wye-dpd lives' kill -0 "$dpd"
forwards_others 'without the NIC'
echo 1 >$bus/rescan
check 'the PF is there again' take_pf
becomes 'the PF is a port again' pf0 active
check 'its VF' make_vf
becomes 'its VF is a port again' vf0 active
forwards_pf 'a NIC replugged'
forwards_vf 'a NIC replugged'
forwards_others 'a NIC replugged'
check 'an orderly end' stop "$dpd"

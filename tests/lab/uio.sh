#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# uio: devices on UIO, which are given physical addresses, as ports: a VF, beside one on VFIO and an af_xdp port; then the
# whole NIC. The IOMMU knows no physical addresses, and wye-dpd says so; it is told to let them through as the doctor says.
#
#	tools/lab --iommu --nic igb --nic e1000 tests/lab/uio.sh
if [ -z "${WYE_ISOLATED-}" ]; then
	for module in igb e1000 vfio-pci uio_pci_generic veth tun; do modprobe $module 2>/dev/null; done
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
. "$(dirname "$0")/devices.sh"
vf0=$(basename "$(readlink "$dev/$pf/virtfn0")") vf1=$(basename "$(readlink "$dev/$pf/virtfn1")")
# let_through DEVICE: what the doctor says of UIO behind an IOMMU
let_through() {
	local steps
	steps=$(wye doctor "$1" | sed -n 's/.*\(wye bind [^ ]* none && .* --allow-unsafe\).*/\1/p' | head -n 1)
	check "the doctor's steps: $steps" on router env PATH="$WYE_BUILD/tools:$PATH" bash -ec "unset -f wye; ${steps:-false}"
}

lab
check 'the PF stays with the kernel' other_end host3 "$netdev" 3
check 'another NIC on its wire' other_end host5 "$peer" 4 5
on router sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
lab_ports=(r2)
configure <<<'steering: { default: dataplane }'
sed -i "s/hugepages: none/hugepages: auto/
	s/^ports:/&\n  - { netdev: u0, driver: uio, devargs: \"$vf0\" }\n  - { netdev: v1, driver: vfio, devargs: \"$vf1\" }/" "$conf"
check 'daemons start' start_daemons
says 'UIO asks for a word' '--allow-unsafe' wye bind --ports --config "$conf"
check 'to UIO and VFIO' wye bind --ports --allow-unsafe --config "$conf"
equal 'their drivers' "$(driver "$vf0") $(driver "$vf1")" 'uio_pci_generic vfio-pci'
soon 'the IOMMU is in the way' says_detail u0 "^failed $vf0 .*behind an IOMMU"
let_through "$vf0"

# ---- by physical addresses: a VF on UIO, one on VFIO, AF_XDP
port u0 host3 3
port v1 host5 4
check 'host2 reaches the router' ping_from host2 10.0.2.1
says 'an idle worker naps' "port u0: nothing tells of packets in $vf0 .UIO has one interrupt" cat /run/log/dpd
by_dataplane 10 'UIO to AF_XDP' ping_from host3 10.0.2.2 -S 10.0.3.2
by_dataplane 200 'AF_XDP to UIO' udp 200 host2 host3 10.0.3.2 --rate 500
by_dataplane 200 'AF_XDP to VFIO' udp 200 host2 host5 10.0.4.2 --rate 500
by_dataplane 200 'VF to VF' udp 200 host3 host5 10.0.4.2 --rate 500
by_dataplane 200 'and back' udp 200 host5 host3 10.0.3.2 --rate 500
crash "$dpd"
check 'back, after SIGKILL' wye unbind --all

# ---- the whole NIC
ip -n host3 link set eth0 netns router name nic0
check 'its VFs end' wye vf delete nic0
ip -n router link set nic0 netns $$
ip -n host5 route add 10.0.2.0/24 via 10.0.5.1
sed -i "/netdev: [uv][01]/d; s/^ports:/&\n  - { netdev: n0, driver: uio, devargs: \"$pf\", device: whole }/" "$conf"
kill -HUP "$ctld"
check 'wye-dpd starts' start_dpd
check 'to UIO' wye bind --ports --allow-unsafe --config "$conf"
let_through "$pf"
port n0 host5 5
by_dataplane 10 'the whole NIC to AF_XDP' ping_from host5 10.0.2.2
by_dataplane 200 'AF_XDP to the whole NIC' udp 200 host2 host5 10.0.5.2 --rate 500
check 'an orderly end' stop "$dpd"
check 'back with the kernel' wye unbind --all
equal 'its driver' "$(driver "$pf")" igb

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# uio_no_iommu: on a machine without an IOMMU, where UIO is all there is: physical addresses go to the memory itself. A VF, which
# has no interrupt of its own, and a whole NIC of another make, which has one, as ports beside an af_xdp port. With QEMU's
# e1000 in its place DPDK received, but nothing that it sent arrived; why is not known.
#
#	tools/lab --nic igb --nic e1000e tests/lab/uio_no_iommu.sh
if [ -z "${WYE_ISOLATED-}" ]; then
	for module in igb e1000e vfio-pci uio_pci_generic veth tun; do modprobe $module 2>/dev/null; done
	echo 160 >/proc/sys/vm/nr_hugepages
	for device in /sys/bus/pci/drivers/igb/0000:*; do [ -e "$device/net" ] && export pf=${device##*/} netdev=$(ls "$device/net"); done
	for device in /sys/bus/pci/drivers/e1000e/0000:*; do [ -e "$device/net" ] && export whole=${device##*/}; done
	[ -n "${pf-}" ] && { "${WYE_BUILD:-$(dirname "$0")/../../build}/tools/wye" vf create "$netdev" 1 mac 52:54:00:aa:00:fe || exit; }
	exec 9</proc/self/ns/net	# where the NICs are
fi
. "$(dirname "$0")/../integration/lib.sh"
[ -n "${pf-}" ] && [ -n "${whole-}" ] && [ -z "$(ls /sys/kernel/iommu_groups)" ] ||
	skip 'an IOMMU, or no igb or no e1000e; in tools/lab: --nic igb --nic e1000e'
. "$(dirname "$0")/devices.sh"
vf=$(basename "$(readlink "$dev/$pf/virtfn0")")
vf_driver=$(driver "$vf")	# igbvf's, if it is loaded
doctor() { wye doctor --config "$conf" "$1"; }

lab
check 'the PF stays with the kernel' other_end host3 "$netdev" 3 4
on router sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
lab_ports=(r2)
configure <<<'steering: { default: dataplane }'
sed -i "s/hugepages: none/hugepages: auto/
	s/^ports:/&\n  - { netdev: u0, driver: uio, devargs: \"$vf\" }\n  - { netdev: n0, driver: uio, devargs: \"$whole\", device: whole }/" "$conf"
check 'daemons start' start_daemons
says 'VFIO has no way' "$vf is in no IOMMU group, so vfio-pci will not take it" wye bind "$vf" vfio
says 'the doctor says what to do' "^fail +device +$vf: .*wye bind $vf uio_pci_generic --allow-unsafe" doctor u0
says 'UIO asks for a word' '--allow-unsafe' wye bind --ports --config "$conf"
check 'to UIO' wye bind --ports --allow-unsafe --config "$conf"
equal 'their drivers' "$(driver "$vf") $(driver "$whole")" 'uio_pci_generic uio_pci_generic'

port u0 host3 3
port n0 host3 4
says 'the doctor knows who has it' "^note +users +$whole: .*in use by wye-dpd" doctor n0
says 'and what is amiss with UIO' "^warn +driver +$whole: on uio_pci_generic: no IOMMU" doctor n0
check 'host2 reaches the router' ping_from host2 10.0.2.1
by_dataplane 10 'the VF to AF_XDP' ping_from host3 10.0.2.2 -S 10.0.3.2
by_dataplane 200 'AF_XDP to the VF' udp 200 host2 host3 10.0.3.2 --rate 500
by_dataplane 200 'AF_XDP to the NIC' udp 200 host2 host3 10.0.4.2 --rate 500
ip -n host3 route add 10.0.2.0/24 via 10.0.4.1
by_dataplane 200 'the NIC to AF_XDP' udp 200 host3 host2 10.0.2.2 --rate 500
says 'what has no more hops is answered by the kernel' '^ *1 +10\.0\.4\.1' on host3 traceroute -n -q 1 -w 4 -m 1 10.0.2.2

# ---- killed: the devices stop, the kernel has them back
crash "$dpd"
check 'back, after SIGKILL' wye unbind --all
equal 'their drivers' "$(driver "$vf") $(driver "$whole")" "$vf_driver e1000e"

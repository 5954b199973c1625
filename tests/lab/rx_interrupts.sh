#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# rx_interrupts: a worker sleeps until the whole NIC that it has on vfio-pci interrupts, and naps with a port besides that has no
# receive interrupts. The other NIC on the wire is a host's. With e1000e for igb: DPDK's driver says that it interrupts, and
# does not, which shows.
#
#	tools/lab --iommu --nic igb --nic e1000 tests/lab/rx_interrupts.sh
if [ -z "${WYE_ISOLATED-}" ]; then
	for module in igb e1000e e1000 vfio-pci veth tun; do modprobe $module 2>/dev/null; done
	echo 160 >/proc/sys/vm/nr_hugepages
	for device in /sys/bus/pci/drivers/igb/0000:* /sys/bus/pci/drivers/e1000e/0000:*; do
		[ -e "$device/sriov_numvfs" ] && echo 0 >"$device/sriov_numvfs"
		[ -e "$device/net" ] && [ -e "$device/iommu_group" ] && export nic=${device##*/} model=$(basename "${device%/*}")
	done
	for device in /sys/bus/pci/drivers/e1000/0000:*; do [ -e "$device/net" ] && export peer=$(ls "$device/net"); done
	exec 9</proc/self/ns/net	# where the NICs are
fi
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/idle.sh"
[ -n "${nic-}" ] && [ -n "${peer-}" ] || skip 'no igb in an IOMMU group, or no e1000; in tools/lab: --iommu --nic igb --nic e1000'
. "$(dirname "$0")/devices.sh"

lab
check 'the other NIC is a host' other_end host3 "$peer" 3
lab_ports=(r2)
configure <<<'steering: { default: dataplane }'
sed -i "s/hugepages: none/hugepages: auto/; s/^ports:/&\n  - { netdev: n0, driver: vfio, devargs: \"$nic\", device: whole }/" "$conf"
sed "s/^ports:/&\n  - { netdev: r1, driver: devargs, devargs: \"net_null0,no-rx=1\" }/" "$conf" >/run/napping
check 'to VFIO' wye bind --ports --config "$conf"
check 'daemons start' start_daemons
port n0 host3 3
equal 'it has receive interrupts' "$(mode n0)" interrupts
if [ "$model" = e1000e ]; then
	mute() { [ "$(mode n0)" = polled ]; }
	on host3 fping -q -C 8 -p 1500 -t 5000 10.0.2.2
	soon 'which do not come: the worker naps' mute
	says 'it is said' 'warning: port n0: the receive interrupts of .* do not come' cat /run/log/dpd
	by_dataplane 10 'it forwards' ping_from host3 10.0.2.2
	exit
fi
check 'host2 reaches the router' ping_from host2 10.0.2.1
by_dataplane 10 'the worker forwards' ping_from host3 10.0.2.2
sleeping=$(sleeps_in 2)
wakes_up host3 100
check 'an orderly end' stop "$dpd"

mv /run/napping "$conf"
check 'with a port that has none' start_dpd
check 'the NIC is a port again' await 30 says_detail n0 '^active '
says 'it is said' 'port r1: nothing tells of packets in net_null0 .*naps' cat /run/log/dpd
rarer "$sleeping" "$(sleeps_in 2)"
check 'an orderly end' stop "$dpd"
check 'back with the kernel' wye unbind --all

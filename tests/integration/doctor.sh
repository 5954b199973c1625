#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# doctor: what `wye doctor` makes of machines that are only files: groups, devices, pages, what vanishes and what may not be
# read; and that it writes nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fixture.sh"
doctor() { "${run_as[@]}" "$WYE_BUILD/tools/wye" doctor --root "$root" --config "$root/etc/wye/wye.yaml" "$@"; }
run_as=()
# exits STATUS WHAT ARGUMENTS: the whole answer is then in /run/output
exits() {
	local want=$1 what=$2 status
	shift 2
	doctor "$@" >/run/output 2>&1
	status=$?
	[ $status = "$want" ] || { cat /run/output; fail "$what: exit status $status, expected $want"; }
	pass "$what: exit status $want"
}
has() { says "$1" "$2" cat /run/output; }
json() { (set +o pipefail && doctor -j "${@:2}" | jq -e "$1"); }

fixture_new /run/viable
pci 0000:01:00.0 0x020000 e1000e 7 eth1
exits 0 'a viable group' 1:0.0
has 'it is viable' '^ok +group +group 7: viable'
has 'how to bind it' '> wye bind 0000:01:00.0 vfio-pci'
exits 6 'the same by its netdev, which is no port' eth1

fixture_new /run/bridge
pci 0000:00:1c.0 0x060400 pcieport 9
pci 0000:03:00.0 0x020000 vfio-pci 9
pci 0000:03:00.1 0x020000 e1000e 9 eth3
exits 6 'a group with a bridge and a sibling' 0000:03:00.0
has 'not viable' '^fail +group +group 9: the VFIO group is not viable for 0000:03:00.0: 1 of its 3'
has 'the bridge does not block' '0000:00:1c.0: class 060400 PCI bridge, driver pcieport, netdev none: does not block'
has 'the sibling does' '0000:03:00.1: class 020000 Ethernet controller, driver e1000e, netdev eth3: BLOCKS'
has 'way 1' '> 1\. .*costs: .*wye bind 0000:03:00.0 vfio-pci --group$'
has 'way 2' '> 2\. .*costs: .*for d in 0000:03:00.1; do wye bind \$d none; done; wye bind 0000:03:00.0 vfio-pci$'
has 'way 3' '> 3\. ACS override; costs: .*pcie_acs_override='
has 'way 4' '> 4\. no IOMMU; costs: .*wye bind 0000:03:00.0 vfio-pci --allow-unsafe$'
check 'as JSON' json '.result == "fail" and (.findings[] | select(.check == "group") | (.evidence | length) == 3 and (.next |
	length) == 4)' 0000:03:00.0

fixture_new /run/storage
pci 0000:04:00.0 0x020000 e1000e 11 eth4
pci 0000:04:00.1 0x010802 nvme 11
exits 6 'a group with a storage controller' 04:00.0
has 'the storage controller is named' '0000:04:00.1: class 010802 NVMe storage, driver nvme, .*BLOCKS; a storage controller'

fixture_new /run/none
pci 0000:05:00.0 0x020000 e1000e - eth5
exits 5 'no IOMMU' 05:00.0
has 'in no group' '^warn +group +0000:05:00.0: in no IOMMU group'
has 'the kernel argument for this processor' '> .*"intel_iommu=on iommu=pt"'
exits 0 'no IOMMU, the whole machine'
has 'no IOMMU is on' '^note +iommu +no IOMMU is on'
exits 4 'a device that is not there' 0000:0a:00.0
has 'that is said' 'PCI device 0000:0a:00.0: there is none on this machine'
exits 4 'neither device nor netdev' nonsense
exits 1 'a name that is a path' ../../etc/passwd
exits 2 'an unknown option' --fix

fixture_new /run/uio
pci 0000:05:00.0 0x020000 uio_pci_generic -
pci 0000:05:00.1 0x020000 igb_uio 12
exits 5 'UIO without an IOMMU' 05:00.0
exits 6 'UIO behind an IOMMU' 05:00.1
has 'and how it lets physical addresses through' 'behind an IOMMU .*type DMA-FQ.* echo identity > /sys/kernel/iommu_groups/12/type'
fixture_file sys/kernel/iommu_groups/12/type identity
exits 5 'one that does' 05:00.1

fixture_new /run/gone
pci 0000:06:00.0 0x020000 e1000e 13
pci 0000:06:00.1 0x020000 e1000e 13
rm -r "$root/sys/devices/pci0000:00/0000:06:00.1"
exits 6 'a member that is gone' 06:00.0
has 'it says which' '^fail +group +group 13: IOMMU group 13: 0000:06:00.1 went away while the group was looked at'

fixture_new /run/flicker
pci 0000:06:00.0 0x020000 e1000e 13
pci 0000:06:00.1 0x020000 - 13
flicker 0000:06:00.1
for ((i = 0; i < 200; i++)); do
	doctor 06:00.0 >/run/output 2>&1
	status=$?
	case $status in
	0 | 6) ;;
	*) cat /run/output; fail "while a member comes and goes: exit status $status" ;;
	esac
	[ $status = 0 ] || grep -q 'went away' /run/output || { cat /run/output; fail 'a failure that does not say what went away'; }
done
flicker_end
pass 'while a member comes and goes each answer is whole, or says what went away'

fixture_new /run/secret
pci 0000:07:00.0 0x020000 e1000e 15
chmod 000 "$root/sys/devices/pci0000:00/0000:07:00.0/class"
run_as=(setpriv --bounding-set=-dac_override,-dac_read_search --)
exits 1 'a file that may not be read' 07:00.0
has 'it says which, and what to do' '/sys/bus/pci/devices/0000:07:00.0/class: Permission denied; run as root'
run_as=()

fixture_new /run/platform
platform fff51000.ethernet xgmac 17 eth7
fixture_file sys/devices/platform/fff51000.ethernet/of_node/compatible calxeda,hb-xgmac
platform ACPI0001:00 - 18
fixture_file sys/devices/platform/ACPI0001:00/firmware_node/hid ACPI0001
platform made.0 - 19
exits 0 'a platform device of the device tree' fff51000.ethernet
has 'its identity' '^ok +identity +fff51000.ethernet: described by the device tree as calxeda,hb-xgmac'
has 'its reset module' '> modprobe vfio-platform-calxedaxgmac'
exits 0 'one of ACPI' ACPI0001:00
has 'its reset' 'vfio-platform wants method _RST'
exits 6 'one that nothing describes' made.0

fixture_new /run/beside
pci 0000:08:00.0 0x020000 ixgbe 20 eth8
pci 0000:09:00.0 0x020000 ixgbe 21 eth9
for vf in 0000:08:10.0 0000:08:10.2; do
	pci $vf 0x020000 vfio-pci 22
	ln -s ../0000:08:00.0 "$root/sys/bus/pci/devices/$vf/physfn"
done
fixture_file etc/wye/wye.yaml 'ports:
  - { netdev: eth8, driver: vfio, devargs: "0000:08:10.0" }
  - { netdev: eth9, driver: vfio, devargs: "0000:08:10.2" }'
says 'a VF and its PF' '^ok +companion +eth8: 0000:08:10.0 stands beside it' doctor eth8
says 'a VF and another NIC' "^fail +companion +eth9: eth9 is neither 0000:08:10.2's PF .*give the port eth8, or" doctor eth9

fixture_new /run/machine
pci 0000:08:00.0 0x020000 ixgbe 20 eth8
pci 0000:08:10.0 0x020000 vfio-pci 21
echo 63 >"$root/sys/bus/pci/devices/0000:08:00.0/sriov_totalvfs"
echo 1 >"$root/sys/bus/pci/devices/0000:08:00.0/sriov_numvfs"
echo 1 >"$root/sys/bus/pci/devices/0000:08:00.0/numa_node"
fixture_file etc/wye/wye.yaml 'memory: { hugepages: hugetlbfs, size_mib: 512 }
workers: { cpus: [2] }
ports: [ { netdev: eth8, driver: af_xdp } ]'
fixture_file sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 10
fixture_file sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 4
fixture_file sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages 4
fixture_file sys/kernel/mm/transparent_hugepage/enabled 'always madvise [never]'
fixture_file sys/devices/system/cpu/cpu2/cpufreq/scaling_governor powersave
fixture_file sys/devices/system/cpu/isolated 3-4
fixture_file sys/devices/system/node/node0/cpulist 0-3
fixture_file sys/devices/system/node/node1/cpulist 4-7
fixture_file sys/devices/system/node/node0/distance '10 21'
fixture_file sys/devices/system/node/node1/distance '21 10'
fixture_file sys/module/vfio/parameters/enable_unsafe_noiommu_mode Y
fixture_file boot/config-6.1.0-49-amd64 'CONFIG_BPF_SYSCALL=y
# CONFIG_XDP_SOCKETS is not set
CONFIG_VFIO_PCI=m'
fixture_file proc/4711/comm irqbalance
fixture_file run/NetworkManager/devices/2 'managed=true'
echo 9000 >"$root/sys/class/net/eth8/mtu"
exits 6 'a whole machine'
has 'hugepages' '^fail +hugepages .*nr_hugepages'
has 'by node' 'node0/hugepages/hugepages-2048kB/free_hugepages: 4'
has 'THP off' '^note +thp +transparent huge pages are off'
has 'governor' '^note +governor +CPU 2: powersave'
has 'not isolated' '^note +cpu +CPU 2: .*other processes'
has 'NUMA' '^warn +numa +eth8: on node 1, worker on CPU 2 of node 0: distance 21'
has 'NUMA, what to do' '> in wye.yaml: .*some of 4-7'
has 'no-IOMMU mode' '^warn +iommu +.*no-IOMMU mode is on'
has 'kernel configuration' '^fail +kernel +XDP_SOCKETS: not in this kernel'
has 'VFs' '^note +sriov +0000:08:00.0: eth8: 1 of 63 VFs'
has 'by driver' '^ok +af_xdp +eth8: driver ixgbe: native XDP yes, zero-copy yes'
has 'MTU' '^fail +mtu +eth8: 9000'
has 'irqbalance' '^note +conflict +irqbalance'
has 'NetworkManager' '^note +conflict +eth8: NetworkManager'

# A port by its device: what wye-dpd would say of it, and nothing of AF_XDP.
fixture_new /run/port
pci 0000:08:00.0 0x020000 ixgbe 20 eth8
pci 0000:08:10.0 0x020000 ixgbevf 21
pci 0000:08:10.2 0x020000 vfio-pci 22
pci 0000:08:10.4 0x020000 uio_pci_generic 23
for vf in 0 2 4; do ln -s ../0000:08:00.0 "$root/sys/devices/pci0000:00/0000:08:10.$vf/physfn"; done
echo 1 >"$root/sys/devices/pci0000:00/0000:08:10.2/numa_node"
platform fff51000.ethernet xgmac 24
fixture_file dev/vfio/22 ''
fixture_file sys/devices/system/node/node0/cpulist 0-3
fixture_file sys/devices/system/node/node1/cpulist 4-7
fixture_file proc/42/comm qemu-system-x86
mkdir "$root/proc/42/fd" && ln -s /dev/vfio/22 "$root/proc/42/fd/9"
fixture_file etc/wye/wye.yaml 'workers: { cpus: [2] }
ports:
  - { netdev: kernels, driver: vfio, devargs: "0000:08:10.0" }
  - { netdev: ready, driver: vfio, devargs: "0000:08:10.2,an_option=1" }
  - { netdev: uio, driver: uio, devargs: "0000:08:10.4" }
  - { netdev: whole, driver: vfio, devargs: "0000:08:00.0" }
  - { netdev: none, driver: vfio, devargs: "0000:08:1f.0" }
  - { netdev: soc, driver: vfio, devargs: fff51000.ethernet, device: whole }
  - { netdev: eth8, driver: mlx5 }'
exits 6 'a port on VFIO whose device the kernel has' kernels
has 'it says how to bind it' '^fail +device +0000:08:10.0: 0000:08:10.0 is bound to driver ixgbevf, not on VFIO: wye bind 0000:08:10.0 vfio-pci'
refused 'nothing of AF_XDP' grep -qE 'af_xdp|^[a-z]+ +mtu' /run/output
exits 5 'one that VFIO has' ready
has 'its group' '^ok +group +group 22: viable'
has 'who has it open' '^note +users +0000:08:10.2: .* in use by qemu-system-x86 \(pid 42\)'
has 'its node' '^warn +numa +ready: on node 1, worker on CPU 2 of node 0'
has 'its netdev is to come' '^note +netdev +ready: .*wye-dpd makes a TAP'
exits 6 'one on UIO behind an IOMMU' uio
equal 'which is said once' "$(grep -c 'behind an IOMMU' /run/output)" 1
exits 6 'a PF where a VF is meant' whole
has 'it says so' '^fail +device +whole: 0000:08:00.0 .*no virtual function.*device: whole'
exits 6 'no such device' none
has 'it says so' '^fail +device +none: PCI device 0000:08:1f.0: there is none'
exits 6 'a platform device' soc
has 'it says how to bind it' '^fail +device +fff51000.ethernet: .* bound to driver xgmac, not on VFIO: wye bind fff51000.ethernet vfio-platform'
exits 6 'driver mlx5 for another NIC' eth8
has 'it says so' '^fail +device +eth8: eth8 is driven by ixgbe, not by mlx5_core'

# Zero writes, on the machine itself: no file is opened for writing, made, removed or renamed.
ip link add v0 type veth peer name v1
printf 'ports: [ { netdev: v0, driver: af_xdp } ]\n' >"$conf"
TIMEFORMAT='%U %S'
spent=$({ time "$WYE_BUILD/tools/wye" doctor --config "$conf" >/dev/null; } 2>&1)
at_most 'CPU time of a whole run, ms' "$(awk '{ printf "%d", ($1 + $2) * 1000 }' <<<"$spent")" 1000
for arguments in '' v0; do
	strace -f -o /run/strace "$WYE_BUILD/tools/wye" doctor --config "$conf" $arguments >/dev/null
	[ "$(wc -l </run/strace)" -gt 100 ] || fail 'strace saw nothing'
	refused "doctor $arguments: writes nothing" grep -E \
		'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|\b(unlink|rename|mkdir|rmdir|symlink|link|mknod|chmod|chown|truncate|mount|ftruncate)(at)?2?\(|PROT_WRITE.*MAP_SHARED' \
		/run/strace
	equal "doctor $arguments: writes to standard output alone" "$(grep -oE '\b(pwrite64|writev?)\([0-9]+' /run/strace |
		grep -vE '\([12]$' | wc -l)" 0
done

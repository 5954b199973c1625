#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bind: inside tools/lab --iommu --nic igb --nic e1000 --nic e1000, on the machine's own devices: VFs made, set up, given to
# VFIO and UIO and back; what is needed or in use is refused; a group that is not viable is explained, and cured by the steps
# that the explanation names.
set -u -o pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
. "$here/tools/netlab.sh"
. "$here/tests/integration/assert.sh"
PATH=$WYE_BUILD/tools:$PATH
unset -f wye
dev=/sys/bus/pci/devices

[ -n "${WYE_IN_LAB-}" ] || skip 'changes the drivers of real devices: runs in tools/lab only'
for module in igb igbvf e1000 vfio-pci uio_pci_generic 8021q; do modprobe "$module" || skip "the kernel has no $module"; done
pf=$(basename "$(readlink -f /sys/bus/pci/drivers/igb/0000:*)")
mapfile -t legacy < <(cd /sys/bus/pci/drivers/e1000 && printf '%s\n' 0000:*)
[ -e "$dev/$pf/sriov_totalvfs" ] && [ ${#legacy[@]} = 2 ] && [ -e "$dev/$pf/iommu_group" ] ||
	skip 'needs --iommu --nic igb --nic e1000 --nic e1000'
pf_netdev=$(ls "$dev/$pf/net")

driver() { basename "$(readlink "$dev/$1/driver" || echo none)"; }
group() { basename "$(readlink "$dev/$1/iommu_group")"; }
# kernel_says_viable DEVICE: VFIO_GROUP_GET_STATUS; 1, 0, or why it may not be asked
kernel_says_viable() {
	python3 - "/dev/vfio/$(group "$1")" <<-'PY'
		import fcntl, struct, sys
		try:
		    with open(sys.argv[1], 'r+b', buffering=0) as group:
		        status = bytearray(struct.pack('II', 8, 0))
		        fcntl.ioctl(group, 0x3b67, status)
		        print(struct.unpack('II', status)[1] & 1)
		except OSError as error:
		    print(error.strerror)
	PY
}
doctor_exits() { equal "$1: doctor's exit status" "$(wye doctor "$2" >/run/output 2>&1; echo $?)" "$3"; }

# ---- VFs
check 'two VFs' wye vf create "$pf_netdev" 2 mac 52:54:00:aa:00:fe trust on spoofchk off
equal 'the kernel has them' "$(cat "$dev/$pf/sriov_numvfs")" 2
vf0=$(basename "$(readlink "$dev/$pf/virtfn0")") vf1=$(basename "$(readlink "$dev/$pf/virtfn1")")
in_kernel() { ip -j link show dev "$pf_netdev" | jq -r ".[0].vfinfo_list[$1] | \"\(.address) \(.vlan_list[0].vlan // 0) \(.trust) \(.spoofchk)\""; }
equal 'as the kernel has the first' "$(in_kernel 0)" '52:54:00:aa:00:fe 0 true false'
equal 'the second counts on' "$(in_kernel 1)" '52:54:00:aa:00:ff 0 true false'
check 'one of them' wye vf set "$pf_netdev" 1 vlan 7 trust off
equal 'that one' "$(in_kernel 1)" '52:54:00:aa:00:ff 7 false false'
equal 'show' "$(wye -j vf show "$pf" | jq -c '.[1] | [.vf, .device, .driver, .mac, .vlan, .trust, .spoofchk]')" \
	"[1,\"$vf1\",\"igbvf\",\"52:54:00:aa:00:ff\",7,false,false]"
says 'another number' 'by way of none only' wye vf create "$pf_netdev" 3
says 'too many' '1 to 7' wye vf create "$pf_netdev" 200
says 'a VF where a PF is meant' "is a VF itself; its PF is $pf" wye vf show "$vf0"
says 'a NIC without SR-IOV' 'cannot make VFs' wye vf create "${legacy[0]}" 1

# ---- to VFIO and back
doctor_exits 'a VF' "$vf0" 0
check 'a VF to VFIO' wye bind "$vf0" vfio
equal 'its driver' "$(driver "$vf0")" vfio-pci
equal 'it is remembered' "$(wye -j bind | jq -c '.[0] | [.device, .from, .to]')" "[\"$vf0\",\"igbvf\",\"vfio-pci\"]"
equal 'and the kernel agrees' "$(kernel_says_viable "$vf0")" 1
exec 7<>"/dev/vfio/$(group "$vf0")"
says 'in use' "$vf0 is in use by bash \(pid $$\)" wye unbind "$vf0"
says 'the VFs, one of them in use' "$vf0 is in use" wye vf delete "$pf_netdev"
equal 'it is still there' "$(driver "$vf0")" vfio-pci
exec 7>&-
check 'back' wye unbind "$vf0"
equal 'its driver' "$(driver "$vf0")" igbvf
equal 'no override is left' "$(cat "$dev/$vf0/driver_override")" '(null)'
equal 'nothing is remembered' "$(wye -j bind)" '[]'
says 'UIO' '.*--allow-unsafe' wye bind "$vf0" uio_pci_generic
check 'UIO all the same' wye bind "$vf0" uio_pci_generic --allow-unsafe
equal 'its driver' "$(driver "$vf0")" uio_pci_generic
doctor_exits 'on UIO, where the IOMMU knows none of its addresses' "$vf0" 6
says 'and how it would be' 'echo identity > /sys/kernel/iommu_groups' cat /run/output
check 'another has no driver' wye bind "$vf1" none
equal 'none' "$(driver "$vf1")" none
check 'all back' wye unbind --all
equal 'both' "$(driver "$vf0") $(driver "$vf1")" 'igbvf igbvf'
says 'a PF with VFs' 'is a PF with 2 VFs' wye bind "$pf" vfio-pci
vf_netdev=$(ls "$dev/$vf0/net")
ip link set "$pf_netdev" up && ip link set "$vf_netdev" up && ip addr add 203.0.113.1/24 dev "$vf_netdev"
ip route add default via 203.0.113.2 dev "$vf_netdev" onlink
says 'the VFs, one of which carries the default route' "$vf_netdev carries the default route.*--force" wye vf delete "$pf_netdev"
equal 'they are still there' "$(cat "$dev/$pf/sriov_numvfs")" 2
check 'the VFs end, by force' wye vf delete "$pf_netdev" --force
equal 'none is left' "$(cat "$dev/$pf/sriov_numvfs")" 0

# ---- the platform bus: its own drivers and probing, the same way there and back
platform=/sys/bus/platform/devices/i8042
[ -e "$platform/driver" ] || fail 'this machine has no i8042, the platform device that every PC has'
says 'a platform device to VFIO' 'i8042 is in no IOMMU group, so vfio-platform will not take it' wye bind i8042 vfio
says 'to a PCI driver' 'wye bind i8042 vfio-platform' wye bind i8042 vfio-pci
check 'without a driver' wye bind i8042 none
equal 'none' "$(basename "$(readlink "$platform/driver" || echo none)")" none
check 'and back' wye unbind i8042
equal 'its driver' "$(basename "$(readlink "$platform/driver" || echo none)")" i8042

# ---- what is needed
pf_netdev=$(ls "$dev/$pf/net")
ip link set "$pf_netdev" up && ip addr add 192.0.2.1/24 dev "$pf_netdev"
ip route add default via 192.0.2.254
says 'the default route' 'carries the default route' wye bind "$pf" vfio-pci
ip route del default
ip route add default via 192.0.2.254 table 100 && ip rule add fwmark 1 lookup 100
says 'that of a table that a rule leads to' 'carries a default route: that of table 100' wye bind "$pf" vfio-pci
ip rule del fwmark 1 && ip route del default table 100
ip link add link "$pf_netdev" name tagged type vlan id 5 && ip link set tagged up && ip addr add 198.51.100.1/24 dev tagged
ip route add default via 198.51.100.2
says 'that of a VLAN on it' 'or what is stacked on it\) carries the default route' wye bind "$pf" vfio-pci
ip link del tagged
says 'ssh' 'carries this ssh session' env SSH_CONNECTION='192.0.2.9 50000 192.0.2.1 22' wye bind "$pf" vfio-pci
says 'ssh of a parent, as under sudo' 'carries this ssh session' env SSH_CONNECTION='192.0.2.9 50000 192.0.2.1 22' bash -c \
	"env -u SSH_CONNECTION wye bind $pf vfio-pci; true"
equal 'it is where it was' "$(driver "$pf")" igb
check 'by force' env SSH_CONNECTION='192.0.2.9 50000 192.0.2.1 22' wye bind "$pf" vfio-pci --force
check 'and back' wye unbind --all
equal 'its driver' "$(driver "$pf")" igb

# ---- a group that is not viable
by_hand() { # DEVICE: as one does who has read half a page
	echo vfio-pci >"$dev/$1/driver_override"
	echo "$1" >"$dev/$1/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
}
way() { wye -j doctor "$1" | jq -r '.findings[] | select(.check == "group") | .next[]' | sed -n "s/^$2\\. .*: \\(.*wye bind\\)/\\1/p"; }
first=${legacy[0]} second=${legacy[1]}
for number in 1 2; do
	by_hand "$first"
	equal "way $number: reproduced: the kernel says" "$(kernel_says_viable "$first")" 0
	doctor_exits "way $number: explained" "$first" 6
	says "way $number: who blocks" "$second: class 020000 Ethernet controller, driver e1000, netdev .*: BLOCKS" cat /run/output
	steps=$(way "$first" $number)
	echo "way $number: $steps"
	check "way $number: its steps" bash -ec "$steps"
	equal "way $number: cured: the kernel says" "$(kernel_says_viable "$first")" 1
	doctor_exits "way $number: cured" "$first" 0
	check "way $number: all back" wye unbind --all
	check "way $number: and what was done by hand" wye unbind "$first"
	equal "way $number: their drivers" "$(driver "$first") $(driver "$second")" 'e1000 e1000'
done
says 'one of the group alone' "group $(group "$first") would not be viable: $second .*--group" wye bind "$first" vfio-pci
equal 'it is where it was' "$(driver "$first")" e1000

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bind: what `wye bind` refuses, on machines that are only files: with a reason, and with every file as it was. What it does
# takes a kernel: tests/lab/bind.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fixture.sh"
bind() { "${run_as[@]}" env -u SSH_CONNECTION ${ssh:+SSH_CONNECTION="$ssh"} "$WYE_BUILD/tools/wye" -r /run/state bind --root "$root" "$@"; }
run_as=() ssh=
contents() { (cd "$root" && find . -type l -printf '%p %l\n' -o -type f -printf '%p ' -a -exec md5sum {} \; | sort | md5sum); }
# no STATUS WHAT PATTERN ARGUMENTS
no() {
	local want=$1 what=$2 pattern=$3 before status
	shift 3
	before=$(contents)
	bind "$@" >/run/output 2>&1
	status=$?
	says "$what: the reason" "$pattern" cat /run/output
	equal "$what: exit status" "$status" "$want"
	[ "$(contents)" = "$before" ] || fail "$what: something was written"
	[ ! -s /run/state/bind ] || fail "$what: something is remembered: $(cat /run/state/bind)"
}

fixture_new /run/machine
pci 0000:00:1c.0 0x060400 pcieport 1
pci 0000:01:00.0 0x020000 e1000e 2 eth1
pci 0000:02:00.0 0x020000 igb 3 eth2
echo 7 >"$root/sys/bus/pci/devices/0000:02:00.0/sriov_totalvfs"
echo 2 >"$root/sys/bus/pci/devices/0000:02:00.0/sriov_numvfs"
pci 0000:03:00.0 0x020000 e1000e 4 eth3
pci 0000:03:00.1 0x010802 nvme 4
pci 0000:04:00.0 0x020000 e1000e - eth4
pci 0000:05:00.0 0x020000 vfio-pci 5
platform fff51000.ethernet xgmac 6 eth6
mkdir -p "$root"/sys/bus/pci/drivers/{vfio-pci,uio_pci_generic} "$root"/proc/{net,42/fd} "$root/sys/bus/platform/drivers/vfio-platform"

no 4 'a device that is not there' 'there is none on this machine' 0000:0f:00.0 vfio-pci
no 2 'a driver that is none' 'one of vfio, vfio-pci' 01:00.0 e1000
no 2 'a platform driver for a PCI device' 'wye bind 0000:01:00.0 vfio-pci' 01:00.0 vfio-platform
no 2 'a PCI driver for a platform device' 'wye bind fff51000.ethernet vfio-platform' fff51000.ethernet vfio-pci
no 2 'a bridge' 'is a bridge' 00:1c.0 vfio-pci
no 1 'a PF with VFs' 'is a PF with 2 VFs.*wye vf delete' 02:00.0 vfio-pci --force
no 1 'a storage controller' 'is a storage controller.*--force' 03:00.1 vfio-pci
no 1 'a group with a storage controller' '0000:03:00.1.*nvme.*blocks it.*--group' 03:00.0 vfio-pci
no 1 'the whole group' '0000:03:00.1 is a storage controller' 03:00.0 vfio-pci --group
no 1 'no IOMMU' 'is in no IOMMU group, so vfio-pci will not take it.*wye doctor 0000:04:00.0' 04:00.0 vfio
no 1 'UIO' 'no IOMMU between device and memory, no reset .*no use without root.*wye bind 0000:01:00.0 vfio-pci' 01:00.0 uio_pci_generic
no 1 'a driver that the kernel has not got' 'driver igb_uio: this kernel has not got it' 01:00.0 igb_uio --allow-unsafe
fixture_file sys/module/vfio/parameters/enable_unsafe_noiommu_mode Y
no 1 'no-IOMMU mode without the word' 'without one it can write any memory.*--allow-unsafe' 04:00.0 vfio-pci

echo qemu-system-x86 >"$root/proc/42/comm"
ln -s /dev/vfio/5 "$root/proc/42/fd/9"
no 1 'a device that a virtual machine has' '0000:05:00.0 is in use by qemu-system-x86 \(pid 42\)' 05:00.0 kernel

# routes IFACE...: of eth1 10.1.0.0/16; the default route is the first one's
routes() {
	printf 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n%s\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n' "$1"
	printf 'eth1\t0000010A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n'
}
routes eth1 >"$root/proc/net/route"
no 1 'the default route' 'eth1 carries the default route.*--force' eth1 vfio-pci
routes bond0 >"$root/proc/net/route"
mkdir -p "$root/sys/class/net/bond0"
ln -s ../bond0 "$root/sys/devices/pci0000:00/0000:01:00.0/net/eth1/upper_bond0"
no 1 'the default route of a bond above it' 'eth1 \(or what is stacked on it\) carries the default route' 01:00.0 vfio-pci
rm "$root/sys/devices/pci0000:00/0000:01:00.0/net/eth1/upper_bond0"
echo '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth1' \
	>"$root/proc/net/ipv6_route"
no 1 'the IPv6 default route' 'eth1 carries the IPv6 default route' 01:00.0 vfio-pci
: >"$root/proc/net/ipv6_route"
ssh='10.1.2.3 50000 192.0.2.1 22'
no 1 'this ssh session' 'eth1 carries this ssh session: 10.1.2.3' 01:00.0 vfio-pci
ssh=
echo '10.1.9.9:/home /home nfs4 rw,vers=4.2,addr=10.1.9.9 0 0' >"$root/proc/mounts"
no 1 'a mounted file system' 'is how a mounted file system is reached: /home \(nfs4 from 10.1.9.9:/home\)' 01:00.0 vfio-pci
echo '//10.1.9.9/share /mnt cifs rw 0 0' >"$root/proc/mounts"
no 1 'one whose options do not tell the server' '/mnt \(cifs' 01:00.0 vfio-pci
echo '192.0.2.9:/home /home nfs4 rw,addr=192.0.2.9 0 0' >"$root/proc/mounts"

fixture_file sys/class/iscsi_connection/connection1:0/persistent_address 10.1.9.9
no 1 'an iSCSI session' 'eth1 is how a disk is reached: iSCSI connection1:0 to 10.1.9.9' 01:00.0 vfio-pci
fixture_file sys/class/iscsi_connection/connection1:0/address 192.0.2.9
fixture_file sys/class/nvme/nvme0/address 'traddr=10.1.9.9,trsvcid=4420'
no 1 'NVMe over TCP' 'is how a disk is reached: NVMe controller nvme0 at traddr=10.1.9.9' 01:00.0 vfio-pci
fixture_file sys/class/nvme/nvme0/address 0000:03:00.1
fixture_file sys/block/nbd0/pid 42
printf '  0: %s 0909010A:%s 01 0:0 00:0 0 0 0 %s 1\n' 0200010A:D431 2A39 76 >"$root/proc/net/tcp"
no 1 'NBD' 'is how a disk is reached: nbd0 \(pid 42\)' 01:00.0 vfio-pci
printf '  0: %s 0909010A:%s 01 0:0 00:0 0 0 0 %s 1\n' 0200010A:D431 1F90 77 >"$root/proc/net/tcp"
ln -s 'socket:[77]' "$root/proc/42/fd/8"
no 1 'NBD on another port' 'is how a disk is reached: nbd0' 01:00.0 vfio-pci
echo '10.1.0.0000000000000 00' >"$root/proc/net/tcp6"
rm "$root/sys/block/nbd0/pid" "$root/proc/42/fd/8"

# the ports of a configuration: as wye-dpd would have them
port() { printf 'ports:\n  - { netdev: one, driver: vfio, devargs: "%s"%s }\n' "$1" "${2-}" >/run/ports.yaml; }
no 2 'the ports of no file' 'nothing is bound: wye check /run/none.yaml' --ports --config /run/none.yaml
no 2 'ports and a device' 'or --ports' --ports 01:00.0 vfio
port 0000:01:00.0,an_option=1
no 1 'a port that is a whole device' 'port one: 0000:01:00.0 .*no virtual function.*device: whole' --ports --config /run/ports.yaml
port 0000:0f:00.0
no 1 'a port whose device is not there' 'port one: .*0000:0f:00.0: there is none' --ports --config /run/ports.yaml
port 0000:03:00.0 ', device: whole'
no 1 'a port in a group that would not be viable' 'port one: .*0000:03:00.1.*blocks it' --ports --config /run/ports.yaml
sed -i 's/driver: vfio/driver: uio/' /run/ports.yaml
no 1 'a port on UIO' 'port one: uio_pci_generic has no IOMMU .*--allow-unsafe' --ports --config /run/ports.yaml

chmod 444 "$root/sys/devices/pci0000:00/0000:01:00.0/driver_override"
run_as=(setpriv --bounding-set=-dac_override,-dac_read_search --)
no 1 'no permission' 'driver_override: Permission denied; run as root' 01:00.0 vfio-pci
run_as=()
chmod 644 "$root/sys/devices/pci0000:00/0000:01:00.0/driver_override"

# Nothing stands in the way now; but files are no kernel: the driver link stays, which is noticed, and all is put back.
mkdir -p "$root"/sys/bus/pci/drivers/e1000e && : >"$root/sys/bus/pci/drivers/e1000e/unbind" && : >"$root/sys/bus/pci/drivers_probe"
bind 01:00.0 vfio-pci >/run/output 2>&1
equal 'a driver that does not take it: exit status' $? 1
says 'it says where the device is' 'vfio-pci did not take it: it is bound to e1000e now' cat /run/output
equal 'its override is as it was' "$(tr -d '\n' <"$root/sys/bus/pci/devices/0000:01:00.0/driver_override")" ''
equal 'nothing is remembered' "$(cat /run/state/bind)" ''

# A device that comes and goes: each time a reason, and nothing is remembered.
fixture_new /run/flicker
pci 0000:06:00.0 0x020000 e1000e 13
mkdir -p "$root"/sys/bus/pci/drivers/{vfio-pci,e1000e} && : >"$root/sys/bus/pci/drivers/e1000e/unbind"
flicker 0000:06:00.0
for ((i = 0; i < 100; i++)); do
	bind 06:00.0 vfio-pci >/run/output 2>&1 && fail 'a driver that files are none of has the device'
	grep -qE 'there is none|not in /sys|went away|No such file|did not take it' /run/output ||
		{ cat /run/output; fail 'a device that comes and goes: no reason is given'; }
done
flicker_end
equal 'a device that comes and goes: a reason each time, and nothing is remembered' "$(cat /run/state/bind)" ''
root=/run/machine

# What is remembered is the way back: of a file that is not understood nothing is rewritten, and nothing in it becomes a path.
for line in 'pci 0000:05:00.0 e1000e - vfio-pci' 'pci 0000:05:00.0 ../../x - vfio-pci vfio-pci' 'usb 1-1 e1000e - vfio-pci vfio-pci' \
	'pci 0000:05:00.0 e1000e - vfio-pci vfio-pci and more' "pci $(printf '%0300d' 0) e1000e - vfio-pci vfio-pci" ''; do
	printf 'pci 0000:06:00.0 e1000e - vfio-pci vfio-pci\n%s\n' "$line" >/run/state/bind
	kept=$(md5sum </run/state/bind)
	bind 01:00.0 vfio-pci >/run/output 2>&1
	equal "\"${line:0:60}\": exit status" $? 1
	says "\"${line:0:60}\": the place" '/run/state/bind, line 2: not "BUS DEVICE' cat /run/output
	equal "\"${line:0:60}\": it is kept" "$(md5sum </run/state/bind)" "$kept"
done

# SPDX-License-Identifier: BSD-3-Clause
#
# fixture.sh: a machine that is only files, for what reads /sys and /proc below another root. To be sourced.
#
# Functions: fixture_new DIR, then of that machine: pci, platform, netdev, fixture_file, flicker.

# fixture_new DIR: an empty machine
fixture_new() {
	root=$1
	rm -rf "$root"
	mkdir -p "$root"/{proc/sys/kernel,etc,boot,sys/devices/pci0000:00,sys/devices/platform,sys/class/net,sys/kernel/iommu_groups}
	mkdir -p "$root"/sys/bus/{pci,platform}/{devices,drivers}
	echo 6.1.0-49-amd64 >"$root/proc/sys/kernel/osrelease"
	echo 'vendor_id : GenuineIntel' >"$root/proc/cpuinfo"
	echo 'BOOT_IMAGE=/vmlinuz quiet' >"$root/proc/cmdline"
}
# fixture_file PATH TEXT
fixture_file() { mkdir -p "$(dirname "$root/$1")" && printf '%s\n' "$2" >"$root/$1"; }

# fixture_device BUS PARENT NAME DRIVER GROUP: "-" = none
fixture_device() {
	local bus=$1 dir=$root/sys/devices/$2/$3 driver=$4 group=$5
	mkdir -p "$dir"
	ln -s "../../../bus/$bus" "$dir/subsystem"
	ln -s "../../../devices/$2/$3" "$root/sys/bus/$bus/devices/$3"
	echo '(null)' >"$dir/driver_override"
	echo -1 >"$dir/numa_node"
	if [ "$driver" != - ]; then
		mkdir -p "$root/sys/bus/$bus/drivers/$driver"
		ln -s "../../../bus/$bus/drivers/$driver" "$dir/driver"
	fi
	if [ "$group" != - ]; then
		mkdir -p "$root/sys/kernel/iommu_groups/$group/devices"
		echo DMA-FQ >"$root/sys/kernel/iommu_groups/$group/type"
		ln -s "../../../kernel/iommu_groups/$group" "$dir/iommu_group"
		ln -s "../../../../devices/$2/$3" "$root/sys/kernel/iommu_groups/$group/devices/$3"
	fi
}
# pci ADDRESS CLASS DRIVER GROUP [NETDEV]
pci() {
	local dir=$root/sys/devices/pci0000:00/$1
	fixture_device pci pci0000:00 "$1" "$3" "$4"
	echo "$2" >"$dir/class"
	echo 0x8086 >"$dir/vendor"
	echo 0x10d3 >"$dir/device"
	[ -z "${5-}" ] || netdev "$dir" "../../devices/pci0000:00/$1" "$5"
}
# flicker ADDRESS: it is unplugged and comes back, as another folder, all the time, until flicker_end
flicker() {
	local device=$root/sys/devices/pci0000:00/$1
	touch /run/flickering
	(while [ -e /run/flickering ]; do cp -a "$device" "$device.new" && mv "$device" "$device.old" && mv "$device.new" "$device" &&
		rm -r "$device.old"; done) &
}
flicker_end() { rm /run/flickering && wait $!; }
# platform NAME DRIVER GROUP [NETDEV]
platform() {
	fixture_device platform platform "$1" "$2" "$3"
	[ -z "${4-}" ] || netdev "$root/sys/devices/platform/$1" "../../devices/platform/$1" "$4"
}
netdev() {
	mkdir -p "$1/net/$3"
	ln -s ../.. "$1/net/$3/device"
	ln -s "$2/net/$3" "$root/sys/class/net/$3"
	echo 1500 >"$1/net/$3/mtu"
	echo 2 >"$1/net/$3/ifindex"
	echo 0x1003 >"$1/net/$3/flags"
	echo 1 >"$1/net/$3/carrier"
}

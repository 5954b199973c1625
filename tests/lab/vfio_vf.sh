#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vfio_vf: a virtual function on vfio-pci as a port, its companion a TAP that wye makes and `ip` manages; the PF stays with
# the kernel, as host1's interface. Needs a NIC with SR-IOV and an IOMMU:
#
#	tools/lab --iommu --nic igb tests/lab/vfio_vf.sh
if [ -z "${WYE_ISOLATED-}" ]; then
	for module in igb vfio-pci veth tun; do modprobe $module 2>/dev/null; done
	echo 160 >/proc/sys/vm/nr_hugepages
	for device in /sys/bus/pci/devices/*; do
		[ -e "$device/sriov_totalvfs" ] && [ -e "$device/iommu_group" ] && export pf=${device##*/} netdev=$(ls "$device/net")
	done
	[ -n "${pf-}" ] && { "${WYE_BUILD:-$(dirname "$0")/../../build}/tools/wye" vf create "$netdev" 1 mac 52:54:00:aa:00:fe || exit; }
	exec 9</proc/self/ns/net	# where the PF is
fi
. "$(dirname "$0")/../integration/lib.sh"
[ -n "${pf-}" ] || skip 'no NIC with SR-IOV in an IOMMU group; in tools/lab: --iommu --nic igb'
vf=$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")
outside() { nsenter --net=/proc/self/fd/9 "$@"; }
lab
ip netns del host1	# the PF takes its place
ip -n router link del r1 2>/dev/null
ip netns add host1
outside ip link set "$netdev" netns $$
ip link set "$netdev" netns host1 name eth0
ip -n host1 link set lo up
on host1 sysctl -qw net.ipv6.conf.eth0.accept_dad=0
ip -n host1 addr add 10.0.1.2/24 dev eth0
ip -n host1 addr add fd00:1::2/64 dev eth0
ip -n host1 link set eth0 up
ip -n host1 route add default via 10.0.1.1
ip -n host1 route add default via fd00:1::1
lab_ports=(r2)
configure <<<'steering: { default: dataplane, rules: [ { name: k, match: { proto: udp, dport: 6000 }, action: kernel } ] }'
sed -i "s/hugepages: none/hugepages: auto/; s/^ports:/&\n  - { netdev: vf0, driver: vfio, devargs: \"$vf\" }\n  - { netdev: no1, driver: vfio, devargs: \"0000:ff:1f.7\" }\n  - { netdev: pf1, driver: vfio, devargs: \"$pf\" }/" "$conf"
check 'daemons start' start_daemons
detail() { wye -j show port | jq -r ".[] | select(.netdev == \"$1\") | \"\(.state) \(.detail)\""; }
says_detail() { detail "$1" | grep -qE "$2"; }
soon 'not on vfio-pci: it says what to do' says_detail vf0 "failed .*not on VFIO: wye bind $vf vfio-pci"
soon 'no such device' says_detail no1 'failed .*0000:ff:1f.7'
soon 'a whole device is not taken unless that is said' says_detail pf1 "failed .*$pf .*no virtual function"
wye bind --ports --config "$conf" >/run/bound 2>&1
equal 'bind of all ports, of which two cannot be: exit status' $? 1
says 'no device: bind says so' '^wye bind: port no1: .*0000:ff:1f.7' cat /run/bound
says 'a whole device: bind says so, too' "^wye bind: port pf1: $pf .*no virtual function" cat /run/bound
says 'the VF is bound' "^$vf +[a-z-]+ +vfio-pci" cat /run/bound
on router sysctl -qw net.ipv6.conf.vf0.accept_dad=0
ip -n router addr add 10.0.1.1/24 dev vf0
ip -n router addr add fd00:1::1/64 dev vf0
ip -n router link set vf0 up
active() { [ "$(port_state vf0)" = active ]; }
check 'then it is a port' await 20 active
grep -o 'port vf0: .* opened in .*' /run/log/dpd | tail -n 1
says 'its driver has no receive interrupts' 'port vf0: nothing tells of packets in .*naps' cat /run/log/dpd
equal 'the TAP has the MAC that the PF gave its VF' "$(ip -n router -j link show vf0 | jq -r .[].address)" 52:54:00:aa:00:fe
check 'ARP and ping, from the host' on router ping -q -c 3 -W 4 10.0.1.2
check 'ping of the host' ping_from host1 10.0.1.1
check 'ping of the host (IPv6)' ping_from host1 fd00:1::1
check 'TCP to the host' iperf host1 router 10.0.1.1
check 'host2 reaches the router' ping_from host2 10.0.2.1
check 'host2 reaches the router (IPv6)' ping_from host2 fd00:2::1
check 'the PF lets its VF change its MAC' ip -n host1 link set eth0 vf 0 trust on
ip -n router link set vf0 address 52:54:00:aa:00:77
ip -n host1 neigh flush dev eth0
soon 'packets to the MAC that the companion was given arrive' ping_from host1 10.0.1.1
by_dataplane 10 'PF to veth through the VF' ping_from host1 10.0.2.2
by_dataplane 10 'IPv6' ping_from host1 fd00:2::2
by_dataplane 200 'UDP to the PF' udp 200 host2 host1 10.0.1.2 --rate 500
by_dataplane 200 'UDP from the PF' udp 200 host1 host2 10.0.2.2 --rate 500
by_kernel 100 'what a rule leaves to the kernel, to the PF' udp 100 host2 host1 10.0.1.2 --port 6000 --rate 500
by_kernel 100 'and from it' udp 100 host1 host2 10.0.2.2 --port 6000 --rate 500
says 'the kernel answers for what has no more hops' '^ *1 +10\.0\.1\.1' on host1 traceroute -n -q 1 -w 4 -m 1 10.0.2.2

# ---- wye-dpd dies: as a cable pulled, for which there is a second way
on router sysctl -qw net.ipv4.conf.vf0.ignore_routes_with_linkdown=1
ip -n router route add 10.0.1.0/24 via 10.0.2.2 metric 500
way() { ip -n router -j route get 10.0.1.2 | jq -r '.[].dev'; }
on_way() { [ "$(way)" = "$1" ]; }
equal 'the way to the PF' "$(way)" vf0
crash "$dpd"
no_carrier() { ip -n router link show vf0 | grep -q NO-CARRIER; }
soon 'after SIGKILL the companion has no carrier' no_carrier
equal 'and its addresses' "$(ip -n router -j -4 addr show vf0 | jq -r '.[].addr_info[].local')" 10.0.1.1
equal 'the way to the PF is' "$(way)" r2
since=$EPOCHREALTIME
start_dpd
check 'after a restart it is a port again' await 20 active
soon 'and the way to the PF' on_way vf0
check 'ping of the host' ping_from host1 10.0.1.1
echo "from exec to the answer, emulated: $(((${EPOCHREALTIME/./} - ${since/./}) / 1000)) ms"
check 'host2 reaches the router' ping_from host2 10.0.2.1
by_dataplane 10 'it forwards' ping_from host1 10.0.2.2
check 'an orderly end' stop "$dpd"
soon 'leaves the companion without carrier' no_carrier

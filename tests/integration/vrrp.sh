#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# vrrp: FRR's vrrpd holds an address with a MAC of its own on a macvlan of a steered port; it hears its peer.
. "$(dirname "$0")/routing.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
on router sysctl -qw net.ipv4.conf.r1.arp_ignore=1	# only the macvlan answers for the address it has
vrrp() {	# HOST NETDEV PRIORITY: the devices FRR wants, and vrrpd
	ip -n "$1" link add vrrp4 link "$2" address 00:00:5e:00:01:05 type macvlan mode bridge || return
	ip -n "$1" addr add 10.0.1.254/24 dev vrrp4
	ip -n "$1" link add vrrp6 link "$2" address 00:00:5e:00:02:05 type macvlan mode bridge
	ip -n "$1" addr add fd00:1::254/64 dev vrrp6 nodad
	ip -n "$1" link set vrrp4 up
	ip -n "$1" link set vrrp6 up
	frr "$1" vrrpd <<-EOF
	interface $2
	 vrrp 5
	 vrrp 5 priority $3
	 vrrp 5 advertisement-interval 100
	 vrrp 5 ip 10.0.1.254
	 vrrp 5 ipv6 fd00:1::254
	EOF
}
state() { [ "$(vty "$1" 'show vrrp json' | jq -r '.[0] | "\(.v4.status) \(.v6.status)"')" = "$2 $2" ]; }
by_way_of() {	# GATEWAY GATEWAY: host1's default routes
	ip -n host1 route replace default via "$1" && ip -n host1 route replace default via "$2"
}

check 'the router runs VRRP' vrrp router r1 200
soon 'it holds the addresses' state router Master
check 'host1 goes by them' by_way_of 10.0.1.254 fd00:1::254
soon 'they answer' ping_from host1 10.0.1.254
by_kernel 500 'frames to the virtual MAC stay with the kernel' udp 500 host1 host2 10.0.2.2
by_kernel 500 'frames to the virtual MAC stay with the kernel (IPv6)' udp 500 host1 host2 fd00:2::2
check 'host1 goes by the port' by_way_of 10.0.1.1 fd00:1::1
by_dataplane 500 'frames to its MAC come to the dataplane' udp 500 host1 host2 10.0.2.2

received=$(received_by_dataplane)
check 'host1 runs VRRP' vrrp host1 eth0 100
soon 'the router is heard' state host1 Backup
check 'host1 wants them' vty host1 configure -c 'interface eth0' -c 'vrrp 5 priority 250'
soon 'and is heard' state router Backup
soon 'it holds them' state host1 Master
crash "${pid[vrrpd.host1]}"
soon 'host1 is silent: the router holds them again' state router Master
equal 'no VRRP came to the dataplane' "$(received_by_dataplane)" "$received"

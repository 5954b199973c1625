#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# exceptions: hosts tell the router of path MTUs and gateways by ICMP, true or forged. The kernel forwards by that, and nothing
# notifies of it: packets to those destinations are the kernel's, all others stay with the dataplane.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
for i in 1 2 3 4; do ip -n host2 addr add "10.8.0.$i/32" dev lo && ip -n host2 addr add "fd08::$i/128" dev lo; done
ip -n router route add 10.8.0.0/24 via 10.0.2.2
ip -n router route add fd08::/64 via fd00:2::2
ip -n host2 addr add 10.0.2.3/24 dev eth0
check 'the other gateway is known' on router ping -q -c 1 -W 5 10.0.2.3

# tell HOST NETDEV CODE: sends the packets of which python code makes a list, from HOST to the router's MAC there
tell() {
	on "$1" python3 - "$lab_top/tools/oracles" "$2" "$(ip -n router -j link show "$2" | jq -r '.[0].address')" "$3" <<-'EOF'
	import socket, sys
	sys.dont_write_bytecode = True
	sys.path.insert(0, sys.argv[1])
	from frame import *
	out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
	out.bind(("eth0", 0))
	for packet in eval(sys.argv[4]):
	    out.send(ether(packet, IP6 if packet[0] >> 4 == 6 else IP4, to=bytes.fromhex(sys.argv[3].replace(":", ""))))
	EOF
}
quote4() { echo "ip4('10.0.1.1', '$1', icmp4(0, 0, 0x10001), ICMP4)[:28]"; }
quote6() { echo "ip6('fd00:1::1', '$1', icmp6('fd00:1::1', '$1', 129), ICMP6)"; }
# needed DESTINATION MTU, too_big DESTINATION MTU, redirect DESTINATION GATEWAY
needed() { tell host1 r1 "[ip4('10.0.1.2', '10.0.1.1', icmp4(3, 4, $2, $(quote4 "$1")), ICMP4)]"; }
# (a third argument is the checksum's: False, it is wrong)
too_big() {
	tell host1 r1 "[ip6('fd00:1::2', 'fd00:1::1', icmp6('fd00:1::2', 'fd00:1::1', 2, 0, $2, $(quote6 "$1"), ${3-True}), ICMP6)]"
}
redirect() {
	tell host2 r2 "[ip4('10.0.2.2', '10.0.2.1', icmp4(5, 1, int.from_bytes(address('$2'), 'big'),
		ip4('10.0.2.1', '$1', icmp4(0, 0, 0x10001), ICMP4)[:28]), ICMP4)]"
}
# redirect6 DESTINATION GATEWAY: from the link-local address that is the gateway now
redirect6() {
	tell host2 r2 "[ip6('$gateway6', '$router6', icmp6('$gateway6', '$router6', 137, 0, 0,
		address('$2', True) + address('$1', True)), ICMP6, hops=255)]"
}
by() { [ "$(wye -j lookup "$1" | jq -r .verdict)" = "$2" ]; }
held() { needed "$1" 400 && await 1 by "$1" kernel; }	# for a second; said again if that went by unseen
ping_one() { on host1 ping -n -c 1 -W 5 "$@"; }
cached() { ip -n router "$1" route show cache "$2" | grep -q "$3"; }

for i in 1 2 3 4; do
	by_dataplane 10 "10.8.0.$i" ping_from host1 "10.8.0.$i" -b 1472
	by_dataplane 10 "fd08::$i" ping_from host1 "fd08::$i" -b 1452
done

needed 10.8.0.1 400
soon 'a path MTU below min_pmtu' by 10.8.0.1 kernel
says 'the kernel answers by it' 'From 10\.0\.1\.1 .*Frag needed and DF set \(mtu = 552\)' ping_one -M do -s 1000 10.8.0.1
by_dataplane 10 'to its neighbour' ping_from host1 10.8.0.2 -b 1472
too_big fd08::2 1280 False
too_big fd08::1 1280
soon 'a path MTU of IPv6' by fd08::1 kernel
check 'a message of a wrong checksum keeps nobody from anything' parity all ''
check 'the kernel remembers it' cached -6 fd08::1 'mtu 1280'
by_dataplane 10 'to its neighbour' ping_from host1 fd08::2 -b 1452

redirect 10.8.0.2 10.0.2.3
by_dataplane 10 'no redirect is accepted by a router' ping_from host1 10.8.0.2
on router sysctl -qw net.ipv4.conf.all.accept_redirects=1 net.ipv4.conf.r2.accept_redirects=1
redirect 10.8.0.2 10.0.2.3
soon 'unless it shall' by 10.8.0.2 kernel
before=$(kernel_forwarded 4)
check 'the kernel goes by it' ping_from host1 10.8.0.2
at_least 'forwarded by the kernel' $(($(kernel_forwarded 4) - before)) 5
check 'by the other gateway' cached -4 10.8.0.2 redirected

gateway6=$(link_local host2 eth0) router6=$(link_local router r2)
ip -n host2 addr add fe80::3/64 dev eth0 nodad
for i in 1 2; do ip -n host2 addr add "fd09::$i/128" dev lo; done
ip -n router route add fd09::/64 via "$gateway6" dev r2
on router sysctl -qw net.ipv6.conf.r2.accept_redirects=1
for i in 1 2; do by_dataplane 10 "fd09::$i" ping_from host1 "fd09::$i"; done
redirect6 fd09::1 fe80::3
by_dataplane 10 'IPv6: no redirect is accepted by a link that forwards' ping_from host1 fd09::1
on router sysctl -qw net.ipv6.conf.r2.forwarding=0
redirect6 fd09::1 fe80::3
soon 'one that does not by itself' by fd09::1 kernel
check 'IPv6: by the other gateway' cached -6 fd09::1 fe80::3
by_dataplane 10 'to its neighbour' ping_from host1 fd09::2

crash "$ctld"
check 'wye-ctld again' start_ctld
for address in 10.8.0.1 10.8.0.2 fd08::1; do check "$address is the kernel's still" by "$address" kernel; done
by_dataplane 10 'the others are not' ping_from host1 10.8.0.3

check 'path MTUs are soon forgotten' on router sysctl -qw net.ipv4.route.mtu_expires=1
soon 'once more' held 10.8.0.4
soon 'over after mtu_expires' by 10.8.0.4 dataplane
by_dataplane 10 'the dataplane has it again' ping_from host1 10.8.0.4 -b 1472

check 'they are remembered' on router sysctl -qw net.ipv4.route.mtu_expires=600
tell host1 r1 "[ip4('10.0.1.2', '10.0.1.1', icmp4(3, 4, 400,
	ip4('10.0.1.1', bytes([10, 9, i >> 8, i & 255]), icmp4(0, 0, 0x10001), ICMP4)[:28]), ICMP4) for i in range(4096)]"
soon 'more than are kept: all of IPv4 is the kernel'"'"'s' parity all pmtu
check 'which forwards it' ping_from host1 10.8.0.3
by_dataplane 10 'IPv6 goes on' ping_from host1 fd08::3

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# ospf: FRR's ospfd and ospf6d have their multicast, whatever is steered, and the dataplane follows their routes.
. "$(dirname "$0")/routing.sh"
routing_lab
steer_all
bgp_tables 200 100
check 'daemons start' start_daemons
warm
ospf_peer() {	# N: BIRD at hostN announces the tables
	bird "host$1" <<-EOF
	router id 10.0.$1.2;
	protocol device { }
	$(bird_tables)
	protocol ospf v2 { ipv4 { export all; }; area 0 { interface "eth0" { type ptp; hello 1; dead 4; retransmit 2; }; }; }
	protocol ospf v3 { ipv6 { export all; }; area 0 { interface "eth0" { type ptp; hello 1; dead 4; retransmit 2; }; }; }
	EOF
}
check 'host2 speaks OSPF' ospf_peer 2
check 'host3 speaks OSPF' ospf_peer 3
interface() {
	echo "interface $1"
	printf " $2 %s\n" 'network point-to-point' 'hello-interval 1' 'dead-interval 4' 'retransmit-interval 2' 'area 0'
}
{
	for port in r2 r3; do interface $port 'ip ospf'; interface $port 'ipv6 ospf6'; done
	printf '%s\n' 'router ospf' ' timers throttle spf 0 50 500' 'router ospf6' ' timers throttle spf 0 50 500'
} >/run/ospf.conf
check 'the router speaks OSPF' frr router ospfd ospf6d </run/ospf.conf
mirrored() { legs 20.0.0.1 "$1" && legs fd20::1 "$1" && same 20.0.0.1 20.0.199.1 fd20::1 fd20:63::1; }
soon 'two ways' mirrored 2
equal 'no OSPF came to the dataplane' "$(received_by_dataplane)" 0
by_dataplane 2000 'the dataplane forwards by them' udp 2000 host1 host2 20.0.0.1 --flows 100

flows_start
check 'the cost of r3' vty router 'configure' -c 'interface r3' -c 'ip ospf cost 100' -c 'ipv6 ospf6 cost 100'
soon 'one way' mirrored 1
by_r3() { rip route get fibmatch 20.0.0.1 | grep -q 'dev r3' && rip route get fibmatch fd20::1 | grep -q 'dev r3'; }
crash "${pid[bird.host2]}"
soon 'host2 is silent: the other way' by_r3
soon 'is mirrored' mirrored 1
flows_stop_as_kernel
crash "$dpd"
by_kernel 200 'the kernel has the same routes' udp 200 host1 host2 20.0.0.1

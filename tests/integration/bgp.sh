# SPDX-License-Identifier: BSD-3-Clause
#
# bgp.sh: what happens to a BGP router's table, and that the dataplane has the same each time. Sourced by bgp_frr.sh and
# bgp_bird.sh, which say whose ($speaker).
. "$(dirname "${BASH_SOURCE[0]}")/routing.sh"
routing_lab
configure <<EOF
steering:
  default: dataplane
  rules:
    - { name: bgp, match: { proto: tcp, dport: 179 }, action: dataplane }
    - { name: bgp_too, match: { proto: tcp, sport: 179 }, action: dataplane }
    - { name: bfd, match: { proto: udp, dport: 3784-3785 }, action: dataplane }
EOF
bgp_tables 4000 1000
check 'daemons start' start_daemons
warm
mirrored() {
	local address
	[ $(($(ctld_stat routes4) + $(ctld_stat routes6))) -ge 5000 ] || return
	for address in 20.0.0.1 20.15.159.1 fd20::1 fd20:3e7::1; do legs $address "$1" || return; done
	same "${asked[@]}"
}
asked=(20.0.0.1 20.15.159.1 20.15.160.1 10.0.2.2 10.0.3.2 fd20::1 fd20:3e7::1 fd20:3e8::1)
sessions() { [ "$(birdc host3 show protocols | grep -c Established)" = "$1" ]; }

check 'a route of RIPng' rip route add 198.51.100.0/24 dev r1 proto 190
check 'one of FRR'"'"'s staticd' rip route add 198.51.101.0/24 dev r1 proto 196
soon 'are called as ip calls them' same
check 'host2 speaks BGP' bgp_peer 2
check 'host3 speaks BGP' bgp_peer 3
check 'the router speaks BGP' "bgp_$speaker"
soon '5,000 routes with two ways each' mirrored 2
by_dataplane 2000 'the dataplane forwards by them' udp 2000 host1 host2 20.0.0.1 --flows 100
by_dataplane 2000 'the dataplane forwards by them (IPv6)' udp 2000 host1 host2 fd20::1 --flows 100

flows_start
for table in table4 table6; do check "host3 withdraws $table" birdc host3 disable $table; done
soon 'one way each' mirrored 1
for table in table4 table6; do check "host3 announces $table" birdc host3 enable $table; done
soon 'two ways' mirrored 2
kill -STOP "${pid[bird.host3]}"
soon 'host3 hangs, BFD sees it' mirrored 1
kill -CONT "${pid[bird.host3]}"
soon 'two ways' mirrored 2
for session in router4 router6; do check "$session ends" birdc host3 disable $session; done
soon 'one way' mirrored 1
crash "$ctld"
for session in router4 router6; do check "$session starts, while wye-ctld is dead" birdc host3 enable $session; done
check 'wye-ctld starts' start_ctld
soon 'two ways' mirrored 2
check 'the router daemon is killed and restarts' "restart_$speaker"
soon 'two ways' mirrored 2
flows_stop_as_kernel
equal 'BGP and BFD that the rules took' "$(rule_packets bgp) $(rule_packets bgp_too) $(rule_packets bfd)" '0 0 0'
equal 'resyncs' "$(ctld_stat resyncs)" 0
equal 'drift' "$(ctld_stat audit_drift)" 0

check 'the link to host3 fails' ip -n host3 link set eth0 down
soon 'one way' mirrored 1
check 'and is back' ip -n host3 link set eth0 up
ip -n host3 addr add fd00:3::2/64 dev eth0 nodad
soon 'host3 has its sessions' sessions 2
# FRR 8.4's zebra does not always give the leg back to a group that the kernel took it from: right is what the kernel has
soon 'as the kernel has it' same "${asked[@]}"
by_dataplane 2000 'all is well' udp 2000 host1 host2 20.0.0.1 --flows 100

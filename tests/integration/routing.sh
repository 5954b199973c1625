# SPDX-License-Identifier: BSD-3-Clause
#
# routing.sh: Debian's BIRD and FRR in integration tests. To be sourced instead of lib.sh. They run without systemd, with
# their run directories in the test's own /run; a configuration is standard input, what they say is in /run/log.
#
#	host1 ── r1 router r2 ── host2 back ┐ 20.0.0.1, fd20::1
#	                   r3 ── host3 back ┘		whichever way is taken, packets arrive
#
# Functions: routing_lab, flows_start, flows_stop, bird, birdc, frr, frr_start, vty, bgp_tables, bgp_peer, bgp_frr, bgp_bird.
. "$(dirname "${BASH_SOURCE[0]}")/mirror.sh"
declare -A pid		# of bird.HOST, zebra.HOST, bgpd.HOST …

command -v bird >/dev/null || skip 'needs BIRD: apt-get install bird2'
[ -x /usr/lib/frr/zebra ] || skip 'needs FRR: apt-get install frr'

# routing_lab: the picture
routing_lab() {
	local host
	lab
	add_host 3
	ip -n host2 link add back type veth peer name back netns host3
	for host in 2 3; do
		ip -n host$host addr add "10.99.0.$host/24" dev back
		ip -n host$host addr add "fd99::$host/64" dev back nodad
		ip -n host$host link set back up
	done
	ip -n host2 addr add 20.0.0.1/32 dev lo
	ip -n host2 addr add fd20::1/128 dev lo
	ip -n host3 route add 20.0.0.0/8 via 10.99.0.2
	ip -n host3 route add fd20::/16 via fd99::2
	on host3 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# flows_start: numbered packets to both addresses; flows_stop WHAT MOST4 MOST6: ends them, and no more were lost
flows_start() {
	flow_start v4 --from host1 --to host2 --dst 20.0.0.1 --rate 2000 --flows 100
	flow_start v6 --from host1 --to host2 --dst fd20::1 --rate 1000 --flows 100
}
flows_stop() {
	flow_stop v4
	at_most "$1 (IPv4)" "$(flow v4 lost)" "$2"
	flow_stop v6
	at_most "$1 (IPv6)" "$(flow v6 lost)" "$3"
}
# flows_stop_as_kernel: no more were lost than the kernel had no route for; one that only the mirror lacked was forwarded
flows_stop_as_kernel() {
	flows_stop 'lost, with no route in the kernel' "$(reason ip4_forward_no_route)" "$(reason ip6_forward_no_route)"
}

# bird HOST [ARGS]: the configuration is standard input; bird_start HOST [ARGS]: with the one it had
bird() { { echo 'log stderr all;' && cat; } >"/run/bird.$1" && bird_start "$@"; }
bird_start() {
	local host=$1
	shift
	urgently nsenter --net=/run/netns/"$host" -- bird -f -c "/run/bird.$host" -s "/run/bird.$host.ctl" "$@" \
		>>"/run/log/bird.$host" 2>&1 </dev/null &
	pid[bird.$host]=$!
	await 5 birdc "$host" show status
}
birdc() { local host=$1; shift; command birdc -s "/run/bird.$host.ctl" "$@"; }

# frr HOST DAEMON...: zebra and those; the configuration is standard input
frr() {
	local host=$1 daemon
	install -d -o frr -g frr /run/frr "/run/frr/$host" && cat >"/run/frr.$host" || return
	shift
	for daemon in zebra "$@"; do frr_start "$host" "$daemon" || return; done
	vtysh -N "$host" -f "/run/frr.$host"
}
# frr_start HOST DAEMON [ARGS]: it leaves its crash logs in /var/tmp, which is its own, since what is tested may lie there
frr_start() {
	local host=$1 daemon=$2
	shift 2
	urgently unshare --mount --propagation private sh -c 'mount -t tmpfs tmpfs /var/tmp && exec "$@"' sh \
		nsenter --net=/run/netns/"$host" -- "/usr/lib/frr/$daemon" -N "$host" -f /dev/null -P 0 --log stdout "$@" \
		>>"/run/log/$daemon.$host" 2>&1 </dev/null &
	pid[$daemon.$host]=$!
	await 5 vtysh -N "$host" -d "$daemon" -c 'show version'
}
vty() { local host=$1; shift; vtysh -N "$host" -c "$@" 2>/dev/null; }

# bgp_tables COUNT4 COUNT6: what the peers announce
bgp_tables() {
	local i
	for ((i = 0; i < $1; i++)); do echo "route 20.$((i >> 8)).$((i & 255)).0/24 blackhole;"; done >/run/bgp4
	for ((i = 0; i < $2; i++)); do printf 'route fd20:%x::/48 blackhole;\n' $((i % 65536)); done >/run/bgp6
}
# bird_tables: BIRD's protocols that hold them
bird_tables() {
	cat <<-EOF
	protocol static table4 {
		ipv4;
		include "/run/bgp4";
	}
	protocol static table6 {
		ipv6;
		include "/run/bgp6";
	}
	EOF
}
# bgp_peer N: BIRD at hostN, AS 65002, announces these to the router
bgp_peer() {
	bird "host$1" <<-EOF
	router id 10.0.$1.2;
	protocol device { }
	$(bird_tables)
	protocol bfd { interface "eth0" { interval 50 ms; multiplier 3; }; }
	template bgp speaker {
		local as 65002; bfd on; graceful restart on; connect delay time 1; connect retry time 1; error wait time 1, 2;
	}
	protocol bgp router4 from speaker {
		neighbor 10.0.$1.1 as 65001; ipv4 { import none; export all; };
	}
	protocol bgp router6 from speaker {
		neighbor fd00:$1::1 as 65001; ipv6 { import none; export all; };
	}
	EOF
}
# bgp_frr, bgp_bird: the router's side, AS 65001, with what an operator would write
bgp_frr() {
	frr router bgpd bfdd <<-EOF
	router bgp 65001
	 no bgp ebgp-requires-policy
	 neighbor up peer-group
	 neighbor up remote-as 65002
	 neighbor up timers connect 1
	 neighbor up bfd 3 50 50
	 neighbor up advertisement-interval 0
	 neighbor 10.0.2.2 peer-group up
	 neighbor 10.0.3.2 peer-group up
	 neighbor fd00:2::2 peer-group up
	 neighbor fd00:3::2 peer-group up
	 address-family ipv6 unicast
	  neighbor up activate
	 exit-address-family
	EOF
}
bgp_bird() {
	bird router <<-EOF
	router id 10.0.1.1;
	protocol device { }
	protocol kernel { ipv4 { export all; import none; }; merge paths on; graceful restart on; }
	protocol kernel { ipv6 { export all; import none; }; merge paths on; graceful restart on; }
	protocol bfd { interface "r*" { interval 50 ms; multiplier 3; }; }
	template bgp speaker {
		local as 65001; bfd on; graceful restart on; connect delay time 1; connect retry time 1; error wait time 1, 2;
	}
	protocol bgp host2 from speaker { neighbor 10.0.2.2 as 65002; ipv4 { import all; export none; }; }
	protocol bgp host3 from speaker { neighbor 10.0.3.2 as 65002; ipv4 { import all; export none; }; }
	protocol bgp host2v6 from speaker { neighbor fd00:2::2 as 65002; ipv6 { import all; export none; }; }
	protocol bgp host3v6 from speaker { neighbor fd00:3::2 as 65002; ipv6 { import all; export none; }; }
	EOF
}
# legs ADDRESS N: the kernel has N ways there
legs() { [ "$(rip -j route get fibmatch "$1" | jq '.[0].nexthops // [1] | length')" = "$2" ]; }
# restart_frr, restart_bird: the router's daemon dies, starts as its unit would after a crash, and has its peers again
restart_frr() {
	local daemon
	for daemon in bgpd bfdd zebra; do crash "${pid[$daemon.router]}"; done
	frr_start router zebra -K 20 && frr_start router bfdd && frr_start router bgpd -f /run/frr.router &&
		await 10 frr_established
}
frr_established() {
	vty router 'show bgp summary json' | jq -e '[.[].peers[].state] | length > 0 and all(. == "Established")'
}
restart_bird() {
	crash "${pid[bird.router]}"
	bird_start router -R && await 10 bird_recovered
}
bird_recovered() { ! birdc router show status | grep -q 'recovery in progress'; }

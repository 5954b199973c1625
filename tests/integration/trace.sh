#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# trace: wye trace shows the way of single packets through the nodes, forwarded, punted and dropped ones; it disturbs
# nobody, and requests that lie harm nobody.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
# traced QUERY: of the packets, in order; ways: each one's nodes; told KEY NODE: what the nodes of that name said of KEY
traced() { wye -j trace | jq -r "$1"; }
ways() { traced '[.packets[].steps | map(.node) | join(" ")] | unique[]'; }
told() { traced "[.packets[].steps[] | select(.node == \"$2\") | .data.$1] | unique | join(\" \")"; }
ended() { [ "$(traced '[.packets[].steps[-1] | select(.next == null)] | length')" = "$1" ]; }
has_ended() { "${@:2}"; ended "$1"; }
seen() { wye -j trace | jq -r '.packets[].steps[] | select(.data | length > 0) | .node' | sort -u >>/run/seen; }
# trace_of WHAT N FILTER COMMAND...: N packets from r1 are traced to their end while the command runs, again and again
trace_of() {
	local what=$1 n=$2 filter=$3
	shift 3
	check "$what: cleared" wye trace clear
	check "$what: asked for" wye trace add r1 "$n" "$filter"
	soon "$what: $n packets" has_ended "$n" "$@"
	seen
}
blackhole_mirrored() { wye show route | grep -q blackhole; }
one_ping() { on host1 ping -n -c 1 -W 0.2 "$@"; }

says 'nothing is traced at first' 'nothing is traced' wye trace
trace_of 'forwarded' 3 'icmp and dst 10.0.2.2' ping_from host1 10.0.2.2
equal 'three of five, as wanted' "$(traced '"\(.inputs[0].taken) \(.inputs[0].wanted) \(.packets | length) \(.lost)"')" '3 3 3 0'
equal 'by way of' "$(ways)" 'port_rx-0-0 ip4_forward port_tx-1'
equal 'came in by' "$(told port port_rx-0-0)" r1
equal 'to' "$(told dst ip4_forward)" 10.0.2.2
equal 'with a TTL of' "$(told ttl ip4_forward)" 64
equal 'by the next hop that a lookup finds' "$(told nexthop ip4_forward)" "$(wye -j lookup 10.0.2.2 | jq .nexthop)"
equal 'rewritten for' "$(told mac_dst ip4_forward)" "$(ip -n host2 -j link show eth0 | jq -r '.[].address')"
equal 'left by' "$(told 'port + " " + .data.result' port_tx-1)" 'r2 sent'
equal 'in the order of time' "$(traced '[.packets[].steps | map(.us) == (map(.us) | sort)] | all')" true
says 'as text' '^packet 1  r1  [0-9:.]+  worker 0' wye trace
says 'with each node' '^ +[0-9.]+ us  ip4_forward +src 10.0.1.2, dst 10.0.2.2, ttl 64, nexthop' wye trace

trace_of 'IPv6' 2 'icmp6 and dst fd00:2::2' ping_from host1 fd00:2::2
equal 'by way of' "$(ways)" 'port_rx-0-0 ip6_forward port_tx-1'
equal 'to' "$(told 'dst + " \(.data.hop_limit)"' ip6_forward)" 'fd00:2::2 64'

trace_of 'no route' 1 'icmp' one_ping 10.77.0.1
equal 'by way of' "$(ways)" 'port_rx-0-0 ip4_forward punt'
equal 'given to the kernel' "$(told 'result + " " + .data.reason' punt)" 'punted ip4_forward_no_route'
says 'as text' 'punt +result punted, reason ip4_forward_no_route \(no route\)' wye trace
trace_of 'no neighbour' 1 'icmp' one_ping 10.0.2.77
equal 'given to the kernel' "$(told reason punt)" ip4_forward_unresolved
ip -n router route add blackhole 10.9.0.0/24
soon 'the blackhole is mirrored' blackhole_mirrored
trace_of 'blackhole' 1 'dst 10.9.0.1' one_ping 10.9.0.1
equal 'by way of' "$(ways)" 'port_rx-0-0 ip4_forward drop'
equal 'dropped' "$(told 'result + " " + .data.reason' drop)" 'dropped ip4_forward_blackhole'

check 'cleared' wye trace clear
wye trace add r1 2 udp & one=$!
wye trace add r2/0 2 icmp & two=$!
check 'two clients at a time' wait "$one" "$two"
soon 'each gets what it wants' has_ended 2 ping_from host1 10.0.2.2
equal 'of the one that had packets' "$(traced '[.inputs[] | "\(.port) \(.queue) \(.filter) \(.taken)"] | sort | join(", ")')" \
	'r1 null udp 0, r2 0 icmp 2'
refused 'not a port' wye trace add eth9 1
refused 'not a queue' wye trace add r1/3 1
refused 'too many' wye trace add r1 1001
refused 'no such filter' wye trace add r1 1 nonsense and

# on and off, and all packets of a load in between: none is lost, none comes twice (udpflow numbers them)
switch() {
	until [ -e /run/enough ]; do
		wye trace add r1 20 udp && wye trace >/dev/null && wye trace clear || exit 1
		echo >>/run/switches
	done
}
switch & switch=$!
by_dataplane 20000 'numbered packets while tracing goes on and off' udp 20000 host1 host2 10.0.2.2
touch /run/enough
check 'every command went well' wait "$switch"
at_least 'went on and off' "$(wc -l </run/switches)" 3

check 'cleared' wye trace clear
check 'more is asked for than can be kept' wye trace add r1 1000 udp
check 'twice' wye trace add r1 1000 udp
by_dataplane 3000 'numbered packets' udp 3000 host1 host2 10.0.2.2
told_or_lost() { [ "$(traced '([.packets[].steps[]] | length) + .lost')" = 6000 ]; }
soon 'three steps of each are told, or counted as lost' told_or_lost

check 'requests that lie are refused, and harm nobody' python3 - "$run_dir/capture" <<-'EOF'
	import random, socket, struct, sys
	RETURN = struct.pack("<HBBI", 6, 0, 0, 65535)
	JUMP = struct.pack("<HBBI", 5, 0, 0, 0xffffffff)	# to itself
	UNKNOWN = struct.pack("<HBBI", 0x128, 0, 0, 12)		# libpcap would call abort()
	def request(magic=0x63617274, version=1, command=1, packets=1, netdev=b"r1", queue=-1, n=1, text=b"x" * 96, filter=RETURN):
	    return struct.pack("<IIII128siI96s", magic, version, command, packets, netdev, queue, n, text) + filter
	def answer(message):
	    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
	        asked.connect(sys.argv[1])
	        asked.send(message)
	        return struct.unpack_from("<i", asked.recv(4096))[0]
	assert answer(request(command=2, n=0, filter=b"")) == 0, "a true one is taken"
	lies = [request(version=2), request(command=0), request(command=3), request(packets=0), request(packets=1001),
	        request(packets=0xffffffff), request(netdev=b"r1" * 64), request(queue=-2), request(queue=1 << 30), request(n=2),
	        request(n=0), request(n=0xffffffff), request(filter=JUMP), request(n=2, filter=JUMP + RETURN),
	        request(n=2, filter=UNKNOWN + RETURN), request(n=3000, filter=RETURN * 3000), request()[:20],
	        struct.pack("<I", 0x63617274)]
	rng = random.Random(1)
	lies += [struct.pack("<I", 0x63617274) + rng.randbytes(rng.choice((1, 36, 244, 252, 2000))) for _ in range(200)]
	for lie in lies:
	    assert answer(lie) > 0, lie[:60]
	assert answer(request()) == 0, "a true one is taken"
	EOF

# a killed wye-dpd leaves what it has traced; the next one starts with nothing
trace_of 'before a crash' 2 icmp ping_from host1 10.0.2.2
check 'SIGKILL of wye-dpd' crash "$dpd"
says 'it is told' 'wye-dpd .* is dead: this is what it left' wye trace
equal 'what it traced is there' "$(wye -j trace 2>/dev/null | jq '.packets | length')" 2
says 'nothing can be asked for' 'wye-dpd is not running' wye trace add r1 1

# every node has been seen, and had something to say; classify is in the way of ports whose driver brings everything
lab_ports=(r2)
configure <<<'steering: { default: kernel, rules: [{ name: transit, match: { dst: 10.0.2.0/24 }, action: dataplane }] }'
python3 - "$(ip -n router -j link show r1 | jq -r '.[].address')" <<-'EOF' >/run/packet.pcap
	import socket, struct, sys
	mac = bytes.fromhex(sys.argv[1].replace(":", ""))
	addresses = socket.inet_aton("10.0.1.2") + socket.inet_aton("10.0.2.2")
	def frame(ttl):
	    ip = struct.pack(">BBHHHBBH", 0x45, 0, 28, 0, 0, ttl, 17, 0) + addresses
	    ip = ip[:10] + struct.pack(">H", ~(sum(struct.unpack(">10H", ip)) % 65535) & 65535) + ip[12:]
	    return mac + bytes(6) + b"\x08\x00" + ip + struct.pack(">HHHH", 7000, 7000, 8, 0)
	out = sys.stdout.buffer
	out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
	for packet in frame(64), frame(1):
	    out.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
	EOF
sed -i "s|^ports:|&\n  - { netdev: r1, driver: devargs, devargs: 'net_pcap0,rx_pcap=/run/packet.pcap,infinite_rx=1,tx_iface=lo' }|" "$conf"
check 'wye-dpd with a port of another driver' start_dpd
says 'nothing is traced' 'nothing is traced' wye trace
trace_of 'steering in the dataplane' 1 'ip[8] = 1' true
equal 'a packet with a TTL of 1' "$(ways)" 'port_rx-0-0 classify punt'
equal 'is the kernel'"'"'s' "$(told reason punt)" steer_guard
trace_of 'another' 2 'ip[8] > 1' true
equal 'by way of' "$(ways)" 'port_rx-0-0 classify ip4_forward port_tx-1'
kinds() { sed 's/-.*//' | sort -u; }
equal 'every kind of node tells of its packets' "$(kinds </run/seen)" "$(wye -j show graph | jq -r '.nodes[]' | kinds)"
check 'SIGTERM of wye-dpd' stop "$dpd"
refused 'leaves no trace' test -e "$run_dir/trace"

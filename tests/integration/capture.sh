#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# capture: wye capture shows what the dataplane receives, sends, punts and drops, as pcapng that tcpdump reads.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
# captured FILE FILTER: how many packets of it match; the file stands where Debian's profile lets tcpdump read
captured() { tcpdump -nr "$1" "$2" 2>/dev/null | wc -l; }
mirrored() { wye show route | grep -q blackhole; }
capturing() { grep -q capturing "/run/log/$1"; }
# capture_start NAME ARGS: in the background, and it is running; capture_end NAME
capture_start() {
	local name=$1
	shift
	wye capture -w "/run/$name.pcapng" "$@" >/run/log/"$name" 2>&1 &
	await 5 capturing "$name"
}
capture_end() { kill -INT "$(pgrep -f "capture -w /run/$1.pcapng" | tail -n 1)"; soon "capture $1 ends" grep -q 'packets, 0 lost' "/run/log/$1"; }

check 'capture on r1' capture_start r1 -i r1 -f 'udp port 7000'
check 'capture on r2' capture_start r2 -i r2 -f 'udp port 7000'
check 'capture of punted packets' capture_start punt -i punt
check 'capture of dropped packets' capture_start drop -i drop
says 'a fifth is refused' '4 captures run' wye capture -i r1 -w /run/five.pcapng
by_dataplane 1000 'numbered packets' udp 1000 host1 host2 10.0.2.2
on host1 ping -n -c 1 -W 0.2 10.0.2.77 >/dev/null	# nobody is there: the kernel asks for it
ip -n router route add blackhole 10.9.0.0/24
soon 'the blackhole is mirrored' mirrored
on host1 ping -n -c 3 -i 0.05 -W 0.2 10.9.0.1 >/dev/null
for name in r1 r2 punt drop; do capture_end $name; done

equal 'captured on r1' "$(captured /run/r1.pcapng 'src 10.0.1.2 and dst 10.0.2.2 and udp dst port 7000')" 1000
equal 'on r2 all of them were sent, with a hop less' "$(captured /run/r2.pcapng 'udp and ip[8] = 63')" 1000
equal 'and on r1 none' "$(captured /run/r1.pcapng 'udp and ip[8] = 63')" 0
equal 'nothing but what the filter wants' "$(captured /run/r1.pcapng 'not udp')" 0
equal 'punted' "$(captured /run/punt.pcapng 'icmp and dst 10.0.2.77')" 1
equal 'dropped' "$(captured /run/drop.pcapng 'icmp and dst 10.9.0.1')" 3
# blocks FILE: of each kind of packet block how many: interface, direction, comment; every block is whole, and of now
blocks() {
	python3 - "$1" <<-'EOF2' | sort | uniq -c | sed 's/^ *//'
	import struct, sys, time
	data, at, names = open(sys.argv[1], "rb").read(), 0, []
	def options(text):
	    while len(text) >= 4 and (head := struct.unpack_from("<HH", text))[0]:
	        yield head[0], text[4:4 + head[1]]
	        text = text[4 + (head[1] + 3) // 4 * 4:]
	while at < len(data):
	    kind, size = struct.unpack_from("<II", data, at)
	    body = data[at + 8:at + size - 4]
	    assert size % 4 == 0 and data[at + size - 4:at + size] == struct.pack("<I", size), at
	    if kind == 1:
	        names.append(dict(options(body[8:]))[2].decode())
	    if kind == 6:
	        interface, high, low, captured, wire = struct.unpack_from("<IIIII", body)
	        found = dict(options(body[20 + (captured + 3) // 4 * 4:]))
	        age = time.time() - (high << 32 | low) / 1e9
	        assert -1 < age < 120 and captured <= wire, (age, captured, wire)
	        print(names[interface], {1: "received", 2: "sent"}[found[2][0]], found.get(1, b"").decode())
	    at += size
	EOF2
}
equal 'received by r1' "$(blocks /run/r1.pcapng)" '1000 r1 received '
equal 'sent by r2' "$(blocks /run/r2.pcapng)" '1000 r2 sent '
equal 'dropped, with the reason' "$(blocks /run/drop.pcapng)" '3 r1 received dropped ip4_forward_blackhole: blackhole route'
equal 'punted, with the reason' "$(blocks /run/punt.pcapng | grep -c '^1 r1 received punted ip4_forward_unresolved: neighbour')" 1

wye capture -i r1 -c 2 -s 60 -w - 2>/run/log/pipe | tcpdump -nr - >/run/piped 2>/dev/null &
await 5 capturing pipe
check 'two packets' ping_from host1 10.0.2.2
soon 'are enough for -c 2, through a pipe' grep -q '2 packets' /run/log/pipe
equal 'tcpdump reads them' "$(wc -l </run/piped)" 2
refused 'no such port' wye capture -i eth9 -w /run/none.pcapng
refused 'no such filter' wye capture -i r1 -f 'nonsense and' -w /run/none.pcapng
refused 'nothing was written' test -e /run/none.pcapng

check 'requests that lie are refused, and harm nobody' python3 - "$run_dir/capture" <<-'EOF'
	import random, socket, struct, sys
	RETURN = struct.pack("<HBBI", 6, 0, 0, 65535)
	JUMP = struct.pack("<HBBI", 5, 0, 0, 0xffffffff)	# to itself
	UNKNOWN = struct.pack("<HBBI", 0x128, 0, 0, 12)		# libpcap would call abort()
	def request(magic=0x65727574, version=1, where=1, size=100, netdev=b"r1", n=1, filter=RETURN):
	    return struct.pack("<IIII128sII", magic, version, where, size, netdev, n, 0) + filter
	def answer(message):
	    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
	        asked.connect(sys.argv[1])
	        asked.send(message)
	        return struct.unpack_from("<i", asked.recv(4096))[0]
	assert answer(request()) == 0, "a true one is taken"
	lies = [request(magic=1), request(version=2), request(where=0), request(where=9), request(size=0),
	        request(size=1 << 31), request(netdev=b"r1" * 64), request(n=2), request(n=0), request(n=0xffffffff),
	        request(filter=JUMP), request(n=2, filter=JUMP + RETURN), request(n=2, filter=UNKNOWN + RETURN),
	        request(n=3000, filter=RETURN * 3000), request()[:20], b"x", bytes(60000)]
	rng = random.Random(1)
	lies += [rng.randbytes(rng.choice((1, 40, 48, 2000))) for _ in range(200)]
	for lie in lies:
	    assert answer(lie) > 0, lie[:60]
	EOF
capture_start killed -i r1
kill -KILL "$(pgrep -f 'capture -w /run/killed' | tail -n 1)"
by_dataplane 100 'a killed capture disturbs nobody' udp 100 host1 host2 10.0.2.2
capture_start dies -i r1
check 'SIGTERM of wye-dpd' stop "$dpd"
soon 'ends the capture' grep -q 'wye-dpd has ended' /run/log/dies
refused 'and leaves no socket' test -e $run_dir/capture
says 'without it' 'wye-dpd is not running' wye capture -i r1 -w /run/none.pcapng

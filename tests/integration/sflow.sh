#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# sflow: the plugin tells a collector about one of ten packets; tcpdump, which knows sFlow, reads what arrives.
. "$(dirname "$0")/lib.sh"
plugins=/run/plugins
mkdir -m 755 $plugins
cp "$WYE_BUILD"/dataplane/plugins/sflow.so $plugins
lab
sampling() { configure 'plugins:' "  path: $plugins" '  load:' "    - { name: sflow, settings: { $1 } }" <<<'steering: { default: dataplane }'; }
sampling 'agent: 10.0.2.1, collector: "10.0.2.2:6343", rate: 10'
check 'daemons start' start_daemons
warm
counter() { wye -j show plugin sflow | jq -r ".counters[] | select(.name == \"$1\") | .value"; }
on host2 timeout 60 python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.0.2.2", 6343))
print("ready", flush=True)
while True:
    print(s.recv(2000).hex(), flush=True)' >/run/datagrams &
soon 'a collector listens' grep -q ready /run/datagrams
on host2 tcpdump -nvi eth0 --immediate-mode -l udp port 6343 >/run/tcpdump 2>/run/log/tcpdump &
soon 'tcpdump looks on' grep -q listening /run/log/tcpdump

seen=$(counter seen)
by_dataplane 4000 'numbered packets' udp 4000 host1 host2 10.0.2.2
seen=$(($(counter seen) - seen))
at_least 'seen' "$seen" 4000
# 400 on average; uniform distances up to 19 give a deviation of 12
at_least 'taken of 4,000 at one in ten' "$(counter taken)" 330
at_most 'taken of those, and of the few before' "$(counter taken)" $((seen / 10 + 100))
equal 'lost' "$(counter lost)" 0
arrived() { python3 - /run/datagrams "$1" <<-'EOF2'
	import struct, sys
	lines = open(sys.argv[1]).read().split("\n")[1:-1]
	samples, flows, last = 0, 0, 0
	for line in lines:
	    data = bytes.fromhex(line)
	    version, family, agent, sub, number, uptime, n = struct.unpack_from(">7I", data)
	    assert (version, family, agent, sub) == (5, 1, 0x0a000201, 0) and number == last + 1, line
	    last, at = number, 28
	    for _ in range(n):
	        kind, length, sequence, source, rate, pool, drops, ifin, ifout, records = struct.unpack_from(">10I", data, at)
	        record, size, protocol, frame, stripped, header = struct.unpack_from(">6I", data, at + 40)
	        samples += 1
	        assert (kind, rate, drops, records, record, protocol, stripped) == (1, 10, 0, 1, 1, 1, 4), line
	        assert sequence == samples and size == 16 + (header + 3) // 4 * 4 and length == 40 + size, line
	        packet = data[at + 64:at + 64 + header]
	        assert header == min(frame - 4, 128) and packet[12:14] in (b"\x08\0", b"\x86\xdd"), line
	        flows += packet[12:14] == b"\x08\0" and packet[23] == 17 and packet[26:34] == bytes((10, 0, 1, 2, 10, 0, 2, 2))
	        at += 8 + length
	    assert at == len(data), line
	sys.exit(0 if samples == int(sys.argv[2]) and flows >= 300 else 1)
	EOF2
}
soon 'all samples arrive, whole, numbered, with the packets in them' arrived "$(counter taken)"
equal 'in as many datagrams as were sent' "$(($(wc -l </run/datagrams) - 1))" "$(counter sent)"
says 'tcpdump reads them' 'sFlowv5.* agent 10\.0\.2\.1' cat /run/tcpdump
says 'and the packets in them' 'flow sample \(1\)|raw packet' cat /run/tcpdump
says 'the process of main' 'sflow +process +waits for event' wye show runtime

# sampled PATTERN: traced packets of which the node says so
sampled() { wye -j trace | jq "[.packets[].steps[] | select(.node == \"sflow_ip4\") | select(.data.sflow == \"$1\")] | length"; }
traced_all() { udp 200 host1 host2 10.0.2.2 >/dev/null; [ $(($(sampled 'not sampled') + $(sampled 'sampled 1 in 10'))) = 600 ]; }
seen=$(counter seen) taken=$(counter taken)
check 'packets are traced' wye trace add r1 600 udp
soon 'each is said to be sampled or not' traced_all
seen=$(($(counter seen) - seen)) taken=$(($(counter taken) - taken))
at_least 'of 600 sampled, say traces' "$(sampled 'sampled 1 in 10')" 30
at_most 'no more than were taken' "$(sampled 'sampled 1 in 10')" "$taken"
at_least 'nor fewer, but for packets that were not traced' "$(sampled 'sampled 1 in 10')" $((taken - (seen - 600)))

check 'wye-dpd stops' stop "$dpd"
for bad in 'agent: 10.0.2.1' 'agent: here, collector: 10.0.2.2' 'agent: 10.0.2.1, collector: 10.0.2.2, rate: 0'; do
	sampling "$bad"
	: >/run/log/dpd
	check "settings \"$bad\": wye-dpd starts" start_dpd
	says 'without the plugin, and says where' "$conf:6:[0-9]+: plugin \"sflow\": (collector|agent|rate): \"" cat /run/log/dpd
	check 'it stops' stop "$dpd"
done

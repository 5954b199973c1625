#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# sflow_reload: rate and collector change while numbered packets pass: no packet and no sample is lost, each sample says the
# rate it was taken at. What is refused, here or in a later section, leaves the plugin as it was.
. "$(dirname "$0")/lib.sh"
plugins=/run/plugins
mkdir -m 755 $plugins
cp "$WYE_BUILD"/dataplane/plugins/sflow.so $plugins
lab
sampling() {
	configure 'plugins:' "  path: $plugins" '  load:' "    - { name: sflow, settings: { agent: 10.0.2.1, $1 } }" \
		<<<'steering: { default: dataplane }'
}
counter() { wye -j show plugin sflow | jq -r ".counters[] | select(.name == \"$1\") | .value"; }
section() { wye -j show init | jq -r ".sections[] | select(.name == \"plugins.sflow\") | .$1"; }
# reload KEY: one more of these: reloads, reload_errors
reload() {
	local before
	before=$(status ".dpd.$1")
	kill -HUP "$dpd"
	soon "$1" counted_since "$1" "$before"
}
counted_since() { [ "$(status ".dpd.$1")" -gt "$2" ]; }
# collector HOST ADDRESS: prints the number and rate of each sample that it gets
collector() {
	on "$1" timeout 60 python3 -uc '
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 6343))
print("ready")
while True:
    data, at = s.recv(2000), 28
    for _ in range(struct.unpack_from(">7I", data)[6]):
        kind, length, number, source, rate = struct.unpack_from(">5I", data, at)
        print(number, rate)
        at += 8 + length' "$2" >"/run/samples-$1" &
	soon "a collector listens on $1" grep -q ready "/run/samples-$1"
}
numbers() { awk '/^[0-9]/ { print $1 }' "$@"; }
rates() { awk '/^[0-9]/ { print $2 }' "$@" | uniq | paste -sd ' '; }
all_numbered() { [ "$(numbers /run/samples-host2 /run/samples-host1)" = "$(seq "$(counter taken)")" ]; }
each_once() { [ "$(numbers /run/samples-host1 /run/samples-host2 | sort -n)" = "$(seq "$(counter taken)")" ]; }
taken_since() { [ $(($(counter taken) - $1)) -ge "$2" ]; }

sampling 'collector: 10.0.2.2, rate: 100'
check 'daemons start' start_daemons
warm
collector host2 10.0.2.2
collector host1 10.0.1.2
equal 'its settings are a section' "$(section change), $(section seconds)" 'at once, null'
flow_start flow --from host1 --to host2 --dst 10.0.2.2 --rate 3000 --flows 8
soon 'samples are taken' taken_since 0 20
sampling 'collector: 10.0.1.2, rate: 10'
reload reloads
soon 'and more of them now' taken_since "$(counter taken)" 300
check 'the flow ends' flow_stop flow
equal 'lost' "$(flow flow lost) $(flow flow duplicates)" '0 0'
soon 'each sample has arrived once, in order, first there, then here' all_numbered
equal 'with the rates that they were taken at' "$(rates /run/samples-host2 /run/samples-host1)" '100 10'
equal 'none was lost, none refused' "$(counter lost) $(counter refused)" '0 0'
says 'the log' 'reload: taken: plugins\.sflow, steering' cat /run/log/dpd
says 'how long it took' ' plugins\.sflow +at once +[0-9]' wye show init

# refuses SETTINGS PATTERN: a reload with them
refuses() {
	sampling "$1"
	reload reload_errors
	says "\"$1\" is refused" "^reload +refused: .*plugin \"sflow\": $2" wye status
}
refuses 'collector: 10.0.2.2, rate: 0' 'rate: "0": expected a whole number'
refuses 'collector: nowhere, rate: 7' 'collector: "nowhere": expected an IPv4 address'
refuses 'collector: 10.0.2.2, rate: 7, colour: blue' 'colour: it knows no such setting'
sampling 'collector: 10.0.2.2, rate: 7'
sed -i 's/^workers:.*/workers: { cpus: [1000] }/' "$conf"
reload reload_errors
says 'another section is refused' 'refused: .*CPU 1000 is not online' wye status
taken=$(counter taken)
by_dataplane 2000 'more packets' udp 2000 host1 host2 10.0.2.2
at_least 'are sampled' $(($(counter taken) - taken)) 100
soon 'all samples go where they went before' all_numbered
equal 'at the rate there was before' "$(rates /run/samples-host1)" '10'

sed -i -e "s/^workers:.*/workers: { cpus: [$WYE_CPU] }/" -e 's/name: sflow/required: true, name: sflow/' "$conf"
reload reloads
says 'what of it cannot change waits' 'section plugins waits for a restart' cat /run/log/dpd
by_dataplane 2000 'packets by the new rate' udp 2000 host1 host2 10.0.2.2
soon 'again all of them' each_once
equal 'which is 7' "$(tail -n 1 /run/samples-host2)" "$(counter taken) 7"

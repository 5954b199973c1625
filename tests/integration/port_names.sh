#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# port_names: a port is called by a name or an alternative name of its netdev, and is the netdev that has it now.
. "$(dirname "$0")/parity.sh"
lab
add_host 3
altname=enp101s0f0np0-or-whatever-udev-made-of-where-it-is-plugged-in
ip -n router link property add dev r1 altname "$altname" 2>/dev/null || skip 'the kernel has no alternative names'
lab_ports=("$altname" r2)
configure <<-EOF
	steering: { rules: [ { name: a, match: { in: $altname }, action: dataplane },
	  { name: b, match: { in: r2 }, action: dataplane } ] }
EOF
check 'the configuration is one' wye check "$conf"
check 'daemons start' start_daemons
by() { "by_$1" 10 "$2" ping_from host1 10.0.2.2; }
port() { wye -j show port "$1" | jq -r ".[0].$2"; }
is() { [ "$(port "$altname" "$1")" = "$2" ]; }
captured() { ping_from host1 10.0.2.2; ! kill -0 "$1" 2>/dev/null && [ -s /run/one ] && rm /run/one; }
tc() { on router tc "$@"; }
check 'neighbours are known' ping_from host1 10.0.1.1
check 'on both sides' ping_from host2 10.0.2.1
by dataplane 'a port by its alternative name'
equal 'what it is called' "$(port r1 netdev)" "$altname"
equal 'and its name' "$(port "$altname" ifname)" r1
check 'tc filters of the port' tc qdisc add dev r1 clsact
check 'are seen' tc filter add dev r1 ingress protocol all u32 match u32 0 0 classid 1:1
soon 'by the guard' held r1 tc
by kernel 'guarded'
check 'and gone' tc qdisc del dev r1 clsact
soon 'nothing is held' nothing_held
soon 'active' is state active

ip -n router link property add dev r1 altname another-one altname before-it
by dataplane 'further names change nothing'
for name in r1 another-one "$altname"; do
	says "wye doctor $name" 'ok .*port .*active' wye doctor "$name" --config "$conf"
	check "wye trace add $name" wye trace add "$name" 1
	wye capture -i "$name" -c 1 -w /run/one &
	soon "wye capture -i $name" captured $!
done

check 'the name moves to another netdev' ip -n router link property del dev r1 altname "$altname"
soon 'the port waits' is state waiting
by kernel 'its packets are the kernel'"'"'s'
soon 'XDP is off it' eval '! ip -n router -j link show r1 | jq -e ".[0].xdp"'
ip -n router link property add dev r3 altname "$altname"
soon 'the port is that one' is state active
equal 'by its name' "$(port "$altname" ifname)" r3
check 'whose host knows it' ping_from host3 10.0.3.1
by_dataplane 10 'and forwards' ping_from host3 10.0.2.2
by kernel 'r1 is the kernel'"'"'s'

ip -n router link set r3 name renamed3
equal 'the netdev may be renamed' "$(is ifname renamed3 || await 10 is ifname renamed3; port "$altname" ifname)" renamed3
soon 'the port stays what it is' is state active
by_dataplane 10 'and forwards' ping_from host3 10.0.2.2
check 'a qdisc by its new name' tc qdisc replace dev renamed3 root handle 1: pfifo
soon 'is seen' held renamed3 tc
by_kernel 10 'guarded' ping_from host3 10.0.2.2
check 'a port by its name' ip -n router link set r2 name other2
soon 'waits when it has another' eval '[ "$(port_state r2)" = waiting ]'

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_link: names, masters, devices above devices, moves between namespaces, MTU and MAC. Routes stay with the ifindex.
. "$(dirname "$0")/mirror.sh"
mirror_lab
rip link property add dev m1 altname first-port altname another-name
check 'wye-ctld starts' start_ctld
rip route add 192.0.2.0/24 via 10.9.1.2
rip route add 198.51.100.0/24 via 10.9.2.2
lookups=(192.0.2.1 198.51.100.1)
soon 'before' same "${lookups[@]}"
member() { wye -j show link "$1" | jq -r ".[0].$2"; }

equal 'found by an alternative name' "$(member another-name ifname)" m1
rip link property del dev m1 altname first-port
rip link property add dev m1 altname third
soon 'alternative names come and go' same
index=$(member m1 ifindex)
rip link set m1 name renamed
soon 'renamed, and nothing else' same "${lookups[@]}"
equal 'the ifindex stays' "$(member renamed ifindex)" "$index"
equal 'its route too' "$(wye -j lookup 192.0.2.1 | jq -r .paths[0].dev)" renamed
rip link set renamed name m1

rip link set m1 mtu 1400 address 02:00:00:00:11:11
soon 'another MTU and MAC' same
rip neigh replace 10.9.1.2 lladdr 02:00:00:00:01:02 dev m1
rewrite() { [ "$(wye -j lookup 192.0.2.1 | jq -rc '.paths[0] | [.rewrite.src, .mtu]')" = "$1" ]; }
soon 'are in the rewrite' rewrite '["02:00:00:00:11:11",1400]'

check 'another queueing discipline' on router tc qdisc replace dev m1 root handle 1: pfifo
soon 'is told' same
equal 'as its name' "$(member m1 qdisc)" pfifo
check 'the default again' on router tc qdisc del dev m1 root
soon 'is told, too' same

if rip link add br0 type bridge 2>/dev/null; then
	rip link set m4 master br0
	rip link set br0 up
	soon 'a bridge and its port' same
	equal 'know each other' "$(member m4 master)" br0
	soon 'the port'"'"'s packets are the bridge'"'"'s' parity m4 bridge_port
	rip link del br0
	soon 'a bridge gone frees its port' same
	soon 'for the dataplane too' parity m4 ''
fi
if rip link add link m2 name mv0 type macvlan mode bridge 2>/dev/null; then
	rip link set mv0 up
	rip addr add 10.9.6.1/24 dev mv0
	soon 'a macvlan' same 10.9.6.2
	equal 'over its device' "$(member mv0 link)" m2
	soon 'takes no packets of it' parity m2 ''
	rip link del mv0
	rip link add link m2 name mv0 type macvlan mode passthru
	soon 'unless in passthru mode' parity m2 bridge_port
	rip link del mv0
	soon 'is gone' parity m2 ''
fi

ip netns add elsewhere
rip link set m1 netns elsewhere
soon 'moved to another namespace, its routes gone' same "${lookups[@]}"
ip -n elsewhere link set m1 netns router
rip addr add 10.9.1.1/24 dev m1
rip link set m1 up
rip route add 192.0.2.0/24 via 10.9.1.2
soon 'and back' same "${lookups[@]}"
ip -n elsewhere link add x1 type veth peer name x2 netns router
ip -n elsewhere link set x1 up
rip link set x2 up
soon 'a pair with its peer elsewhere' same
ip -n elsewhere link set x1 netns router
soon 'whose peer comes here' same
rip link del x1
soon 'and both go' same "${lookups[@]}"
equal 'no message was malformed' "$(ctld_stat malformed)" 0

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# steering: what the rules name goes to the dataplane, all else stays; a reload is whole or not at all.
. "$(dirname "$0")/lib.sh"
lab
rules() {
	configure <<-EOF
	steering:
	  default: $1
	  rules:
	    - { name: nas, match: { src: 10.0.1.2, proto: udp, dport: 7001 }, action: kernel }
	    - { name: transit, match: { dst: 10.0.2.0/24, proto: udp, dport: 7000-7009 }, action: dataplane }
	    - { name: transit6, match: { dst: fd00:2::/64, proto: udp, sport: 1024-65535, dport: 7000 }, action: dataplane }
	    - { name: back, match: { in: r2, proto: tcp }, action: dataplane }
	    - { name: late, match: { dst: 10.0.2.0/24, proto: udp, dport: 7010 }, action: ${2-kernel} }
	EOF
}
reload() { kill -HUP "$dpd"; }
counted() { [ "$(rule_packets "$1")" -ge "$2" ]; }
counts() { [ "$($1)" = "$2" ]; }
rules kernel
check 'daemons start' start_daemons
warm

in_force() { [ "$(wye -j show steer | jq -c ".rules[] | select(.name == \"$1\") | [.by, .wanted, .installed]")" = "[\"xdp\",$2]" ]; }
soon 'a rule of both ports is in force on both' in_force transit 2,2
soon "a rule of one port's is in force there" in_force back 1,1
by_dataplane 100 'a rule with a port range' udp 100 host1 host2 10.0.2.2 --port 7009
by_dataplane 100 'an IPv6 rule' udp 100 host1 host2 fd00:2::2
by_kernel 100 'the first match wins' udp 100 host1 host2 10.0.2.2 --port 7001
by_kernel 100 'another port' udp 100 host1 host2 10.0.2.2 --port 7010
by_kernel 100 'another port (IPv6)' udp 100 host1 host2 fd00:2::2 --port 7001
by_kernel 10 'another protocol' ping_from host1 10.0.2.2
by_kernel 100 'another direction' udp 100 host2 host1 10.0.1.2
soon 'and the rule counts it' counted transit 100

rules kernel dataplane
reload
soon 'a reload is done' counts reloads 1
by_dataplane 100 'the new rule holds' udp 100 host1 host2 10.0.2.2 --port 7010

sed -i 's/dport: 7010/dprot: 7011/' "$conf"
reload
soon 'a bad file is refused' counts reload_errors 1
says 'and the message names the place' "$conf:[0-9]+:[0-9]+: .*dprot" cat /run/log/dpd
by_dataplane 100 'the running rules stay' udp 100 host1 host2 10.0.2.2 --port 7010

rules dataplane
reload
soon 'a reload after a refused one' counts reloads 2
by_dataplane 10 'the default is the dataplane' ping_from host1 10.0.2.2

ip -n router link set r2 down
soon 'of a port that is down no rule is in force' in_force transit 2,1
soon 'its own neither' in_force back 1,0
ip -n router link set r2 up
soon 'then they are again' in_force transit 2,2

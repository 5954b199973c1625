#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# doctor_port: one port from its netdev to its first packet, and what stands in the way at each step.
. "$(dirname "$0")/lib.sh"
lab
steer_all
doctor() { wye doctor --config "$conf" r1; }
# finds WHAT PATTERN: a line of the answer, whatever the exit status
finds() { says "$1" "$2" doctor; }

finds 'before: no daemon' '^fail +daemon +wye-dpd: .*not running'
check 'daemons start' start_daemons
warm
by_dataplane 5 'traffic' ping_from host1 10.0.2.2
doctor >/run/output
equal 'all is well: exit status' $? 0
for line in '^ok +config +r1: a port with driver af_xdp' '^ok +netdev +r1: up, with carrier' '^ok +af_xdp +r1: driver veth' \
	'^ok +program +r1: native XDP program "wye_steer"' '^ok +forwarding +r1: ipv4: on' '^ok +daemon +wye-ctld' '^ok +mirror +in sync' \
	'^ok +daemon +wye-dpd' '^ok +port +r1: active' 'sockets: 1 queues' '^ok +packets +r1: the dataplane has received some'; do
	says "a line $line" "$line" cat /run/output
done
ip -n router link set r1 down
finds 'the link is down' '^fail +netdev +r1: down'
finds 'and what to do' '> ip link set dev r1 up'
ip -n router link set r1 up
on router sysctl -qw net.ipv4.conf.r1.forwarding=0
finds 'forwarding is off' '^warn +forwarding +r1: ipv4: off'
on router sysctl -qw net.ipv4.conf.r1.forwarding=1
kill -STOP "$ctld"
hangs() { grep -q '^fail *daemon *wye-ctld: does not move' <<<"$(doctor 2>&1)"; }
soon 'wye-ctld hangs' hangs
kill -CONT "$ctld"
crash "$dpd"
finds 'wye-dpd is dead' '^fail +daemon +wye-dpd: is dead'
finds 'its program is still there' '^ok +program +r1: .*wye_steer'
equal 'a port that is in no configuration: exit status' "$(wye doctor --config /nowhere r2 >/dev/null 2>&1; echo $?)" 6

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# port_flags: a netdev's flags are the kernel's and its operator's: the driver's start of a port changes none, neither those it
# finds nor those that are set meanwhile.
. "$(dirname "$0")/lib.sh"
lab
steer_all
flags() { ip -n router -j link show "$1" | jq -r '.[].flags | map(select(. != "LOWER_UP")) | sort | join(" ")'; }
check 'a port is promiscuous, by its operator' ip -n router link set r1 promisc on
before=$(flags r1)
check 'daemons start' start_daemons
equal 'r1 has its flags' "$(flags r1)" "$before"
warm
by_dataplane 10 'traffic flows' ping_from host1 10.0.2.2

# The port is opened when its netdev has its name again, down. The driver, should it set flags, would do so with what it had read
# before `up`, and after it.
is() { [ "$(port_state r1)" = "$1" ]; }
traced() { grep -q "^TracerPid:[^0-9]*[1-9]" "/proc/$dpd/status"; }
strace -f -e trace=ioctl -o /run/ioctls -p "$dpd" 2>/run/log/strace &
soon 'its system calls are looked at' traced
for turn in 1 2 3 4 5; do
	ip -n router link set r1 down
	ip -n router link set r1 name away
	soon "r1 is away, turn $turn" is waiting
	ip -n router link set away name r1
	ip -n router link set r1 up
	soon "r1 is a port again, turn $turn" is active
	equal "r1 has its flags, turn $turn" "$(flags r1)" "$before"
done
says 'flags were set, of punt TAPs' 'SIOCSIFFLAGS' cat /run/ioctls
equal 'flags set of r1' "$(grep SIOCSIFFLAGS /run/ioctls | grep -c '"r1"')" 0
soon 'neighbours are known again' ping_from host1 10.0.2.2
by_dataplane 10 'traffic flows again' ping_from host1 10.0.2.2

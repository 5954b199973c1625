#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# traceroute: the router shows its real address.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
trace() { on host1 traceroute -n -q 1 -w 1 -m 3 "$@"; }
for how in '' -I '-T -p 22'; do
	says "traceroute $how: first the router" '^ *1 +10\.0\.1\.1 ' trace $how 10.0.2.2
	says "traceroute $how: then the host" '^ *2 +10\.0\.2\.2 ' trace $how 10.0.2.2
	says "traceroute -6 $how: first the router" '^ *1 +fd00:1::1 ' trace $how fd00:2::2
	says "traceroute -6 $how: then the host" '^ *2 +fd00:2::2 ' trace $how fd00:2::2
done
says 'from the other side' '^ *1 +10\.0\.2\.1 ' on host2 traceroute -n -q 1 -m 1 10.0.1.2
kept() { [ "$(guard ttl)" -ge 6 ]; }
soon 'the guard counts what has no hop left' kept

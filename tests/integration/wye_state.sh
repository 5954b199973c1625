#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# wye_state: the operator's command without daemons, with them, with hung and with dead ones; its exit codes.
. "$(dirname "$0")/lib.sh"
lab
steer_all
prints() { local pattern=$1; shift; grep -q "$pattern" <<<"$("$@")"; }
exits() { local code=$1; shift; wye "$@" >/run/wye.out 2>&1; [ $? = "$code" ]; }
verdict() { [ "$(wye -j lookup "$1" iif r1 | jq -r .verdict)" = "$2" ]; }

check 'wye without daemons: exit code 3' exits 3 show route
says 'and how to start them' 'systemctl start wye-ctld' cat /run/wye.out
check 'wye status without daemons: exit code 3' exits 3 status
check 'wye check: a good file' exits 0 check "$conf"
echo 'ports: [ { netdev: r1, drivel: af_xdp } ]' >/run/bad.yaml
check 'wye check: a bad file' exits 2 check /run/bad.yaml
says 'and where' '^/run/bad.yaml:1:[0-9]+: .*drivel' cat /run/wye.out

check 'wye-ctld starts' start_ctld
check 'wye-dpd starts' start_dpd
check 'lookup: no route is exit code 4' exits 4 lookup 2001:db8::1
check 'an unknown device is exit code 4' exits 4 show link nosuch
ip -n router route add blackhole 10.14.0.0/16
ip -n router route add 10.20.0.0/16 via 10.0.2.9
check 'host2 answers' ping_from router 10.0.2.2
soon 'lookup: forwarded' verdict 10.0.2.2 dataplane
soon 'lookup: for the host' verdict 10.0.2.1 kernel
soon 'lookup: blackhole' verdict 10.14.1.1 drop
soon 'lookup: no neighbour' verdict 10.20.1.1 kernel
for object in link addr neigh route nexthop vrf port steer stats graph runtime init plugin memory parity; do
	check "show $object" exits 0 show $object
	check "show $object, as JSON" jq -e . <<<"$(wye -j show $object)"
done
crash "$dpd"
check 'a dead wye-dpd: its counters stay' exits 0 stats
says 'and it is said' 'wye-dpd .* is dead' cat /run/wye.out
check 'status: exit code 3' exits 3 status
kill -STOP "$ctld"
soon 'status of a hung wye-ctld' prints hangs wye status
check 'a hung wye-ctld does not stop show' exits 0 route
kill -CONT "$ctld"
crash "$ctld"
check 'nor a dead one' exits 0 route
says 'but it is said' 'dead' cat /run/wye.out

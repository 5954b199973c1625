#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# rx_interrupts: a worker whose port is no af_xdp one (DPDK's tap, which host1 has as its interface) sleeps until a packet
# comes; with another port that nothing can be waited on for (null) it naps, and that is said. tests/lab/rx_interrupts.sh is the
# same with a NIC's interrupts.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/idle.sh"
lab
add_host 3
ip -n host1 addr flush dev eth0
lab_ports=(r2)
# ports LINE...: besides r2
ports() {
	configure <<<'steering: { default: dataplane }'
	printf '  - %s\n' "$@" >/run/ports
	sed -i '/^ports:/r /run/ports' "$conf"
}
# cable: the other end of wye-dpd's TAP becomes host1's
cable() {
	ip -n router link set dtap0 netns host1 && ip -n host1 link set dtap0 up && ip -n host1 addr add 10.0.1.2/24 dev dtap0 &&
		ip -n host1 route replace default via 10.0.1.1 &&
		ip -n host1 neigh replace 10.0.1.1 lladdr "$(mac router r1)" nud permanent dev dtap0 &&
		ip -n router neigh replace 10.0.1.2 lladdr "$(mac host1 dtap0)" nud permanent dev r1
}
mac() { ip -n "$1" -j link show "$2" | jq -r '.[].address'; }
tap='{ netdev: r1, driver: devargs, devargs: "net_tap0,iface=dtap0" }'
null='{ netdev: r3, driver: devargs, devargs: "net_null0,no-rx=1" }'
untold='nothing tells of packets in'

# ---- one port that cannot
ports "$tap" "$null"
check 'daemons start' start_daemons
says 'it is said of the port' "port r3: $untold net_null0 .*naps" cat /run/log/dpd
equal 'and shown' "$(mode r3) $(mode r1)" 'polled interrupts'
says 'by the doctor, too' '^note +idle +r3: ' wye doctor --config "$conf" r3
check 'host1 gets its interface' cable
soon 'the worker forwards in naps' ping_from host1 10.0.2.2
napping=$(sleeps_in 2)
check 'an orderly end' stop "$dpd"

# ---- all can
ports "$tap"
check 'wye-dpd starts' start_dpd
equal 'nothing more is said' "$(grep -c "$untold" /run/log/dpd)" 1
check 'host1 gets its interface' cable
by_dataplane 10 'the worker forwards' ping_from host1 10.0.2.2
rarer "$(sleeps_in 2)" "$napping"
wakes_up host1 300

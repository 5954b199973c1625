#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# neigh_flood: host3 claims to be thousands of hosts and asks for thousands that are not there, until the kernel's tables of
# neighbours overflow: what others send is forwarded, new neighbours are resolved for them, the router is reached.
. "$(dirname "$0")/lib.sh"
lab
add_host 3
ip -n router addr add 10.77.0.1/16 dev r3
ip -n host3 addr add 10.77.0.2/16 dev eth0
steer_all 'punt: { rate_pps: 1000 }'
check 'daemons start' start_daemons
warm
mac=$(ip -n router -j link show r3 | jq -r '.[0].address')
flood() {
	nsenter --net=/run/netns/host3 -- python3 "$lab_top/tests/integration/flood.py" "$@" --mac "$mac" >/run/flood &
	floods+=($!)
}
floods_end() { kill -TERM "${floods[@]}" && wait "${floods[@]}" && floods=(); }
many() { [ "$(ip -n router "$1" neigh | wc -l)" -ge "$2" ]; }
over_rate() { [ "$(reason punt_rate)" -ge 1000 ]; }
new_neighbours() {
	local n
	for n in {101..110}; do ping_from host1 "10.0.2.$n" || return; done
}
for n in {101..110}; do ip -n host2 addr add "10.0.2.$n/24" dev eth0; done

# Few enough for the kernel to have room, many packets a second: twenty times the punt rate of their port
flood scan --src 10.0.3.2 --to 10.77.0.1 --prefix 10.77.0.0/16 --hosts 200 --rate 20000
soon 'over the punt rate' over_rate
check "host1's own new neighbours are resolved meanwhile" new_neighbours
check 'the flood ends' floods_end

flow_start through --from host1 --to host2 --dst 10.0.2.2 --rate 2000
before=$(sent_by_dataplane)
flood scan --src 10.0.3.2 --to 10.77.0.1 --prefix 10.77.0.0/16 --rate 20000
flood arp --to 10.77.0.1 --prefix 10.77.0.0/16 --rate 5000
flood ns --to fd00:3::1 --prefix fd00:3::/64 --rate 5000
soon "the kernel's IPv4 table is full" many -4 1000
soon 'and that of IPv6' many -6 1000
check 'a TCP session with the router, from there' iperf host3 router 10.0.3.1
check 'the router is reached' ping_from host1 10.0.1.1
check 'and over IPv6' ping_from host1 fd00:1::1
check 'the floods end' floods_end
flow_stop through
at_most 'lost meanwhile, of a thousand' $((($(flow through lost) * 1000) / $(flow through sent))) 10
at_least 'forwarded by the dataplane, of a hundred' \
	$((($(sent_by_dataplane) - before) * 100 / $(flow through sent))) 50
equal 'messages lost' "$(status .mirror.overruns)" 0
at_most 'lines in the logs' "$(cat /run/log/ctld /run/log/dpd | wc -l)" 100

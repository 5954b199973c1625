#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# route_change: routes changed with ip: each answer is the one the kernel gives without us.
. "$(dirname "$0")/lib.sh"
lab
add_host 3
for host in host2 host3; do
	ip -n $host addr add 10.8.0.1/32 dev lo
	ip -n $host addr add fd00:8::1/128 dev lo
done
on host3 sysctl -qw net.ipv4.ip_default_ttl=101 net.ipv6.conf.all.hop_limit=101 net.ipv6.conf.eth0.hop_limit=101

steps=(	# %1: prefix, %2 and %3: gateways behind r2 and r3, %4: a host of the prefix
	'add %1 via %2' 'replace %1 via %3' 'add %1 via %2 metric 70000' 'del %1 via %3' 'add %1 via %3 metric 300'
	'add %4 via %2' 'del %4' 'del %1 metric 300' 'del %1' 'add blackhole %1' 'replace unreachable %1' 'del unreachable %1'
	'add prohibit %1' 'del prohibit %1' 'add %1 dev r3 via %3 onlink' 'del %1' 'add %1 nexthop via %3' 'del %1'
	'add throw %1' 'del throw %1' 'add %1 via %2'
)
step() {	# applies one in both families
	ip -n router -4 route $(sed 's,%1,10.8.0.0/24,; s,%2,10.0.2.2,; s,%3,10.0.3.2,; s,%4,10.8.0.1/32,' <<<"$1") &&
	ip -n router -6 route $(sed 's,%1,fd00:8::/64,; s,%2,fd00:2::2,; s,%3,fd00:3::2,; s,%4,fd00:8::1/128,' <<<"$1")
}
for i in {10..209}; do ip -n host1 addr add 10.0.1.$i/24 dev eth0; done
asked=0
answer() {	# who answers, or what error comes back
	local answer
	answer=$(on host1 ping -n -c 1 -W 0.3 "$@" | grep -oE 'ttl=[0-9]+|From.*')
	echo "${answer:-silence}"
}
answers() {	# from another address each time: the kernel counts the errors it sends to one
	asked=$((asked + 1))
	answers="$(answer -I 10.0.1.$((10 + asked % 200)) 10.8.0.1) / $(answer fd00:8::1)"
}

for i in "${!steps[@]}"; do
	step "${steps[i]}" || fail "ip route ${steps[i]}"
	answers
	kernel_says[i]=$answers
done
step 'del %1'
steer_all
check 'daemons start' start_daemons
warm
same() { answers; [ "$answers" = "$1" ]; }
for i in "${!steps[@]}"; do
	step "${steps[i]}" || fail "ip route ${steps[i]}"
	soon "${steps[i]}: ${kernel_says[i]}" same "${kernel_says[i]}"
done
by_dataplane 10 'still forwarded by the dataplane' ping_from host1 10.8.0.1
by_dataplane 10 'still forwarded by the dataplane (IPv6)' ping_from host1 fd00:8::1

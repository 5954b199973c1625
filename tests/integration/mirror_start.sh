#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_start: what existed before wye-ctld started is mirrored as what comes later, and a restart flips.
. "$(dirname "$0")/mirror.sh"
mirror_lab
rip route add 192.0.2.0/24 metric 300 via 10.9.1.2
rip route add 192.0.2.0/24 metric 20 via 10.9.2.2 src 10.9.2.1 mtu 1400
rip route add 192.0.2.0/24 metric 4000000000 via 10.9.3.2
rip route add 198.51.100.0/24 nexthop via 10.9.1.2 weight 3 nexthop via 10.9.2.2
rip route add 198.51.100.0/25 via 203.0.113.1 dev m1 onlink
rip route add 100.64.0.0/10 via inet6 fd09:1::2 dev m1
for kind in blackhole unreachable prohibit throw; do rip route add "$kind" "172.16.${#kind}.0/24"; done
rip route add 192.0.2.128/25 tos 0x10 via 10.9.1.2
rip -6 route add 2001:db8::/32 nexthop via fd09:1::2 nexthop via fd09:2::2
rip -6 route add 2001:db8:1::/48 via fd09:1::2 metric 50
rip -6 route add blackhole 2001:db8:2::/48
rip neigh add 10.9.1.2 lladdr 02:00:00:00:01:02 dev m1
rip neigh add fd09:1::2 lladdr 02:00:00:00:01:02 dev m1

check 'wye-ctld starts' start_ctld
lookups=(192.0.2.1 192.0.2.129 198.51.100.1 198.51.100.200 100.64.0.1 172.16.9.1 172.16.11.1 10.9.1.1 10.9.1.255 127.0.0.1
	203.0.113.1 2001:db8::1 2001:db8:1::1 2001:db8:2::1 fd09:1::1)
soon 'everything that was there is mirrored' same "${lookups[@]}"
equal 'the best of three metrics' "$(wye -j lookup 192.0.2.1 | jq .route.metric)" 20
equal 'a prefix with a TOS route is the kernel'"'"'s' "$(wye -j lookup 192.0.2.129 | jq -r .paths[0].kind)" kernel
equal 'throw is the kernel'"'"'s' "$(wye -j lookup 172.16.5.1 | jq -r .paths[0].kind)" kernel

before=$(generation)
crash "$ctld"
rip route del 192.0.2.0/24 metric 20
check 'wye-ctld starts again' start_ctld
equal 'with a new region' "$(($(generation) - before))" 1
soon 'which is what the kernel has now' same "${lookups[@]}"
check 'and ends' stop "$ctld"
equal 'leaving nothing behind' "$(ls "$run_dir")" ''

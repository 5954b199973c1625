#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_address_gone: with a link's last IPv4 address, and with a preferred source, routes go or change without a message.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
rip addr add 10.9.3.77/24 dev m3
rip addr add fd09:3::77/64 dev m3 nodad
rip route add 192.0.3.0/24 via 10.9.1.2 src 10.9.3.77
rip route add 192.0.4.0/24 via 10.9.3.2
rip -6 route add 2001:db8::/32 via fd09:1::2 src fd09:3::77
rip nexthop add id 13 via 10.9.3.9 dev m3
rip route add 203.0.113.0/24 nhid 13
lookups=(192.0.3.1 192.0.4.1 2001:db8::1 203.0.113.1)
soon 'routes that prefer an address of another link' same "${lookups[@]}"
equal 'say so' "$(wye -j lookup 2001:db8::1 | jq -r .route.prefsrc)" fd09:3::77
rip addr del 10.9.3.77/24 dev m3
soon 'IPv4 goes with the address' same "${lookups[@]}"
equal 'indeed' "$(wye -j lookup 192.0.3.1 | jq -r .route)" null
rip addr del fd09:3::77/64 dev m3
soon 'IPv6 stays, on Linux 6.1 with it' same "${lookups[@]}"
equal 'indeed' "$(wye -j lookup 2001:db8::1 | jq -r .route.prefsrc)" \
	"$(rip -6 -j route show 2001:db8::/32 | jq -r '.[0].prefsrc')"
rip addr add 10.9.3.5/32 dev m3
rip addr del 10.9.3.1/24 dev m3
soon 'not the last address' same "${lookups[@]}"
rip addr del 10.9.3.5/32 dev m3
soon 'the last address takes the link'"'"'s routes' same "${lookups[@]}"
rip addr add 10.9.3.1/24 dev m3
rip route replace 192.0.4.0/24 via 10.9.3.2
soon 'another address brings them back' same "${lookups[@]}"
rip addr flush dev m3
soon 'all addresses at once' same "${lookups[@]}"

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_sysctl: per-interface sysctls by their notifications: forwarding, rp_filter, proxies, linkdown, disable_ipv6.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
# is LINK KEY VALUE; set KEY=VALUE...
is() { [ "$(wye -j show link "$1" | jq -r ".[0].wye.$2")" = "$3" ]; }
set_to() { on router sysctl -qw "$@"; }
soon 'forwarding' is m1 forward4 true
set_to net.ipv4.conf.m1.forwarding=0
soon 'off on one link for IPv4' is m1 forward4 false
soon 'and not for IPv6' is m1 forward6 true
soon 'nor on another' is m2 forward4 true
set_to net.ipv6.conf.m1.forwarding=0
soon 'IPv6 heeds only the one for all' is m1 forward6 true
set_to net.ipv6.conf.all.forwarding=0
soon 'off' is m2 forward6 false
set_to net.ipv6.conf.all.forwarding=1
soon 'and on' is m2 forward6 true
set_to net.ipv4.ip_forward=0
soon 'off on all for IPv4' is m2 forward4 false
set_to net.ipv4.ip_forward=1
soon 'and on, on all' is m1 forward4 true
set_to net.ipv4.conf.m1.rp_filter=2
soon 'rp_filter loose' is m1 rp_filter 2
set_to net.ipv4.conf.all.rp_filter=1
soon 'the larger counts' is m1 rp_filter 2
soon 'strict on all others' is m2 rp_filter 1
set_to net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.m1.rp_filter=0
soon 'none' is m1 rp_filter 0
set_to net.ipv4.conf.m1.proxy_arp=1 net.ipv6.conf.m1.proxy_ndp=1
soon 'proxy_arp' is m1 proxy_arp true
soon 'proxy_ndp' is m1 proxy_ndp true
set_to net.ipv4.conf.m1.ignore_routes_with_linkdown=1
soon 'ignore_routes_with_linkdown' is m1 ignore_linkdown4 true
soon 'of one family' is m1 ignore_linkdown6 false
set_to net.ipv6.conf.m2.disable_ipv6=1
soon 'no IPv6 on a link' is m2 forward6 false
soon 'and no routes by it' same
set_to net.ipv6.conf.m2.disable_ipv6=0
soon 'IPv6 again' same
set_to net.ipv6.conf.m2.mtu=1300
soon 'a port'"'"'s own IPv6 MTU' is m2 mtu6 1300
rip link add n1 type veth peer name n2
soon 'a new link takes the defaults' is n1 forward4 true

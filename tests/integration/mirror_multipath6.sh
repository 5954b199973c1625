#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_multipath6: IPv6 siblings come and go one by one, some or all; a deletion may name a few.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
paths() { wye -j lookup 2001:db8::1 | jq '.paths | length'; }

rip -6 route add 2001:db8::/32 via fd09:1::2
rip -6 route append 2001:db8::/32 via fd09:2::2
rip -6 route append 2001:db8::/32 via fd09:3::2
soon 'append makes siblings' same 2001:db8::1
equal 'three of them' "$(paths)" 3
rip -6 route del 2001:db8::/32 via fd09:2::2
soon 'delete takes one' same 2001:db8::1
rip -6 route append 2001:db8::/32 nexthop via fd09:2::2 weight 3 nexthop via fd09:2::4
soon 'two more at once' same 2001:db8::1
equal 'four' "$(paths)" 4
rip -6 route del 2001:db8::/32 nexthop via fd09:1::2 nexthop via fd09:2::2
soon 'delete takes some' same 2001:db8::1
equal 'two are left' "$(paths)" 2
rip -6 route add 2001:db8::/32 metric 2048 via fd09:1::9
soon 'another metric is another route' same 2001:db8::1
rip -6 route replace 2001:db8::/32 via fd09:2::3
soon 'replace takes all of its metric' same 2001:db8::1
equal 'one' "$(paths)" 1
rip link set m2 down
soon 'its link goes down' same 2001:db8::1
equal 'the other metric' "$(wye -j lookup 2001:db8::1 | jq -r .route.gateway)" fd09:1::9
rip -6 route add 2001:db8:1::/48 nexthop via fd09:1::2 nexthop via fd09:3::2
on router sysctl -qw net.ipv6.route.skip_notify_on_dev_down=1
rip link set m3 down
soon 'a link that goes down without a message for its paths' same 2001:db8:1::1
rip -6 route del 2001:db8:1::/48
soon 'delete takes the whole route' same 2001:db8:1::1

rip -6 route add 2001:db8:2::/48 via fd09:1::2
rip -6 route append multicast 2001:db8:2::/48 via fd09:1::3
type() { wye -j show route 2001:db8:2::/48 | jq -r '.[0].type // "unicast"'; }
soon 'siblings of two types are one route' same
equal 'of the first'"'"'s' "$(type)" unicast
rip -6 route del 2001:db8:2::/48 via fd09:1::2
the_other() { [ "$(type)" = multicast ]; }
soon 'without that, of the other'"'"'s' the_other
rip -6 route del multicast 2001:db8:2::/48

# A route that replaces is not compared with the rest: the kernel holds it twice.
rip -6 route add 2001:db8:3::/48 dev m1
rip -6 route append unreachable 2001:db8:3::/48
rip -6 route change unreachable 2001:db8:3::/48
twice() { wye -j show route 2001:db8:3::/48 | jq length; }
soon 'twice the same' same
equal 'two' "$(twice)" 2
check 'an audit' audit
equal 'finds no drift' "$(ctld_stat audit_drift)" 0
crash "$ctld"
check 'wye-ctld starts again' start_ctld
soon 'and has both' same
equal 'two again' "$(twice)" 2
rip -6 route del unreachable 2001:db8:3::/48
soon 'one goes' same
equal 'one is left' "$(twice)" 1

# Of two for the host the kernel names the one it prefers.
rip -6 route add local 2001:db8:5::1 dev lo pref low
rip -6 route append anycast 2001:db8:5::1 dev m1
soon 'two of one metric for the host' same 2001:db8:5::1
equal 'the preferred one' "$(wye -j lookup 2001:db8:5::1 | jq -r .route.type)" anycast
rip -6 route del anycast 2001:db8:5::1
soon 'the other' same 2001:db8:5::1

# Each path has an MTU of its own, and a dump tells the first's.
rip addr add fd09:2::1/64 dev m2 nodad
rip link set m2 up
rip -6 route add 2001:db8:4::/48 via fd09:1::2
rip -6 route append 2001:db8:4::/48 via fd09:1::3 mtu lock 1300
rip -6 route append 2001:db8:4::/48 mtu lock 1400 nexthop via fd09:1::4 nexthop via fd09:2::4
mtus() { [ "$(wye -j lookup 2001:db8:4::1 | jq -r '.paths | sort_by(.gateway)[].mtu' | xargs)" = "$*" ]; }
soon 'each path'"'"'s MTU, appended' mtus 1500 1300 1400 1400
crash "$ctld"
check 'wye-ctld starts again' start_ctld
soon 'and has learned them' mtus 1500 1300 1400 1400
equal 'no message was malformed' "$(ctld_stat malformed)" 0

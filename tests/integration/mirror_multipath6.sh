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
equal 'no message was malformed' "$(ctld_stat malformed)" 0

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_hidden6: a route between paths of an IPv6 multipath route is in no dump, and may be the one that the kernel takes. A
# wye-ctld that starts later asks for it.
. "$(dirname "$0")/mirror.sh"
mirror_lab
six=2001:db8:9::/48 to=2001:db8:9::1
kind() { wye -j lookup $to | jq -r '[.paths[].kind] | unique | join(" ")'; }
forwards() { [ "$(kind)" = forward ]; }
kernel_decides() { [ "$(kind)" = kernel ]; }
links() { [ "$(wye -j show route $six | jq -r '[.[] | .dev // "several"] | sort | join(" ")')" = "$*" ]; }
links_alone() { links several && forwards; }
another() { crash "$ctld"; check 'another wye-ctld starts' start_ctld; }

for to_link in 1::2 3::2 3::3 3::4; do rip neigh replace "fd09:$to_link" lladdr 02:00:00:00:00:01 dev "m${to_link%%:*}"; done
rip -6 route add $six nexthop via fd09:1::2 nexthop via fd09:3::2
rip -6 route append $six dev m2 pref high
rip -6 route append $six dev m4 pref high
rip -6 route append $six dev m1
rip -6 route append $six via fd09:3::3
equal 'a dump shows one route of four' "$(rip -6 -j route show $six | jq length)" 1
check 'wye-ctld starts' start_ctld
check 'the one with the highest preference is known' links m2 several
check 'which leaves the prefix to the kernel' kernel_decides
rip -6 route del $six dev m2
soon 'it goes: the next' links m4 several
check 'likewise' kernel_decides
rip -6 route del $six dev m4
soon 'none is preferred to the paths' links_alone

rip -6 route append $six dev m2 pref high
rip -6 route append $six via fd09:3::4
on router sysctl -qw net.ipv6.conf.m2.ignore_routes_with_linkdown=1
rip link set p2 down
another
check 'without a carrier, and ignored, it is not seen' links_alone
rip link set p2 up
soon 'but when the carrier is back' links m2 several
soon 'and the kernel takes it' kernel_decides

on router sysctl -qw net.ipv6.conf.all.forwarding=0
another
check 'without forwarding nothing is asked' links several
check 'nor forwarded' kernel_decides
on router sysctl -qw net.ipv6.conf.all.forwarding=1
soon 'with it' links m2 several
check 'the kernel decides again' kernel_decides
rip -6 route del $six dev m2
soon 'and does not, when it is gone' links_alone
rip -6 route append $six dev m2
rip -6 route append $six via fd09:1::4
on router sysctl -qw net.ipv6.route.skip_notify_on_dev_down=1 2>/dev/null
soon 'one that is told of' links m2 several
rip link set m2 down
soon 'goes with its link, which may go unsaid' links several

# A replacement takes the place of the first that is no path, which may be one that no dump shows.
rip -6 route flush root $six
rip -6 route add $six nexthop via fd09:1::2 nexthop via fd09:3::2
rip -6 route append $six dev m4
rip -6 route append $six via fd09:3::3
rip -6 route append $six dev m3
another
check 'one is hidden, one is not' links m3 several
rip -6 route replace $six dev m1
soon 'which is replaced is seen' links m1 m3 several
rip -6 route replace $six dev m3 pref high
another
check 'two of one path, one of which is hidden' links m3 m3 several
check 'an audit' audit
equal 'finds no drift' "$(ctld_stat audit_drift)" 0
equal 'no message was malformed' "$(ctld_stat malformed)" 0

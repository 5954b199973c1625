#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_rule: policy rules of both families, as ip writes them; any beyond the kernel's own, and all packets are its.
. "$(dirname "$0")/mirror.sh"
mirror_lab
rip rule add from 10.0.0.0/8 to 192.0.2.0/24 tos 0x10 fwmark 0x5/0xff iif m1 ipproto tcp sport 10-20 dport 30 lookup 100
rip -6 rule add not from 2001:db8::1 uidrange 0-5 oif m2 goto 32766
check 'wye-ctld starts' start_ctld
soon 'rules that were there' same
soon 'make all packets the kernel'"'"'s' parity all rules

rip rule add from 192.0.2.1 unreachable protocol static
rip rule add from 192.0.2.2 lookup 5 realms 3/4
rip rule add to 192.0.2.0/24 nop pref 7
rip rule add to 198.51.100.0/24 fwmark 7 lookup main suppress_prefixlength 0 pref 7
rip -6 rule add iif later lookup 70000 suppress_ifgroup default
rip -6 rule add goto 500 pref 400
soon 'every kind of rule, equal priorities in order' same
rip link add later type dummy 2>/dev/null || rip link add later type veth peer name later1
rip -6 rule add pref 500 blackhole
soon 'a device and a target that come tell nobody' same
rip -6 rule del iif later
soon 'and no deletion misses its rule' same
rip link set m1 name other
soon 'nor does a renamed device' same

rip rule flush # leaves the first
rip rule add pref 32766 lookup main
rip rule add pref 32767 lookup default
rip -6 rule flush
rip -6 rule add pref 32766 lookup main
rip -6 rule del pref 0
soon 'as booted but for the IPv6 local rule' same
soon 'is not as booted' parity all rules
rip -6 rule add pref 0 lookup local
soon 'as booted' parity all ''
rip rule add pref 32768 lookup main
soon 'main once more, after default, changes nothing' parity all ''
rip rule del pref 32766
soon 'but main after default does' parity all rules
soon 'and all is mirrored' same
equal 'no message was malformed' "$(ctld_stat malformed)" 0

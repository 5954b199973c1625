#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_audit: the mirror against the kernel, periodically. What it cannot know is found and set right, and counted; what
# changes meanwhile is not.
. "$(dirname "$0")/mirror.sh"
mirror_lab 'tables: { audit_s: 1 }'
check 'wye-ctld starts' start_ctld
rip route add 192.0.2.0/24 via 10.9.1.2
rip -6 route add 2001:db8::/32 via fd09:1::2
rip nexthop add id 12 via 10.9.2.9 dev m2
rip route add 203.0.113.0/24 nhid 12
rip neigh replace 10.9.1.2 lladdr 02:00:00:00:01:02 dev m1
soon 'before' same 192.0.2.1 2001:db8::1 203.0.113.1

audits() { [ "$(ctld_stat audits)" -ge "$1" ]; }
soon 'audits by the clock' audits 2
for _ in $(seq 40); do
	rip link set m2 down
	rip route replace 192.0.2.0/24 via 10.9.3.2
	rip link set m2 up
	rip route replace 192.0.2.0/24 via 10.9.1.2
	rip route replace 203.0.113.0/24 nhid 12 2>/dev/null
done
soon 'changes under audits' same 192.0.2.1 2001:db8::1 203.0.113.1
check 'one more' audit
equal 'are no drift' "$(ctld_stat audit_drift)" 0

# Messages that never came, and left no trace of it: what the audit is for.
unsaid() {
	kill -STOP "$ctld"
	"$@"
	at_least "kept from wye-ctld: ${*:2}" "$(python3 "$(dirname "$0")/steal.py" "$ctld")" 1
	kill -CONT "$ctld"
}
unsaid rip route add 192.0.9.0/24 via 10.9.1.2
unsaid rip route del 192.0.2.0/24
unsaid rip -6 route add 2001:db8:9::/48 via fd09:1::2
unsaid rip neigh replace 10.9.1.2 lladdr 02:00:00:00:99:99 dev m1
unsaid rip nexthop replace id 12 via 10.9.2.8 dev m2
soon 'an audit sets it right' same 192.0.9.1 192.0.2.1 2001:db8:9::1 203.0.113.1
drifted() { [ "$(ctld_stat audit_drift)" = "$1" ]; }
soon 'and counts five' drifted 5
says 'and says so' 'audit: route differs' cat /run/log/ctld

# What the guard looks at, likewise: raised, and taken back.
held() { wye -j show parity | jq -e --arg r "$1" 'any(.[]; .reason == $r)'; }
free() { [ "$(wye -j show parity | jq length)" = 0 ]; }
audited_right() { # DRIFT WHAT COMMAND...: `soon` the command succeeds, and the drift is counted
	soon "$2" "${@:3}"
	soon "$2: counted" drifted "$1"
}
on router tc qdisc add dev m1 clsact
check 'an audit after what was said' audit
equal 'finds nothing' "$(ctld_stat audit_drift)" 5
unsaid on router tc filter add dev m1 ingress protocol all u32 match u32 0 0 classid 1:1
audited_right 6 'a filter' held tc
unsaid on router nft 'add table inet t; add chain inet t c { type filter hook forward priority 0; policy drop; }'
audited_right 7 'a chain' held nftables
unsaid rip xfrm policy add dir fwd src 10.0.0.0/8 dst 10.0.0.0/8 action block
audited_right 8 'an IPsec policy' held xfrm
unsaid on router nft delete table inet t
audited_right 9 'no chain' eval '! held nftables'
unsaid rip xfrm policy flush
audited_right 10 'no policy' eval '! held xfrm'
unsaid on router tc filter del dev m1 ingress
audited_right 11 'no filter' free
check 'another' audit
equal 'has nothing to find' "$(ctld_stat audit_drift)" 11
expected_drift=11

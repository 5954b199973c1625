#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# parity_netfilter: nf_tables, legacy iptables and BPF programs on netfilter's hooks: the kernel gets the packets they see.
. "$(dirname "$0")/parity.sh"
parity_lab
nft() { on router nft "$@"; }

check 'what a fresh Debian loads' nft -f - <<-'END'
	table inet filter {
		chain input {
			type filter hook input priority 0; policy drop
			accept
		}
		chain forward {
			type filter hook forward priority 0; policy accept
		}
		chain output {
			type filter hook output priority 0
		}
	}
	table bridge b {
		chain forward {
			type filter hook forward priority 0; policy drop
		}
	}
END
by_all dataplane 'chains that forwarded packets do not pass, or that do nothing'
guarded all nftables 46 'a rule in it' "nft add rule inet filter forward counter" "nft flush chain inet filter forward"
guarded all nftables 46 'a policy' "nft chain inet filter forward '{ policy drop; }'; nft insert rule inet filter forward accept" \
	"nft flush ruleset"
guarded all nftables 4 'a chain of family ip' \
	"nft add table ip t; nft add chain ip t pre '{ type filter hook prerouting priority -300; }'; nft add rule ip t pre notrack" \
	"nft delete table ip t"
guarded all nftables 6 'NAT of family ip6' \
	"nft add table ip6 t; nft add chain ip6 t nat '{ type nat hook postrouting priority 100; }'; nft add rule ip6 t nat oifname r9 masquerade" \
	"nft delete table ip6 t"
guarded r1 nftables 46 'a chain on the ingress of a device' \
	"nft add table netdev t; nft add chain netdev t c '{ type filter hook ingress device r1 priority 0; }'; nft add rule netdev t c counter" \
	"nft delete table netdev t"
guarded r1 nftables 46 'one on the egress of several' \
	"nft add table netdev t; nft add chain netdev t c '{ type filter hook egress devices = { r1, lo } priority 0; policy drop; }'; nft add rule netdev t c accept" \
	"nft delete table netdev t"

check 'a table that drops, dormant' nft -f - <<-'END'
	table ip d {
		flags dormant
		chain f {
			type filter hook forward priority 0; policy drop
		}
	}
END
by_all dataplane 'a dormant table'
check 'it wakes up' nft add table ip d
soon 'is seen' held all nftables
refused 'and what it drops is dropped' ping_from host1 10.0.2.2 -t 1000
by_dataplane 10 'IPv6 passes' ping_from host1 fd00:2::2
check 'and sleeps again' nft add table ip d '{ flags dormant; }'
soon 'is seen' released all nftables
by_all dataplane 'asleep'

for tables in iptables ip6tables; do
	family=4 other='-s 192.0.2.1'
	[ $tables = ip6tables ] && family=6 other='-s 2001:db8::1'
	check "$tables: somebody looks" on router $tables-legacy -t mangle -L
	by_all dataplane "$tables: an empty table"
	guarded all iptables $family "$tables: a rule" "on router $tables-legacy -t mangle -A FORWARD $other -j ACCEPT" \
		"on router $tables-legacy -t mangle -F FORWARD"
	guarded all iptables $family "$tables: raw" "on router $tables-legacy -t raw -A PREROUTING $other -j ACCEPT" \
		"on router $tables-legacy -t raw -F PREROUTING"
	check "$tables: a policy" on router $tables-legacy -P FORWARD DROP
	soon 'is seen' held all iptables
	refused 'and obeyed' ping_from host1 "$([ $family = 4 ] && echo 10.0.2.2 || echo fd00:2::2)" -t 1000
	check 'is gone' on router $tables-legacy -P FORWARD ACCEPT
	soon 'is seen' released all iptables
	by_all dataplane "$tables: all accepted"
	guarded all nftables $family "$tables-nft" "on router $tables-nft -A FORWARD $other -j ACCEPT" \
		"on router $tables-nft -F FORWARD"
done

# Changed while nobody looks
crash "$ctld"
check 'a chain while wye-ctld is dead' nft -f - <<-'END'
	table ip late {
		chain f {
			type filter hook forward priority 0; policy drop
		}
	}
END
check 'wye-ctld is back' start_ctld
check 'and knows' held all nftables
refused 'so it drops' ping_from host1 10.0.2.2 -t 1000
check 'undone' nft delete table ip late
soon 'is seen' nothing_held
by_all dataplane 'undone'

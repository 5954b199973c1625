#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_dump_silent: a dump whose end never comes is given up and asked for again, as is an audit of which that is true.
. "$(dirname "$0")/mirror.sh"
mirror_lab
table /run/table 20000
check '20,000 routes' load add /run/table
check 'wye-ctld starts' start_ctld
audits() { [ "$(ctld_stat audits)" -gt "$1" ]; }
# An audit reads the kernel's tables slowly: what is stolen is its dump, with the end of it.
kept=0
for _ in $(seq 50); do
	before=$(ctld_stat audits)
	kill -USR1 "$ctld"
	kill -STOP "$ctld"
	kept=$(python3 "$(dirname "$0")/steal.py" "$ctld" dumps)
	kill -CONT "$ctld"
	[ "$kept" -gt 0 ] && break
	soon 'the audit was over already' audits "$before"
done
at_least 'parts of a dump kept from wye-ctld' "$kept" 1
given_up() { grep -q 'the end of a dump has not come for 10 s' /run/log/ctld; }
check 'is given up' await 20 given_up
check 'and made up for' await 20 audits "$before"
equal 'without a drift' "$(ctld_stat audit_drift)" 0
soon 'the mirror is whole' same 20.0.5.1

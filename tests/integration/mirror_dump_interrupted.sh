#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_dump_interrupted: NLM_F_DUMP_INTR on any message of a dump has it asked for again, and nothing is swept meanwhile.
. "$(dirname "$0")/mirror.sh"
mirror_lab
for i in $(seq 0 1999); do echo "addr add 10.77.$((i / 250)).$((i % 250 + 1))/32 dev m3"; done | on router ip -batch -
for _ in $(seq 500); do printf '%s\n' 'addr add 10.78.0.1/32 dev m2' 'addr del 10.78.0.1/32 dev m2'; done >/run/changes
touch /run/changing
while [ -e /run/changing ]; do on router ip -force -batch /run/changes; done 2>/dev/null &
changes=$!
interrupted=0
for _ in $(seq 60); do
	check 'wye-ctld starts under changes' start_ctld
	interrupted=$(ctld_stat dump_interrupted)
	[ "$interrupted" -gt 0 ] && break
	check 'and ends' stop "$ctld"
done
at_least 'dumps interrupted' "$interrupted" 1
rm /run/changing
wait "$changes"
soon 'all addresses are there' same 10.77.3.7

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# oracle: after random sequences of ip(8) operations, tables, verdicts and real packets are the kernel's (tools/oracle).
# WYE_SEED and WYE_BATCHES choose another or a longer run.
. "$(dirname "$0")/lib.sh"
seed=${WYE_SEED:-7} batches=${WYE_BATCHES:-60}
out=$("$lab_top/tools/oracle" --batches "$batches" --seed "$seed" --packets yes --build "$WYE_BUILD" --out /run) ||
	{ printf '%s\n' "$out"; fail "seed $seed: a difference (above)"; }
pass "${out##*$'\n'}"
sum=${out##*$'\n'}
[[ $sum =~ \ ([0-9]+)\ batches\ \(([0-9]+)\ with\ twins\ apart\),\ ([0-9]+)\ checks,.*wye\ sent\ ([0-9]+) ]] ||
	fail "the last line is not a sum: $sum"
equal 'batches' "${BASH_REMATCH[1]}" "$batches"
at_most 'batches whose twins were apart' "${BASH_REMATCH[2]}" $((batches / 3))
at_least 'checks' "${BASH_REMATCH[3]}" $((batches * 200))
at_least 'packets the dataplane sent' "${BASH_REMATCH[4]}" $((batches * 3))

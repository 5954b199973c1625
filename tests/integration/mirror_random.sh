#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mirror_random: random sequences of ip commands; after each few, the mirror is what the kernel is. WYE_SEED and
# WYE_ROUNDS choose another or a longer one.
. "$(dirname "$0")/mirror.sh"
mirror_lab
check 'wye-ctld starts' start_ctld
check "random changes, seed ${WYE_SEED:=1}" on router python3 "$(dirname "$0")/mirror_random.py" "$WYE_SEED" \
	"${WYE_ROUNDS:-25}" "$WYE_BUILD/tools/wye" "$run_dir"
equal 'no message was malformed' "$(ctld_stat malformed)" 0
equal 'none was lost' "$(ctld_stat overruns)" 0
check 'an audit' audit
equal 'drift' "$(ctld_stat audit_drift)" 0
check 'wye-ctld ends' stop "$ctld"

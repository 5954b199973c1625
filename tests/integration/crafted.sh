#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# crafted: whatever is sent, what leaves the router is what the kernel alone would send, byte for byte (tools/crafted).
# WYE_SEED and WYE_ROUNDS choose another or a longer run.
. "$(dirname "$0")/lib.sh"
seed=${WYE_SEED:-7} rounds=${WYE_ROUNDS:-1}
crafted() { "$lab_top/tools/crafted" --seed "$seed" --build "$WYE_BUILD" --out /run "$@"; }

out=$(crafted --rounds "$rounds") || { printf '%s\n' "$out"; fail "seed $seed: a difference (above)"; }
for set in plain strict loose; do
	sum=$(grep "^crafted: $set: seed" <<<"$out")
	[[ $sum =~ \ ([0-9]+)\ frames,\ ([0-9]+)\ came.*wye\ sent\ ([0-9]+)\ and\ left\ ([0-9]+) ]] || fail "no sum of $set: $out"
	pass "$sum"
	at_least "$set: frames" "${BASH_REMATCH[1]}" $((7500 + rounds * 2000))
	at_least "$set: came out" "${BASH_REMATCH[2]}" 3500
	at_least "$set: sent by the dataplane" "${BASH_REMATCH[3]}" 200
	at_least "$set: left to the kernel by it" "${BASH_REMATCH[4]}" 100
done

# finds WHAT OPERATION: that is done to the kernel's router alone
finds() { says "$1 is found" 'crafted: plain: .* 1 failures' crafted --set plain --rounds 0 --most 1 --twin "$2"; }
finds 'one byte of MTU' 'ip link set a1 mtu 1299'

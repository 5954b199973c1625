# SPDX-License-Identifier: BSD-3-Clause
#
# assert.sh: assertions for tests in bash; the first that fails ends the test. To be sourced, after tools/netlab.sh (await).

skip() { printf 'skip: %s\n' "$*"; exit 77; }
fail() { printf 'fail: %s\n' "$*"; exit 1; }
pass() { printf 'ok: %s\n' "$*"; }

# check WHAT COMMAND...: must succeed
check() {
	local what=$1
	shift
	"$@" >/run/output 2>&1 || { printf '$ %s\n' "$*"; cat /run/output; fail "$what"; }
	pass "$what"
}
# refused WHAT COMMAND...: must not
refused() {
	local what=$1
	shift
	"$@" >/run/output 2>&1 && { printf '$ %s\n' "$*"; cat /run/output; fail "$what"; }
	pass "$what"
}
# soon WHAT COMMAND...: must succeed within ten seconds
soon() {
	local what=$1
	shift
	await 10 "$@" || { printf '%s\n' "\$ $*" "$("$@" 2>&1)"; fail "$what: not within 10 s"; }
	pass "$what"
}
equal() { [ "$2" = "$3" ] || fail "$1: is '$2', expected '$3'"; pass "$1: $2"; }
at_least() { [ "$2" -ge "$3" ] || fail "$1: is $2, expected at least $3"; pass "$1: $2"; }
at_most() { [ "$2" -le "$3" ] || fail "$1: is $2, expected at most $3"; pass "$1: $2"; }
# says WHAT PATTERN COMMAND...: the output of a command, whatever its status, has a line that matches
says() {
	local what=$1 pattern=$2 output
	shift 2
	output=$("$@" 2>&1)
	grep -qE -- "$pattern" <<<"$output" || { printf '%s\n' "\$ $*" "$output"; fail "$what: no line matches '$pattern'"; }
	pass "$what"
}

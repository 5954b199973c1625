#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# reload_refused: workers have changed already when the rules are refused: they are changed back, and all is as it was. The
# kernel refuses the rules because wye-dpd may have no more files open.
. "$(dirname "$0")/lib.sh"
[ "$(nproc)" -ge 2 ] || skip 'needs two CPUs'
lab
# with CPUS PORT STALE: what a reload can change
with() {
	configure <<-EOF
	steering:
	  default: kernel
	  rules: [ { name: transit, match: { dst: 10.0.2.0/24, proto: udp, dport: $2 }, action: dataplane } ]
	tables: { stale_after_s: $3 }
	EOF
	sed -i -e '/^workers:/d' -e "\$aworkers: { cpus: [$1] }" "$conf"
}
taken() { [ "$(status .dpd.reloads)" -ge 1 ]; }
# section NAME KEY: what wye show init says of it; running: CPUs of the workers that run
section() { wye -j show init | jq -r ".sections[] | select(.name == \"$1\") | .$2"; }
running() { wye -j show runtime | jq -r '[.[] | select(.kind == "pre-input" and .node == "plan") | .cpu] | join(" ")'; }
# files: the lowest number that no open file of wye-dpd has
files() { comm -13 <(ls "/proc/$dpd/fd" | sort) <(seq 0 1023 | sort) | sort -n | head -1; }

with 0 7000 5
check 'daemons start' start_daemons
warm
equal 'sections are listed in the order of a reload' "$(wye -j show init | jq -r '[.sections[].name] | join(" ")')" \
	'memory parity plugins ports punt tables workers steering'
equal 'and what becomes of a change' "$(section workers change), $(section punt change), $(section parity change)" \
	'at once, at a restart, wye-ctld'\''s'
equal 'nothing has been changed yet' "$(section workers seconds)" null

with 0,1 7001 6
# The second worker has the one file that there may still be; unless the thread that looks after ports has it: once more.
refused_for_rules() {
	kill -HUP "$dpd"
	wye status | grep -q '^reload *refused.* a map for the new rules: Too many open files'
}
limit=$(ulimit -n)
check 'one more file' prlimit --pid "$dpd" --nofile="$(($(files) + 1)):$limit"
soon 'a reload is refused for want of a file for the rules' refused_for_rules
check 'as many files as before' prlimit --pid "$dpd" --nofile="$limit:$limit"
soon 'ports can be looked after again' forwarding
check 'a second worker had been there' grep -qs wye-spare-1 /proc/"$dpd"/task/*/comm
equal 'the workers are as they were' "$(running)" 0
equal 'and so is who reads the tables' "$(readers | cut -d ' ' -f 1)" 1
refused 'no change is left half-done' grep 'cannot be changed back' /run/log/dpd
by_dataplane 100 'the old rules hold' udp 100 host1 host2 10.0.2.2 --port 7000
by_kernel 100 'the new ones do not' udp 100 host1 host2 10.0.2.2 --port 7001

sed -i 's/size_mib: 128/size_mib: 256/' "$conf"
kill -HUP "$dpd"
soon 'a reload is taken' taken
equal 'now the workers have changed' "$(running)" '0 1'
by_dataplane 100 'and the rules' udp 100 host1 host2 10.0.2.2 --port 7001
says 'how long it took' '^ *[0-9]+  workers +at once +[0-9]+\.[0-9]+$' wye show init
says 'and what waits' '^ *[0-9]+  memory +waits for a restart +-$' wye show init
says 'the log names both' 'reload: taken: tables, workers, steering' cat /run/log/dpd

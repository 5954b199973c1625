#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# memory: memory.hugepages decides which pages stand behind the packet buffers, the tables and wye-ctld's own memory, and
# `wye show memory` says what the kernel gave.
. "$(dirname "$0")/lib.sh"
collapse='import mmap; m = mmap.mmap(-1, 4 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); m.write(bytes(4 << 20)); m.madvise(25)'
python3 -c "$collapse" 2>/dev/null || skip 'the kernel gives no transparent huge pages, or has no MADV_COLLAPSE (6.1)'
lab
hugepages() { steer_all && sed -i "s/hugepages: none/hugepages: $1/" "$conf"; }
# huge PROCESS MAPPING: MiB on huge pages; mapped: MiB at all
huge() { mib huge_bytes "$@"; }
mapped() { mib rss_bytes "$@"; }
mib() {
	wye -j show memory | jq --arg process "$2" --arg mapping "$3" \
		"[.mappings[] | select(.process == \$process and (.mapping | test(\$mapping))).$1] | (add // 0) / 1048576 | floor"
}
pages() { wye -j show memory | jq -r .heap.pages; }
free_pages() { cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages; }

seq 0 99999 | awk '{ printf "route add %d.%d.%d.0/24 via 10.0.2.2\n", 20 + $1 / 65536, $1 / 256 % 256, $1 % 256 }' >/run/batch
hugepages thp
check 'a hundred thousand routes' "${in_router[@]}" ip -batch /run/batch
check 'daemons start' start_daemons
warm
by_dataplane 10 'ping' ping_from host1 10.0.2.2
at_least 'the heap, on transparent huge pages' "$(huge wye-dpd 'DPDK heap')" $(($(mapped wye-dpd 'DPDK heap') / 2))
at_least 'the tables, in wye-ctld' "$(huge wye-ctld /tables)" 2
at_least 'the tables, in wye-dpd' "$(huge wye-dpd /tables)" 2
at_least "wye-ctld's own memory" "$(huge wye-ctld anonymous)" 2
says 'wye show memory' '^DPDK heap: .*, thp, [0-9]+ of [0-9]+ MiB$' wye show memory
says 'wye-dpd says so' 'MiB in use are on transparent huge pages' cat /run/log/dpd
says 'wye-ctld says so' 'tables: [0-9]+ of [0-9]+ MiB on transparent huge pages' cat /run/log/ctld
seq 100000 199999 | awk '{ printf "route add %d.%d.%d.0/24 via 10.0.2.2\n", 20 + $1 / 65536, $1 / 256 % 256, $1 % 256 }' >/run/batch
check 'as many again' "${in_router[@]}" ip -batch /run/batch
grown() { [ "$(huge wye-ctld /tables)" -ge 6 ]; }
soon 'what has come since is on huge pages, too' grown

check "wye-dpd ends" stop "$dpd"
check "wye-ctld ends" stop "$ctld"
hugepages none
check 'daemons start with plain pages' start_daemons
by_dataplane 10 'ping' ping_from host1 10.0.2.2
equal 'huge pages in wye-dpd' "$(huge wye-dpd .)" 0
equal 'huge pages in wye-ctld' "$(huge wye-ctld .)" 0
equal 'heap' "$(pages)" '4 KiB pages'

check "wye-dpd ends" stop "$dpd"
hugepages hugetlbfs
[ "$(free_pages)" -ge 64 ] && { pass 'huge pages are reserved here: not refused for want of them'; exit 0; }
refused 'wye-dpd without reserved pages' "${in_router[@]}" "$WYE_BUILD/dataplane/wye-dpd" -c "$conf" -r "$run_dir"
says 'and why' 'no huge page size has 128 MiB free; reserve them with' cat /run/output

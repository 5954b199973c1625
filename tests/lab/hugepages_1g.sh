#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# hugepages_1g: packet buffers as large as it lie on a 1 GiB page, smaller ones leave it alone; `wye show memory` says so. The
# page, reserved when the kernel started, goes back to it at the end.
#
#	tools/lab --append 'hugepagesz=1G hugepages=1' tests/lab/hugepages_1g.sh
reserved=/sys/kernel/mm/hugepages/hugepages-1048576kB
if [ -z "${WYE_ISOLATED-}" ]; then
	for module in veth tun; do modprobe $module 2>/dev/null; done
	echo 300 >/proc/sys/vm/nr_hugepages
fi
. "$(dirname "$0")/../integration/lib.sh"
[ "$(cat $reserved/free_hugepages 2>/dev/null)" = 1 ] || skip "no 1 GiB page; in tools/lab: --append 'hugepagesz=1G hugepages=1'"
lab
memory() { steer_all && sed -i "s/hugepages: none, size_mib: 128/hugepages: $1, size_mib: $2/" "$conf"; }
# lies_on PAGE-MIB: all of the heap
lies_on() {
	says "pages of $1 MiB" "^DPDK heap: .*, hugetlbfs $1 MiB$" wye show memory
	equal "as the kernel has mapped them" \
		"$(wye -j show memory | jq -c '[.mappings[] | select(.mapping == "DPDK heap") | .page_bytes / 1048576]')" "[$1]"
	says 'wye-dpd says so' "memory: .*hugetlbfs $1 MiB" cat /run/log/dpd
	: >/run/log/dpd
}

memory auto 1024
check 'daemons start' start_daemons
lies_on 1024
equal 'the page is in use' "$(cat $reserved/free_hugepages)" 0
warm
by_dataplane 10 'it forwards' ping_from host1 10.0.2.2
check 'wye-dpd ends' stop "$dpd"
equal 'and with it the page is free' "$(cat $reserved/free_hugepages)" 1

memory hugetlbfs 128
check 'it starts with less' start_dpd
lies_on 2
check 'wye-dpd ends' stop "$dpd"
echo 0 >$reserved/nr_hugepages

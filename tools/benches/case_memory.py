# SPDX-License-Identifier: BSD-3-Clause
"""memory: what a full table costs, 1,000,000 IPv4 and 250,000 IPv6 routes; what a VRF without routes costs.

tables-1m is what all of wye's shared files take of the machine's memory, control and readers included, on 4 KiB pages;
rib-per-route what wye-ctld has of its own beside them (RssAnon), less what it has with an empty kernel.

heap-*: wye-ctld with that table by allocators and pages: seconds from exec until it is in sync, CPU microseconds a route,
MiB of its own memory and how much of that is on huge pages. heap-plain has no huge pages at all, the others the transparent
ones that it asks for itself, and what the allocator adds.
"""
import os

from case_control import with_router
from case_mirror import AF_XDP, ROUTES, ROUTES4, full_table, started
from contest import compare, rounds
from machine import Unavailable, anonymous_bytes, huge_bytes, run_json
from router import RUN_DIR

CASES = {	# case: (unit, what it must not exceed)
    "tables-1m": ("MiB", 80),
    "rib-per-route": ("bytes", 150),
    "vrf-empty": ("KiB", 512),
}
HEAPS = {	# case: (memory.hugepages, environment)
    "heap-glibc": ("thp", []),
    "heap-plain": ("none", []),
    "heap-glibc-thp": ("thp", ["GLIBC_TUNABLES=glibc.malloc.hugetlb=1"]),
    "heap-glibc-hugetlb": ("thp", ["GLIBC_TUNABLES=glibc.malloc.hugetlb=2"]),
    "heap-jemalloc": ("thp", ["LD_PRELOAD=libjemalloc.so.2", "MALLOC_CONF=thp:always"]),
    "heap-libhugetlbfs": ("thp", ["LD_PRELOAD=libhugetlbfs.so.0", "HUGETLB_MORECORE=yes"]),
}
NAMES = [*CASES, *HEAPS]


def files_mib():
    return sum(entry.stat().st_blocks for entry in os.scandir(RUN_DIR) if entry.is_file()) * 512 / 2**20


def full(options, router):
    router.configure(AF_XDP, memory="{ hugepages: none, size_mib: 512 }")
    router.start_ctld()
    empty = anonymous_bytes(router.ctld.pid)
    router.stop_ctld()
    router.load("add", *full_table(options))
    started(router)
    sections = router.routes_mirrored(ROUTES4)["sections"]
    return {"tables-1m": files_mib(), "rib-per-route": (anonymous_bytes(router.ctld.pid) - empty) / ROUTES}, sections


def vrf(options):
    return {"vrf-empty": run_json([f"{options.build}/tools/benches/bench_vrf"])["kib"]}


def heap(router, pages, environment):
    router.configure(AF_XDP, memory=f"{{ hugepages: {pages}, size_mib: 512 }}")
    try:
        found = started(router, environment=environment)
        return found | {"rss_mib": anonymous_bytes(router.ctld.pid) / 2**20, "huge_mib": huge_bytes(router.ctld.pid) / 2**20}
    finally:
        router.stop_ctld()


def heaps(options, cases, emit, router):
    """All against what the daemon does by default."""
    router.load("add", *full_table(options))
    contestants = {case: lambda which=case: heap(router, *HEAPS[which]) for case in dict.fromkeys(["heap-glibc", *cases])}
    found = rounds(contestants, options.runs, lambda text: options.note(f"memory: {text}"))
    for case in cases:
        emit(compare("memory", case, "s", found[case], "heap-glibc", found["heap-glibc"],
                     extra=("cpu_us", "rss_mib", "huge_mib")))


def measure(options, cases, emit):
    def tell(values, sections=None):
        for case in cases:
            if case not in values:
                continue
            unit, limit = CASES[case]
            line = compare("memory", case, unit, [{"value": values[case]}], "allowed", [{"value": limit}])
            emit(line | ({"sections": sections} if options.verbose and sections else {}))

    if options.contestants:
        return
    chosen = [case for case in cases if case in HEAPS]
    if chosen:
        with_router(options, "memory", lambda router: heaps(options, chosen, emit, router))
    if set(cases) - {"vrf-empty", *HEAPS}:
        with_router(options, "memory", lambda router: tell(*full(options, router)))
    if "vrf-empty" in cases:
        try:
            tell(vrf(options))
        except (Unavailable, OSError) as why:
            options.note(f"memory/vrf-empty: {why}")

# SPDX-License-Identifier: BSD-3-Clause
"""forward: packets per second and core from memory to memory, against a hand-written DPDK loop.

Input is a net_pcap port in infinite_rx mode, output a net_null port: moving bursts between them (lpm_loop's lookup "none")
goes at about 100 Mpps on one core, so the router is what is measured. Both contestants get the same file, the same core
and the same kind of pages, and both count packets per second of CPU time, so that what other processes take of the core
costs neither. In ipv4-1m and ipv6-250k 65,536 packets go round, to as many destinations. In ipv4-1m-all both contestants
write another destination into each packet, of another route, until all million have had theirs (spread.h). The loop has
one nexthop table and no question beyond version and TTL: it does not verify checksums, look at sources, destination
MACs, lengths, MTU or ports' states, nor count.

nodes-5 is what a node costs that only passes its packets on, in cycles a packet: five of them against none.
untraced is wye-dpd after a trace has come and gone against one that never traced; its noise is two that never traced.
workers-2 is two workers with an input each against one with both; packets per second of the time they had CPUs, so it is
a figure on two cores as well, though others take their part of them.
"""
import os
import time

from contest import compare, rounds
from inputs import packets4, packets4_alike, packets6, spread4, table4, table6
from machine import ROUTER_CPU, Unavailable, run_json
from router import MAC_IN, RUN_DIR, Router

MAC = bytes.fromhex(MAC_IN.replace(":", ""))
FEW_PACKETS, MANY_PACKETS, MANY_ROUTES, MANY_ROUTES6 = 512, 65536, 1000000, 250000
# net_pcap preloads its packets into buffers of the dataplane's pool, whose size follows `queues` (the device has one).
MEMORY_MIB = 1024
NODES, NODE_CYCLES = 5, 5	# of the chain; what each may cost
LOOPS = {	# case: (lookup of the loop, name for "vs", family, table, packets)
    "ipv4-few": ("lpm", "rte_lpm-loop", 4, lambda d: table4(d, 1), lambda d: packets4(d, 1, FEW_PACKETS, MAC)),
    "ipv4-1m": ("fib", "rte_fib-loop", 4, lambda d: table4(d, MANY_ROUTES),
                lambda d: packets4(d, MANY_ROUTES, MANY_PACKETS, MAC)),
    "ipv4-1m-all": ("fib", "rte_fib-loop", 4, lambda d: table4(d, MANY_ROUTES),
                    lambda d: packets4_alike(d, FEW_PACKETS, MAC)),
    "ipv6-few": ("lpm6", "rte_lpm6-loop", 6, table6, lambda d: packets6(d, 1, FEW_PACKETS, MAC)),
    "ipv6-250k": ("fib6", "rte_fib6-loop", 6, lambda d: table6(d, MANY_ROUTES6),
                  lambda d: packets6(d, MANY_ROUTES6, MANY_PACKETS, MAC)),
}
CASES = [*LOOPS, "nodes-5", "untraced", "workers-2"]


SPREAD = "ipv4-1m-all"	# the case whose destinations are written by the contestants


def loop(options, lookup, table, packets, spread):
    options.pages.ensure()
    memory = ["--in-memory" if options.pages.enough else "--no-huge", "-m", MEMORY_MIB]
    found = run_json([f"{options.build}/tools/benches/lpm_loop", "-l", ROUTER_CPU, *memory, "--no-pci", "--no-telemetry",
                      "--file-prefix", "wye-bench", "--log-level", "error", "--iova-mode=va",
                      "--force-max-simd-bitwidth=512",	# or rte_fib and rte_fib6 leave AVX-512 alone
                      "--vdev", f"net_pcap0,rx_pcap={packets},infinite_rx=1", "--vdev", "net_null0,no-rx=1",
                      "--", lookup, table, options.seconds, *spread], timeout=120)
    return {"value": found["mpps"], "cycles": found["cycles"], "page_bytes": found["page_bytes"]}


def page_bytes(router):
    """Of packet buffers and tables, as the kernel tells; the smaller."""
    mappings = (router.wye("show", "memory") or {}).get("mappings", [])
    return min((each["page_bytes"] for each in mappings if each["process"] == "wye-dpd" and
                (each["mapping"] == "DPDK heap" or "/tables." in each["mapping"])), default=0)


def wye(options, router, program="dataplane/wye-dpd", before=lambda router: None):
    """before: what is done when it forwards already."""
    options.pages.ensure()
    router.start_dpd(program)
    try:
        before(router)
        run_json([f"{router.build}/tools/benches/probe", "rate", RUN_DIR, "out0", 0.2])
        found = run_json([f"{router.build}/tools/benches/probe", "rate", RUN_DIR, "out0", options.seconds])
        found["page_bytes"] = page_bytes(router)
    finally:
        router.stop_dpd()
    if found["mpps"] <= 0:
        raise Unavailable("wye-dpd sent nothing out of out0")
    return {"value": found["mpps"], "cycles": found["cycles"], "nodes": found["nodes"],
            "page_bytes": found["page_bytes"]}


def pcap_port(netdev, number, packets):
    return f'netdev: {netdev}, driver: devargs, queues: 8, devargs: "net_pcap{number},rx_pcap={packets},infinite_rx=1"'


def memory_ports(packets, inputs=("in0",)):
    """Arguments of Router.configure()."""
    return ([pcap_port(netdev, number, packets) for number, netdev in enumerate(inputs)] +
            ['netdev: out0, driver: devargs, devargs: "net_null0,no-rx=1"'],
            f"{{ hugepages: auto, size_mib: {MEMORY_MIB} }}", "poll")


def prepare(router, family, table, packets):
    router.configure(*memory_ports(packets))
    routes = router.routes(table, gateway="10.2.0.2" if family == 4 else "2001:db8:2::2")["routes"]
    router.start_ctld()
    router.routes_mirrored(routes, family=family)


def pages_text(line):
    """On which pages both lay."""
    sizes = [f"{line[key] / 1024:.0f} KiB" for key in ("page_bytes", "vs_page_bytes") if line[key]]
    return " / ".join(dict.fromkeys(sizes))


def against_loop(options, case, emit):
    lookup, vs, family, make_table, make_packets = LOOPS[case]
    table, packets = make_table(options.inputs), make_packets(options.inputs)
    spread = [spread4(options.inputs, MANY_ROUTES)] if case == SPREAD else []
    program = "tools/benches/dpd_spread" if spread else "dataplane/wye-dpd"
    os.environ["WYE_BENCH_SPREAD"] = spread[0] if spread else ""
    contestants = {vs: lambda: loop(options, lookup, table, packets, spread)}
    router = None
    try:
        if not options.contestants:
            router = Router(options.build)
            prepare(router, family, table, packets)
            contestants = {"wye": lambda: wye(options, router, program), **contestants}
        found = rounds(contestants, options.runs, lambda text: options.note(f"forward/{case}: {text}"))
    finally:
        if router:
            router.close()
    line = compare("forward", case, "Mpps", found.get("wye", []), vs, found[vs], extra=("cycles", "page_bytes"))
    line["pages"] = pages_text(line)
    if options.verbose and found.get("wye"):
        line["nodes"] = found["wye"][-1]["nodes"]
    emit(line)


def between(options, case, contestants):
    """Rounds of wye against itself; contestants: name → function of a router with one route."""
    router = Router(options.build)
    try:
        packets = packets4(options.inputs, 1, FEW_PACKETS, MAC)
        prepare(router, 4, table4(options.inputs, 1), packets)
        return rounds({name: (lambda measure=measure: measure(router, packets)) for name, measure in contestants.items()},
                      options.runs, lambda text: options.note(f"forward/{case}: {text}"))
    finally:
        router.close()


def nodes(options, emit):
    found = between(options, "nodes-5", {"plain": lambda router, _: wye(options, router),
                                         "chain": lambda router, _: wye(options, router, "tools/benches/dpd_chain")})
    each = [{"value": (chain["cycles"] - plain["cycles"]) / NODES} for chain, plain in zip(found["chain"], found["plain"])]
    emit(compare("forward", "nodes-5", "cycles/node", each, "allowed", [{"value": NODE_CYCLES}] * len(each)))


def trace_and_clear(router):
    router.wye("trace", "add", "in0", "10")
    deadline = time.monotonic() + 5
    while len((router.wye("trace") or {}).get("packets", [])) < 10:
        if time.monotonic() > deadline:
            raise Unavailable("wye trace has not seen ten packets within 5 s")
        time.sleep(0.02)
    router.wye("trace", "clear")


def untraced(options, emit):
    found = between(options, "untraced", {"was": lambda router, _: wye(options, router, before=trace_and_clear),
                                          "never": lambda router, _: wye(options, router),
                                          "again": lambda router, _: wye(options, router)})
    emit(compare("forward", "untraced", "Mpps", found["was"], "never traced", found["never"], extra=("cycles",)))
    emit(compare("forward", "untraced-noise", "Mpps", found["again"], "never traced", found["never"], extra=("cycles",)))


def with_workers(options, cpus):
    def measure(router, packets):
        if not router.exists("in1"):
            router.link("in1", MAC_IN, "source", "src1", "02:00:00:00:00:02")
        router.configure(*memory_ports(packets, ("in0", "in1")), cpus=cpus)
        router.reload_ctld()
        found = wye(options, router)
        return {"value": found["value"] * len(cpus), "cycles": found["cycles"]}
    return measure


def workers(options, emit):
    if (os.cpu_count() or 1) < 2:
        options.tell("forward/workers-2: one CPU here: not measured")
        return
    if os.cpu_count() < 3:
        options.tell("forward/workers-2: two CPUs here, and both are workers': the bench and the kernel share them")
    found = between(options, "workers-2", {"two": with_workers(options, (ROUTER_CPU - 1, ROUTER_CPU)),
                                           "one": with_workers(options, (ROUTER_CPU,))})
    emit(compare("forward", "workers-2", "Mpps", found["two"], "one worker", found["one"], extra=("cycles",)))


def measure(options, case, emit):
    own = {"nodes-5": nodes, "untraced": untraced, "workers-2": workers}
    try:
        if case in LOOPS:
            against_loop(options, case, emit)
        elif not options.contestants:
            own[case](options, emit)
    except Unavailable as why:
        options.note(f"forward/{case}: {why}")

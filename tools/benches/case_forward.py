# SPDX-License-Identifier: BSD-3-Clause
"""forward: packets per second and core from memory to memory, against a hand-written DPDK loop.

Input is a net_pcap port in infinite_rx mode, output a net_null port: testpmd io moves 54 to 65 Mpps between such on one
core, so the router is what is measured. Both contestants get the same file, the same core and the same kind of pages, and
both count packets per second of CPU time, so that what other processes take of the core costs neither.
"""
from contest import compare, rounds
from inputs import packets4, packets6, table4, table6
from machine import ROUTER_CPU, Unavailable, run_json
from router import MAC_IN, RUN_DIR, Router, run

MAC = bytes.fromhex(MAC_IN.replace(":", ""))
FEW_PACKETS, MANY_PACKETS, MANY_ROUTES = 512, 65536, 1000000
# net_pcap preloads its packets into buffers of the dataplane's pool, whose size follows `queues` (the device has one).
MEMORY_MIB = 1024
CASES = {	# case: (lookup of the loop, name for "vs", table, packets)
    "ipv4-few": ("lpm", "rte_lpm-loop", lambda d: table4(d, 1), lambda d: packets4(d, 1, FEW_PACKETS, MAC)),
    "ipv4-1m": ("fib", "rte_fib-loop", lambda d: table4(d, MANY_ROUTES),
                lambda d: packets4(d, MANY_ROUTES, MANY_PACKETS, MAC)),
    "ipv6-few": ("lpm6", "rte_lpm6-loop", table6, lambda d: packets6(d, FEW_PACKETS, MAC)),
}


def loop(options, lookup, table, packets):
    options.pages.ensure()
    memory = ["--in-memory" if options.pages.enough else "--no-huge", "-m", MEMORY_MIB]
    found = run_json([f"{options.build}/tools/benches/lpm_loop", "-l", ROUTER_CPU, *memory, "--no-pci", "--no-telemetry",
                      "--file-prefix", "wye-bench", "--log-level", "error", "--iova-mode=va",
                      "--vdev", f"net_pcap0,rx_pcap={packets},infinite_rx=1", "--vdev", "net_null0,no-rx=1",
                      "--", lookup, table, options.seconds], timeout=120)
    return {"value": found["mpps"], "cycles": found["cycles"]}


def wye(options, router):
    options.pages.ensure()
    router.start_dpd()
    try:
        run_json([f"{router.build}/tools/benches/probe", "rate", RUN_DIR, "out0", 0.2])
        found = run_json([f"{router.build}/tools/benches/probe", "rate", RUN_DIR, "out0", options.seconds])
    finally:
        router.stop_dpd()
    if found["mpps"] <= 0:
        raise Unavailable("wye-dpd sent nothing out of out0")
    return {"value": found["mpps"], "cycles": found["cycles"], "nodes": found["nodes"]}


def memory_ports(packets):
    """Arguments of Router.configure()."""
    return ([f'netdev: in0, driver: devargs, queues: 8, devargs: "net_pcap0,rx_pcap={packets},infinite_rx=1"',
             'netdev: out0, driver: devargs, devargs: "net_null0,no-rx=1"'],
            f"{{ hugepages: auto, size_mib: {MEMORY_MIB} }}", "poll")


def prepare(router, lookup, table, packets):
    router.configure(*memory_ports(packets))
    if lookup == "lpm6":
        run("ip -n router route replace 2001:db8:12::/48 via 2001:db8:2::2 dev out0")
        routes = 0
    else:
        routes = router.routes(table)["routes"]
    router.start_ctld()
    router.routes_mirrored(routes)


def measure(options, case, emit):
    lookup, vs, make_table, make_packets = CASES[case]
    table, packets = make_table(options.inputs), make_packets(options.inputs)
    contestants = {vs: lambda: loop(options, lookup, table, packets)}
    router = None
    try:
        if not options.contestants:
            router = Router(options.build)
            prepare(router, lookup, table, packets)
            contestants = {"wye": lambda: wye(options, router), **contestants}
        found = rounds(contestants, options.runs, lambda text: options.note(f"forward/{case}: {text}"))
    except Unavailable as why:
        options.note(f"forward/{case}: {why}")
        return
    finally:
        if router:
            router.close()
    line = compare("forward", case, "Mpps", found.get("wye", []), vs, found[vs], extra=("cycles",))
    if options.verbose and found.get("wye"):
        line["nodes"] = found["wye"][-1]["nodes"]
    emit(line)

# SPDX-License-Identifier: BSD-3-Clause
"""mirror: how fast the kernel's state becomes the dataplane's, with a full table: 1,000,000 IPv4 and 250,000 IPv6 routes.

What a case is compared with is, where it says "allowed", the figure it must not exceed (or must reach).
"""
import json
import os
import resource
import signal
import subprocess
import time

from case_control import with_router
from case_forward import MAC, MANY_PACKETS, memory_ports
from contest import compare
from inputs import packets4, table4, table6
from machine import ROUTER_CPU, SOURCE_CPU, Unavailable, cpu_ns, die_with_parent, in_netns, run, run_json
from router import NEXTHOPS, RUN_DIR

CHANGES, REPLACES = 500, 10
ROUTES4, ROUTES6 = 1000000, 250000
ROUTES = ROUTES4 + ROUTES6
MARK = "198.18.0.1"		# the last route of a full table is to it
AF_XDP = ["netdev: in0, driver: af_xdp", "netdev: out0, driver: af_xdp"]


def full_table(options, net=2):
    """route_load's arguments; gateways on out0 or (net 3) out1."""
    return (table4(options.inputs, ROUTES4), f"10.{net}.0.2", NEXTHOPS, table6(options.inputs, ROUTES6),
            f"2001:db8:{net}::2", NEXTHOPS, table4(options.inputs, 1), f"10.{net}.0.2", 1)


def probe(router, *arguments, cpu=SOURCE_CPU, timeout=150):
    return run_json([f"{router.build}/tools/benches/probe", *arguments], netns="router", cpu=cpu, timeout=timeout)


def allowed(case, unit, found, limit, extra=()):
    return compare("mirror", case, unit, found, "allowed", [{"value": limit}] * len(found), extra=extra)


# ---- one change --------------------------------------------------------------------------------------------------------

def change_latency(options, cases, emit, router):
    router.start_ctld()
    samples = [probe(router, "change", RUN_DIR, "out0", "203.0.113.0/24", "10.2.0.2", "10.2.0.3", CHANGES)
               for _ in range(options.runs)]
    for quantile in ("p50", "p99"):
        if f"change-latency-{quantile}" in cases:
            emit(compare("mirror", f"change-latency-{quantile}", "ms", [{"value": s[f"{quantile}_ms"]} for s in samples],
                         "kernel-ack", [{"value": s[f"ack_{quantile}_ms"]} for s in samples]) | {"changes": CHANGES})


def nexthop_replace(options, emit, router):
    """A nexthop object with all IPv4 routes behind it."""
    run("ip -n router nexthop add id 1 via 10.2.0.2 dev out0")
    router.load("add", table4(options.inputs, ROUTES4), "nhid/1", 1)
    router.start_ctld()
    address = first_address(options)
    found = [probe(router, "nexthop", RUN_DIR, "out0", address, 1, "10.2.0.2", "10.2.0.3", REPLACES)
             for _ in range(min(options.runs, 2))]
    overruns = probe(router, "memory", RUN_DIR)["overruns"]
    emit(allowed("nexthop-replace", "ms", [s | {"value": s["max_ms"]} for s in found], 2, ("p50_ms", "ack_p50_ms")) |
         {"replaces": REPLACES, "overruns": overruns})


def first_address(options):
    with open(table4(options.inputs, ROUTES4), encoding="ascii") as file:
        return file.readline().split("/")[0]


# ---- a full table ------------------------------------------------------------------------------------------------------

def started(router, after=0, environment=()):
    """Seconds from exec until the tables are there, and the CPU time that took a route."""
    start = time.monotonic_ns()
    router.exec_ctld(SOURCE_CPU, environment)
    end = probe(router, "await", RUN_DIR, MARK, after, 60, cpu=None)["ns"]
    return {"value": (end - start) / 1e9, "cpu_us": cpu_ns(router.ctld.pid) / 1e3 / ROUTES}


def dump(options, emit, router):
    def once():
        found = started(router)
        router.stop_ctld()
        return found

    router.load("add", *full_table(options))
    emit(allowed("dump-1m", "s", [once() for _ in range(options.runs)], 2, ("cpu_us",)))


def insert_raw(router, table):
    """The writer on the other CPU: the router has no packets to forward."""
    return router.load("add", *table, cpu=ROUTER_CPU)


def insert_batch(router, path):
    run(["ip", "-batch", path], netns="router", cpu=ROUTER_CPU, timeout=150)
    return {"end_ns": time.monotonic_ns(), "seconds": None}


def inserted(router, table, write):
    """write() fills an empty kernel while wye-ctld listens: how long after the last one the tables are there."""
    router.start_ctld(cpu=SOURCE_CPU)
    before, start = cpu_ns(router.ctld.pid), time.monotonic_ns()
    with subprocess.Popen(in_netns("router", [f"{router.build}/tools/benches/probe", "await", RUN_DIR, MARK, 0, 150]),
                          stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent(SOURCE_CPU)) as waiting:
        done = write()
        out, _ = waiting.communicate(timeout=60)
    if waiting.returncode:
        raise Unavailable("the table did not arrive")
    lag = (int(out.split('"ns":')[1].split(",")[0]) - done["end_ns"]) / 1e9
    cpu_us = (cpu_ns(router.ctld.pid) - before) / 1e3 / ROUTES
    overruns = probe(router, "memory", RUN_DIR)["overruns"]
    router.stop_ctld()
    router.load("delete", *table)
    return {"value": max(lag, 0), "cpu_us": cpu_us, "overruns": overruns, "insert_s": (done["end_ns"] - start) / 1e9}


def insert(options, emit, router):
    table = full_table(options)
    extra = ("cpu_us", "overruns", "insert_s")
    found = [inserted(router, table, lambda: insert_raw(router, table)) for _ in range(min(options.runs, 3))]
    emit(allowed("insert-1m", "s", found, 0.5, extra))


def insert_by_batch(options, emit, router):
    table, path = full_table(options), "/run/batch"
    with open(path, "w", encoding="ascii") as out:
        for tables, gateway, gateways in zip(table[::3], table[1::3], table[2::3]):
            with open(tables, encoding="ascii") as file:
                base, last = gateway[:-1], int(gateway[-1])
                for line in file:
                    prefix, nexthop = line.split()
                    at = last + int(nexthop) % gateways
                    out.write(f"route add {prefix} via {base}{at:x}\n" if ":" in base else
                              f"route add {prefix} via {base}{at}\n")
    emit(allowed("insert-1m-batch", "s", [inserted(router, table, lambda: insert_batch(router, path))], 0.5,
                 ("cpu_us", "overruns", "insert_s")))


# ---- a link with a full table behind it --------------------------------------------------------------------------------

class Steady:
    """A steady flow from source to an address of the sink (flow.c). All of its way is on the router's CPU, since the
    kernel does not give the other one away while it takes a million routes out."""

    def __init__(self, router, address, port, rate=5000):
        self.process = subprocess.Popen([f"{router.build}/tools/benches/flow", "source", "sink", address, str(port), str(rate)],
                                        stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent(ROUTER_CPU))
        if not self.process.stdout.readline():	# "{}": the first packet is there
            raise Unavailable(f"flow to {address}: no packet arrives")

    def result(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return json.loads(out)


def counts(router):
    memory = probe(router, "memory", RUN_DIR)
    return memory["routes4"] + memory["routes6"]


def settled(router, seconds=60):
    """Until the mirror's number of routes changes no more; the seconds it took."""
    start, before = time.monotonic(), None
    while time.monotonic() - start < seconds:
        now = counts(router)
        if now == before:
            return time.monotonic() - start
        before = now
        time.sleep(0.25)
    raise Unavailable(f"the mirror did not settle in {seconds} s")


def same_routes(router):
    """Does wye list just the routes that the kernel has?"""
    def listed(command):
        out = "/run/listed"
        run(["sh", "-c", f"{command} | sed 's/ *$//' | LC_ALL=C sort | md5sum >{out}"], netns="router", timeout=120)
        with open(out, encoding="ascii") as file:
            return file.read()
    wye = f"{router.build}/tools/wye -r {RUN_DIR}"
    return all(listed(f"ip {family} route show") == listed(f"{wye} {family} show route") for family in ("-4", "-6"))


def gone_down(router, switch_off, settle):
    """out1 goes down with all routes behind it, while packets go to out0 and out1: switch_off()'s word, and how long
    packets to out0 were under way; quiet: the same when nothing happens, which is the machine's."""
    quiet = Steady(router, "10.2.0.2", 7000)
    time.sleep(2)
    quiet = quiet.result()
    steady, behind = Steady(router, "10.2.0.2", 7000), Steady(router, MARK, 7001)
    found = switch_off()
    settled_s = settle()
    behind.result()
    other = steady.result()
    return found | {key: other[key] for key in ("late_ms", "gap_ms", "send_gap_ms", "lost")} | {
        "quiet_late_ms": quiet["late_ms"], "settled_s": settled_s}


def off_and_on(options, router):
    """By wye, and whether it has what the kernel has when the link is back."""
    def switch_off():
        found = probe(router, "down", RUN_DIR, "out1", MARK, SOURCE_CPU, cpu=ROUTER_CPU)
        since_told = {f"{key}_ms": max(0, found[f"{key}_ms"] - found["told_ms"]) for key in ("seen", "sent")}
        return {"told_ms": found["told_ms"], "kernel_ms": found["done_ms"]} | since_told

    table = full_table(options, 3)
    router.load("add", *table)
    settled(router)
    found = gone_down(router, switch_off, lambda: settled(router))
    found["overruns"] = probe(router, "memory", RUN_DIR)["overruns"]
    run("ip -n router link set out1 up")
    router.load("add", *table)
    settled(router)
    same = same_routes(router)
    router.load("delete", *table)
    settled(router)
    if not same:
        raise Unavailable("the mirror's routes are not the kernel's after the link came back")
    return found | {"value": max(found["sent_ms"], found["late_ms"])}


def off_by_kernel(options, router):
    """The kernel forwards, by the same CPUs; it is done with the routes when the command ends."""
    def switch_off():
        start = time.monotonic()
        run("ip -n router link set out1 down", cpu=SOURCE_CPU)
        return {"kernel_ms": (time.monotonic() - start) * 1e3}

    router.load("add", *full_table(options, 3))
    found = gone_down(router, switch_off, lambda: time.sleep(1))
    run("ip -n router link set out1 up")
    return found | {"value": found["late_ms"]}


def link_down(options, emit, router):
    """Nobody has told wye-ctld which CPU to be on, as its unit does not; the kernel works on the source's."""
    router.spare()
    router.configure(AF_XDP + ["netdev: out1, driver: af_xdp"])
    runs = range(min(options.runs, 3))
    router.pin_receive()
    kernel = [off_by_kernel(options, router) for _ in runs]
    router.start_ctld()
    router.start_dpd()
    router.pin_receive()
    found = [off_and_on(options, router) for _ in runs]
    extra = ("sent_ms", "late_ms", "gap_ms", "send_gap_ms", "quiet_late_ms", "lost", "seen_ms", "told_ms", "kernel_ms",
             "settled_s", "overruns")
    emit(allowed("link-down", "ms", found, 5, extra))
    emit(compare("mirror", "link-down", "ms", found, "kernel", kernel, extra))


# ---- without change ----------------------------------------------------------------------------------------------------

def audit(options, emit, router):
    """The whole mirror compared with the kernel: CPU time a route, and how long a flow through the dataplane gaps."""
    def once():
        before, start, audits = cpu_ns(router.ctld.pid), time.monotonic(), audited()
        flow = Steady(router, "10.2.0.2", 7000)
        os.kill(router.ctld.pid, signal.SIGUSR1)
        router.ctld.await_that(lambda: audited() > audits, 60, "an audit")
        cpu_us = (cpu_ns(router.ctld.pid) - before) / 1e3 / ROUTES
        return {"value": cpu_us, "seconds": time.monotonic() - start, "gap_ms": flow.result()["gap_ms"],
                "drift": router.wye("status")["mirror"]["audit_drift"]}

    def audited():
        return router.wye("status")["mirror"]["audits"]

    router.load("add", *full_table(options))
    started(router)
    router.start_dpd()
    emit(allowed("audit-1m", "us/route", [once() for _ in range(min(options.runs, 3))], 2, ("seconds", "gap_ms", "drift")))


def replay(options, emit, router):
    """A recording of the kernel's full table, without the kernel: CPU time a route of decoding and applying."""
    recording = f"{options.inputs}/recording"

    def once():
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        run([f"{router.build}/ctlplane/wye-ctld", "-r", "/run/replayed", "--replay", recording], cpu=SOURCE_CPU)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"value": (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e6 / ROUTES,
                "seconds": time.monotonic() - start}

    router.load("add", *full_table(options))
    run([f"{router.build}/tools/wye", "record", recording, "--seconds", "0"], netns="router")
    emit(allowed("replay-1m", "us/route", [once() for _ in range(options.runs)], 2, ("seconds",)))
    os.unlink(recording)


# ---- changes without end -----------------------------------------------------------------------------------------------

CHURN_RATE, CHURN_SECONDS = 20000, 60


def churned(options, router, table):
    """Forwarding at full speed without, with, and again without routes that change all the time."""
    def mpps(seconds):
        return probe(router, "rate", RUN_DIR, "out0", seconds)["mpps"]

    def dropped():
        reasons = router.wye("show", "stats")["reasons"]
        return sum(reasons.values())

    before, drops, quiet = probe(router, "memory", RUN_DIR), dropped(), [mpps(CHURN_SECONDS / 8)]
    with subprocess.Popen(in_netns("router", [f"{router.build}/tools/benches/route_load", "churn", table, "10.2.0.2",
                                              str(NEXTHOPS), str(CHURN_RATE), str(CHURN_SECONDS)]),
                          stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent(SOURCE_CPU)) as churn:
        busy = mpps(CHURN_SECONDS - 1)
        out, _ = churn.communicate(timeout=CHURN_SECONDS + 30)
    done, after = json.loads(out), probe(router, "memory", RUN_DIR)
    quiet.append(mpps(CHURN_SECONDS / 8))
    if done["failed"]:
        raise Unavailable(f"the kernel refused {done['failed']} changes: {done['first_error']}")
    return {"value": done["routes"] / done["seconds"], "rate": busy / (sum(quiet) / 2), "dropped": dropped() - drops,
            "overruns": after["overruns"] - before["overruns"], "mirrored": after["messages"] - before["messages"]}


def churn(options, emit, router):
    table = table4(options.inputs, ROUTES4)
    router.configure(*memory_ports(packets4(options.inputs, ROUTES4, MANY_PACKETS, MAC)))
    router.routes(table)
    router.start_ctld(cpu=SOURCE_CPU)
    router.start_dpd()
    found = [churned(options, router, table)]
    emit(allowed("churn", "updates/s", found, CHURN_RATE, ("rate", "dropped", "overruns")))


# ---- restarts ----------------------------------------------------------------------------------------------------------

def restart_ctld(options, emit, router):
    """SIGKILL, and another one at once."""
    def once():
        after = probe(router, "await", RUN_DIR, MARK, 0, 60)["generation"]
        flow = Steady(router, "10.2.0.2", 7000)
        router.ctld.stop(signal.SIGKILL)
        found = started(router, after)
        return found | {key: value for key, value in flow.result().items() if key in ("lost", "gap_ms")}

    router.load("add", *full_table(options))
    started(router)
    router.start_dpd()
    emit(allowed("restart-ctld", "s", [once() for _ in range(min(options.runs, 3))], 3, ("cpu_us", "lost", "gap_ms")))


def restart_dpd(options, emit, router):
    """From exec until it forwards, by the tables that were there before."""
    def once():
        generation = probe(router, "await", RUN_DIR, MARK, 0, 60)["generation"]
        router.stop_dpd()
        flow = Steady(router, "10.2.0.2", 7000)
        start = time.monotonic_ns()
        router.exec_dpd()
        end = probe(router, "forwards", RUN_DIR, "out0", router.dpd.pid, 30)["ns"]
        found = {key: value for key, value in flow.result().items() if key in ("lost", "gap_ms")}
        if probe(router, "await", RUN_DIR, MARK, 0, 60)["generation"] != generation:
            raise Unavailable("wye-ctld made new tables meanwhile")
        return found | {"value": (end - start) / 1e9}

    router.load("add", *full_table(options))
    started(router)
    router.start_dpd()
    emit(allowed("restart-dpd", "s", [once() for _ in range(min(options.runs, 3))], 1, ("lost", "gap_ms")))


# ---- all ---------------------------------------------------------------------------------------------------------------

CASES = {	# one function each; change-latency's two are one measurement
    "dump-1m": dump, "insert-1m": insert, "insert-1m-batch": insert_by_batch, "nexthop-replace": nexthop_replace,
    "audit-1m": audit, "replay-1m": replay, "link-down": link_down, "churn": churn, "restart-ctld": restart_ctld, "restart-dpd": restart_dpd,
}
NAMES = ["change-latency-p50", "change-latency-p99", *CASES]


def measure(options, cases, emit):
    if options.contestants:
        return

    def with_ports(body):
        def configured(router):
            router.configure(AF_XDP)
            body(router)
        return configured

    if any(case.startswith("change") for case in cases):
        with_router(options, "mirror", with_ports(lambda router: change_latency(options, cases, emit, router)))
    for case in cases:
        if case in CASES:
            with_router(options, f"mirror/{case}", with_ports(lambda router, case=case: CASES[case](options, emit, router)))

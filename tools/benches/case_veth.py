# SPDX-License-Identifier: BSD-3-Clause
"""veth: 64-byte UDP from one veth to another through the router, saturated and at a fixed rate.

`value` is what arrives when the generator sends all it can; `cpu_ns` what CPU 1 spends on a packet at RATE_PPS, all of it:
receive NAPI, XDP, worker, transmit (see gen.c for how it is counted and why the sink is not in it).
in0 receives in a NAPI thread on CPU 1 for every contestant, and wye's worker is one priority above it. (testpmd never sleeps:
above that thread it would never be given a packet.) A polling contestant is busy all the time, so its cpu_ns is one CPU divided
by the rate.
"""
import os
import time

from contest import compare, rounds
from machine import ROUTER_CPU, SOURCE_CPU, Daemon, Unavailable, last_line, run, run_json
from router import MAC_IN, SCHED_FIFO_PRIORITY, Router

RATE_PPS = 250000
DST, PREFIX = "198.18.0.1", "198.18.0.0/15"
CASES = {	# case: (contestant, what "vs" says)
    "ipv4-vs-testpmd": ("testpmd-io", "testpmd-io"),
    "ipv4-vs-testpmd-macswap": ("testpmd-macswap", "testpmd-macswap"),
    "ipv4-vs-kernel": ("kernel", "kernel"),
    "ipv4-vs-xdp": ("xdp", "xdp_fwd"),
}
EXTRA = ("cpu_ns", "busy", "offered")


def generate(build, seconds, pps, ttl):
    return run_json([f"{build}/tools/benches/gen", "--object", f"{build}/tools/benches/gen.bpf.o", "--seconds", seconds,
                     "--pps", pps, "--ttl", ttl, "--cpu", SOURCE_CPU, "--router-cpu", ROUTER_CPU, "source", "src0",
                     "router", "out0", "sink", "dst0", "10.2.0.2", MAC_IN, "10.1.0.2", DST], timeout=seconds + 20)


def both_rates(router, seconds, ttl=63):
    """With the contestant running: saturated, then at the fixed rate. Packets that bypassed it (another TTL) do not count."""
    router.pin_receive()
    full = generate(router.build, seconds, 0, ttl)
    paced = generate(router.build, seconds, RATE_PPS, ttl)
    for found in (full, paced):
        if found["bad_ttl"] > found["received"] * 0.001:
            raise Unavailable(f"{found['bad_ttl']} of {found['received']} packets did not take the contestant's path")
    if paced["received"] < 0.98 * paced["sent"]:
        paced["cpu_ns"] = None
    result = {"value": full["mpps"], "busy": full["router_busy"], "offered": full["offered_mpps"]}
    if paced["cpu_ns"]:
        result["cpu_ns"] = paced["cpu_ns"]
    return result


def kernel(router, seconds):
    return both_rates(router, seconds)


def xdp(router, seconds):
    run(["ip", "link", "set", "dev", "in0", "xdpdrv", "obj", f"{router.build}/tools/benches/xdp_fwd.bpf.o", "sec", "xdp"],
        netns="router")
    try:
        return both_rates(router, seconds)
    finally:
        run("ip link set dev in0 xdpdrv off", netns="router")


def testpmd(router, seconds, mode):
    command = ["stdbuf", "-oL", "dpdk-testpmd", "--no-huge", "-m", "512", "-l", f"{SOURCE_CPU},{ROUTER_CPU}", "--main-lcore",
               str(SOURCE_CPU), "--no-pci", "--no-telemetry", "--file-prefix", "wye-bench-testpmd",
               "--vdev", "net_af_xdp0,iface=in0", "--vdev", "net_af_xdp1,iface=out0", "--", f"--forward-mode={mode}",
               "--auto-start", "--nb-cores=1", "--total-num-mbufs=32768", "--rxd=1024", "--txd=1024"]
    daemon = Daemon(f"testpmd-{mode}", command, netns="router", urgent=True)
    try:
        daemon.await_that(lambda: "packet forwarding - ports=" in daemon.said(), 20, "forwarding")
        return both_rates(router, seconds, ttl=64)	# it leaves the TTL alone
    finally:
        daemon.stop()
        ports_free()


def ports_free():
    """A dying AF_XDP socket's program goes with it, a little later."""
    for _ in range(100):
        if "xdp" not in run("ip link show dev in0", netns="router") + run("ip link show dev out0", netns="router"):
            return
        time.sleep(0.02)
    for netdev in ("in0", "out0"):
        run(f"ip link set dev {netdev} xdp off", netns="router", check=False)


def wye(router, seconds):
    router.start_dpd()
    try:
        router.dpd.await_that(lambda: "xdp" in run("ip link show dev in0", netns="router"), 5, "steering program attached")
        before = forwarded(router)
        result = both_rates(router, seconds)
        if forwarded(router) - before < result["value"] * 1e6 * seconds * 0.9:
            raise Unavailable("the kernel, not wye-dpd, forwarded the packets")
        return result
    finally:
        router.stop_dpd()
        ports_free()


def forwarded(router):
    return sum(port["tx_packets"] for port in router.wye("show", "port") or [])


def contestants_of(router, cases, seconds, with_wye):
    everybody = {"testpmd-io": lambda: testpmd(router, seconds, "io"),
                 "testpmd-macswap": lambda: testpmd(router, seconds, "macswap"),
                 "kernel": lambda: kernel(router, seconds), "xdp": lambda: xdp(router, seconds)}
    wanted = {CASES[case][0]: everybody[CASES[case][0]] for case in cases}
    return {"wye": lambda: wye(router, seconds), **wanted} if with_wye else wanted


def prepare(options):
    router = Router(options.build)
    run(f"ip -n router route add {PREFIX} via 10.2.0.2")
    router.sink_polled()
    if not options.contestants:
        router.configure(["netdev: in0, driver: af_xdp", "netdev: out0, driver: af_xdp"], priority=SCHED_FIFO_PRIORITY + 1)
        router.start_ctld()
    return router


def measure(options, cases, emit):
    if (os.cpu_count() or 1) < 2:
        options.note("veth: needs two CPUs")
        return
    router = None
    try:
        router = prepare(options)
        found = rounds(contestants_of(router, cases, options.seconds, not options.contestants), options.runs,
                       lambda text: options.note(f"veth: {text}"))
    except Unavailable as why:
        options.note(f"veth: {why}")
        return
    finally:
        if router:
            router.close()
    for case in cases:
        name, vs = CASES[case]
        emit(compare("veth", case, "Mpps", found.get("wye", []), vs, found[name], extra=EXTRA))

# SPDX-License-Identifier: BSD-3-Clause
"""kill, idle: what dying costs, and what doing nothing does."""
import json
import signal
import subprocess
import time

from contest import compare, rounds
from machine import SOURCE_CPU, Unavailable, cpu_ns, die_with_parent, run
from router import RUN_DIR, Router

KILL_PPS, KILL_SECONDS = 10000, 4
RING_PACKETS = 4096	# what may sit in the rings of one queue
IDLE_SECONDS = 10
IDLE_CASES = {	# case: (unit, what it must not exceed)
    "cpu": ("% of a core", 0.4), "dpd": ("% of a core", 0.4), "ctld": ("% of a core", 0.4), "wake": ("ms", 1),
    "cpu-tap": ("% of a core", 0.4),
}
IDLE_TAP = 'driver: devargs, devargs: "net_tap0,iface=idle0"'	# out0's, for cases that end so: no af_xdp port
WAKE_PPS, WAKE_BURST, WAKE_PAUSE_MS = 100000, 2000, 250


def with_router(options, bench, body):
    """body(router), with a router that is gone afterwards; what is not possible becomes a note."""
    router = None
    try:
        router = Router(options.build)
        body(router)
    except Unavailable as why:
        options.note(f"{bench}: {why}")
    finally:
        if router:
            router.close()


# ---- kill --------------------------------------------------------------------------------------------------------------

class Flow:
    """Numbered UDP packets from source to sink, by a program that says "{}" when the first is in and counts at its end."""

    def __init__(self, command, cpu=None):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent(cpu))
        self.process.stdout.readline()	# "{}": the first packet is there

    def result(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return json.loads(out.strip().splitlines()[-1])


def killed(options, router, who):
    """Packets lost when `who` dies by SIGKILL in mid-traffic, or (dpd-restart) takes the flows back after that."""
    router.start_ctld()
    router.start_dpd()
    try:
        if who == "dpd-restart":
            router.dpd.stop(signal.SIGKILL)
        flow = Flow(["python3", f"{options.top}/tools/udpflow.py", "--from", "source", "--to", "sink", "--dst", "10.2.0.2",
                     "--rate", str(KILL_PPS), "--flows", "16"])
        time.sleep(KILL_SECONDS / 2)
        if who == "dpd-restart":
            router.start_dpd()
        else:
            (router.dpd if who == "dpd" else router.ctld).stop(signal.SIGKILL)
        time.sleep(KILL_SECONDS / 2)
        found = flow.result()
    finally:
        router.stop_dpd()
        router.stop_ctld()
    return {"value": found["lost"], "sent": found["sent"], "gap_ms": found["longest_gap_ms"]}


def kill(options, cases, emit):
    if options.contestants:
        return

    def body(router):
        router.configure(["netdev: in0, driver: af_xdp", "netdev: out0, driver: af_xdp"])
        for case in cases:
            found = rounds({"wye": lambda who=case: killed(options, router, who)}, options.runs,
                           lambda text, who=case: options.note(f"kill/{who}: {text}"))["wye"]
            limit = 0 if case == "ctld" else RING_PACKETS
            emit(compare("kill", case, "packets", found, "allowed", [{"value": limit}] * len(found),
                         extra=("sent", "gap_ms")))
    with_router(options, "kill", body)


# ---- idle --------------------------------------------------------------------------------------------------------------

def share(router, case):
    """Percent of a core that a daemon, or both (cpu), take with nothing to do."""
    daemons = {"dpd": [router.dpd], "ctld": [router.ctld]}.get(case, [router.dpd, router.ctld])
    before, start = sum(cpu_ns(daemon.pid) for daemon in daemons), time.monotonic_ns()
    time.sleep(IDLE_SECONDS / 2)
    used = sum(cpu_ns(daemon.pid) for daemon in daemons) - before
    return {"value": 100 * used / (time.monotonic_ns() - start)}


def wake(options):
    """From the first packet after a rest to full speed, over the bursts of one run (tools/benches/flow.c)."""
    flow = Flow([f"{options.build}/tools/benches/flow", "source", "sink", "10.2.0.2", "9", str(WAKE_PPS), str(WAKE_BURST),
                 str(WAKE_PAUSE_MS)], cpu=SOURCE_CPU)
    time.sleep(IDLE_SECONDS / 2)
    found = flow.result()
    if "wake_ms" not in found:
        raise Unavailable("no burst came to a steady delay")
    return {"value": found["wake_ms"], "max_ms": found["wake_max_ms"], "settled_us": found["settled_us"],
            "lost": found["lost"]}


def idle(options, cases, emit):
    if options.contestants:
        return

    def body(router):
        running = None
        for case in cases:
            unit, limit = IDLE_CASES[case]
            out0 = IDLE_TAP if case.endswith("-tap") else "driver: af_xdp"
            if out0 != running:
                router.stop_dpd()
                router.stop_ctld()
                router.configure(["netdev: in0, driver: af_xdp", f"netdev: out0, {out0}"])
                router.start_ctld()
                router.start_dpd()
                time.sleep(1)
                running = out0
            found = rounds({"wye": lambda which=case: wake(options) if which == "wake" else share(router, which)},
                           options.runs, lambda text, which=case: options.note(f"idle/{which}: {text}"))["wye"]
            emit(compare("idle", case, unit, found, "allowed", [{"value": limit}] * len(found),
                         extra=("max_ms", "settled_us", "lost") if case == "wake" else ()))
    with_router(options, "idle", body)


# ---- programs that print their own lines -------------------------------------------------------------------------------

FIB_CASES = ["ipv4-random", "ipv4-random-single", "ipv6-random", "ipv6-random-single", "ipv4-insert", "ipv6-insert",
             "ipv4-memory", "ipv6-memory", "memory-shared", "memory-private", "update", "update-dense", "update-default"]


def program(options, name, cases, emit):
    """fib and steer: tools/benches/bench_NAME prints JSON lines as ours. No cases: all it has."""
    try:
        out = run([f"{options.build}/tools/benches/bench_{name}", "--json", "--runs", options.runs], timeout=600)
    except (Unavailable, OSError) as why:
        options.note(f"{name}: {why}")
        return
    for line in out.splitlines():
        found = json.loads(line) if line.startswith("{") else {}
        if found and (not cases or found["case"] in cases):
            emit(found)

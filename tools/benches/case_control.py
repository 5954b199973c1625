# SPDX-License-Identifier: BSD-3-Clause
"""kill, idle: what dying costs, and what doing nothing does."""
import json
import signal
import subprocess
import time

from contest import compare, rounds
from machine import Unavailable, cpu_seconds, die_with_parent, run
from router import RUN_DIR, Router

KILL_PPS, KILL_SECONDS = 10000, 4
RING_PACKETS = 4096	# what may sit in the rings of one queue
IDLE_SECONDS = 10


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
    """Numbered UDP packets from source to sink (tools/udpflow.py)."""

    def __init__(self, options):
        command = ["python3", f"{options.top}/tools/udpflow.py", "--from", "source", "--to", "sink", "--dst", "10.2.0.2",
                   "--rate", str(KILL_PPS), "--flows", "16"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent())
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
        flow = Flow(options)
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

def share(pid, seconds):
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - before) / seconds


def idle(options, cases, emit):
    if options.contestants:
        return

    def body(router):
        router.configure(["netdev: in0, driver: af_xdp", "netdev: out0, driver: af_xdp"])
        router.start_ctld()
        router.start_dpd()
        time.sleep(1)
        for case in cases:
            pid = (router.dpd if case == "dpd" else router.ctld).pid
            values = [{"value": share(pid, IDLE_SECONDS / options.runs)} for _ in range(options.runs)]
            emit(compare("idle", case, "% of a core", values, "polling", [{"value": 100.0}] * len(values)))
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

# SPDX-License-Identifier: BSD-3-Clause
"""start: how long wye-dpd's own part of a start takes, the ports' most of all: exec to first packet sent, less what DPDK's
environment took."""
import time

from case_control import with_router
from case_mirror import AF_XDP, Steady, probe
from contest import compare
from machine import Unavailable
from router import RUN_DIR

CASES = ["port"]
ALLOWED_MS = 1000


def eal_ms(router):
    for init in (router.wye("show", "init") or {}).get("inits", []):
        if init["name"] == "eal":
            return init["seconds"] * 1e3
    raise Unavailable("wye show init does not tell of DPDK's environment")


def once(router):
    flow = Steady(router, "10.2.0.2", 7000)
    start = time.monotonic_ns()
    router.exec_dpd()
    end = probe(router, "forwards", RUN_DIR, "out0", router.dpd.pid, 30)["ns"]
    lost, eal = flow.result()["lost"], eal_ms(router)
    router.stop_dpd()
    return {"value": (end - start) / 1e6 - eal, "eal_ms": eal, "lost": lost}


def measure(options, cases, emit):
    if options.contestants:
        return

    def body(router):
        router.configure(AF_XDP)
        router.start_ctld()
        found = [once(router) for _ in range(options.runs)]
        emit(compare("start", "port", "ms", found, "allowed", [{"value": ALLOWED_MS}] * len(found), extra=("eal_ms", "lost")))
    with_router(options, "start/port", body)

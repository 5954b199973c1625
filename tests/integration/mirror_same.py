#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the mirror's tables with the kernel's state, in the current network namespace.

usage: mirror_same.py WYE RUN_DIR [ADDRESS...]

Prints what differs and exits 1. Rules are compared with their order. Routes are compared as a set with what wye
promises to mirror; a multipath leg that the kernel calls dead is in neither. For each ADDRESS, `wye lookup` is compared
with the kernel's own `ip route get fibmatch`; where wye leaves the choice to the kernel, that is right by definition and
only counted.
"""
import json
import subprocess
import sys

WYE, RUN_DIR, ADDRESSES = sys.argv[1], sys.argv[2], sys.argv[3:]


# What the kernel answers instead of a route, and the type of route that makes it say so.
ERRORS = {"Invalid argument": "blackhole", "No route to host": "unreachable", "Permission denied": "prohibit",
          "Network is unreachable": None}
REFUSALS = [kind for kind in ERRORS.values() if kind]


def first_of_each(pairs):
    """An encapsulation's "dst" and "tos" stand beside the route's own, behind them."""
    return dict(reversed(pairs))


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(result.stdout, object_pairs_hook=first_of_each) if result.stdout.strip() else []


def kernel_lookup(address):
    """The route the kernel takes, as route() makes it; or the type of one that refuses; None: no route."""
    family = "-6" if ":" in address else "-4"
    result = subprocess.run(("ip", family, "-j", "route", "get", "fibmatch", address), capture_output=True, text=True,
                            check=False)
    for text, kind in ERRORS.items():
        if text in result.stderr:
            return kind
    return route(json.loads(result.stdout)[0], with_table=False)


def wye(*arguments):
    return run(WYE, "-r", RUN_DIR, "-j", *arguments)


def route(entry, with_table=True):
    """What is compared of a route. `ip route get` does not name the table."""
    legs = [leg for leg in entry.get("nexthops", []) if "dead" not in leg.get("flags", [])]
    if len(legs) == 1:
        entry = {**entry, **legs[0]}
        legs = []
    legs = [{key: leg[key] for key in ("gateway", "via", "dev", "weight") if key in leg} for leg in legs]
    kept = {key: entry[key] for key in ("type", "dst", "gateway", "via", "dev", "table", "protocol", "scope", "prefsrc",
                                        "metric", "tos", "nhid") if key in entry}
    if not with_table:
        kept.pop("table", None)
        # The kernel keeps what it answers with an IPv6 next-hop object, and may name another route by the same object.
        if "nhid" in kept and ":" in kept["dst"]:
            kept.pop("dst")
    if isinstance(kept.get("tos"), int):  # the encapsulation's: a route's is text
        del kept["tos"]
    if "nhid" in kept and with_table:  # the object's own legs are compared by lookups
        for key in ("gateway", "via", "dev"):
            kept.pop(key, None)
        legs = []
    mtu = [m["mtu"] for m in entry.get("metrics", []) if "mtu" in m]
    return json.dumps({**kept, "legs": sorted(map(json.dumps, legs)), "mtu": mtu}, sort_keys=True)


def routes(family, entries):
    return [f"{family} {route(e)}" for e in entries if "cache" not in e.get("flags", [])]


def link(entry):
    return json.dumps({key: entry.get(key) for key in ("ifindex", "ifname", "mtu", "operstate", "address", "link_type",
                                                       "master", "txqlen", "group", "link", "link_index",
                                                       "link_netnsid", "permaddr", "altnames")} |
                      {"flags": sorted(entry["flags"])}, sort_keys=True)


def addresses(entries):
    return [json.dumps({"dev": e["ifname"]} | {key: a.get(key) for key in
            ("family", "local", "address", "prefixlen", "broadcast", "scope", "label", "tentative")}, sort_keys=True)
            for e in entries for a in e.get("addr_info", [])]


def neighbours(entries):
    """The kernel does not tell that it asks for an entry (again), nor that it is about to probe a stale one."""
    entries = [e | {"state": ["STALE" if state == "DELAY" else state for state in e.get("state", [])]} for e in entries]
    return [json.dumps({key: e.get(key) for key in ("dst", "dev", "lladdr", "state")}) for e in entries
            if e["state"] not in (["INCOMPLETE"], ["FAILED"])]


def rules(entries):
    return [json.dumps([at, entry], sort_keys=True) for at, entry in enumerate(entries)]


def compare(what, kernel, mirror):
    missing, extra = list(kernel), []
    for entry in mirror:
        if entry in missing:
            missing.remove(entry)
        else:
            extra.append(entry)
    for entry in missing[:10]:
        print(f"{what}: the kernel has, wye has not: {entry}")
    for entry in extra[:10]:
        print(f"{what}: wye has, the kernel has not: {entry}")
    return not missing and not extra


def compare_lookup(address):
    want, mirror = kernel_lookup(address), wye("lookup", address)
    if not isinstance(mirror, dict):
        print(f"lookup {address}: no answer")
        return False
    if any(path["kind"] == "kernel" for path in mirror.get("paths", [])):
        return True
    have = mirror.get("route")
    if have:
        kind = mirror["paths"][0]["kind"]
        have = kind if kind in REFUSALS else route(have, with_table=False)
    if want != have:
        print(f"lookup {address}: kernel {want}, wye {have}")
    return want == have


def main():
    same = compare("link", map(link, run("ip", "-j", "link")), map(link, wye("show", "link")))
    same &= compare("addr", addresses(run("ip", "-j", "addr")), addresses(wye("show", "addr")))
    same &= compare("neigh", neighbours(run("ip", "-j", "neigh")), neighbours(wye("show", "neigh")))
    for family in "-4", "-6":
        same &= compare("rule", rules(run("ip", family, "-j", "rule")), rules(wye(family, "show", "rule")))
        same &= compare("route", routes(family, run("ip", family, "-j", "route", "show", "table", "all")),
                        routes(family, wye(family, "show", "route", "table", "all")))
    for address in ADDRESSES:
        same &= compare_lookup(address)
    sys.exit(not same)


main()

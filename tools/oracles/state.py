# SPDX-License-Identifier: BSD-3-Clause
"""Whole tables as sets of strings, so that two of them can be compared: the mirror's and the kernel's, or two kernels'."""
import collections
import json

VALID = {"PERMANENT", "NOARP", "REACHABLE", "STALE", "DELAY", "PROBE"}


def route(entry, family):
    """Not compared of IPv6: protocol and preferred source. Each sibling of a multipath route has its own, the kernel
    tells one's for all, and not the same in messages and dumps; nor does forwarding depend on them."""
    legs = [leg for leg in entry.get("nexthops", []) if "dead" not in leg.get("flags", [])]
    dead = "dead" in entry.get("flags", []) or entry.get("nexthops") and not legs
    unicast = entry.get("type", "unicast") == "unicast"
    kept = {key: entry[key] for key in ("type", "dst", "table", "protocol", "scope", "prefsrc", "metric", "tos", "nhid")
            if key in entry}
    if "nhid" in kept or not unicast:  # what an object leads to is compared by lookups; others have no path of ours
        pass
    elif dead:  # no path of it is in use; dead paths of several are not in wye's tables
        kept["dead"] = True
    else:
        for leg in legs:
            leg.pop("flags", None)
        legs = list({json.dumps(leg): leg for leg in legs}.values())  # one leg twice is one of twice the share
        if len(legs) == 1:
            entry, legs = {**entry, **legs[0]}, []
        kept |= {key: entry[key] for key in ("gateway", "via", "dev") if key in entry}
        kept["legs"] = sorted(map(json.dumps, legs))
    if family == "6":
        kept.pop("prefsrc", None)
        kept.pop("protocol", None)
    return json.dumps(kept, sort_keys=True)


def same_place(entry):
    return entry["dst"], entry.get("table", "main"), entry.get("metric", 0)


def without_hidden(entries, kernel):
    """An IPv6 dump steps from a multipath route's first path to its last, over what else of that metric is between
    (fib6_dump_node()). wye keeps what it was told of; whether it acts on it as the kernel does, lookups tell."""
    over = {same_place(e) for e in kernel if len(e.get("nexthops", [])) > 1 and "type" not in e}
    return [e for e in entries if same_place(e) not in over or "nhid" not in e and {"gateway", "nexthops"} & set(e) or
            "dead" in e.get("flags", [])]


def routes(entries, family):
    return [route(e, family) for e in entries if "cache" not in e.get("flags", [])]


def link(entry):
    return json.dumps({key: entry.get(key) for key in ("ifindex", "ifname", "mtu", "operstate", "address", "link_type",
                                                       "master", "txqlen", "group")} |
                      {"flags": sorted(entry["flags"])}, sort_keys=True)


def addresses(entries):
    return [json.dumps({"dev": e["ifname"]} | {key: a.get(key) for key in
            ("family", "local", "address", "prefixlen", "broadcast", "scope", "label", "tentative")}, sort_keys=True)
            for e in entries for a in e.get("addr_info", [])]


def neigh(entry):
    """A stale one in use is in DELAY, which is not told. ip prints a byte of its own memory where a device has no addresses
    (tun)."""
    address = entry.get("lladdr")
    return json.dumps({"dst": entry.get("dst"), "dev": entry.get("dev"),
                       "lladdr": address if address and ":" in address else None,
                       "state": ["STALE" if s == "DELAY" else s for s in entry.get("state") or []]})


def told(entries):
    """The kernel says nothing of neighbours that begin without an address, nor of those it makes for addresses and links
    that need no asking (multicast, `arp off`): those are NOARP. Lookups show whether the latter lead astray."""
    return [e for e in entries if VALID & set(e.get("state", [])) and "NOARP" not in e["state"]]


def compare_neighs(kernel, mirror):
    found = differences("neigh", map(neigh, told(kernel)), map(neigh, told(mirror)))
    return found + [f"neigh: wye has, the kernel has not: {e}"
                    for e in set(map(neigh, mirror)) - set(map(neigh, kernel)) if "NOARP" in e]


def differences(what, kernel, mirror):
    kernel, mirror = collections.Counter(kernel), collections.Counter(mirror)
    return ([f"{what}: the kernel has, wye has not: {e}" for e in (kernel - mirror)] +
            [f"{what}: wye has, the kernel has not: {e}" for e in (mirror - kernel)])


def mirrored(entries):
    return [e for e in entries if e.get("table", "main") in ("main", "local", "default")]


def compare_tables(world, kernel):
    found = differences("link", map(link, kernel["link"]), map(link, world.wye("show", "link")))
    found += differences("addr", addresses(kernel["addr"]), addresses(world.wye("show", "addr")))
    found += compare_neighs(kernel["neigh"], world.wye("show", "neigh", "nud", "all"))
    for family in "4", "6":
        there, ours = mirrored(kernel["route" + family]), world.wye("-" + family, "show", "route", "table", "all")
        if family == "6":
            there, ours = without_hidden(there, there), without_hidden(ours, there)
        found += differences("route" + family, routes(there, family), routes(ours, family))
    return found

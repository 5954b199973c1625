# SPDX-License-Identifier: BSD-3-Clause
"""Are the mirror's tables and answers the kernel's? Differences are strings that begin with what kind they are.

Of a lookup: a forward or drop verdict that is not the kernel's is "unsafe"; a wrong route behind a punt is "fib". Where
wye leaves the packet to the kernel it is right by definition; why it did is counted. Real packets are twins.py's.
"""
import collections
import ipaddress
import random
import signal
import time

from kernel import Kernel, TYPES, tables
from state import VALID, compare_tables
from twins import Twins
from world import INGRESS, SOURCE4, SOURCE6

NH = {"none": 0, "forward": 1, "unresolved": 2, "onlink": 3, "group": 4, "local": 5, "blackhole": 6, "unreachable": 7,
      "prohibit": 8, "kernel": 9, "down": 10}
HOST_TYPES = ("local", "broadcast", "anycast", "multicast")
AUDIT_S = 20
# ---- addresses worth asking for ----


def network(family, entry):
    text = entry["dst"] if entry["dst"] != "default" else ("::/0" if family == "6" else "0.0.0.0/0")
    return ipaddress.ip_network(text, strict=False)


def boundary(kernel, choose, at_most):
    """First, last, one less, one more, one inside, of every route; at most so many of each family."""
    chosen = []
    for family in "4", "6":
        edges = set()
        size = 1 << (128 if family == "6" else 32)
        for entry in kernel["route" + family]:
            net = network(family, entry)
            first, last = int(net[0]), int(net[-1])
            edges |= {first, last, max(first - 1, 0), min(last + 1, size - 1), (first + last) // 2,
                      choose.randint(first, last)}
        kind = ipaddress.IPv6Address if family == "6" else ipaddress.IPv4Address
        edges = sorted(edges)
        chosen += [str(kind(e)) for e in (edges if len(edges) <= at_most else choose.sample(edges, at_most))]
    return chosen


# ---- lookups ----


class Judge:
    def __init__(self, world):
        self.world, self.kernel = world, Kernel()
        self.twins = Twins(world, self.kernel) if world.twin else None
        self.checks = 0
        self.punts = collections.Counter()	# why wye leaves to the kernel what the kernel forwards or drops

    def check(self, choose, more=(), at_most=150):
        """Differences as of now. more: Probes, for packets and lookups besides."""
        if self.world.dead():
            return [f"daemon: {name} has ended" for name in self.world.dead()]
        opened = self.world.ask(["open"])[0]
        if opened.get("state") != 1:
            return [f"ctld: not in sync: {opened}"]
        kernel = tables()
        found = compare_tables(self.world, kernel)
        self.checks += sum(map(len, kernel.values()))
        punts = collections.Counter()
        links = {e["ifname"]: e for e in kernel["link"]}
        if INGRESS not in links:
            return found
        iif = links[INGRESS]["ifindex"]
        context = {"macs": {e["ifindex"]: e.get("address") for e in kernel["link"]},
                   "mtus": {e["ifindex"]: e["mtu"] for e in kernel["link"]},
                   "forwarding6": sysctl("net/ipv6/conf/all/forwarding"),
                   "neighs": {(links[n["dev"]]["ifindex"], n["dst"]): n for n in kernel["neigh"]
                              if n.get("dev") in links}}
        asked = boundary(kernel, choose, at_most)
        sources = [p.source for p in more] + [self.source(choose, kernel, address) for address in asked]
        asked = [p.address for p in more] + asked
        answers = self.world.ask([f"{iif} {s} {a}" for s, a in zip(sources, asked)])
        for address, source, answer in zip(asked, sources, answers):
            self.checks += 1
            found += [f"{text} [lookup {address} from {source}]"
                      for text in self.judge(iif, source, address, answer, context, punts)]
        if not found:
            self.punts += punts
        if not found and self.twins:
            mtus = [[leg["mtu"] for leg in answer["legs"] if leg["verdict"] == "forward"] for answer in answers]
            probes = [*more, *self.twins.probes(choose, list(zip(asked, sources, mtus)))]
            self.checks += len(probes)
            found = self.twins.check(probes, kernel)
        return found

    def audit(self):
        """What wye-ctld's own comparison with the kernel finds."""
        before, deadline = self.world.mirror_stats(), time.monotonic() + AUDIT_S
        self.world.ctld.send_signal(signal.SIGUSR1)
        while time.monotonic() < deadline:
            now = self.world.mirror_stats()
            if now.get("audits", 0) > before["audits"]:
                return [f"drift: {line}" for line in self.world.drifted()]
            time.sleep(0.01)
        return ["audit: it does not end"]

    @staticmethod
    def source(choose, kernel, address):
        family = "6" if ":" in address else "4"
        if choose.random() < 0.9 or not kernel["route" + family]:
            return SOURCE6 if family == "6" else SOURCE4
        net = network(family, choose.choice(kernel["route" + family]))
        return str(net[choose.randint(0, min(net.num_addresses - 1, 1 << 62))])

    def judge(self, iif, source, address, answer, context, punts):
        if "error" in answer:
            return [f"answers: {answer['error']}"]
        match = self.kernel.ask(iif, source, address, True)
        path = self.kernel.ask(iif, source, address, False)
        verdict = answer["verdict"]
        found = []
        if verdict in ("forward", "mixed"):
            found = self.forwards(address, answer, match, path, context)
        elif verdict == "drop":
            # A martian is dropped too, and silently; what is an ICMP error or a delivery must not be.
            if path != "blackhole":
                found = [f"unsafe drop: {short(answer)}, kernel {path}"]
        elif isinstance(path, dict) and path["type"] == "unicast" or path == "blackhole":
            punts[f"{answer['reason']} (kernel: {path if isinstance(path, str) else 'forwards'})"] += 1
        if source not in (SOURCE4, SOURCE6) and match == "blackhole":
            return found	# for its source, perhaps
        return found or fib_differs(address, answer, match, path)

    def forwards(self, address, answer, match, path, context):
        left = {(leg["oif"], leg["gateway"]) for leg in answer["legs"] if leg["verdict"] == "kernel"}
        if not isinstance(path, dict) or path["type"] != "unicast" and not path_legs(path) <= left:
            return [f"unsafe forward: {short(answer)}, kernel {path}"]
        if not isinstance(match, dict):
            return [f"unsafe forward: {short(answer)}, kernel's route {match}"]
        if ":" in address and context["forwarding6"] == "0":
            return [f"unsafe forward: {short(answer)}, IPv6 forwarding is off"]
        # nexthop_compat_mode off: the kernel names the object only; then the one path it takes is among ours.
        allowed = path_legs(match)
        ours = {(leg["oif"], leg["gateway"]) for leg in answer["legs"]}
        if not allowed and match["nhid"] and path_legs(path) <= ours:
            allowed = ours
        found = []
        for leg in answer["legs"]:
            if leg["verdict"] != "forward":
                continue
            if (leg["oif"], leg["gateway"]) not in allowed:
                found.append(f"unsafe path: {short(answer)}, kernel {match}")
                continue
            found += neighbour_differs(address, leg, context)
            if ":" in address and len(answer["legs"]) > 1:
                if (leg["oif"], leg["gateway"]) not in path_legs(path):
                    continue	# each path has its own MTU, and the kernel tells that of the one it takes
                match = path
            mtu = forward_mtu(address, match, context["mtus"].get(leg["oif"], 0))
            if leg["mtu"] > mtu:
                found.append(f"unsafe mtu: {leg['mtu']}, kernel {mtu}: {short(answer)}")
        return found


def path_legs(match):
    return {(oif, gateway) for oif, gateway, _ in match["legs"]}


def sysctl(path):
    with open("/proc/sys/" + path, encoding="ascii") as file:
        return file.read().strip()


def forward_mtu(address, match, link_mtu):
    """ip_dst_mtu_maybe_forward(): the route's goes first; ip6_dst_mtu_maybe_forward(): only if it is locked."""
    if match["mtu"] and (":" not in address or match["mtu_locked"]):
        return match["mtu"]
    return link_mtu


def neighbour_differs(address, leg, context):
    neighbour = context["neighs"].get((leg["oif"], leg["gateway"] or address))
    if not neighbour or not VALID & set(neighbour.get("state", [])):
        return [f"unsafe neighbour: {leg}, kernel {neighbour}"]
    if neighbour.get("lladdr") != leg["mac"]:
        return [f"unsafe neighbour: {leg}, kernel {neighbour}"]
    if context["macs"].get(leg["oif"]) != leg["source_mac"]:
        return [f"unsafe source MAC: {leg}, kernel {context['macs'].get(leg['oif'])}"]
    return []


def short(answer):
    paths = [f"{leg['gateway'] or 'on link'} if{leg['oif']} kind {leg['kind']} ({leg['verdict']})"
             for leg in answer["legs"]]
    return f"wye {answer['verdict']} {answer['reason']} {answer.get('route')} via {paths}"


def fib_differs(address, answer, match, path):
    """Is the route that wye found the kernel's? Nothing is asked of what is the kernel's to decide."""
    kinds = {leg["kind"] for leg in answer["legs"]}
    if NH["kernel"] in kinds or NH["down"] in kinds or "parity" in answer["reason"]:
        return []
    if answer["reason"].endswith(("martian", "multicast", "not_forwarding")) or "down" in answer["reason"]:
        return []
    if answer["reason"] == "ip4_forward_kernel":  # for its source
        return []
    have = answer.get("route")
    if not answer["id"]:
        wrong = isinstance(match, dict) or match in ("blackhole", "unreachable", "prohibit")
        return [f"fib: wye has no route, kernel {match}"] if wrong else []
    if isinstance(match, str):
        kind = TYPES.get(have["type"]) if have else None
        # An object's type is not its route's.
        if kind == match or answer["nhid"] or have and kind in HOST_TYPES:
            return []
        return [f"fib: {short(answer)}, kernel {match} {path}"]
    if not have:
        return [f"fib: {short(answer)}, kernel {match}"]
    # fib6_nh of an object keeps one cached route for all routes by it, or by a group of it: the kernel may name another.
    if match["nhid"] and ":" in address and (answer["nhid"] == match["nhid"] and have["dst"] != match["dst"] or
                                             ipaddress.ip_address(address) not in ipaddress.ip_network(match["dst"])):
        return []
    # IPv4's local and main are one trie that calls itself main, until the first policy rule.
    same = {key: have[key] == match[key] for key in ("dst", "metric", "tos", "protocol")}
    if ":" in match["dst"]:	# each sibling has its own, see route()
        same.pop("protocol")
    several = ":" in match["dst"] and len(match["all"]) > 1
    same["table"] = have["table"] == match["table"] or {have["table"], match["table"]} == {254, 255}
    # Each path of an IPv6 route has its own, and the kernel tells that of the one it takes: not the first's, which is ours.
    same["type"] = TYPES.get(have["type"]) == match["type"] or several and kinds == {NH["local"]}
    if not all(same.values()):
        return [f"fib: {short(answer)}, kernel {match}"]
    if match["type"] != "unicast" or kinds == {NH["local"]} or match["nhid"] and not match["legs"]:
        return []
    legs = {(leg["oif"], leg["gateway"]) for leg in answer["legs"]}
    if legs != path_legs(match):
        return [f"fib legs: {short(answer)}, kernel {match}"]
    return []

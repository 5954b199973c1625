# SPDX-License-Identifier: BSD-3-Clause
"""Real packets into the router, where wye forwards, and into its twin, where the kernel is alone: what leaves must be the
same by link, addresses, every byte, and so must ICMP errors.

A multipath route's path is each side's own choice: then ours must be one of the kernel's. Redirects are not compared, and
nothing is while the twins' kernels differ themselves (that is counted).
"""
import collections
import re

import packet
from kernel import tables
from state import VALID, addresses, differences, mirrored, neigh, routes, told
from world import INGRESS, SOURCE4, SOURCE6
from wire import Exchange, Wire

MARTIANS = {"4": ("127.0.0.1", "0.0.0.0", "224.0.0.5", "255.255.255.255", "240.0.0.1", "169.254.0.1", "10.0.0.1",
                  "10.99.0.1", "10.99.0.255"),
            "6": ("::1", "::", "fe80::99", "ff02::1", "ff0e::1", "::ffff:10.0.0.1", "fd00:1::1", "fd99::1", "fd99::")}
SIZES = (1000, 1280, 1300, 1400, 1500, 3000)	# of links and routes
PROBES = 60		# a batch
NORMAL_FLAGS = {"UP", "LOWER_UP", "NO-CARRIER", "NOARP", "MULTICAST", "BROADCAST"}


def same_world(found, own):
    """A side's tables without what is its own: indices, wye-dpd's TAPs, and addresses made of random MACs."""
    def there(entry):
        text = entry.get("dst", "") + entry.get("local", "")
        return entry.get("dev", entry.get("ifname")) not in own and "fe80" not in text
    links = [f"{e['ifname']} {e['mtu']} {e.get('master')} {sorted(NORMAL_FLAGS & set(e['flags']))} "
             f"{e['address'] if e.get('address', '').startswith('02:00:00') else ''}" for e in found["link"] if there(e)]
    addrs = [{**e, "addr_info": list(filter(there, e.get("addr_info", [])))} for e in found["addr"] if there(e)]
    return {"link": links, "addr": addresses(addrs),
            "neigh": [neigh({**n, "state": None}) for n in told(found["neigh"]) if there(n)],
            "route4": routes(filter(there, mirrored(found["route4"])), "4"),
            "route6": routes(filter(there, mirrored(found["route6"])), "6")}


def probe(choose, address, source, mtus):
    six = ":" in address
    if not six and source == SOURCE4:	# the kernel counts what errors it sends to each
        source = f"10.98.{choose.randint(0, 255)}.{choose.randint(1, 254)}"
    if choose.random() < 0.05:
        source = choose.choice(MARTIANS["6" if six else "4"])
    size = min(choose.choice(mtus or SIZES) + choose.choice((-1, 0, 1, 1)), 3000) if choose.random() < 0.5 else 100
    ttl = choose.choices((64, 2, 1, 255), (70, 15, 12, 3))[0]
    return packet.Probe(source, address, ttl, size, not six and choose.random() < 0.5)


class Twins:
    def __init__(self, world, kernel):
        self.world, self.kernel = world, kernel
        self.wires = [Wire(world.router), Wire(world.twin)]
        self.exchange = Exchange(self.wires)
        self.packets = 0
        self.apart = None	# how the twins' kernels differed when last looked at

    def probes(self, choose, asked):
        """asked: (address, source, MTUs of the paths wye forwards it by). What it forwards is always among them, several
        times; sizes are about its MTU."""
        forwarded = [one for one in asked if one[2]]
        some = choose.sample(asked, min(PROBES // 2, len(asked)))
        some += choose.choices(forwarded, k=PROBES // 2) if forwarded else []
        some += [(choose.choice(MARTIANS[family]), SOURCE6 if family == "6" else SOURCE4, ()) for family in "4464"]
        return [probe(choose, *one) for one in some]

    def check(self, probes, kernel):
        """Differences, as of now. kernel: the router's tables."""
        own = {port["tap"] for port in self.world.wye("show", "port") if port.get("tap")}
        one, other = same_world(kernel, own), same_world(tables(self.world.twin.router), set())
        self.apart = [text for kind in one for text in differences(kind, one[kind], other[kind])]
        if self.apart:
            return [f"apart: {text}" for text in self.apart]
        with open(f"/proc/sys/net/ipv4/conf/{INGRESS}/forwarding", encoding="ascii") as file:
            ours, theirs = self.exchange.run(probes, answered=file.read().strip() == "1")
        self.packets += len(probes)
        found = []
        for one_probe, here, there in zip(probes, ours, theirs):
            if plain(one_probe, here) == plain(one_probe, there) or self.other_path(kernel, one_probe, here, there):
                continue
            if self.cached_mtu(kernel, one_probe, here, there):
                continue
            kind = "unsafe" if any(seen.kind == "forward" for seen in here) else "lost" if not here else "other"
            found.append(f"packet {kind}: kernel {shown(there)}, wye {shown(here)} [{packet.text(one_probe)}]")
        return found

    def route(self, kernel, one_probe):
        iif = next(e["ifindex"] for e in kernel["link"] if e["ifname"] == INGRESS)
        return self.kernel.ask(iif, one_probe.source, one_probe.address, True)

    def paths(self, kernel, one_probe):
        """(link, gateway) of each path of the route a probe takes."""
        links = {e["ifindex"]: e["ifname"] for e in kernel["link"]}
        objects = {e["id"]: e for e in kernel["nexthop"]}
        match = self.route(kernel, one_probe)
        if not isinstance(match, dict):
            return set()
        # Without a carrier that is ignored by a sysctl of late, a path keeps its share (fib_rebalance()).
        legs = {(links.get(oif), gateway or one_probe.address) for oif, gateway, _ in match["all"]}
        if not legs and match["nhid"] in objects:	# nexthop_compat_mode is off
            members = [objects.get(member["id"], {}) for member in objects[match["nhid"]].get("group", [])]
            legs = {(m.get("dev"), m.get("gateway", one_probe.address)) for m in members}
        return legs

    def other_path(self, kernel, one_probe, here, there):
        """Did each side choose another path of a route that has several?"""
        paths = self.paths(kernel, one_probe)
        if len(paths) < 2:
            return False
        neighs = {(n["dev"], n["dst"]): n.get("lladdr") for n in kernel["neigh"] if VALID & set(n.get("state", []))}
        carry = {e["ifname"] for e in kernel["link"] if "LOWER_UP" in e["flags"]}
        allowed = {("pa" + path[0][1:], neighs[path]) for path in paths if path in neighs and path[0] in carry}
        if any(seen.kind == "forward" and (seen.port, seen.mac) not in allowed for seen in here):
            return False
        if [seen.key for seen in here] == [seen.key for seen in there]:
            return True
        # One path leads to a neighbour, or is wide enough, and another is not; the error may reach nobody.
        widths = {e["ifname"]: e["mtu"] for e in kernel["link"]}
        unheard = not (usual(one_probe) or here and there) and any(widths.get(dev, 0) < one_probe.size for dev, _ in paths)
        return len(allowed) < len(paths) or any(seen.kind == "error" for seen in here + there) or unheard or \
            fragmented(here) != fragmented(there) and here and there

    def cached_mtu(self, kernel, one_probe, here, there):
        """A nexthop object's path keeps the MTU of whichever of its routes each CPU used it for first (rt_cache_route())."""
        match = self.route(kernel, one_probe)
        too_big = any(seen.kind == "error" and seen.key.startswith(("icmp 3/4 ", "icmp 2/0 ")) for seen in here + there)
        too_big = too_big or fragmented(here) or fragmented(there)	# which the dataplane does not do: it was the kernel
        return too_big and isinstance(match, dict) and match["nhid"]

    def counters(self):
        """What the dataplane sent itself, and gave to the kernel."""
        ports = self.world.wye("show", "port")
        return {key: sum(port.get(key, 0) for port in ports) for key in ("tx_packets", "punted")}


def usual(one_probe):
    return one_probe.source.startswith(("10.98.", "fd99:"))


def plain(one_probe, seen):
    """Where an error goes is compared only for the usual sources: others may have several paths back."""
    if usual(one_probe):
        return seen
    return [s if s.kind == "forward" else (s.kind, s.key) for s in seen]


def fragmented(seen):
    return any(re.search(r"fragment [0-9a-f]*[1-9a-f]", s.key.replace("fragment 4000", "")) for s in seen)


def shown(seen):
    counted = collections.Counter(f"{s.kind} by {s.port} to {s.mac} {s.key}" for s in seen)
    return ", ".join(counted) or "nothing"

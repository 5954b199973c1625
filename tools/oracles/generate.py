# SPDX-License-Identifier: BSD-3-Clause
"""Random operations, biased to trouble: few prefixes, few gateways, few names, so that they meet again and again."""

PREFIXES4 = ["10.50.0.0/16", "10.50.1.0/24", "10.50.1.128/25", "10.50.1.7", "10.50.0.0/15", "10.0.0.0/8", "default",
             "192.0.2.0/24", "203.0.113.0/31", "10.1.0.0/24", "10.1.0.128/25", "128.0.0.0/1", "10.2.0.0/16",
             "10.1.0.2", "198.51.100.0/27", "10.60.0.0/14"]
PREFIXES6 = ["2001:db8::/32", "2001:db8:1::/48", "2001:db8:1::7", "2001:db8:1:8000::/49", "2000::/3", "default",
             "fd00:1::/64", "fd00:1::/65", "fd00::/16", "2001:db8:2::/127", "fd00:2::2", "2001:db8::/33"]
TABLES = ["main", "main", "255", "253", "253", "100"]


class Generator:
    def __init__(self, choose):
        self.choose = choose
        self.names = ["a0", "a1", "a2", "a3"]	# as they are called now
        self.extra = []				# devices made on the way
        self.rules = 0
        self.next_index = 200

    # ---- words ----

    def one(self, *of):
        return self.choose.choice(of)

    def chance(self, percent):
        return self.choose.random() * 100 < percent

    def link(self):
        return self.choose.randrange(4)

    def device(self):
        if self.extra and self.chance(20):
            return self.choose.choice(self.extra)
        return self.names[self.link()]

    def own4(self, i):
        return self.one(f"10.{i}.0.1", f"10.{i}.0.9", f"10.{i}.7.1", "10.99.0.1")

    def gateway(self, family, i):
        if family == 4:
            return self.one(f"10.{i}.0.2", f"10.{i}.0.3", f"10.{i}.0.2", f"10.{i}.7.2", f"10.{(i + 1) % 4}.0.2")
        return self.one(f"fd00:{i}::2", f"fd00:{i}::3", f"fd00:{i}::2", f"fe80::{i + 2}")

    # ---- routes ----

    def leg(self, family):
        i = self.link()
        gateway, device = self.gateway(family, i), self.names[i]
        words = f"via {gateway} dev {device}"
        if family == 4 and self.chance(10):
            words = f"via inet6 {self.gateway(6, i)} dev {device}"
        elif family == 4 and self.chance(20):
            words = f"via {gateway}"
        elif self.chance(10):
            words = f"dev {device}"
        return words + (" onlink" if self.chance(8) and "dev" in words and "via" in words else "")

    def route_target(self, family):
        draw = self.choose.random()
        if draw < 0.20:
            return " ".join(f"nexthop {self.leg(family)} weight {self.one(1, 1, 2, 3, 5, 100, 256)}"
                            for _ in range(self.choose.randint(2, 4)))
        if draw < 0.35:
            return f"nhid {self.choose.randint(1, 8) if self.chance(70) else self.choose.randint(20, 23)}"
        if draw < 0.42:
            scope = f" scope {self.one('link', 'link', 'host')}" if family == 4 and self.chance(50) else ""
            return f"dev {self.device()}{scope}"
        if draw < 0.44:
            return "dev lo"
        return self.leg(family)

    def route(self):
        family = 4 if self.chance(55) else 6
        prefix = self.choose.choice(PREFIXES4 if family == 4 else PREFIXES6)
        verb = self.one("add", "add", "append", "append", "prepend", "replace", "replace", "change", "del", "del")
        kind = self.one("blackhole", "unreachable", "prohibit", "throw") if self.chance(12) else ""
        if self.chance(2):
            kind = self.one("local", "broadcast", "anycast", "multicast")
        words = [f"ip{' -6' if family == 6 else ''} route {verb}", kind, prefix if prefix != "default" or family == 4
                 else "::/0"]
        if self.chance(35):
            words.append(f"metric {self.one(0, 10, 256, 300, 1024, 1025, 4294967295)}")
        if family == 4 and self.chance(4):
            words.append(f"tos {self.one('0x10', '0x08')}")
        if self.chance(7):
            words.append(f"table {self.choose.choice(TABLES)}")
        if verb == "del" and self.chance(60):
            return " ".join(filter(None, words))
        if self.chance(25):
            words.append(f"proto {self.one('bgp', 'bird', 'static')}")
        if self.chance(12):
            i = self.link()
            words.append(f"src {self.own4(i) if family == 4 else f'fd00:{i}::1'}")
        if self.chance(10):
            words.append(f"mtu {self.one('1300', 'lock 1280', '9000', 'lock 1400', '1500')}")
        if kind in ("", "multicast"):
            words.append(self.route_target(family))
        elif kind in ("local", "broadcast", "anycast"):
            words.append(f"dev {self.one('lo', self.device())}")
        if family == 6 and self.chance(4):
            words.append(f"pref {self.one('low', 'high')}")
        return " ".join(filter(None, words))

    def flush(self):
        return self.one(f"ip route flush dev {self.device()}", "ip route flush proto bgp",
                        f"ip route flush {self.choose.choice(PREFIXES4[:6])}",
                        "ip -6 route flush root 2001:db8::/32", f"ip route flush table {self.one(253, 100)}")

    def nexthop(self):
        ident = self.choose.randint(1, 8)
        draw = self.choose.random()
        if draw < 0.25:
            return f"ip nexthop del id {ident if self.chance(70) else self.choose.randint(20, 23)}"
        verb = self.one("add", "replace", "replace")
        if draw < 0.50:
            members = self.choose.sample(range(1, 9), self.choose.randint(1, 4))
            group = "/".join(f"{m},{self.one(1, 2, 7, 256)}" if self.chance(40) else str(m) for m in members)
            kind = " type resilient buckets 16 idle_timer 0" if self.chance(12) else ""
            return f"ip nexthop {verb} id {self.choose.randint(20, 23)} group {group}{kind}"
        if draw < 0.56:
            return f"ip nexthop {verb} id {ident} blackhole"
        if draw < 0.66:
            return f"ip nexthop {verb} id {ident} dev {self.device()}"
        i, family = self.link(), 4 if self.chance(60) else 6
        onlink = " onlink" if self.chance(10) else ""
        return f"ip nexthop {verb} id {ident} via {self.gateway(family, i)} dev {self.names[i]}{onlink}"

    # ---- neighbours, addresses ----

    def neigh(self):
        i = self.link()
        who = self.one(f"10.{i}.0.2", f"10.{i}.0.3", f"10.{i}.0.77", f"fd00:{i}::2", f"fd00:{i}::3", f"fe80::{i + 2}")
        draw = self.choose.random()
        if draw < 0.2:
            return f"ip neigh del {who} dev {self.names[i]}"
        if draw < 0.25:
            return f"ip neigh flush dev {self.names[i]}" + (" nud all" if self.chance(50) else "")
        if draw < 0.30:
            return f"ip neigh replace {who} dev {self.names[i]} nud {self.one('failed', 'none', 'incomplete')}"
        state = self.one("permanent", "stale", "stale", "reachable", "noarp")
        return (f"ip neigh {self.one('add', 'replace', 'change')} {who} lladdr "
                f"02:00:00:00:0{i}:{self.choose.randint(2, 5):02x} dev {self.names[i]} nud {state}")

    def addr(self):
        i = self.link()
        device = self.names[i]
        if self.chance(45):
            local = self.one(f"fd00:{i}::1/64", f"fd00:{i}::9/64", f"2001:db8:{i}::1/48", f"fd00:{i}::1/128")
            options = self.one(" nodad", " nodad", " nodad noprefixroute", " nodad metric 300", " nodad preferred_lft 0")
        else:
            local = self.one(f"10.{i}.0.1/24", f"10.{i}.0.9/24", f"10.{i}.7.1/24", f"10.{i}.8.1 peer 10.{i}.8.2",
                             f"10.{i}.0.1/25", f"10.50.1.1/24")
            options = self.one("", "", "", " metric 300", " noprefixroute", " scope link")
        if self.chance(5):
            return f"ip {self.one('-4', '-6')} addr flush dev {device}"
        if self.chance(45):
            return f"ip addr del {local} dev {device}"
        return f"ip addr {self.one('add', 'add', 'replace')} {local} dev {device}{options}"

    # ---- links ----

    def create(self, i, index=True):
        number = f" index {100 + i}" if index else ""
        name = self.names[i] = f"a{i}"
        made = [f"ip link add {name}{number} address 02:00:00:00:0{i}:01 type veth peer name p{name} netns peers",
                f"ip -n peers link set p{name} up", f"ip link set {name} up"]
        if self.chance(70):
            made += [f"ip addr add 10.{i}.0.1/24 dev {name}", f"ip addr add fd00:{i}::1/64 dev {name} nodad"]
        return made

    def recreate(self):
        i = self.link()
        return [f"ip link del {self.names[i]}", *self.create(i, self.chance(60))]

    def rename(self):
        i = self.link()
        old = self.names[i]
        self.names[i] = ("b" if old[0] == "a" else "a") + str(i)
        return [f"ip link set {old} name {self.names[i]}"]

    def other_device(self):
        if self.extra and self.chance(40):
            name = self.extra.pop(self.choose.randrange(len(self.extra)))
            return [f"ip link del {name}"]
        lower = self.names[self.link()]
        name, words = self.one(("m0", f"link {lower} type macvlan mode {self.one('bridge', 'private', 'passthru')}"),
                               ("br0", "type bridge"), ("ifb0", "type ifb"), ("t0", ""),
                               ("vx0", "type vxlan id 7 dstport 4789 local 10.99.0.1"))
        if name in self.extra:
            return [f"ip link set {lower} {self.one('master br0', 'nomaster')}"] if name == "br0" else []
        self.extra.append(name)
        made = [f"ip link add {name} {words}"] if words else [f"ip tuntap add dev {name} mode tun"]
        return made + [f"ip link set {name} up", f"ip addr add 10.77.{self.choose.randint(0, 3)}.1/24 dev {name}"]

    def link_change(self):
        i = self.link()
        name = self.names[i]
        if self.extra and self.chance(15):
            return [f"ip link set {self.choose.choice(self.extra)} {self.one('up', 'down')}"]
        return [self.one(f"ip link set {name} down", f"ip link set {name} up", f"ip link set {name} up",
                         f"ip -n peers link set pa{i} down", f"ip -n peers link set pa{i} up",
                         f"ip -n peers link set pa{i} up",
                         f"ip link set {name} mtu {self.one(1280, 1300, 1500, 3000, 1000)}",
                         f"ip link set {name} address 02:00:00:00:0{i}:{self.one('01', 'aa', 'bb')}",
                         f"ip link set {name} txqueuelen {self.one(100, 1000)}",
                         f"ip link set {name} arp {self.one('off', 'on', 'on')}",
                         f"ip link set {name} multicast {self.one('off', 'on')}")]

    def flap(self):
        name = self.names[self.link()]
        return [f"ip link set {name} down", f"ip link set {name} up"]

    def sysctl(self):
        name = self.one(self.names[self.link()], self.names[self.link()], "all", "in0")
        key, value = self.one(
            (f"net.ipv4.conf.{name}.ignore_routes_with_linkdown", self.one(0, 1)),
            (f"net.ipv6.conf.{name}.ignore_routes_with_linkdown", self.one(0, 1)),
            (f"net.ipv4.conf.{name}.forwarding", self.one(0, 1, 1)),
            (f"net.ipv6.conf.{name}.forwarding", self.one(0, 1, 1)),
            (f"net.ipv4.conf.{name}.rp_filter", self.one(0, 0, 0, 1, 2)),
            (f"net.ipv6.conf.{name}.disable_ipv6", self.one(0, 0, 1)),
            (f"net.ipv6.conf.{name}.keep_addr_on_down", self.one(0, 1)),
            ("net.ipv4.fib_multipath_hash_policy", self.one(0, 1)),
            ("net.ipv4.nexthop_compat_mode", self.one(0, 1)),
            ("net.ipv6.route.skip_notify_on_dev_down", self.one(0, 1)),
            (f"net.ipv4.conf.{name}.promote_secondaries", self.one(0, 1)))
        return f"sysctl -qw {key}={value}"

    def rule(self):
        if self.rules:
            self.rules -= 1
            return self.one("ip rule del pref 100", "ip rule del pref 100", "ip rule del from fd00:77::/64 table 100")
        self.rules += 1
        return self.one("ip rule add from 10.77.0.0/16 table 100 pref 100", "ip rule add fwmark 1 table 100 pref 100",
                        "ip rule add to 192.0.2.0/24 prohibit pref 100", "ip rule add from fd00:77::/64 table 100")

    # ---- all ----

    def some(self):
        """One step: a list of operations."""
        kind, = self.choose.choices(
            (self.route, self.nexthop, self.neigh, self.addr, self.link_change, self.flap, self.recreate, self.rename,
             self.other_device, self.sysctl, self.rule, self.flush),
            (46, 13, 8, 8, 8, 2.5, 1.5, 1, 2, 4, 0.6, 1))
        made = kind()
        return made if isinstance(made, list) else [made]

    def batch(self, length):
        made = ["pause"] if self.chance(20) else []
        while len(made) < length:
            made += self.some()
        # Lost for good otherwise: what nothing else brings back.
        if self.chance(10):
            made += ["sysctl -qw net.ipv4.conf.in0.forwarding=1", "sysctl -qw net.ipv6.conf.all.forwarding=1",
                     "sysctl -qw net.ipv4.conf.all.rp_filter=0", "sysctl -qw net.ipv6.conf.all.disable_ipv6=0",
                     "ip rule del pref 100", "ip -6 rule del from fd00:77::/64 table 100"]
            made += [f"sysctl -qw net.ipv4.conf.{n}.rp_filter=0" for n in [*self.names, "in0"]]
            made += [f"ip link set {n} up" for n in self.names]
            self.rules = 0
        if self.chance(3):
            made.append("restart")
        return made

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Random changes of the kernel's state by ip(8) and sysctl(8), and after each few, or after a few hundred in one go, a
comparison (mirror_same.py).

usage: mirror_random.py SEED ROUNDS WYE RUN_DIR

Commands may fail, as an operator's do. The first difference that stays for eight seconds is printed with the commands
that led to it. Expects mirror.sh's links m1 … m4.
"""
import os
import random
import subprocess
import sys
import time

SEED, ROUNDS, WYE, RUN_DIR = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
SAME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mirror_same.py")
LINKS = ("m1", "m2", "m3", "m4")
# Nested on purpose, and one inside 127.0.0.0/8, which the local table has.
PREFIXES = {4: ("20.0.0.0/8", "20.1.0.0/16", "20.1.2.0/24", "20.1.2.3/32", "0.0.0.0/0", "20.128.0.0/9", "127.9.0.0/16",
                "20.1.2.128/25"),
            6: ("2001:db8::/32", "2001:db8:1::/48", "2001:db8:1::1/128", "::/0", "2001:db8:1:2::/64",
                "2001:db8:1:2:3::/80")}
ADDRESSES = ("20.0.0.1", "20.1.0.1", "20.1.2.1", "20.1.2.3", "20.1.2.200", "20.200.0.1", "99.9.9.9", "127.9.0.1",
             "10.9.1.1", "10.9.2.9", "10.9.4.4", "2001:db8::1", "2001:db8:1::1", "2001:db8:1:2::1",
             "2001:db8:1:2:3::1", "fd09:1::1", "fd09:2::77", "2002::1")
rng = random.Random(SEED)


def chance(share):
    return rng.random() < share


def gateway(family, link):
    return f"fd09:{link[1]}::{rng.randint(2, 5)}" if family == 6 else f"10.9.{link[1]}.{rng.randint(2, 5)}"


def multipath(family):
    legs = []
    for link in rng.sample(LINKS, rng.randint(1, 3)):
        weight = f" weight {rng.randint(1, 4)}" if chance(0.5) else ""
        legs.append(f"nexthop via {gateway(family, link)} dev {link}{weight}")
    return " ".join(legs)


def target(family):
    link = rng.choice(LINKS)
    kind = rng.choices(("via", "multipath", "dev", "nhid"), (4, 3, 1, 1))[0]
    if kind == "via":
        return f"via {gateway(family, link)} dev {link}" + (" onlink" if chance(0.3) else "")
    if kind == "multipath":
        return multipath(family)
    return f"dev {link}" if kind == "dev" else f"nhid {nexthop_id(family)}"


def metric():
    return rng.choice(("", "metric 5", "metric 300", "metric 44"))


def route_add(family):
    verb = rng.choice(("add", "add", "append", "replace", "prepend", "change"))
    prefix = rng.choice(PREFIXES[family])
    if chance(0.1):
        kind = rng.choice(("blackhole", "unreachable", "prohibit", "throw"))
        return f"ip -{family} route {verb} {kind} {prefix} {metric()}"
    to, extra = target(family), ""
    if family == 4 and chance(0.1):
        extra += f" src 10.9.{rng.randint(1, 3)}.{rng.choice((1, 77))}"
    if family == 4 and chance(0.05):
        extra += " tos 0x10"
    if family == 4 and chance(0.05):
        extra += " table 253"
    # Each IPv6 sibling has metrics of its own, of which the kernel's messages tell the first one's only.
    if family == 4 and chance(0.1) and "nhid" not in to:
        extra += f" mtu {rng.choice((1300, 1400))}"
    return f"ip -{family} route {verb} {prefix} {metric()}{extra} {to}"


def route_delete(family):
    by = f" via {gateway(family, rng.choice(LINKS))}" if chance(0.3) else ""
    return f"ip -{family} route del {rng.choice(PREFIXES[family])} {metric()}{by}"


def nexthop_id(family):
    """1 … 4 single, 5 and 6 groups; IPv6 from 11 on."""
    return rng.randint(1, 6) + (10 if family == 6 else 0)


def nexthop_replace(family):
    number, link = nexthop_id(family), rng.choice(LINKS)
    if number % 10 > 4:
        members = rng.sample(range(1, 5), rng.randint(1, 3))
        base = 10 if family == 6 else 0
        return f"ip nexthop replace id {number} group " + "/".join(f"{m + base},{rng.randint(1, 3)}" for m in members)
    if family == 4 and chance(0.1):
        return f"ip nexthop replace id {number} blackhole"
    return f"ip nexthop replace id {number} via {gateway(family, link)} dev {link}"


def nexthop_delete(family):
    return f"ip nexthop del id {nexthop_id(family)}"


def link_state(family):
    return f"ip link set {rng.choice(LINKS)} {rng.choice(('up', 'up', 'down'))}"


def carrier(family):
    return f"ip link set p{rng.randint(1, 4)} {rng.choice(('up', 'up', 'down'))}"


def address(family):
    link, host, verb = rng.choice(LINKS), rng.choice((1, 77)), rng.choice(("add", "del"))
    if family == 6:
        return f"ip addr {verb} fd09:{link[1]}::{host}/64 dev {link}" + (" nodad" if verb == "add" else "")
    return f"ip addr {verb} 10.9.{link[1]}.{host}/24 dev {link}"


def ignore_linkdown(family):
    return f"sysctl -qw net.ipv{family}.conf.{rng.choice(LINKS)}.ignore_routes_with_linkdown={rng.randint(0, 1)}"


def local_cover(family):
    return f"ip route {rng.choice(('add', 'del'))} local 20.1.0.0/16 dev lo"


def new_link(family):
    n = rng.randint(1, 4)
    return (f"ip link del m{n}; ip link add m{n} type veth peer name p{n}; ip link set m{n} up; ip link set p{n} up; "
            f"ip addr add 10.9.{n}.1/24 dev m{n}")


def neighbour(family):
    link = rng.choice(LINKS)
    return f"ip neigh replace {gateway(family, link)} lladdr 02:00:00:00:00:{rng.randint(10, 99)} dev {link}"


def mtu(family):
    return f"ip link set {rng.choice(LINKS)} mtu {rng.choice((1450, 1500))}"


CHANGES = {route_add: 45, route_delete: 17, nexthop_replace: 10, nexthop_delete: 3, link_state: 8, carrier: 3, address: 7,
           ignore_linkdown: 2, local_cover: 1, new_link: 1, neighbour: 2, mtu: 1}


def shell(command):
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=False).stdout


def batch(commands):
    """As fast as the kernel takes them, so that dumps and changes meet."""
    lines = [part.strip().removeprefix("ip ") for command in commands for part in command.split(";")
             if part.strip().startswith("ip ")]
    subprocess.run(("ip", "-force", "-batch", "-"), input="\n".join(lines) + "\n", capture_output=True, text=True,
                   check=False)


def difference():
    result = subprocess.run((sys.executable, SAME, WYE, RUN_DIR, *ADDRESSES), capture_output=True, text=True,
                            check=False)
    return result.stdout + result.stderr if result.returncode else ""


def main():
    done = []
    for n in range(ROUNDS):
        at_once = chance(0.4)
        changes = [rng.choices(list(CHANGES), list(CHANGES.values()))[0](6 if chance(0.4) else 4)
                   for _ in range(rng.randint(20, 200) if at_once else rng.randint(1, 8))]
        done += changes
        if at_once:
            batch(changes)
        else:
            for change in changes:
                shell(change)
        deadline = time.monotonic() + 8
        while (left := difference()) and time.monotonic() < deadline:
            time.sleep(0.02)
        if left:
            print(f"seed {SEED}, round {n}:", *done[-250:], left, sep="\n")
            print(shell("ip route; ip -6 route; ip nexthop; ip -br link"))
            sys.exit(1)
    print(f"{len(done)} changes")


main()

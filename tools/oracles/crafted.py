# SPDX-License-Identifier: BSD-3-Clause
"""What a sceptic would send: every field of a header at its odd values, one after the other, and random edits of all
that.

Each frame has a source of its own where its source does not matter, since the kernel counts what errors it sends to
each.
"""
import itertools
import struct

from frame import (ICMP4, ICMP6, IP4, IP6, TCP, Frame, address, ether, icmp4, icmp6, ip4, ip6, tcp)
from packet import MAC_HOST, MAC_ROUTER, UDP, udp

TO4 = {"routed": "10.50.1.1", "narrow": "10.51.1.1", "locked": "10.52.1.1", "back": "10.98.200.1",
       "default": "192.0.2.1", "by its tos": "10.58.1.1", "past a tos": "10.59.1.1", "by IPv6": "10.60.1.1"}
TO6 = {"routed": "fd50::1", "narrow": "fd51::1", "locked": "fd52::1", "back": "fd98:0:0:1::1", "default": "2001:db8::1",
       "by its source": "fd58::1"}
SPECIAL4 = (
    "0.0.0.0", "0.0.0.1", "0.255.255.255", "10.99.0.0", "10.99.0.255", "10.99.0.1", "10.99.0.9", "10.99.0.77",
    "10.0.0.1", "10.0.0.2", "10.0.0.0", "10.0.0.255", "10.1.0.1", "10.1.0.2", "10.2.0.99", "10.50.1.1", "10.51.1.1",
    "10.53.0.1", "10.54.0.1", "10.55.0.1", "10.56.0.1", "10.57.0.2", "10.57.0.3", "10.57.255.255", "10.98.0.1",
    "127.0.0.1", "127.255.255.255", "128.0.0.1", "169.254.0.1", "169.254.255.255", "192.0.0.1", "192.168.0.1",
    "198.18.0.1", "223.255.255.255", "224.0.0.1", "224.0.0.22", "232.1.1.1", "239.255.255.255", "240.0.0.1",
    "254.1.1.1", "255.0.0.1", "255.255.255.254", "255.255.255.255")
SPECIAL6 = (
    "::", "::1", "::2", "::10.0.0.1", "::ffff:10.50.1.1", "::ffff:0:10.0.0.1", "64:ff9b::a00:1", "100::1",
    "2001::1", "2002:a00:1::1", "2002:7f00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:1::1",
    "fd00:1::", "fd00:1::2", "fd50::1", "fd53::1", "fd54::1", "fd55::1", "fd57::2", "fd57::3", "fd98::1", "fd99::1",
    "fd99::", "fd99::9", "fd99::77", "fe00::1", "fe80::1", "fe80::ff:fe00:9001", "fe80::ff:fe00:9009", "febf::1",
    "fec0::1", "feff::1", "ff00::1", "ff01::1", "ff02::1", "ff02::2", "ff02::1:ff00:1", "ff05::2", "ff08::1",
    "ff0e::1", "4000::1", "8000::1")
MACS = {"ours": MAC_ROUTER, "broadcast": b"\xff" * 6, "multicast4": bytes.fromhex("01005e010101"),
        "multicast6": bytes.fromhex("333300000001"), "another's": bytes.fromhex("020000000002"), "zero": bytes(6),
        "bridge group": bytes.fromhex("0180c2000000"), "another port's": bytes.fromhex("020000000001")}
ETHER_TYPES = (0, 1, 46, 60, 72, 1500, 1501, 1535, 1536, IP4, IP6, 0x0801, 0x0806, 0x0842, 0x8035, 0x8100, 0x8137,
               0x86DC, 0x8808, 0x8809, 0x8847, 0x8863, 0x8864, 0x888E, 0x88A8, 0x88CC, 0x88E5, 0x88F7, 0x9000, 0x9100,
               0x9200, 0xFFFF)
LOOSE, STRICT, ALERT = 131, 137, b"\x94\x04\0\0"


class Sources:
    """One for each frame. The kernel answers by a route to all of them."""
    def __init__(self):
        self.n = 0

    def four(self):
        self.n = self.n % 0xFDFE + 1
        return f"10.98.{self.n >> 8}.{self.n & 255}"

    def six(self):
        self.n += 1
        return f"fd98::{self.n >> 16 & 0xFFFF:x}:{self.n & 0xFFFF:x}"


def every4(source):
    """IPv4: (name, packet) of each."""
    for version, ihl in itertools.product(range(16), range(16)):
        yield f"version {version} ihl {ihl}", ip4(source(), TO4["routed"], version=version, ihl=ihl)
    for ihl in range(6, 16):
        yield f"ihl {ihl}, options of zeroes", ip4(source(), TO4["routed"], options=bytes(ihl * 4 - 20))
    for total in (0, 1, 19, 20, 21, 23, 24, 27, 28, 29, 71, 72, 73, 80, 576, 1500, 0x8000, 0xFFFF):
        yield f"total length {total} of 72", ip4(source(), TO4["routed"], total=total)
    for ttl, to in itertools.product((0, 1, 2, 3, 128, 255), TO4):
        yield f"ttl {ttl} to {to}", ip4(source(), TO4[to], ttl=ttl)
    for xor in (1, 0x80, 0x100, 0x8000, 0xFFFF):
        yield f"checksum off by {xor:#x}", ip4(source(), TO4["routed"], sum_xor=xor)
    yield from checksums(source)
    for tos in (*range(0, 32), 0x10, 0x1E, 0x88, 0xB8, 0xFC, 0xFD, 0xFE, 0xFF):
        for to in "routed", "by its tos", "past a tos":
            yield f"tos {tos:#x} to {to}", ip4(source(), TO4[to], tos=tos)
    for fragment in (0x2000, 0x2001, 0x0001, 0x00B9, 0x1FFF, 0x3FFF, 0x4000, 0x4001, 0x6000, 0x8000, 0xC000, 0xA000,
                     0xFFFF):
        for body in (b"", b"x", bytes(8), bytes(13), bytes(1400)):
            for to in "routed", "back", "narrow":
                yield (f"fragment {fragment:#x} of {len(body)} bytes to {to}",
                       ip4(source(), TO4[to], body, fragment=fragment))
    for size in (20, 28, 551, 552, 553, 599, 600, 601, 1299, 1300, 1301, 1499, 1500, 1501, 2000, 2999, 3000):
        for flags, to in itertools.product((0, 0x4000), TO4):
            yield (f"{size} bytes, flags {flags:#x}, to {to}",
                   ip4(source(), TO4[to], bytes(size - 20), fragment=flags, proto=200))
    for proto in range(256):
        for body in b"", bytes(64):
            yield f"protocol {proto}, {len(body)} bytes", ip4(source(), TO4["routed"], body, proto=proto)
    for proto, size in itertools.product((UDP, TCP, 132, 33, 136, ICMP4, 50, 51), range(0, 21)):
        yield f"protocol {proto}, {size} bytes", ip4(source(), TO4["routed"], bytes(size), proto=proto)


def checksums(source):
    """Sums that are 0 or 0xffff before or after the time to live goes down."""
    for want in (0, 1, 0xFE, 0xFF, 0x100, 0xFEFE, 0xFEFF, 0xFF00, 0xFFFE, 0xFFFF):
        plain = ip4(source(), TO4["routed"])
        ident = (1 + (int.from_bytes(plain[10:12], "big") - want)) % 0xFFFF
        packet = ip4(plain[12:16], TO4["routed"], ident=ident)
        yield f"checksum {packet[10:12].hex()}", packet
        for forced in (0, 0xFFFF, want):
            yield (f"checksum {packet[10:12].hex()} as {forced:#x}",
                   ip4(plain[12:16], TO4["routed"], ident=ident, checksum_is=forced))


def options4(source):
    """(name, packet) with options of every kind, whole and broken."""
    hop, own, far = (address(a) for a in ("10.0.0.2", "10.99.0.1", "10.0.0.1"))
    cases = {f"option {kind} of {length} bytes": bytes([kind, length]) + bytes(max(length - 2, 0))
             for kind in (0, 1, 7, 68, 82, 94, 130, LOOSE, 134, 136, STRICT, 148, 149, 255)
             for length in (0, 1, 2, 3, 4, 7, 11, 38)}
    for pointer in (0, 3, 4, 5, 8, 12, 40, 255):
        cases[f"record route at {pointer}"] = bytes([7, 11, pointer]) + bytes(8)
        for kind in LOOSE, STRICT:
            for name, first in (("a neighbour", hop), ("us", own), ("us, far", far),
                                ("nobody", address("203.0.113.9"))):
                cases[f"source route {kind} at {pointer} by {name}"] = bytes([kind, 11, pointer]) + first + hop
    for flags, pointer in itertools.product((0, 1, 3, 2, 0xF0, 0xF3), (0, 4, 5, 9, 13, 255)):
        cases[f"timestamps {flags:#x} at {pointer}"] = bytes([68, 12, pointer, flags]) + own + bytes(4)
    cases |= {"router alert": ALERT, "router alert 1": b"\x94\x04\0\x01", "nop": b"\1\1\1\1", "nop, end": b"\1\0\1\1",
              "two record routes": bytes([7, 7, 4, 0, 0, 0, 0]) * 2, "two source routes": bytes([LOOSE, 7, 4]) + hop +
              bytes([STRICT, 7, 4]) + hop, "unknown": bytes([0x9E, 4, 1, 2]),
              "longer than the header": bytes([7, 40, 4, 0])}
    for name, options in cases.items():
        for ttl, to in (64, "10.50.1.1"), (64, "10.99.0.1"), (1, "10.50.1.1"):
            yield f"{name} to {to} ttl {ttl}", ip4(source(), to, options=options, ttl=ttl)
    yield ("source route to us, and big",
           ip4(source(), "10.99.0.1", bytes(1500), options=bytes([LOOSE, 7, 4]) + hop, proto=200))
    yield ("big with an option, df",
           ip4(source(), TO4["narrow"], bytes(1400), options=b"\1\1\1\1", fragment=0x4000, proto=200))
    yield "big with an option", ip4(source(), TO4["narrow"], bytes(1400), options=ALERT, proto=200)


def messages4(source):
    """ICMP and what else the host answers or believes, to itself and through it; UDP and TCP with lies."""
    inner = ip4("10.99.0.1", "10.50.7.7", icmp4(0, value=0x10001), ICMP4)[:28]
    for to in (TO4["routed"], "10.99.0.1", "10.0.0.1", "10.53.0.1", "10.54.0.1", "10.55.0.1", "10.57.0.3",
               "10.99.0.255", "10.98.200.1"):
        for kind in (*range(0, 20), 30, 37, 40, 42, 43, 255):
            for code, right in (0, True), (1, True), (4, True), (0, False):
                body = inner if kind in (3, 4, 5, 11, 12) else bytes(12)
                yield (f"icmp {kind}/{code} to {to}{'' if right else ', wrong sum'}",
                       ip4(source(), to, icmp4(kind, code, 1400, body, right), ICMP4))
        for kind in (3, 5, 8, 11):	# whose own time is over, or which are too big
            yield f"icmp {kind} to {to} at its end", ip4(source(), to, icmp4(kind, 0, 1, inner), ICMP4, ttl=1)
            yield (f"icmp {kind} to {to}, big, df",
                   ip4(source(), to, icmp4(kind, 0, 1, bytes(1480)), ICMP4, fragment=0x4000))
        for flags in (0, 1, 2, 4, 0x10, 0x12, 0x29, 0x3F):
            from_ = source()
            yield f"tcp {flags:#x} to {to}", ip4(from_, to, tcp(from_, to, flags), TCP)
        for length, value in (0, 0), (8, 0), (7, 1), (9, 1), (0xFFFF, 1), (52, 0), (52, 0xFFFF):
            yield (f"udp length {length} sum {value} to {to}",
                   ip4(source(), to, struct.pack("!HHHH", 7001, 7002, length, value) + bytes(44)))


def addresses4(source):
    for dst in SPECIAL4:
        for ttl, size in (64, 44), (1, 44), (64, 1480):
            yield f"to {dst} ttl {ttl} {size} bytes", ip4(source(), dst, bytes(size), ttl=ttl, proto=200)
    for src, dst in itertools.product(SPECIAL4, (TO4["routed"], "10.99.0.1", *SPECIAL4[::5], "10.54.0.1")):
        yield f"from {src} to {dst}", ip4(src, dst, icmp4(8, 0, 0x10001, b"wye"), ICMP4)
    for src in SPECIAL4:
        yield f"from {src} at its end", ip4(src, TO4["routed"], ttl=1)
        yield f"from {src} too big", ip4(src, TO4["narrow"], bytes(1400), fragment=0x4000, proto=200)


def believed4(source):
    """The router is told of a path MTU and of another gateway, where it may believe it; then what comes of that."""
    quoted = ip4("10.99.0.1", "10.50.7.8", icmp4(0, value=0x10001), ICMP4)[:28]
    for mtu in (0, 68, 400, 551, 552, 1300):
        yield f"path MTU {mtu}", ip4(source(), "10.99.0.1", icmp4(3, 4, mtu, quoted), ICMP4)
    quoted = ip4("10.99.0.1", "10.50.7.9", icmp4(0, value=0x10001), ICMP4)[:28]
    for kind in range(4):
        yield f"redirect {kind}", ip4("10.0.0.2", "10.99.0.1", icmp4(5, kind, 0x0A000003, quoted), ICMP4)
    told = "10.50.7.7", "10.50.7.8", "10.50.7.9"
    for to, size, flags in itertools.product(told, (100, 551, 553, 1400), (0, 0x4000)):
        yield f"{size} bytes, flags {flags:#x}, to {to}", ip4(source(), to, bytes(size - 20), fragment=flags, proto=200)


def believed6(source):
    for mtu in (0, 68, 1279, 1280, 1400):
        to = f"fd50::7:{mtu}"
        quoted = ip6("fd99::1", to, icmp6("fd99::1", to, 129), ICMP6)
        from_ = source()
        yield f"path MTU {mtu}", ip6(from_, "fd99::1", icmp6(from_, "fd99::1", 2, 0, mtu, quoted), ICMP6)
    for size, to in itertools.product((100, 1280, 1281, 1400, 1401, 1500), ("7", "0", "68", "1279", "1280", "1400")):
        yield f"{size} bytes to {to}", ip6(source(), f"fd50::7:{to}", bytes(size - 40), proto=200)


def every6(source):
    for version in range(16):
        yield f"version {version}", ip6(source(), TO6["routed"], version=version)
    for length in (0, 1, 7, 8, 39, 51, 52, 53, 60, 1500, 0x8000, 0xFFFF):
        yield f"payload length {length} of 52", ip6(source(), TO6["routed"], length=length)
        yield f"payload length {length} of none", ip6(source(), TO6["routed"], b"", length=length)
    for hops, to in itertools.product((0, 1, 2, 3, 128, 255), TO6):
        yield f"hop limit {hops} to {to}", ip6(source(), TO6[to], hops=hops)
    for flow in (1, 0xFFFFF, 0xFF00000, 0x0300000, 0x0100000):
        yield f"class and flow {flow:#x}", ip6(source(), TO6["routed"], flow=flow)
    for size in (40, 48, 1279, 1280, 1281, 1290, 1291, 1299, 1300, 1301, 1499, 1500, 1501, 2000, 3000):
        for to in TO6:
            yield f"{size} bytes to {to}", ip6(source(), TO6[to], bytes(size - 40), proto=200)
    for proto in range(256):
        for body in b"", bytes(64):
            yield f"next header {proto}, {len(body)} bytes", ip6(source(), TO6["routed"], body, proto=proto)
    for proto, size in itertools.product((UDP, TCP, 132, 33, ICMP6, 50, 51), range(0, 21)):
        yield f"next header {proto}, {size} bytes", ip6(source(), TO6["routed"], bytes(size), proto=proto)


def extensions6(source):
    hop, own = address("fd00:1::2", True), address("fd99::1", True)
    cases = {f"{name} of {(n + 1) * 8} bytes": [(kind, bytes([n]) + bytes(n * 8 + 6))]
             for name, kind in (("hop-by-hop", 0), ("routing", 43), ("destination", 60), ("mobility", 135),
                                ("hip", 139), ("shim6", 140), ("auth", 51), ("fragment", 44), ("exp", 253))
             for n in (0, 1, 5)}
    for option in (b"\5\2\0\0", b"\5\2\0\1", b"\5\2", b"\xc2\4\0\1\0\0", b"\xc2\4\0\0\0\0", b"\1\0",
                   b"\1\4\0\0\0\0", b"\0" * 6, b"\x3e\1\0", b"\x7e\1\0", b"\xbe\1\0", b"\xfe\1\0", b"\1\xff",
                   b"\7\1\0", b"\x31\1\0", b"\xc9\4\0\0\0\0"):
        filled = (option + b"\0" * 6)[:6]
        cases[f"hop-by-hop option {option.hex()}"] = [(0, b"\0" + filled)]
        cases[f"destination option {option.hex()}"] = [(60, b"\0" + filled)]
    for kind, left in itertools.product((0, 1, 2, 3, 4, 5, 253, 255), (0, 1, 2, 255)):
        for name, via in ("a neighbour", hop), ("us", own):
            cases[f"routing type {kind} left {left} by {name}"] = [(43, bytes([2, kind, left]) + bytes(4) + via)]
    for fragment in (0, 1, 8, 9, 0x10, 0xFFF8, 0xFFF9, 6, 7):
        cases[f"fragment {fragment:#x}"] = [(44, b"\0" + struct.pack("!HI", fragment, 7))]
        cases[f"hop-by-hop, fragment {fragment:#x}"] = [(0, bytes(7)), (44, b"\0" + struct.pack("!HI", fragment, 7))]
    cases["hop-by-hop twice"] = [(0, bytes(7)), (0, bytes(7))]
    cases["destination, then hop-by-hop"] = [(60, bytes(7)), (0, bytes(7))]
    cases["longer than the packet"] = [(0, b"\xff" + bytes(6))]
    for name, chain in cases.items():
        for to, hops in (TO6["routed"], 64), ("fd99::1", 64), (TO6["routed"], 1):
            yield f"{name} to {to} hop limit {hops}", ip6(source(), to, extensions=chain, hops=hops)
    for proto in (0, 43, 44, 51, 59, 60, 135):
        for size in (0, 1, 2, 7, 8, 9):
            yield f"header {proto} cut to {size}", ip6(source(), TO6["routed"], bytes(size), proto=proto)


def messages6(source):
    inner = ip6("fd99::1", "fd50::7:7", icmp6("fd99::1", "fd50::7:7", 129), ICMP6)
    nd = {133: b"", 134: bytes(8), 135: address("fd99::1", True), 136: address("fd99::9", True),
          137: address("fd99::9", True) + address(TO6["routed"], True), 130: bytes(16), 131: bytes(16), 132: bytes(16),
          143: b""}
    for to in (TO6["routed"], "fd99::1", "fd00:1::1", "fd54::1", "fd57::3", "ff02::1", "fe80::ff:fe00:9001",
               "fd98:0:0:1::1"):
        for kind in (0, 1, 2, 3, 4, 5, 100, 101, 127, 128, 129, *range(130, 162), 200, 255):
            for hops, right in (255, True), (64, True), (255, False):
                from_ = source()
                body = inner if kind < 100 else nd.get(kind, bytes(8))
                yield (f"icmp6 {kind} to {to} hop limit {hops}{'' if right else ', wrong sum'}",
                       ip6(from_, to, icmp6(from_, to, kind, 0, 1280, body, right), ICMP6, hops=hops))
        for kind in (1, 3, 128, 137):
            from_ = source()
            yield f"icmp6 {kind} to {to} at its end", ip6(from_, to, icmp6(from_, to, kind, 0, 1, inner), ICMP6, hops=1)
            yield f"icmp6 {kind} to {to}, big", ip6(from_, to, icmp6(from_, to, kind, 0, 1, bytes(1480)), ICMP6)
        for flags in (0, 2, 4, 0x10, 0x3F):
            from_ = source()
            yield f"tcp {flags:#x} to {to}", ip6(from_, to, tcp(from_, to, flags, True), TCP)
        for length, value in (0, 0), (8, 0), (7, 1), (0xFFFF, 1), (52, 0), (52, 0xFFFF):
            yield (f"udp length {length} sum {value} to {to}",
                   ip6(source(), to, struct.pack("!HHHH", 7001, 7002, length, value) + bytes(44)))


def addresses6(source):
    for dst in SPECIAL6:
        for hops, size in (64, 44), (1, 44), (64, 1480):
            yield f"to {dst} hop limit {hops} {size} bytes", ip6(source(), dst, bytes(size), hops=hops, proto=200)
    for src, dst in itertools.product(SPECIAL6, (TO6["routed"], "fd99::1", *SPECIAL6[::5], "fd54::1")):
        yield f"from {src} to {dst}", ip6(src, dst, icmp6(src, dst, 128, 0, 1, b"wye"), ICMP6)
    for src in SPECIAL6:
        yield f"from {src} at its end", ip6(src, TO6["routed"], hops=1)
        yield f"from {src} too big", ip6(src, TO6["narrow"], bytes(1400), proto=200)


def links(sources):
    """(name, frame): what is around IP."""
    def both():
        return (IP4, ip4(sources.four(), TO4["routed"])), (IP6, ip6(sources.six(), TO6["routed"]))

    for name, mac in MACS.items():
        for ether_type, packet in both():
            yield f"to {name} MAC, {ether_type:04x}", ether(packet, ether_type, to=mac)
        for ether_type, packet in both():
            yield f"from {name} MAC, {ether_type:04x}", ether(packet, ether_type, by=mac)
        yield f"for us, to {name} MAC", ether(ip4(sources.four(), "10.99.0.1", icmp4(8), ICMP4), IP4, to=mac)
        yield f"multicast, to {name} MAC", ether(ip4(sources.four(), "239.1.1.1"), IP4, to=mac)
        yield f"broadcast, to {name} MAC", ether(ip4(sources.four(), "255.255.255.255"), IP4, to=mac)
    for ether_type, (right, packet) in itertools.product(ETHER_TYPES, both()):
        yield f"ether type {ether_type:#06x} around {right:04x}", ether(packet, ether_type)
    for tags in (((0x8100, 0),), ((0x8100, 5),), ((0x8100, 0xE000),), ((0x8100, 0xFFFF),), ((0x88A8, 5),),
                 ((0x9100, 5),), ((0x8100, 1), (0x8100, 2)), ((0x88A8, 1), (0x8100, 2)), ((0x88A8, 0), (0x8100, 0)),
                 ((0x8100, 0),) * 3):
        for ether_type, packet in both():
            yield f"tags {tags} around {ether_type:04x}", ether(packet, ether_type, tags=tags)
        yield f"tags {tags} for us", ether(ip4(sources.four(), "10.99.0.1", icmp4(8), ICMP4), IP4, tags=tags)
        yield f"tags {tags} and no more", ether(b"", IP4, tags=tags)[:-2]
    llc = b"\xaa\xaa\x03\0\0\0\x08\0" + ip4(sources.four(), TO4["routed"])
    yield "SNAP in an 802.3 frame", ether(llc, len(llc))
    for padding in (1, 2, 6, 18, 46, 255, 256, 1000, 2000):
        for ether_type, packet in both():
            behind = (bytes(range(256)) * (padding // 256 + 1))[:padding]
            yield f"{padding} bytes behind {ether_type:04x}", ether(packet + behind, ether_type)
    for size in range(0, 61):
        for ether_type, packet in both():
            yield f"runt {ether_type:04x} of {14 + size} bytes", ether(packet[:size], ether_type)
    for size in range(20, 46):
        short = ip4(sources.four(), TO4["routed"], bytes(size - 20), proto=200)
        yield f"whole, of {14 + size} bytes", ether(short, IP4)


def catalogue(sources):
    """All of them, as Frames."""
    for make in every4, options4, messages4, believed4, addresses4:
        for name, packet in make(sources.four):
            yield Frame(f"ip4 {name}", ether(packet, IP4))
    for make in every6, extensions6, messages6, believed6, addresses6:
        for name, packet in make(sources.six):
            yield Frame(f"ip6 {name}", ether(packet, IP6))
    for name, data in links(sources):
        yield Frame(f"link {name}", data)


# ---- mutations ----

FIELDS4 = {14: range(256), 15: range(256), 16: range(8), 17: range(256), 20: range(256), 21: range(256),
           22: (0, 1, 2, 255), 23: range(256), 26: (0, 10, 127, 169, 224, 240, 255),
           30: (0, 10, 127, 169, 224, 240, 255), 31: range(50, 60),
           33: (0, 1, 2, 255), 34: range(256), 35: range(256)}
FIELDS6 = {14: range(0x50, 0x70), 15: range(256), 18: range(8), 19: range(256), 20: range(256), 21: (0, 1, 2, 255),
           22: (0, 0x20, 0xFC, 0xFD, 0xFE, 0xFF), 38: (0, 0x20, 0xFC, 0xFD, 0xFE, 0xFF), 39: range(0x50, 0x60),
           54: range(256), 55: range(256)}


def edit(choose, frame):
    dice = choose.random()
    if dice < 0.12:
        return ("cut", choose.randint(14, len(frame.data)))
    if dice < 0.2:
        return ("pad", choose.choice((1, 2, 4, 18, 46, 700)))
    fields = {IP4: FIELDS4, IP6: FIELDS6}.get(int.from_bytes(frame.data[12:14], "big"))
    if fields and dice < 0.8:
        at = choose.choice(list(fields))
        return ("set", at, choose.choice(fields[at]))
    if dice < 0.85:
        return ("set", choose.randrange(0, 14), choose.choice((0, 1, 2, 8, 0x81, 0x86, 0xDD, 0xFF)))
    at = choose.randrange(14, max(len(frame.data), 15))
    return ("set", at, choose.choice((0, 1, 0x7F, 0x80, 0xFF, choose.randrange(256))))


def mutated(choose, frame, sources):
    """frame from a source of its own (if it is no odd one), with one to four edits."""
    data = bytearray(frame.data)
    if data[12:14] == b"\x08\x00" and data[26:28] == address("10.98.0.0")[:2]:
        data[26:30] = address(sources.four())
    elif data[12:14] == b"\x86\xdd" and data[22:24] == b"\xfd\x98":
        data[22:38] = address(sources.six(), True)
    frame = frame._replace(data=bytes(data), fix=choose.random() < 0.85)
    return frame._replace(edits=tuple(edit(choose, frame) for _ in range(choose.choice((0, 1, 1, 2, 3, 4)))))

# SPDX-License-Identifier: BSD-3-Clause
"""A probe, a numbered UDP packet for the router, and what can be seen of it behind the router.

The number is IPv4's identification or IPv6's flow label as well as the payload, so that fragments and what ICMP errors
quote can be told apart too. As text: `packet SOURCE > DESTINATION ttl N size N [df]`.
"""
import collections
import hashlib
import socket
import struct

MAC_ROUTER, MAC_HOST = bytes.fromhex("020000009001"), bytes.fromhex("020000009009")
UDP, ICMP4, ICMP6 = 17, 1, 58
ERRORS = {ICMP4: (3, 4, 11, 12), ICMP6: (1, 2, 3, 4)}	# not redirects: their rate depends on those before
PORTS = (7001, 7002)

Probe = collections.namedtuple("Probe", "source address ttl size df")
# What left the router, by which peer of its links it arrived at. `key` is what must be the same on both sides.
Seen = collections.namedtuple("Seen", "kind port mac key")


def text(probe):
    return (f"packet {probe.source} > {probe.address} ttl {probe.ttl} size {probe.size}" + (" df" if probe.df else ""))


def from_text(line):
    words = line.split()
    return Probe(words[1], words[3], int(words[5]), int(words[7]), "df" in words)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp(source, address, payload):
    length = 8 + len(payload)
    pseudo = source + address + struct.pack("!II", length, UDP)
    head = struct.pack("!HHH", *PORTS, length)
    return head + struct.pack("!H", checksum(pseudo + head + b"\0\0" + payload) or 0xFFFF) + payload


def frame(probe, number):
    family = socket.AF_INET6 if ":" in probe.address else socket.AF_INET
    source, address = socket.inet_pton(family, probe.source), socket.inet_pton(family, probe.address)
    room = probe.size - (48 if family == socket.AF_INET6 else 28)
    body = udp(source, address, (struct.pack("!4sI", b"wye ", number) + bytes(3000))[:room])
    if family == socket.AF_INET6:
        return (MAC_ROUTER + MAC_HOST + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28 | number, len(body), UDP, probe.ttl) +
                source + address + body)
    head = struct.pack("!BBHHHBBH", 0x45, 0, probe.size, number, 0x4000 if probe.df else 0, probe.ttl, UDP, 0)
    head = head[:10] + struct.pack("!H", checksum(head + source + address))
    return MAC_ROUTER + MAC_HOST + b"\x08\x00" + head + source + address + body


def inner_number(ip):
    """The number of the probe this is, or a piece of; None: another's."""
    if len(ip) >= 40 and ip[0] >> 4 == 6 and ip[6] == UDP:
        return struct.unpack_from("!I", ip)[0] & 0xFFFFF
    if len(ip) >= 20 and ip[0] == 0x45 and ip[9] == UDP:
        return struct.unpack_from("!H", ip, 4)[0]
    return None


def digest(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()[:8]


def error(ip):
    """(number, key) of an ICMP error about a probe. Its own identification and checksums are its sender's."""
    six = ip[0] >> 4 == 6
    at, proto = (40, ip[6]) if six else ((ip[0] & 15) * 4, ip[9])
    if proto not in ERRORS or len(ip) < at + 8 or ip[at] not in ERRORS[proto]:
        return None, None
    quoted = ip[at + 8:]
    number = inner_number(quoted)
    source, address = (ip[8:24], ip[24:40]) if six else (ip[12:16], ip[16:20])
    family = socket.AF_INET6 if six else socket.AF_INET
    says = f"icmp {ip[at]}/{ip[at + 1]} value {struct.unpack_from('!I', ip, at + 4)[0]}"
    # A link-local source is made of a MAC; whether a subnet's anycast address is ours no table tells (ac6_list).
    if not six or source[0] != 0xFE and any(quoted[32:40]):
        says += f" from {socket.inet_ntop(family, source)}"
    return number, f"{says} to {socket.inet_ntop(family, address)} ttl {ip[7 if six else 8]} quotes {digest(quoted)}"


def read(port, data):
    """(number, Seen) of a captured frame; (None, None): nothing to do with a probe."""
    if len(data) < 34 or data[12:14] not in (b"\x08\x00", b"\x86\xdd"):
        return None, None
    mac, ip = data[:6].hex(":"), data[14:]
    six = ip[0] >> 4 == 6
    if six and len(ip) < 40:
        return None, None
    number = inner_number(ip)
    if number is not None:
        extra = "" if six else f" fragment {struct.unpack_from('!H', ip, 6)[0]:04x}"
        return number, Seen("forward", port, mac, f"ttl {ip[7 if six else 8]} bytes {len(ip)}{extra} {digest(ip)}")
    number, key = error(ip)
    return (None, None) if number is None else (number, Seen("error", port, mac, key))

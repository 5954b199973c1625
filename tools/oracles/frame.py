# SPDX-License-Identifier: BSD-3-Clause
"""Ethernet frames of any bytes, made from fields of which each may lie. A Frame is a whole one and what is done to it
then."""
import collections
import socket
import struct

from packet import MAC_HOST, MAC_ROUTER, UDP, checksum, udp

TCP, ICMP4, ICMP6 = 6, 1, 58
IP4, IP6 = 0x0800, 0x86DD
LONGEST = 3014		# what the ingress link takes

# edits: ("set", offset, byte), ("cut", length), ("pad", bytes); fix: IPv4's header checksum is made right after them
Frame = collections.namedtuple("Frame", "name data edits fix", defaults=((), False))


def edited(frame):
    data = bytearray(frame.data)
    for kind, *what in frame.edits:
        if kind == "set" and what[0] < len(data):
            data[what[0]] = what[1]
        elif kind == "cut":
            del data[max(what[0], 14):]
        elif kind == "pad":
            data += bytes(range(256))[:what[0]] * (what[0] // 256 + 1)
    head = 14 + (data[14] & 15) * 4 if len(data) > 14 else 0
    if frame.fix and data[12:14] == b"\x08\x00" and 34 <= head <= len(data):
        data[24:26] = b"\0\0"
        data[24:26] = struct.pack("!H", checksum(bytes(data[14:head])))
    return bytes(data[:LONGEST])


def text(frame):
    return f"{edited(frame).hex()} {frame.name} {list(frame.edits) or ''}{' fixed' if frame.fix else ''}"


def from_text(line):
    data, _, name = line.partition(" ")
    return Frame(name.strip(), bytes.fromhex(data))


def address(text_or_bytes, six=False):
    if isinstance(text_or_bytes, bytes):
        return text_or_bytes
    return socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, text_or_bytes)


def ether(payload, ether_type, to=MAC_ROUTER, by=MAC_HOST, tags=()):
    """tags: (type, value) of VLAN headers, outermost first."""
    head = to + by
    for tag_type, value in tags:
        head += struct.pack("!HH", tag_type, value)
    return head + struct.pack("!H", ether_type) + payload


def ip4(src, dst, payload=None, proto=UDP, ttl=64, version=4, ihl=None, tos=0, total=None, ident=1, fragment=0,
        options=b"", sum_xor=0, checksum_is=None):
    """A packet; what is None is as it should be. payload None: a UDP datagram. sum_xor: what the checksum is off by."""
    src, dst = address(src), address(dst)
    options += bytes(-len(options) % 4)
    payload = udp(src, dst, b"wye " + bytes(range(40))) if payload is None else payload
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH", version << 4 | ihl & 15, tos, total, ident, fragment, ttl, proto, 0)
    head += src + dst + options
    value = checksum(head[:ihl * 4] if 5 <= ihl <= len(head) // 4 else head) ^ sum_xor
    value = value if checksum_is is None else checksum_is
    return head[:10] + struct.pack("!H", value) + head[12:] + payload


def ip6(src, dst, payload=None, proto=UDP, hops=64, version=6, flow=0, length=None, extensions=()):
    """extensions: (protocol, bytes behind its next-header byte), outermost first."""
    src, dst = address(src, True), address(dst, True)
    payload = udp(src, dst, b"wye " + bytes(range(40))) if payload is None else payload
    for kind, body in reversed(extensions):
        payload, proto = bytes([proto]) + body + payload, kind
    head = struct.pack("!IHBB", version << 28 | flow, len(payload) if length is None else length, proto, hops)
    return head + src + dst + payload


def summed(src, dst, proto, body, at):
    """body with the checksum at that offset, over a pseudo header of either family; None: over none."""
    pseudo = b"" if src is None else src + dst + struct.pack("!II", len(body), proto)
    body = body[:at] + b"\0\0" + body[at + 2:]
    return body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2:]


def tcp(src, dst, flags=2, six=False):
    src, dst = address(src, six), address(dst, six)
    return summed(src, dst, TCP, struct.pack("!HHIIBBHHH", 7001, 7002, 1, 0, 0x50, flags, 1000, 0, 0), 16)


def icmp4(kind, code=0, value=0, body=b"", right=True):
    data = summed(None, None, 0, struct.pack("!BBHI", kind, code, 0, value) + body, 2)
    return data if right else data[:2] + b"\x12\x34" + data[4:]


def icmp6(src, dst, kind, code=0, value=0, body=b"", right=True):
    data = summed(address(src, True), address(dst, True), ICMP6, struct.pack("!BBHI", kind, code, 0, value) + body, 2)
    return data if right else data[:2] + b"\x12\x34" + data[4:]

# SPDX-License-Identifier: BSD-3-Clause
"""What the benches feed: routing tables as text and packets as pcap files, the same for every contestant.

All is made from fixed seeds, so two runs, and two contestants, see the same bytes. Files are kept in the build
directory and made again only when their name (which carries every parameter) is not there.
"""
import ipaddress
import os
import random
import socket
import struct

FRAME_BYTES = 64
NEXTHOPS = 16
SPREAD_SOURCE = 0xC6130001

# Shares of prefix lengths in a full IPv4 table of 2024 (RIPE RIS), rounded; a little beyond /24 as an IGP adds it.
LENGTHS = {24: 620, 23: 95, 22: 110, 21: 50, 20: 43, 19: 25, 18: 14, 17: 8, 16: 14, 15: 2, 14: 1, 13: 1,
           25: 4, 26: 3, 28: 4, 29: 3, 32: 3}
# Of an IPv6 table, as bench_fib_table.c has them; in /32 allocations of the registries' blocks, some much used.
LENGTHS6 = {48: 470, 32: 120, 40: 95, 44: 90, 36: 45, 46: 30, 29: 25, 47: 25, 42: 25, 38: 20, 45: 20, 43: 10, 33: 10,
            64: 5, 56: 5, 128: 5}
BLOCKS6 = (0x2400, 0x2402, 0x2600, 0x2800, 0x2A00, 0x2A10, 0x2C00)
ALLOCATIONS6 = 30000
# Not routable by anybody, or where the bench's own links live.
RESERVED = ("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16", "198.18.0.0/15",
            "224.0.0.0/3")


def kept(path, make):
    """Makes path by make(temporary path) unless it is there; the rename keeps half a file from being found."""
    if not os.path.exists(path):
        temporary = f"{path}.{os.getpid()}"
        make(temporary)
        os.rename(temporary, path)
    return path


def routes4(count, seed=1):
    """count distinct (address, length), as integers, with the lengths of a full table."""
    reserved = [(int(n.network_address), int(n.broadcast_address)) for n in map(ipaddress.ip_network, RESERVED)]
    rng = random.Random(seed)
    lengths = rng.choices(list(LENGTHS), list(LENGTHS.values()), k=count * 2)
    routes = {}
    for length in lengths:
        address = rng.getrandbits(32) >> (32 - length) << (32 - length)
        if any(low <= address <= high for low, high in reserved):
            continue
        routes[address, length] = None
        if len(routes) == count:
            return list(routes)
    raise ValueError(f"no {count} distinct prefixes")


def table4(directory, count):
    """A file of lines "PREFIX/LEN NEXTHOP"; NEXTHOP 0 … NEXTHOPS-1. One route: all test destinations."""
    def make(path):
        routes = [(0xC6120000, 15)] if count == 1 else routes4(count)
        with open(path, "w") as file:
            for i, (address, length) in enumerate(routes):
                file.write(f"{socket.inet_ntoa(struct.pack('!I', address))}/{length} {i % NEXTHOPS}\n")
    return kept(f"{directory}/table4-{count}.txt", make)


def routes6(count, seed=1):
    """count distinct (address, length) likewise."""
    rng = random.Random(seed)
    allocations = [(rng.choice(BLOCKS6) + rng.randrange(12)) << 112 | rng.getrandbits(16) << 96 for _ in range(ALLOCATIONS6)]
    lengths = rng.choices(list(LENGTHS6), list(LENGTHS6.values()), k=count * 4)
    routes = {}
    for length in lengths:
        inside = rng.getrandbits(96) >> rng.choice((0, 8, 16)) if length > 32 else 0
        address = allocations[int(rng.random() ** 2 * ALLOCATIONS6)] | inside
        routes[address >> (128 - length) << (128 - length), length] = None
        if len(routes) == count:
            return list(routes)
    raise ValueError(f"no {count} distinct prefixes")


def table6(directory, count=1):
    """As table4. One route: all test destinations."""
    def make(path):
        routes = [(0x20010DB800120000 << 64, 48)] if count == 1 else routes6(count)
        with open(path, "w") as file:
            for i, (address, length) in enumerate(routes):
                file.write(f"{socket.inet_ntop(socket.AF_INET6, address.to_bytes(16, 'big'))}/{length} {i % NEXTHOPS}\n")
    return kept(f"{directory}/table6-{count}.txt", make)


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def frame4(mac, source, destination, sport, payload_bytes=FRAME_BYTES - 42):
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 28 + payload_bytes, 0, 0, 64, 17, 0, source, destination)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    udp = struct.pack("!HHHH", sport, 9, 8 + payload_bytes, 0)
    return mac + b"\x02\x00\x00\x00\x00\x01\x08\x00" + ip + udp + bytes(payload_bytes)


def frame6(mac, source, destination, sport):
    payload_bytes = max(0, FRAME_BYTES - 62)
    ip = struct.pack("!IHBB", 6 << 28, 8 + payload_bytes, 17, 64) + source + destination
    udp = struct.pack("!HHHH", sport, 9, 8 + payload_bytes, 0xFFFF)
    return mac + b"\x02\x00\x00\x00\x00\x01\x86\xdd" + ip + udp + bytes(payload_bytes)


def pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def packets4(directory, routes, count, mac):
    """count packets: random flows of 198.18.0.0/15 for one route, else random destinations of the table."""
    def frames():
        rng = random.Random(2)
        table = None if routes == 1 else routes4(routes)
        for _ in range(count):
            if table is None:
                destination = 0xC6120000 + rng.getrandbits(16)
            else:
                address, length = rng.choice(table)
                destination = address | rng.getrandbits(32 - length) if length < 32 else address
            yield frame4(mac, 0xC6130000 + rng.getrandbits(16), destination, 1024 + rng.getrandbits(12))
    return kept(f"{directory}/packets4-{routes}-{count}-{mac.hex()}.pcap", lambda path: pcap(path, frames()))


def spread4(directory, routes):
    """A file of destinations (spread.h), one of each route's, in random order, for packets of packets4_alike()."""
    def make(path):
        rng = random.Random(4)
        table = routes4(routes)
        rng.shuffle(table)
        with open(path, "wb") as file:
            for address, length in table:
                destination = address | rng.getrandbits(32 - length) if length < 32 else address
                frame = frame4(b"", SPREAD_SOURCE, destination, 1024)
                file.write(struct.pack("!I", destination) + frame[18:20] + bytes(2))
    return kept(f"{directory}/spread4-{routes}.bin", make)


def packets4_alike(directory, count, mac):
    """count packets of one source, whose destinations somebody else writes."""
    def make(path):
        pcap(path, (frame4(mac, SPREAD_SOURCE, 0xC6120000, 1024 + i) for i in range(count)))
    return kept(f"{directory}/packets4-alike-{count}-{mac.hex()}.pcap", make)


def packets6(directory, routes, count, mac):
    """Likewise: random hosts of the one route's /48, else random destinations of the table."""
    def frames():
        rng = random.Random(3)
        prefix = socket.inet_pton(socket.AF_INET6, "2001:db8:12::")[:6]
        source = socket.inet_pton(socket.AF_INET6, "2001:db8:13::1")
        table = None if routes == 1 else routes6(routes)
        for _ in range(count):
            destination = prefix + rng.randbytes(10)
            if table is not None:
                address, length = rng.choice(table)
                destination = (address | rng.getrandbits(128) >> length).to_bytes(16, "big")
            yield frame6(mac, source, destination, 1024 + rng.getrandbits(12))
    return kept(f"{directory}/packets6-{routes}-{count}-{mac.hex()}.pcap", lambda path: pcap(path, frames()))

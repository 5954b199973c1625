#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""flood: frames from a netdev of the current network namespace, each about another host, until SIGTERM.

arp, ns: requests for the router's address by hosts of the prefix, so that it makes a neighbour of each. scan: UDP through
the router to hosts of the prefix, none of which is there.
Prints how many were sent.
"""
import argparse
import ipaddress
import signal
import socket
import struct
import time


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=FRAMES)
    parser.add_argument("--dev", default="eth0")
    parser.add_argument("--mac", required=True, help="the router's")
    parser.add_argument("--to", required=True, help="the router's address")
    parser.add_argument("--src", default="10.0.0.1", help="of what passes through it")
    parser.add_argument("--prefix", default="10.0.0.0/16", help="the hosts'")
    parser.add_argument("--hosts", type=int, default=60000, help="how many, from the prefix's address 256 on")
    parser.add_argument("--rate", type=int, default=5000, help="frames a second")
    return parser.parse_args()


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def host_mac(n):
    return b"\x02\x66" + struct.pack("!I", n & 0xffffffff)


def arp(opts, mac, host, n):
    return (b"\xff" * 6 + host_mac(n) + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + host_mac(n) + host.packed +
            bytes(6) + opts.to.packed)


def ns(opts, mac, host, n):
    group = b"\xff\x02" + bytes(9) + b"\x01\xff" + opts.to.packed[-3:]
    body = struct.pack("!BBHI", 135, 0, 0, 0) + opts.to.packed + b"\x01\x01" + host_mac(n)
    summed = checksum(host.packed + group + struct.pack("!IHBB", len(body), 0, 0, 58) + body)
    body = body[:2] + struct.pack("!H", summed) + body[4:]
    return (b"\x33\x33" + group[-4:] + host_mac(n) + struct.pack("!HIHBB", 0x86dd, 6 << 28, len(body), 58, 255) +
            host.packed + group + body)


def scan(opts, mac, host, n):
    payload = struct.pack("!HHHH", 4000, 7000, 26, 0) + bytes(18)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, 17, 0) + opts.src.packed + host.packed
    return opts.mac + mac + b"\x08\x00" + ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + payload


FRAMES = {
    "arp": arp,
    "ns": ns,
    "scan": scan,
}


def main():
    opts = options()
    opts.mac = bytes.fromhex(opts.mac.replace(":", ""))
    opts.to, opts.src = ipaddress.ip_address(opts.to), ipaddress.ip_address(opts.src)
    prefix = ipaddress.ip_network(opts.prefix)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((opts.dev, 0))
    mac, stop = sock.getsockname()[4], []
    frames = [FRAMES[opts.kind](opts, mac, prefix[256 + n], n) for n in range(opts.hosts)]
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    sent, credit, last = 0, 0.0, time.monotonic()
    while not stop:
        now = time.monotonic()
        credit = min(credit + (now - last) * opts.rate, sent + opts.rate)	# a starved sender does not catch up
        last = now
        while sent < int(credit):
            try:
                sock.send(frames[sent % len(frames)])
            except OSError:
                pass			# the queue is full: as lost on a wire
            sent += 1
        time.sleep(0.001)
    print(sent)


main()

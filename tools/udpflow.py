#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""udpflow: numbered UDP packets from one network namespace to another, and what became of them.

Sends at a steady rate until --count packets or SIGTERM, then waits until the last ones are in and prints one JSON
object: sent, received, lost, duplicates, reordered, the longest gap between two arrivals in milliseconds, and the
time to live seen. The first packet that arrives is reported at once by a line "{}".
"""
import argparse
import ctypes
import json
import os
import select
import signal
import socket
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33	# this one and the next are not in Python's socket module
IP_RECVTTL = 12
SILENCE_S = 0.5		# nothing for so long after the last was sent: the rest is lost
NUMBER = struct.Struct("!Q")


def enter(namespace):
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"setns {namespace}")
    os.close(fd)


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="source", required=True, help="namespace that sends")
    parser.add_argument("--to", dest="sink", required=True, help="namespace that receives")
    parser.add_argument("--dst", required=True, help="destination address")
    parser.add_argument("--src", default="", help="source address (the kernel's choice)")
    parser.add_argument("--port", type=int, default=7000)
    parser.add_argument("--rate", type=int, default=1000, help="packets per second")
    parser.add_argument("--count", type=int, default=1 << 62)
    parser.add_argument("--flows", type=int, default=1, help="source ports in turn")
    parser.add_argument("--pulse", type=float, default=0, help="times a second at --rate, and at a twentieth of it between")
    parser.add_argument("--size", type=int, default=18, help="bytes of payload")
    return parser.parse_args()


def send(opts, family, done):
    """In a child: paces by the clock, sends what is due each millisecond; reports how many through the pipe."""
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    enter(opts.source)
    sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(opts.flows)]
    for sock in sockets:
        sock.bind((opts.src, 0))
        sock.connect((opts.dst, opts.port))
    filler = bytes(max(0, opts.size - NUMBER.size))
    start = last = time.monotonic()
    sent, credit = 0, 1.0
    while sent < opts.count and not stop:
        now = time.monotonic()
        slow = opts.pulse and (now - start) * opts.pulse % 1 >= 0.5
        credit += (now - last) * (opts.rate / 20 if slow else opts.rate)
        last = now
        due = min(opts.count, int(credit))
        while sent < due:
            try:
                sockets[sent % opts.flows].send(NUMBER.pack(sent) + filler)
            except OSError:
                pass		# an ICMP error for an earlier packet: this one counts as sent, and lost
            sent += 1
        time.sleep(0.001)
    os.write(done, NUMBER.pack(sent))


class Arrivals:
    def __init__(self):
        self.seen, self.duplicates, self.reordered = set(), 0, 0
        self.last_number, self.last_time, self.gap, self.hops = -1, None, 0.0, set()

    def add(self, number, hops, now):
        if self.last_time is None:
            print("{}", flush=True)
        else:
            self.gap = max(self.gap, now - self.last_time)
        self.last_time = now
        self.duplicates += number in self.seen
        self.reordered += number < self.last_number
        self.seen.add(number)
        self.last_number = max(number, self.last_number)
        self.hops.add(hops)


def receive(sock, arrivals, now):
    while True:
        try:
            data, ancillary, _, _ = sock.recvmsg(2048, 64)
        except BlockingIOError:
            return
        hops = [int.from_bytes(value[:4], sys.byteorder) for _, _, value in ancillary]
        arrivals.add(NUMBER.unpack_from(data)[0], hops[0] if hops else 0, now)


def main():
    opts = options()
    family = socket.AF_INET6 if ":" in opts.dst else socket.AF_INET
    done_read, done_write = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    enter(opts.sink)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    if family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    sock.bind((opts.dst, opts.port))
    sock.setblocking(False)

    sender = os.fork()
    if sender == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        send(opts, family, done_write)
        os._exit(0)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(sender, signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    arrivals, sent, quiet_since = Arrivals(), None, None
    while sent is None or (len(arrivals.seen) < sent and time.monotonic() - quiet_since < SILENCE_S):
        ready, _, _ = select.select([sock] if sent is not None else [sock, done_read], [], [], 0.1)
        now = time.monotonic()
        if done_read in ready:
            sent = NUMBER.unpack(os.read(done_read, NUMBER.size))[0]
            quiet_since = now
        if sock in ready:
            receive(sock, arrivals, now)
            quiet_since = now
    os.waitpid(sender, 0)
    print(json.dumps({
        "sent": sent, "received": len(arrivals.seen), "lost": sent - len(arrivals.seen),
        "duplicates": arrivals.duplicates, "reordered": arrivals.reordered,
        "longest_gap_ms": round(arrivals.gap * 1000, 1), "ttl": sorted(arrivals.hops)}))


if __name__ == "__main__":
    main()

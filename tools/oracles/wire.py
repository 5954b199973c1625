# SPDX-License-Identifier: BSD-3-Clause
"""Probes into a router's namespace and what comes out of it, by packet sockets on the far ends of its links."""
import collections
import select
import socket
import time

import packet
from side import inside

ETH_P_ALL, PACKET_OUTGOING, SO_RCVBUFFORCE = 3, 4, 33
END = (packet.Probe("10.99.0.9", "10.99.0.77", 1, 64, False), packet.Probe("fd99::9", "fd99::77", 1, 80, False))
QUIET_S = 0.02		# after the end marks came back; they are answered behind all that was sent before
LOST_S = 0.4		# without them: forwarding may be off
STARVED_S = 3.0		# or, if it is not off, somebody else has the CPU
MISSING_S = 1.0		# what came on one side only may be late: marks overtake it when a starved worker loses its flows


class Wire:
    """One side's. Every batch of probes ends with two that expire at the router, which answers in the order it got them."""
    def __init__(self, side):
        with inside(side.peers):
            self.out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.out.bind(("pin0", 0))
            self.seen = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.seen.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.seen.setblocking(False)

    def send(self, numbered):
        for number, probe in numbered:
            self.out.send(packet.frame(probe, number))

    def frames(self):
        """(port, bytes) of what waits."""
        while True:
            try:
                data, (port, _, kind, _, _) = self.seen.recvfrom(4096)
            except BlockingIOError:
                return
            if kind != PACKET_OUTGOING:
                yield port, data

    def receive(self):
        """(number, Seen) of what waits."""
        for port, data in self.frames():
            number, seen = packet.read(port, data)
            if number is not None:
                yield number, seen


class Exchange:
    """Sends the same probes into several sides and gathers what comes of each."""
    def __init__(self, wires):
        self.wires, self.next = wires, 1

    def number(self, n):
        if self.next + n > 0xFFFF:
            self.next = 1
        self.next += n
        return range(self.next - n, self.next)

    def run(self, probes, answered):
        """For each wire a list, one entry a probe: what was seen of it, sorted. answered: an end mark is, in the end."""
        numbers = self.number(len(probes) + len(END))
        found = [collections.defaultdict(list) for _ in self.wires]
        for wire, _ in zip(self.wires, found):
            for _ in wire.receive():	# late ones of before
                pass
            wire.send(zip(numbers, [*probes, *END]))
        sent, ends, last = set(numbers[:-len(END)]), set(numbers[-len(END):]), time.monotonic()
        while True:
            done = all(ends & set(of) for of in found)
            whole = len({frozenset(sent & set(of)) for of in found}) == 1
            patience = (QUIET_S if whole else MISSING_S) if done else STARVED_S if answered else LOST_S
            left = last + patience - time.monotonic()
            ready = select.select([wire.seen for wire in self.wires], [], [], max(left, 0))[0]
            if not ready:
                return [[sorted(of[number]) for number in numbers[:len(probes)]] for of in found]
            for wire, of in zip(self.wires, found):
                for number, seen in wire.receive():
                    of[number].append(seen)
                    last = time.monotonic()

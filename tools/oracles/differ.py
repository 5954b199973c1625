# SPDX-License-Identifier: BSD-3-Clause
"""The same frames into the router, where wye forwards, and into its twin, where the kernel is alone: whatever leaves
either, by any link, must be the same, byte for byte. What need not be is blanked or left out here, each for a reason
that stands beside it.
"""
import collections
import select
import socket
import time

import packet
from frame import IP4, IP6, edited
from shrink import shrink
from wire import END, QUIET_S, STARVED_S, Wire

LATE_S = 1.0		# what has come on one side only may still come on the other
# Before each try of a difference. The kernel tells a source of five packets without a route at once, then of one a second:
# what is left of that hangs on the clock, of which each router has its own; before the last try there are five again.
PAUSES_S = (0, 1.1, 1.1, 6.5)
OWN4 = {socket.inet_aton(f"10.{link}.0.1") for link in (0, 1, 2, 3, 99)}
OWN6 = {socket.inet_pton(socket.AF_INET6, text) for link in (0, 1, 2, 3, 90)
        for text in (f"fe80::ff:fe00:{link:02}01", f"fd00:{link}::1", "fd99::1", "::")}
OWN_WAY6 = (131, 132, 133, 135, 137, 143)


def own_initiative(data):
    """Sent by a router by itself, after a random while, or at a rate that hangs on all it sent before: multicast reports,
    solicitations, reassembly timeouts; redirects."""
    ether_type, ip = int.from_bytes(data[12:14], "big"), data[14:]
    if ether_type == IP4 and len(ip) >= 28 and ip[12:16] in OWN4:
        at = (ip[0] & 15) * 4
        return ip[9] == 2 or ip[9] == packet.ICMP4 and (ip[at:at + 1] == b"\x05" or ip[at:at + 2] == b"\x0b\x01")
    if ether_type == IP6 and len(ip) >= 50 and ip[8:24] in OWN6:
        at, proto = (48, ip[40]) if ip[6] == 0 else (40, ip[6])
        return proto == packet.ICMP6 and (ip[at] in OWN_WAY6 or ip[at:at + 2] == b"\x03\x01")
    return False


def blank_times(ip, at):
    """The header at that offset: what a timestamp option was filled with is the time of each router."""
    end = at + (ip[at] & 15) * 4
    if ip[at] >> 4 != 4 or end > len(ip):
        return False
    option, found = at + 20, False
    while option + 1 < end and ip[option] != 0:
        length = 1 if ip[option] == 1 else ip[option + 1]
        if length < 1:
            break
        if ip[option] == 68:
            ip[option + 4:min(option + length, end)] = bytes(max(min(option + length, end) - option - 4, 0))
            found = True
        option += length
    return found


def key(port, data):
    """What of a frame must be the same on both sides."""
    data = bytearray(data)
    if data[12:14] == b"\x08\x00" and len(data) >= 34:
        ip, head = data[14:], (data[14] & 15) * 4
        if blank_times(ip, 0):
            ip[10:12] = b"\0\0"
        if bytes(ip[12:16]) in OWN4 or ip[12] == 127:	# what a router says itself has numbers of its own
            ip[4:6] = ip[10:12] = b"\0\0"
        if ip[9] == packet.ICMP4 and len(ip) > head + 8:
            if len(ip) >= head + 28 and ip[head] in (3, 4, 5, 11, 12) and blank_times(ip, head + 8):
                ip[head + 2:head + 4] = ip[head + 18:head + 20] = b"\0\0"
            elif ip[head] == 14:	# timestamp reply
                ip[head + 2:head + 4], ip[head + 12:head + 20] = b"\0\0", bytes(8)
        data[14:] = ip
    return port, bytes(data)


class Differ:
    def __init__(self, world):
        self.world = world
        self.wires = [Wire(world.router), Wire(world.twin)]
        self.number = 0
        self.frames = self.answers = 0	# sent into each; came out of the kernel's

    def exchange(self, frames):
        """What comes out of each side: a Counter of keys."""
        self.number = self.number % 0xFFF0 + len(END)
        marks = {self.number + i: one for i, one in enumerate(END)}
        waiting, found = [set(marks) for _ in self.wires], [collections.Counter() for _ in self.wires]
        for wire in self.wires:
            for _ in wire.frames():	# late ones of before
                pass
            for frame in frames:
                wire.out.send(edited(frame))
            wire.send(marks.items())
        last = time.monotonic()
        while True:
            patience = STARVED_S if any(waiting) else QUIET_S if found[0] == found[1] else LATE_S
            left = last + patience - time.monotonic()
            ready = select.select([wire.seen for wire in self.wires], [], [], max(left, 0))[0] if left > 0 else []
            if not ready:
                self.frames += len(frames)
                self.answers += sum(found[1].values())
                return found
            for wire, left_of, of in zip(self.wires, waiting, found):
                for port, data in wire.frames():
                    last = time.monotonic()
                    number, seen = packet.read(port, data)
                    if seen and seen.kind == "error" and number in marks:
                        left_of.discard(number)
                    elif not own_initiative(data):
                        of[key(port, data)] += 1

    def in_turn(self, frames):
        """As exchange(), each frame after all that comes of the one before: none overtakes another, which matters where
        errors to one source share a rate."""
        found = [collections.Counter(), collections.Counter()]
        for frame in frames:
            for of, more in zip(found, self.exchange([frame])):
                of.update(more)
        return found

    def differs(self, frames, tries=len(PAUSES_S), send=None):
        """(ours, the kernel's) if they do in every one of so many tries, else None."""
        for pause_s in PAUSES_S[:tries]:
            time.sleep(pause_s)
            ours, theirs = (send or self.exchange)(frames)
            if ours == theirs:
                return None
        return ours - theirs, theirs - ours

    def check(self, frames, most):
        """[(frames as few as they fail by, ours, the kernel's)], of so many at most"""
        found = []
        if not self.differs(frames, 1):
            return found
        for frame in frames:
            both = self.alone(frame) if len(found) < most else None
            found += [([frame], *both)] if both else []
        if found or not self.differs(frames) or not self.differs(frames, send=self.in_turn):
            return found
        few = shrink(frames, lambda some: self.differs(some, 2, self.in_turn), 60) or frames
        return [(few, *(self.differs(few, 1, self.in_turn) or ({}, {})))]

    def alone(self, frame):
        return self.differs([frame], 1) and self.differs([frame])

    def smaller(self, frame):
        """With as few edits as it differs by."""
        edits = shrink(list(frame.edits), lambda some: self.differs([frame._replace(edits=tuple(some))], 2), 30)
        return frame if edits is None else frame._replace(edits=tuple(edits))


def shown(counter):
    return [f"{n} by {port}: {data.hex()}" for (port, data), n in sorted(counter.items())] or ["nothing"]

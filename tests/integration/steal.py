#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads away the notifications that the netlink sockets of a process hold, as if the kernel had never said it; or what its
dumps still have to tell, with their ends. The process must be stopped.

usage: steal.py PID [dumps]
Prints how many datagrams there were.
"""
import ctypes
import os
import socket
import sys

PIDFD_GETFD = 438	# the same number on every architecture
libc = ctypes.CDLL(None, use_errno=True)


def stolen(sock):
    n = 0
    try:
        while sock.recv(1 << 20, socket.MSG_DONTWAIT):
            n += 1
    except BlockingIOError:
        return n


def main():
    pid, dumps = int(sys.argv[1]), "dumps" in sys.argv[2:]
    pidfd, total = os.pidfd_open(pid), 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
            continue
        fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
        if fd < 0:
            sys.exit(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
        with socket.socket(fileno=fd) as sock:
            if sock.family == socket.AF_NETLINK and (not sock.getsockname()[1]) == dumps:	# dumps' are in no group
                total += stolen(sock)
    print(total)


main()

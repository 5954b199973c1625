#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""bpf_attach.py KIND [DEVICE]: links a BPF program that lets everything pass, until killed.

KIND: netfilter4, netfilter6 (hook forward), tcx_ingress, tcx_egress. Neither ip, tc nor Debian 12's bpftool can. Prints
"attached" once it is; exits 77 with the reason when the kernel cannot.
"""
import ctypes
import os
import platform
import signal
import socket
import struct
import sys

SYSCALL = {"x86_64": 321, "aarch64": 280}
PROG_LOAD, LINK_CREATE = 5, 28
TYPE_SCHED_CLS, TYPE_NETFILTER = 3, 32
TCX_INGRESS, TCX_EGRESS, NETFILTER = 46, 47, 45
NF_INET_FORWARD = 2

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    buffer = ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128)
    fd = libc.syscall(SYSCALL[platform.machine()], command, buffer, 128)
    if fd < 0:
        print(f"bpf command {command}: {os.strerror(ctypes.get_errno())}")
        sys.exit(77)
    return fd


def load(kind, attach, result):
    """r0 = result; exit"""
    code = ctypes.create_string_buffer(struct.pack("<BBhi", 0xb7, 0, 0, result) + struct.pack("<BBhi", 0x95, 0, 0, 0))
    licence = ctypes.create_string_buffer(b"GPL")
    attr = struct.pack("<IIQQIIQII16sII", kind, 2, ctypes.addressof(code), ctypes.addressof(licence), 0, 0, 0, 0, 0,
                       b"wye_test", 0, attach)
    return bpf(PROG_LOAD, attr)


def main():
    kind = sys.argv[1]
    if kind.startswith("netfilter"):
        family = {"4": 2, "6": 10}[kind[-1]]
        program = load(TYPE_NETFILTER, NETFILTER, 1)
        link = bpf(LINK_CREATE, struct.pack("<IIIIIIiI", program, 0, NETFILTER, 0, family, NF_INET_FORWARD, -128, 0))
    else:
        attach = {"tcx_ingress": TCX_INGRESS, "tcx_egress": TCX_EGRESS}[kind]
        program = load(TYPE_SCHED_CLS, attach, 0)
        link = bpf(LINK_CREATE, struct.pack("<IIII", program, socket.if_nametoindex(sys.argv[2]), attach, 0))
    print("attached", link, flush=True)
    signal.pause()


main()

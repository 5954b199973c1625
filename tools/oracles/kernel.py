# SPDX-License-Identifier: BSD-3-Clause
"""What the kernel answers: RTM_GETROUTE for a packet that comes in on a link, and `ip -j` for whole tables."""
import errno
import json
import socket
import struct
import subprocess

RTM_NEWROUTE, RTM_GETROUTE, NLMSG_ERROR = 24, 26, 2
RTM_F_FIB_MATCH = 0x2000
RTA_DST, RTA_SRC, RTA_IIF, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_METRICS = 1, 2, 3, 4, 5, 6, 8
RTA_MULTIPATH, RTA_TABLE, RTA_VIA, RTA_NH_ID = 9, 15, 18, 30
RTAX_LOCK, RTAX_MTU = 1, 2
RTNH_F_DEAD = 1
TYPES = {1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable",
         8: "prohibit", 9: "throw"}
# What it answers instead of a route.
ERRORS = {errno.EINVAL: "blackhole", errno.EHOSTUNREACH: "unreachable", errno.EACCES: "prohibit",
          errno.ENETUNREACH: "none", errno.EAGAIN: "throw", errno.ENODEV: "no ingress", errno.EXDEV: "martian"}


def attributes(data):
    found, at = {}, 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("HH", data, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[at + 4:at + length]
        at += (length + 3) & ~3
    return found


def gateway_of(family, found):
    if RTA_VIA in found:
        via = struct.unpack_from("H", found[RTA_VIA])[0]
        return socket.inet_ntop(via, found[RTA_VIA][2:])
    return socket.inet_ntop(family, found[RTA_GATEWAY]) if RTA_GATEWAY in found else ""


def number(found, kind):
    return struct.unpack("I", found[kind])[0] if kind in found else 0


def legs_of(family, flags, found, dead=0):
    """(output link, gateway, weight) of each leg that lives. dead: RTNH_F_DEAD, for all."""
    if RTA_MULTIPATH not in found:
        if RTA_OIF not in found or flags & RTNH_F_DEAD & ~dead:
            return []
        return [(number(found, RTA_OIF), gateway_of(family, found), 1)]
    legs, data, at = [], found[RTA_MULTIPATH], 0
    while at + 8 <= len(data):
        length, leg_flags, hops, oif = struct.unpack_from("HBBi", data, at)
        if not leg_flags & RTNH_F_DEAD & ~dead:
            legs.append((oif, gateway_of(family, attributes(data[at + 8:at + length])), hops + 1))
        at += (length + 3) & ~3
    return legs


class Kernel:
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self.socket.bind((0, 0))
        self.socket.settimeout(5)
        self.serial = 0

    def ask(self, iif, source, address, match):
        """A dict, or a word of ERRORS. match: the FIB's entry instead of the one path taken."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        bits = 128 if family == socket.AF_INET6 else 32
        body = struct.pack("BBBBBBBBI", family, bits, bits, 0, 0, 0, 0, 0, RTM_F_FIB_MATCH if match else 0)
        for kind, value in ((RTA_DST, socket.inet_pton(family, address)), (RTA_SRC, socket.inet_pton(family, source)),
                            (RTA_IIF, struct.pack("I", iif))):
            body += struct.pack("HH", len(value) + 4, kind) + value
        self.serial += 1
        self.socket.send(struct.pack("IHHII", 16 + len(body), RTM_GETROUTE, 1, self.serial, 0) + body)
        while True:
            reply = self.socket.recv(65536)
            length, kind, _, serial, _ = struct.unpack_from("IHHII", reply)
            if serial == self.serial:
                return self.read(family, kind, reply[16:length])

    @staticmethod
    def read(family, kind, body):
        if kind == NLMSG_ERROR:
            error = -struct.unpack_from("i", body)[0]
            return ERRORS.get(error, errno.errorcode.get(error, str(error)))
        _, dst_len, _, tos, table, protocol, _, route_type, flags = struct.unpack_from("BBBBBBBBI", body)
        found = attributes(body[12:])
        metrics = attributes(found.get(RTA_METRICS, b""))
        dst = socket.inet_ntop(family, found.get(RTA_DST, bytes(16 if family == socket.AF_INET6 else 4)))
        return {"dst": f"{dst}/{dst_len}", "type": TYPES.get(route_type, str(route_type)), "tos": tos,
                "table": number(found, RTA_TABLE) or table, "metric": number(found, RTA_PRIORITY), "protocol": protocol,
                "legs": legs_of(family, flags, found), "all": legs_of(family, flags, found, RTNH_F_DEAD),
                "nhid": number(found, RTA_NH_ID),
                "mtu": number(metrics, RTAX_MTU), "mtu_locked": bool(number(metrics, RTAX_LOCK) & 1 << RTAX_MTU)}


def objects(text):
    """`ip -j -batch` writes one array after the other."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def ask_ip(*options, commands, namespace=None):
    there = ["-n", namespace] if namespace else []
    result = subprocess.run(["ip", *there, *options, "-j", "-force", "-batch", "-"], input="\n".join(commands) + "\n",
                            capture_output=True, text=True, check=False)
    return objects(result.stdout)


def tables(namespace=None):
    """{"link": …, "addr": …, "neigh": …, "nexthop": …, "route4": …, "route6": …} as ip prints them; None: of here."""
    found = ask_ip(commands=("link show", "addr show", "neigh show nud all", "nexthop show"), namespace=namespace)
    return {"link": found[0], "addr": found[1], "neigh": found[2], "nexthop": found[3],
            "route4": sum(ask_ip("-4", commands=("route show table all",), namespace=namespace), []),
            "route6": sum(ask_ip("-6", commands=("route show table all",), namespace=namespace), [])}

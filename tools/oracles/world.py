# SPDX-License-Identifier: BSD-3-Clause
"""A router with links to play with and a wye-ctld that mirrors it; with packets, also a wye-dpd that forwards, and a twin of
both namespaces where the same is done and the kernel is alone.

A world is made by World() in a process of its own, which moves into the router's namespace. Operations are those of
side.py, and the words `settle`, `restart` (of wye-ctld, killed) and `pause` (it gets no CPU until the next settle, and
then all messages at once).
"""
import json
import os
import signal
import socket
import subprocess
import time

from side import Side, enter, libc

CLONE_NEWNS = 0x20000
LINKS = ("a0", "a1", "a2", "a3")
INGRESS, SOURCE4, SOURCE6 = "in0", "10.99.0.9", "fd99::9"

CONFIG = """memory: {{ hugepages: none, size_mib: 128 }}
workers: {{ cpus: [{cpu}] }}
punt: {{ rate_pps: 1000000 }}
ports: [{ports}]
steering: {{ default: {default} }}
tables: {{ routes4: 4096, routes6: 4096, audit_s: 0 }}
"""

BASE = [
    "sysctl -qw net.ipv4.conf.all.rp_filter=0", "sysctl -qw net.ipv4.conf.default.rp_filter=0",
    "sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv6.conf.default.accept_dad=0",
    "sysctl -qw net.ipv6.conf.default.router_solicitations=0", "sysctl -qw net.ipv6.conf.all.forwarding=1",
    # Answers that depend on how many there were before cannot be compared.
    "sysctl -qw net.ipv4.conf.all.send_redirects=0", "sysctl -qw net.ipv4.conf.default.send_redirects=0",
    "sysctl -qw net.ipv4.icmp_ratelimit=0", "sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000",
    "sysctl -qw net.ipv4.icmp_msgs_burst=1000000", "sysctl -qw net.ipv6.icmp.ratelimit=0",
    "ip link set lo up", "ip link add in0 index 90 address 02:00:00:00:90:01 type veth peer name pin0 netns peers",
    "ip addr add 10.99.0.1/24 dev in0", "ip -6 addr add fd99::1/64 dev in0 nodad", "ip link set in0 up",
    "ip link set in0 mtu 3000", "ip -n peers link set pin0 mtu 3000 up",	# wider than the others
    "ip neigh add 10.99.0.9 lladdr 02:00:00:00:90:09 dev in0 nud permanent",
    "ip neigh add fd99::9 lladdr 02:00:00:00:90:09 dev in0 nud permanent",
    "ip route add 10.98.0.0/16 via 10.99.0.9 dev in0",
]
for i, name in enumerate(LINKS):
    BASE += [f"ip link add {name} index {100 + i} address 02:00:00:00:0{i}:01 type veth peer name p{name} netns peers",
             f"ip link set {name} up", f"ip -n peers link set p{name} up", f"ip addr add 10.{i}.0.1/24 dev {name}",
             f"ip addr add fd00:{i}::1/64 dev {name} nodad",
             f"ip neigh add 10.{i}.0.2 lladdr 02:00:00:00:0{i}:02 dev {name} nud permanent",
             f"ip neigh add fd00:{i}::2 lladdr 02:00:00:00:0{i}:02 dev {name} nud permanent"]


class NoPackets(Exception):
    """The dataplane does not come up here."""


class World:
    def __init__(self, build, number, packets, more=()):
        self.build, self.run_dir = build, f"/run/wye{number}"
        self.ctld = self.answers = self.dpd = None
        self.log = open(f"/run/daemons{number}.log", "ab")
        if libc.unshare(CLONE_NEWNS):	# for /sys and bpffs
            raise OSError("unshare(CLONE_NEWNS)")
        self.router = Side(f"router{number}")
        self.twin = Side(f"twin{number}") if packets else None
        enter(os.open(f"/run/netns/{self.router.router}", os.O_RDONLY | os.O_CLOEXEC))
        os.makedirs(self.run_dir)
        self.config = self.run_dir + ".yaml"
        with open(self.config, "w", encoding="ascii") as file:
            ports = ", ".join(f"{{ netdev: {n}, driver: af_xdp }}" for n in (INGRESS, *LINKS)) if packets else ""
            file.write(CONFIG.format(cpu=os.cpu_count() - 1, ports=ports, default="dataplane" if packets else "kernel"))
        self.apply([*BASE, *more])
        self.start()
        self.answers = subprocess.Popen([f"{build}/tools/oracles/answers", self.run_dir], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def start(self):
        self.ctld = subprocess.Popen([f"{self.build}/ctlplane/wye-ctld", "-c", self.config, "-r", self.run_dir],
                                     stdout=self.log, stderr=self.log)

    def restart(self):
        self.ctld.send_signal(signal.SIGKILL)
        self.ctld.wait()
        self.start()

    def start_dpd(self):
        """Above others' priority, as tools/netlab.sh does it: a worker without CPU loses its flows to the kernel. Raises
        NoPackets."""
        if os.system("mount -t sysfs sysfs /sys && mount -t bpf bpf /sys/fs/bpf"):
            raise NoPackets("no sysfs or bpffs")
        self.dpd = subprocess.Popen(["nice", "-n", "-10", f"{self.build}/dataplane/wye-dpd", "-c", self.config, "-r",
                                     self.run_dir], stdout=self.log, stderr=self.log,
                                    env={**os.environ, "WYE_BPF_DIR": f"{self.build}/bpf"})
        deadline, ports = time.monotonic() + 20, []
        while time.monotonic() < deadline and self.dpd.poll() is None:
            ports = self.wye("show", "port")
            if ports and all(port["state"] == "active" for port in ports):
                return
            time.sleep(0.02)
        raise NoPackets("; ".join(f"{p['netdev']}: {p['state']}: {p['detail']}" for p in ports) or "wye-dpd does not start")

    def apply(self, operations):
        done = []
        for operation in operations:
            if operation in ("restart", "pause"):
                self.router.apply(done)
                done = []
                if operation == "restart":
                    self.restart()
                else:
                    self.ctld.send_signal(signal.SIGSTOP)
            else:
                done.append(operation)
        self.router.apply(done)
        if self.ctld:
            self.ctld.send_signal(signal.SIGCONT)
        if self.twin:
            self.twin.apply([o for o in operations if o not in ("restart", "pause")])

    def ask(self, questions):
        """Answers of tools/oracles/answers, one for each line."""
        self.answers.stdin.write("".join(q + "\n" for q in questions) + "\n")
        self.answers.stdin.flush()
        return [json.loads(self.answers.stdout.readline()) for _ in questions]

    def wye(self, *arguments):
        result = subprocess.run([f"{self.build}/tools/wye", "-r", self.run_dir, "-j", *arguments],
                                capture_output=True, text=True, check=False)
        return json.loads(result.stdout) if result.stdout.strip() else []

    def mirror_stats(self):
        status = self.wye("status")
        return status["mirror"] if status else {}

    def drifted(self):
        """What wye-ctld's audits found, without wye-dpd's own TAPs."""
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            found = [line.strip() for line in file if "audit: " in line]
        taps = [index.to_bytes(4, "little").hex() for index, name in socket.if_nameindex() if name.startswith("wye")]
        return [line for line in found if not any("audit: link differs" in line and tap in line for tap in taps)]

    def dead(self):
        return [name for name, process in (("wye-ctld", self.ctld), ("wye-dpd", self.dpd))
                if process and process.poll() is not None]

    def close(self):
        for process in (self.dpd, self.ctld, self.answers):
            if process:
                process.kill()
                process.wait()
        for side in (self.router, self.twin):
            if side:
                side.close()

# SPDX-License-Identifier: BSD-3-Clause
"""A router's network namespace with links to play with, a namespace of their peers, and a wye-ctld that mirrors it.

A world is made by World() in a process of its own, which moves into the new namespace. Operations are lines of shell:
`ip …`, `ip -n peers …`, `sysctl -qw KEY=VALUE`, and the words `settle`,
`restart` (of wye-ctld, killed) and `pause` (it gets no CPU until the next settle, and then all messages at once).
"""
import ctypes
import json
import os
import signal
import subprocess

CLONE_NEWNET = 0x40000000
LINKS = ("a0", "a1", "a2", "a3")
INGRESS, SOURCE4, SOURCE6 = "in0", "10.99.0.9", "fd99::9"

BASE = [
    "sysctl -qw net.ipv4.conf.all.rp_filter=0", "sysctl -qw net.ipv4.conf.default.rp_filter=0",
    "sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv6.conf.default.accept_dad=0",
    "sysctl -qw net.ipv6.conf.default.router_solicitations=0", "sysctl -qw net.ipv6.conf.all.forwarding=1",
    "ip link set lo up", "ip link add in0 index 90 type veth peer name pin0 netns peers",
    "ip addr add 10.99.0.1/24 dev in0", "ip -6 addr add fd99::1/64 dev in0 nodad", "ip link set in0 up",
    "ip -n peers link set pin0 up",
]
for i, name in enumerate(LINKS):
    BASE += [f"ip link add {name} index {100 + i} type veth peer name p{name} netns peers",
             f"ip link set {name} address 02:00:00:00:0{i}:01", f"ip link set {name} up",
             f"ip -n peers link set p{name} up", f"ip addr add 10.{i}.0.1/24 dev {name}",
             f"ip addr add fd00:{i}::1/64 dev {name} nodad",
             f"ip neigh add 10.{i}.0.2 lladdr 02:00:00:00:0{i}:02 dev {name} nud permanent",
             f"ip neigh add fd00:{i}::2 lladdr 02:00:00:00:0{i}:02 dev {name} nud permanent"]


def write_sysctl(setting):
    key, value = setting.split("=", 1)
    try:
        with open("/proc/sys/" + key.replace(".", "/"), "w", encoding="ascii") as file:
            file.write(value)
    except OSError:
        pass  # the interface is not there, as with ip


class World:
    def __init__(self, build, number):
        self.build, self.run_dir = build, f"/run/wye{number}"
        self.peers = f"peers{number}"
        self.ctld = self.answers = None
        self.log = open(f"/run/ctld{number}.log", "ab")
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
        subprocess.run(["ip", "netns", "add", self.peers], check=True)
        os.makedirs(self.run_dir)
        self.config = self.run_dir + ".yaml"
        with open(self.config, "w", encoding="ascii") as file:
            file.write("ports: []\nsteering: { default: kernel }\ntables: { routes4: 4096, routes6: 4096 }\n")
        self.apply(BASE)
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

    def apply(self, operations):
        """Runs of commands for the same namespace go to one ip process; what fails, fails."""
        run, where = [], None
        for operation in [*operations, ""]:
            words = operation.split(" ", 3)
            here = "peers" if operation.startswith("ip -n peers ") else words[0]
            if run and here != where:
                self.batch(where, run)
                run = []
            where = here
            if where in ("ip", "peers"):
                run.append(words[3] if where == "peers" else operation[3:])
            elif where == "sysctl":
                write_sysctl(operation.split(" ", 2)[2])
            elif where == "restart":
                self.restart()
            elif where == "pause":
                self.ctld.send_signal(signal.SIGSTOP)
        if self.ctld:
            self.ctld.send_signal(signal.SIGCONT)

    def batch(self, where, commands):
        commands = [c.replace("netns peers", f"netns {self.peers}") for c in commands]
        commands = [c[3:] if c.startswith("-6 ") else c for c in commands]
        subprocess.run(["ip", *(["-n", self.peers] if where == "peers" else []), "-force", "-batch", "-"],
                       input="\n".join(commands) + "\n", text=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)

    def ask(self, questions):
        """Answers of tools/oracles/answers, one for each line."""
        self.answers.stdin.write("".join(q + "\n" for q in questions) + "\n")
        self.answers.stdin.flush()
        return [json.loads(self.answers.stdout.readline()) for _ in questions]

    def wye(self, *arguments):
        result = subprocess.run([f"{self.build}/tools/wye", "-r", self.run_dir, "-j", *arguments],
                                capture_output=True, text=True, check=False)
        return json.loads(result.stdout) if result.stdout.strip() else []

    def alive(self):
        return self.ctld.poll() is None

    def close(self):
        for process in (self.ctld, self.answers):
            if process:
                process.kill()
                process.wait()
        subprocess.run(["ip", "netns", "del", self.peers], check=False)

# SPDX-License-Identifier: BSD-3-Clause
"""A router's network namespace and one of its links' peers. Operations are lines of shell: `ip …`, `ip -n peers …` and
`sysctl -qw KEY=VALUE`."""
import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def enter(descriptor):
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(namespace):
    """This thread is in a named network namespace for a while."""
    here, there = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    enter(there)
    try:
        yield
    finally:
        enter(here)
        os.close(here)
        os.close(there)


def write_sysctl(setting):
    key, value = setting.split("=", 1)
    try:
        with open("/proc/sys/" + key.replace(".", "/"), "w", encoding="ascii") as file:
            file.write(value)
    except OSError:
        pass  # the interface is not there, as with ip


# A neighbour in use stays as it was set, and what is not known is not asked for: nothing hangs on the clock.
STEADY = {"delay_first_probe_time": 3600, "base_reachable_time_ms": 3600000, "mcast_solicit": 0}


def steady_neighbours():
    for family in "ipv4", "ipv6":
        path = f"/proc/sys/net/{family}/neigh"
        for device in os.listdir(path):
            for key, value in STEADY.items():
                write_sysctl(f"net/{family}/neigh/{device}/{key}={value}")


class Side:
    def __init__(self, name):
        self.router, self.peers = name, "peers-" + name
        for namespace in self.router, self.peers:
            subprocess.run(["ip", "netns", "add", namespace], check=True)
        with inside(self.peers):	# nobody there speaks on his own
            write_sysctl("net.ipv6.conf.default.disable_ipv6=1")

    def apply(self, operations):
        """Runs of commands for the same namespace go to one ip process; what fails, fails. A neighbour command that fails
        ends ip all the same, so it is the last."""
        run, where = [], None
        for operation in [*operations, ""]:
            words = operation.split(" ", 3)
            here = self.peers if operation.startswith("ip -n peers ") else self.router if words[0] == "ip" else None
            if run and (here != where or run[-1].startswith("neigh ")):
                self.batch(where, run)
                run = []
            where = here
            if where:
                run.append(words[3] if where == self.peers else operation[3:])
            elif words[0] == "sysctl":
                with inside(self.router):
                    write_sysctl(operation.split(" ", 2)[2])
        with inside(self.router):
            steady_neighbours()

    def batch(self, namespace, commands):
        commands = [c.replace("netns peers", f"netns {self.peers}") for c in commands]
        commands = [c[3:] if c.startswith("-6 ") else c for c in commands]
        subprocess.run(["ip", "-n", namespace, "-force", "-batch", "-"], input="\n".join(commands) + "\n", text=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def close(self):
        for namespace in self.router, self.peers:
            subprocess.run(["ip", "netns", "del", namespace], check=False)

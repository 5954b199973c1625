# SPDX-License-Identifier: BSD-3-Clause
"""The router under test: its namespaces, and wye's two daemons in it.

    source (CPU 0)            router (CPU 1)             sink (CPU 0)
    10.1.0.2 src0 ─────────── in0       out0 ─────────── dst0 10.2.0.2
"""
import json
import os
import signal
import time

from machine import ROUTER_CPU, Daemon, Unavailable, libc, run, run_json

MAC_IN, MAC_OUT, MAC_SPARE = "02:00:00:00:02:01", "02:00:00:00:02:02", "02:00:00:00:02:03"
RUN_DIR, CONFIG = "/run/wye", "/run/wye.yaml"
NEXTHOPS = 16
SCHED_FIFO_PRIORITY = 5
CLONE_NEWNET = 0x40000000


def enter(netns):
    fd = os.open(f"/run/netns/{netns}", os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError("setns")
    os.close(fd)


def sysctl(netns, **settings):
    for key, value in settings.items():
        run(["sysctl", "-qw", f"{key.replace('__', '.')}={value}"], netns=netns)


class Router:
    def __init__(self, build):
        self.build = build
        self.ctld = self.dpd = None
        os.environ["WYE_BPF_DIR"] = f"{build}/bpf"
        for netns in ("source", "router", "sink"):
            run(f"ip netns add {netns}")
            run(f"ip -n {netns} link set lo up")
        self.link("in0", MAC_IN, "source", "src0", "02:00:00:00:00:01")
        self.link("out0", MAC_OUT, "sink", "dst0", "02:00:00:00:01:02")
        self.addresses()
        # /sys/class/net as the router's processes must see it, and an own bpffs
        run("mount -t sysfs sysfs /sys", netns="router")
        run("mount -t bpf bpf /sys/fs/bpf")

    @staticmethod
    def link(netdev, mac, peer_netns, peer, peer_mac):
        """Generic receive offload gives veth a NAPI whether or not there is an XDP program, and must be switched on when
        the link is up: only then does the other end take XDP frames."""
        run(f"ip -n router link add name {netdev} address {mac} numtxqueues 1 numrxqueues 1 type veth "
            f"peer name {peer} address {peer_mac} netns {peer_netns} numtxqueues 1 numrxqueues 1")
        for netns, name in (("router", netdev), (peer_netns, peer)):
            run(f"ip -n {netns} link set {name} up")
            run(f"ethtool -K {name} gro off tx off", netns=netns)
            run(f"ethtool -K {name} gro on", netns=netns)

    @staticmethod
    def addresses():
        for netns in ("source", "router", "sink"):
            sysctl(netns, net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__default__rp_filter=0)
        for netns, name in (("source", "src0"), ("router", "in0"), ("router", "out0"), ("sink", "dst0")):
            sysctl(netns, **{f"net__ipv4__conf__{name}__rp_filter": 0, f"net__ipv6__conf__{name}__accept_dad": 0})
        sysctl("router", net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        for command in ("-n source addr add 10.1.0.2/24 dev src0", "-n source route add default via 10.1.0.1",
                        "-n sink addr add 10.2.0.2/24 dev dst0", "-n sink route add default via 10.2.0.1",
                        "-n router addr add 10.1.0.1/24 dev in0", "-n router addr add 10.2.0.1/24 dev out0",
                        "-n router addr add 2001:db8:1::1/64 dev in0 nodad",
                        "-n router addr add 2001:db8:2::1/64 dev out0 nodad",
                        "-n router neigh add 10.1.0.2 lladdr 02:00:00:00:00:01 dev in0 nud permanent"):
            run(f"ip {command}")
        Router.neighbours(2, "out0")

    @staticmethod
    def neighbours(net, netdev):
        """The gateways of our tables, resolved for good."""
        for i in range(NEXTHOPS):
            for address in (f"10.{net}.0.{2 + i}", f"2001:db8:{net}::{2 + i:x}"):
                run(f"ip -n router neigh add {address} lladdr 02:00:00:00:01:{2 + i:02x} dev {netdev} nud permanent")

    @staticmethod
    def exists(netdev):
        return bool(run(f"ip -n router -o link show {netdev}", check=False))

    def spare(self):
        """A third port, out1, to the sink."""
        self.link("out1", MAC_SPARE, "sink", "dst1", "02:00:00:00:01:02")
        sysctl("router", net__ipv6__conf__out1__keep_addr_on_down=1)
        for command in ("-n sink addr add 10.3.0.2/24 dev dst1", "-n sink addr add 198.18.0.1/32 dev lo", "-n router addr add 10.3.0.1/24 dev out1",
                        "-n router addr add 2001:db8:3::1/64 dev out1 nodad"):
            run(f"ip {command}")
        self.neighbours(3, "out1")

    def load(self, action, *tables, cpu=None):
        """By tools/benches/route_load."""
        return run_json([f"{self.build}/tools/benches/route_load", action, *tables], netns="router", timeout=120, cpu=cpu)

    def routes(self, table, action="add", gateway="10.2.0.2"):
        return self.load(action, table, gateway, NEXTHOPS)

    # ---- receive context ----------------------------------------------------------------------------------------------

    @staticmethod
    def sink_polled():
        """gen owns the sink's NAPI: nobody else schedules it while it polls."""
        run(["ip", "netns", "exec", "sink", "sh", "-c", "echo 2 >/sys/class/net/dst0/napi_defer_hard_irqs; "
             "echo 200000000 >/sys/class/net/dst0/gro_flush_timeout"])

    @staticmethod
    def pin_receive():
        """in0's NAPI gets a thread on the router's CPU; otherwise veth would receive on the sender's CPU, at its expense.
        It is real-time, as a softirq would take precedence over a polling process."""
        path = "/sys/class/net/in0/threaded"
        run(["sh", "-c", f"[ $(cat {path}) = 1 ] || echo 1 >{path}"], netns="router")
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
                    if not comm.read().startswith("napi/in0-"):
                        continue
                os.sched_setaffinity(int(pid), {ROUTER_CPU})
                os.sched_setscheduler(int(pid), os.SCHED_FIFO, os.sched_param(SCHED_FIFO_PRIORITY))
            except OSError:
                continue

    # ---- wye ----------------------------------------------------------------------------------------------------------

    @staticmethod
    def configure(ports, memory="{ hugepages: auto, size_mib: 512 }", idle="adaptive", cpus=(ROUTER_CPU,), priority=0,
                  **more):
        """ports: lines of the config's list; more: further top-level keys."""
        with open(CONFIG, "w", encoding="utf-8") as file:
            file.write(f"memory: {memory}\nworkers: {{ cpus: {list(cpus)}, idle: {idle}, priority: {priority} }}\n")
            for key, value in more.items():
                file.write(f"{key}: {value}\n")
            file.write("ports:\n" + "".join(f"  - {{ {port} }}\n" for port in ports))
            file.write("steering: { default: dataplane }\n")

    def wye(self, *arguments):
        """What the operator's command says as JSON; its exit status tells more than we ask. None: nothing."""
        out = run([f"{self.build}/tools/wye", "-r", RUN_DIR, "-j", *arguments], netns="router", check=False)
        try:
            return json.loads(out)
        except ValueError:
            return None

    def exec_ctld(self, cpu=None, environment=()):
        """environment: VARIABLE=VALUE, as env(1) takes them."""
        os.makedirs(RUN_DIR, exist_ok=True)
        self.ctld = Daemon("wye-ctld", ["env", *environment, f"{self.build}/ctlplane/wye-ctld", "-c", CONFIG, "-r", RUN_DIR],
                           netns="router", cpu=cpu)

    def start_ctld(self, seconds=60, cpu=None):
        self.exec_ctld(cpu)
        self.ctld.await_that(lambda: ((self.wye("status") or {}).get("ctld") or {}).get("state") == "in_sync", seconds,
                             "tables in sync")

    def exec_dpd(self, program="dataplane/wye-dpd"):
        self.dpd = Daemon("wye-dpd", [f"{self.build}/{program}", "-c", CONFIG, "-r", RUN_DIR], netns="router", urgent=True)

    def start_dpd(self, program="dataplane/wye-dpd"):
        self.exec_dpd(program)
        try:
            self.dpd.await_that(self.ports_active, 30, "ports active")
        except Unavailable:
            self.stop_dpd()
            raise

    def ports_active(self):
        ports = self.wye("show", "port")
        return bool(ports) and all(port["state"] == "active" for port in ports)

    def stop_dpd(self):
        if self.dpd:
            self.dpd.stop()
        self.dpd = None

    def reload_ctld(self):
        """After configure(): it guards no port that it does not know of."""
        self.ctld.process.send_signal(signal.SIGHUP)

    def stop_ctld(self):
        if self.ctld:
            self.ctld.stop()
        self.ctld = None

    def routes_mirrored(self, count, seconds=120, family=4):
        """Until ctld holds at least so many routes."""
        deadline = time.monotonic() + seconds
        while True:
            memory = run_json([f"{self.build}/tools/benches/probe", "memory", RUN_DIR])
            if memory[f"routes{family}"] >= count:
                return memory
            if time.monotonic() > deadline:
                raise Unavailable(f"wye-ctld mirrors {memory[f'routes{family}']} of {count} routes after {seconds} s")
            time.sleep(0.05)

    def close(self):
        self.stop_dpd()
        self.stop_ctld()
        run("umount /sys/fs/bpf", check=False)
        run("umount /sys", check=False)
        for netns in ("source", "router", "sink"):
            run(f"ip netns del {netns}", check=False)

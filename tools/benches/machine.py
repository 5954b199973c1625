# SPDX-License-Identifier: BSD-3-Clause
"""The machine the bench runs on: CPUs, huge pages, other load, processes and namespaces of our own.

The whole bench lives in mount and network namespaces of its own (isolate), so namespaces, netdevs, programs and pins end
with its last process, however it ends. Children die with us. Only two things outside are touched and
put back: the number of reserved huge pages and nothing else.
"""
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
SOURCE_CPU, ROUTER_CPU = 0, (os.cpu_count() or 1) - 1
BUSY_PERCENT = 20
URGENT = -10	# dataplane/wye-dpd.service.in: Nice, CPUWeight
HUGEPAGES = "/proc/sys/vm/nr_hugepages"
libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """A case that cannot be measured here, and why."""


def alone(path, note):
    """One bench at a time on a machine: they would measure each other. The lock ends with the process."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note("another tools/bench is running here: waiting for it")
        fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


def isolate():
    """Starts over in private namespaces with an own /run and /dev/shm: what a program that is killed leaves there goes
    with us."""
    if os.environ.get("WYE_BENCH_ISOLATED") != str(os.getpid()):
        os.environ["WYE_BENCH_ISOLATED"] = str(os.getpid())
        os.execvp("unshare", ["unshare", "--mount", "--net", "--propagation", "private", sys.executable] + sys.argv)
    run("mount -t tmpfs tmpfs /run")
    run("mount -t tmpfs tmpfs /dev/shm")
    os.makedirs("/run/netns")
    os.makedirs("/run/log")


def die_with_parent(cpu=None):
    def prepare():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
    return prepare


def as_service(cpu, nice):
    """As the service manager starts a unit: apart from other sessions, each of which the kernel may treat as one task
    whatever the niceness of what is in it."""
    prepare_child = die_with_parent(cpu)

    def prepare():
        prepare_child()
        os.setsid()
        os.nice(nice)
        if os.path.exists("/proc/self/autogroup"):
            with open("/proc/self/autogroup", "w", encoding="ascii") as autogroup:
                autogroup.write(str(nice))
    return prepare


def in_netns(netns, command):
    command = command.split() if isinstance(command, str) else list(map(str, command))
    return ["nsenter", f"--net=/run/netns/{netns}", "--"] + command if netns else command


def run(command, netns=None, cpu=None, timeout=60, check=True):
    """Standard output of a command that ends by itself."""
    done = subprocess.run(in_netns(netns, command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, preexec_fn=die_with_parent(cpu), check=False)
    if check and done.returncode:
        name = os.path.basename(command.split()[0] if isinstance(command, str) else str(command[0]))
        why = last_line(done.stderr) or last_line(done.stdout) or f"exit status {done.returncode}"
        raise Unavailable(why if why.startswith(f"{name}:") else f"{name}: {why}")
    return done.stdout


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ""


def run_json(command, **options):
    return json.loads(last_line(run(command, **options)))


class Daemon:
    """A process that runs until stopped; what it says is in /run/log. urgent: a router, as wye-dpd's unit runs it."""

    def __init__(self, name, command, netns=None, cpu=None, urgent=False):
        self.name, self.log = name, f"/run/log/{name}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(in_netns(netns, command), stdin=subprocess.PIPE, stdout=log, stderr=log,
                                            preexec_fn=as_service(cpu, URGENT if urgent else 0))
        self.pid = self.process.pid

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def await_that(self, condition, seconds, what):
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                raise Unavailable(f"{self.name} ended with {self.process.returncode}: {last_line(self.said())}")
            if time.monotonic() > deadline:
                raise Unavailable(f"{self.name}: {what} not within {seconds} s; it said: {last_line(self.said())}")
            time.sleep(0.02)

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()


def cpu_ns(pid):
    """User and system time of all threads a process has now; the scheduler's own count, not the clock tick's samples."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="utf-8") as file:
            total += int(file.read().split()[0])
    return total


def anonymous_bytes(pid):
    """Memory of the process's own: no shared files."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


def huge_bytes(pid):
    """Of the process's own memory, what is on huge pages; those of hugetlbfs are not in anonymous_bytes()."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(("AnonHugePages:", "Private_Hugetlb:")))


def children_of(root, parent):
    tree = {root}
    while True:
        more = {pid for pid, up in parent.items() if up in tree} - tree
        if not more:
            return tree
        tree |= more


def processes():
    """pid → (parent, name, CPU seconds)"""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                head, tail = file.read().rsplit(")", 1)
        except OSError:
            continue
        fields = tail.split()
        found[int(pid)] = (int(fields[1]), head.split("(", 1)[1], (int(fields[11]) + int(fields[12])) / 100)
    return found


def busy(seconds=0.5):
    """What else uses the CPUs: a sentence, or nothing."""
    before = processes()
    time.sleep(seconds)
    after = processes()
    own = children_of(os.getpid(), {pid: entry[0] for pid, entry in after.items()})
    others = []
    for pid, (_, name, used) in after.items():
        share = 100 * (used - before[pid][2]) / seconds if pid in before else 0
        if pid not in own and share > BUSY_PERCENT:
            others.append(f"{name} ({pid}) {share:.0f}%")
    load = os.getloadavg()[0]
    if others or load > 1.0:
        return f"the machine is busy: load {load:.2f}" + (", " + ", ".join(others) if others else "")
    return None


def describe():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        info = dict(map(str.strip, line.split(":", 1)) for line in file if ":" in line)
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{os.cpu_count()} × {info.get('model name', 'CPU')}, family {info.get('cpu family', '?')} model "
            f"{info.get('model', '?')}, {memory_gib:.0f} GiB, Linux {os.uname().release}")


class Hugepages:
    """Adds 2 MiB pages to those reserved and takes them away again. A hugetlbfs is mounted for wye's tables to lie on."""

    def __init__(self, mib):
        before = self.read()
        self.target = before + mib // 2
        self.write(self.target)
        self.added = self.read() - before
        self.enough = self.added >= mib // 2
        os.makedirs("/run/huge", exist_ok=True)
        run("mount -t hugetlbfs hugetlbfs /run/huge")

    @staticmethod
    def read():
        with open(HUGEPAGES, encoding="utf-8") as file:
            return int(file.read())

    @staticmethod
    def write(pages):
        with open(HUGEPAGES, "w", encoding="utf-8") as file:
            file.write(str(pages))

    def ensure(self):
        """Again, should somebody else have set the number in the meantime."""
        if self.enough and self.read() < self.target:
            self.write(self.target)

    def release(self):
        run("umount /run/huge", check=False)
        if self.added > 0:
            self.write(max(0, self.read() - self.added))
            self.added = 0

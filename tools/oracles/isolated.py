# SPDX-License-Identifier: BSD-3-Clause
"""Where worlds live: namespaces that end with the tool, and a process for each world."""
import json
import os
import sys
import traceback

from world import NoPackets, World


def isolate(tool, build):
    """Private mount, pid and network namespaces and a /run of our own, as tools/netlab.sh makes them."""
    if os.geteuid():
        sys.exit(f"{tool}: needs root: network namespaces")
    if not os.access(f"{build}/tools/oracles/answers", os.X_OK):
        sys.exit(f"{tool}: not built in {build}: meson setup {build} && ninja -C {build}")
    if os.environ.get("WYE_ORACLE_ISOLATED") != "1" or os.getpid() != 1:
        os.environ["WYE_ORACLE_ISOLATED"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                              "--propagation", "private", sys.executable, *sys.argv])
    if os.system("mount -t tmpfs tmpfs /run && mkdir -p /run/netns"):
        sys.exit(f"{tool}: cannot mount a private /run")


def in_world(build, number, packets, work, more=()):
    """What work(world) returns, from a process of its own. more: operations that make the world, besides."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(read)
            world = World(build, number, packets, more)
            try:
                if packets:
                    world.start_dpd()
                result = work(world)
            except NoPackets as reason:
                result = {"no_packets": str(reason)}
            finally:
                world.close()
            with os.fdopen(write, "w") as file:
                json.dump(result, file)
            status = 0
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read) as file:
        text = file.read()
    os.waitpid(child, 0)
    if not text:
        sys.exit("a world ended without a result (see above)")
    return json.loads(text)

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# foreign_xdp: somebody else's XDP program is named and left in place; once it is gone, the port is taken.
. "$(dirname "$0")/lib.sh"
lab
steer_all
echo '__attribute__((section("xdp"), used)) int foreign_pass(void *ctx) { return 2; }' >/run/foreign.c
clang -target bpf -O2 -g -c /run/foreign.c -o /run/foreign.o || skip 'clang cannot make BPF objects'
program() { ip -n router -j link show "$1" | jq -r '.[0].xdp.prog.id'; }
port_is() { [ "$(port_state "$1")" = "$2" ]; }
attach() { on router ip link set dev r1 xdp object /run/foreign.o section xdp; }

check 'a foreign program on r1' attach
foreign=$(program r1)
lab_ports=(r2)
check 'daemons start, with r2' start_daemons
lab_ports=(r1 r2)
equal 'r1' "$(port_state r1)" failed
says 'its detail names the program' "(foreign_pass.*$foreign|$foreign.*foreign_pass)" wye show port r1
says 'so does the log' "r1: .*foreign_pass" cat /run/log/dpd
equal 'the program is still there' "$(program r1)" "$foreign"
refused 'nothing of ours is half-applied on r1' grep -q clsact <<<"$(on router tc qdisc show dev r1)"
warm
check 'traffic flows' ping_from host1 10.0.2.2
check 'in both directions' ping_from host2 10.0.1.2
says 'wye status says so' 'r1 failed' wye status

check 'once it is gone' ip -n router link set dev r1 xdp off
soon 'r1 is taken' port_is r1 active
by_dataplane 10 'and forwards' ping_from host1 10.0.2.2
check 'our program is taken off' ip -n router link set dev r1 xdp off
soon 'r1 is the kernel'"'"'s' port_is r1 kernel
says 'and says why' 'r1 .*taken off' wye show port
by_kernel 10 'which forwards what comes in by it' udp 10 host1 host2 10.0.2.2
check 'SIGTERM' stop "$dpd"
equal 'leaves r1 without a program' "$(program r1)" null

check 'wye-dpd again' start_dpd
crash "$dpd"
check 'somebody takes r1 while it is dead' on router ip -force link set dev r1 xdp object /run/foreign.o section xdp
foreign=$(program r1)
lab_ports=(r2)
check 'wye-dpd once more' start_dpd
equal 'the program is still there' "$(program r1)" "$foreign"
check 'SIGTERM once more' stop "$dpd"
equal 'and afterwards' "$(program r1)" "$foreign"

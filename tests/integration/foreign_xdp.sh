#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# foreign_xdp: somebody else's XDP program is named and left in place.
. "$(dirname "$0")/lib.sh"
lab
steer_all
cat >/run/foreign.c <<-EOF
__attribute__((section("xdp"), used)) int foreign_pass(void *ctx) { return 2; }
EOF
clang -target bpf -O2 -g -c /run/foreign.c -o /run/foreign.o || skip 'clang cannot make BPF objects'
id() { ip -n router -j link show r1 | jq -r '.[0].xdp.prog.id'; }
check 'a foreign program on r1' ip -n router link set dev r1 xdp object /run/foreign.o section xdp
foreign=$(id)
check 'wye-ctld starts' start_ctld

refused 'wye-dpd does not start' timeout 20 nsenter --net=/run/netns/router "$WYE_BUILD/dataplane/wye-dpd" -c "$conf" -r "$run_dir"
says 'the message names interface and program' 'r1.*(foreign_pass|id '"$foreign"')' \
	timeout 20 nsenter --net=/run/netns/router "$WYE_BUILD/dataplane/wye-dpd" -c "$conf" -r "$run_dir"
equal 'the program is still there' "$(id)" "$foreign"
refused 'and none of ours on r2' grep -q xdp <<<"$(ip -n router link show r2)"
check 'traffic flows' ping_from host1 10.0.2.2

check 'once it is gone' ip -n router link set dev r1 xdp off
check 'wye-dpd starts' start_dpd
warm
by_dataplane 10 'and forwards' ping_from host1 10.0.2.2

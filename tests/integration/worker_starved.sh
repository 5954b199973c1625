#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# worker_starved: the worker's CPU is taken by a real-time process, under load, or while the worker sleeps and the load
# comes then, or while main has a new plan for it: the kernel forwards before the queue overflows, nothing is lost, and the
# flows return.
. "$(dirname "$0")/lib.sh"
[ "$(nproc)" -gt 1 ] || skip 'one CPU: what takes it from the worker takes it from the traffic as well'
lab
steer_all
check 'daemons start' start_daemons
warm
dataplane_forwards() { await 1 dataplane_sent_since "$(sent_by_dataplane)" 100; }
flow_starts() { flow_start "$1" --from host1 --to host2 --dst 10.0.2.2 --rate 5000 --flows 4; }
take_cpu() { timeout "$1" chrt -f 50 taskset -c "$WYE_CPU" sh -c 'while :; do :; done' || [ $? = 124 ]; }
loops() { wye -j show stats | jq '[.workers[].loops] | add'; }
rests() { local before; before=$(loops); sleep 0.3; [ "$before" = "$(loops)" ]; }

flow_starts loaded
soon 'the dataplane forwards' dataplane_forwards
before=$(kernel_forwarded 4)
take_cpu 0.8 || skip 'no real-time scheduling here'
at_least 'forwarded by the kernel meanwhile' $(($(kernel_forwarded 4) - before)) 1000
soon 'the dataplane forwards again' dataplane_forwards
flow_stop loaded
equal 'lost' "$(flow loaded lost)" 0
says 'the daemon says so' 'a worker stands still' cat /run/log/dpd

soon 'the worker sleeps' rests
before=$(kernel_forwarded 4)
kernel_forwards() { [ $(($(kernel_forwarded 4) - before)) -ge 1000 ]; }
timeout 20 chrt -f 50 taskset -c "$WYE_CPU" sh -c 'while :; do :; done' &
hog=$!
flow_starts asleep
soon 'the kernel forwards while the worker cannot wake up' kernel_forwards
kill "$hog"
soon 'the dataplane forwards after that' dataplane_forwards
flow_stop asleep
equal 'lost' "$(flow asleep lost)" 0

# Main must not wait for a worker to take a new plan and forget the rest meanwhile.
flow_starts reload
soon 'the dataplane forwards' dataplane_forwards
before=$(kernel_forwarded 4)
timeout 20 chrt -f 50 taskset -c "$WYE_CPU" sh -c 'while :; do :; done' &
hog=$!
kill -HUP "$dpd"
soon 'the kernel forwards while a reload waits for the worker' kernel_forwards
kill "$hog"
soon 'the dataplane forwards after that' dataplane_forwards
flow_stop reload
equal 'lost' "$(flow reload lost)" 0

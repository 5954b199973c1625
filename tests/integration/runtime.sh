#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# runtime: what wye-dpd started and in which order, what its main thread and its workers do, as wye tells it.
. "$(dirname "$0")/lib.sh"
lab
steer_all
check 'daemons start' start_daemons
warm
# place NAME: in the order of starting; runtime NODE KEY: of the first thread that has it
place() { wye -j show init | jq -r ".inits[] | select(.name == \"$1\") | .order"; }
runtime() { wye -j show runtime --all | jq -r "[.[] | select(.node == \"$1\") | .$2][0]"; }
called_since() { [ "$(runtime "$1" calls)" -gt "$2" ]; }

at_least 'no thread is made before signals are blocked' "$(place eal)" $(($(place block_signals) + 1))
at_least 'workers after the graph' "$(place workers)" $(($(place graph) + 1))
at_least 'follow after the workers' "$(place follow)" $(($(place workers) + 1))
says 'times are told' '^ *[0-9]+  eal +[0-9]+\.[0-9]+' wye show init

for process in follow counters; do
	equal "$process" "$(runtime $process kind), $(runtime $process state)" 'process, waits for clock or event'
	soon "$process goes on" called_since $process "$(runtime $process calls)"
done
for process in punt_write capture signals; do
	equal "$process" "$(runtime $process kind), $(runtime $process state)" 'process, waits for event'
done
punts=$(runtime punt_write calls)
on host1 ping -n -c 1 -W 0.2 10.0.2.77 >/dev/null	# nobody is there: the kernel asks for it
soon 'a punted packet wakes punt_write' called_since punt_write "$punts"
signals=$(runtime signals calls)
kill -HUP "$dpd"
soon 'a signal wakes signals' called_since signals "$signals"

by_dataplane 1000 'numbered packets' udp 1000 host1 host2 10.0.2.2
worker_rests() { [ "$(readers)" = '1 rests' ]; }
soon 'a worker that sleeps holds up no writer of tables' worker_rests
equal 'port_rx' "$(runtime port_rx-0-0 kind), $(runtime port_rx-0-0 state)" 'input, polls'
equal 'plan' "$(runtime plan kind), $(runtime plan state)" 'pre-input, polls'
at_most 'no loop in which port_rx is called and plan is not' "$(runtime port_rx-0-0 calls)" "$(runtime plan calls)"
equal 'ip4_forward' "$(runtime ip4_forward kind)" internal
at_least 'packets through ip4_forward' "$(runtime ip4_forward packets)" 1000

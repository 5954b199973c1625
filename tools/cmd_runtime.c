/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show runtime: what each node of each thread did, and what a packet cost there. */
#include <string.h>

#include "counters.h"
#include "wye.h"

static const struct out_column columns[] = {
	{ "thread", "THREAD", true }, { "cpu", "CPU", true }, { "node", "NODE", false }, { "kind", "KIND", false },
	{ "state", "STATE", false }, { "calls", "CALLS", true }, { "vectors", "VECTORS", true },
	{ "packets", "PACKETS", true }, { "packets_per_vector", "PKT/VECTOR", true }, { "suspends", "SUSPENDS", true },
	{ "cycles", NULL, true }, { "cycles_per_packet", "CYCLES/PKT", true },
};

static const char *const kind_name[] = {
	[WYE_NODE_INTERNAL] = "internal", [WYE_NODE_INPUT] = "input",
};
static const char *const process_state[] = {
	[WYE_PROCESS_WAITS_EVENT] = "waits for event", [WYE_PROCESS_WAITS_CLOCK] = "waits for clock or event",
	[WYE_PROCESS_RUNS] = "runs",
};

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

static void head(struct out *out, uint32_t thread, uint32_t cpu, const char *name, const char *kind, const char *state)
{
	out_row(out);
	out_cell_uint(out, thread);
	if (cpu == UINT32_MAX)
		out_cell_none(out); /* main is on any */
	else
		out_cell_uint(out, cpu);
	out_cell_state(out, OUT_NAME, name);
	out_cell_str(out, kind);
	out_cell_str(out, state);
}

/* What a worker calls without being asked waits as often as the worker rests. */
static void print_node(struct tool *tool, uint32_t thread, uint32_t node, bool all)
{
	const struct wye_worker_stats *worker = &tool->view.stats->worker[thread];
	const struct wye_node_counters *c = &worker->node[node];
	uint64_t packets = counter_get(&c->packets), vectors = counter_get(&c->vectors);
	uint64_t calls = counter_get(&c->calls), cycles = counter_get(&c->cycles);
	uint32_t kind = tool->view.info->node_kind[node];
	struct out *out = &tool->out;

	if (!calls && !all)
		return;
	head(out, thread, worker->cpu, tool->view.info->node[node], kind <= WYE_NODE_INPUT ? kind_name[kind] : NULL,
	     kind == WYE_NODE_INTERNAL ? "waits for packets" : "polls");
	out_cell_uint(out, calls);
	out_cell_uint(out, vectors);
	out_cell_uint(out, packets);
	out_cell_real(out, ratio(packets, vectors), 1);
	out_cell_uint(out, kind == WYE_NODE_INTERNAL ? 0 : counter_get(&worker->sleeps));
	out_cell_uint(out, cycles);
	out_cell_real(out, ratio(cycles, packets), 1);
	out_row_end(out);
}

/* Called in every loop; its cycles are not counted, since reading the clock would cost more. */
static void print_pre_input(struct tool *tool, uint32_t thread, uint32_t i)
{
	const struct wye_worker_stats *worker = &tool->view.stats->worker[thread];
	struct out *out = &tool->out;

	head(out, thread, worker->cpu, tool->view.info->pre_input[i], "pre-input", "polls");
	out_cell_uint(out, counter_get(&worker->loops));
	out_cell_none(out);
	out_cell_none(out);
	out_cell_none(out);
	out_cell_uint(out, counter_get(&worker->sleeps));
	out_cell_none(out);
	out_cell_none(out);
	out_row_end(out);
}

static void print_process(struct tool *tool, uint32_t i, bool all)
{
	const struct wye_process_counters *c = &tool->view.stats->process[i];
	uint32_t state = atomic_load_explicit((_Atomic uint32_t *)&c->state, memory_order_relaxed);
	uint64_t calls = counter_get(&c->calls);
	struct out *out = &tool->out;

	if (!calls && !all)
		return;
	head(out, 0, UINT32_MAX, tool->view.info->process_name[i], "process",
	     state <= WYE_PROCESS_RUNS ? process_state[state] : NULL);
	out_cell_uint(out, calls);
	out_cell_none(out);
	out_cell_none(out);
	out_cell_none(out);
	out_cell_uint(out, counter_get(&c->suspends));
	out_cell_uint(out, counter_get(&c->cycles));
	out_cell_none(out);
	out_row_end(out);
}

static int run(struct tool *tool, int argc, char **argv)
{
	bool all = argc && !strcmp(argv[0], "--all");
	const struct wye_stats *info;
	int err;

	if (argc > all)
		return usage_error(tool, "argument \"%s\"", argv[all]);
	err = view_stats(&tool->view);
	if (err)
		return err;
	info = tool->view.info;
	out_table(&tool->out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (uint32_t i = 0; i < info->n_processes; i++)
		print_process(tool, i, all);
	for (uint32_t t = 0; t < THREADS; t++) {
		if (!counters_thread_runs(tool->view.stats, t))
			continue;
		for (uint32_t i = 0; t > 0 && i < info->n_pre_inputs; i++)
			print_pre_input(tool, t, i);
		for (uint32_t n = 0; n < info->n_nodes; n++)
			print_node(tool, t, n, all);
	}
	out_table_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_runtime = {
	.name = "runtime",
	.summary = "nodes and processes: calls, vectors, packets and cycles, by thread",
	.arguments = "[--all]",
	.help = "Since wye-dpd started. Thread 0 is the main thread: its processes are called when the clock or an event wakes\n"
		"them; one that runs while wye-dpd hangs is where it hangs. The other threads are workers: in every loop they\n"
		"call their pre-input nodes, then the inputs, then the nodes that have packets. VECTORS are calls that had\n"
		"packets. SUSPENDS: a process had nothing left to do; a worker rested. --all shows what was never called too.\n",
	.run = run,
};

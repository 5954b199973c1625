/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show runtime: what each node of each thread did, and what a packet cost there. */
#include <string.h>

#include "counters.h"
#include "wye.h"

static const struct out_column columns[] = {
	{ "thread", "THREAD", true }, { "cpu", "CPU", true }, { "node", "NODE", false }, { "calls", "CALLS", true },
	{ "vectors", "VECTORS", true }, { "packets", "PACKETS", true }, { "packets_per_vector", "PKT/VECTOR", true },
	{ "cycles", NULL, true }, { "cycles_per_packet", "CYCLES/PKT", true },
};

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

static void print(struct tool *tool, uint32_t thread, uint32_t node, bool all)
{
	const struct wye_worker_stats *worker = &tool->view.stats->worker[thread];
	const struct wye_node_counters *c = &worker->node[node];
	uint64_t packets = counter_get(&c->packets), vectors = counter_get(&c->vectors);
	uint64_t calls = counter_get(&c->calls), cycles = counter_get(&c->cycles);
	struct out *out = &tool->out;

	if (!calls && !all)
		return;
	out_row(out);
	out_cell_uint(out, thread);
	out_cell_uint(out, worker->cpu);
	out_cell_state(out, OUT_NAME, tool->view.info->node[node]);
	out_cell_uint(out, calls);
	out_cell_uint(out, vectors);
	out_cell_uint(out, packets);
	out_cell_real(out, ratio(packets, vectors), 1);
	out_cell_uint(out, cycles);
	out_cell_real(out, ratio(cycles, packets), 1);
	out_row_end(out);
}

static int run(struct tool *tool, int argc, char **argv)
{
	bool all = argc && !strcmp(argv[0], "--all");
	int err;

	if (argc > all)
		return usage_error(tool, "argument \"%s\"", argv[all]);
	err = view_stats(&tool->view);
	if (err)
		return err;
	out_table(&tool->out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (uint32_t t = 0; t < THREADS; t++)
		for (uint32_t n = 0; counters_thread_runs(tool->view.stats, t) && n < tool->view.info->n_nodes; n++)
			print(tool, t, n, all);
	out_table_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_runtime = {
	.name = "runtime",
	.summary = "calls, vectors, packets and cycles of each node, by thread",
	.arguments = "[--all]",
	.help = "Since wye-dpd started. VECTORS are calls that had packets; thread 0 is the main thread. --all shows\n"
		"nodes never called too.\n",
	.run = run,
};

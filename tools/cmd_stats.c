/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show stats: ports, reasons why packets left the forwarding path, workers. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "wye.h"

/* Packets per second stand beside the counters when watching. */
static const struct out_column port_columns[] = {
	{ "netdev", "PORT", false }, { "rx_packets", "RX PACKETS", true }, { "rx_bytes", "RX BYTES", true },
	{ "tx_packets", "TX PACKETS", true }, { "tx_bytes", "TX BYTES", true }, { "punted", "PUNTED", true },
	{ "rx_errors", "RX ERR", true }, { "tx_dropped", "TX DROP", true }, { "rx_pps", "RX PPS", true },
	{ "tx_pps", "TX PPS", true },
};
#define PORT_COLUMNS (sizeof(port_columns) / sizeof(port_columns[0]))
static const struct out_column reason_columns[] = {
	{ NULL, "REASON", false }, { NULL, "VERDICT", false }, { NULL, "PACKETS", true }, { NULL, "WHY", false },
};
static const struct out_column worker_columns[] = {
	{ "thread", "THREAD", true }, { "cpu", "CPU", true }, { "generation", "TABLES", true },
	{ NULL, "RX", true }, { NULL, "TX", true }, { "loops", "LOOPS", true }, { "empty_loops", "EMPTY", true },
	{ "sleeps", "SLEEPS", true },
	{ "cycles_busy", NULL, true }, { "cycles_total", NULL, true }, { "busy_percent", "BUSY %", true },
};

struct request {
	bool all;
	unsigned watch_s;	/* 0 = once */
};

struct sample {
	struct port_sum port[WYE_PORTS_MAX];
	uint64_t worker_busy[THREADS], worker_total[THREADS];
	double at_s;		/* 0 = none yet */
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double rate(uint64_t now, uint64_t then, double elapsed_s)
{
	return now > then && elapsed_s > 0 ? (double)(now - then) / elapsed_s : 0;
}

static void print_port(struct out *out, const char *netdev, const struct port_sum *sum, const struct port_sum *old,
		       double elapsed_s)
{
	out_row(out);
	out_cell_state(out, OUT_NAME, netdev);
	out_cell_uint(out, sum->rx_packets);
	out_cell_uint(out, sum->rx_bytes);
	out_cell_uint(out, sum->tx_packets);
	out_cell_uint(out, sum->tx_bytes);
	out_cell_uint(out, sum->punted);
	out_cell_uint(out, sum->rx_errors);
	out_cell_uint(out, sum->tx_dropped);
	if (elapsed_s > 0) {
		out_cell_real(out, rate(sum->rx_packets, old->rx_packets, elapsed_s), 0);
		out_cell_real(out, rate(sum->tx_packets, old->tx_packets, elapsed_s), 0);
	}
	out_row_end(out);
}

static void print_ports(struct tool *tool, struct sample *sample, double elapsed_s)
{
	const struct wye_stats *info = tool->view.info;

	out_table(&tool->out, "ports", port_columns, elapsed_s > 0 ? PORT_COLUMNS : PORT_COLUMNS - 2);
	for (uint32_t i = 0; i < info->n_ports; i++) {
		struct port_sum sum = counters_port(tool->view.stats, i, -1);

		if (info->port[i].state == WYE_PORT_ABSENT)
			continue;
		print_port(&tool->out, info->port[i].netdev, &sum, &sample->port[i], elapsed_s);
		sample->port[i] = sum;
	}
	out_table_end(&tool->out);
}

static void print_reasons(struct tool *tool, bool all)
{
	const struct wye_stats *stats = tool->view.stats;
	struct out *out = &tool->out;
	bool any = false;

	if (out->json) {
		out_object(out, "reasons");
		for (uint32_t i = 0; i < WYE_REASON_COUNT; i++)
			if (all || counters_reason(stats, i, -1))
				out_uint(out, wye_reason_name[i], counters_reason(stats, i, -1));
		out_object_end(out);
		return;
	}
	for (uint32_t i = 0; i < WYE_REASON_COUNT; i++)
		any |= all || counters_reason(stats, i, -1);
	out_puts(out, any ? "\n" : "\nno packet left the forwarding path\n");
	if (!any)
		return;
	out_table(out, NULL, reason_columns, sizeof(reason_columns) / sizeof(reason_columns[0]));
	for (uint32_t i = 0; i < WYE_REASON_COUNT; i++) {
		uint64_t packets = counters_reason(stats, i, -1);

		if (!packets && !all)
			continue;
		out_row(out);
		out_cell_str(out, wye_reason_name[i]);
		out_cell_str(out, wye_reason_verdict[i] == WYE_VERDICT_DROP ? "drop" : "punt");
		out_cell_uint(out, packets);
		out_cell_str(out, wye_reason_text[i]);
		out_row_end(out);
	}
	out_table_end(out);
}

/* Nested in a worker of the JSON: what it did by port and by reason. */
static void worker_members(struct tool *tool, uint32_t thread)
{
	const struct wye_stats *stats = tool->view.stats, *info = tool->view.info;
	struct out *out = &tool->out;

	out_object(out, "ports");
	for (uint32_t i = 0; i < info->n_ports; i++) {
		struct port_sum sum = counters_port(stats, i, (int)thread);

		if (info->port[i].state == WYE_PORT_ABSENT)
			continue;
		out_object(out, info->port[i].netdev);
		out_uint(out, "rx_packets", sum.rx_packets);
		out_uint(out, "tx_packets", sum.tx_packets);
		out_uint(out, "punted", sum.punted);
		out_object_end(out);
	}
	out_object_end(out);
	out_object(out, "reasons");
	for (uint32_t i = 0; i < WYE_REASON_COUNT; i++)
		if (counters_reason(stats, i, (int)thread))
			out_uint(out, wye_reason_name[i], counters_reason(stats, i, (int)thread));
	out_object_end(out);
}

static struct port_sum all_ports(const struct view *view, uint32_t thread)
{
	struct port_sum all = { 0 };

	for (uint32_t i = 0; i < view->info->n_ports; i++) {
		struct port_sum sum = counters_port(view->stats, i, (int)thread);

		all.rx_packets += sum.rx_packets;
		all.tx_packets += sum.tx_packets;
	}
	return all;
}

static void print_worker(struct tool *tool, uint32_t thread, struct sample *sample)
{
	struct port_sum moved = all_ports(&tool->view, thread);
	const struct wye_worker_stats *worker = &tool->view.stats->worker[thread];
	uint64_t busy = counter_get(&worker->cycles_busy), total = counter_get(&worker->cycles_total);
	uint64_t busy_then = sample->worker_busy[thread], total_then = sample->worker_total[thread];
	struct out *out = &tool->out;
	double percent = 0;

	out_row(out);
	out_cell_uint(out, thread);
	out_cell_uint(out, worker->cpu);
	out_cell_uint(out, counter_get(&worker->generation));
	out_cell_uint(out, moved.rx_packets);
	out_cell_uint(out, moved.tx_packets);
	out_cell_uint(out, counter_get(&worker->loops));
	out_cell_uint(out, counter_get(&worker->empty_loops));
	out_cell_uint(out, counter_get(&worker->sleeps));
	out_cell_uint(out, busy);
	out_cell_uint(out, total);
	if (total > total_then && busy >= busy_then)
		percent = 100.0 * (double)(busy - busy_then) / (double)(total - total_then);
	out_cell_real(out, percent, 1);
	if (out->json)
		worker_members(tool, thread);
	out_row_end(out);
	sample->worker_busy[thread] = busy;
	sample->worker_total[thread] = total;
}

static void print_workers(struct tool *tool, struct sample *sample)
{
	out_puts(&tool->out, "\n");
	out_table(&tool->out, "workers", worker_columns, sizeof(worker_columns) / sizeof(worker_columns[0]));
	for (uint32_t t = 0; t < THREADS; t++)
		if (counters_thread_runs(tool->view.stats, t))
			print_worker(tool, t, sample);
	out_table_end(&tool->out);
}

static int parse(struct tool *tool, int argc, char **argv, struct request *request)
{
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *value;
		char *end;

		if (!strcmp(word, "--all")) {
			request->all = true;
			continue;
		}
		if (strcmp(word, "--watch"))
			return usage_error(tool, "argument \"%s\"", word);
		value = argument(tool, argc, argv, &i);
		if (!value)
			return WYE_EXIT_USAGE;
		request->watch_s = (unsigned)strtoul(value, &end, 10);
		if (*end || !request->watch_s || request->watch_s > 86400)
			return usage_error(tool, "--watch \"%s\": seconds, 1-86400", value);
	}
	return WYE_EXIT_OK;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct request request = { 0 };
	struct sample sample = { 0 };
	int err = parse(tool, argc, argv, &request);

	do {
		double now = now_s();

		err = err ? err : view_stats(&tool->view);
		if (err)
			return err;
		if (request.watch_s && tool->out.colour)
			out_coloured(&tool->out, OUT_CLEAR, "");
		out_object(&tool->out, NULL);
		print_ports(tool, &sample, sample.at_s > 0 ? now - sample.at_s : 0);
		print_reasons(tool, request.all);
		print_workers(tool, &sample);
		out_object_end(&tool->out);
		sample.at_s = now;
		if (!request.watch_s)
			break;
		err = out_document_end(&tool->out) ? WYE_EXIT_ERROR : WYE_EXIT_OK;
		view_close(&tool->view); /* a restarted wye-dpd has another file */
		sleep(request.watch_s);
	} while (!err);
	return err;
}

const struct command cmd_stats = {
	.name = "stats",
	.summary = "packets by port, by reason they left the forwarding path, and by worker",
	.arguments = "[--all] [--watch SECONDS]",
	.help = "Reasons without packets are left out unless --all. Verdict punt: the kernel got the packet; drop:\n"
		"nobody did, as the kernel would have. --watch repeats, with rates; as JSON one object a time.\n",
	.run = run,
};

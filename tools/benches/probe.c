/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looks into a running wye through its shared memory, for figures that need one clock and no process in between.
 *
 *   probe rate RUN-DIR NETDEV SECONDS	    packets that wye sent out of NETDEV for each second of CPU time its workers
 *					    had (on a quiet machine the same as a second), cycles per packet and node
 *   probe forwards RUN-DIR NETDEV PID SECONDS
 *					    until the dataplane PID has sent something out of NETDEV; prints the time
 *   probe change|nexthop|down|await …	    when a change of the kernel's is in the tables: probe_change.c
 *   probe memory RUN-DIR		      what the mirror counts, bytes of each section in use
 */
#include <stdbool.h>
#include <string.h>

#include "probe.h"
#include "wye_map.h"

/* ---- rate ------------------------------------------------------------------------------------------------------------ */

struct rate_sample {
	uint64_t ns, cpu_ns, tx, rx, busy, total;
	struct {
		uint64_t calls, packets, cycles;
	} node[WYE_NODES_MAX];
};

/* Time a thread has had a CPU; 0 when it is gone. */
static uint64_t thread_cpu_ns(uint32_t pid, uint32_t tid)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/schedstat", pid, tid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	if (file)
		fclose(file);
	return ns;
}

static uint64_t counter(const _Atomic uint64_t *value)
{
	return atomic_load_explicit((_Atomic uint64_t *)value, memory_order_relaxed);
}

static void rate_take(const struct wye_stats *stats, uint32_t port, struct rate_sample *s)
{
	memset(s, 0, sizeof(*s));
	s->ns = now_ns();
	for (uint32_t w = 1; w <= stats->n_workers && w <= WYE_WORKERS_MAX; w++) {
		const struct wye_worker_stats *worker = &stats->worker[w];

		s->cpu_ns += thread_cpu_ns(stats->file.writer_pid, worker->tid);
		s->tx += counter(&worker->port[port].tx_packets);
		for (uint32_t p = 0; p < stats->n_ports && p < WYE_PORTS_MAX; p++)
			s->rx += counter(&worker->port[p].rx_packets);
		s->busy += counter(&worker->cycles_busy);
		s->total += counter(&worker->cycles_total);
		for (uint32_t n = 0; n < stats->n_nodes && n < WYE_NODES_MAX; n++) {
			s->node[n].calls += counter(&worker->node[n].calls);
			s->node[n].packets += counter(&worker->node[n].packets);
			s->node[n].cycles += counter(&worker->node[n].cycles);
		}
	}
}

static void rate_print(const struct wye_stats *stats, const struct rate_sample *from, const struct rate_sample *to)
{
	double wall = (double)(to->ns - from->ns) / 1e9, tx = (double)(to->tx - from->tx);
	double seconds = to->cpu_ns > from->cpu_ns ? (double)(to->cpu_ns - from->cpu_ns) / 1e9 : wall;
	const char *comma = "";

	printf("{\"wall\":%.4f,\"cpu\":%.4f,\"mpps\":%.4f,\"rx_mpps\":%.4f,\"cycles\":%.1f,\"busy\":%.3f,\"nodes\":{", wall, seconds,
	       tx / seconds / 1e6, (double)(to->rx - from->rx) / seconds / 1e6,
	       tx > 0 ? (double)stats->tsc_hz * seconds / tx : 0.0,
	       to->total > from->total ? (double)(to->busy - from->busy) / (double)(to->total - from->total) : 0.0);
	for (uint32_t n = 0; n < stats->n_nodes && n < WYE_NODES_MAX; n++) {
		double packets = (double)(to->node[n].packets - from->node[n].packets);
		double calls = (double)(to->node[n].calls - from->node[n].calls);

		if (packets <= 0)
			continue;
		printf("%s\"%.31s\":{\"cycles\":%.1f,\"vector\":%.1f,\"packets\":%.0f}", comma, stats->node[n],
		       (double)(to->node[n].cycles - from->node[n].cycles) / packets, calls > 0 ? packets / calls : 0.0,
		       packets);
		comma = ",";
	}
	printf("}}\n");
}

uint32_t port_named(const struct wye_stats *stats, const char *netdev)
{
	uint32_t port = 0;

	while (port < stats->n_ports && port < WYE_PORTS_MAX && strcmp(stats->port[port].netdev, netdev))
		port++;
	return port < WYE_PORTS_MAX ? port : UINT32_MAX;
}

static int rate(char **argv)
{
	static struct rate_sample from, to;
	const struct wye_stats *stats;
	char why[WYE_WHY_BYTES];
	uint32_t port;

	if (wye_map_stats(argv[0], &stats, why))
		die("stats", why);
	port = port_named(stats, argv[1]);
	if (port >= stats->n_ports)
		die(argv[1], "not a port of wye-dpd");
	rate_take(stats, port, &from);
	sleep_ns((uint64_t)(atof(argv[2]) * 1e9));
	rate_take(stats, port, &to);
	rate_print(stats, &from, &to);
	wye_unmap(stats);
	return 0;
}

/* ---- forwards -------------------------------------------------------------------------------------------------------- */

uint64_t sent_by(const struct wye_stats *stats, uint32_t port)
{
	uint64_t sum = 0;

	for (uint32_t w = 1; w <= stats->n_workers && w <= WYE_WORKERS_MAX; w++)
		sum += counter(&stats->worker[w].port[port].tx_packets);
	return sum;
}

/* Has the process sent out of the port? Its file may be yet to come, or still its predecessor's. */
static bool forwards(const char *run_dir, const char *netdev, uint32_t pid)
{
	const struct wye_stats *stats;
	char why[WYE_WHY_BYTES];
	bool sent;

	if (wye_map_stats(run_dir, &stats, why))
		return false;
	sent = stats->file.writer_pid == pid && port_named(stats, netdev) < stats->n_ports &&
	       sent_by(stats, port_named(stats, netdev));
	wye_unmap(stats);
	return sent;
}

static int forwards_await(char **argv)
{
	uint64_t deadline = now_ns() + (uint64_t)(atof(argv[3]) * 1e9);

	while (!forwards(argv[0], argv[1], (uint32_t)atol(argv[2]))) {
		if (now_ns() > deadline)
			die(argv[1], "nothing was sent by it in time");
		sleep_ns(500000);
	}
	printf("{\"ns\":%llu}\n", (unsigned long long)now_ns());
	return 0;
}

/* ---- memory ---------------------------------------------------------------------------------------------------------- */

static const char *const section_name[WYE_SECTIONS] = {
	[WYE_SECTION_LINK] = "link", [WYE_SECTION_ADDR] = "addr", [WYE_SECTION_LOCAL] = "local",
	[WYE_SECTION_NEIGH] = "neigh", [WYE_SECTION_NEIGH_HASH] = "neigh_hash",
	[WYE_SECTION_NEXTHOP_SLOT] = "nexthop_slot", [WYE_SECTION_NEXTHOP] = "nexthop", [WYE_SECTION_GROUP] = "group",
	[WYE_SECTION_ROUTE4] = "route4", [WYE_SECTION_ROUTE6] = "route6", [WYE_SECTION_VRF] = "vrf",
	[WYE_SECTION_FIB4_ROOT] = "fib4_root", [WYE_SECTION_FIB6_ROOT] = "fib6_root",
	[WYE_SECTION_FIB_NODE] = "fib_node", [WYE_SECTION_PARITY] = "parity",
};

static int memory(char **argv)
{
	const struct wye_control *control;
	const struct wye_region *region;
	char why[WYE_WHY_BYTES];
	uint64_t total = 0, bytes;

	if (wye_map_control(argv[0], &control, why) || wye_map_tables(control, &region, why))
		die("tables", why);
	printf("{\"routes4\":%llu,\"routes6\":%llu,\"messages\":%llu,\"overruns\":%llu,\"sections\":{",
	       (unsigned long long)counter(&control->stats.routes[0]), (unsigned long long)counter(&control->stats.routes[1]),
	       (unsigned long long)counter(&control->stats.messages), (unsigned long long)counter(&control->stats.overruns));
	for (int i = 0; i < WYE_SECTIONS; i++) {
		const struct wye_section *s = &region->section[i];

		bytes = (uint64_t)atomic_load_explicit((_Atomic uint32_t *)&s->used, memory_order_relaxed) * s->record_bytes;
		total += bytes;
		printf("%s\"%s\":%llu", i ? "," : "", section_name[i] ? section_name[i] : "other", (unsigned long long)bytes);
	}
	printf("},\"bytes\":%llu}\n", (unsigned long long)total);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int argc;
		int (*run)(char **argv);
		const char *arguments;
	} mode[] = {
		{ "rate", 5, rate, "RUN-DIR NETDEV SECONDS" },
		{ "forwards", 6, forwards_await, "RUN-DIR NETDEV PID SECONDS" },
		{ "memory", 3, memory, "RUN-DIR" },
		{ "change", 8, probe_change, "RUN-DIR NETDEV PREFIX/LEN GATEWAY-A GATEWAY-B COUNT" },
		{ "nexthop", 9, probe_nexthop, "RUN-DIR NETDEV ADDRESS ID GATEWAY-A GATEWAY-B COUNT" },
		{ "down", 6, probe_down, "RUN-DIR NETDEV ADDRESS CPU" },
		{ "await", 6, probe_await, "RUN-DIR ADDRESS GENERATION SECONDS" },
	};

	for (size_t i = 0; i < sizeof(mode) / sizeof(mode[0]); i++)
		if (argc == mode[i].argc && !strcmp(argv[1], mode[i].name))
			return mode[i].run(argv + 2);
	for (size_t i = 0; i < sizeof(mode) / sizeof(mode[0]); i++)
		fprintf(stderr, "%s probe %s %s\n", i ? "      " : "usage:", mode[i].name, mode[i].arguments);
	return 2;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looks into a running wye through its shared memory, for figures that need one clock and no process in between.
 *
 *   probe rate RUN-DIR NETDEV SECONDS	    packets that wye sent out of NETDEV for each second of CPU time its workers
 *					    had (on a quiet machine the same as a second), cycles per packet and node
 *   probe change RUN-DIR NETDEV PREFIX GATEWAY-A GATEWAY-B COUNT
 *		moves the IPv4 route PREFIX from one gateway to the other and back by rtnetlink and notes for each
 *		change when the kernel had acknowledged it and when a lookup in the shared tables gave the new gateway.
 *		That lookup is the worker's: the same code on the same memory, done for each packet, nothing cached.
 *   probe memory RUN-DIR		      bytes of each section in use
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wye_fib.h"
#include "wye_map.h"
#include "wye_stats.h"

#define CHANGE_TIMEOUT_NS 2000000000ull
#define SPIN_NS		  200000ull

static void die(const char *what, const char *why)
{
	fprintf(stderr, "probe: %s: %s\n", what, why);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000ull), .tv_nsec = (long)(ns % 1000000000ull) };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* ---- rate ------------------------------------------------------------------------------------------------------------ */

struct rate_sample {
	uint64_t ns, cpu_ns, tx, rx, busy, total;
	struct {
		uint64_t calls, packets, cycles;
	} node[WYE_NODES_MAX];
};

static uint64_t counter(const _Atomic uint64_t *value)
{
	return atomic_load_explicit((_Atomic uint64_t *)value, memory_order_relaxed);
}

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

static int rate(char **argv)
{
	static struct rate_sample from, to;
	const struct wye_stats *stats;
	char why[WYE_WHY_BYTES];
	uint32_t port = 0;

	if (wye_map_stats(argv[0], &stats, why))
		die("stats", why);
	while (port < stats->n_ports && port < WYE_PORTS_MAX && strcmp(stats->port[port].netdev, argv[1]))
		port++;
	if (port >= stats->n_ports)
		die(argv[1], "not a port of wye-dpd");
	rate_take(stats, port, &from);
	sleep_ns((uint64_t)(atof(argv[2]) * 1e9));
	rate_take(stats, port, &to);
	rate_print(stats, &from, &to);
	wye_unmap(stats);
	return 0;
}

/* ---- change ---------------------------------------------------------------------------------------------------------- */

struct change {
	const struct wye_control *control;
	const struct wye_region *region;
	struct wye_readers *readers;
	struct wye_reader_slot *slot;
	uint64_t generation;
	int fd;
	uint32_t ifindex, dst, gateway[2];
	uint8_t prefix_len;
};

static void change_open(struct change *c, char **argv)
{
	char why[WYE_WHY_BYTES];

	if (wye_map_control(argv[0], &c->control, why) || wye_map_tables(c->control, &c->region, why) ||
	    wye_map_readers(argv[0], &c->readers, why))
		die("tables", why);
	c->slot = wye_reader_claim(c->readers, 0);
	if (!c->slot)
		die("reader slot", strerror(errno));
	c->generation = c->region->file.generation;
	atomic_store_explicit(&c->slot->generation, c->generation, memory_order_release);
	c->ifindex = if_nametoindex(argv[1]);
	c->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (!c->ifindex || c->fd < 0)
		die(argv[1], strerror(errno));
}

static void change_route(struct change *c, uint32_t gateway)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg route;
		struct rtattr dst_attr;
		uint32_t dst;
		struct rtattr gateway_attr;
		uint32_t gateway;
		struct rtattr oif_attr;
		uint32_t oif;
	} m = {
		.header = { .nlmsg_len = sizeof(m), .nlmsg_type = RTM_NEWROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.route = { .rtm_family = AF_INET, .rtm_dst_len = c->prefix_len, .rtm_table = RT_TABLE_MAIN,
			   .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST },
		.dst_attr = { RTA_LENGTH(4), RTA_DST }, .dst = c->dst,
		.gateway_attr = { RTA_LENGTH(4), RTA_GATEWAY }, .gateway = gateway,
		.oif_attr = { RTA_LENGTH(4), RTA_OIF }, .oif = c->ifindex,
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t rest[256];
	} answer;

	if (send(c->fd, &m, sizeof(m), 0) < 0 || recv(c->fd, &answer, sizeof(answer), 0) < 0)
		die("rtnetlink", strerror(errno));
	if (answer.header.nlmsg_type != NLMSG_ERROR || answer.error.error)
		die("route", strerror(-answer.error.error));
}

static bool change_seen(struct change *c, uint32_t gateway)
{
	struct wye_fib fib = wye_fib_of(c->region, WYE_VRF_MAIN);
	const struct wye_nexthop *nexthop;
	uint32_t id, now;

	wye_reader_online(c->slot, &c->region->epoch);
	id = wye_fib4_lookup(&fib, (const uint8_t *)&c->dst);
	nexthop = wye_nexthop_of(c->region, id);
	memcpy(&now, nexthop->gateway, 4);
	now = id && nexthop->kind == WYE_NH_FORWARD ? now : 0;
	wye_reader_offline(c->slot);
	return now == gateway;
}

/* Spins at first, then leaves the CPU to wye-ctld between two looks, 10 us apart. */
static uint64_t change_await(struct change *c, uint32_t gateway, uint64_t since)
{
	uint64_t now;

	while (!change_seen(c, gateway)) {
		now = now_ns();
		if (atomic_load_explicit((_Atomic uint64_t *)&c->control->active, memory_order_acquire) != c->generation)
			die("tables", "another generation became active in mid-measurement");
		if (now - since > CHANGE_TIMEOUT_NS)
			die("change", "not in the tables after 2 s: gateways must have resolved neighbours");
		if (now - since > SPIN_NS)
			sleep_ns(10000);
	}
	return now_ns();
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double ms_at(const uint64_t *sorted, size_t n, double quantile)
{
	size_t at = (size_t)(quantile * (double)n);

	return (double)sorted[at < n ? at : n - 1] / 1e6;
}

static int change(char **argv)
{
	size_t count = (size_t)atol(argv[5]);
	uint64_t *seen = calloc(count, sizeof(*seen)), *acknowledged = calloc(count, sizeof(*acknowledged)), start;
	struct change c = { 0 };
	char *slash = strchr(argv[2], '/');

	if (!seen || !acknowledged || !count || !slash)
		die("change", "PREFIX/LEN and a COUNT above 0, please");
	*slash = '\0';
	c.prefix_len = (uint8_t)atoi(slash + 1);
	if (inet_pton(AF_INET, argv[2], &c.dst) != 1 || inet_pton(AF_INET, argv[3], &c.gateway[0]) != 1 ||
	    inet_pton(AF_INET, argv[4], &c.gateway[1]) != 1)
		die(argv[2], "not an IPv4 address");
	change_open(&c, argv);
	prctl(PR_SET_TIMERSLACK, 1);
	change_route(&c, c.gateway[1]);
	change_await(&c, c.gateway[1], now_ns());
	for (size_t i = 0; i < count; i++) {
		sleep_ns(1000000 + (i % 7) * 300000);	/* not in step with anybody's timer */
		start = now_ns();
		change_route(&c, c.gateway[i & 1]);
		acknowledged[i] = now_ns() - start;
		seen[i] = change_await(&c, c.gateway[i & 1], start) - start;
	}
	wye_reader_release(c.slot);
	qsort(seen, count, sizeof(*seen), compare);
	qsort(acknowledged, count, sizeof(*acknowledged), compare);
	printf("{\"count\":%zu,\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f,\"ack_p50_ms\":%.4f,\"ack_p99_ms\":%.4f}\n",
	       count, ms_at(seen, count, 0.5), ms_at(seen, count, 0.99), ms_at(seen, count, 1), ms_at(acknowledged, count, 0.5),
	       ms_at(acknowledged, count, 0.99));
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
	printf("{\"routes4\":%llu,\"sections\":{", (unsigned long long)counter(&control->stats.routes[0]));
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
	if (argc == 5 && !strcmp(argv[1], "rate"))
		return rate(argv + 2);
	if (argc == 8 && !strcmp(argv[1], "change"))
		return change(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "memory"))
		return memory(argv + 2);
	fprintf(stderr, "usage: probe rate RUN-DIR NETDEV SECONDS | memory RUN-DIR |\n"
			"       change RUN-DIR NETDEV PREFIX/LEN GATEWAY-A GATEWAY-B COUNT\n");
	return 2;
}

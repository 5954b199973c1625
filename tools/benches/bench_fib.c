/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared FIB against DPDK's own: rte_fib (DIR-24-8) and rte_fib6 (trie) with the same table, the same random
 * destinations, one core, the same kind of pages. Both are asked for all destinations first and must agree.
 *
 * The table is synthetic: prefix lengths as in a full table of 2024 (fib_table.c). Destinations: a random prefix of the
 * table, a random host in it. Of rte_fib's lookup functions the fastest one on this machine counts.
 *
 * usage: bench_fib [--json] [--runs N] [--routes4 N] [--routes6 N] [--scattered]; prints one JSON object a line.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_memory.h>

#include "bench_fib.h"
#include "wye_fib_batch.h"

#define BULK   64u
#define PIECES 16u
#define UPDATES 5000u	/* a run, there and back */

static bool huge;
static struct contest c0;

static void clean_up(void)
{
	if (c0.writer)
		fib_destroy(c0.writer);
	if (c0.region.base)
		region_destroy(&c0.region);
	if (c0.control.page)
		control_close(&c0.control, true);
	bench_unplace(&c0);
}

static void die(const char *what, int err)
{
	fprintf(stderr, "bench_fib: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void result(const char *name, const char *unit, double *own, const char *vs, double *theirs, int n)
{
	double ratio[RUNS_MAX];

	for (int i = 0; theirs && i < n; i++)
		ratio[i] = own[i] / theirs[i];
	qsort(own, (size_t)n, sizeof(*own), by_value);
	printf("{\"bench\":\"fib\",\"case\":\"%s\",\"value\":%.4g,\"unit\":\"%s\",", name, own[n / 2], unit);
	if (theirs) {
		qsort(theirs, (size_t)n, sizeof(*theirs), by_value);
		qsort(ratio, (size_t)n, sizeof(*ratio), by_value);
		printf("\"vs\":\"%s\",\"vs_value\":%.4g,\"ratio\":%.3g,", vs, theirs[n / 2], ratio[n / 2]);
	} else {
		printf("\"vs\":null,\"vs_value\":null,\"ratio\":null,");
	}
	printf("\"n\":%d,\"min\":%.4g,\"max\":%.4g,\"pages\":\"%s\"}\n", n, own[0], own[n - 1], huge ? "2M" : "4k");
	fflush(stdout);
}

/* ---- lookups ------------------------------------------------------------------------------------------------------- */

/* Every contestant: destinations first to end - 1 once, answers summed so that no lookup can be left out. */
typedef uint64_t lookup_fn(const struct contest *c, uint32_t first, uint32_t end);

static uint64_t wye4_batch(const struct contest *c, uint32_t first, uint32_t end)
{
	uint64_t sum = 0;
	uint32_t ids[BULK];

	for (uint32_t i = first; i < end; i += BULK) {
		wye_fib4_lookup_batch(&c->fib, c->dst4_be + i, ids, BULK);
		for (uint32_t k = 0; k < BULK; k++)
			sum += ids[k];
	}
	return sum;
}

static uint64_t wye4_single(const struct contest *c, uint32_t first, uint32_t end)
{
	uint64_t sum = 0;

	for (uint32_t i = first; i < end; i++)
		sum += wye_fib4_lookup(&c->fib, (const uint8_t *)&c->dst4_be[i]);
	return sum;
}

static uint64_t rte4_bulk(const struct contest *c, uint32_t first, uint32_t end)
{
	uint64_t sum = 0, ids[BULK];

	for (uint32_t i = first; i < end; i += BULK) {
		rte_fib_lookup_bulk(c->rte4, c->dst4 + i, ids, BULK);
		for (uint32_t k = 0; k < BULK; k++)
			sum += ids[k];
	}
	return sum;
}

static uint64_t rte4_single(const struct contest *c, uint32_t first, uint32_t end)
{
	uint64_t sum = 0, id;

	for (uint32_t i = first; i < end; i++) {
		rte_fib_lookup_bulk(c->rte4, c->dst4 + i, &id, 1);
		sum += id;
	}
	return sum;
}

static uint64_t wye6_batch(const struct contest *c, uint32_t first, uint32_t end)
{
	uint64_t sum = 0;
	uint32_t ids[BULK];

	for (uint32_t i = first; i < end; i += BULK) {
		wye_fib6_lookup_batch(&c->fib, (const uint8_t(*)[16])c->dst6 + i, ids, BULK);
		for (uint32_t k = 0; k < BULK; k++)
			sum += ids[k];
	}
	return sum;
}

static uint64_t wye6_single(const struct contest *c, uint32_t first, uint32_t end)
{
	uint64_t sum = 0;

	for (uint32_t i = first; i < end; i++)
		sum += wye_fib6_lookup(&c->fib, c->dst6[i]);
	return sum;
}

static uint64_t rte6_bulk(const struct contest *c, uint32_t first, uint32_t end)
{
	uint64_t sum = 0, ids[BULK];

	for (uint32_t i = first; i < end; i += BULK) {
		rte_fib6_lookup_bulk(c->rte6, (void *)(c->dst6 + i), ids, BULK);
		for (uint32_t k = 0; k < BULK; k++)
			sum += ids[k];
	}
	return sum;
}

/* Pass after pass over all destinations, piece by piece. Of each piece the fastest pass counts: what the machine's other
 * work takes from one of them says nothing. */
static double mlookups(const struct contest *c, lookup_fn *fn)
{
	double best[PIECES], sum = 0, now = bench_now_s(), end = now + 0.25;

	for (uint32_t i = 0; i < PIECES; i++)
		best[i] = 1e9;
	do {
		for (uint32_t i = 0; i < PIECES; i++) {
			double start = now;

			fn(c, i * (DESTINATIONS / PIECES), (i + 1) * (DESTINATIONS / PIECES));
			now = bench_now_s();
			best[i] = now - start < best[i] ? now - start : best[i];
		}
	} while (now < end);
	for (uint32_t i = 0; i < PIECES; i++)
		sum += best[i];
	return DESTINATIONS / sum / 1e6;
}

/* The median of the fastest of DPDK's own variants goes in as theirs. */
static void contest4(struct contest *c, int runs)
{
	static const struct {
		const char *name;
		enum rte_fib_lookup_type type;
	} variant[] = { { "rte_fib-scalar", RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO },
			{ "rte_fib-avx512", RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512 } };
	double own[RUNS_MAX], single[RUNS_MAX], theirs_single[RUNS_MAX], theirs[2][RUNS_MAX], best[2] = { 0 };

	for (int run = 0; run < runs; run++) {
		for (int v = 0; v < 2; v++) {
			theirs[v][run] = 0;
			if (rte_fib_select_lookup(c->rte4, variant[v].type) < 0)
				continue;
			theirs[v][run] = mlookups(c, rte4_bulk);
			if (!v)
				theirs_single[run] = mlookups(c, rte4_single);
			best[v] += theirs[v][run];
		}
		own[run] = mlookups(c, wye4_batch);
		single[run] = mlookups(c, wye4_single);
	}
	result("ipv4-random", "Mlookups/s", own, variant[best[1] > best[0]].name, theirs[best[1] > best[0]], runs);
	result("ipv4-random-single", "Mlookups/s", single, "rte_fib-single", theirs_single, runs);
}

static void contest6(struct contest *c, int runs)
{
	static const struct {
		const char *name;
		enum rte_fib6_lookup_type type;
	} variant[] = { { "rte_fib6-scalar", RTE_FIB6_LOOKUP_TRIE_SCALAR },
			{ "rte_fib6-avx512", RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512 } };
	double own[RUNS_MAX], single[RUNS_MAX], theirs[2][RUNS_MAX], best[2] = { 0 };

	for (int run = 0; run < runs; run++) {
		for (int v = 0; v < 2; v++) {
			theirs[v][run] = 0;
			if (rte_fib6_select_lookup(c->rte6, variant[v].type) < 0)
				continue;
			theirs[v][run] = mlookups(c, rte6_bulk);
			best[v] += theirs[v][run];
		}
		own[run] = mlookups(c, wye6_batch);
		single[run] = mlookups(c, wye6_single);
	}
	result("ipv6-random", "Mlookups/s", own, variant[best[1] > best[0]].name, theirs[best[1] > best[0]], runs);
	result("ipv6-random-single", "Mlookups/s", single, NULL, NULL, runs);
}

/* ---- loading ------------------------------------------------------------------------------------------------------- */

static double load_wye(struct contest *c, uint8_t family)
{
	const struct bench_routes *r = family == AF_INET ? &c->routes4 : &c->routes6;
	double start = bench_cpu_s();

	for (uint32_t i = 0; i < r->n; i++) {
		int err = fib_set(c->writer, WYE_VRF_MAIN, family, r->route[i].addr, r->route[i].len, r->route[i].id);

		if (err)
			die("fib_set", err);
		if (i % 1000 == 999 || i == r->n - 1) {
			if (fib_flush(c->writer, 0))
				die("fib_flush", ENOSPC);
			region_reclaim(&c->region);
		}
	}
	return (bench_cpu_s() - start) / r->n * 1e9;
}

static double load_rte4(struct contest *c)
{
	double start = bench_cpu_s();

	for (uint32_t i = 0; i < c->routes4.n; i++) {
		const struct bench_route *r = &c->routes4.route[i];
		int err = rte_fib_add(c->rte4, bench_addr4(r->addr), r->len, r->id);

		if (err)
			die("rte_fib_add", err);
	}
	return (bench_cpu_s() - start) / c->routes4.n * 1e9;
}

static double load_rte6(struct contest *c)
{
	double start = bench_cpu_s();

	for (uint32_t i = 0; i < c->routes6.n; i++) {
		const struct bench_route *r = &c->routes6.route[i];
		int err = rte_fib6_add(c->rte6, (void *)(uintptr_t)r->addr, r->len, r->id);

		if (err)
			die("rte_fib6_add", err);
	}
	return (bench_cpu_s() - start) / c->routes6.n * 1e9;
}

static void agree(const struct contest *c)
{
	for (uint32_t i = 0; i < DESTINATIONS; i += BULK) {
		uint64_t theirs4[BULK], theirs6[BULK];
		uint32_t own4[BULK], own6[BULK];

		rte_fib_lookup_bulk(c->rte4, c->dst4 + i, theirs4, BULK);
		rte_fib6_lookup_bulk(c->rte6, (void *)(c->dst6 + i), theirs6, BULK);
		wye_fib4_lookup_batch(&c->fib, c->dst4_be + i, own4, BULK);
		wye_fib6_lookup_batch(&c->fib, (const uint8_t(*)[16])c->dst6 + i, own6, BULK);
		for (uint32_t k = 0; k < BULK; k++) {
			if (own4[k] == theirs4[k] && own6[k] == theirs6[k])
				continue;
			fprintf(stderr, "bench_fib: destination %u: wye says %u and %u, rte_fib %" PRIu64 " and %" PRIu64
				"\n", i + k, own4[k], own6[k], theirs4[k], theirs6[k]);
			exit(1);
		}
	}
}

static double section_mib(const struct contest *c, enum wye_section_id id)
{
	return (double)region_live(&c->region, id) * c->region.base->section[id].record_bytes / 1048576;
}

static double fib_mib(const struct contest *c, uint32_t roots)
{
	return section_mib(c, WYE_SECTION_FIB_NODE) + roots * 0.25;
}

/* As handed out by the allocators, the space between included. */
static double used_mib(const struct contest *c)
{
	const struct wye_section *s = c->region.base->section;

	return (double)s[WYE_SECTION_FIB_NODE].used * s[WYE_SECTION_FIB_NODE].record_bytes / 1048576 + 0.5;
}

static void load(struct contest *c)
{
	double own, theirs, before = bench_heap_mib(), mib;

	own = load_wye(c, AF_INET);
	theirs = load_rte4(c);
	result("ipv4-insert", "ns/route", &own, "rte_fib", &theirs, 1);
	mib = fib_mib(c, 1);
	result("ipv4-memory", "MiB", &mib, NULL, NULL, 1);
	own = load_wye(c, AF_INET6);
	theirs = load_rte6(c);
	result("ipv6-insert", "ns/route", &own, "rte_fib6", &theirs, 1);
	mib = fib_mib(c, 2) - mib;
	result("ipv6-memory", "MiB", &mib, NULL, NULL, 1);
	mib = used_mib(c);
	result("memory-shared", "MiB", &mib, NULL, NULL, 1);
	own = (bench_heap_mib() - before) * 1048576 / (c->routes4.n + c->routes6.n);
	result("memory-private", "B/route", &own, NULL, NULL, 1);
}

/* ---- one change ---------------------------------------------------------------------------------------------------- */

/* Routes of the table, in random order, to another nexthop and back. */
static double update_own(struct contest *c, uint32_t first, uint32_t n, uint32_t shift)
{
	double start = bench_now_s();

	for (uint32_t i = first; i < first + n; i++) {
		const struct bench_route *r = &c->routes4.route[i];

		fib_set(c->writer, WYE_VRF_MAIN, AF_INET, r->addr, r->len, (r->id + shift - 1) % BENCH_NEXTHOPS + 1);
		fib_flush(c->writer, 0);
		region_reclaim(&c->region);
	}
	return (bench_now_s() - start) / n * 1e6;
}

static double update_theirs(struct contest *c, uint32_t first, uint32_t n, uint32_t shift)
{
	double start = bench_now_s();

	for (uint32_t i = first; i < first + n; i++) {
		const struct bench_route *r = &c->routes4.route[i];

		rte_fib_add(c->rte4, bench_addr4(r->addr), r->len, (r->id + shift - 1) % BENCH_NEXTHOPS + 1);
	}
	return (bench_now_s() - start) / n * 1e6;
}

static void update(struct contest *c, int runs)
{
	uint32_t n = c->routes4.n / RUNS_MAX < UPDATES ? c->routes4.n / RUNS_MAX : UPDATES;
	double own[RUNS_MAX], theirs[RUNS_MAX];

	for (int run = 0; n && run < runs; run++) {
		own[run] = update_own(c, (uint32_t)run * n, n, 7);
		theirs[run] = update_theirs(c, (uint32_t)run * n, n, 7);
		own[run] = (own[run] + update_own(c, (uint32_t)run * n, n, 0)) / 2;
		theirs[run] = (theirs[run] + update_theirs(c, (uint32_t)run * n, n, 0)) / 2;
	}
	if (n)
		result("update", "us", own, "rte_fib", theirs, runs);
}

/* 11.0.0.0/16 full of /24s (nothing else is there), then one of them to another nexthop and back, in random order. */
static void update_dense(struct contest *c, int runs)
{
	double own[RUNS_MAX], theirs[RUNS_MAX];
	uint8_t addr[4] = { 11, 0 };
	uint64_t seed = 77;

	for (uint32_t i = 0; i < 256; i++) {
		addr[2] = (uint8_t)i;
		fib_set(c->writer, WYE_VRF_MAIN, AF_INET, addr, 24, 1 + i);
		rte_fib_add(c->rte4, bench_addr4(addr), 24, 1 + i);
	}
	fib_flush(c->writer, 0);
	for (int run = 0; run < runs; run++) {
		double start = bench_now_s();

		for (uint32_t i = 0; i < 2000; i++) {
			addr[2] = (uint8_t)bench_random(&seed);
			fib_set(c->writer, WYE_VRF_MAIN, AF_INET, addr, 24, 1000 + i % 7);
			fib_flush(c->writer, 0);
			region_reclaim(&c->region);
		}
		own[run] = (bench_now_s() - start) / 2000 * 1e6;
		start = bench_now_s();
		for (uint32_t i = 0; i < 2000; i++) {
			addr[2] = (uint8_t)bench_random(&seed);
			rte_fib_add(c->rte4, bench_addr4(addr), 24, 1000 + i % 7);
		}
		theirs[run] = (bench_now_s() - start) / 2000 * 1e6;
	}
	result("update-dense", "us", own, "rte_fib", theirs, runs);
}

static void update_default(struct contest *c, int runs)
{
	double own[RUNS_MAX];
	uint8_t addr[4] = { 0 };

	for (int run = 0; run < runs; run++) {
		double start = bench_now_s();

		for (uint32_t i = 0; i < 50; i++) {
			fib_set(c->writer, WYE_VRF_MAIN, AF_INET, addr, 0, 1000 + i % 7);
			fib_flush(c->writer, 0);
			region_reclaim(&c->region);
		}
		own[run] = (bench_now_s() - start) / 50 * 1e6;
	}
	result("update-default", "us", own, NULL, NULL, runs);
}

/* ---- set-up -------------------------------------------------------------------------------------------------------- */

static void start_eal(void)
{
	char *huge_args[] = { "bench_fib", "--in-memory", "-m", "2048", "--no-pci", "--no-telemetry", "--log-level",
			      "error", "--iova-mode=va", "--force-max-simd-bitwidth=512", "-l", "0", NULL };
	char *small_args[] = { "bench_fib", "--no-huge", "-m", "2048", "--no-pci", "--no-telemetry", "--log-level",
			       "error", "--iova-mode=va", "--force-max-simd-bitwidth=512", "-l", "0", NULL };
	char cpu[24];

	snprintf(cpu, sizeof(cpu), "%ld", sysconf(_SC_NPROCESSORS_ONLN) - 1);
	huge_args[11] = small_args[11] = cpu;
	if (rte_eal_init(12, huge ? huge_args : small_args) < 0)
		die("rte_eal_init", rte_errno);
}

static void create(struct contest *c)
{
	struct rte_fib_conf conf4 = { .type = RTE_FIB_DIR24_8, .max_routes = (int)c->routes4.n + 4096 };
	struct rte_fib6_conf conf6 = { .type = RTE_FIB6_TRIE, .max_routes = (int)c->routes6.n + 4096 };
	struct wye_config config = { .tables = { .routes4 = 2 << 20, .routes6 = 1 << 19, .neighbours = 1 << 12 },
				     .memory.hugepages = huge ? WYE_HUGE_HUGETLBFS : WYE_HUGE_THP };
	int err;

	conf4.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
	conf4.dir24_8.num_tbl8 = 64 * 1024;
	conf6.trie.nh_sz = RTE_FIB6_TRIE_4B;	/* 2B stops at 32k tbl8s */
	conf6.trie.num_tbl8 = 700 * 1000;
	c->rte4 = rte_fib_create("bench4", SOCKET_ID_ANY, &conf4);
	c->rte6 = rte_fib6_create("bench6", SOCKET_ID_ANY, &conf6);
	if (!c->rte4 || !c->rte6)
		die("rte_fib_create", rte_errno);
	err = control_open(&c->control, c->dir);
	err = err ? err : region_create(&c->region, &c->control, &config);
	if (err)
		die("region_create", err);
	c->writer = fib_create(&c->region);
	if (!c->writer)
		die("fib_create", errno);
}

int main(int argc, char **argv)
{
	static const struct option option[] = { { "json", no_argument, NULL, 'j' },
						{ "runs", required_argument, NULL, 'n' },
						{ "routes4", required_argument, NULL, '4' },
						{ "routes6", required_argument, NULL, '6' },
						{ "scattered", no_argument, NULL, 's' }, { 0 } };
	struct contest *c = &c0;
	uint32_t n4 = 1000000, n6 = 250000;
	bool scattered = false;
	int runs = 5, o;

	while ((o = getopt_long(argc, argv, "", option, NULL)) != -1) {
		if (o == 'n')
			runs = atoi(optarg);
		else if (o == '4')
			n4 = (uint32_t)atoi(optarg);
		else if (o == '6')
			n6 = (uint32_t)atoi(optarg);
		else if (o == 's')
			scattered = true;
		else if (o != 'j')
			runs = 0;
	}
	if (runs < 1 || runs > RUNS_MAX || !n4 || !n6) {
		fprintf(stderr, "usage: bench_fib [--json] [--runs 1-%d] [--routes4 N] [--routes6 N] [--scattered]\n", RUNS_MAX);
		return 2;
	}
	bench_place(c, &huge);
	atexit(clean_up);
	start_eal();
	bench_tables(c, n4, n6, scattered);
	create(c);
	load(c);
	c->fib = wye_fib_of(c->region.base, WYE_VRF_MAIN);	/* its roots came with the first routes */
	agree(c);
	contest4(c, runs);
	contest6(c, runs);
	update(c, runs);
	update_dense(c, runs);
	update_default(c, runs);
	return 0;
}

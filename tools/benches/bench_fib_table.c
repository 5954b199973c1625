/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table that bench_fib loads. Shares of prefix lengths: full tables of 2024 as RIPE RIS shows them, rounded. IPv4
 * prefixes lie anywhere in unicast space, but those longer than /24, which no full table has, in 64 blocks of the
 * operator's own. IPv6's lie in the registries' blocks: some tens of thousands of /29 to /32 allocations, the longer
 * ones inside a few favoured ones of these and numbered from low, as operators do it. Seven in ten routes have the
 * nexthop of their neighbourhood, the others any of 64. `scattered`: prefixes and nexthops know of no neighbourhood,
 * the worst that an honest table can do to a compressed trie.
 */
#include <arpa/inet.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench_fib.h"

#define HUGE_NEED 1150ull	/* 2 MiB pages: DPDK's 2 GiB and the region */

struct share {
	uint8_t len;
	uint16_t of_1000;
};

static const struct share shares4[] = { { 24, 620 }, { 23, 95 }, { 22, 112 }, { 21, 50 }, { 20, 43 }, { 19, 25 },
					{ 18, 14 }, { 17, 8 }, { 16, 14 }, { 15, 2 }, { 14, 1 }, { 13, 1 }, { 25, 4 },
					{ 26, 3 }, { 28, 3 }, { 29, 2 }, { 32, 3 } };
static const struct share shares6[] = { { 48, 470 }, { 32, 120 }, { 40, 95 }, { 44, 90 }, { 36, 45 }, { 29, 25 },
					{ 46, 30 }, { 47, 25 }, { 42, 25 }, { 38, 20 }, { 45, 20 }, { 43, 10 }, { 33, 10 },
					{ 64, 5 }, { 56, 5 }, { 128, 5 } };

double bench_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_heap_mib(void)
{
	struct mallinfo2 m = mallinfo2();

	return (double)(m.uordblks + m.hblkhd) / 1048576;
}

uint64_t bench_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15ULL;	/* splitmix64 */

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return z ^ z >> 31;
}

static uint8_t random_len(const struct share *share, uint64_t *seed)
{
	uint32_t at = (uint32_t)(bench_random(seed) % 1000);

	while (at >= share->of_1000)
		at -= (share++)->of_1000;
	return share->len;
}

static void mask(uint8_t *addr, uint8_t len)
{
	for (int i = 0; i < 16; i++) {
		int bits = len - i * 8;

		addr[i] &= bits >= 8 ? 0xff : bits <= 0 ? 0 : (uint8_t)(0xff << (8 - bits));
	}
}

static void random_bytes(uint8_t *to, uint64_t *seed)
{
	uint64_t word[2] = { bench_random(seed), bench_random(seed) };

	memcpy(to, word, 16);
}

static bool scattered;

static void own_block(uint8_t *addr)
{
	uint64_t which = addr[0] % 64, at = bench_random(&which);

	addr[0] = (uint8_t)(20 + at % 200);
	addr[1] = (uint8_t)(at >> 8);
}

static struct bench_route random_route4(uint64_t *seed)
{
	struct bench_route r = { .len = random_len(shares4, seed) };

	do {
		random_bytes(r.addr, seed);
		memset(r.addr + 4, 0, 12);
		if (r.len > 24 && !scattered)
			own_block(r.addr);
	} while (r.addr[0] == 0 || r.addr[0] == 10 || r.addr[0] == 11 || r.addr[0] == 127 || r.addr[0] >= 224);
	mask(r.addr, r.len);
	return r;
}

#define ALLOCATIONS 30000u

static void allocation(uint8_t *addr, uint32_t which)
{
	static const uint16_t block[] = { 0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2a10, 0x2c00, 0x2402 };
	uint64_t seed = which;
	uint16_t high = block[bench_random(&seed) % 8] + (uint16_t)(bench_random(&seed) % 12);

	random_bytes(addr, &seed);
	addr[0] = (uint8_t)(high >> 8);
	addr[1] = (uint8_t)high;
	mask(addr, 32);
}

static struct bench_route random_route6(uint64_t *seed)
{
	struct bench_route r = { .len = random_len(shares6, seed) };
	double u = (double)(bench_random(seed) >> 11) / (double)(1ULL << 53);
	uint8_t rest[16];

	allocation(r.addr, (uint32_t)(u * u * ALLOCATIONS));	/* low numbers are favoured */
	random_bytes(rest, seed);
	rest[0] = (uint8_t)(rest[0] * rest[1] >> 8) * rest[2] >> 8;
	memcpy(r.addr + 4, rest, 12);
	mask(r.addr, r.len);
	return r;
}

static int by_prefix(const void *a, const void *b)
{
	const struct bench_route *x = a, *y = b;
	int order = memcmp(x->addr, y->addr, 16);

	return order ? order : x->len - y->len;
}

static uint32_t nexthop(const struct bench_route *r, uint64_t *seed)
{
	uint64_t neighbourhood = (uint64_t)r->addr[0] << 24 | (uint64_t)r->addr[1] << 16;

	if (r->addr[0] >= 0x20 && r->len > 32)
		neighbourhood |= (uint64_t)r->addr[2] << 8 | r->addr[3];
	if (scattered || bench_random(seed) % 10 >= 7)
		neighbourhood = bench_random(seed);
	return 1 + (uint32_t)(bench_random(&neighbourhood) % BENCH_NEXTHOPS);
}

/* Distinct: made, sorted, doubles dropped, filled up, until there are enough; then shuffled. */
static void make(struct bench_routes *r, uint32_t n, struct bench_route (*one)(uint64_t *), uint64_t seed)
{
	r->route = malloc((size_t)n * sizeof(*r->route));
	if (!r->route)
		abort();
	while (r->n < n) {
		uint32_t kept = 0;

		while (r->n < n)
			r->route[r->n++] = one(&seed);
		qsort(r->route, n, sizeof(*r->route), by_prefix);
		for (uint32_t i = 0; i < n; i++)
			if (!kept || by_prefix(&r->route[kept - 1], &r->route[i]))
				r->route[kept++] = r->route[i];
		r->n = kept;
	}
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t k = (uint32_t)(bench_random(&seed) % (i + 1));
		struct bench_route swap = r->route[i];

		r->route[i] = r->route[k];
		r->route[k] = swap;
	}
	for (uint32_t i = 0; i < n; i++)
		r->route[i].id = nexthop(&r->route[i], &seed);
}

static void destination(uint8_t *to, const struct bench_routes *r, uint64_t *seed)
{
	const struct bench_route *route = &r->route[bench_random(seed) % r->n];
	uint8_t host[16], net[16];

	random_bytes(host, seed);
	memcpy(net, host, 16);
	mask(net, route->len);
	for (int i = 0; i < 16; i++)
		to[i] = route->addr[i] | (uint8_t)(host[i] ^ net[i]);
}

void bench_tables(struct contest *c, uint32_t n4, uint32_t n6, bool scatter)
{
	uint64_t seed = 9;

	scattered = scatter;

	make(&c->routes4, n4, random_route4, 1);
	make(&c->routes6, n6, random_route6, 2);
	c->dst4 = malloc(DESTINATIONS * sizeof(*c->dst4));
	c->dst4_be = malloc(DESTINATIONS * sizeof(*c->dst4_be));
	c->dst6 = malloc(DESTINATIONS * sizeof(*c->dst6));
	if (!c->dst4 || !c->dst4_be || !c->dst6)
		abort();
	for (uint32_t i = 0; i < DESTINATIONS; i++) {
		uint8_t addr[16];

		destination(addr, &c->routes4, &seed);
		memcpy(&c->dst4_be[i], addr, 4);
		c->dst4[i] = bench_addr4(addr);
		destination(c->dst6[i], &c->routes6, &seed);
	}
}

/* ---- place --------------------------------------------------------------------------------------------------------- */

static unsigned long long free_huge_pages(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	unsigned long long pages = 0;

	if (f && fscanf(f, "%llu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages;
}

void bench_place(struct contest *c, bool *huge)
{
	const char *base = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";

	snprintf(c->dir, sizeof(c->dir), "%s/wye-bench-XXXXXX", base);
	if (!mkdtemp(c->dir))
		abort();
	if (free_huge_pages() < HUGE_NEED || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return;
	/* over the run directory's parent, where nobody else looks now */
	*huge = !mount("none", "/mnt", "hugetlbfs", 0, "pagesize=2M");
}

void bench_unplace(struct contest *c)
{
	rmdir(c->dir);
	free(c->routes4.route);
	free(c->routes6.route);
	free(c->dst4);
	free(c->dst4_be);
	free(c->dst6);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The contestant of forward/…: the shortest honest router one can write with DPDK by hand. One lcore takes a burst
 * from port 0, looks all destinations up at once, checks version and TTL, decrements it, mends the checksum, writes
 * the Ethernet header and sends the burst to port 1. No graph, no statistics, no steering, no punt: what a general
 * dataplane costs on top of this is what `forward` shows.
 *
 * Lookups: lpm and lpm6 (few routes), fib (DIR-24-8 of rte_fib: the same two-level table as rte_lpm, but it
 * loads a million routes in seconds, which rte_lpm's linear rule list does not) and fib6 (the trie of rte_fib6), none (move
 * bursts only: what the input and output alone cost). Bursts of 64 are the best for it: 128 cost it 1 to 2 cycles a packet.
 *
 * usage: lpm_loop EAL-ARGS -- LOOKUP TABLE SECONDS [DESTINATIONS]; a line of TABLE is "PREFIX/LEN NEXTHOP", NEXTHOP 0-255;
 * DESTINATIONS: spread.h.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_ip.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>

#include "spread.h"

#define BURST	 64
#define NEXTHOPS 256
#define MBUFS	 (128 * 1024 - 1)
#define MAX_FIB_ROUTES 1200000
#define MAX_FIB6_ROUTES 300000
#define FIB6_TBL8S 500000	/* 1 KiB each */

enum lookup { LOOKUP_NONE, LOOKUP_LPM, LOOKUP_FIB, LOOKUP_LPM6, LOOKUP_FIB6 };
static const char *const lookup_name[] = { "none", "lpm", "fib", "lpm6", "fib6" };

struct router {
	enum lookup lookup;
	struct rte_lpm *lpm;
	struct rte_fib *fib;
	struct rte_lpm6 *lpm6;
	struct rte_fib6 *fib6;
	struct rte_ether_hdr rewrite[NEXTHOPS];
	struct spread spread;	/* n 0: packets stay as they come */
	uint64_t forwarded, refused;
};

static _Atomic bool stop;

static void on_signal(int signal)
{
	stop = true;
}

static void die(const char *what, const char *arg, int err)
{
	fprintf(stderr, "lpm_loop: %s %s: %s\n", what, arg, strerror(err < 0 ? -err : err));
	exit(1);
}

static bool is_ip6(const struct router *r)
{
	return r->lookup == LOOKUP_LPM6 || r->lookup == LOOKUP_FIB6;
}

static void router_create(struct router *r)
{
	struct rte_lpm_config lpm = { .max_rules = 4096, .number_tbl8s = 4096 };
	struct rte_lpm6_config lpm6 = { .max_rules = 4096, .number_tbl8s = 65536 };
	struct rte_fib_conf fib = { .type = RTE_FIB_DIR24_8, .default_nh = 0, .max_routes = MAX_FIB_ROUTES };
	struct rte_fib6_conf fib6 = { .type = RTE_FIB6_TRIE, .default_nh = 0, .max_routes = MAX_FIB6_ROUTES };

	fib.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
	fib.dir24_8.num_tbl8 = 64 * 1024;
	fib6.trie.nh_sz = RTE_FIB6_TRIE_4B;	/* 2B stops at 32k tbl8s */
	fib6.trie.num_tbl8 = FIB6_TBL8S;
	if (r->lookup == LOOKUP_LPM)
		r->lpm = rte_lpm_create("loop", SOCKET_ID_ANY, &lpm);
	if (r->lookup == LOOKUP_FIB)
		r->fib = rte_fib_create("loop", SOCKET_ID_ANY, &fib);
	if (r->lookup == LOOKUP_LPM6)
		r->lpm6 = rte_lpm6_create("loop", SOCKET_ID_ANY, &lpm6);
	if (r->lookup == LOOKUP_FIB6)
		r->fib6 = rte_fib6_create("loop", SOCKET_ID_ANY, &fib6);
	if (r->lookup != LOOKUP_NONE && !r->lpm && !r->fib && !r->lpm6 && !r->fib6)
		die("creating the table for", lookup_name[r->lookup], rte_errno);
	for (int i = 0; i < NEXTHOPS; i++) {
		struct rte_ether_hdr *eth = &r->rewrite[i];

		memcpy(eth->dst_addr.addr_bytes, (uint8_t[]){ 2, 0, 0, 0, 1, i }, 6);
		memcpy(eth->src_addr.addr_bytes, (uint8_t[]){ 2, 0, 0, 0, 2, 1 }, 6);
		eth->ether_type = htons(is_ip6(r) ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	}
}

static int route_add(struct router *r, const char *prefix, uint8_t len, unsigned int nexthop)
{
	uint8_t addr[16];
	uint32_t ip4;

	if (inet_pton(is_ip6(r) ? AF_INET6 : AF_INET, prefix, addr) != 1)
		return -EINVAL;
	if (r->lookup == LOOKUP_LPM6)
		return rte_lpm6_add(r->lpm6, (void *)addr, len, nexthop);
	if (r->lookup == LOOKUP_FIB6)
		return rte_fib6_add(r->fib6, (void *)addr, len, nexthop);
	memcpy(&ip4, addr, 4);
	ip4 = ntohl(ip4);
	return r->lpm ? rte_lpm_add(r->lpm, ip4, len, nexthop) : rte_fib_add(r->fib, ip4, len, nexthop);
}

static unsigned int routes_load(struct router *r, const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int routes = 0, len, nexthop;
	char prefix[64];
	int err;

	if (!file)
		die("open", path, errno);
	for (; fscanf(file, " %63[^/]/%u %u", prefix, &len, &nexthop) == 3; routes++) {
		err = route_add(r, prefix, len, nexthop % NEXTHOPS);
		if (err)
			die("adding", prefix, err);
	}
	fclose(file);
	return routes;
}

/* True when the packet may go on; its TTL and checksum are then done. RFC 1624 with the old and new TTL word. */
static inline bool ip4_touch(struct rte_ipv4_hdr *ip)
{
	uint32_t sum;

	if (unlikely(ip->version_ihl != RTE_IPV4_VHL_DEF || ip->time_to_live <= 1))
		return false;
	ip->time_to_live--;
	sum = (uint32_t)ip->hdr_checksum + rte_cpu_to_be_16(0x0100);
	ip->hdr_checksum = (uint16_t)(sum + (sum >= 0xffff));
	return true;
}

static inline bool ip6_touch(struct rte_ipv6_hdr *ip)
{
	if (unlikely((ip->vtc_flow & htonl(0xf0000000)) != htonl(0x60000000) || ip->hop_limits <= 1))
		return false;
	ip->hop_limits--;
	return true;
}

static inline struct rte_ipv4_hdr *ip4_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
}

static inline struct rte_ipv6_hdr *ip6_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, sizeof(struct rte_ether_hdr));
}

static inline void lookup_ip4(const struct router *r, struct rte_mbuf **m, uint32_t *hop, unsigned int n)
{
	uint32_t ip[BURST];
	uint64_t hop64[BURST];

	for (unsigned int i = 0; i < n; i++)
		ip[i] = ntohl(ip4_of(m[i])->dst_addr);
	if (r->lpm) {
		rte_lpm_lookup_bulk(r->lpm, ip, hop, n);
		return;
	}
	rte_fib_lookup_bulk(r->fib, ip, hop64, n);
	for (unsigned int i = 0; i < n; i++)
		hop[i] = hop64[i];
}

static inline void lookup_ip6(const struct router *r, struct rte_mbuf **m, uint32_t *hop, unsigned int n)
{
	uint8_t ip[BURST][16];
	uint64_t hop64[BURST];

	for (unsigned int i = 0; i < n; i++)
		memcpy(ip[i], &ip6_of(m[i])->dst_addr, 16);
	if (r->lpm6) {
		rte_lpm6_lookup_bulk_func(r->lpm6, (void *)ip, (int32_t *)hop, n);
		return;
	}
	rte_fib6_lookup_bulk(r->fib6, (void *)ip, hop64, (int)n);
	for (unsigned int i = 0; i < n; i++)
		hop[i] = (uint32_t)hop64[i];
}

static inline unsigned int burst_route(struct router *r, struct rte_mbuf **m, unsigned int n)
{
	uint32_t hop[BURST];
	unsigned int kept = 0;
	bool ok;

	if (r->lookup == LOOKUP_NONE)
		return n;
	if (r->spread.n)
		spread_write(&r->spread, m, n);
	if (is_ip6(r))
		lookup_ip6(r, m, hop, n);
	else
		lookup_ip4(r, m, hop, n);
	for (unsigned int i = 0; i < n; i++) {
		ok = is_ip6(r) ? ip6_touch(ip6_of(m[i])) : ip4_touch(ip4_of(m[i]));
		if (unlikely(!ok)) {
			rte_pktmbuf_free(m[i]);
			continue;
		}
		*rte_pktmbuf_mtod(m[i], struct rte_ether_hdr *) = r->rewrite[hop[i] & (NEXTHOPS - 1)];
		m[kept++] = m[i];
	}
	return kept;
}

/* CPU time of this thread: what others took of the core in the meantime is not ours. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void run(struct router *r, uint64_t until)
{
	struct rte_mbuf *m[BURST];
	unsigned int n, kept, sent;

	while (!stop && rte_rdtsc() < until) {
		for (int i = 0; i < 64; i++) {
			n = rte_eth_rx_burst(0, 0, m, BURST);
			kept = burst_route(r, m, n);
			sent = rte_eth_tx_burst(1, 0, m, kept);
			r->forwarded += sent;
			r->refused += n - sent;
			rte_pktmbuf_free_bulk(m + sent, kept - sent);
		}
	}
}

/* Of the heap, which the table is in as well. */
static uint64_t page_bytes(const struct rte_mempool *pool)
{
	const struct rte_memseg *segment = rte_mem_virt2memseg(pool, NULL);

	return segment ? segment->hugepage_sz : 0;
}

static void port_start(uint16_t port, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = { 0 };
	char name[8];
	int err;

	snprintf(name, sizeof(name), "%u", port);
	err = rte_eth_dev_configure(port, 1, 1, &conf);
	if (!err)
		err = rte_eth_rx_queue_setup(port, 0, 1024, SOCKET_ID_ANY, NULL, pool);
	if (!err)
		err = rte_eth_tx_queue_setup(port, 0, 1024, SOCKET_ID_ANY, NULL);
	if (!err)
		err = rte_eth_dev_start(port);
	if (err)
		die("starting port", name, err);
}

static enum lookup lookup_of(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(lookup_name); i++)
		if (!strcmp(name, lookup_name[i]))
			return i;
	die("lookup", name, EINVAL);
	return LOOKUP_NONE;
}

int main(int argc, char **argv)
{
	struct router router = { 0 };
	struct rte_mempool *pool;
	unsigned int routes = 0;
	uint64_t start;
	double seconds;
	int used = rte_eal_init(argc, argv);

	if (used < 0)
		die("EAL", "init", rte_errno);
	if (argc - used < 4 || argc - used > 5 || rte_eth_dev_count_avail() < 2) {
		fprintf(stderr, "usage: lpm_loop EAL-ARGS (two ports) -- none|lpm|fib|lpm6|fib6 TABLE SECONDS [DESTINATIONS]\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	router.lookup = lookup_of(argv[used + 1]);
	router_create(&router);
	if (router.lookup != LOOKUP_NONE)
		routes = routes_load(&router, argv[used + 2]);
	if (argc - used == 5 && !spread_open(&router.spread, argv[used + 4]))
		die("open", argv[used + 4], errno);
	pool = rte_pktmbuf_pool_create("loop", MBUFS, 512, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!pool)
		die("mbuf pool", "", rte_errno);
	port_start(0, pool);
	port_start(1, pool);
	run(&router, rte_rdtsc() + rte_get_tsc_hz() / 5);	/* caches and frequency settle */
	router.forwarded = router.refused = 0;
	start = cpu_ns();
	run(&router, rte_rdtsc() + (uint64_t)(atof(argv[used + 3]) * rte_get_tsc_hz()));
	seconds = (double)(cpu_ns() - start) / 1e9;
	printf("{\"lookup\":\"%s\",\"routes\":%u,\"mpps\":%.3f,\"cycles\":%.1f,\"forwarded\":%" PRIu64
	       ",\"refused\":%" PRIu64 ",\"page_bytes\":%" PRIu64 "}\n", lookup_name[router.lookup], routes, router.forwarded / seconds / 1e6,
	       router.forwarded ? seconds * rte_get_tsc_hz() / router.forwarded : 0.0, router.forwarded, router.refused, page_bytes(pool));
	rte_eal_cleanup();
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One writer against several readers of the same region, in one process, so that ThreadSanitizer sees both halves
 * of wye_publish.h. Built twice: with -fsanitize=thread (publish_tsan: every access to table memory must be ordered
 * by the edges the header names) and without (publish: full speed, and whatever is freed is overwritten at once, so
 * a record used after it was reclaimed too early gives an answer that cannot be right).
 *
 * Each answer is judged: a lookup must end in a nexthop whose record names a prefix that covers the address and is
 * not shorter than the longest prefix that is always there; a neighbour must lead to a record with its own address;
 * a link record must be all of one version.
 *
 * What this can and cannot show about ordering. (a): the edges are release and acquire on the published word, on the
 * epoch and on the reader's slot; ThreadSanitizer models those exactly, on any machine: on a weakly ordered CPU they
 * are the same edges. Filling happens before P1 by program order and P1's release; the reader's plain loads come
 * after P2's acquire and carry a dependency on the word besides. A reader's last load of old memory is before its
 * slot's release store (P4), the writer's acquire of that slot before it writes there again. Only "coming online"
 * needs a StoreLoad fence, and ThreadSanitizer does not model fences; it needs none to be silent here, because a
 * reader it fears unseen has loaded no table word yet. That fence is argued, not tested: the reader stores its slot,
 * fences, loads tables; the writer unlinks, fences, loads the slot. C11 7.17.4: of two seq_cst fences one is
 * first; if the reader's, the writer sees the slot and waits; if the writer's, the reader sees the unlinking.
 * (b): every word is a relaxed atomic, so there is no race to report whatever the order; that the copy is of one
 * version is checked by value. On x86 the fences only bind the compiler; elsewhere: S1 is release before the
 * relaxed stores of words, so who reads one of those and then fences (acquire) also sees the odd count: C11
 * 7.17.4 synchronises fence with fence through that word.
 */
#include <linux/neighbour.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <cmocka.h>

#include "fib.h"
#include "resolve.h"
#include "tables_fixture.h"
#include "wye_fib_batch.h"
#include "wye_map.h"

#define READERS	 3
#define PREFIXES 1200u
#define NEIGHS	 300u
#ifdef WITH_TSAN
#define BATCHES 1500
#else
#define BATCHES 40000
#endif

struct prefix {
	uint32_t addr;		/* host order */
	uint8_t len;
	bool always;		/* never deleted, only given another nexthop */
	uint32_t id;		/* now set; writer's */
};

struct shared {
	struct tables *tables;
	struct prefix prefix[PREFIXES];	/* constant but for id while readers run */
	_Atomic bool stop;
	_Atomic uint64_t lookups[READERS], link_copies, bad_route, bad_neigh, bad_link;
};

static uint32_t mask_of(uint8_t len)
{
	return len ? ~0U << (32 - len) : 0;
}

/* Nested on purpose: few values for the first bytes, so that nodes fill, come and go. Every seventh is there to stay. */
static void make_prefixes(struct shared *shared)
{
	uint64_t seed = 11;

	for (uint32_t i = 0; i < PREFIXES; i++) {
		struct prefix *p = &shared->prefix[i];
		uint64_t r = test_random(&seed);

		p->len = i < 8 ? (uint8_t)(i * 2) : (uint8_t)(8 + r % 25);
		p->addr = 10U << 24 | (uint32_t)(r >> 8) % 2 << 16 | (uint32_t)((r >> 16) % 8) << 8 |
			  (uint32_t)(r >> 24 & 0xff);
		p->addr &= mask_of(p->len);
		p->always = i % 7 == 0;
		for (uint32_t j = 0; j < i; j++)	/* equal prefixes share a fate: the first one's */
			if (shared->prefix[j].addr == p->addr && shared->prefix[j].len == p->len)
				p->len = 0xff;
	}
}

/* ---- readers ------------------------------------------------------------------------------------------------------- */

static bool covers(const struct prefix *p, uint32_t addr)
{
	return p->len != 0xff && !((p->addr ^ addr) & mask_of(p->len));
}

static int longest_always(const struct shared *shared, uint32_t addr)
{
	int longest = -1;

	for (uint32_t i = 0; i < PREFIXES; i++)
		if (shared->prefix[i].always && covers(&shared->prefix[i], addr) && shared->prefix[i].len > longest)
			longest = shared->prefix[i].len;
	return longest;
}

static bool legal(const struct shared *shared, uint32_t addr, uint32_t id)
{
	const struct wye_nexthop *nh;
	const struct prefix *p;

	if (!id)
		return longest_always(shared, addr) < 0;
	if (id & WYE_FIB_CHILD || id >= shared->tables->region.base->section[WYE_SECTION_NEXTHOP_SLOT].capacity)
		return false;
	nh = wye_nexthop_of(shared->tables->region.base, id);
	if (nh->kind != WYE_NH_BLACKHOLE || !nh->kernel_id || nh->kernel_id > PREFIXES)
		return false;
	p = &shared->prefix[nh->kernel_id - 1];
	return covers(p, addr) && p->len >= longest_always(shared, addr);
}

static bool neigh_legal(const struct shared *shared, uint32_t which)
{
	const struct wye_region *region = shared->tables->region.base;
	uint8_t addr[16] = { 192, 168, (uint8_t)(which >> 8), (uint8_t)which };
	uint32_t id = wye_neigh_lookup(region, 7, AF_INET, addr);

	return !id || !memcmp(wye_nexthop_of(region, id)->gateway, addr, 16);
}

/* No stable copy (the writer was put off its CPU in mid-write) is an answer, too: the record counts as absent. */
static bool link_legal(struct shared *shared)
{
	const struct wye_link *record = (const struct wye_link *)wye_section_base(shared->tables->region.base,
										  WYE_SECTION_LINK) + 1;
	struct wye_link copy;

	if (!wye_seq_read(&record->seq, &record->flags, &copy.flags, sizeof(copy) / 4 - 1))
		return true;
	atomic_fetch_add_explicit(&shared->link_copies, 1, memory_order_relaxed);
	return copy.mtu_bytes == copy.group && copy.mtu_bytes == copy.num_tx_queues && copy.ifindex == 7;
}

static void look_around(struct shared *shared, struct wye_fib *fib, uint64_t *seed)
{
	uint32_t dst[32], ids[32];

	for (int i = 0; i < 32; i++) {
		uint64_t r = test_random(seed);
		const struct prefix *p = &shared->prefix[r % PREFIXES];

		dst[i] = htonl(p->addr | ((uint32_t)(r >> 32) & (p->len == 0xff ? 0 : ~mask_of(p->len))));
	}
	wye_fib4_lookup_batch(fib, dst, ids, 32);
	for (int i = 0; i < 32; i++) {
		uint32_t id = i % 2 ? ids[i] : wye_fib4_lookup(fib, (const uint8_t *)&dst[i]);

		if (!legal(shared, ntohl(dst[i]), id) || !legal(shared, ntohl(dst[i]), ids[i]))
			atomic_fetch_add(&shared->bad_route, 1);
	}
	if (!neigh_legal(shared, (uint32_t)(test_random(seed) % NEIGHS)))
		atomic_fetch_add(&shared->bad_neigh, 1);
	if (!link_legal(shared))
		atomic_fetch_add(&shared->bad_link, 1);
}

struct reader {
	struct shared *shared;
	uint32_t number;
};

static void *read_on(void *arg)
{
	struct reader *reader = arg;
	struct shared *shared = reader->shared;
	struct wye_region *region = shared->tables->region.base;
	struct wye_reader_slot *slot = wye_reader_claim(shared->tables->control.readers, reader->number);
	struct wye_fib fib = wye_fib_of(region, WYE_VRF_MAIN);
	uint64_t seed = reader->number + 100;

	if (!slot)
		return NULL;
	atomic_store_explicit(&slot->generation, region->file.generation, memory_order_relaxed);
	wye_reader_online(slot, &region->epoch);
	while (!atomic_load_explicit(&shared->stop, memory_order_relaxed)) {
		look_around(shared, &fib, &seed);
		atomic_fetch_add_explicit(&shared->lookups[reader->number], 32, memory_order_relaxed);
		if (test_random(&seed) % 16) {
			wye_reader_quiescent(slot, &region->epoch);
		} else {
			wye_reader_offline(slot);
			wye_reader_online(slot, &region->epoch);
		}
	}
	wye_reader_release(slot);
	return NULL;
}

/* ---- the writer ---------------------------------------------------------------------------------------------------- */

struct writer {
	struct shared *shared;
	struct fib *fib;
	struct resolve *resolve;
	uint32_t version;
};

/* The put may come before the flush that makes it true: the region keeps the id until then. */
static void set_prefix(struct writer *w, uint32_t which, bool present)
{
	struct prefix *p = &w->shared->prefix[which];
	struct nexthop_leg leg = { .kind = WYE_NH_BLACKHOLE, .kernel_id = which + 1, .mtu_bytes = ++w->version };
	uint32_t addr = htonl(p->addr), old = p->id;

	if (p->len == 0xff)
		return;
	p->id = present ? nexthop_get(w->resolve, &leg, 1) : 0;
	assert_true(!present || p->id);
	assert_int_equal(fib_set(w->fib, WYE_VRF_MAIN, AF_INET, (uint8_t *)&addr, p->len, p->id), 0);
	nexthop_put(w->resolve, old);
}

static void set_neigh(struct writer *w, uint32_t which, bool present)
{
	uint8_t addr[4] = { 192, 168, (uint8_t)(which >> 8), (uint8_t)which };
	uint8_t mac[6] = { 2, 0, 0, (uint8_t)w->version, (uint8_t)(which >> 8), (uint8_t)which };

	if (present)
		assert_int_equal(neigh_set(w->resolve, 7, AF_INET, addr, NUD_REACHABLE, 0, mac, 6), 0);
	else
		neigh_del(w->resolve, 7, AF_INET, addr);
}

static void set_link(struct writer *w)
{
	uint32_t v = ++w->version;
	struct wye_link link = { .ifindex = 7, .mtu_bytes = v, .group = v, .num_tx_queues = v, .mac_len = 6,
				 .arp_type = ARPHRD_ETHER, .flags = WYE_LINK_UP | WYE_LINK_CARRIER };

	assert_int_equal(link_set(w->resolve, &link), 1);
}

static void write_batch(struct writer *w, uint64_t *seed)
{
	uint32_t ops = 1 + (uint32_t)(test_random(seed) % 30);

	for (uint32_t i = 0; i < ops; i++) {
		uint64_t r = test_random(seed);
		uint32_t which = (uint32_t)(r % PREFIXES);

		set_prefix(w, which, w->shared->prefix[which].always || r >> 63);
		set_neigh(w, (uint32_t)(r >> 32) % NEIGHS, r >> 62 & 1);
	}
	set_link(w);
	if (test_random(seed) % 4)
		fib_flush(w->fib, 0);
	else
		fib_flush(w->fib, 3);	/* the rest with the next batch */
	region_reclaim(&w->shared->tables->region);
	/* a reader may be off its CPU for long, and the section is small: keep some of it free */
	for (int ms = 0; ms < 20000 && region_live(&w->shared->tables->region, WYE_SECTION_NEIGH) > 2500; ms++) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		region_reclaim(&w->shared->tables->region);
	}
}

/* Every reader has done `n` more lookups; false after a deadline. */
static bool readers_move(struct shared *shared, uint64_t n)
{
	for (int i = 0; i < READERS; i++) {
		uint64_t before = atomic_load(&shared->lookups[i]);
		int ms = 0;

		for (; ms < 20000 && atomic_load(&shared->lookups[i]) < before + n; ms++)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		if (ms == 20000)
			return false;
	}
	return true;
}

static void writer_against_readers(void **state)
{
	static struct shared shared;
	struct writer w = { .shared = &shared };
	struct reader reader[READERS];
	pthread_t thread[READERS];
	uint64_t seed = 1;

	shared.tables = tables_create();
	w.fib = fib_create(&shared.tables->region);
	w.resolve = resolve_create(&shared.tables->region);
	assert_true(w.fib && w.resolve);
	make_prefixes(&shared);
	set_link(&w);
	for (uint32_t i = 0; i < PREFIXES; i++)
		if (shared.prefix[i].always)
			set_prefix(&w, i, true);
	assert_int_equal(fib_flush(w.fib, 0), 0);
	for (uint32_t i = 0; i < READERS; i++) {
		reader[i] = (struct reader){ &shared, i };
		assert_int_equal(pthread_create(&thread[i], NULL, read_on, &reader[i]), 0);
	}
	assert_true(readers_move(&shared, 32));
	for (int i = 0; i < BATCHES; i++)
		write_batch(&w, &seed);
	assert_true(readers_move(&shared, 64));
	fib_flush(w.fib, 0);
	atomic_store(&shared.stop, true);
	for (uint32_t i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&shared.bad_route), 0);
	assert_int_equal(atomic_load(&shared.bad_neigh), 0);
	assert_int_equal(atomic_load(&shared.bad_link), 0);
	assert_true(atomic_load(&shared.link_copies) > 0);
	tables_check(shared.tables);
	for (uint32_t i = 0; i < PREFIXES; i++)
		set_prefix(&w, i, false);
	for (uint32_t i = 0; i < NEIGHS; i++)
		set_neigh(&w, i, false);
	fib_flush(w.fib, 0);
	assert_true(tables_reclaimed(shared.tables, WYE_SECTION_NEXTHOP_SLOT, 0, 1000));
	assert_true(tables_reclaimed(shared.tables, WYE_SECTION_FIB_NODE, 0, 1000));
	fib_destroy(w.fib);
	resolve_destroy(w.resolve);
	tables_destroy(shared.tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(writer_against_readers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The FIB as readers see it against a naive longest-prefix match over the list of routes, after every flush:
 * random and boundary addresses, single and batch lookup. At the end of each test everything is deleted and every
 * node and word must be free again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fib_bench.h"
#include "wye_fib_batch.h"
#include "wye_map.h"

/* A prefix near others: few values for most bytes, so that prefixes nest and nodes fill up. */
static uint8_t random_prefix(struct bench *b, uint8_t addr[16])
{
	int max = b->model.family == AF_INET ? 32 : 128;
	uint64_t r = test_random(&b->seed);

	memset(addr, 0, 16);
	for (int i = 0; i < max / 8; i++) {
		uint64_t v = test_random(&b->seed);

		addr[i] = v % 4 ? (uint8_t)(0x20 + (v >> 8) % 2) : (uint8_t)(v >> 16);
	}
	if (max == 128 && r % 3)
		return (uint8_t)(16 + (r >> 8) % 49);
	return (uint8_t)((r >> 8) % (uint64_t)(max + 1));
}

static void random_sequence(void **state)
{
	struct bench *b = *state;

	for (int batch = 0; batch < 400; batch++) {
		uint32_t ops = 1 + (uint32_t)(test_random(&b->seed) % 40);

		for (uint32_t i = 0; i < ops; i++) {
			uint64_t r = test_random(&b->seed);
			struct model_route *any = b->model.n ? &b->model.route[r % b->model.n] : NULL;
			uint8_t addr[16], len;

			if (any && r >> 32 & 1 && (r >> 33 & 1 || b->model.n > 1500)) {
				struct model_route gone = *any;

				bench_set(b, gone.addr, gone.len, 0);
			} else if (any && !(r >> 32 & 7)) {
				struct model_route same = *any;

				bench_set(b, same.addr, same.len, 1 + (uint32_t)(r >> 40) % 5);
			} else {
				len = random_prefix(b, addr);
				bench_set(b, addr, len, 1 + (uint32_t)(r >> 40) % 50);
			}
		}
		bench_check(b, 60, 60);
	}
	assert_true(b->checks > 100000);
	bench_delete_all(b);
}

/* Set and taken back before the flush; deleted twice; deleted without having been there. */
static void nothing_happens(void **state)
{
	struct bench *b = *state;
	uint8_t addr[16] = { 10, 1, 2, 3 };

	for (uint8_t len = 0; len <= 32; len++) {
		bench_set(b, addr, len, 7);
		bench_set(b, addr, len, 0);
		bench_set(b, addr, len, 0);
	}
	bench_check(b, 0, 100);
	bench_delete_all(b);
	assert_int_equal(fib_set(b->fib, WYE_VRF_MAIN, AF_INET, addr, 33, 1), -EINVAL);
	assert_int_equal(fib_set(b->fib, 0, AF_INET, addr, 24, 1), -EINVAL);
	assert_int_equal(fib_set(b->fib, 9, AF_INET, addr, 24, 1), -EINVAL);
}

static void default_route_changes(void **state)
{
	struct bench *b = *state;
	uint8_t addr[16] = { 0 }, ten[16] = { 10 }, deep[16] = { 10, 1, 2, 3, 4, 5, 6, 7, 8 };

	bench_set(b, ten, 8, 2);
	bench_set(b, deep, 16, 3);
	bench_set(b, deep, 30, 4);
	for (uint32_t id = 10; id < 20; id++) {
		bench_set(b, addr, 0, id);
		bench_check(b, 5, 200);
		if (id % 3)
			continue;
		bench_set(b, addr, 0, 0);
		bench_check(b, 5, 200);
	}
	bench_set(b, ten, 8, 0);
	bench_check(b, 5, 200);
	bench_delete_all(b);
}

/* The file's memory, after a reader has looked at every word of these VRFs' roots. */
static uint64_t looked_at(const struct bench *b, const uint32_t *vrfs, uint32_t n)
{
	const struct region *region = &b->tables->region;
	char path[sizeof(region->dir) + 32];
	struct wye_region *mapped;
	uint32_t said = 0;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/" WYE_FILE_TABLES ".%llu", region->dir, (unsigned long long)region->generation);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	mapped = mmap(NULL, region->size_bytes, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(mapped != MAP_FAILED);
	for (uint32_t i = 0; i < n; i++) {
		struct wye_fib fib = wye_fib_of(mapped, vrfs[i]);

		for (uint32_t slot = 0; slot < WYE_FIB_ROOT_WORDS; slot++)
			said |= wye_read_word(&fib.root4[slot]) | wye_read_word(&fib.root6[slot]);
	}
	assert_true(n || !said);
	munmap(mapped, region->size_bytes);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	return (uint64_t)st.st_blocks * 512;
}

/* On a full file system the first to touch a page dies of SIGBUS: that is never a reader. And no routes, no memory. */
static void roots_are_backed(void **state)
{
	struct bench *b = *state;
	uint8_t addr[16] = { 10, 1, 2 };
	uint64_t before = looked_at(b, NULL, 0);
	uint32_t vrf[3] = { WYE_VRF_MAIN, fib_vrf(b->fib, 100, 5), fib_vrf(b->fib, 101, 6) };

	assert_int_equal(looked_at(b, vrf, 3), before);
	for (uint32_t round = 0; round < 3; round++) {
		assert_int_equal(fib_set(b->fib, vrf[1], AF_INET, addr, 24, 7), 0);
		assert_int_equal(fib_set(b->fib, vrf[1], AF_INET6, addr, 9, 7), 0);
		assert_int_equal(fib_flush(b->fib, 0), 0);
		before = looked_at(b, NULL, 0);
		assert_int_equal(looked_at(b, vrf, 3), before);
		fib_vrf_remove(b->fib, vrf[1]);
		assert_int_equal(looked_at(b, vrf, 3), before);	/* links may still name it */
		assert_true(tables_reclaimed(b->tables, WYE_SECTION_FIB4_ROOT, 0, 1000));
		assert_true(tables_reclaimed(b->tables, WYE_SECTION_VRF, 2, 1000));
		before = looked_at(b, NULL, 0);
		assert_int_equal(looked_at(b, vrf, 3), before);
		vrf[1] = fib_vrf(b->fib, 102 + round, 5);	/* has the same record and, later, the same root */
	}
}

/* Every prefix on the way to one host, put in from both ends and taken out from the middle. */
static void chain(void **state)
{
	struct bench *b = *state;
	uint8_t addr[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0x80, 0xff, 1, 0xa5, 0x5a, 0, 0, 0, 0, 0x7f, 0xfe };
	uint8_t max = b->model.family == AF_INET ? 32 : 128;

	if (max == 32)
		memset(addr + 4, 0, 12);
	for (uint8_t len = 0; len <= max; len++) {
		bench_set(b, addr, len % 2 ? len : (uint8_t)(max - len), 1 + len % 2 * 1000u + len);
		bench_check(b, 20, 5);
	}
	for (uint8_t len = 0; len <= max; len++) {
		bench_set(b, addr, (uint8_t)((len + max / 2) % (max + 1)), 0);
		bench_check(b, 20, 5);
	}
	bench_delete_all(b);
}

/* Stubs and children named by the nodes of the path to addr, which is four nodes long at most. */
static void count_names(const struct bench *b, const uint8_t *addr, uint32_t *stubs, uint32_t *children)
{
	struct wye_fib fib = wye_fib_of(b->tables->region.base, WYE_VRF_MAIN);
	uint32_t word = wye_read_word(&(b->model.family == AF_INET ? fib.root4 : fib.root6)[addr[0] << 8 | addr[1]]);

	*stubs = *children = 0;
	for (int i = 2; word & WYE_FIB_CHILD; i++) {
		const struct wye_fib_node *node = wye_fib_node(&fib, word);

		for (uint32_t k = 0; !(word & WYE_FIB_NARROW) && k < wye_fib_entries(node); k++) {
			uint32_t entry = wye_read_word(wye_fib_word(node, k));

			*stubs += wye_fib_is_stub(entry);
			*children += entry >> 31;
		}
		word = wye_fib_step(&fib, word, addr[i]);
	}
}

/* One prefix below a slot is a stub, two are a node, one is a stub again; whether or not a flush lies between. */
static void stub_and_node(void **state)
{
	struct bench *b = *state;
	uint8_t base[16] = { 0x20, 1, 7 }, one[16] = { 0x20, 1, 7, 0x40 }, two[16] = { 0x20, 1, 7, 0x90 };
	uint32_t stubs, children;

	for (uint32_t round = 0; round < 8; round++) {
		bool between = round & 1;

		bench_set(b, base, 20, round & 2 ? 9 : 0);
		bench_set(b, one, 27, 1 + round);
		bench_check(b, 5, 5);
		count_names(b, one, &stubs, &children);
		assert_int_equal(stubs, 1);
		assert_int_equal(children, 0);
		bench_set(b, two, 28, 2);
		if (between)
			bench_check(b, 5, 5);
		bench_set(b, one, 27, 0);
		bench_set(b, one, 30, 7);
		bench_check(b, 5, 5);
		count_names(b, one, &stubs, &children);
		assert_int_equal(stubs, 0);
		assert_int_equal(children, 1);
		bench_set(b, two, 28, 0);
		if (between)
			bench_check(b, 5, 5);
		bench_set(b, base, 24, round & 4 ? 0 : 11);
		bench_check(b, 5, 5);
		count_names(b, one, &stubs, &children);
		assert_int_equal(stubs, 1);
		bench_set(b, one, 30, round & 4 ? 0 : 8);
		if (between)
			bench_check(b, 5, 5);
		bench_set(b, one, 30, 0);
		bench_check(b, 5, 5);
		count_names(b, one, &stubs, &children);
		assert_int_equal(stubs + children, 0);
	}
	bench_delete_all(b);
}

/* More addresses than take turns together, some of them as deep as can be. */
static void long_batch(void **state)
{
	struct bench *b = *state;
	static uint8_t dst6[500][16];
	static uint32_t dst4[500], ids[500];
	struct wye_fib fib;

	for (uint32_t i = 0; i < 500; i++) {
		uint8_t addr[16], len = random_prefix(b, addr);

		bench_set(b, addr, len, 1 + i);
		memcpy(dst6[i], addr, 16);
		memcpy(&dst4[i], addr, 4);
	}
	bench_check(b, 10, 10);
	fib = wye_fib_of(b->tables->region.base, WYE_VRF_MAIN);
	for (uint32_t n = 0; n <= 500; n += n <= 256 ? 1 : 43) {
		memset(ids, 0xff, sizeof(ids));
		if (b->model.family == AF_INET)
			wye_fib4_lookup_batch(&fib, dst4, ids, n);
		else
			wye_fib6_lookup_batch(&fib, (const uint8_t(*)[16])dst6, ids, n);
		for (uint32_t i = 0; i < 500; i++)
			assert_int_equal(ids[i], i < n ? model_lookup(&b->model, dst6[i]) : UINT32_MAX);
	}
	bench_delete_all(b);
}

/* Vectors whose addresses begin alike, as far as any byte: one walk may answer for all of them, or not. */
static void shared_batch(void **state)
{
	struct bench *b = *state;
	uint32_t width = b->model.family == AF_INET ? 4 : 16;
	static uint8_t dst6[64][16];
	static uint32_t dst4[64], ids[64];
	struct wye_fib fib;

	for (uint32_t i = 0; i < 500; i++) {
		uint8_t addr[16], len = random_prefix(b, addr);

		bench_set(b, addr, len, 1 + i);
	}
	bench_check(b, 10, 10);
	fib = wye_fib_of(b->tables->region.base, WYE_VRF_MAIN);
	for (uint32_t round = 0; round < 4000; round++) {
		uint32_t n = 1 + round % 64, alike = round / 64 % (width + 1);
		uint8_t first[16];

		(void)random_prefix(b, first);
		for (uint32_t i = 0; i < n; i++) {
			(void)random_prefix(b, dst6[i]);
			memcpy(dst6[i], first, alike);
			memcpy(&dst4[i], dst6[i], 4);
		}
		if (width == 4)
			wye_fib4_lookup_batch(&fib, dst4, ids, n);
		else
			wye_fib6_lookup_batch(&fib, (const uint8_t(*)[16])dst6, ids, n);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(ids[i], model_lookup(&b->model, dst6[i]));
	}
	bench_delete_all(b);
}

/* All 511 prefixes of one node, and below each of its slots a child with one route. */
static void dense_node(void **state)
{
	struct bench *b = *state;
	uint8_t addr[16] = { 192, 168 };

	for (uint8_t len = 17; len <= 24; len++) {
		for (uint32_t i = 0; i < 1u << (len - 16); i++) {
			addr[2] = (uint8_t)(i << (24 - len));
			bench_set(b, addr, len, 1 + (i * 7 + len) % 300);
		}
	}
	bench_check(b, 1000, 100);
	for (uint32_t i = 0; i < 256; i++) {
		addr[2] = addr[3] = (uint8_t)i;
		bench_set(b, addr, (uint8_t)(25 + i % 8), 1000 + i);
	}
	bench_check(b, 1000, 100);
	for (uint32_t i = 0; i < 256; i += 2) {
		addr[2] = addr[3] = (uint8_t)i;
		bench_set(b, addr, (uint8_t)(25 + i % 8), 0);
		addr[3] = 0;
		bench_set(b, addr, 24, 0);
	}
	bench_check(b, 1000, 100);
	bench_delete_all(b);
}

static void host_routes6(void **state)
{
	struct bench *b = *state;

	for (uint32_t i = 0; i < 600; i++) {
		uint8_t addr[16] = { 0xfe, 0x80 };

		addr[15] = (uint8_t)i;
		addr[14] = (uint8_t)(i >> 8);
		addr[8] = (uint8_t)(i % 3);
		bench_set(b, addr, 128, 1 + i);
	}
	bench_check(b, 600, 100);
	bench_delete_all(b);
}

/* Two VRFs hold the same prefixes with other ids; removing one leaves the other, and leaks nothing. */
static void vrfs(void **state)
{
	struct bench *b = *state;
	uint32_t red = fib_vrf(b->fib, 100, 5), i;
	struct wye_fib fib;
	uint8_t addr[16] = { 10, 1 };

	assert_int_not_equal(red, 0);
	assert_int_not_equal(red, WYE_VRF_MAIN);
	assert_int_equal(fib_vrf(b->fib, 100, 5), red);
	for (i = 0; i < 200; i++) {
		addr[2] = (uint8_t)i;
		bench_set(b, addr, 24, 1 + i);
		addr[3] = 128;
		assert_int_equal(fib_set(b->fib, red, AF_INET, addr, 25, 5000 + i), 0);
		assert_int_equal(fib_set(b->fib, red, AF_INET6, addr, 64, 6000 + i), 0);
		addr[3] = 0;
	}
	assert_int_equal(fib_set(b->fib, red, AF_INET, addr, 0, 77), 0);
	bench_check(b, 200, 100);
	fib = wye_fib_of(b->tables->region.base, red);
	for (i = 0; i < 200; i++) {
		addr[2] = (uint8_t)i;
		addr[3] = 128;
		assert_int_equal(wye_fib4_lookup(&fib, addr), 5000 + i);
		assert_int_equal(wye_fib6_lookup(&fib, addr), 6000 + i);
		addr[3] = 1;
		assert_int_equal(wye_fib4_lookup(&fib, addr), 77);
	}
	addr[2] = 250;
	addr[3] = 200;
	assert_int_equal(fib_set(b->fib, red, AF_INET, addr, 29, 1), 0);	/* dirty when removed */
	fib_vrf_remove(b->fib, red);
	fib = wye_fib_of(b->tables->region.base, red);
	assert_int_equal(wye_fib4_lookup(&fib, addr), 0);
	assert_int_equal(fib_set(b->fib, red, AF_INET, addr, 29, 1), -EINVAL);
	bench_check(b, 200, 100);
	assert_true(tables_reclaimed(b->tables, WYE_SECTION_VRF, 1, 1000));
	assert_true(tables_reclaimed(b->tables, WYE_SECTION_FIB4_ROOT, 1, 1000));
	red = fib_vrf(b->fib, 101, 6);
	fib = wye_fib_of(b->tables->region.base, red);
	for (i = 0; i < 65536; i++) {	/* the old root, empty again */
		uint8_t any[16] = { (uint8_t)(i >> 8), (uint8_t)i, 1, 1 };

		assert_int_equal(wye_fib4_lookup(&fib, any), 0);
	}
	fib_vrf_remove(b->fib, red);
	bench_delete_all(b);
}

/* A region too small for what is asked says so, stays whole, and takes routes again when others go. */
static void region_full(void **state)
{
	struct bench *b = *state;
	uint32_t capacity = b->tables->region.base->section[WYE_SECTION_FIB_NODE].capacity, left;
	uint32_t hog = region_alloc(&b->tables->region, WYE_SECTION_FIB_NODE, capacity - 100);
	uint8_t addr[16] = { 0 };

	assert_int_not_equal(hog, 0);
	for (uint32_t i = 0; i < 300; i++) {
		addr[0] = (uint8_t)(i >> 8);
		addr[1] = (uint8_t)i;
		bench_set(b, addr, 24, 1 + i);
	}
	left = fib_flush(b->fib, 0);
	assert_int_equal(left, 300 - 99);
	assert_true(b->tables->region.failed);
	tables_check(b->tables);
	for (uint32_t i = 0; i < 300; i++) {
		addr[0] = (uint8_t)(i >> 8);
		addr[1] = (uint8_t)i;
		bench_set(b, addr, 24, i < 50 ? 1 + i : 0);
	}
	while (fib_flush(b->fib, 0))
		region_reclaim(&b->tables->region);
	bench_check(b, 200, 100);
	region_free(&b->tables->region, WYE_SECTION_FIB_NODE, hog, capacity - 100);
	bench_delete_all(b);
}

/*
 * More nexthops than the palette has places, coming and going: nodes are narrow or wide as it happens, answers are
 * right all the same, and a place is given on only when nobody can still read it as the one before (a reader sits
 * in an old epoch most of the time).
 */
static void palette_is_shared_out(void **state)
{
	struct bench *b = *state;
	struct wye_reader_slot *slot = wye_reader_claim(b->tables->control.readers, 1);
	uint32_t narrow = 0, wide = 0;

	assert_non_null(slot);
	atomic_store(&slot->generation, b->tables->region.generation);
	for (uint32_t round = 0; round < 60; round++) {
		wye_reader_online(slot, &b->tables->region.base->epoch);
		for (uint32_t i = 0; i < 200; i++) {
			uint64_t r = test_random(&b->seed);
			uint8_t addr[16] = { 10, (uint8_t)(r % 24), (uint8_t)((r >> 8) % 96) };

			bench_set(b, addr, 24, r >> 60 ? 1 + (uint32_t)(r >> 16) % 20 + round * 20 : 0);
		}
		bench_check(b, 100, 100);
		if (round % 4 == 3)
			wye_reader_offline(slot);
		for (uint32_t i = 0; i < 24; i++) {
			uint32_t word = wye_fib_of(b->tables->region.base, WYE_VRF_MAIN).root4[10 << 8 | i];

			narrow += !!(word & WYE_FIB_NARROW);
			wide += word & WYE_FIB_CHILD && !(word & WYE_FIB_NARROW);
		}
	}
	assert_true(narrow > 100 && wide > 100);
	wye_reader_release(slot);
	bench_delete_all(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_sequence, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(random_sequence, bench_setup6, bench_teardown),
		cmocka_unit_test_setup_teardown(nothing_happens, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(default_route_changes, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(default_route_changes, bench_setup6, bench_teardown),
		cmocka_unit_test_setup_teardown(chain, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(chain, bench_setup6, bench_teardown),
		cmocka_unit_test_setup_teardown(dense_node, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(dense_node, bench_setup6, bench_teardown),
		cmocka_unit_test_setup_teardown(host_routes6, bench_setup6, bench_teardown),
		cmocka_unit_test_setup_teardown(vrfs, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(roots_are_backed, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(region_full, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(palette_is_shared_out, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(stub_and_node, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(stub_and_node, bench_setup6, bench_teardown),
		cmocka_unit_test_setup_teardown(long_batch, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(long_batch, bench_setup6, bench_teardown),
		cmocka_unit_test_setup_teardown(shared_batch, bench_setup, bench_teardown),
		cmocka_unit_test_setup_teardown(shared_batch, bench_setup6, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* See fib_bench.h. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "fib_bench.h"
#include "wye_fib_batch.h"

static void mask(uint8_t *addr, uint8_t len)
{
	for (int i = 0; i < 16; i++) {
		int bits = len - i * 8;

		addr[i] &= bits >= 8 ? 0xff : bits <= 0 ? 0 : (uint8_t)(0xff << (8 - bits));
	}
}

static bool covers(const struct model_route *r, const uint8_t *addr)
{
	uint8_t bytes = r->len / 8, bits = r->len % 8;

	if (memcmp(r->addr, addr, bytes))
		return false;
	return !bits || !((r->addr[bytes] ^ addr[bytes]) >> (8 - bits));
}

uint32_t model_lookup(const struct model *model, const uint8_t *addr)
{
	const struct model_route *best = NULL;

	for (uint32_t i = 0; i < model->n; i++)
		if ((!best || model->route[i].len >= best->len) && covers(&model->route[i], addr))
			best = &model->route[i];
	return best ? best->id : 0;
}

static struct model_route *model_find(struct model *model, const uint8_t *addr, uint8_t len)
{
	for (uint32_t i = 0; i < model->n; i++)
		if (model->route[i].len == len && !memcmp(model->route[i].addr, addr, 16))
			return &model->route[i];
	return NULL;
}

void bench_set(struct bench *b, const uint8_t *prefix, uint8_t len, uint32_t id)
{
	uint8_t addr[16];
	struct model_route *r;

	memcpy(addr, prefix, 16);
	mask(addr, len);
	r = model_find(&b->model, addr, len);
	assert_int_equal(fib_get(b->fib, WYE_VRF_MAIN, b->model.family, addr, len), r ? r->id : 0);
	assert_int_equal(fib_set(b->fib, WYE_VRF_MAIN, b->model.family, prefix, len, id), 0);
	assert_int_equal(fib_get(b->fib, WYE_VRF_MAIN, b->model.family, addr, len), id);
	if (!id) {
		if (r)
			*r = b->model.route[--b->model.n];
		return;
	}
	if (!r) {
		assert_true(b->model.n < MODEL_MAX);
		r = &b->model.route[b->model.n++];
	}
	memcpy(r->addr, addr, 16);
	r->len = len;
	r->id = id;
}

static void check_addr(struct bench *b, const uint8_t *addr)
{
	struct wye_fib fib = wye_fib_of(b->tables->region.base, WYE_VRF_MAIN);
	uint32_t want = model_lookup(&b->model, addr), got, batch;

	if (b->model.family == AF_INET) {
		uint32_t dst;

		memcpy(&dst, addr, 4);
		got = wye_fib4_lookup(&fib, addr);
		wye_fib4_lookup_batch(&fib, &dst, &batch, 1);
	} else {
		got = wye_fib6_lookup(&fib, addr);
		wye_fib6_lookup_batch(&fib, (const uint8_t(*)[16])addr, &batch, 1);
	}
	assert_int_equal(got, want);
	assert_int_equal(batch, want);
	b->checks++;
}

/* First and last address of a prefix, and those just outside it. */
static void check_around(struct bench *b, const struct model_route *r)
{
	int last = b->model.family == AF_INET ? 3 : 15;
	uint8_t addr[16];

	memcpy(addr, r->addr, 16);
	check_addr(b, addr);
	for (int i = last; i >= 0 && !addr[i]--; i--)
		;
	check_addr(b, addr);
	memcpy(addr, r->addr, 16);
	for (int i = 0; i <= last; i++) {
		int bits = r->len - i * 8;

		addr[i] |= bits >= 8 ? 0 : bits <= 0 ? 0xff : (uint8_t)(0xff >> bits);
	}
	check_addr(b, addr);
	for (int i = last; i >= 0 && !++addr[i]; i--)
		;
	check_addr(b, addr);
}

void bench_check(struct bench *b, uint32_t around, uint32_t random)
{
	while (fib_flush(b->fib, 5 + (uint32_t)(test_random(&b->seed) % 200)))	/* states between are states too */
		tables_check(b->tables);
	assert_int_equal(b->tables->region.unpublished, 0);
	tables_check(b->tables);
	for (uint32_t i = 0; b->model.n && i < around; i++)
		check_around(b, &b->model.route[test_random(&b->seed) % b->model.n]);
	for (uint32_t i = 0; i < random; i++) {
		uint8_t addr[16] = { 0 };
		uint64_t word[2] = { test_random(&b->seed), test_random(&b->seed) };

		memcpy(addr, word, b->model.family == AF_INET ? 4 : 16);
		check_addr(b, addr);
	}
	region_reclaim(&b->tables->region);
}

void bench_delete_all(struct bench *b)
{
	while (b->model.n) {
		for (int i = 0; b->model.n && i < 100; i++) {
			struct model_route r = b->model.route[test_random(&b->seed) % b->model.n];

			bench_set(b, r.addr, r.len, 0);
		}
		bench_check(b, 10, 10);
	}
	assert_true(tables_reclaimed(b->tables, WYE_SECTION_FIB_NODE, 0, 1000));
}

int bench_setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->tables = tables_create();
	b->fib = fib_create(&b->tables->region);
	assert_non_null(b->fib);
	for (uint32_t id = 1; id < 8000; id++)	/* ids that the tests set; what they mean does not matter here */
		assert_int_equal(region_alloc(&b->tables->region, WYE_SECTION_NEXTHOP_SLOT, 1), id);
	b->seed = 2;
	b->model.family = AF_INET;
	*state = b;
	return 0;
}

int bench_setup6(void **state)
{
	bench_setup(state);
	((struct bench *)*state)->model.family = AF_INET6;
	return 0;
}

int bench_teardown(void **state)
{
	struct bench *b = *state;

	fib_destroy(b->fib);
	tables_destroy(b->tables);
	free(b);
	return 0;
}

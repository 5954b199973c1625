/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Route identity and order: the sequences of fib_table_insert() and what the kernel's list looks like after each. A
 * route is written as TOS/priority:info.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <linux/netlink.h>

#include "rib.h"

static const uint8_t prefix[16] = { 192, 0, 2, 0 };
static struct rib rib;

static int open_rib(void **state)
{
	return rib_open(&rib, AF_INET, 254, 16);
}

static int close_rib(void **state)
{
	rib_close(&rib);
	return 0;
}

static struct rib_key key_of(uint8_t tos, uint32_t priority)
{
	return (struct rib_key){ .addr = prefix, .len = 24, .tos = tos, .priority = priority };
}

static struct rib_result notified(uint8_t tos, uint32_t priority, uint32_t info, uint16_t flags)
{
	struct rib_key key = key_of(tos, priority);

	return rib_notified4(&rib, &key, info, flags, 1);
}

static struct rib_result dumped(uint8_t tos, uint32_t priority, uint32_t info, uint32_t gen)
{
	struct rib_key key = key_of(tos, priority);

	return rib_dumped4(&rib, &key, info, gen, true);
}

static struct rib_result dumped_by_link(uint8_t tos, uint32_t priority, uint32_t info, uint32_t gen)
{
	struct rib_key key = key_of(tos, priority);

	return rib_dumped4(&rib, &key, info, gen, false);
}

static uint32_t match(uint8_t tos, uint32_t priority, uint32_t info)
{
	struct rib_key key = key_of(tos, priority);

	return rib_match4(&rib, &key, info);
}

static void assert_list(const char *expected)
{
	char list[256] = "";
	size_t n = 0;

	for (uint32_t at = rib_first(&rib, prefix, 24); at; at = rib_route(&rib, at)->next)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%u/%u:%u", n ? " " : "", rib_route(&rib, at)->tos,
				      rib_route(&rib, at)->priority, rib_route(&rib, at)->info);
	assert_string_equal(list, expected);
}

#define NEW    (NLM_F_CREATE | NLM_F_EXCL)
#define APPEND (NLM_F_CREATE | NLM_F_APPEND)

static void priorities_are_whole_numbers(void **state)
{
	notified(0, 300, 1, NEW);
	notified(0, 44, 2, NEW);	/* 300 & 0xff */
	notified(0, 4294967295u, 3, NEW);
	notified(0, 0, 4, NEW);
	notified(0, 256, 5, NEW);
	assert_list("0/0:4 0/44:2 0/256:5 0/300:1 0/4294967295:3");
}

static void tos_sorts_before_priority(void **state)
{
	notified(0, 1, 1, NEW);
	notified(0x10, 500, 2, NEW);
	notified(0x08, 1, 3, NEW);
	assert_list("16/500:2 8/1:3 0/1:1");
}

static void append_prepend_replace(void **state)
{
	notified(0, 10, 1, NEW);
	notified(0, 10, 2, APPEND);
	notified(0, 10, 3, NLM_F_CREATE);
	assert_list("0/10:3 0/10:1 0/10:2");
	assert_true(notified(0, 10, 4, NLM_F_REPLACE).guessed);	/* the first of its class, in place; if it is there */
	assert_list("0/10:4 0/10:1 0/10:2");
	notified(0, 20, 5, NLM_F_CREATE | NLM_F_REPLACE);	/* nothing to replace */
	assert_list("0/10:4 0/10:1 0/10:2 0/20:5");
}

static void an_equal_route_stays_where_it_is(void **state)
{
	struct rib_result result;

	notified(0, 10, 1, NEW);
	notified(0, 10, 2, APPEND);
	result = notified(0, 10, 2, NLM_F_REPLACE);	/* overtaken by the dump that gave it */
	assert_true(result.same);
	result = notified(0, 10, 1, APPEND);
	assert_true(result.same);
	assert_list("0/10:1 0/10:2");
}

static void deletion_means_the_exact_one(void **state)
{
	uint32_t first = notified(0, 10, 1, NEW).index, second = notified(0, 10, 2, APPEND).index;

	assert_int_equal(match(0, 10, 2), second);
	assert_int_equal(match(0, 10, 9), 0);	/* two, neither equal: none */
	assert_int_equal(match(0, 11, 1), 0);
	assert_int_equal(match(8, 10, 1), 0);
	rib_remove(&rib, second);
	assert_int_equal(match(0, 10, 9), first);	/* the only one of its class */
	rib_remove(&rib, first);
	assert_list("");
	assert_int_equal(rib.hash.count, 0);
}

static void removing_the_first_keeps_the_rest(void **state)
{
	uint32_t first = notified(0, 1, 1, NEW).index;

	notified(0, 2, 2, NEW);
	notified(0, 3, 3, NEW);
	rib_remove(&rib, first);
	assert_list("0/2:2 0/3:3");
	rib_remove(&rib, match(0, 3, 3));
	assert_list("0/2:2");
}

static void a_dump_sets_the_order(void **state)
{
	notified(0, 10, 1, NEW);
	notified(0, 10, 2, APPEND);
	notified(0, 10, 3, APPEND);
	dumped(0, 10, 3, 5);
	dumped(0, 10, 4, 5);
	dumped(0, 10, 1, 5);
	dumped(0, 20, 6, 5);
	/* 2 was not in it and waits to be swept */
	assert_list("0/10:3 0/10:4 0/10:1 0/10:2 0/20:6");
	dumped(0, 10, 3, 6);
	dumped(0, 10, 4, 6);
	dumped(0, 10, 1, 6);
	assert_list("0/10:3 0/10:4 0/10:1 0/10:2 0/20:6");
}

static void a_filtered_dump_does_not(void **state)
{
	notified(0, 10, 1, NEW);
	notified(0, 10, 2, APPEND);
	assert_true(dumped_by_link(0, 10, 2, 5).same);
	assert_list("0/10:1 0/10:2");
	assert_true(dumped_by_link(0, 10, 3, 5).unsure);
	assert_false(dumped_by_link(0, 20, 4, 5).unsure);
	assert_list("0/10:1 0/10:2 0/10:3 0/20:4");
}

static void ipv6_routes_of_one_metric_stand_in_order(void **state)
{
	struct rib_key low = key_of(0, 256), high = key_of(0, 1024);
	uint32_t first = rib_put6(&rib, &high, 0, 1, 1).index;

	rib_put6(&rib, &low, 0, 2, 1);
	rib_put6(&rib, &high, 0, 3, 1);
	assert_list("0/256:2 0/1024:1 0/1024:3");
	assert_int_equal(rib_put6(&rib, &high, first, 4, 1).old_info, 1);
	assert_list("0/256:2 0/1024:4 0/1024:3");
}

/* Many prefixes, all there, all gone; growing and tombstones on the way. */
static void a_hundred_thousand_prefixes(void **state)
{
	uint8_t addr[16] = { 10 };
	struct rib_key key = { .addr = addr, .len = 32 };

	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 100000; i++) {
			memcpy(addr, &i, 4);
			assert_int_not_equal(rib_notified4(&rib, &key, i + 1, NEW, 1).index, 0);
		}
		for (uint32_t i = 0; i < 100000; i++) {
			memcpy(addr, &i, 4);
			assert_int_equal(rib_route(&rib, rib_first(&rib, addr, 32))->info, i + 1);
		}
		for (uint32_t i = 0; i < 100000; i++) {
			memcpy(addr, &i, 4);
			rib_remove(&rib, rib_first(&rib, addr, 32));
			assert_int_equal(rib_first(&rib, addr, 32), 0);
		}
	}
	assert_int_equal(rib.pool.count, 0);
	assert_int_equal(rib.hash.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rib, close_rib)
	const struct CMUnitTest tests[] = {
		TEST(priorities_are_whole_numbers), TEST(tos_sorts_before_priority), TEST(append_prepend_replace),
		TEST(an_equal_route_stays_where_it_is), TEST(deletion_means_the_exact_one),
		TEST(removing_the_first_keeps_the_rest), TEST(a_dump_sets_the_order), TEST(a_filtered_dump_does_not),
		TEST(ipv6_routes_of_one_metric_stand_in_order), TEST(a_hundred_thousand_prefixes),
	};

	return cmocka_run_group_tests_name("rib", tests, NULL, NULL);
}

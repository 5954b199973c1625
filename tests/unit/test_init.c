/* SPDX-License-Identifier: BSD-3-Clause */
/* Init functions: sorted whatever order they were linked in, undone in reverse; what cannot be sorted is told by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/init.h"

static char said[256];	/* what was called, in order */
static char why[512];

static void say(const char *what)
{
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s ", what);
}

#define STARTS(x) static int start_##x(struct dpd *dpd) { say("+" #x); return 0; } \
	static void stop_##x(struct dpd *dpd) { say("-" #x); }
STARTS(a)
STARTS(b)
STARTS(own)
STARTS(last)
static void stop_c(struct dpd *dpd) { say("-c"); }

static int start_badly(struct dpd *dpd)
{
	say("!");
	return -EBUSY;
}

static int forgives(const struct init *init, int error)
{
	say("?");
	return error == -EBUSY ? 0 : error;
}

/* The order of these names, or why there is none. */
static const char *sorted(struct init *init, int n, bool backwards)
{
	struct init *order[INIT_MAX];
	int error;

	said[0] = why[0] = '\0';
	for (int i = 0; i < n; i++)
		init_add(&init[backwards ? n - 1 - i : i]);
	error = init_sort(order, why, sizeof(why));
	for (int i = 0; i < n; i++)
		init_remove(&init[i]);
	assert_true(error == n || (error == -EINVAL && why[0]));
	for (int i = 0; i < error; i++)
		say(order[i]->name);
	return error < 0 ? why : said;
}

static void one_order_whatever_the_linker_does(void **state)
{
	struct init init[] = {
		{ .name = "workers", .after = INIT_NAMES("eal", "ports") }, { .name = "ports", .after = INIT_NAMES("eal") },
		{ .name = "eal" }, { .name = "block", .before = INIT_NAMES("eal") }, { .name = "alone" },
	};

	assert_string_equal(sorted(init, 5, false), "alone block eal ports workers ");
	assert_string_equal(sorted(init, 5, true), "alone block eal ports workers ");
}

static void rings_are_named(void **state)
{
	struct init init[] = {
		{ .name = "a", .after = INIT_NAMES("b") }, { .name = "b", .after = INIT_NAMES("c") },
		{ .name = "c", .before = INIT_NAMES("d") }, { .name = "d", .before = INIT_NAMES("b"), .after = INIT_NAMES("a") },
	};

	for (int backwards = 0; backwards < 2; backwards++) {
		const char *text = sorted(init, 4, backwards);

		assert_non_null(strstr(text, "wait for each other: "));
		assert_non_null(strstr(text, "\"a\" after \"b\""));
		assert_null(strstr(text, "\"c\"")); /* waits for none: not part of it */
	}
	init[0].after = INIT_NAMES("a");
	assert_non_null(strstr(sorted(init, 1, false), "\"a\" after \"a\""));
}

static void unknown_and_double_names_are_named(void **state)
{
	struct init init[] = { { .name = "punt", .after = INIT_NAMES("eel") }, { .name = "eal" } };

	assert_string_equal(sorted(init, 2, false), "init function \"punt\" is to come after \"eel\", which there is not");
	init[0] = (struct init){ .name = "punt", .before = INIT_NAMES("eel") };
	assert_string_equal(sorted(init, 2, false), "init function \"punt\" is to come before \"eel\", which there is not");
	init[0] = (struct init){ .name = "eal" };
	assert_string_equal(sorted(init, 2, false), "two init functions are called \"eal\"");
}

static void too_many_are_refused(void **state)
{
	static struct init init[INIT_MAX + 1];
	static char name[INIT_MAX + 1][8];
	struct init *order[INIT_MAX];

	for (int i = 0; i <= INIT_MAX; i++) {
		snprintf(name[i], sizeof(name[i]), "i%d", i);
		init[i] = (struct init){ .name = name[i] };
		init_add(&init[i]);
	}
	assert_int_equal(init_sort(order, why, sizeof(why)), -EINVAL);
	init_remove(&init[0]);
	assert_int_equal(init_sort(order, why, sizeof(why)), INIT_MAX);
	for (int i = 1; i <= INIT_MAX; i++)
		init_remove(&init[i]);
}

static void noted(struct dpd *dpd, struct init *const *started, uint32_t n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u:%s", n, started[n - 1]->name);
	say(text);
}

static void undone_in_reverse(void **state)
{
	struct init init[] = {
		{ .name = "a", .start = start_a, .stop = stop_a },
		{ .name = "b", .start = start_b, .stop = stop_b, .after = INIT_NAMES("a") },
		{ .name = "c", .stop = stop_c, .after = INIT_NAMES("b") },
		{ .name = "d", .start = start_badly, .stop = stop_c, .after = INIT_NAMES("c") },
	};

	said[0] = '\0';
	for (int i = 0; i < 3; i++)
		init_add(&init[i]);
	assert_int_equal(init_start(NULL, noted, why, sizeof(why)), 0);
	init_stop(NULL);
	assert_string_equal(said, "+a 1:a +b 2:b 3:c -c -b -a ");
	init_stop(NULL); /* nothing is left to undo */
	assert_string_equal(said, "+a 1:a +b 2:b 3:c -c -b -a ");

	said[0] = '\0';
	init_add(&init[3]);
	assert_int_equal(init_start(NULL, NULL, why, sizeof(why)), -EBUSY);
	assert_string_equal(said, "+a +b ! -c -b -a ");
	assert_string_equal(why, "d: Device or resource busy");

	said[0] = '\0';
	init[3].failed = forgives;
	assert_int_equal(init_start(NULL, NULL, why, sizeof(why)), 0); /* it can be done without */
	init_stop(NULL);
	assert_string_equal(said, "+a +b ! ? -c -b -a ");
	for (int i = 0; i < 4; i++)
		init_remove(&init[i]);
}

static struct init some[4];

static int withdraws(const struct init *init, int error)
{
	struct init *const all[] = { &some[0], &some[1], &some[2], &some[3] };

	init_withdraw(NULL, all, 4);
	return 0;
}

/* Of those that belong together the third cannot start: the first two are undone at once, the fourth is never started. */
static void withdrawn_together(void **state)
{
	struct init own[] = {
		{ .name = "own", .start = start_own, .stop = stop_own, .after = INIT_NAMES("s1"), .before = INIT_NAMES("s3") },
		{ .name = "last", .start = start_last, .stop = stop_last, .after = INIT_NAMES("s4") },
	};

	some[0] = (struct init){ .name = "s1", .start = start_a, .stop = stop_a };
	some[1] = (struct init){ .name = "s2", .start = start_b, .stop = stop_b, .after = INIT_NAMES("own") };
	some[2] = (struct init){ .name = "s3", .start = start_badly, .stop = stop_c, .failed = withdraws, .after = INIT_NAMES("s2") };
	some[3] = (struct init){ .name = "s4", .start = start_badly, .stop = stop_c, .after = INIT_NAMES("s3") };
	said[0] = '\0';
	for (int i = 0; i < 4; i++)
		init_add(&some[i]);
	for (int i = 0; i < 2; i++)
		init_add(&own[i]);
	assert_int_equal(init_start(NULL, NULL, why, sizeof(why)), 0);
	assert_string_equal(said, "+a +own +b ! -b -a +last ");
	init_stop(NULL);
	assert_string_equal(said, "+a +own +b ! -b -a +last -last -own ");
	for (int i = 0; i < 4; i++)
		init_remove(&some[i]);
	for (int i = 0; i < 2; i++)
		init_remove(&own[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_order_whatever_the_linker_does),
		cmocka_unit_test(rings_are_named),
		cmocka_unit_test(unknown_and_double_names_are_named),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(undone_in_reverse),
		cmocka_unit_test(withdrawn_together),
	};

	return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}

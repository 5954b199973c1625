/* SPDX-License-Identifier: BSD-3-Clause */
/* The reason tables: complete, in lower case, no name twice, verdicts as listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#include "wye_stats.h"

static void names_are_lower_case(void **state)
{
	for (int i = 0; i < WYE_REASON_COUNT; i++) {
		assert_non_null(wye_reason_name[i]);
		assert_true(wye_reason_name[i][0]);
		for (const char *at = wye_reason_name[i]; *at; at++)
			assert_true(islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_');
	}
	assert_string_equal(wye_reason_name[WYE_REASON_IP4_FORWARD_TTL], "ip4_forward_ttl");
	assert_string_equal(wye_reason_name[WYE_REASON_PUNT_TAP], "punt_tap");
}

static void names_differ(void **state)
{
	for (int i = 0; i < WYE_REASON_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(wye_reason_name[i], wye_reason_name[j]);
}

static void texts_and_verdicts_are_there(void **state)
{
	for (int i = 0; i < WYE_REASON_COUNT; i++) {
		assert_true(strlen(wye_reason_text[i]) > 3);
		assert_in_range(wye_reason_verdict[i], WYE_VERDICT_PUNT, WYE_VERDICT_DROP);
	}
	assert_int_equal(wye_reason_verdict[WYE_REASON_IP4_FORWARD_TTL], WYE_VERDICT_PUNT);
	assert_int_equal(wye_reason_verdict[WYE_REASON_IP4_FORWARD_BLACKHOLE], WYE_VERDICT_DROP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_lower_case),
		cmocka_unit_test(names_differ),
		cmocka_unit_test(texts_and_verdicts_are_there),
	};

	return cmocka_run_group_tests_name("reasons", tests, NULL, NULL);
}

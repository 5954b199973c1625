/* SPDX-License-Identifier: BSD-3-Clause */
/* What wye prints is JSON whatever is in the tables (jansson judges), and text is aligned and safe for a terminal. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "output.h"

static struct out out;
static char *text;
static size_t len;

static void begin(bool json, bool pretty)
{
	out_init(&out, open_memstream(&text, &len), json, pretty, false);
}

static const char *end(void)
{
	FILE *file = out.file;

	assert_int_equal(out_end(&out), 0);
	fclose(file);
	return text;
}

static int drop(void **state)
{
	free(text);
	text = NULL;
	return 0;
}

static void some_json(void)
{
	out_array(&out, NULL);
	for (int i = 0; i < 3; i++) {
		out_object(&out, NULL);
		out_str(&out, "name", "a\"b\\c\n\x01\x7f");
		out_uint(&out, "big", INT64_MAX);
		out_int(&out, "small", -1);
		out_bool(&out, "yes", true);
		out_null(&out, "nothing");
		out_array(&out, "empty");
		out_array_end(&out);
		out_object(&out, "deep");
		out_real(&out, "x", 0.5);
		out_object_end(&out);
		out_object_end(&out);
	}
	out_array_end(&out);
}

static void json_is_valid(void **state)
{
	for (int pretty = 0; pretty < 2; pretty++) {
		json_t *json, *first;

		begin(true, pretty);
		some_json();
		json = json_loads(end(), 0, NULL);
		assert_non_null(json);
		assert_int_equal(json_array_size(json), 3);
		first = json_array_get(json, 2);
		assert_string_equal(json_string_value(json_object_get(first, "name")), "a\"b\\c\n\x01\x7f");
		assert_int_equal(json_integer_value(json_object_get(first, "small")), -1);
		assert_non_null(strstr(text, "9223372036854775807"));
		assert_int_equal(json_object_size(first), 7);
		json_decref(json);
		drop(state);
	}
}

/* Bytes that are not UTF-8 (RFC 3629: cut short, overlong, surrogates, above U+10FFFF) become U+FFFD, the rest stays. */
static void json_bad_utf8(void **state)
{
	static const char *const bad[] = { "\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82" };
	static const char *const good[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };

	for (size_t i = 0; i < 6 + 3; i++) {
		const char *value = i < 6 ? bad[i] : good[i - 6];
		json_t *json;

		begin(true, false);
		out_array(&out, NULL);
		out_str(&out, NULL, value);
		out_array_end(&out);
		json = json_loads(end(), 0, NULL);
		assert_non_null(json);
		if (i < 6)
			assert_memory_equal(json_string_value(json_array_get(json, 0)), "\xef\xbf\xbd", 3);
		else
			assert_string_equal(json_string_value(json_array_get(json, 0)), value);
		json_decref(json);
		drop(state);
	}
}

static const struct out_column columns[] = {
	{ "name", "NAME", false }, { "n", "N", true }, { "hidden", NULL, true }, { NULL, "TEXT", false },
};

static void some_rows(void)
{
	out_table(&out, NULL, columns, 4);
	for (unsigned i = 0; i < 2; i++) {
		out_row(&out);
		out_cell_str(&out, i ? "\xc3\xa9t\xc3\xa9" : "a-long-name");
		out_cell_uint(&out, i ? 7 : 12345);
		out_cell_uint(&out, 99);
		out_cell_list(&out, (const char *const[]){ "x", "y" }, 2 * i);
		out_row_end(&out);
	}
	out_table_end(&out);
}

static void table_is_aligned(void **state)
{
	begin(false, false);
	some_rows();
	assert_string_equal(end(), "NAME             N  TEXT\n"
				   "a-long-name  12345  -\n"
				   "\xc3\xa9t\xc3\xa9              7  x,y\n");
}

static void table_as_json(void **state)
{
	begin(true, false);
	some_rows();
	assert_string_equal(end(), "[{\"name\":\"a-long-name\",\"n\":12345,\"hidden\":99},\n"
				   "{\"name\":\"\xc3\xa9t\xc3\xa9\",\"n\":7,\"hidden\":99}]\n");
}

static void terminal_is_safe(void **state)
{
	begin(false, false);
	out_printf(&out, "%s", "a\033[2Jb\r\x7f\n");
	assert_string_equal(end(), "a?[2Jb??\n");
}

static void documents_one_a_line(void **state)
{
	begin(true, false);
	for (int i = 0; i < 2; i++) {
		out_object(&out, NULL);
		out_object_end(&out);
		out_document_end(&out);
	}
	assert_string_equal(end(), "{}\n{}\n");
}

static void failed_write_is_told(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		skip();
	out_init(&out, full, true, false, false);
	out_array(&out, NULL);
	out_array_end(&out);
	assert_int_equal(out_end(&out), -ENOSPC);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_valid),
		cmocka_unit_test(json_bad_utf8),
		cmocka_unit_test_teardown(table_is_aligned, drop),
		cmocka_unit_test_teardown(table_as_json, drop),
		cmocka_unit_test_teardown(terminal_is_safe, drop),
		cmocka_unit_test_teardown(documents_one_a_line, drop),
		cmocka_unit_test(failed_write_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The output of the operator's command; output.h says how. This file: the buffer, JSON and plain text. */
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void no_memory(void)
{
	fprintf(stderr, "wye: out of memory\n");
	exit(1);
}

void out_init(struct out *out, FILE *file, bool json, bool pretty, bool colour)
{
	*out = (struct out){ .file = file, .json = json, .pretty = pretty, .colour = colour && !json };
}

static void put(struct out *out, const char *bytes, size_t n)
{
	if (out->capacity - out->len < n + 1) {
		size_t capacity = (out->capacity + n + 1) * 2;
		char *text = realloc(out->text, capacity);

		if (!text)
			no_memory();
		out->text = text;
		out->capacity = capacity;
	}
	memcpy(out->text + out->len, bytes, n);
	out->len += n;
}

static void put_char(struct out *out, char c)
{
	put(out, &c, 1);
}

int out_flush(struct out *out)
{
	if (!out->error && out->len && (fwrite(out->text, 1, out->len, out->file) != out->len || fflush(out->file)))
		out->error = errno ? errno : EIO;
	out->len = 0;
	return -out->error;
}

int out_document_end(struct out *out)
{
	if (out->json && out->has_members)
		put_char(out, '\n');
	out->has_members = 0;
	return out_flush(out);
}

int out_end(struct out *out)
{
	int err = out_document_end(out);

	free(out->text);
	free(out->table.cell);
	free(out->table.cells);
	out->text = NULL;
	out->table.cell = NULL;
	out->table.cells = NULL;
	return err;
}

/* ---- JSON ---- */

/* Bytes of the UTF-8 sequence that starts at s, 0 = it is none. RFC 3629 section 4. */
static size_t utf8_len(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xC2 && s[0] <= 0xDF && (s[1] & 0xC0) == 0x80)
		return 2;
	if ((s[0] & 0xF0) == 0xE0 && (s[1] & 0xC0) == 0x80 && (s[2] & 0xC0) == 0x80 && !(s[0] == 0xE0 && s[1] < 0xA0) &&
	    !(s[0] == 0xED && s[1] > 0x9F))
		return 3;
	if (s[0] >= 0xF0 && s[0] <= 0xF4 && (s[1] & 0xC0) == 0x80 && (s[2] & 0xC0) == 0x80 && (s[3] & 0xC0) == 0x80 &&
	    !(s[0] == 0xF0 && s[1] < 0x90) && !(s[0] == 0xF4 && s[1] > 0x8F))
		return 4;
	return 0;
}

static void put_quoted(struct out *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	char escape[8];

	put_char(out, '"');
	while (*s) {
		size_t n = 0;

		while (s[n] >= 0x20 && s[n] < 0x7F && s[n] != '"' && s[n] != '\\')
			n++;
		put(out, (const char *)s, n);
		s += n;
		if (!*s)
			break;
		n = utf8_len(s);
		if (*s == '"' || *s == '\\') {
			put_char(out, '\\');
			put_char(out, (char)*s);
		} else if (*s < 0x20 || *s == 0x7F) {
			snprintf(escape, sizeof(escape), "\\u%04x", *s);
			put(out, escape, 6);
		} else if (n) {
			put(out, (const char *)s, n);
		} else {
			put(out, "\xEF\xBF\xBD", 3);
		}
		s += n ? n : 1;
	}
	put_char(out, '"');
}

static void indent(struct out *out)
{
	put_char(out, '\n');
	for (uint32_t i = 0; i < out->depth; i++)
		put(out, "    ", 4);
}

/* Comma, line break and key before a value. */
static void put_key(struct out *out, const char *key)
{
	uint64_t bit = 1ULL << (out->depth & 63);

	if (out->has_members & bit)
		put_char(out, ',');
	out->has_members |= bit;
	if (out->pretty && out->depth)
		indent(out);
	if (key) {
		put_quoted(out, key);
		put(out, ": ", out->pretty ? 2 : 1);
	}
}

static void open_bracket(struct out *out, const char *key, char bracket)
{
	if (!out->json)
		return;
	/* One element of the outermost array a line, so that line tools can look at a big answer. */
	if (!out->pretty && out->depth == 1 && !key && out->has_members & 2) {
		put(out, ",\n", 2);
		out->has_members &= ~2ULL;
	}
	put_key(out, key);
	put_char(out, bracket);
	out->depth++;
	out->has_members &= ~(1ULL << (out->depth & 63));
}

static void close_bracket(struct out *out, char bracket)
{
	bool empty;

	if (!out->json)
		return;
	empty = !(out->has_members & 1ULL << (out->depth & 63));
	out->depth--;
	if (out->pretty && !empty)
		indent(out);
	put_char(out, bracket);
}

void out_array(struct out *out, const char *key)
{
	open_bracket(out, key, '[');
}

void out_array_end(struct out *out)
{
	close_bracket(out, ']');
}

void out_object(struct out *out, const char *key)
{
	open_bracket(out, key, '{');
}

void out_object_end(struct out *out)
{
	close_bracket(out, '}');
}

void out_str(struct out *out, const char *key, const char *value)
{
	if (!out->json)
		return;
	put_key(out, key);
	put_quoted(out, value);
}

static void put_number(struct out *out, const char *key, const char *digits)
{
	if (!out->json)
		return;
	put_key(out, key);
	put(out, digits, strlen(digits));
}

void out_uint(struct out *out, const char *key, uint64_t value)
{
	char digits[24], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do
		*--p = (char)('0' + value % 10);
	while (value /= 10);
	put_number(out, key, p);
}

void out_int(struct out *out, const char *key, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, value);
	put_number(out, key, digits);
}

void out_real(struct out *out, const char *key, double value)
{
	char digits[400];

	snprintf(digits, sizeof(digits), "%.3f", isfinite(value) ? value : 0);
	put_number(out, key, digits);
}

void out_bool(struct out *out, const char *key, bool value)
{
	put_number(out, key, value ? "true" : "false");
}

void out_null(struct out *out, const char *key)
{
	put_number(out, key, "null");
}

/* ---- text ---- */

static const char *const colour_codes[] = {
	[OUT_PLAIN] = "",
	[OUT_GOOD] = "\033[32m",
	[OUT_POOR] = "\033[33m",
	[OUT_BAD] = "\033[31m",
	[OUT_NAME] = "\033[36m",
	[OUT_ADDRESS] = "\033[35m",
	[OUT_CLEAR] = "\033[H\033[2J",
};

/* Terminals obey control characters; names in shared memory may hold any. */
static void put_clean(struct out *out, const char *text)
{
	size_t start = out->len;

	put(out, text, strlen(text));
	for (size_t i = start; i < out->len; i++)
		if (((unsigned char)out->text[i] < 0x20 && out->text[i] != '\n' && out->text[i] != '\t') ||
		    out->text[i] == 0x7F)
			out->text[i] = '?';
}

void out_puts(struct out *out, const char *text)
{
	if (!out->json)
		put_clean(out, text);
}

void out_printf(struct out *out, const char *format, ...)
{
	char text[2048];
	va_list args;

	if (out->json)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_clean(out, text);
}

void out_coloured(struct out *out, enum out_colour colour, const char *text)
{
	bool on = out->colour && colour != OUT_PLAIN;

	if (out->json)
		return;
	if (on)
		put(out, colour_codes[colour], strlen(colour_codes[colour]));
	put_clean(out, text);
	if (on)
		put(out, "\033[0m", 4);
}

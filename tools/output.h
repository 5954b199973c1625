/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the operator's command prints: JSON as a stream, or text as lines and aligned tables.
 *
 * Everything is gathered in memory and leaves the process only in out_flush(), because that can block (a pager, a
 * slow terminal) and a command that is an online reader of a tables region must never block: the writer would wait
 * for it. JSON is written element by element, so a million routes need no document in memory. On memory exhaustion
 * the process ends with a message: nothing here is worth carrying on for.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum out_colour { OUT_PLAIN, OUT_GOOD, OUT_POOR, OUT_BAD, OUT_NAME, OUT_ADDRESS, OUT_CLEAR /* the screen */ };

struct out_column {
	const char *key;	/* in JSON; NULL: in text only */
	const char *header;	/* in text; NULL: in JSON only */
	bool right;		/* numbers */
};

struct out_cell {
	size_t at;	/* offset of the text in `cells` */
	uint32_t width;	/* characters on the screen */
	enum out_colour colour;
};

struct out {
	FILE *file;
	bool json, pretty, colour;
	int error;		/* first errno of a write, 0 = none */
	char *text;		/* not yet written; owned */
	size_t len, capacity;
	uint32_t depth;		/* open objects and arrays */
	uint64_t has_members;	/* bit d: the object or array at depth d has one already */
	struct {		/* the table being gathered in text mode */
		const struct out_column *columns;
		size_t n_columns, column;
		struct out_cell *cell;	/* owned */
		size_t n_cells, cell_capacity;
		char *cells;		/* owned */
		size_t cells_len, cells_capacity;
	} table;
};

void out_init(struct out *out, FILE *file, bool json, bool pretty, bool colour);
/* Writes what was gathered. Only while the caller is not an online reader. 0 or -errno. */
int out_flush(struct out *out);
/* Ends the JSON document with a newline and flushes; another may follow. 0 or -errno. */
int out_document_end(struct out *out);
/* Ends the JSON document with a newline, flushes, frees. 0 or -errno of the first failed write. */
int out_end(struct out *out);

/* ---- JSON; each a no-op in text mode. key NULL: element of an array. ---- */
void out_array(struct out *out, const char *key);
void out_array_end(struct out *out);
void out_object(struct out *out, const char *key);
void out_object_end(struct out *out);
void out_str(struct out *out, const char *key, const char *value);	/* bytes that are not UTF-8 become U+FFFD */
void out_uint(struct out *out, const char *key, uint64_t value);
void out_int(struct out *out, const char *key, int64_t value);
void out_real(struct out *out, const char *key, double value);
void out_bool(struct out *out, const char *key, bool value);
void out_null(struct out *out, const char *key);

/* ---- text; each a no-op in JSON mode. Control characters in strings become '?'. ---- */
void out_puts(struct out *out, const char *text);
void out_printf(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void out_coloured(struct out *out, enum out_colour colour, const char *text);

/* ---- a list of like things: a table in text, an array of objects in JSON. Cells come in the columns' order. ---- */
void out_table(struct out *out, const char *key, const struct out_column *columns, size_t n_columns);
void out_table_end(struct out *out);
void out_row(struct out *out);
void out_row_end(struct out *out);
void out_cell_str(struct out *out, const char *value);	/* NULL or "": no key in JSON, "-" in text */
void out_cell_state(struct out *out, enum out_colour colour, const char *value);
void out_cell_uint(struct out *out, uint64_t value);
void out_cell_real(struct out *out, double value, int decimals);
void out_cell_bool(struct out *out, bool value);	/* "yes", "no" */
void out_cell_list(struct out *out, const char *const *items, size_t n_items);	/* array; "a,b" */
void out_cell_none(struct out *out);

#endif

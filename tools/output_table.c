/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables: one description of the columns gives an array of objects in JSON, written at once, and aligned columns in
 * text, gathered until the widths are known.
 */
#include <stdlib.h>
#include <string.h>

#include "output.h"

void out_table(struct out *out, const char *key, const struct out_column *columns, size_t n_columns)
{
	out_array(out, key);
	out->table.columns = columns;
	out->table.n_columns = n_columns;
	out->table.n_cells = 0;
	out->table.cells_len = 0;
}

void out_row(struct out *out)
{
	out_object(out, NULL);
	out->table.column = 0;
}

void out_row_end(struct out *out)
{
	out_object_end(out);
}

static void *grow(void *memory, size_t *capacity, size_t needed, size_t item_bytes)
{
	if (needed <= *capacity)
		return memory;
	*capacity = needed * 2;
	memory = realloc(memory, *capacity * item_bytes);
	if (!memory) {
		fprintf(stderr, "wye: out of memory\n");
		exit(1);
	}
	return memory;
}

static uint32_t width_of(const char *text)
{
	uint32_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xC0) != 0x80;
	return width;
}

/* The JSON key of the cell to come, NULL where it has none there; steps on. */
static const char *next_key(struct out *out)
{
	return out->table.columns[out->table.column++].key;
}

static void keep(struct out *out, enum out_colour colour, const char *text)
{
	const struct out_column *column = &out->table.columns[out->table.column++];
	size_t len = strlen(text) + 1;

	if (!column->header)
		return;
	out->table.cell = grow(out->table.cell, &out->table.cell_capacity, out->table.n_cells + 1,
			       sizeof(struct out_cell));
	out->table.cells = grow(out->table.cells, &out->table.cells_capacity, out->table.cells_len + len, 1);
	memcpy(out->table.cells + out->table.cells_len, text, len);
	out->table.cell[out->table.n_cells++] = (struct out_cell){
		.at = out->table.cells_len, .width = width_of(text), .colour = colour };
	out->table.cells_len += len;
}

void out_cell_state(struct out *out, enum out_colour colour, const char *value)
{
	const char *key;

	if (!out->json) {
		keep(out, value && *value ? colour : OUT_PLAIN, value && *value ? value : "-");
		return;
	}
	key = next_key(out);
	if (key && value && *value)
		out_str(out, key, value);
}

void out_cell_str(struct out *out, const char *value)
{
	out_cell_state(out, OUT_PLAIN, value);
}

void out_cell_none(struct out *out)
{
	out_cell_state(out, OUT_PLAIN, NULL);
}

void out_cell_uint(struct out *out, uint64_t value)
{
	char text[24];
	const char *key;

	if (!out->json) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
		keep(out, OUT_PLAIN, text);
		return;
	}
	key = next_key(out);
	if (key)
		out_uint(out, key, value);
}

void out_cell_real(struct out *out, double value, int decimals)
{
	char text[400];
	const char *key;

	if (!out->json) {
		snprintf(text, sizeof(text), "%.*f", decimals, value);
		keep(out, OUT_PLAIN, text);
		return;
	}
	key = next_key(out);
	if (key)
		out_real(out, key, value);
}

void out_cell_bool(struct out *out, bool value)
{
	const char *key;

	if (!out->json) {
		keep(out, OUT_PLAIN, value ? "yes" : "no");
		return;
	}
	key = next_key(out);
	if (key)
		out_bool(out, key, value);
}

void out_cell_list(struct out *out, const char *const *items, size_t n_items)
{
	char text[1024] = "";
	const char *key;
	size_t len = 0;

	if (!out->json) {
		for (size_t i = 0; i < n_items && len < sizeof(text); i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : "", items[i]);
		keep(out, OUT_PLAIN, n_items ? text : "-");
		return;
	}
	key = next_key(out);
	if (!key)
		return;
	out_array(out, key);
	for (size_t i = 0; i < n_items; i++)
		out_str(out, NULL, items[i]);
	out_array_end(out);
}

/* ---- text: widths, then lines ---- */

static size_t text_columns(const struct out *out, const struct out_column **shown, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < out->table.n_columns && n < max; i++)
		if (out->table.columns[i].header)
			shown[n++] = &out->table.columns[i];
	return n;
}

static void put_padded(struct out *out, const char *text, uint32_t own_width, uint32_t width, bool right, bool last,
		       enum out_colour colour)
{
	uint32_t pad = width > own_width ? width - own_width : 0;

	if (right)
		out_printf(out, "%*s", (int)pad, "");
	out_coloured(out, colour, text);
	if (!right && !last)
		out_printf(out, "%*s", (int)pad, "");
	out_puts(out, last ? "\n" : "  ");
}

void out_table_end(struct out *out)
{
	const struct out_column *shown[32];
	uint32_t width[32] = { 0 };
	size_t n = text_columns(out, shown, 32);

	out_array_end(out);
	if (out->json || !n)
		return;
	for (size_t i = 0; i < n; i++)
		width[i] = width_of(shown[i]->header);
	for (size_t i = 0; i < out->table.n_cells; i++)
		if (out->table.cell[i].width > width[i % n])
			width[i % n] = out->table.cell[i].width;
	for (size_t i = 0; i < n; i++)
		put_padded(out, shown[i]->header, width_of(shown[i]->header), width[i], shown[i]->right, i == n - 1,
			   OUT_PLAIN);
	for (size_t i = 0; i < out->table.n_cells; i++) {
		const struct out_cell *cell = &out->table.cell[i];

		put_padded(out, out->table.cells + cell->at, cell->width, width[i % n], shown[i % n]->right,
			   i % n == n - 1, cell->colour);
	}
}

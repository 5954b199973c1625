/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DOT, and SVG by a layered layout: a node stands right of all that send to it, where packets end in the last column;
 * within a column nodes stand by the mean height of what sends to them. Good for the dozen nodes there are.
 */
#include "graph_draw.h"

#include <stdlib.h>
#include <string.h>

enum { BOX_HEIGHT = 28, GAP_X = 96, GAP_Y = 20, MARGIN = 16, CHAR_WIDTH = 8 };	/* pixels */

struct drawing {
	const struct wye_stats *info;
	uint32_t n, n_columns, n_rows;
	uint32_t order[WYE_NODES_MAX];	/* nodes by name, then by column and row */
	uint32_t column[WYE_NODES_MAX], row[WYE_NODES_MAX];
	uint32_t rows[WYE_NODES_MAX];	/* of each column */
	double height[WYE_NODES_MAX];	/* mean row of those before it */
	uint32_t box_width;
};

bool graph_has_edge(const struct wye_stats *info, uint32_t from, uint32_t to)
{
	return info->node_next[from][to / 32] >> to % 32 & 1;
}

/* ---- layout ---- */

static int by_name(const void *a, const void *b, void *drawing)
{
	const struct wye_stats *info = ((struct drawing *)drawing)->info;

	return strcmp(info->node[*(const uint32_t *)a], info->node[*(const uint32_t *)b]);
}

static int by_place(const void *a, const void *b, void *of)
{
	const struct drawing *drawing = of;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (drawing->column[x] != drawing->column[y])
		return drawing->column[x] < drawing->column[y] ? -1 : 1;
	if (drawing->height[x] < drawing->height[y] || drawing->height[x] > drawing->height[y])
		return drawing->height[x] < drawing->height[y] ? -1 : 1;
	return by_name(a, b, of);
}

/* As far right as the longest way to it. A ring, which no graph should have, ends the search all the same. */
static void place_columns(struct drawing *drawing)
{
	bool moved = true;

	for (uint32_t turn = 0; moved && turn < drawing->n; turn++) {
		moved = false;
		for (uint32_t from = 0; from < drawing->n; from++)
			for (uint32_t to = 0; to < drawing->n; to++)
				if (graph_has_edge(drawing->info, from, to) && drawing->column[to] <= drawing->column[from] &&
				    drawing->column[from] + 1 < drawing->n) {
					drawing->column[to] = drawing->column[from] + 1;
					moved = true;
				}
	}
	for (uint32_t i = 0; i < drawing->n; i++)
		if (drawing->column[i] >= drawing->n_columns)
			drawing->n_columns = drawing->column[i] + 1;
}

static bool is_last(const struct drawing *drawing, uint32_t node)
{
	for (uint32_t to = 0; to < drawing->n; to++)
		if (graph_has_edge(drawing->info, node, to))
			return false;
	return true;
}

static double mean_row_before(const struct drawing *drawing, uint32_t node)
{
	uint32_t n = 0, sum = 0;

	for (uint32_t from = 0; from < drawing->n; from++)
		if (graph_has_edge(drawing->info, from, node) && drawing->column[from] < drawing->column[node]) {
			sum += drawing->row[from];
			n++;
		}
	return n ? (double)sum / n : 0;
}

static void place_rows(struct drawing *drawing)
{
	for (uint32_t column = 0; column < drawing->n_columns; column++) {
		uint32_t row = 0;

		for (uint32_t i = 0; i < drawing->n; i++)
			if (drawing->column[i] == column)
				drawing->height[i] = mean_row_before(drawing, i);
		qsort_r(drawing->order, drawing->n, sizeof(drawing->order[0]), by_place, drawing);
		for (uint32_t i = 0; i < drawing->n; i++)
			if (drawing->column[drawing->order[i]] == column)
				drawing->row[drawing->order[i]] = row++;
		drawing->rows[column] = row;
		drawing->n_rows = row > drawing->n_rows ? row : drawing->n_rows;
	}
}

static void lay_out(struct drawing *drawing, const struct wye_stats *info)
{
	size_t longest = 0;

	*drawing = (struct drawing){ .info = info, .n = info->n_nodes };
	for (uint32_t i = 0; i < drawing->n; i++) {
		drawing->order[i] = i;
		longest = strlen(info->node[i]) > longest ? strlen(info->node[i]) : longest;
	}
	drawing->box_width = (uint32_t)longest * CHAR_WIDTH + 24;
	qsort_r(drawing->order, drawing->n, sizeof(drawing->order[0]), by_name, drawing);
	place_columns(drawing);
	for (uint32_t i = 0; i < drawing->n; i++)
		if (is_last(drawing, i))
			drawing->column[i] = drawing->n_columns - 1;
	place_rows(drawing);
}

/* ---- DOT ---- */

static void dot_name(struct out *out, const char *name)
{
	out_puts(out, "\"");
	for (; *name; name++)
		out_printf(out, *name == '"' || *name == '\\' ? "\\%c" : "%c", *name);
	out_puts(out, "\"");
}

void graph_draw_dot(struct out *out, const struct wye_stats *info)
{
	static struct drawing drawing;

	lay_out(&drawing, info);
	out_puts(out, "digraph wye {\n\trankdir=LR;\n\tnode [shape=box, fontname=monospace];\n");
	qsort_r(drawing.order, drawing.n, sizeof(drawing.order[0]), by_name, &drawing);
	for (uint32_t i = 0; i < drawing.n; i++) {
		out_puts(out, "\t");
		dot_name(out, info->node[drawing.order[i]]);
		out_puts(out, ";\n");
	}
	for (uint32_t i = 0; i < drawing.n; i++)
		for (uint32_t k = 0; k < drawing.n; k++) {
			if (!graph_has_edge(info, drawing.order[i], drawing.order[k]))
				continue;
			out_puts(out, "\t");
			dot_name(out, info->node[drawing.order[i]]);
			out_puts(out, " -> ");
			dot_name(out, info->node[drawing.order[k]]);
			out_puts(out, ";\n");
		}
	out_puts(out, "}\n");
}

/* ---- SVG ---- */

static void svg_text(struct out *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<': out_puts(out, "&lt;"); break;
		case '>': out_puts(out, "&gt;"); break;
		case '&': out_puts(out, "&amp;"); break;
		default: out_printf(out, "%c", *text); break;
		}
}

static uint32_t x_of(const struct drawing *drawing, uint32_t node)
{
	return MARGIN + drawing->column[node] * (drawing->box_width + GAP_X);
}

/* Columns are centred, so that an edge past a column rarely meets its boxes. */
static uint32_t y_of(const struct drawing *drawing, uint32_t node)
{
	uint32_t above = drawing->n_rows - drawing->rows[drawing->column[node]];

	return MARGIN + (2 * drawing->row[node] + above) * (BOX_HEIGHT + GAP_Y) / 2;
}

static void svg_edge(struct out *out, const struct drawing *drawing, uint32_t from, uint32_t to)
{
	uint32_t x = x_of(drawing, from) + drawing->box_width, y = y_of(drawing, from) + BOX_HEIGHT / 2;
	uint32_t to_x = x_of(drawing, to), to_y = y_of(drawing, to) + BOX_HEIGHT / 2;

	out_printf(out, "<path d=\"M%u %uC%u %u %u %u %u %u\" marker-end=\"url(#end)\"/>\n", x, y, x + GAP_X / 2, y,
		   to_x - GAP_X / 2, to_y, to_x, to_y);
}

static void svg_node(struct out *out, const struct drawing *drawing, uint32_t node)
{
	uint32_t x = x_of(drawing, node), y = y_of(drawing, node);

	out_printf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"4\"/>", x, y, drawing->box_width,
		   (uint32_t)BOX_HEIGHT);
	out_printf(out, "<text x=\"%u\" y=\"%u\">", x + drawing->box_width / 2, y + BOX_HEIGHT / 2 + 5);
	svg_text(out, drawing->info->node[node]);
	out_puts(out, "</text>\n");
}

void graph_draw_svg(struct out *out, const struct wye_stats *info)
{
	static struct drawing drawing;

	lay_out(&drawing, info);
	out_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\">\n",
		   2 * MARGIN + drawing.n_columns * (drawing.box_width + GAP_X) - (drawing.n_columns ? GAP_X : 0),
		   2 * MARGIN + drawing.n_rows * (BOX_HEIGHT + GAP_Y) - (drawing.n_rows ? GAP_Y : 0));
	out_puts(out, "<style>svg{background:#fff}path{fill:none;stroke:#888}rect{fill:#f4f6f8;stroke:#345}"
		 "text{font:13px monospace;text-anchor:middle}</style>\n"
		 "<marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">"
		 "<path d=\"M0 0L8 4L0 8Z\" style=\"fill:#888\"/></marker>\n");
	for (uint32_t i = 0; i < drawing.n; i++)
		for (uint32_t k = 0; k < drawing.n; k++)
			if (graph_has_edge(info, drawing.order[i], drawing.order[k]))
				svg_edge(out, &drawing, drawing.order[i], drawing.order[k]);
	for (uint32_t i = 0; i < drawing.n; i++)
		svg_node(out, &drawing, drawing.order[i]);
	out_puts(out, "</svg>\n");
}

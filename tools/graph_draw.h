/* SPDX-License-Identifier: BSD-3-Clause */
/* The dataplane's graph as a picture. The same graph is always drawn the same way, whatever order its nodes have. */
#ifndef GRAPH_DRAW_H
#define GRAPH_DRAW_H

#include "output.h"
#include "wye_stats.h"

bool graph_has_edge(const struct wye_stats *info, uint32_t from, uint32_t to);

void graph_draw_dot(struct out *out, const struct wye_stats *info);	/* for dot(1) of graphviz */
void graph_draw_svg(struct out *out, const struct wye_stats *info);

#endif

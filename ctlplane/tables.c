/* SPDX-License-Identifier: BSD-3-Clause */
/* Regions being written: see tables.h. */
#include <errno.h>
#include <stdlib.h>

#include "tables.h"

struct tables *tables_open(struct control_file *control, const struct wye_config *config)
{
	static const struct nexthop_leg kernel = { .kind = WYE_NH_KERNEL, .weight = 1 };
	struct tables *tables = calloc(1, sizeof(*tables));
	int error = tables ? region_create(&tables->region, control, config) : -ENOMEM;

	if (error) {
		free(tables);
		errno = -error;
		return NULL;
	}
	tables->resolve = resolve_create(&tables->region);
	tables->fib = tables->resolve ? fib_create(&tables->region) : NULL;
	if (tables->fib)
		tables->nh_kernel = nexthop_get(tables->resolve, &kernel, 1);
	if (tables->nh_kernel)
		return tables;
	error = tables->region.failed ? ENOSPC : ENOMEM;
	tables_close(tables);
	errno = error;
	return NULL;
}

void tables_close(struct tables *tables)
{
	if (!tables)
		return;
	if (tables->fib)
		fib_destroy(tables->fib);
	resolve_destroy(tables->resolve);
	region_destroy(&tables->region);
	free(tables->put_later);
	free(tables);
}

void tables_put_nexthop(struct tables *tables, uint32_t id)
{
	if (!id)
		return;
	if (tables->n_put_later == tables->cap_put_later) {
		uint32_t cap = tables->cap_put_later ? tables->cap_put_later * 2 : 256;
		uint32_t *grown = realloc(tables->put_later, cap * sizeof(*grown));

		if (!grown)
			return; /* the id stays taken, which harms nobody */
		tables->put_later = grown;
		tables->cap_put_later = cap;
	}
	tables->put_later[tables->n_put_later++] = id;
}

bool tables_flush(struct tables *tables, uint32_t budget_nodes)
{
	uint32_t left = fib_flush(tables->fib, budget_nodes);

	if (tables->locals_dirty)
		atomic_fetch_add_explicit(&tables->region.base->locals_version, 1, memory_order_release);
	tables->locals_dirty = false;
	for (uint32_t i = 0; !left && i < tables->n_put_later; i++)
		nexthop_put(tables->resolve, tables->put_later[i]);
	if (!left)
		tables->n_put_later = 0;
	region_reclaim(&tables->region);
	return left != 0;
}

void tables_write(struct tables *tables, enum wye_section_id section, uint32_t index, const void *record, size_t bytes)
{
	uint32_t *at = (uint32_t *)((char *)region_records(&tables->region, section) + (size_t)index * bytes);

	wye_seq_write((_Atomic uint32_t *)at, at + 1, (const uint32_t *)record + 1, bytes / 4 - 1);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The palette: up to 255 nexthop ids that narrow nodes name by a byte instead of a word. Who comes first is served;
 * a node with an id that finds no place is built wide, which costs memory and nothing else.
 *
 * Ordering guarantees: an entry is written before the node that uses it is released (P1); it gets another id only
 * when no published node uses it and a grace period has passed since the last one that did was retired.
 */
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "fib_private.h"

static uint64_t epoch_now(const struct fib *fib)
{
	return atomic_load_explicit(&fib->region->base->epoch, memory_order_relaxed);
}

static bool may_take(const struct fib *fib, uint32_t place)
{
	const struct fib_palette *palette = &fib->palette;

	return !palette->id[place] ||
	       (!palette->refs[place] && palette->idle_epoch[place] <= region_freed_epoch(fib->region));
}

static uint32_t find_place(struct fib *fib)
{
	struct fib_palette *palette = &fib->palette;

	if (!palette->n_idle)
		return 0;
	for (uint32_t n = 0; n < 255; n++) {
		palette->next = palette->next % 255 + 1;
		if (may_take(fib, palette->next))
			return palette->next;
	}
	return 0;
}

/* The place that id has, not to be given on before the node being built has it counted. */
static uint32_t keep(struct fib *fib, uint32_t place)
{
	if (!fib->palette.refs[place])
		fib->palette.idle_epoch[place] = epoch_now(fib);
	return place;
}

static bool id_fits(struct fib_palette *palette, uint32_t id)
{
	uint32_t old = palette->cap_ids;

	if (!array_fit((void **)&palette->of_id, &palette->cap_ids, 1, id + 1))
		return false;
	memset(palette->of_id + old, 0, palette->cap_ids - old);
	return true;
}

uint32_t fib_palette_find(struct fib *fib, uint32_t id)
{
	struct fib_palette *palette = &fib->palette;
	uint32_t place;

	if (!id || !id_fits(palette, id))
		return 0;
	if (palette->of_id[id])
		return keep(fib, palette->of_id[id]);
	place = find_place(fib);
	if (!place)
		return 0;
	palette->of_id[palette->id[place]] = 0;
	palette->of_id[id] = (uint8_t)place;
	palette->id[place] = id;
	atomic_store_explicit(&fib->region->base->fib_palette[place], id, memory_order_relaxed);
	return keep(fib, place);
}

void fib_palette_ref(struct fib *fib, const uint8_t *places, uint32_t n)
{
	struct fib_palette *palette = &fib->palette;

	for (uint32_t i = 0; i < n; i++)
		palette->n_idle -= !palette->refs[places[i]]++;
}

void fib_palette_unref(struct fib *fib, const uint8_t *places, uint32_t n)
{
	struct fib_palette *palette = &fib->palette;

	for (uint32_t i = 0; i < n; i++) {
		if (--palette->refs[places[i]])
			continue;
		palette->n_idle++;
		palette->idle_epoch[places[i]] = epoch_now(fib);
	}
}

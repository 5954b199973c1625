/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of keys: see key_set.h. Open addressing, linear probing, at most half full. */
#include <stdlib.h>
#include <string.h>

#include "key_set.h"
#include "pool.h"

static uint64_t hash_of(uint8_t class, const void *key, size_t len)
{
	uint64_t high = hash_bytes_of(key, len, class), low = hash_bytes_of(key, len, 0x5bd1e995u ^ class);

	return (high << 32 | low) | 1; /* 0 = free slot */
}

static uint32_t slot_of(const struct key_set *set, uint64_t h)
{
	uint32_t at = (uint32_t)(h >> 1) & set->mask;

	while (set->slot[at] && set->slot[at] != h)
		at = (at + 1) & set->mask;
	return at;
}

static bool grow(struct key_set *set)
{
	struct key_set bigger = { .mask = set->slot ? set->mask * 2 + 1 : 1023, .count = set->count };

	bigger.slot = calloc((size_t)bigger.mask + 1, sizeof(*bigger.slot));
	if (!bigger.slot)
		return false;
	for (uint32_t i = 0; set->slot && i <= set->mask; i++)
		if (set->slot[i])
			bigger.slot[slot_of(&bigger, set->slot[i])] = set->slot[i];
	free(set->slot);
	*set = bigger;
	return true;
}

bool key_set_add(struct key_set *set, uint8_t class, const void *key, size_t len)
{
	uint64_t h = hash_of(class, key, len);
	uint32_t at;

	if ((!set->slot || set->count > set->mask / 2) && !grow(set))
		return false;
	at = slot_of(set, h);
	set->count += !set->slot[at];
	set->slot[at] = h;
	return true;
}

bool key_set_has(const struct key_set *set, uint8_t class, const void *key, size_t len)
{
	return set->count && set->slot[slot_of(set, hash_of(class, key, len))];
}

void key_set_clear(struct key_set *set)
{
	if (set->count)
		memset(set->slot, 0, ((size_t)set->mask + 1) * sizeof(*set->slot));
	set->count = 0;
}

void key_set_close(struct key_set *set)
{
	free(set->slot);
	*set = (struct key_set){ 0 };
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Private memory of the mirrors: a pool hands out indices (never 0) of equal items in one mapping that grows by being
 * remapped, so a million routes are never copied; a hash finds an index by its key. Neither is shared with readers.
 */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
	char *items;
	size_t item_bytes;	/* at least 4: a free item's first word links to the next */
	uint32_t used;		/* indices >= used were never handed out; 0 is never */
	uint32_t capacity, free_head, count;
};

int pool_open(struct pool *pool, size_t item_bytes);	/* 0 or -ENOMEM */
void pool_close(struct pool *pool);
uint32_t pool_take(struct pool *pool);			/* zeroed; 0 = out of memory */
void pool_give(struct pool *pool, uint32_t index);

static inline void *pool_item(const struct pool *pool, uint32_t index)
{
	return pool->items + (size_t)index * pool->item_bytes;
}

/* Open addressing, linear probing, indices as values. */
struct hash {
	uint32_t *slot;
	uint32_t mask, filled;	/* filled: slots that are not empty, tombstones included */
	uint32_t count;
	uint32_t (*hash_of)(const void *ctx, uint32_t index);	/* of an entered item, for growing */
	const void *ctx;
};

int hash_open(struct hash *hash, uint32_t expected, uint32_t (*hash_of)(const void *ctx, uint32_t index),
	      const void *ctx);
void hash_close(struct hash *hash);
/* The index under which equal(ctx, index, key) holds, 0 = none. */
uint32_t hash_find(const struct hash *hash, uint32_t h, bool (*equal)(const void *ctx, uint32_t index, const void *key),
		   const void *key);
int hash_enter(struct hash *hash, uint32_t h, uint32_t index);	/* not there yet; -ENOMEM */
void hash_remove(struct hash *hash, uint32_t h, uint32_t index);
void hash_change(struct hash *hash, uint32_t h, uint32_t from, uint32_t to);	/* another index for the same key */

/* For a hash that is likely to be looked up soon: its slot into the cache; what is there now, which may be of another key
 * or of none. */
static inline void hash_prefetch(const struct hash *hash, uint32_t h)
{
	__builtin_prefetch(&hash->slot[h & hash->mask]);
}

static inline uint32_t hash_peek(const struct hash *hash, uint32_t h)
{
	return hash->slot[h & hash->mask];
}

uint32_t hash_bytes_of(const void *bytes, size_t len, uint32_t seed);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools and hashes: see pool.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "pool.h"

#define TOMBSTONE UINT32_MAX
#define MIN_ITEMS 64u

#define PAGE_BYTES 4096u
#define HUGE_BYTES (2u << 20)

/* Large ones are on huge pages where the kernel has some: they are read at random, and a TLB miss costs as much as the
 * cache miss it comes with. */
static size_t map_bytes(size_t bytes)
{
	size_t to = bytes < 2 * HUGE_BYTES ? PAGE_BYTES : HUGE_BYTES;

	return (bytes + to - 1) & ~(to - 1);
}

static void *map_advised(void *items, size_t bytes)
{
	if (items == MAP_FAILED)
		return NULL;
	if (map_bytes(bytes) >= 2 * HUGE_BYTES)
		madvise(items, map_bytes(bytes), MADV_HUGEPAGE);
	return items;
}

/* Zeroed; NULL = out of memory. */
static void *map_new(size_t bytes)
{
	return map_advised(mmap(NULL, map_bytes(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), bytes);
}

static void map_end(void *items, size_t bytes)
{
	if (items)
		munmap(items, map_bytes(bytes));
}

static size_t pool_bytes(const struct pool *pool, uint32_t capacity)
{
	return (size_t)capacity * pool->item_bytes;
}

int pool_open(struct pool *pool, size_t item_bytes)
{
	*pool = (struct pool){ .item_bytes = item_bytes, .used = 1, .capacity = MIN_ITEMS };
	pool->items = map_new(pool_bytes(pool, MIN_ITEMS));
	return pool->items ? 0 : -ENOMEM;
}

void pool_close(struct pool *pool)
{
	map_end(pool->items, pool_bytes(pool, pool->capacity));
	pool->items = NULL;
}

static bool pool_grow(struct pool *pool)
{
	size_t now = pool_bytes(pool, pool->capacity), more = now * 2;
	uint32_t capacity = pool->capacity * 2;
	void *items;

	if (capacity <= pool->capacity)
		return false;
	items = map_advised(mremap(pool->items, map_bytes(now), map_bytes(more), MREMAP_MAYMOVE), more);
	if (!items)
		return false;
	pool->items = items;
	pool->capacity = capacity;
	return true;
}

uint32_t pool_take(struct pool *pool)
{
	uint32_t index = pool->free_head;

	if (index) {
		memcpy(&pool->free_head, pool_item(pool, index), sizeof(pool->free_head));
	} else {
		if (pool->used == pool->capacity && !pool_grow(pool))
			return 0;
		index = pool->used++;
	}
	memset(pool_item(pool, index), 0, pool->item_bytes);
	pool->count++;
	return index;
}

void pool_give(struct pool *pool, uint32_t index)
{
	memset(pool_item(pool, index), 0, pool->item_bytes);
	memcpy(pool_item(pool, index), &pool->free_head, sizeof(pool->free_head));
	pool->free_head = index;
	pool->count--;
}

/* ---- hash ---- */

static size_t hash_bytes(uint32_t mask)
{
	return ((size_t)mask + 1) * sizeof(uint32_t);
}

int hash_open(struct hash *hash, uint32_t expected, uint32_t (*hash_of)(const void *ctx, uint32_t index),
	      const void *ctx)
{
	uint32_t slots = 64;

	while (slots < expected / 2 * 3 && slots < 1u << 31)
		slots *= 2;
	*hash = (struct hash){ .mask = slots - 1, .hash_of = hash_of, .ctx = ctx };
	hash->slot = map_new(hash_bytes(hash->mask));
	return hash->slot ? 0 : -ENOMEM;
}

void hash_close(struct hash *hash)
{
	map_end(hash->slot, hash_bytes(hash->mask));
	hash->slot = NULL;
}

uint32_t hash_find(const struct hash *hash, uint32_t h, bool (*equal)(const void *ctx, uint32_t index, const void *key),
		   const void *key)
{
	for (uint32_t at = h & hash->mask;; at = (at + 1) & hash->mask) {
		uint32_t index = hash->slot[at];

		if (!index)
			return 0;
		if (index != TOMBSTONE && equal(hash->ctx, index, key))
			return index;
	}
}

static void put(uint32_t *slot, uint32_t mask, uint32_t h, uint32_t index)
{
	uint32_t at = h & mask;

	while (slot[at])
		at = (at + 1) & mask;
	slot[at] = index;
}

static int rehash(struct hash *hash)
{
	uint32_t slots = hash->mask + 1;
	uint32_t *slot;

	if (hash->count >= slots / 2)
		slots *= 2;
	slot = slots ? map_new(hash_bytes(slots - 1)) : NULL;
	if (!slot)
		return -ENOMEM;
	for (uint32_t at = 0; at <= hash->mask; at++)
		if (hash->slot[at] && hash->slot[at] != TOMBSTONE)
			put(slot, slots - 1, hash->hash_of(hash->ctx, hash->slot[at]), hash->slot[at]);
	map_end(hash->slot, hash_bytes(hash->mask));
	hash->slot = slot;
	hash->mask = slots - 1;
	hash->filled = hash->count;
	return 0;
}

int hash_enter(struct hash *hash, uint32_t h, uint32_t index)
{
	if (hash->filled >= hash->mask / 4 * 3) {
		int error = rehash(hash);

		if (error)
			return error;
	}
	put(hash->slot, hash->mask, h, index);
	hash->filled++;
	hash->count++;
	return 0;
}

static uint32_t slot_of(const struct hash *hash, uint32_t h, uint32_t index)
{
	uint32_t at = h & hash->mask;

	while (hash->slot[at] != index && hash->slot[at])
		at = (at + 1) & hash->mask;
	return at;
}

void hash_remove(struct hash *hash, uint32_t h, uint32_t index)
{
	uint32_t at = slot_of(hash, h, index);

	if (!hash->slot[at])
		return;
	hash->count--;
	if (hash->slot[(at + 1) & hash->mask]) {
		hash->slot[at] = TOMBSTONE;
		return;
	}
	/* The run ends here: this slot and the tombstones before it can be empty again. */
	hash->slot[at] = 0;
	hash->filled--;
	for (at = (at - 1) & hash->mask; hash->slot[at] == TOMBSTONE; at = (at - 1) & hash->mask) {
		hash->slot[at] = 0;
		hash->filled--;
	}
}

void hash_change(struct hash *hash, uint32_t h, uint32_t from, uint32_t to)
{
	uint32_t at = slot_of(hash, h, from);

	if (hash->slot[at])
		hash->slot[at] = to;
}

uint32_t hash_bytes_of(const void *bytes, size_t len, uint32_t seed)
{
	const char *at = bytes;
	uint64_t h = (seed ^ 0x9E3779B97F4A7C15ULL) * 0xC2B2AE3D27D4EB4FULL;

	while (len) {
		uint64_t word = 0;
		size_t n = len < 8 ? len : 8;

		memcpy(&word, at, n);
		h = (h ^ word) * 0x9E3779B97F4A7C15ULL;
		h ^= h >> 32;
		at += n;
		len -= n;
	}
	return (uint32_t)(h ^ h >> 29);
}

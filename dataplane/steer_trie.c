/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds the address tries of wye_steer.h. Every slot holds a final word, so a prefix is written into all slots it
 * covers. Prefixes come shortest first; then all slots below a new prefix hold the same class, that of the longest
 * prefix around it, and steer_trie_get() can ask any of them.
 */
#include <errno.h>
#include <sys/socket.h>

#include "steer_private.h"

void steer_trie_init(struct steer_trie_builder *builder, struct wye_steer_trie *trie, uint16_t class)
{
	builder->trie = trie;
	builder->used = 0;
	for (int family = 0; family < 2; family++)
		for (int i = 0; i < 65536; i++)
			trie->root[family][i] = class;
}

/* Bits a node looks at: wye_steer_trie_class(). */
static uint32_t stride_of(const struct wye_prefix *prefix)
{
	return prefix->family == AF_INET ? 8 : 4;
}

/* The slot of a node that starts at bit `depth` of the address. */
static uint32_t slot_at(const struct wye_prefix *prefix, uint32_t depth)
{
	uint32_t byte = prefix->addr[depth / 8];

	return prefix->family == AF_INET ? byte : depth & 4 ? byte & 15 : byte >> 4;
}

static uint16_t *node_at(const struct steer_trie_builder *builder, uint16_t word)
{
	return &builder->trie->slot[(word & (WYE_STEER_CHILD - 1)) * 16u];
}

static uint16_t *root_slot(const struct steer_trie_builder *builder, const struct wye_prefix *prefix)
{
	return &builder->trie->root[prefix->family == AF_INET6][prefix->addr[0] << 8 | prefix->addr[1]];
}

uint16_t steer_trie_get(const struct steer_trie_builder *builder, const struct wye_prefix *prefix)
{
	uint16_t word = *root_slot(builder, prefix);

	for (uint32_t depth = 16; depth < prefix->len && word & WYE_STEER_CHILD; depth += stride_of(prefix))
		word = node_at(builder, word)[slot_at(prefix, depth)];
	return word;
}

/* The node behind *slot, made if there is none. NULL: no more blocks. */
static uint16_t *descend(struct steer_trie_builder *builder, uint16_t *slot, uint32_t slots)
{
	uint16_t inherited = *slot;
	uint16_t *node;

	if (*slot & WYE_STEER_CHILD)
		return node_at(builder, *slot);
	if (builder->used + slots / 16 > WYE_STEER_BLOCKS)
		return NULL;
	*slot = WYE_STEER_CHILD | builder->used;
	builder->used += slots / 16;
	node = node_at(builder, *slot);
	for (uint32_t i = 0; i < slots; i++)
		node[i] = inherited;
	return node;
}

int steer_trie_set(struct steer_trie_builder *builder, const struct wye_prefix *prefix, uint16_t class)
{
	uint16_t *slot = root_slot(builder, prefix);
	uint32_t depth = 16;

	for (; depth < prefix->len; depth += stride_of(prefix)) {
		uint16_t *node = descend(builder, slot, 1u << stride_of(prefix));

		if (!node)
			return -ENOSPC;
		slot = &node[slot_at(prefix, depth)];
	}
	for (uint32_t i = 0; i < 1u << (depth - prefix->len); i++)
		slot[i] = class;
	return 0;
}

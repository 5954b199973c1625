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

/* Nibble number `at` of an address, counted from its start. */
static uint32_t nibble(const uint8_t addr[16], uint32_t at)
{
	return addr[at / 2] >> (at & 1 ? 0 : 4) & 15;
}

static uint16_t *root_slot(const struct steer_trie_builder *builder, const struct wye_prefix *prefix)
{
	return &builder->trie->root[prefix->family == AF_INET6][prefix->addr[0] << 8 | prefix->addr[1]];
}

uint16_t steer_trie_get(const struct steer_trie_builder *builder, const struct wye_prefix *prefix)
{
	uint16_t word = *root_slot(builder, prefix);

	for (uint32_t depth = 16; depth < prefix->len && word & WYE_STEER_CHILD; depth += 4)
		word = builder->trie->node[word & (WYE_STEER_CHILD - 1)][nibble(prefix->addr, depth / 4)];
	return word;
}

/* The node behind *slot, made if there is none. NULL: no more nodes. */
static uint16_t *descend(struct steer_trie_builder *builder, uint16_t *slot)
{
	if (!(*slot & WYE_STEER_CHILD)) {
		if (builder->used == WYE_STEER_NODES)
			return NULL;
		for (int i = 0; i < 16; i++)
			builder->trie->node[builder->used][i] = *slot;
		*slot = WYE_STEER_CHILD | builder->used++;
	}
	return builder->trie->node[*slot & (WYE_STEER_CHILD - 1)];
}

int steer_trie_set(struct steer_trie_builder *builder, const struct wye_prefix *prefix, uint16_t class)
{
	uint16_t *slot = root_slot(builder, prefix);
	uint32_t depth = 16;

	for (; depth < prefix->len; depth += 4) {
		uint16_t *node = descend(builder, slot);

		if (!node)
			return -ENOSPC;
		slot = &node[nibble(prefix->addr, depth / 4)];
	}
	for (uint32_t i = 0; i < 1u << (depth - prefix->len); i++)
		slot[i] = class;
	return 0;
}

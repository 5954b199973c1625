/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Judging packets in software, and the host's own prefixes, which every backend keeps with the kernel. Guards and
 * rules are wye_steer.h's inline code, the very one the XDP program is made of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "steer_private.h"
#include "wye_publish.h"

/* ---- the host's own prefixes ---- */

int steer_local_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct steer_local));
}

static void mask_address(struct steer_local *local)
{
	uint32_t len = local->prefix_len;

	for (uint32_t i = 0; i < 16; i++, len = len > 8 ? len - 8 : 0)
		if (len < 8)
			local->addr[i] &= (uint8_t)(0xff00 >> len);
}

/* A guard comes before the look at these. Leaving them out keeps the tries short and hints useful. */
static bool guarded(const struct steer_local *local)
{
	uint64_t hi, lo;

	steer_addr_words(local->addr, &hi, &lo);
	if (local->family == AF_INET6)
		return local->prefix_len >= 64 && wye_steer_ip6_special(hi);
	return (local->prefix_len >= 16 && wye_steer_ip4_special(hi >> 32)) ||
	       (local->prefix_len >= 8 && local->addr[0] == 127);
}

static uint32_t local_hash(const struct steer_local *local)
{
	uint64_t hi, lo;

	steer_addr_words(local->addr, &hi, &lo);
	hi = (hi ^ local->prefix_len ^ (uint64_t)local->family << 8) * 0x9E3779B97F4A7C15ULL;
	return ((hi ^ hi >> 32 ^ lo) * 0xC2B2AE3D27D4EB4FULL) >> 32;
}

static void note_length(struct steer_locals *locals, const struct steer_local *local)
{
	int family = local->family == AF_INET6;

	for (int i = 0; i < locals->n_lengths[family]; i++)
		if (locals->length[family][i] == local->prefix_len)
			return;
	locals->length[family][locals->n_lengths[family]++] = local->prefix_len;
}

/* Sorts, drops repeats and what the guards keep. */
static void settle(struct steer_locals *locals)
{
	size_t kept = 0;

	qsort(locals->entry, locals->n, sizeof(*locals->entry), steer_local_compare);
	for (size_t i = 0; i < locals->n; i++) {
		if (guarded(&locals->entry[i]))
			continue;
		if (kept && !steer_local_compare(&locals->entry[kept - 1], &locals->entry[i]))
			continue;
		locals->entry[kept++] = locals->entry[i];
	}
	locals->n = kept;
}

static int index_entries(struct steer_locals *locals)
{
	uint32_t buckets = 16;

	while (buckets < 2 * locals->n)
		buckets *= 2;
	locals->bucket = calloc(buckets, sizeof(*locals->bucket));
	if (!locals->bucket)
		return -ENOMEM;
	locals->mask = buckets - 1;
	for (size_t i = 0; i < locals->n; i++) {
		uint32_t at = local_hash(&locals->entry[i]) & locals->mask;

		while (locals->bucket[at])
			at = (at + 1) & locals->mask;
		locals->bucket[at] = i + 1;
		note_length(locals, &locals->entry[i]);
	}
	return 0;
}

struct steer_locals *steer_locals_from(const struct steer_local *list, size_t n)
{
	struct steer_locals *locals = calloc(1, sizeof(*locals));

	if (!locals)
		return NULL;
	locals->entry = calloc(n ? n : 1, sizeof(*locals->entry));
	if (!locals->entry)
		goto fail;
	for (size_t i = 0; i < n; i++) {
		locals->entry[i] = list[i];
		mask_address(&locals->entry[i]);
	}
	locals->n = n;
	settle(locals);
	if (index_entries(locals) == 0)
		return locals;
fail:
	steer_locals_free(locals);
	errno = ENOMEM;
	return NULL;
}

struct steer_locals *steer_locals_of(const struct wye_region *region)
{
	const struct wye_section *section = &region->section[WYE_SECTION_LOCAL];
	const struct wye_local *record = (const void *)((const char *)region + section->offset);
	uint32_t used = atomic_load_explicit((_Atomic uint32_t *)&section->used, memory_order_acquire);
	struct steer_local *list;
	struct steer_locals *locals;
	size_t n = 0;

	if (used > section->capacity)
		used = section->capacity;
	list = calloc(used ? used : 1, sizeof(*list));
	if (!list)
		return NULL;
	for (uint32_t i = 1; i < used; i++) {
		struct wye_local copy = { 0 };
		bool family_ok;

		if (!wye_seq_read(&record[i].seq, &record[i].family, (char *)&copy + offsetof(struct wye_local, family),
				  (sizeof(copy) - offsetof(struct wye_local, family)) / 4))
			continue;
		family_ok = (copy.family == AF_INET && copy.prefix_len <= 32) ||
			    (copy.family == AF_INET6 && copy.prefix_len <= 128);
		if (!family_ok)
			continue;
		list[n].family = copy.family;
		list[n].prefix_len = copy.prefix_len;
		memcpy(list[n++].addr, copy.addr, sizeof(copy.addr));
	}
	locals = steer_locals_from(list, n);
	free(list);
	return locals;
}

void steer_locals_free(struct steer_locals *locals)
{
	if (!locals)
		return;
	free(locals->entry);
	free(locals->bucket);
	free(locals);
}

static void store_be64(uint8_t *to, uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		to[i] = value;
}

static bool is_local(const struct steer_locals *locals, uint32_t family, uint64_t hi, uint64_t lo)
{
	for (int i = 0; i < locals->n_lengths[family]; i++) {
		struct steer_local want = { .family = family ? AF_INET6 : AF_INET };
		uint32_t at;

		want.prefix_len = locals->length[family][i];
		store_be64(want.addr, hi);
		store_be64(want.addr + 8, lo);
		mask_address(&want);
		for (at = local_hash(&want) & locals->mask; locals->bucket[at]; at = (at + 1) & locals->mask)
			if (!steer_local_compare(&locals->entry[locals->bucket[at] - 1], &want))
				return true;
	}
	return false;
}

/* ---- judging ---- */

uint32_t steer_judge(const struct steer_rules *rules, const struct steer_locals *locals, int in_port,
		     const uint8_t mac[6], const void *frame, uint32_t len_bytes, uint32_t *rule)
{
	struct wye_steer_key key = { 0 };
	uint32_t guard;

	if (!rules || !locals)
		return WYE_STEER_DISABLED;
	guard = wye_steer_parse(frame, (const char *)frame + len_bytes, mac, &key);
	if (guard != WYE_STEER_TAKEN)
		return guard;
	if (is_local(locals, key.family, key.dst_hi, key.dst_lo))
		return WYE_STEER_LOCAL_DST;
	if (is_local(locals, key.family, key.src_hi, key.src_lo))
		return WYE_STEER_LOCAL_SRC;
	*rule = wye_steer_match(&rules->map_value, &key, in_port);
	return rules->map_value.action[*rule] == WYE_ACTION_DATAPLANE ? WYE_STEER_TAKEN : STEER_BY_RULE;
}

enum wye_action steer_classify(const struct steer_rules *rules, const struct steer_locals *locals, int in_port,
			       const uint8_t mac[6], const void *frame, uint32_t len_bytes, int *rule)
{
	uint32_t decided = 0;
	uint32_t verdict = steer_judge(rules, locals, in_port, mac, frame, len_bytes, &decided);

	if (verdict != WYE_STEER_TAKEN && verdict != STEER_BY_RULE)
		*rule = -2;
	else
		*rule = decided == WYE_STEER_RULES ? -1 : (int)decided;
	return verdict == WYE_STEER_TAKEN ? WYE_ACTION_DATAPLANE : WYE_ACTION_KERNEL;
}

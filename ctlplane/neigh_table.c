/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: records in the region, the hash workers probe (wye_fib.h), and the nexthops that depend on each.
 *
 * Ordering guarantees: a record's key and nexthop id are written before the hash word that names it is released (P1,
 * pairs with P2 in wye_neigh_lookup) and stay as they are until the record is retired; the id's record is published
 * before that. A deleted word may take another record at once: who probes past it compares keys. Cleaning the hash
 * moves an entry forward by naming it twice for a moment; who probes just then may miss it, and punts.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "array.h"
#include "resolve_private.h"
#include "wye_fib.h"


int neigh_table_create(struct resolve *resolve)
{
	resolve->n_neighs = 1;
	resolve->neigh_mask = 255;
	resolve->neigh_hash = calloc(resolve->neigh_mask + 1, sizeof(*resolve->neigh_hash));
	return resolve->neigh_hash ? 0 : -ENOMEM;
}

/* ---- anchors ------------------------------------------------------------------------------------------------------- */

static uint32_t home(const struct resolve *resolve, const struct neigh_anchor *anchor)
{
	return wye_neigh_hash(anchor->ifindex, anchor->addr) & resolve->neigh_mask;
}

static uint32_t anchor_find(const struct resolve *resolve, const struct neigh_anchor *key)
{
	for (uint32_t at = home(resolve, key); resolve->neigh_hash[at]; at = (at + 1) & resolve->neigh_mask) {
		const struct neigh_anchor *a = &resolve->neigh[resolve->neigh_hash[at]];

		if (a->ifindex == key->ifindex && a->family == key->family && !memcmp(a->addr, key->addr, 16))
			return resolve->neigh_hash[at];
	}
	return 0;
}

static void hash_insert(struct resolve *resolve, uint32_t index)
{
	uint32_t at = home(resolve, &resolve->neigh[index]);

	while (resolve->neigh_hash[at])
		at = (at + 1) & resolve->neigh_mask;
	resolve->neigh_hash[at] = index;
	resolve->n_neigh_hashed++;
}

static int hash_grow(struct resolve *resolve)
{
	uint32_t *old = resolve->neigh_hash, *bigger, old_mask = resolve->neigh_mask;

	if (resolve->n_neigh_hashed * 4ULL < old_mask * 3ULL)
		return 0;
	bigger = calloc((size_t)(old_mask + 1) * 2, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	resolve->neigh_hash = bigger;
	resolve->neigh_mask = old_mask * 2 + 1;
	resolve->n_neigh_hashed = 0;
	for (uint32_t i = 0; i <= old_mask; i++)
		if (old[i])
			hash_insert(resolve, old[i]);
	free(old);
	return 0;
}

uint32_t neigh_anchor_make(struct resolve *resolve, uint32_t ifindex, uint8_t family, const uint8_t addr[16])
{
	struct neigh_anchor key = { .ifindex = ifindex, .family = family };
	uint32_t index;

	memcpy(key.addr, addr, 16);
	index = anchor_find(resolve, &key);
	if (index)
		return index;
	if (hash_grow(resolve))
		return 0;
	index = resolve->free_neigh;
	if (index)
		resolve->free_neigh = resolve->neigh[index].nexthops;
	else if (array_fit((void **)&resolve->neigh, &resolve->cap_neighs, sizeof(key), resolve->n_neighs + 1))
		index = resolve->n_neighs++;
	else
		return 0;
	resolve->neigh[index] = key;
	hash_insert(resolve, index);
	return index;
}

void neigh_anchor_unused(struct resolve *resolve, uint32_t index)
{
	struct neigh_anchor *anchor = &resolve->neigh[index];
	uint32_t mask = resolve->neigh_mask, hole = home(resolve, anchor);

	if (anchor->record || anchor->nexthops)
		return;
	while (resolve->neigh_hash[hole] != index)
		hole = (hole + 1) & mask;
	for (uint32_t at = (hole + 1) & mask; resolve->neigh_hash[at]; at = (at + 1) & mask) {
		uint32_t other = resolve->neigh_hash[at];

		if (((at - home(resolve, &resolve->neigh[other])) & mask) < ((at - hole) & mask))
			continue;
		resolve->neigh_hash[hole] = other;
		hole = at;
	}
	resolve->neigh_hash[hole] = 0;
	resolve->n_neigh_hashed--;
	*anchor = (struct neigh_anchor){ .nexthops = resolve->free_neigh };
	resolve->free_neigh = index;
}

/* ---- the region's hash --------------------------------------------------------------------------------------------- */

static struct wye_neigh *record_at(const struct resolve *resolve, uint32_t index)
{
	return (struct wye_neigh *)region_records(resolve->region, WYE_SECTION_NEIGH) + index;
}

const struct wye_neigh *neigh_record(const struct resolve *resolve, uint32_t anchor)
{
	uint32_t record = anchor ? resolve->neigh[anchor].record : 0;

	return record ? record_at(resolve, record) : NULL;
}

static _Atomic uint32_t *words(const struct resolve *resolve, uint32_t *mask)
{
	*mask = atomic_load_explicit(&resolve->region->base->neigh_hash_mask, memory_order_relaxed);
	return region_records(resolve->region, WYE_SECTION_NEIGH_HASH);
}

static uint32_t word_at(_Atomic uint32_t *hash, uint32_t at)
{
	return atomic_load_explicit(&hash[at], memory_order_relaxed);
}

static uint32_t shared_home(const struct resolve *resolve, uint32_t record, uint32_t mask)
{
	const struct wye_neigh *neigh = record_at(resolve, record);

	return wye_neigh_hash(neigh->ifindex, neigh->addr) & mask;
}

/* There is always a free word: at least twice as many words as records. */
static void shared_insert(struct resolve *resolve, uint32_t record)
{
	uint32_t mask, at;
	_Atomic uint32_t *hash = words(resolve, &mask);

	at = shared_home(resolve, record, mask);
	while (word_at(hash, at) && word_at(hash, at) != WYE_HASH_DELETED)
		at = (at + 1) & mask;
	resolve->n_deleted -= word_at(hash, at) == WYE_HASH_DELETED;
	wye_publish_word(&hash[at], record); /* P1 */
	count_publish(resolve);
}

/* Deleted words in front of a free one end no probe that the free one would not: they are free too. */
static void trim(struct resolve *resolve, _Atomic uint32_t *hash, uint32_t at, uint32_t mask)
{
	if (word_at(hash, (at + 1) & mask))
		return;
	for (; word_at(hash, at) == WYE_HASH_DELETED; at = (at - 1) & mask) {
		wye_publish_word(&hash[at], 0);
		resolve->n_deleted--;
	}
}

/* Pulls the entry at `at` forward over a deleted word, if its probe passes one. */
static void pull_forward(struct resolve *resolve, _Atomic uint32_t *hash, uint32_t at, uint32_t mask)
{
	uint32_t record = word_at(hash, at), to = shared_home(resolve, record, mask);

	while (to != at && word_at(hash, to) != WYE_HASH_DELETED)
		to = (to + 1) & mask;
	if (to == at)
		return;
	wye_publish_word(&hash[to], record);
	wye_publish_word(&hash[at], WYE_HASH_DELETED);
}

/* The first word of the probe of any entry that starts near the end of the array and lies at its beginning. */
static uint32_t wrapped_from(const struct resolve *resolve, _Atomic uint32_t *hash, uint32_t mask)
{
	uint32_t from = mask + 1;

	for (uint32_t at = 0; at <= mask && word_at(hash, at); at++) {
		uint32_t start = word_at(hash, at) == WYE_HASH_DELETED ? 0 :
				 shared_home(resolve, word_at(hash, at), mask);

		if (start > at && start < from)
			from = start;
	}
	return from;
}

/* Too many deleted words make every miss a long probe. Entries go forward, then each deleted word that no entry's
 * probe passes becomes free. `from`: where the earliest probe starts that passes the word looked at. */
static void clean(struct resolve *resolve)
{
	uint32_t mask, from;
	_Atomic uint32_t *hash = words(resolve, &mask);

	if (resolve->n_deleted <= mask / 4)
		return;
	for (uint32_t at = 0; at <= mask; at++)
		if (word_at(hash, at) && word_at(hash, at) != WYE_HASH_DELETED)
			pull_forward(resolve, hash, at, mask);
	from = wrapped_from(resolve, hash, mask);
	for (uint32_t at = mask + 1; at-- > 0;) {
		uint32_t word = word_at(hash, at), start = at;

		if (word && word != WYE_HASH_DELETED)
			start = shared_home(resolve, word, mask);
		if (start > at)		/* wrapped: everything below is on its way */
			start = 0;
		if (word == WYE_HASH_DELETED && from > at) {
			wye_publish_word(&hash[at], 0);
			resolve->n_deleted--;
			word = 0;
		}
		from = !word ? mask + 1 : word != WYE_HASH_DELETED && start < from ? start : from;
	}
}

static void shared_remove(struct resolve *resolve, uint32_t record)
{
	uint32_t mask, at;
	_Atomic uint32_t *hash = words(resolve, &mask);

	at = shared_home(resolve, record, mask);
	while (word_at(hash, at) != record)
		at = (at + 1) & mask;
	wye_publish_word(&hash[at], WYE_HASH_DELETED);
	count_publish(resolve);
	resolve->n_deleted++;
	trim(resolve, hash, at, mask);
	clean(resolve);
}

/* ---- the door ------------------------------------------------------------------------------------------------------ */

static bool key_of(struct neigh_anchor *key, uint32_t ifindex, uint8_t family, const uint8_t *addr)
{
	*key = (struct neigh_anchor){ .ifindex = ifindex, .family = family };
	if (!ifindex || (family != AF_INET && family != AF_INET6))
		return false;
	memcpy(key->addr, addr, family == AF_INET ? 4 : 16);
	return true;
}

static void describe(struct wye_neigh *neigh, uint16_t nud_state, uint32_t ntf_flags, const uint8_t *lladdr,
		     uint8_t lladdr_len)
{
	uint8_t bytes[8] = { 0 };

	if (!lladdr || lladdr_len > sizeof(bytes) || !(nud_state & NUD_VALID_STATES))
		lladdr_len = 0;
	else
		memcpy(bytes, lladdr, lladdr_len);
	__atomic_store_n(&neigh->lladdr_len, lladdr_len, __ATOMIC_RELAXED);
	atomic_store_explicit(&neigh->nud_state, nud_state, memory_order_relaxed);
	atomic_store_explicit(&neigh->ntf_flags, ntf_flags, memory_order_relaxed);
	wye_seq_write(&neigh->seq, neigh->lladdr, bytes, sizeof(bytes) / 4);
}

static void remake_dependents(struct resolve *resolve, uint32_t anchor)
{
	for (uint32_t id = resolve->neigh[anchor].nexthops; id; id = resolve->nexthop[id].neigh_next)
		nexthop_remake(resolve, id);
}

/* The record exists and says how the neighbour is reached, but nobody finds it yet. */
static int make_record(struct resolve *resolve, uint32_t anchor, const struct neigh_anchor *key)
{
	uint32_t record = region_alloc(resolve->region, WYE_SECTION_NEIGH, 1);
	struct wye_neigh *neigh;

	if (!record)
		return -ENOSPC;
	neigh = record_at(resolve, record);
	memset(neigh, 0, sizeof(*neigh));
	neigh->ifindex = key->ifindex;
	neigh->family = key->family;
	memcpy(neigh->addr, key->addr, 16);
	resolve->neigh[anchor].record = record;
	return 0;
}

static int enter(struct resolve *resolve, uint32_t anchor)
{
	const struct neigh_anchor *a = &resolve->neigh[anchor];
	struct nexthop_leg leg = { .kind = WYE_NH_FORWARD, .family = a->family, .ifindex = a->ifindex, .weight = 1 };
	uint32_t record = a->record, id;

	memcpy(leg.gateway, a->addr, 16);
	id = nexthop_get(resolve, &leg, 1);
	if (!id) {
		resolve->neigh[anchor].record = 0;
		region_free(resolve->region, WYE_SECTION_NEIGH, record, 1);
		return -ENOSPC;
	}
	record_at(resolve, record)->nexthop = id;
	shared_insert(resolve, record);
	return 0;
}

int neigh_set(struct resolve *resolve, uint32_t ifindex, uint8_t family, const uint8_t *addr, uint16_t nud_state,
	      uint32_t ntf_flags, const uint8_t *lladdr, uint8_t lladdr_len)
{
	struct neigh_anchor key;
	bool fresh;
	uint32_t anchor;
	int err = 0;

	if (!key_of(&key, ifindex, family, addr))
		return -EINVAL;
	anchor = neigh_anchor_make(resolve, ifindex, family, key.addr);
	if (!anchor)
		return -ENOMEM;
	fresh = !resolve->neigh[anchor].record;
	if (fresh)
		err = make_record(resolve, anchor, &key);
	if (!err) {
		describe(record_at(resolve, resolve->neigh[anchor].record), nud_state, ntf_flags, lladdr, lladdr_len);
		err = fresh ? enter(resolve, anchor) : 0;
		remake_dependents(resolve, anchor);
	}
	if (err)
		neigh_anchor_unused(resolve, anchor);
	return err;
}

static void anchor_del(struct resolve *resolve, uint32_t anchor)
{
	uint32_t record = resolve->neigh[anchor].record, id = record_at(resolve, record)->nexthop;

	shared_remove(resolve, record);
	resolve->neigh[anchor].record = 0;
	remake_dependents(resolve, anchor);
	region_retire(resolve->region, WYE_SECTION_NEIGH, record, 1);
	nexthop_put(resolve, id);	/* frees the anchor if nothing else hangs on it */
}

void neigh_del(struct resolve *resolve, uint32_t ifindex, uint8_t family, const uint8_t *addr)
{
	struct neigh_anchor key;
	uint32_t anchor = key_of(&key, ifindex, family, addr) ? anchor_find(resolve, &key) : 0;

	if (anchor && resolve->neigh[anchor].record)
		anchor_del(resolve, anchor);
}

void neigh_each(struct resolve *resolve, uint32_t ifindex,
		void (*fn)(void *ctx, uint32_t index, const struct wye_neigh *neigh), void *ctx)
{
	for (uint32_t i = 1; i < resolve->n_neighs; i++) {
		const struct neigh_anchor *anchor = &resolve->neigh[i];

		if (anchor->ifindex && anchor->record && (!ifindex || anchor->ifindex == ifindex))
			fn(ctx, anchor->record, record_at(resolve, anchor->record));
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Route identity and order: see rib.h. */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "rib.h"

static uint32_t prefix_hash(const uint8_t addr[16], uint8_t len)
{
	return hash_bytes_of(addr, 16, len);
}

static uint32_t route_hash(const void *ctx, uint32_t index)
{
	const struct rib_route *route = rib_route(ctx, index);

	return prefix_hash(route->addr, route->len);
}

static bool prefix_equal(const void *ctx, uint32_t index, const void *key)
{
	const struct rib_route *route = rib_route(ctx, index);
	const struct rib_key *k = key;

	return route->len == k->len && !memcmp(route->addr, k->addr, 16);
}

int rib_open(struct rib *rib, uint8_t family, uint32_t table, uint32_t expected)
{
	int error;

	*rib = (struct rib){ .family = family, .table = table };
	error = pool_open(&rib->pool, sizeof(struct rib_route));
	if (error)
		return error;
	error = hash_open(&rib->hash, expected, route_hash, rib);
	if (error)
		pool_close(&rib->pool);
	return error;
}

void rib_close(struct rib *rib)
{
	hash_close(&rib->hash);
	pool_close(&rib->pool);
}

uint32_t rib_first(const struct rib *rib, const uint8_t addr[16], uint8_t len)
{
	struct rib_key key = { .addr = addr, .len = len };

	return hash_find(&rib->hash, prefix_hash(addr, len), prefix_equal, &key);
}

void rib_prefetch(const struct rib *rib, const uint8_t addr[16], uint8_t len, unsigned step)
{
	uint32_t index, h;

	if (step > 1)
		return;
	h = prefix_hash(addr, len);
	if (!step) {
		hash_prefetch(&rib->hash, h);
		return;
	}
	index = hash_peek(&rib->hash, h);
	if (index && index < rib->pool.used)
		__builtin_prefetch(rib_route(rib, index));
}

/* Does a stand before a new route of key, whatever the order within a class? */
static bool before_class(const struct rib_route *a, const struct rib_key *key)
{
	return a->tos > key->tos || (a->tos == key->tos && a->priority < key->priority);
}

static bool of_class(const struct rib_route *a, const struct rib_key *key)
{
	return a->tos == key->tos && a->priority == key->priority;
}

/* Links a new route behind `after`; 0 = as the first, `first` being the list so far. */
static bool link_behind(struct rib *rib, uint32_t first, uint32_t after, uint32_t index)
{
	struct rib_route *route = rib_route(rib, index);
	uint32_t h = prefix_hash(route->addr, route->len);

	if (after) {
		route->next = rib_route(rib, after)->next;
		rib_route(rib, after)->next = index;
		return true;
	}
	route->next = first;
	if (!first)
		return hash_enter(&rib->hash, h, index) == 0;
	hash_change(&rib->hash, h, first, index);
	return true;
}

static void unlink_route(struct rib *rib, uint32_t index)
{
	struct rib_route *route = rib_route(rib, index);
	uint32_t h = prefix_hash(route->addr, route->len);
	uint32_t at = rib_first(rib, route->addr, route->len);

	if (at == index) {
		if (route->next)
			hash_change(&rib->hash, h, index, route->next);
		else
			hash_remove(&rib->hash, h, index);
		return;
	}
	while (rib_route(rib, at)->next != index)
		at = rib_route(rib, at)->next;
	rib_route(rib, at)->next = route->next;
}

void rib_remove(struct rib *rib, uint32_t index)
{
	unlink_route(rib, index);
	pool_give(&rib->pool, index);
}

static struct rib_result insert(struct rib *rib, const struct rib_key *key, uint32_t first, uint32_t after,
				uint32_t info, uint32_t gen)
{
	uint32_t index = pool_take(&rib->pool);
	struct rib_route *route;

	if (!index)
		return (struct rib_result){ 0 };
	route = rib_route(rib, index);
	memcpy(route->addr, key->addr, 16);
	route->len = key->len;
	route->tos = key->tos;
	route->priority = key->priority;
	route->info = info;
	route->gen = gen;
	if (link_behind(rib, first, after, index))
		return (struct rib_result){ .index = index };
	pool_give(&rib->pool, index);
	return (struct rib_result){ 0 };
}

static struct rib_result replace(struct rib *rib, uint32_t index, uint32_t info, uint32_t gen)
{
	struct rib_route *route = rib_route(rib, index);
	struct rib_result result = { .index = index, .old_info = route->info, .same = route->info == info };

	route->info = info;
	route->gen = gen;
	return result;
}

/* Where a class is in a list. */
struct place {
	uint32_t first;		/* of the list */
	uint32_t before;	/* last route that sorts before the class, 0 = none */
	uint32_t class_first, class_last;	/* 0 = class is empty */
	uint32_t exact;		/* the one with this info */
	uint32_t last_of_gen;	/* last of the class seen in generation gen */
};

static struct place find_place(const struct rib *rib, const struct rib_key *key, uint32_t info, uint32_t gen)
{
	struct place place = { .first = rib_first(rib, key->addr, key->len) };

	for (uint32_t at = place.first; at; at = rib_route(rib, at)->next) {
		const struct rib_route *route = rib_route(rib, at);

		if (before_class(route, key)) {
			place.before = at;
			continue;
		}
		if (!of_class(route, key))
			break;
		if (!place.class_first)
			place.class_first = at;
		place.class_last = at;
		if (route->info == info)
			place.exact = at;
		if (route->gen == gen)
			place.last_of_gen = at;
	}
	return place;
}

struct rib_result rib_notified4(struct rib *rib, const struct rib_key *key, uint32_t info, uint16_t nl_flags,
				uint32_t gen)
{
	struct place place = find_place(rib, key, info, gen);
	struct rib_result result;

	if (place.exact) { /* or it went unsaid and came back, behind or before its equals */
		result = replace(rib, place.exact, info, gen);
		result.unsure = place.class_first != place.class_last;
		return result;
	}
	if (place.class_first && nl_flags & NLM_F_REPLACE) {
		result = replace(rib, place.class_first, info, gen);
		result.guessed = place.class_first != place.class_last;
		return result;
	}
	if (place.class_last && nl_flags & NLM_F_APPEND)
		return insert(rib, key, place.first, place.class_last, info, gen);
	return insert(rib, key, place.first, place.before, info, gen);
}

static struct rib_result dumped_part(struct rib *rib, const struct rib_key *key, const struct place *place,
				     uint32_t info, uint32_t gen)
{
	struct rib_result result;

	if (place->exact)
		return replace(rib, place->exact, info, gen);
	result = insert(rib, key, place->first, place->class_last ? place->class_last : place->before, info, gen);
	result.unsure = place->class_last != 0;
	return result;
}

/* Has the exact route its place behind those of its class that the dump already gave? */
static bool in_place(const struct rib *rib, const struct place *place, uint32_t after)
{
	return place->class_first == place->class_last ||
	       (after ? rib_route(rib, after)->next : place->first) == place->exact || after == place->exact;
}

bool rib_seen4(struct rib *rib, const struct rib_key *key, uint32_t info, uint32_t gen)
{
	struct place place = find_place(rib, key, info, gen);

	if (!place.exact)
		return false;
	rib_route(rib, place.exact)->gen = gen;
	return in_place(rib, &place, place.last_of_gen ? place.last_of_gen : place.before);
}

struct rib_result rib_dumped4(struct rib *rib, const struct rib_key *key, uint32_t info, uint32_t gen, bool whole)
{
	struct place place = find_place(rib, key, info, gen);
	uint32_t after = place.last_of_gen ? place.last_of_gen : place.before;
	struct rib_result result;

	if (!whole)
		return dumped_part(rib, key, &place, info, gen);
	if (!place.exact)
		return insert(rib, key, place.first, after, info, gen);
	result = replace(rib, place.exact, info, gen);
	if (in_place(rib, &place, after))
		return result;
	unlink_route(rib, place.exact);
	link_behind(rib, rib_first(rib, key->addr, key->len), after, place.exact);
	result.same = false; /* another order is another choice */
	return result;
}

uint32_t rib_match4(const struct rib *rib, const struct rib_key *key, uint32_t info)
{
	struct place place = find_place(rib, key, info, 0);

	if (place.exact)
		return place.exact;
	return place.class_first == place.class_last ? place.class_first : 0;
}

struct rib_result rib_put6(struct rib *rib, const struct rib_key *key, uint32_t over, uint32_t info, uint32_t gen)
{
	struct place place;

	if (over)
		return replace(rib, over, info, gen);
	place = find_place(rib, key, info, gen);
	return insert(rib, key, place.first, place.class_last ? place.class_last : place.before, info, gen);
}

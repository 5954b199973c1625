/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Section LOCAL: the prefixes whose packets are for the host. Made from routes of type local, broadcast and anycast
 * in any mirrored table; several routes may name one prefix of one link, so entries are counted. Which of them are no
 * gateways is the resolver's to know (resolve_own()), and with them IPv4 routes of scope host, which have no record.
 */
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "mirror.h"

struct local_key {
	uint32_t table, ifindex;
	uint8_t family, len, type, pad;
	uint8_t addr[16];
};

struct local_entry {
	uint32_t refs;		/* first: overlaid in a free item; key.family tells whether it is in use */
	uint32_t record;	/* index in LOCAL, 0 = none */
	struct local_key key;
};

static uint32_t local_hash(const void *ctx, uint32_t index)
{
	const struct local_table *locals = ctx;
	const struct local_entry *local = pool_item(&locals->pool, index);

	return hash_bytes_of(&local->key, sizeof(local->key), 0);
}

static bool local_equal(const void *ctx, uint32_t index, const void *key)
{
	const struct local_table *locals = ctx;
	const struct local_entry *local = pool_item(&locals->pool, index);

	return !memcmp(&local->key, key, sizeof(local->key));
}

int locals_open(struct mirror *mirror)
{
	int error = pool_open(&mirror->locals.pool, sizeof(struct local_entry));

	return error ? error : hash_open(&mirror->locals.hash, 256, local_hash, &mirror->locals);
}

void locals_close(struct mirror *mirror)
{
	hash_close(&mirror->locals.hash);
	pool_close(&mirror->locals.pool);
}

static struct local_key key_of(const struct rib *rib, const struct rib_route *route, uint8_t type, uint32_t ifindex)
{
	struct local_key key;

	memset(&key, 0, sizeof(key));
	key.table = rib->table;
	key.ifindex = ifindex;
	key.family = rib->family;
	key.len = route->len;
	key.type = type;
	memcpy(key.addr, route->addr, 16);
	return key;
}

static bool is_local(uint8_t type)
{
	return type == RTN_LOCAL || type == RTN_BROADCAST || type == RTN_ANYCAST;
}

static void local_write(struct mirror *mirror, const struct local_entry *local)
{
	struct wye_local record = { 0 };

	if (!local->record) /* the region is full: it is marked so, and will be replaced by a larger one */
		return;
	record.family = local->key.family;
	record.prefix_len = local->key.len;
	record.type = local->key.type;
	record.table = local->key.table;
	memcpy(record.addr, local->key.addr, 16);
	tables_write(mirror->tables, WYE_SECTION_LOCAL, local->record, &record, sizeof(record));
	mirror->tables->locals_dirty = true;
}

static void make_record(struct mirror *mirror, struct local_entry *local)
{
	if (!is_local(local->key.type))
		return;
	local->record = region_alloc(&mirror->tables->region, WYE_SECTION_LOCAL, 1);
	local_write(mirror, local);
}

static void tell_own(struct mirror *mirror, const struct local_key *key, bool own)
{
	if (key->family == AF_INET && (key->type == RTN_LOCAL || key->type == RTN_UNICAST) &&
	    resolve_own(mirror->tables->resolve, key->ifindex, key->addr, key->len, own) < 0)
		mirror->tables->region.failed = true;
}

static void add_one(struct mirror *mirror, const struct local_key *key)
{
	uint32_t h = hash_bytes_of(key, sizeof(*key), 0), index = hash_find(&mirror->locals.hash, h, local_equal, key);
	struct local_entry *local;

	if (index) {
		local = pool_item(&mirror->locals.pool, index);
		local->refs++;
		return;
	}
	index = pool_take(&mirror->locals.pool);
	if (!index)
		return;
	local = pool_item(&mirror->locals.pool, index);
	*local = (struct local_entry){ .refs = 1, .key = *key };
	if (hash_enter(&mirror->locals.hash, h, index) < 0) {
		pool_give(&mirror->locals.pool, index);
		mirror->tables->region.failed = true;
		return;
	}
	make_record(mirror, local);
	tell_own(mirror, key, true);
}

static void remove_one(struct mirror *mirror, const struct local_key *key)
{
	uint32_t h = hash_bytes_of(key, sizeof(*key), 0), index = hash_find(&mirror->locals.hash, h, local_equal, key);
	static const struct wye_local none;
	struct local_entry *local;

	if (!index)
		return;
	local = pool_item(&mirror->locals.pool, index);
	if (--local->refs)
		return;
	if (local->record) {
		tables_write(mirror->tables, WYE_SECTION_LOCAL, local->record, &none, sizeof(none));
		region_free(&mirror->tables->region, WYE_SECTION_LOCAL, local->record, 1);
	}
	mirror->tables->locals_dirty = true;
	tell_own(mirror, key, false);
	hash_remove(&mirror->locals.hash, h, index);
	pool_give(&mirror->locals.pool, index);
}

/* On each link the route names; on none when it has no path. */
static void each_link(struct mirror *mirror, const struct rib *rib, const struct rib_route *route,
		      const struct route_info *info, void (*with)(struct mirror *, const struct local_key *))
{
	struct local_key key;

	if (!is_local(info->type) && !route_of_host_scope(info))
		return;
	for (uint32_t i = 0; i < info->n_legs || !i; i++) {
		key = key_of(rib, route, info->type, info->n_legs ? info->legs[i].ifindex : 0);
		with(mirror, &key);
	}
}

void locals_add(struct mirror *mirror, const struct rib *rib, const struct rib_route *route, const struct route_info *info)
{
	each_link(mirror, rib, route, info, add_one);
}

void locals_remove(struct mirror *mirror, const struct rib *rib, const struct rib_route *route,
		   const struct route_info *info)
{
	each_link(mirror, rib, route, info, remove_one);
}

void locals_republish(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->locals.pool.used; i++) {
		struct local_entry *local = pool_item(&mirror->locals.pool, i);

		if (!local->key.family)
			continue;
		make_record(mirror, local);
		tell_own(mirror, &local->key, true);
	}
}

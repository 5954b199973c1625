/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses. For the host's own prefixes the local routes count (mirror_local.c); this is what `wye show addr` prints.
 * Their removal matters more than they do: with a link's last IPv4 address, or with one that routes prefer as their
 * source, routes vanish without a message. Addresses that a link keeps when it goes down may come without one, so they are
 * dumped then (mirror_link.c).
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "mirror.h"

struct addr_entry {
	uint32_t gen;		/* first: overlaid in a free item; nl.family tells whether it is in use */
	uint32_t record;	/* index in ADDR, 0 = the region is full */
	struct nl_addr nl;
};

struct addr_key {
	uint32_t ifindex;
	uint8_t family, prefix_len;
	uint8_t local[16], address[16];
	uint8_t pad[2];
};

static struct addr_key key_of(const struct nl_addr *nl)
{
	struct addr_key key;

	memset(&key, 0, sizeof(key));
	key.ifindex = nl->ifindex;
	key.family = nl->family;
	key.prefix_len = nl->prefix_len;
	memcpy(key.local, nl->local, 16);
	/* A peer is part of an IPv4 address's identity; IPv6 has one entry an address. */
	memcpy(key.address, nl->family == AF_INET ? nl->address : nl->local, 16);
	return key;
}

static uint32_t addr_hash(const void *ctx, uint32_t index)
{
	const struct addr_table *addrs = ctx;
	const struct addr_entry *addr = pool_item(&addrs->pool, index);
	struct addr_key key = key_of(&addr->nl);

	return hash_bytes_of(&key, sizeof(key), 0);
}

static bool addr_equal(const void *ctx, uint32_t index, const void *wanted)
{
	const struct addr_table *addrs = ctx;
	const struct addr_entry *addr = pool_item(&addrs->pool, index);
	struct addr_key key = key_of(&addr->nl);

	return !memcmp(&key, wanted, sizeof(key));
}

int addrs_open(struct mirror *mirror)
{
	int error = pool_open(&mirror->addrs.pool, sizeof(struct addr_entry));

	return error ? error : hash_open(&mirror->addrs.hash, 256, addr_hash, &mirror->addrs);
}

void addrs_close(struct mirror *mirror)
{
	hash_close(&mirror->addrs.hash);
	pool_close(&mirror->addrs.pool);
}

static void addr_write(struct mirror *mirror, const struct addr_entry *addr)
{
	struct wye_addr record = { 0 };

	if (!addr->record)
		return;
	record.ifindex = addr->nl.ifindex;
	record.family = addr->nl.family;
	record.prefix_len = addr->nl.prefix_len;
	record.scope = addr->nl.scope;
	record.flags = addr->nl.flags;
	memcpy(record.local, addr->nl.local, 16);
	memcpy(record.address, addr->nl.address, 16);
	memcpy(record.broadcast, addr->nl.broadcast, 16);
	record.valid_lft_s = addr->nl.valid_lft_s;
	record.preferred_lft_s = addr->nl.preferred_lft_s;
	memcpy(record.label, addr->nl.label, sizeof(record.label));
	tables_write(mirror->tables, WYE_SECTION_ADDR, addr->record, &record, sizeof(record));
}

/* The way back that rp_filter asks for hangs on whether a link has an IPv4 address: rpf_flags(). */
static void address_moves(struct mirror *mirror, const struct nl_addr *nl)
{
	mirror->links.dirty |= nl->family == AF_INET;
}

bool addrs_any4(const struct mirror *mirror, uint32_t ifindex)
{
	for (uint32_t i = 1; i < mirror->addrs.pool.used; i++) {
		const struct addr_entry *addr = pool_item(&mirror->addrs.pool, i);

		if (addr->nl.family == AF_INET && addr->nl.ifindex == ifindex)
			return true;
	}
	return false;
}

static void addr_remove(struct mirror *mirror, uint32_t index)
{
	static const struct wye_addr none;
	struct addr_entry *addr = pool_item(&mirror->addrs.pool, index);

	if (addr->record) {
		tables_write(mirror->tables, WYE_SECTION_ADDR, addr->record, &none, sizeof(none));
		region_free(&mirror->tables->region, WYE_SECTION_ADDR, addr->record, 1);
	}
	address_moves(mirror, &addr->nl);
	hash_remove(&mirror->addrs.hash, addr_hash(&mirror->addrs, index), index);
	pool_give(&mirror->addrs.pool, index);
	atomic_store_explicit(&mirror_stats(mirror)->addresses, mirror->addrs.pool.count, memory_order_relaxed);
}

static uint32_t addr_add(struct mirror *mirror, const struct nl_addr *nl)
{
	uint32_t index = pool_take(&mirror->addrs.pool);
	struct addr_entry *addr;

	if (!index)
		return 0;
	addr = pool_item(&mirror->addrs.pool, index);
	addr->nl = *nl;
	addr->record = region_alloc(&mirror->tables->region, WYE_SECTION_ADDR, 1);
	if (hash_enter(&mirror->addrs.hash, addr_hash(&mirror->addrs, index), index) < 0) {
		pool_give(&mirror->addrs.pool, index);
		return 0;
	}
	address_moves(mirror, nl);
	atomic_store_explicit(&mirror_stats(mirror)->addresses, mirror->addrs.pool.count, memory_order_relaxed);
	return index;
}

/* But for its life times, which run down unsaid. */
static bool addr_same(const struct nl_addr *a, const struct nl_addr *b)
{
	return a->flags == b->flags && a->scope == b->scope && !memcmp(a->address, b->address, 16) &&
	       !memcmp(a->broadcast, b->broadcast, 16) && !memcmp(a->label, b->label, sizeof(a->label));
}

void addrs_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	struct addr_entry *addr;
	struct addr_key key;
	struct nl_addr nl;
	uint32_t index, h;

	if (!mirror_decoded(mirror, nl_decode_addr(msg, &nl), msg))
		return;
	key = key_of(&nl);
	h = hash_bytes_of(&key, sizeof(key), 0);
	if (dumped && channel_touched(channel, CLASS_ADDR, &key, sizeof(key)))
		return;
	if (!dumped)
		channel_touch(channel, CLASS_ADDR, &key, sizeof(key));
	index = hash_find(&mirror->addrs.hash, h, addr_equal, &key);
	if (msg->nlmsg_type == RTM_DELADDR) {
		if (index)
			addr_remove(mirror, index);
		routes_prefsrc_gone(mirror, nl.family, nl.local);
		routes_verify(mirror, nl.ifindex);
		return;
	}
	addr = index ? pool_item(&mirror->addrs.pool, index) : NULL;
	if (dumped && channel_audits(channel) &&
	    ((addr && addr_same(&addr->nl, &nl)) || !audit_differs(mirror, channel, &key, sizeof(key)))) {
		if (addr)
			addr->gen = channel->sync.gen;
		return;
	}
	if (!index)
		index = addr_add(mirror, &nl);
	if (!index) {
		channel_lost(channel, -ENOMEM);
		return;
	}
	if (nl.family == AF_INET)
		routes_address_added(mirror, nl.ifindex);
	addr = pool_item(&mirror->addrs.pool, index);
	addr->nl = nl;
	addr->gen = channel->sync.gen;
	addr_write(mirror, addr);
}

void addrs_sweep(struct mirror *mirror, uint32_t gen)
{
	for (uint32_t i = 1; i < mirror->addrs.pool.used; i++) {
		struct addr_entry *addr = pool_item(&mirror->addrs.pool, i);
		struct addr_key key = key_of(&addr->nl);

		if (!addr->nl.family || addr->gen >= gen ||
		    !audit_differs(mirror, &mirror->channel[CHANNEL_LINK], &key, sizeof(key)))
			continue;
		atomic_fetch_add_explicit(&mirror_stats(mirror)->swept, 1, memory_order_relaxed);
		routes_prefsrc_gone(mirror, addr->nl.family, addr->nl.local);
		routes_verify(mirror, addr->nl.ifindex);
		addr_remove(mirror, i);
	}
}

void addrs_link_gone(struct mirror *mirror, uint32_t ifindex)
{
	for (uint32_t i = 1; i < mirror->addrs.pool.used; i++) {
		struct addr_entry *addr = pool_item(&mirror->addrs.pool, i);

		if (addr->nl.family && addr->nl.ifindex == ifindex)
			addr_remove(mirror, i);
	}
}

void addrs_republish(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->addrs.pool.used; i++) {
		struct addr_entry *addr = pool_item(&mirror->addrs.pool, i);

		if (!addr->nl.family)
			continue;
		addr->record = region_alloc(&mirror->tables->region, WYE_SECTION_ADDR, 1);
		addr_write(mirror, addr);
	}
}

bool addrs_have(struct mirror *mirror, uint8_t family, const uint8_t wanted[16])
{
	for (uint32_t i = 1; i < mirror->addrs.pool.used; i++) {
		const struct addr_entry *addr = pool_item(&mirror->addrs.pool, i);

		if (addr->nl.family == family && !memcmp(addr->nl.local, wanted, 16))
			return true;
	}
	return false;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours, IPv4 and IPv6. What a neighbour's state means for packets is resolve.c's; here is which there are, so
 * that a sweep can find what a lost message said, and a new region be filled.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "mirror.h"

struct neigh_key {
	uint32_t ifindex;
	uint8_t family, pad[3];
	uint8_t addr[16];
};

struct neigh_entry {
	uint32_t gen;		/* first: overlaid in a free item; key.family tells whether it is in use */
	struct neigh_key key;
	uint32_t ntf_flags;
	uint16_t nud_state;
	uint8_t lladdr_len;
	uint8_t lladdr[8];
};

static uint32_t neigh_hash(const void *ctx, uint32_t index)
{
	const struct neigh_table *neighs = ctx;
	const struct neigh_entry *neigh = pool_item(&neighs->pool, index);

	return hash_bytes_of(&neigh->key, sizeof(neigh->key), 0);
}

static bool neigh_equal(const void *ctx, uint32_t index, const void *key)
{
	const struct neigh_table *neighs = ctx;
	const struct neigh_entry *neigh = pool_item(&neighs->pool, index);

	return !memcmp(&neigh->key, key, sizeof(neigh->key));
}

int neighs_open(struct mirror *mirror)
{
	int error = pool_open(&mirror->neighs.pool, sizeof(struct neigh_entry));

	return error ? error : hash_open(&mirror->neighs.hash, 1024, neigh_hash, &mirror->neighs);
}

void neighs_close(struct mirror *mirror)
{
	hash_close(&mirror->neighs.hash);
	pool_close(&mirror->neighs.pool);
}

static void neigh_count(struct mirror *mirror)
{
	atomic_store_explicit(&mirror_stats(mirror)->neighbours, mirror->neighs.pool.count, memory_order_relaxed);
}

static int neigh_write(struct mirror *mirror, const struct neigh_entry *neigh)
{
	return neigh_set(mirror->tables->resolve, neigh->key.ifindex, neigh->key.family, neigh->key.addr,
			 neigh->nud_state, neigh->ntf_flags, neigh->lladdr_len ? neigh->lladdr : NULL,
			 neigh->lladdr_len);
}

static void neigh_remove(struct mirror *mirror, uint32_t index)
{
	struct neigh_entry *neigh = pool_item(&mirror->neighs.pool, index);

	neigh_del(mirror->tables->resolve, neigh->key.ifindex, neigh->key.family, neigh->key.addr);
	hash_remove(&mirror->neighs.hash, neigh_hash(&mirror->neighs, index), index);
	pool_give(&mirror->neighs.pool, index);
	neigh_count(mirror);
}

static uint32_t neigh_add(struct mirror *mirror, const struct neigh_key *key, uint32_t h)
{
	uint32_t index = pool_take(&mirror->neighs.pool);
	struct neigh_entry *neigh;

	if (!index)
		return 0;
	neigh = pool_item(&mirror->neighs.pool, index);
	neigh->key = *key;
	if (!hash_enter(&mirror->neighs.hash, h, index)) {
		neigh_count(mirror);
		return index;
	}
	pool_give(&mirror->neighs.pool, index);
	return 0;
}

/*
 * Alike for packets. The kernel lets an entry pass from STALE to DELAY, and come into being INCOMPLETE or NOARP (multicast,
 * devices without addresses), without a word; what counts is whether it has an address, and which.
 */
static bool neigh_same(const struct neigh_entry *neigh, const struct nl_neigh *nl)
{
	bool was_valid = neigh && neigh->nud_state & NUD_VALID_STATES, valid = nl->nud_state & NUD_VALID_STATES;

	if (!neigh && nl->nud_state & NUD_NOARP)
		return true;
	if (!valid || !was_valid)
		return valid == was_valid;
	return neigh->ntf_flags == nl->ntf_flags && neigh->lladdr_len == nl->lladdr_len &&
	       !memcmp(neigh->lladdr, nl->lladdr, nl->lladdr_len);
}

void neighs_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	struct neigh_entry *neigh;
	struct neigh_key key;
	struct nl_neigh nl;
	uint32_t index, h;

	if (!mirror_decoded(mirror, nl_decode_neigh(msg, &nl), msg) || nl.proxy)
		return;
	memset(&key, 0, sizeof(key));
	key.ifindex = nl.ifindex;
	key.family = nl.family;
	memcpy(key.addr, nl.addr, 16);
	if (dumped && channel_touched(channel, CLASS_NEIGH, &key, sizeof(key)))
		return;
	if (!dumped)
		channel_touch(channel, CLASS_NEIGH, &key, sizeof(key));
	h = hash_bytes_of(&key, sizeof(key), 0);
	index = hash_find(&mirror->neighs.hash, h, neigh_equal, &key);
	if (msg->nlmsg_type == RTM_DELNEIGH) {
		if (index)
			neigh_remove(mirror, index);
		return;
	}
	neigh = index ? pool_item(&mirror->neighs.pool, index) : NULL;
	if (dumped && channel_audits(channel) &&
	    (neigh_same(neigh, &nl) || !audit_differs(mirror, channel, &key, sizeof(key)))) {
		if (neigh)
			neigh->gen = channel->sync.gen;
		return;
	}
	if (!index)
		index = neigh_add(mirror, &key, h);
	if (!index) {
		channel_lost(channel, -ENOMEM);
		return;
	}
	neigh = pool_item(&mirror->neighs.pool, index);
	neigh->gen = channel->sync.gen;
	neigh->nud_state = nl.nud_state;
	neigh->ntf_flags = nl.ntf_flags;
	neigh->lladdr_len = nl.lladdr_len;
	memcpy(neigh->lladdr, nl.lladdr, sizeof(neigh->lladdr));
	neigh_write(mirror, neigh);
}

enum sync_outcome neighs_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	for (uint32_t i = 1; i < mirror->neighs.pool.used; i++) {
		const struct neigh_entry *neigh = pool_item(&mirror->neighs.pool, i);

		if (neigh->key.family != job->family || neigh->gen >= gen ||
		    !audit_differs(mirror, &mirror->channel[CHANNEL_NEIGH], &neigh->key, sizeof(neigh->key)))
			continue;
		atomic_fetch_add_explicit(&mirror_stats(mirror)->swept, 1, memory_order_relaxed);
		neigh_remove(mirror, i);
	}
	return SYNC_DONE;
}

void neighs_link_gone(struct mirror *mirror, uint32_t ifindex)
{
	for (uint32_t i = 1; i < mirror->neighs.pool.used; i++) {
		const struct neigh_entry *neigh = pool_item(&mirror->neighs.pool, i);

		if (neigh->key.family && neigh->key.ifindex == ifindex)
			neigh_remove(mirror, i);
	}
}

void neighs_resync(struct mirror *mirror, struct channel *channel)
{
	if (!mirror->phase_two)
		return;
	sync_add(&channel->sync, &(struct sync_job){ .class = CLASS_NEIGH, .family = AF_INET });
	sync_add(&channel->sync, &(struct sync_job){ .class = CLASS_NEIGH, .family = AF_INET6 });
}

void neighs_republish(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->neighs.pool.used; i++) {
		const struct neigh_entry *neigh = pool_item(&mirror->neighs.pool, i);

		if (neigh->key.family)
			neigh_write(mirror, neigh); /* full: the region is marked so */
		mirror_beat(mirror);
	}
}

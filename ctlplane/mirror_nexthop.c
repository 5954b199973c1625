/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nexthop objects. Each has one nexthop id of its own (nexthop_named) for as long as the kernel or a route knows it;
 * routes hold that id, so a replaced object costs one write whatever the number of routes. A deleted object takes
 * its IPv4 routes with it without a message. An object known only from a route means "the kernel's" until it is told.
 *
 * A member lost with its device disappears from its groups silently: every link change dumps all objects again
 * (routes_verify), which are few. An object lost with its device may be made anew under its id before that: then it looks
 * as if it had been replaced, while its IPv4 routes are gone. So a replacement asks for all routes when all links of what
 * it replaced change at about that time; links are told on another socket, before or after it.
 *
 * A resilient group is the kernel's. Which flow takes which of its buckets is by the kernel's own hash, and a bucket moves
 * to another leg once it was idle for a while: it counts only packets it sees. With its flows gone to the dataplane each
 * bucket is idle, and would move under flows that are not.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "mirror.h"

struct member {
	uint32_t id, weight;
};

struct object {
	uint32_t gen;		/* first: overlaid in a free item; kernel_id tells whether it is in use */
	uint32_t kernel_id;
	uint32_t nexthop;	/* nexthop id, 0 = the region is full */
	uint32_t refs;		/* route infos */
	uint64_t doubt_ns;	/* when a change of its links may have deleted it */
	uint64_t replaced_ns;	/* and left_ifindex: it led to this one link before */
	uint32_t left_ifindex;
	bool known;		/* RTM_NEWNEXTHOP seen, not deleted since */
	struct nexthop_leg leg;	/* of a single one; of a group, whether it is the kernel's */
	struct member *member;	/* of a group: owned */
	uint32_t n_members;
};

#define DOUBT_NS 5000000000ULL	/* by then a dump has said what became of it */

static struct nl_nexthop scratch;

static uint32_t object_hash(const void *ctx, uint32_t index)
{
	const struct nexthop_table *nexthops = ctx;
	const struct object *object = pool_item(&nexthops->pool, index);

	return hash_bytes_of(&object->kernel_id, sizeof(object->kernel_id), 0);
}

static bool object_equal(const void *ctx, uint32_t index, const void *key)
{
	const struct nexthop_table *nexthops = ctx;
	const struct object *object = pool_item(&nexthops->pool, index);

	return object->kernel_id == *(const uint32_t *)key;
}

int nexthops_open(struct mirror *mirror)
{
	int error = pool_open(&mirror->nexthops.pool, sizeof(struct object));

	return error ? error : hash_open(&mirror->nexthops.hash, 64, object_hash, &mirror->nexthops);
}

static struct object *object_at(struct mirror *mirror, uint32_t index)
{
	return pool_item(&mirror->nexthops.pool, index);
}

void nexthops_close(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->nexthops.pool.used; i++)
		if (object_at(mirror, i)->kernel_id)
			free(object_at(mirror, i)->member);
	hash_close(&mirror->nexthops.hash);
	pool_close(&mirror->nexthops.pool);
}

static uint32_t object_find(struct mirror *mirror, uint32_t kernel_id)
{
	uint32_t h = hash_bytes_of(&kernel_id, sizeof(kernel_id), 0);

	return hash_find(&mirror->nexthops.hash, h, object_equal, &kernel_id);
}

/* ---- meaning ---- */

static const struct nexthop_leg kernel_leg = { .kind = WYE_NH_KERNEL, .weight = 1 };

static void assign(struct mirror *mirror, struct object *object)
{
	static struct nexthop_leg legs[NL_LEGS_MAX];
	uint32_t n = 0;

	if (!object->nexthop)
		return;
	for (uint32_t i = 0; object->known && object->leg.kind != WYE_NH_KERNEL && i < object->n_members; i++) {
		uint32_t index = object_find(mirror, object->member[i].id);
		const struct object *member = index ? object_at(mirror, index) : NULL;

		legs[n] = member && member->known && !member->n_members ? member->leg : kernel_leg;
		legs[n++].weight = (uint16_t)(object->member[i].weight < 65535 ? object->member[i].weight : 65535);
	}
	if (!n)
		legs[n++] = object->known ? object->leg : kernel_leg;
	if (n == 1)
		legs[0].kernel_id = object->kernel_id; /* a group of one is a leg, but goes by its own name */
	if (nexthop_assign(mirror->tables->resolve, object->nexthop, legs, n) < 0)
		mirror->tables->region.failed = true;
}

static bool has_member(const struct object *object, uint32_t kernel_id)
{
	for (uint32_t i = 0; i < object->n_members; i++)
		if (object->member[i].id == kernel_id)
			return true;
	return false;
}

/* The object means something else: so do the groups it is in, and perhaps which routes are alive. */
static void meaning_changed(struct mirror *mirror, uint32_t kernel_id, bool gone)
{
	for (uint32_t i = 1; i < mirror->nexthops.pool.used; i++) {
		struct object *object = object_at(mirror, i);

		if (!object->kernel_id || (object->kernel_id != kernel_id && !has_member(object, kernel_id)))
			continue;
		assign(mirror, object);
		routes_nexthop_changed(mirror, object->kernel_id, gone && object->kernel_id == kernel_id);
	}
}

bool nexthops_alive(struct mirror *mirror, uint32_t kernel_id, uint8_t family)
{
	uint32_t index = object_find(mirror, kernel_id);
	const struct object *object = index ? object_at(mirror, index) : NULL;

	if (!object || !object->known)
		return true; /* and the kernel's */
	if (!object->n_members)
		return object->leg.kind != WYE_NH_FORWARD || links_carry(mirror, object->leg.ifindex, family);
	for (uint32_t i = 0; i < object->n_members; i++) {
		uint32_t at = object_find(mirror, object->member[i].id);
		const struct object *member = at ? object_at(mirror, at) : NULL;

		if (!member || !member->known || member->leg.kind != WYE_NH_FORWARD ||
		    links_carry(mirror, member->leg.ifindex, family))
			return true;
	}
	return false;
}

bool nexthops_blackhole(struct mirror *mirror, uint32_t kernel_id)
{
	uint32_t index = object_find(mirror, kernel_id);
	const struct object *object = index ? object_at(mirror, index) : NULL;

	if (object && object->known && object->n_members == 1) /* larger groups cannot have one */
		return nexthops_blackhole(mirror, object->member[0].id);
	return object && object->known && !object->n_members && object->leg.kind == WYE_NH_BLACKHOLE;
}

bool nexthops_known(struct mirror *mirror, uint32_t kernel_id)
{
	uint32_t index = object_find(mirror, kernel_id);
	const struct object *object = index ? object_at(mirror, index) : NULL;

	if (!object || !object->known)
		return false;
	for (uint32_t i = 0; i < object->n_members; i++) {
		uint32_t at = object_find(mirror, object->member[i].id);

		if (!at || !object_at(mirror, at)->known)
			return false;
	}
	return true;
}

bool nexthops_use(struct mirror *mirror, uint32_t kernel_id, uint32_t ifindex)
{
	uint32_t index = object_find(mirror, kernel_id);
	const struct object *object = index ? object_at(mirror, index) : NULL;

	if (!object || !object->known)
		return false;
	if (!object->n_members)
		return object->leg.ifindex == ifindex;
	for (uint32_t i = 0; i < object->n_members; i++) {
		uint32_t at = object_find(mirror, object->member[i].id);

		if (at && object_at(mirror, at)->leg.ifindex == ifindex)
			return true;
	}
	return false;
}

static bool recent(uint64_t then, uint64_t now)
{
	return then && now - then < DOUBT_NS;
}

static bool members_in_doubt(struct mirror *mirror, const struct object *object, uint64_t now)
{
	for (uint32_t i = 0; i < object->n_members; i++) {
		uint32_t at = object_find(mirror, object->member[i].id);

		if (at && !recent(object_at(mirror, at)->doubt_ns, now))
			return false;
	}
	return object->n_members != 0;
}

void nexthops_link_changed(struct mirror *mirror, uint32_t ifindex)
{
	uint64_t now = now_ns();

	for (uint32_t i = 1; i < mirror->nexthops.pool.used; i++) {
		struct object *object = object_at(mirror, i);

		if (!object->kernel_id)
			continue;
		if (object->left_ifindex == ifindex && recent(object->replaced_ns, now))
			routes_verify(mirror, 0);
		if (!nexthops_use(mirror, object->kernel_id, ifindex))
			continue;
		if (!object->n_members)
			object->doubt_ns = now;
		routes_nexthop_changed(mirror, object->kernel_id, false);
	}
	for (uint32_t i = 1; i < mirror->nexthops.pool.used; i++)
		if (members_in_doubt(mirror, object_at(mirror, i), now))
			object_at(mirror, i)->doubt_ns = now;
}

/* ---- life ---- */

static uint32_t object_make(struct mirror *mirror, uint32_t kernel_id)
{
	uint32_t index = object_find(mirror, kernel_id);
	struct object *object;

	if (index)
		return index;
	index = pool_take(&mirror->nexthops.pool);
	if (!index)
		return 0;
	object = object_at(mirror, index);
	object->kernel_id = kernel_id;
	if (hash_enter(&mirror->nexthops.hash, object_hash(&mirror->nexthops, index), index) < 0) {
		pool_give(&mirror->nexthops.pool, index);
		return 0;
	}
	object->nexthop = nexthop_named(mirror->tables->resolve, kernel_id);
	assign(mirror, object);
	atomic_store_explicit(&mirror_stats(mirror)->nexthops, mirror->nexthops.pool.count, memory_order_relaxed);
	return index;
}

static void object_free_if_unused(struct mirror *mirror, uint32_t index)
{
	struct object *object = object_at(mirror, index);

	if (object->known || object->refs)
		return;
	tables_put_nexthop(mirror->tables, object->nexthop);
	hash_remove(&mirror->nexthops.hash, object_hash(&mirror->nexthops, index), index);
	free(object->member);
	pool_give(&mirror->nexthops.pool, index);
	atomic_store_explicit(&mirror_stats(mirror)->nexthops, mirror->nexthops.pool.count, memory_order_relaxed);
}

uint32_t nexthops_hold(struct mirror *mirror, uint32_t kernel_id)
{
	uint32_t index = object_make(mirror, kernel_id);

	if (!index || !object_at(mirror, index)->nexthop)
		return 0;
	object_at(mirror, index)->refs++;
	return object_at(mirror, index)->nexthop;
}

void nexthops_drop(struct mirror *mirror, uint32_t kernel_id)
{
	uint32_t index = object_find(mirror, kernel_id);

	if (!index || !object_at(mirror, index)->refs)
		return;
	object_at(mirror, index)->refs--;
	object_free_if_unused(mirror, index);
}

static void object_gone(struct mirror *mirror, uint32_t index)
{
	struct object *object = object_at(mirror, index);

	free(object->member);
	object->member = NULL;
	object->n_members = 0;
	object->known = false;
	meaning_changed(mirror, object->kernel_id, true);
	object_free_if_unused(mirror, index);
}

/* ---- messages ---- */

static struct nexthop_leg scratch_leg(void)
{
	struct nexthop_leg leg = { .kind = WYE_NH_FORWARD, .route_family = scratch.family, .weight = 1,
				   .ifindex = scratch.ifindex, .kernel_id = scratch.id,
				   .flags = (uint8_t)(scratch.nh_flags & RTNH_F_ONLINK) };

	if (scratch.blackhole)
		leg.kind = WYE_NH_BLACKHOLE;
	if (scratch.encap || scratch.fdb || scratch.resilient || scratch.too_many_members)
		leg.kind = WYE_NH_KERNEL;
	if (leg.kind != WYE_NH_FORWARD)
		leg.ifindex = 0;
	if (scratch.has_gateway) {
		leg.family = scratch.family;
		memcpy(leg.gateway, scratch.gateway, 16);
	}
	return leg;
}

static uint32_t scratch_members(void)
{
	return scratch.group && !scratch.too_many_members ? scratch.n_members : 0;
}

/* Does the message say what is known already? A dump must not disturb buckets and records. */
static bool said_before(const struct object *object)
{
	struct nexthop_leg leg = scratch_leg();

	if (!object->known || object->n_members != scratch_members())
		return false;
	for (uint32_t i = 0; i < object->n_members; i++)
		if (object->member[i].id != scratch.member[i].id ||
		    object->member[i].weight != scratch.member[i].weight)
			return false;
	return leg.kind == object->leg.kind && leg.flags == object->leg.flags && leg_same_path(&leg, &object->leg);
}

static bool object_fill(struct object *object)
{
	uint32_t n = scratch_members();
	struct member *members = n ? malloc(n * sizeof(*members)) : NULL;

	if (n && !members)
		return false;
	for (uint32_t i = 0; i < n; i++)
		members[i] = (struct member){ scratch.member[i].id, scratch.member[i].weight };
	free(object->member);
	object->member = members;
	object->n_members = n;
	object->leg = scratch_leg();
	object->known = true;
	return true;
}

/* The one link all of an object leads to, 0 = several or none. */
static uint32_t only_link(struct mirror *mirror, const struct object *object)
{
	uint32_t only = object->n_members ? 0 : object->leg.ifindex;

	for (uint32_t i = 0; i < object->n_members; i++) {
		uint32_t at = object_find(mirror, object->member[i].id);

		if (!at || (i && object_at(mirror, at)->leg.ifindex != only))
			return 0;
		only = object_at(mirror, at)->leg.ifindex;
	}
	return only;
}

static void replaced(struct mirror *mirror, struct object *object)
{
	uint64_t now = now_ns();

	if (recent(object->doubt_ns, now))
		routes_verify(mirror, 0);
	object->doubt_ns = 0;
	object->left_ifindex = only_link(mirror, object);
	object->replaced_ns = now;
}

void nexthops_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	uint32_t index;

	if (!mirror_decoded(mirror, nl_decode_nexthop(msg, &scratch), msg))
		return;
	if (dumped && channel_touched(channel, CLASS_NEXTHOP, &scratch.id, sizeof(scratch.id)))
		return;
	if (!dumped)
		channel_touch(channel, CLASS_NEXTHOP, &scratch.id, sizeof(scratch.id));
	if (msg->nlmsg_type == RTM_DELNEXTHOP) {
		index = object_find(mirror, scratch.id);
		if (index)
			object_gone(mirror, index);
		return;
	}
	index = object_find(mirror, scratch.id);
	if (dumped && channel_audits(channel) && !(index && said_before(object_at(mirror, index))) &&
	    !audit_differs(mirror, channel, &scratch.id, sizeof(scratch.id))) {
		if (index)
			object_at(mirror, index)->gen = channel->sync.gen;
		return;
	}
	index = object_make(mirror, scratch.id);
	if (index)
		object_at(mirror, index)->gen = channel->sync.gen;
	if (index && said_before(object_at(mirror, index)))
		return;
	if (index && object_at(mirror, index)->known)
		replaced(mirror, object_at(mirror, index));
	if (!index || !object_fill(object_at(mirror, index))) {
		channel_lost(channel, -ENOMEM);
		return;
	}
	meaning_changed(mirror, scratch.id, false);
}

void nexthops_sweep(struct mirror *mirror, uint32_t gen)
{
	for (uint32_t i = 1; i < mirror->nexthops.pool.used; i++) {
		const struct object *object = object_at(mirror, i);

		if (!object->kernel_id || !object->known || object->gen >= gen ||
		    !audit_differs(mirror, &mirror->channel[CHANNEL_ROUTE], &object->kernel_id, sizeof(object->kernel_id)))
			continue;
		atomic_fetch_add_explicit(&mirror_stats(mirror)->swept, 1, memory_order_relaxed);
		object_gone(mirror, i);
	}
}

void nexthops_republish(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->nexthops.pool.used; i++) {
		struct object *object = object_at(mirror, i);

		if (!object->kernel_id)
			continue;
		object->refs = 0; /* route infos hold anew as they are resolved */
		object->nexthop = nexthop_named(mirror->tables->resolve, object->kernel_id);
	}
	for (uint32_t i = 1; i < mirror->nexthops.pool.used; i++)
		if (object_at(mirror, i)->kernel_id)
			assign(mirror, object_at(mirror, i));
}

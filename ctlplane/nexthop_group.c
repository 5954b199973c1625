/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multipath: legs with weights become a run of buckets in GROUP, each the id of a leg, a power of two of them. A leg
 * is an id of its own, so a neighbour that moves changes one word and no bucket; buckets are made anew only when a
 * leg comes to life or dies (RFC 2992's redistribution, as the kernel's fib_rebalance).
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "array.h"
#include "resolve_private.h"

#define BUCKETS_MAX 1024u

/* ---- members ------------------------------------------------------------------------------------------------------- */

static uint32_t member_alloc(struct resolve *resolve)
{
	uint32_t index = resolve->free_member;

	if (index) {
		resolve->free_member = resolve->member[index].next;
		return index;
	}
	if (!array_fit((void **)&resolve->member, &resolve->cap_members, sizeof(*resolve->member),
		       resolve->n_members + 1))
		return 0;
	return resolve->n_members++;
}

static int join_one(struct resolve *resolve, uint32_t group, const struct nexthop_leg *leg, uint32_t *last)
{
	uint32_t id = nexthop_get(resolve, leg, 1), index = id ? member_alloc(resolve) : 0;
	struct member *member;

	if (!index) {
		nexthop_put(resolve, id);
		return -ENOMEM;
	}
	member = &resolve->member[index];
	*member = (struct member){ .leg = id, .group = group, .weight = leg->weight ? leg->weight : 1 };
	member->user_next = resolve->nexthop[id].users;
	if (member->user_next)
		resolve->member[member->user_next].user_prev = index;
	resolve->nexthop[id].users = index;
	if (*last)
		resolve->member[*last].next = index;
	else
		resolve->nexthop[group].members = index;
	*last = index;
	return 0;
}

int nexthop_group_join(struct resolve *resolve, uint32_t group, const struct nexthop_leg *legs, size_t n_legs)
{
	uint32_t last = 0;
	int err = 0;

	for (size_t i = 0; i < n_legs && !err; i++)
		err = join_one(resolve, group, &legs[i], &last);
	return err;
}

void nexthop_group_leave(struct resolve *resolve, uint32_t group)
{
	uint32_t next;

	for (uint32_t m = resolve->nexthop[group].members; m; m = next) {
		struct member *member = &resolve->member[m];

		next = member->next;
		if (member->user_next)
			resolve->member[member->user_next].user_prev = member->user_prev;
		if (member->user_prev)
			resolve->member[member->user_prev].user_next = member->user_next;
		else
			resolve->nexthop[member->leg].users = member->user_next;
		nexthop_put(resolve, member->leg);
		*member = (struct member){ .next = resolve->free_member };
		resolve->free_member = m;
	}
	resolve->nexthop[group].members = 0;
}

/* ---- buckets ------------------------------------------------------------------------------------------------------- */

/* Shares of n by the largest remainder; every leg gets at least one. */
static void divide(const uint32_t *weight, uint32_t *share, uint32_t n_legs, uint64_t total, uint32_t n)
{
	uint32_t given = 0;

	for (uint32_t i = 0; i < n_legs; i++) {
		share[i] = (uint32_t)(weight[i] * (uint64_t)n / total);
		share[i] += !share[i];
		given += share[i];
	}
	while (given != n) {	/* to who is furthest below what it should have, or from who is furthest above */
		bool add = given < n;
		int64_t best_gap = INT64_MIN;
		uint32_t best = 0;

		for (uint32_t i = 0; i < n_legs; i++) {
			int64_t gap = (int64_t)(weight[i] * (uint64_t)n) - (int64_t)(share[i] * total);

			gap = add ? gap : -gap;
			if (gap > best_gap && (add || share[i] > 1)) {
				best_gap = gap;
				best = i;
			}
		}
		share[best] += add ? 1 : -1u;
		given += add ? 1 : -1u;
	}
}

/* Each leg within 2% of what its weight says. */
static bool fair(const uint32_t *weight, const uint32_t *share, uint32_t n_legs, uint64_t total, uint32_t n)
{
	for (uint32_t i = 0; i < n_legs; i++) {
		int64_t want = (int64_t)(weight[i] * (uint64_t)n), off = (int64_t)(share[i] * total) - want;

		if ((off < 0 ? -off : off) * 50 > want)
			return false;
	}
	return true;
}

uint32_t nexthop_buckets(const uint32_t *weight, uint32_t *share, uint32_t n_legs)
{
	uint64_t total = 0;
	uint32_t n = 1;

	for (uint32_t i = 0; i < n_legs; i++)
		total += weight[i];
	while (n < n_legs)
		n *= 2;
	for (;; n *= 2) {
		divide(weight, share, n_legs, total, n);
		if (n >= BUCKETS_MAX || fair(weight, share, n_legs, total, n))
			return n;
	}
}

/* Does the kernel leave this leg out (nexthop_uses_dev, fib_rebalance)? By the link's state as of now: the flags it
 * last told may be older. */
static bool leg_dead(const struct resolve *resolve, const struct nexthop_leg *leg)
{
	const struct wye_link *link = leg->ifindex ? link_record(resolve, leg->ifindex) : NULL;
	uint8_t family = leg->route_family ? leg->route_family : leg->family;
	uint32_t ignore = family == AF_INET6 ? WYE_LINK_IGNORE_LINKDOWN6 : WYE_LINK_IGNORE_LINKDOWN4;

	if (leg->kind != WYE_NH_FORWARD)
		return false;
	if (leg->flags & RTNH_F_DEAD || !link || !(link->flags & WYE_LINK_UP))
		return true;
	return link->flags & ignore && (leg->flags & RTNH_F_LINKDOWN || !(link->flags & WYE_LINK_CARRIER));
}

static uint32_t live_legs(const struct resolve *resolve, uint32_t group, uint32_t *leg, uint32_t *weight)
{
	uint32_t n = 0;

	for (uint32_t m = resolve->nexthop[group].members; m && n < BUCKETS_MAX; m = resolve->member[m].next) {
		const struct member *member = &resolve->member[m];

		if (leg_dead(resolve, &resolve->nexthop[member->leg].leg))
			continue;
		leg[n] = member->leg;
		weight[n++] = member->weight;
	}
	return n;
}

/* Do the published buckets say this already? */
static bool same_buckets(const struct resolve *resolve, uint32_t group, const uint32_t *bucket, uint32_t n)
{
	uint32_t record = resolve->nexthop[group].record;
	const struct wye_nexthop *old =
		(const struct wye_nexthop *)region_records(resolve->region, WYE_SECTION_NEXTHOP) + record;
	const uint32_t *words = region_records(resolve->region, WYE_SECTION_GROUP);

	return record && old->kind == WYE_NH_GROUP && old->buckets == n &&
	       old->kernel_id == resolve->nexthop[group].kernel_id && !memcmp(words + old->group, bucket, n * 4);
}

void nexthop_group_make(struct resolve *resolve, uint32_t group)
{
	uint32_t leg[BUCKETS_MAX], weight[BUCKETS_MAX], share[BUCKETS_MAX], bucket[BUCKETS_MAX];
	uint32_t n_legs = live_legs(resolve, group, leg, weight), n = 0;
	struct wye_nexthop nexthop = { .kind = WYE_NH_DOWN, .kernel_id = resolve->nexthop[group].kernel_id };

	if (n_legs) {
		uint32_t buckets = nexthop_buckets(weight, share, n_legs);

		for (uint32_t i = 0; i < n_legs; i++)
			for (uint32_t s = 0; s < share[i]; s++)
				bucket[n++] = leg[i];
		if (same_buckets(resolve, group, bucket, buckets))
			return;
		nexthop.group = region_alloc(resolve->region, WYE_SECTION_GROUP, buckets);
		nexthop.kind = nexthop.group ? WYE_NH_GROUP : WYE_NH_KERNEL;
		nexthop.buckets = nexthop.group ? (uint16_t)buckets : 0;
		if (nexthop.group)
			memcpy((uint32_t *)region_records(resolve->region, WYE_SECTION_GROUP) + nexthop.group, bucket,
			       buckets * 4);
	}
	if (nexthop_publish(resolve, group, &nexthop) && nexthop.group)
		region_free(resolve->region, WYE_SECTION_GROUP, nexthop.group, nexthop.buckets);
}

void nexthop_group_retire(struct resolve *resolve, const struct wye_nexthop *record)
{
	if (record->kind == WYE_NH_GROUP)
		region_retire(resolve->region, WYE_SECTION_GROUP, record->group, record->buckets);
}

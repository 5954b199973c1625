/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The resolver as a whole: made, ended, and what a change of a link sets off. Links are in link_table.c, neighbours
 * in neigh_table.c, nexthop ids in nexthop_table.c, multipath in nexthop_group.c.
 */
#include "resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "array.h"
#include "resolve_private.h"

struct resolve *resolve_create(struct region *region)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));

	if (!resolve)
		return NULL;
	resolve->region = region;
	if (link_table_create(resolve) || neigh_table_create(resolve) || nexthop_table_create(resolve)) {
		resolve_destroy(resolve);
		errno = ENOMEM;
		return NULL;
	}
	return resolve;
}

void resolve_destroy(struct resolve *resolve)
{
	if (!resolve)
		return;
	free(resolve->link);
	free(resolve->neigh);
	free(resolve->neigh_hash);
	free(resolve->nexthop);
	free(resolve->by_content);
	free(resolve->member);
	free(resolve->own);
	free(resolve);
}

/* ---- gateways of the host's own ------------------------------------------------------------------------------------ */

static bool own_covers(const struct own_prefix *own, const struct nexthop_leg *leg)
{
	uint32_t prefix, gateway, mask = own->len ? ~0u << (32 - own->len) : 0;

	memcpy(&prefix, own->addr, 4);
	memcpy(&gateway, leg->gateway, 4);
	return own->ifindex == leg->ifindex && !((ntohl(prefix) ^ ntohl(gateway)) & mask);
}

bool resolve_owns_gateway(const struct resolve *resolve, const struct nexthop_leg *leg)
{
	if (leg->kind != WYE_NH_FORWARD || leg->family != AF_INET || leg->flags & RTNH_F_ONLINK)
		return false;
	for (uint32_t i = 0; i < resolve->n_own; i++)
		if (own_covers(&resolve->own[i], leg))
			return true;
	return false;
}

static void own_remove(struct resolve *resolve, const struct own_prefix *prefix)
{
	for (uint32_t i = 0; i < resolve->n_own; i++) {
		const struct own_prefix *at = &resolve->own[i];

		if (at->ifindex != prefix->ifindex || at->len != prefix->len || memcmp(at->addr, prefix->addr, 4))
			continue;
		resolve->own[i] = resolve->own[--resolve->n_own];
		return;
	}
}

int resolve_own(struct resolve *resolve, uint32_t ifindex, const uint8_t addr[4], uint8_t len, bool own)
{
	const struct link_anchor *anchor = link_anchor_find(resolve, ifindex);
	struct own_prefix prefix = { .ifindex = ifindex, .len = len };
	bool any = false;

	memcpy(prefix.addr, addr, 4);
	if (!own) {
		own_remove(resolve, &prefix);
		return 0;
	}
	if (!array_fit((void **)&resolve->own, &resolve->cap_own, sizeof(prefix), resolve->n_own + 1))
		return -ENOMEM;
	resolve->own[resolve->n_own++] = prefix;
	for (uint32_t id = anchor ? anchor->nexthops : 0; id; id = resolve->nexthop[id].link_next) {
		struct nexthop *nh = &resolve->nexthop[id];
		bool now = !nh->own_gateway && resolve_owns_gateway(resolve, &nh->leg);

		nh->own_gateway |= now;
		any |= now;
	}
	if (any)
		resolve_link_changed(resolve, ifindex);
	return 0;
}

/* ---- links ---------------------------------------------------------------------------------------------------------- */

/* Legs first, then each group of theirs once. */
void resolve_link_changed(struct resolve *resolve, uint32_t ifindex)
{
	const struct link_anchor *anchor = link_anchor_find(resolve, ifindex);
	uint32_t first = anchor ? anchor->nexthops : 0;

	for (uint32_t id = first; id; id = resolve->nexthop[id].link_next) {
		nexthop_remake(resolve, id);
		for (uint32_t m = resolve->nexthop[id].users; m; m = resolve->member[m].user_next)
			resolve->nexthop[resolve->member[m].group].stale = true;
	}
	for (uint32_t id = first; id; id = resolve->nexthop[id].link_next) {
		for (uint32_t m = resolve->nexthop[id].users; m; m = resolve->member[m].user_next) {
			struct nexthop *group = &resolve->nexthop[resolve->member[m].group];

			if (!group->stale)
				continue;
			group->stale = false;
			nexthop_group_make(resolve, resolve->member[m].group);
		}
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The resolver as a whole: made, ended, and what a change of a link sets off. Links are in link_table.c, neighbours
 * in neigh_table.c, nexthop ids in nexthop_table.c, multipath in nexthop_group.c.
 */
#include "resolve.h"

#include <errno.h>
#include <stdlib.h>

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
	free(resolve);
}

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

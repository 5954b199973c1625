/* SPDX-License-Identifier: BSD-3-Clause */
/* Alternative names of links: for people, who may name a link by any of them. A list a link, in the kernel's order. */
#include <string.h>

#include "log.h"
#include "mirror.h"

struct altname {
	uint32_t next;		/* first: overlaid in a free item; of the same link, 0 = last */
	uint32_t ifindex;	/* 0 = not in use */
	uint32_t order;
	uint32_t record;	/* index in ALTNAME, 0 = the region is full */
	char name[128];
};

int altnames_open(struct mirror *mirror)
{
	return pool_open(&mirror->altnames.pool, sizeof(struct altname));
}

void altnames_close(struct mirror *mirror)
{
	pool_close(&mirror->altnames.pool);
}

static struct altname *altname_at(struct mirror *mirror, uint32_t index)
{
	return pool_item(&mirror->altnames.pool, index);
}

static void altname_write(struct mirror *mirror, struct altname *altname)
{
	struct wye_altname record = { .ifindex = altname->ifindex, .order = altname->order };

	altname->record = region_alloc(&mirror->tables->region, WYE_SECTION_ALTNAME, 1);
	if (!altname->record)
		return;
	memcpy(record.name, altname->name, sizeof(record.name));
	tables_write(mirror->tables, WYE_SECTION_ALTNAME, altname->record, &record, sizeof(record));
}

/* A link message tells all names each time, mostly the same ones. */
static bool said_before(struct mirror *mirror, uint32_t index, const struct nlattr *names)
{
	const struct nlattr *at = names;
	char name[128];

	for (; names && nl_altname(names, &at, name); index = altname_at(mirror, index)->next)
		if (!index || strcmp(altname_at(mirror, index)->name, name))
			return false;
	return !index;
}

static void altnames_drop(struct mirror *mirror, struct link_entry *link)
{
	static const struct wye_altname none;
	uint32_t next;

	for (uint32_t index = link->altnames; index; index = next) {
		struct altname *altname = altname_at(mirror, index);

		next = altname->next;
		if (altname->record) {
			tables_write(mirror->tables, WYE_SECTION_ALTNAME, altname->record, &none, sizeof(none));
			region_free(&mirror->tables->region, WYE_SECTION_ALTNAME, altname->record, 1);
		}
		pool_give(&mirror->altnames.pool, index);
	}
	link->altnames = 0;
}

void altnames_set(struct mirror *mirror, struct link_entry *link, const struct nlattr *names)
{
	const struct nlattr *at = names;
	uint32_t last = 0, order = 0;
	char name[128];

	if (said_before(mirror, link->altnames, names))
		return;
	altnames_drop(mirror, link);
	while (names && nl_altname(names, &at, name)) {
		uint32_t index = pool_take(&mirror->altnames.pool);
		struct altname *altname;

		if (!index) {
			log_limited(LOG_LEVEL_ERROR, "link %s: out of memory for its other names", link->nl.name);
			return;
		}
		altname = altname_at(mirror, index);
		altname->ifindex = link->ifindex;
		altname->order = order++;
		memcpy(altname->name, name, sizeof(name));
		altname_write(mirror, altname);
		*(last ? &altname_at(mirror, last)->next : &link->altnames) = index;
		last = index;
	}
}

void altnames_republish(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->altnames.pool.used; i++)
		if (altname_at(mirror, i)->ifindex)
			altname_write(mirror, altname_at(mirror, i));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Alternative names of links, any of which a person, or the configuration, may name a link by. A list a link, in the
 * kernel's order. What stays the same is left alone: a reader must not find a name gone that is not.
 */
#include <stdio.h>
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

	if (!altname->record)
		altname->record = region_alloc(&mirror->tables->region, WYE_SECTION_ALTNAME, 1);
	if (!altname->record)
		return;
	memcpy(record.name, altname->name, sizeof(record.name));
	tables_write(mirror->tables, WYE_SECTION_ALTNAME, altname->record, &record, sizeof(record));
}

bool altnames_have(const struct mirror *mirror, const struct link_entry *link, const char *name)
{
	const struct altname *altname;

	for (uint32_t index = link->altnames; index; index = altname->next) {
		altname = pool_item(&mirror->altnames.pool, index);
		if (!strcmp(altname->name, name))
			return true;
	}
	return false;
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

/* Takes the entry of that name out of a list; 0 = it is not in it. */
static uint32_t take_out(struct mirror *mirror, uint32_t *list, const char *name)
{
	for (uint32_t *from = list; *from; from = &altname_at(mirror, *from)->next) {
		uint32_t index = *from;

		if (strcmp(altname_at(mirror, index)->name, name))
			continue;
		*from = altname_at(mirror, index)->next;
		return index;
	}
	return 0;
}

static uint32_t make(struct mirror *mirror, const struct link_entry *link, const char *name)
{
	uint32_t index = pool_take(&mirror->altnames.pool);

	if (!index)
		return 0;
	altname_at(mirror, index)->ifindex = link->ifindex;
	snprintf(altname_at(mirror, index)->name, sizeof(altname_at(mirror, index)->name), "%s", name);
	return index;
}

static void drop(struct mirror *mirror, uint32_t list)
{
	static const struct wye_altname none;
	uint32_t next;

	for (uint32_t index = list; index; index = next) {
		struct altname *altname = altname_at(mirror, index);

		next = altname->next;
		if (altname->record) {
			tables_write(mirror->tables, WYE_SECTION_ALTNAME, altname->record, &none, sizeof(none));
			region_free(&mirror->tables->region, WYE_SECTION_ALTNAME, altname->record, 1);
		}
		pool_give(&mirror->altnames.pool, index);
	}
}

void altnames_set(struct mirror *mirror, struct link_entry *link, const struct nlattr *names)
{
	uint32_t old = link->altnames, last = 0, order = 0;
	const struct nlattr *at = names;
	char name[128];

	if (said_before(mirror, link->altnames, names))
		return;
	link->altnames = 0;
	while (names && nl_altname(names, &at, name)) {
		uint32_t index = take_out(mirror, &old, name);
		struct altname *altname;

		index = index ? index : make(mirror, link, name);
		if (!index) {
			log_limited(LOG_LEVEL_ERROR, "link %s: out of memory for its other names", link->nl.name);
			break;
		}
		altname = altname_at(mirror, index);
		altname->next = 0;
		if (!altname->record || altname->order != order) {
			altname->order = order;
			altname_write(mirror, altname);
		}
		order++;
		*(last ? &altname_at(mirror, last)->next : &link->altnames) = index;
		last = index;
	}
	drop(mirror, old);
}

void altnames_republish(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->altnames.pool.used; i++)
		if (altname_at(mirror, i)->ifindex) {
			altname_at(mirror, i)->record = 0; /* of the tables before */
			altname_write(mirror, altname_at(mirror, i));
		}
}

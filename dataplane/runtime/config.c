/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "order.h"
#include "wye_config.h"
#include "wye_map.h"

static struct config_section *added;	/* in no order */

void config_add(struct config_section *section)
{
	section->next = added;
	added = section;
}

void config_remove(struct config_section *section)
{
	for (struct config_section **at = &added; *at; at = &(*at)->next)
		if (*at == section) {
			*at = section->next;
			return;
		}
}

/* ---- sorting ------------------------------------------------------------------------------------------------------ */

/* Does the file have the section, or what this is a part of? */
static bool in_file(const char *name)
{
	const char *section;

	for (size_t i = 0; (section = wye_config_section(i)); i++)
		if (strlen(section) == strcspn(name, ".") && !strncmp(section, name, strlen(section)))
			return true;
	return false;
}

static bool is_added(const char *name)
{
	for (const struct config_section *section = added; section; section = section->next)
		if (!strcmp(section->name, name))
			return true;
	return false;
}

static int check_file(char *why)
{
	const char *name;

	for (size_t i = 0; (name = wye_config_section(i)); i++)
		if (!is_added(name)) {
			snprintf(why, WYE_WHY_BYTES, "no part of wye-dpd says what a reload does with section \"%s\": "
				 "CONFIG() of runtime/config.h", name);
			return -EINVAL;
		}
	return 0;
}

int config_sort(struct config_section *sorted[static CONFIG_SECTIONS_MAX], char *why)
{
	struct order all[CONFIG_SECTIONS_MAX];
	int n = 0, error = check_file(why);

	for (struct config_section *section = added; section && !error; section = section->next) {
		if (n == CONFIG_SECTIONS_MAX || !in_file(section->name)) {
			snprintf(why, WYE_WHY_BYTES, n == CONFIG_SECTIONS_MAX ? "config section \"%s\" is one too many" :
				 "wye.yaml has no section for config section \"%s\"", section->name);
			return -EINVAL;
		}
		all[n++] = (struct order){ section->name, section->after, section->before, section };
	}
	error = error ? error : order_sort(all, n, "config section", why, WYE_WHY_BYTES);
	for (int i = 0; i < n && !error; i++)
		sorted[i] = all[i].of;
	return error ? error : n;
}

/* ---- changing ----------------------------------------------------------------------------------------------------- */

static bool same(const struct config_section *section, const struct wye_config *now, const struct wye_config *wanted)
{
	return section->same ? section->same(section, now, wanted) : !section->change;
}

static int change(struct config_section *section, struct dpd *dpd, struct wye_config *wanted, char *why)
{
	uint64_t before = clock_ns();
	int error = section->change ? section->change(section, dpd, wanted, why) : 0;

	if (section->change && !error)
		section->took_ns = clock_ns() - before;
	return error;
}

static void change_back(const struct config_section *section, struct dpd *dpd, struct wye_config *wanted, char *why)
{
	char again[WYE_WHY_BYTES] = "";
	size_t len = strlen(why);

	if (section->change && section->change(section, dpd, wanted, again))
		snprintf(why + len, WYE_WHY_BYTES - len, "; but section %s cannot be changed back: %s", section->name,
			 again);
}

int config_change(struct config_section *const *sorted, int n, struct dpd *dpd, const struct wye_config *now,
		  struct wye_config *wanted, char *why)
{
	bool differs[CONFIG_SECTIONS_MAX] = { false };
	int error = 0, at;

	for (int i = 0; i < n && !error; i++) {
		error = sorted[i]->check ? sorted[i]->check(now, wanted, why) : 0;
		differs[i] = !error && !same(sorted[i], now, wanted);
	}
	if (error)
		return error;
	for (at = 0; at < n; at++) {
		error = differs[at] ? change(sorted[at], dpd, wanted, why) : 0;
		if (error)
			break;
	}
	while (error && at-- > 0)
		if (differs[at])
			change_back(sorted[at], dpd, wanted, why);
	for (int i = 0; i < n && !error; i++) {
		sorted[i]->changed = differs[i] && sorted[i]->change;
		sorted[i]->waits = differs[i] && !sorted[i]->change;
	}
	return error;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reload takes of each section, and what waits, say the CONFIG()s beside the code (runtime/config.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpd.h"
#include "log.h"
#include "reload.h"
#include "runtime/config.h"
#include "runtime/init.h"

static void say(struct config_section *const *section, int n, const struct wye_config *wanted)
{
	char changed[256] = "";
	size_t at = 0;

	for (int i = 0; i < n; i++) {
		if (section[i]->waits)
			log_warning("reload: %s: what has changed in section %s waits for a restart of wye-dpd", wanted->path,
				    section[i]->name);
		if (section[i]->changed && at < sizeof(changed))
			at += (size_t)snprintf(changed + at, sizeof(changed) - at, "%s%s", at ? ", " : "",
					       section[i]->name);
	}
	log_notice("reload: taken: %s", changed);
}

static void take(struct dpd *dpd, struct wye_config *wanted, char *why)
{
	struct config_section *section[CONFIG_SECTIONS_MAX];
	int n = config_sort(section, why);

	if (n < 0 || config_change(section, n, dpd, dpd->config, wanted, why))
		return;
	say(section, n, wanted);
	stats_config(dpd, section, (uint32_t)n);
}

void reload(struct dpd *dpd)
{
	struct wye_config *wanted = NULL;
	char why[WYE_WHY_BYTES] = "", *said = NULL;
	size_t len;
	FILE *messages = open_memstream(&said, &len);
	int error;

	if (!messages)
		return;
	error = wye_config_load(dpd->config->path, &wanted, messages);
	fclose(messages);
	if (error) {
		snprintf(why, sizeof(why), "%s", said && said[0] ? said : "the file cannot be read");
	} else {
		workers_choose(wanted);
		take(dpd, wanted, why);
	}
	if (why[0])
		log_error("reload refused, all stays as it was: %s", why);
	stats_reload_error(dpd, why);
	wye_config_free(wanted);
	free(said);
}

/* Sections that cannot be sorted, and one that nobody would reload, show at the start. */
static int sections_open(struct dpd *dpd)
{
	struct config_section *section[CONFIG_SECTIONS_MAX];
	char why[WYE_WHY_BYTES];
	int n = config_sort(section, why);

	if (n < 0) {
		log_error("%s", why);
		return n;
	}
	stats_config(dpd, section, (uint32_t)n);
	return 0;
}
/* Then those of plugins are there, but for refused ones'. */
INIT(sections, .start = sections_open, .after = INIT_NAMES("graph"));

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a reload takes and what it does not. Workers first: they can be changed back, should the rules be refused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpd.h"
#include "log.h"
#include "reload.h"

/* ---- what must be the same, and what waits ------------------------------------------------------------------------ */

/* Rules speak of ports by number: those must be the same. */
static bool same_ports(const struct wye_config *a, const struct wye_config *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (strcmp(a->port[i].netdev, b->port[i].netdev) || a->port[i].driver != b->port[i].driver)
			return false;
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_devices(const struct wye_config *a, const struct wye_config *b)
{
	for (size_t i = 0; i < a->n_ports; i++)
		if (!same_text(a->port[i].devargs, b->port[i].devargs) || a->port[i].queues != b->port[i].queues ||
		    a->port[i].whole_device != b->port[i].whole_device)
			return false;
	return true;
}

static bool same_plugin(const struct wye_config_plugin *a, const struct wye_config_plugin *b)
{
	if (strcmp(a->name, b->name) || a->required != b->required || a->n_settings != b->n_settings)
		return false;
	for (size_t i = 0; i < a->n_settings; i++)
		if (strcmp(a->setting[i].key, b->setting[i].key) || strcmp(a->setting[i].value, b->setting[i].value))
			return false;
	return true;
}

static bool same_plugins(const struct wye_config *a, const struct wye_config *b)
{
	if (!same_text(a->plugins.path, b->plugins.path) || a->plugins.n_load != b->plugins.n_load)
		return false;
	for (size_t i = 0; i < a->plugins.n_load; i++)
		if (!same_plugin(&a->plugins.load[i], &b->plugins.load[i]))
			return false;
	return true;
}

static void say_what_waits(const struct wye_config *now, const struct wye_config *wanted)
{
	const struct { bool same; const char *section; } part[] = {
		{ !memcmp(&now->memory, &wanted->memory, sizeof(now->memory)), "memory" },
		{ same_plugins(now, wanted), "plugins" },
		{ now->punt.rate_pps == wanted->punt.rate_pps, "punt" },
		{ same_devices(now, wanted), "ports" },
	};

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		if (!part[i].same)
			log_warning("reload: %s: what has changed in section %s waits for a restart of wye-dpd", wanted->path,
				    part[i].section);
}

/* ---- taking it ---------------------------------------------------------------------------------------------------- */

static int take(struct dpd *dpd, struct wye_config *wanted, char *why)
{
	typeof(wanted->workers) before = dpd->config->workers;
	char unused[WYE_WHY_BYTES];
	int error = workers_change(dpd, wanted, why);

	if (error)
		return error;
	dpd->config->workers = wanted->workers;
	error = flows_apply(dpd, wanted, why);
	if (error) {
		wanted->workers = before;
		if (!workers_change(dpd, wanted, unused))
			dpd->config->workers = before;
		return error;
	}
	dpd->config->tables.stale_after_s = wanted->tables.stale_after_s;
	return 0;
}

static void take_file(struct dpd *dpd, struct wye_config *wanted, char *why)
{
	workers_choose(wanted);
	if (!same_ports(dpd->config, wanted)) {
		snprintf(why, WYE_WHY_BYTES, "%s: ports differ from those running; restart wye-dpd for that", wanted->path);
		return;
	}
	if (take(dpd, wanted, why))
		return;
	say_what_waits(dpd->config, wanted);
	log_notice("reload: %u workers, %zu steering rules, default %s", dpd->n_workers, dpd->config->n_rules,
		   dpd->config->default_action == WYE_ACTION_DATAPLANE ? "dataplane" : "kernel");
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
	if (error)
		snprintf(why, sizeof(why), "%s", said && said[0] ? said : "the file cannot be read");
	else
		take_file(dpd, wanted, why);
	if (why[0])
		log_error("reload refused, all stays as it was: %s", why);
	stats_reload_error(dpd, why);
	wye_config_free(wanted);
	free(said);
	(void)plan_renew(dpd, false);
	stats_rules(dpd);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules and the host's prefixes, in one hand because both backends and the martian check of ip4_forward go by them.
 * A new set is made whole, given out, and only then replaces the old one here; the old one stays for the workers
 * until the next plan has been adopted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpd.h"
#include "log.h"
#include "runtime/config.h"
#include "runtime/init.h"
#include "steer_flow.h"
#include "wye_publish.h"

static bool in_use(const struct dpd *dpd, const struct steer_backend *backend)
{
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (dpd->port[i].open && dpd->port[i].backend == backend)
			return true;
	return false;
}

/* ---- rules ------------------------------------------------------------------------------------------------------- */

static bool rules_plain(const struct wye_config *config)
{
	return config->n_rules == 0 && config->default_action == WYE_ACTION_DATAPLANE;
}

static int flows_open(struct dpd *dpd)
{
	dpd->flows.rules = steer_compile(dpd->config);
	if (!dpd->flows.rules) {
		log_error("%s: steering rules: %s", dpd->config->path, strerror(errno));
		return -errno;
	}
	dpd->flows.plain = rules_plain(dpd->config);
	stats_rules(dpd);
	return 0;
}

/* To what can fail: all or nothing. */
static int give_rules(struct dpd *dpd, const struct steer_rules *rules, char *why)
{
	bool flow = in_use(dpd, &steer_flow);
	char unused[WYE_WHY_BYTES];
	int error = flow ? steer_flow.apply(rules, dpd->flows.locals, why) : 0;

	if (!error && in_use(dpd, &steer_xdp))
		error = steer_xdp.apply(rules, dpd->flows.locals, why);
	else
		return error;
	if (error && flow)
		(void)steer_flow.apply(dpd->flows.rules, dpd->flows.locals, unused);
	return error;
}

/* In one step. Rules that are the same, too: who changed the kernel's or the NIC's copy of them has them back. */
static int flows_change(const struct config_section *section, struct dpd *dpd, struct wye_config *config, char *why)
{
	struct steer_rules *rules = steer_compile(config);
	int error = rules ? 0 : -errno;

	if (error)
		snprintf(why, WYE_WHY_BYTES, "%s: steering rules: %s", config->path, strerror(-error));
	else
		error = give_rules(dpd, rules, why);
	if (error) {
		steer_rules_free(rules);
		return error;
	}
	if (dpd->flows.locals)
		steer_software.apply(rules, dpd->flows.locals, why);
	dpd->flows.old_rules = dpd->flows.rules;
	dpd->flows.rules = rules;
	dpd->flows.plain = rules_plain(config);
	CONFIG_EXCHANGE(dpd->config->rule, config->rule);
	CONFIG_EXCHANGE(dpd->config->n_rules, config->n_rules);
	CONFIG_EXCHANGE(dpd->config->default_action, config->default_action);
	CONFIG_EXCHANGE(dpd->config->slow, config->slow);
	stats_rules(dpd);
	dpd->plan_due |= plan_renew(dpd, false) < 0;
	return 0;
}
/* After what may be refused: workers are changed back without a loss, rules that held for a moment have moved flows. */
CONFIG(steering, .change = flows_change, .after = CONFIG_NAMES("workers"));

/* ---- the host's own prefixes -------------------------------------------------------------------------------------- */

/* Broadcast addresses too: as sources they are martian once the host has local routes of its own making. */
static struct plan_locals *filter_of(const struct wye_region *region, uint64_t version)
{
	const struct wye_local *locals = wye_section_base(region, WYE_SECTION_LOCAL);
	uint32_t used = atomic_load_explicit((_Atomic uint32_t *)&region->section[WYE_SECTION_LOCAL].used,
					     memory_order_acquire);
	struct plan_locals *filter = calloc(1, sizeof(*filter));

	if (!filter)
		return NULL;
	filter->version = version;
	for (uint32_t i = 1; i < used && i < region->section[WYE_SECTION_LOCAL].capacity; i++) {
		struct wye_local local = { 0 };
		uint32_t addr;

		if (!wye_seq_read(&locals[i].seq, (const char *)&locals[i] + 4, (char *)&local + 4, sizeof(local) / 4 - 1) ||
		    local.family != AF_INET || local.addr[0] == 127)
			continue; /* loopback sources are martian anyway */
		memcpy(&addr, local.addr, sizeof(addr));
		filter->all |= local.prefix_len < 32;
		plan_locals_add(filter, addr);
	}
	return filter;
}

static void give_locals(struct dpd *dpd, struct steer_locals *locals)
{
	char why[WYE_WHY_BYTES] = "";

	if (in_use(dpd, &steer_xdp) && steer_xdp.locals(locals, why) < 0)
		log_error("addresses of the host: %s", why);
	if (in_use(dpd, &steer_flow) && steer_flow.locals(locals, why) < 0)
		log_error("addresses of the host: %s; the old flow entries stay", why);
	if (dpd->flows.locals)
		steer_software.locals(locals, why);
	else
		steer_software.apply(dpd->flows.rules, locals, why);
}

bool flows_follow_locals(struct dpd *dpd)
{
	struct flows *flows = &dpd->flows;
	const struct wye_region *region = dpd->tables.region;
	struct steer_locals *locals;
	struct plan_locals *filter;
	uint64_t version;

	if (!region)
		return false;
	version = tables_locals_version(region);
	if (flows->locals && flows->locals_version == version && flows->locals_generation == dpd->tables.generation)
		return false;
	locals = steer_locals_of(region);
	filter = filter_of(region, version); /* version first, content after: what is newer is asked about again */
	if (!locals || !filter) {
		log_error("addresses of the host: %s", strerror(ENOMEM));
		steer_locals_free(locals);
		free(filter);
		return false;
	}
	give_locals(dpd, locals);
	flows->old_locals = flows->locals;
	flows->old_filter = flows->filter;
	flows->locals = locals;
	flows->filter = filter;
	flows->locals_version = version;
	flows->locals_generation = dpd->tables.generation;
	return true;
}

void flows_settle(struct dpd *dpd)
{
	struct flows *flows = &dpd->flows;

	steer_rules_free(flows->old_rules);
	steer_locals_free(flows->old_locals);
	free(flows->old_filter);
	flows->old_rules = NULL;
	flows->old_locals = NULL;
	flows->old_filter = NULL;
}

static void flows_close(struct dpd *dpd)
{
	flows_settle(dpd);
	steer_rules_free(dpd->flows.rules);
	steer_locals_free(dpd->flows.locals);
	free(dpd->flows.filter);
}
INIT(flows, .start = flows_open, .stop = flows_close, .after = INIT_NAMES("stats"));

/* SPDX-License-Identifier: BSD-3-Clause */
/* What plugins call (wye_plugin.h). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "nodes/node.h"
#include "plugin.h"
#include "wye_plugin.h"

static struct plugin *current;	/* whose configure() or change() runs */
static struct dpd *of_all;
static struct wye_plugin_counter_info counters[WYE_PLUGIN_COUNTERS_MAX];
static uint32_t n_counters;

void plugin_api_of(struct plugin *plugin)
{
	current = plugin;
	if (plugin)
		of_all = plugin->dpd;
}

void plugin_api_counters(struct dpd *dpd)
{
	stats_plugin_counters(dpd, counters, n_counters);
}

/* ---- configure(), change() ---------------------------------------------------------------------------------------- */

static const struct wye_setting *find(const char *key)
{
	const struct wye_config_plugin *config = current->config;

	for (size_t i = 0; i < config->n_settings; i++)
		if (!strcmp(config->setting[i].key, key)) {
			current->asked[i] = true;
			return &config->setting[i];
		}
	return NULL;
}

const char *wye_plugin_setting(const char *key)
{
	const struct wye_setting *setting = find(key);

	return setting ? setting->value : NULL;
}

int wye_plugin_problem(const char *key, const char *format, ...)
{
	const struct wye_setting *setting = find(key);
	uint32_t line = setting ? setting->line : current->config->line, column = setting ? setting->column : 1;
	char what[160];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(current->why, sizeof(current->why), "%s: %s", key, what);
	log_error("%s:%u:%u: plugin \"%s\": %s: %s", current->dpd->config->path, line, column, current->config->name, key, what);
	return -EINVAL;
}

int wye_plugin_number(const char *key, uint64_t least, uint64_t most, uint64_t otherwise, uint64_t *value)
{
	const char *text = wye_plugin_setting(key);

	*value = otherwise;
	if (!text)
		return 0;
	errno = 0;
	*value = strtoull(text, NULL, 10);
	if (*text && !text[strspn(text, "0123456789")] && !errno && *value >= least && *value <= most)
		return 0;
	return wye_plugin_problem(key, "\"%.40s\": expected a whole number from %llu to %llu", text,
				  (unsigned long long)least, (unsigned long long)most);
}

/* The last one is for what has no place. */
int wye_plugin_counter(const char *name, const char *text)
{
	struct wye_plugin_counter_info *counter = &counters[n_counters];

	if (n_counters == WYE_PLUGIN_COUNTERS_MAX - 1) {
		log_warning("plugin \"%s\": counter \"%s\" is one too many: all plugins together have at most %u",
			    current->config->name, name, WYE_PLUGIN_COUNTERS_MAX - 1);
		return -ENOSPC;
	}
	counter->plugin = current->index;
	snprintf(counter->name, sizeof(counter->name), "%s", name);
	snprintf(counter->text, sizeof(counter->text), "%s", text);
	return (int)n_counters++;
}

/* ---- nodes --------------------------------------------------------------------------------------------------------- */

uint32_t wye_plugin_ifindex(struct rte_node *node, const struct rte_mbuf *packet)
{
	const struct worker *worker = node_ctx(node)->worker;
	uint32_t port = dpd_port_of(worker->dpd, packet);

	return port && worker->plan->port[port - 1].open ? worker->plan->port[port - 1].ifindex : 0;
}

rte_edge_t wye_plugin_drop(struct rte_mbuf *packet)
{
	return node_leave(packet, WYE_REASON_PLUGIN_DROP);
}

rte_edge_t wye_plugin_punt(struct rte_mbuf *packet)
{
	return node_leave(packet, WYE_REASON_PLUGIN_PUNT);
}

/* ---- pre-input nodes, processes ------------------------------------------------------------------------------------- */

static void count(struct wye_worker_stats *stats, int counter, uint64_t n)
{
	count_add(&stats->plugin_counter[counter < 0 ? (int)WYE_PLUGIN_COUNTERS_MAX - 1 : counter], n);
}

uint32_t wye_plugin_worker_of(const struct worker *worker)
{
	return worker->index;
}

void wye_plugin_count_worker(struct worker *worker, int counter, uint64_t n)
{
	count(worker->stats, counter, n);
}

void wye_plugin_count_main(int counter, uint64_t n)
{
	count(&of_all->stats->worker[0], counter, n);
}

void wye_plugin_log(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	log_notice("%s", line);
}

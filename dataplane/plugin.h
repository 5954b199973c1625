/* SPDX-License-Identifier: BSD-3-Clause */
/* Plugins (wye_plugin.h): loaded before anything is started, put into the graph when it is made. Main thread. */
#ifndef PLUGIN_H
#define PLUGIN_H

#include "runtime/config.h"
#include "wye_config.h"
#include "wye_stats.h"

struct dpd;

/*
 * Loads what the configuration lists. One that cannot be is refused by name, and said. 0; -errno: it is a required one, or
 * what they ask for together cannot be.
 */
int plugin_load(struct dpd *dpd);

/* Their nodes and processes, and what the stats file tells of them; when all init functions of theirs have been called,
 * and before a port is opened. 0 or -errno, printed. */
int plugin_attach(struct dpd *dpd);

/* ---- between plugin.c and plugin_api.c, plugin_graph.c ---- */

struct wye_plugin;
struct wye_plugin_node;
struct wye_config_plugin;

struct plugin {
	struct dpd *dpd;
	uint32_t index;
	const struct wye_config_plugin *config;
	const struct wye_plugin *code;		/* NULL: refused */
	struct config_section section;		/* its settings, if it can change them */
	char section_name[40];
	void *handle;
	bool asked[WYE_SETTINGS_MAX];		/* settings that it knows */
	char why[220];				/* refused: why */
};

/* The plugin whose configure() or change() is to be called; NULL = none. */
void plugin_api_of(struct plugin *plugin);
/* What all of them have added, into the stats file. */
void plugin_api_counters(struct dpd *dpd);
/* Refuses it: printed, kept for wye. Returns -errno when it is required, else 0. */
int plugin_refuse(struct plugin *plugin, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Is there such a point, and no such node? 0, or -errno with why. */
int plugin_graph_check(const struct wye_plugin_node *node, char *why, size_t why_bytes);
int plugin_graph_add(struct dpd *dpd, const struct wye_plugin_node *node);	/* 0 or -errno */

#endif

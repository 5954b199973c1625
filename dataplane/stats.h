/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer of <run>/stats (wye_stats.h). The file's lock keeps a second wye-dpd off the run directory. */
#ifndef STATS_H
#define STATS_H

#include "wye_stats.h"

struct config_section;
struct dpd;
struct init;

void stats_inits(struct dpd *dpd, struct init *const *started, uint32_t n);	/* for init_start() */
void stats_config(struct dpd *dpd, struct config_section *const *sorted, uint32_t n);	/* after a reload, too */
void stats_plugin(struct dpd *dpd, uint32_t index, const struct wye_plugin_info *info);
void stats_plugin_counters(struct dpd *dpd, const struct wye_plugin_counter_info *counters, uint32_t n);
void stats_memory(struct dpd *dpd);	/* once DPDK is up */
void stats_workers(struct dpd *dpd);	/* after their number changed */
void stats_rules(struct dpd *dpd);	/* after flows changed */
void stats_ports(struct dpd *dpd);	/* after any port changed; writes only what differs */
void stats_reload_error(struct dpd *dpd, const char *why);	/* "" = the reload went through */
/* Index of a node in the file, made if there is none; WYE_NODES_MAX = full. */
uint32_t stats_node(struct dpd *dpd, const char *name);
void stats_pre_input(struct dpd *dpd, uint32_t index, const char *name);
void stats_node_kind(struct dpd *dpd, uint32_t node, enum wye_node_kind kind);
void stats_node_edges(struct dpd *dpd, uint32_t node, const uint32_t next[8]);
void stats_heartbeat(struct dpd *dpd, uint64_t now_ns);	/* main lives, and how far it trusts the mirror */

#endif

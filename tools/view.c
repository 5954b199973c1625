/* SPDX-License-Identifier: BSD-3-Clause */
/* Attaching to the shared files, and saying in words why that is not possible. See view.h. */
#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "names.h"
#include "wye.h"

#define HUNG_AFTER_MS 2000	/* both daemons beat at least 4 times a second */

/* ---- the daemons ---- */

/* `why` says that it does not run and how systemd starts it; without systemd: */
static int not_running(const struct view *view, const char *daemon)
{
	if (!view->quiet)
		fprintf(stderr, "wye: %s\nwye: without systemd: %s -c %s -r %s\n", view->why, daemon, view->config_path,
			view->run_dir);
	return WYE_EXIT_NOT_RUNNING;
}

static int cannot_map(const struct view *view, const char *daemon, int err)
{
	if (err == -ENOENT || err == -EAGAIN)
		return not_running(view, daemon);
	if (!view->quiet)
		fprintf(stderr, "wye: %s\n", view->why);
	return WYE_EXIT_ERROR;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct view_daemon daemon_of(uint32_t pid, uint64_t start, uint64_t heartbeat_ns)
{
	struct view_daemon daemon = { .known = pid != 0, .pid = pid };
	uint64_t ticks = now_ns(CLOCK_BOOTTIME) / 10000000u * (uint64_t)sysconf(_SC_CLK_TCK) / 100u;
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	daemon.alive = pid && wye_process_alive((pid_t)pid, start) == 1;
	daemon.uptime_s = ticks > start ? (ticks - start) / (uint64_t)sysconf(_SC_CLK_TCK) : 0;
	daemon.heartbeat_age_ms = now > heartbeat_ns ? (now - heartbeat_ns) / 1000000u : 0;
	daemon.hung = daemon.alive && daemon.heartbeat_age_ms > HUNG_AFTER_MS;
	return daemon;
}

struct view_daemon view_ctld(const struct view *view)
{
	struct { uint32_t pid, reserved; uint64_t start; } who = { 0 };
	const struct wye_control *control = view->control;

	_Static_assert(sizeof(who) == sizeof(control->file) - offsetof(struct wye_file, writer_pid) - sizeof(uint64_t),
		      "pid, reserved, start lie together");
	if (!control || !wye_seq_read(&control->seq, &control->file.writer_pid, &who, sizeof(who) / 4))
		return (struct view_daemon){ 0 };
	return daemon_of(who.pid, who.start, atomic_load((_Atomic uint64_t *)&control->heartbeat_ns));
}

struct view_daemon view_dpd(const struct view *view)
{
	const struct wye_stats *stats = view->stats;

	if (!stats)
		return (struct view_daemon){ 0 };
	return daemon_of(stats->file.writer_pid, stats->file.writer_start,
			 atomic_load((_Atomic uint64_t *)&stats->heartbeat_ns));
}

/* Old state is shown all the same, but not without a word. */
static void warn_if_dead(const struct view *view, const char *name, const struct view_daemon *daemon)
{
	if (view->quiet)
		return;
	if (daemon->known && !daemon->alive)
		fprintf(stderr, "wye: %s (pid %u) is dead: this is what it left\n", name, daemon->pid);
	else if (daemon->hung)
		fprintf(stderr, "wye: %s (pid %u) has not moved for %llu s: this is what it last wrote\n", name,
			daemon->pid, (unsigned long long)daemon->heartbeat_age_ms / 1000);
}

/* ---- opening ---- */

int view_control(struct view *view)
{
	int err;

	if (view->control)
		return 0;
	err = wye_map_control(view->run_dir, &view->control, view->why);
	return err ? cannot_map(view, "wye-ctld", err) : 0;
}

static bool copy_info(struct view *view)
{
	const struct wye_stats *stats = view->stats;
	size_t from = offsetof(struct wye_stats, n_workers), to = offsetof(struct wye_stats, rule_packets);
	struct wye_stats *info = view->info;

	if (!wye_seq_read(&stats->seq, (const char *)stats + from, (char *)info + from, (to - from) / 4))
		return false;
	info->n_workers = info->n_workers < WYE_WORKERS_MAX ? info->n_workers : WYE_WORKERS_MAX;
	info->n_ports = info->n_ports < WYE_PORTS_MAX ? info->n_ports : WYE_PORTS_MAX;
	info->n_nodes = info->n_nodes < WYE_NODES_MAX ? info->n_nodes : WYE_NODES_MAX;
	info->n_rules = info->n_rules < WYE_RULES_MAX ? info->n_rules : WYE_RULES_MAX;
	info->n_processes = info->n_processes < WYE_PROCESSES_MAX ? info->n_processes : WYE_PROCESSES_MAX;
	info->memory_kind[sizeof(info->memory_kind) - 1] = '\0';
	info->config_path[sizeof(info->config_path) - 1] = '\0';
	info->reload_error[sizeof(info->reload_error) - 1] = '\0';
	for (uint32_t i = 0; i < info->n_nodes; i++)
		info->node[i][sizeof(info->node[i]) - 1] = '\0';
	info->n_pre_inputs = info->n_pre_inputs < WYE_PRE_INPUTS_MAX ? info->n_pre_inputs : WYE_PRE_INPUTS_MAX;
	for (uint32_t i = 0; i < info->n_pre_inputs; i++)
		info->pre_input[i][sizeof(info->pre_input[i]) - 1] = '\0';
	for (uint32_t i = 0; i < info->n_processes; i++)
		info->process_name[i][sizeof(info->process_name[i]) - 1] = '\0';
	info->n_plugins = info->n_plugins < WYE_PLUGINS_MAX ? info->n_plugins : WYE_PLUGINS_MAX;
	info->n_plugin_counters = info->n_plugin_counters < WYE_PLUGIN_COUNTERS_MAX ? info->n_plugin_counters :
				  WYE_PLUGIN_COUNTERS_MAX;
	for (uint32_t i = 0; i < info->n_plugins; i++) {
		struct wye_plugin_info *plugin = &info->plugin[i];

		plugin->name[sizeof(plugin->name) - 1] = plugin->version[sizeof(plugin->version) - 1] = '\0';
		plugin->summary[sizeof(plugin->summary) - 1] = plugin->detail[sizeof(plugin->detail) - 1] = '\0';
	}
	for (uint32_t i = 0; i < info->n_plugin_counters; i++) {
		struct wye_plugin_counter_info *counter = &info->plugin_counter[i];

		counter->name[sizeof(counter->name) - 1] = counter->text[sizeof(counter->text) - 1] = '\0';
	}
	info->n_inits = info->n_inits < WYE_INITS_MAX ? info->n_inits : WYE_INITS_MAX;
	for (uint32_t i = 0; i < info->n_inits; i++)
		info->init[i].name[sizeof(info->init[i].name) - 1] = '\0';
	info->n_config_sections = info->n_config_sections < WYE_CONFIG_SECTIONS_MAX ? info->n_config_sections :
				  WYE_CONFIG_SECTIONS_MAX;
	for (uint32_t i = 0; i < info->n_config_sections; i++)
		info->config_section[i].name[sizeof(info->config_section[i].name) - 1] = '\0';
	for (uint32_t i = 0; i < info->n_rules; i++) {
		info->rule[i].name[sizeof(info->rule[i].name) - 1] = '\0';
		info->rule[i].match[sizeof(info->rule[i].match) - 1] = '\0';
	}
	for (uint32_t i = 0; i < info->n_ports; i++) {
		struct wye_port_info *port = &info->port[i];

		port->netdev[WYE_NETDEV_BYTES - 1] = port->ifname[15] = '\0';
		port->driver[15] = port->backend[15] = port->mode[15] = port->tap[15] = '\0';
		port->detail[sizeof(port->detail) - 1] = '\0';
	}
	return true;
}

int view_stats(struct view *view)
{
	struct view_daemon dpd;
	int err;

	if (view->stats)
		return 0;
	err = wye_map_stats(view->run_dir, &view->stats, view->why);
	if (err)
		return cannot_map(view, "wye-dpd", err);
	view->info = calloc(1, sizeof(*view->info));
	if (!view->info)
		return WYE_EXIT_ERROR;
	dpd = view_dpd(view);
	warn_if_dead(view, "wye-dpd", &dpd);
	if (!copy_info(view)) {
		fprintf(stderr, "wye: ports, nodes and rules are being rewritten, or wye-dpd died at it: left out\n");
		memset(view->info, 0, sizeof(*view->info));
	}
	return 0;
}

/* Without the right to write the readers file the command goes on without a slot. */
static void claim_slot(struct view *view)
{
	char why[WYE_WHY_BYTES];

	if (wye_map_readers(view->run_dir, &view->readers, why))
		return;
	view->slot = wye_reader_claim(view->readers, 0);
	if (view->slot)
		atomic_store(&view->slot->generation, view->region->file.generation);
}

static int map_active(struct view *view)
{
	int err = -ESTALE;

	for (int i = 0; i < 20 && err == -ESTALE; i++)
		err = wye_map_tables(view->control, &view->region, view->why);
	if (!err)
		claim_slot(view);
	return err;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct wye_link *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

static int copy_links(struct view *view)
{
	uint32_t used = view_used(view, WYE_SECTION_LINK);

	view->links = calloc(used ? used : 1, sizeof(*view->links));
	if (!view->links)
		return WYE_EXIT_ERROR;
	for (uint32_t i = 1; i < used; i++) {
		const struct wye_link *link = view_record(view, WYE_SECTION_LINK, i);
		struct wye_link *copy = &view->links[view->n_links];

		if (!view_read(view, &link->seq, link, copy, sizeof(*copy)) || !(copy->flags & WYE_LINK_PRESENT))
			continue;
		copy->name[15] = copy->kind[15] = copy->qdisc[15] = '\0';
		view->n_links++;
	}
	qsort(view->links, view->n_links, sizeof(*view->links), by_ifindex);
	return 0;
}

static int by_link_and_order(const void *a, const void *b)
{
	const struct wye_altname *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int copy_altnames(struct view *view)
{
	uint32_t used = view_used(view, WYE_SECTION_ALTNAME);

	view->altnames = calloc(used ? used : 1, sizeof(*view->altnames));
	if (!view->altnames)
		return WYE_EXIT_ERROR;
	for (uint32_t i = 1; i < used; i++) {
		const struct wye_altname *altname = view_record(view, WYE_SECTION_ALTNAME, i);
		struct wye_altname *copy = &view->altnames[view->n_altnames];

		if (!view_read(view, &altname->seq, altname, copy, sizeof(*copy)) || !copy->ifindex)
			continue;
		copy->name[sizeof(copy->name) - 1] = '\0';
		view->n_altnames++;
	}
	qsort(view->altnames, view->n_altnames, sizeof(*view->altnames), by_link_and_order);
	return 0;
}

int view_tables(struct view *view)
{
	struct view_daemon ctld;
	int err;

	if (view->region)
		return 0;
	if (view->tables_file) {
		err = wye_map_tables_file(view->tables_file, &view->region, view->why);
	} else {
		err = view_control(view);
		if (err)
			return err;
		ctld = view_ctld(view);
		warn_if_dead(view, "wye-ctld", &ctld);
		err = map_active(view);
	}
	if (err == -EAGAIN && !view->tables_file && view_ctld(view).alive) {
		fprintf(stderr, "wye: wye-ctld has not read the kernel's tables yet (%s); try again\n",
			view->why);
		return WYE_EXIT_NOT_RUNNING;
	}
	if (view->tables_file && err == -ENOENT) {
		fprintf(stderr, "wye: %s\n", view->why);
		return WYE_EXIT_ERROR;
	}
	if (err)
		return cannot_map(view, "wye-ctld", err);
	err = copy_links(view);
	return err ? err : copy_altnames(view);
}

void view_close(struct view *view)
{
	if (view->skipped)
		fprintf(stderr, "wye: %llu records were left out: they changed while read, or the writer died at it\n",
			(unsigned long long)view->skipped);
	wye_reader_release(view->slot);
	wye_unmap(view->readers);
	wye_unmap(view->region);
	wye_unmap(view->stats);
	wye_unmap(view->control);
	free(view->info);
	free(view->links);
	free(view->altnames);
	*view = (struct view){
		.run_dir = view->run_dir, .config_path = view->config_path, .tables_file = view->tables_file };
}

/* ---- reading ---- */

void view_enter(struct view *view)
{
	if (view->slot)
		wye_reader_online(view->slot, &view->region->epoch);
}

void view_leave(struct view *view)
{
	if (view->slot)
		wye_reader_offline(view->slot);
}

bool view_read(struct view *view, const _Atomic uint32_t *seq, const void *record, void *copy, size_t bytes)
{
	if (wye_seq_read(seq, record, copy, bytes / 4))
		return true;
	view->skipped++;
	return false;
}

uint32_t view_used(const struct view *view, enum wye_section_id id)
{
	const struct wye_section *section = &view->region->section[id];
	uint32_t used = atomic_load((_Atomic uint32_t *)&section->used);

	return used < section->capacity ? used : section->capacity;
}

const void *view_record(const struct view *view, enum wye_section_id id, uint32_t index)
{
	const struct wye_section *section = &view->region->section[id];

	if (!index || index >= section->capacity)
		return NULL;
	return (const char *)view->region + section->offset + (uint64_t)index * section->record_bytes;
}

uint32_t view_word(const struct view *view, enum wye_section_id id, uint32_t index)
{
	const _Atomic uint32_t *word = view_record(view, id, index);

	return word ? wye_read_word(word) : 0;
}

const struct wye_nexthop *view_nexthop(const struct view *view, uint32_t id)
{
	return view_record(view, WYE_SECTION_NEXTHOP, view_word(view, WYE_SECTION_NEXTHOP_SLOT, id));
}

const struct wye_link *view_link(const struct view *view, uint32_t ifindex)
{
	struct wye_link key = { .ifindex = ifindex };

	if (!view->n_links)
		return NULL;
	return bsearch(&key, view->links, view->n_links, sizeof(key), by_ifindex);
}

const struct wye_link *view_link_named(const struct view *view, const char *name)
{
	for (size_t i = 0; i < view->n_links; i++)
		if (!strcmp(view->links[i].name, name))
			return &view->links[i];
	for (size_t i = 0; i < view->n_altnames; i++)
		if (!strcmp(view->altnames[i].name, name))
			return view_link(view, view->altnames[i].ifindex);
	return NULL;
}

const char *view_link_name(const struct view *view, uint32_t ifindex, char *buf)
{
	const struct wye_link *link = view_link(view, ifindex);

	if (link)
		return link->name;
	snprintf(buf, WYE_NAME_BYTES, "if%u", ifindex);
	return buf;
}

bool view_port_named(struct view *view, const struct wye_port_info *port, const char *name)
{
	const struct wye_link *link;
	bool quiet = view->quiet;

	if (port->state == WYE_PORT_ABSENT)
		return false;
	if (!strcmp(port->netdev, name) || !strcmp(port->ifname, name))
		return true;
	view->quiet = true;
	link = view_tables(view) ? NULL : view_link_named(view, name);
	view->quiet = quiet;
	return link && !strcmp(link->name, port->ifname);
}

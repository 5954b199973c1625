/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <run>/stats. Made under another name, locked, filled, then renamed over its predecessor, so a reader never sees a
 * half-made one. The predecessor is locked first: whoever holds that lock is a running wye-dpd.
 */
#include <errno.h>
#include <fcntl.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "dpd.h"
#include "log.h"
#include "runtime/config.h"
#include "runtime/init.h"
#include "runtime/process.h"
#include "steer_flow.h"
#include "wye_publish.h"

#define COUNT_EVERY_NS 1000000000u

static void stats_path(const struct dpd *dpd, char *path, size_t size, const char *suffix)
{
	snprintf(path, size, "%s/%s%s", dpd->options.run_dir, WYE_FILE_STATS, suffix);
}

static int say(const char *path, const char *what)
{
	int error = -errno;

	log_error("%s: %s: %s", path, what, strerror(-error));
	return error;
}

/* Says who: the file's first bytes name its writer, whatever version. */
static int say_busy(const char *path, int fd)
{
	struct wye_file file = { 0 };

	(void)!pread(fd, &file, sizeof(file), 0);
	log_error("%s: another wye-dpd (pid %u) is running on this run directory; stop it first or give -r another "
		  "directory", path, file.writer_pid);
	return -EBUSY;
}

/* The lock is on the file that has the name; if that changed meanwhile somebody else was faster. */
static int lock_predecessor(const char *path)
{
	struct stat held, named;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644), error;

	if (fd < 0)
		return say(path, "cannot be opened; does the run directory exist and may we write to it?");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		error = errno == EWOULDBLOCK ? say_busy(path, fd) : say(path, "flock");
		close(fd);
		return error;
	}
	if (fstat(fd, &held) < 0 || stat(path, &named) < 0 || held.st_ino != named.st_ino) {
		close(fd);
		errno = EBUSY;
		return say(path, "another wye-dpd is starting");
	}
	return fd;
}

static void stats_fill(const struct dpd *dpd, struct wye_stats *stats)
{
	stats->file = (struct wye_file){
		.magic = WYE_MAGIC,
		.abi_version = WYE_ABI_VERSION,
		.kind = WYE_KIND_STATS,
		.layout_hash = WYE_LAYOUT_HASH,
		.size_bytes = sizeof(*stats),
		.writer_pid = (uint32_t)getpid(),
		.writer_start = wye_process_start(getpid()),
	};
	stats->n_workers = dpd->config->workers.n_cpus;
	stats->n_ports = (uint32_t)dpd->config->n_ports;
	stats->started_ns = clock_ns();
	stats->trust = WYE_TRUST_NEVER_SYNCED;
	snprintf(stats->config_path, sizeof(stats->config_path), "%s", dpd->config->path);
	for (uint32_t i = 0; i <= WYE_WORKERS_MAX; i++)
		stats->worker[i].cpu = UINT32_MAX;
}

static int make_file(struct dpd *dpd, const char *path)
{
	char fresh[512];
	int error;

	stats_path(dpd, fresh, sizeof(fresh), ".new");
	(void)unlink(fresh);
	dpd->stats_fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (dpd->stats_fd < 0)
		return say(fresh, "cannot be created");
	if (flock(dpd->stats_fd, LOCK_EX | LOCK_NB) < 0)
		goto fail;
	errno = posix_fallocate(dpd->stats_fd, 0, sizeof(*dpd->stats)); /* no SIGBUS later, of ours or of a reader */
	if (errno)
		goto fail;
	dpd->stats = mmap(NULL, sizeof(*dpd->stats), PROT_READ | PROT_WRITE, MAP_SHARED, dpd->stats_fd, 0);
	if (dpd->stats == MAP_FAILED)
		goto fail;
	stats_fill(dpd, dpd->stats);
	if (rename(fresh, path) == 0)
		return 0;
	munmap(dpd->stats, sizeof(*dpd->stats));
fail:
	error = say(fresh, "cannot be set up");
	unlink(fresh);
	close(dpd->stats_fd);
	dpd->stats = NULL;
	return error;
}

static int stats_open(struct dpd *dpd)
{
	char path[512];
	int old, error;

	(void)mkdir(dpd->options.run_dir, 0755);
	stats_path(dpd, path, sizeof(path), "");
	old = lock_predecessor(path);
	if (old < 0)
		return old;
	error = make_file(dpd, path);
	close(old);
	return error;
}

/* State STOPPED, file removed. */
static void stats_close(struct dpd *dpd)
{
	char path[512];

	atomic_store_explicit(&dpd->stats->state, WYE_DPD_STOPPED, memory_order_release);
	stats_path(dpd, path, sizeof(path), "");
	unlink(path);
	munmap(dpd->stats, sizeof(*dpd->stats));
	close(dpd->stats_fd);
	dpd->stats = NULL;
}
INIT(stats, .start = stats_open, .stop = stats_close);

/* ---- what is written under seq ------------------------------------------------------------------------------------ */

static void info_write(struct wye_stats *stats, void *to, const void *from, size_t bytes)
{
	if (memcmp(to, from, bytes))
		wye_seq_write(&stats->seq, to, from, bytes / 4);
}

void stats_inits(struct dpd *dpd, struct init *const *started, uint32_t n)
{
	struct wye_stats *stats = dpd->stats;

	static_assert(INIT_MAX <= WYE_INITS_MAX, "room for the init functions");
	if (!stats)
		return;
	for (uint32_t i = 0; i < n; i++) {
		struct wye_init_info info = { .took_ns = started[i]->took_ns };

		snprintf(info.name, sizeof(info.name), "%s", started[i]->name);
		info_write(stats, &stats->init[i], &info, sizeof(info));
	}
	info_write(stats, &stats->n_inits, &n, 4);
}

static enum wye_config_change config_takes(const struct config_section *section)
{
	if (section->change)
		return WYE_CONFIG_RELOAD;
	if (!section->same)
		return WYE_CONFIG_CTLD;
	return section->waits ? WYE_CONFIG_WAITS : WYE_CONFIG_RESTART;
}

void stats_config(struct dpd *dpd, struct config_section *const *sorted, uint32_t n)
{
	struct wye_stats *stats = dpd->stats;

	static_assert(CONFIG_SECTIONS_MAX <= WYE_CONFIG_SECTIONS_MAX, "room for the sections");
	for (uint32_t i = 0; i < n; i++) {
		struct wye_config_info info = { .took_ns = sorted[i]->took_ns, .change = config_takes(sorted[i]) };

		snprintf(info.name, sizeof(info.name), "%s", sorted[i]->name);
		info_write(stats, &stats->config_section[i], &info, sizeof(info));
	}
	info_write(stats, &stats->n_config_sections, &n, 4);
}

void stats_plugin(struct dpd *dpd, uint32_t index, const struct wye_plugin_info *info)
{
	uint32_t n = index + 1;

	info_write(dpd->stats, &dpd->stats->plugin[index], info, sizeof(*info));
	info_write(dpd->stats, &dpd->stats->n_plugins, &n, 4);
}

void stats_plugin_counters(struct dpd *dpd, const struct wye_plugin_counter_info *counters, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		info_write(dpd->stats, &dpd->stats->plugin_counter[i], &counters[i], sizeof(counters[i]));
	info_write(dpd->stats, &dpd->stats->n_plugin_counters, &n, 4);
}

void stats_memory(struct dpd *dpd)
{
	struct wye_stats *stats = dpd->stats;
	char kind[sizeof(stats->memory_kind)] = "";
	uint64_t span[2] = { dpd->memory.start, dpd->memory.end };
	uint64_t hz = rte_get_tsc_hz();

	snprintf(kind, sizeof(kind), "%s", dpd->memory.kind);
	info_write(stats, stats->memory_kind, kind, sizeof(kind));
	info_write(stats, &stats->memory_bytes, &dpd->memory.size_bytes, sizeof(stats->memory_bytes));
	info_write(stats, stats->memory_span, span, sizeof(span));
	info_write(stats, &stats->tsc_hz, &hz, sizeof(hz));
}

void stats_workers(struct dpd *dpd)
{
	info_write(dpd->stats, &dpd->stats->n_workers, &dpd->n_workers, sizeof(dpd->n_workers));
}

void stats_rules(struct dpd *dpd)
{
	struct wye_stats *stats = dpd->stats;
	const struct wye_config *config = dpd->config;
	uint32_t n[2] = { (uint32_t)config->n_rules, (uint32_t)config->default_action };

	for (size_t i = 0; i < config->n_rules && i < WYE_RULES_MAX; i++) {
		struct wye_rule_info info = { .action = config->rule[i].action, .line = config->rule[i].line,
					      .in_port = (int16_t)config->rule[i].in_port };

		memcpy(info.name, config->rule[i].name, sizeof(info.name));
		memcpy(info.match, config->rule[i].text, sizeof(info.match));
		info_write(stats, &stats->rule[i], &info, sizeof(info));
	}
	info_write(stats, &stats->n_rules, &n[0], 4);
	info_write(stats, &stats->default_action, &n[1], 4);
}

static const char *const driver_name[] = {
	[WYE_DRIVER_AF_XDP] = "af_xdp",
	[WYE_DRIVER_MLX5] = "mlx5",
	[WYE_DRIVER_VFIO] = "vfio",
	[WYE_DRIVER_UIO] = "uio",
	[WYE_DRIVER_DEVARGS] = "devargs",
};

void stats_ports(struct dpd *dpd)
{
	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		const struct port *port = &dpd->port[i];
		struct wye_port_info info = { .ifindex = port->steer.ifindex, .state = port->state };

		snprintf(info.netdev, sizeof(info.netdev), "%s", port->config->netdev);
		memcpy(info.ifname, port->link.name, sizeof(info.ifname));
		snprintf(info.driver, sizeof(info.driver), "%s", driver_name[port->config->driver]);
		snprintf(info.backend, sizeof(info.backend), "%s", port->backend->name);
		if (port->open && port->backend == &steer_xdp)
			snprintf(info.mode, sizeof(info.mode), "%s", port->steer.generic_xdp ? "generic" : "native");
		else if (port->open)
			snprintf(info.mode, sizeof(info.mode), "%s", port_told(port) ? "interrupts" : "polled");
		info.queues = port->n_queues;
		info.mtu_max_bytes = port->mtu_max;
		snprintf(info.tap, sizeof(info.tap), "%s", dpd->punt.tap[i].name);
		snprintf(info.detail, sizeof(info.detail), "%s", port->detail);
		if (port->slow && !port->detail[0])
			snprintf(info.detail, sizeof(info.detail), "slow: with the kernel until more than %u packets/s come",
				 dpd->config->slow.above_pps);
		info_write(dpd->stats, &dpd->stats->port[i], &info, sizeof(info));
	}
}

void stats_reload_error(struct dpd *dpd, const char *why)
{
	char text[sizeof(dpd->stats->reload_error)] = "";

	snprintf(text, sizeof(text), "%s", why);
	info_write(dpd->stats, dpd->stats->reload_error, text, sizeof(text));
	atomic_fetch_add_explicit(why[0] ? &dpd->stats->reload_errors : &dpd->stats->reloads, 1, memory_order_relaxed);
}

uint32_t stats_node(struct dpd *dpd, const char *name)
{
	struct wye_stats *stats = dpd->stats;
	char text[sizeof(stats->node[0])] = "";
	uint32_t i, n;

	for (i = 0; i < stats->n_nodes; i++)
		if (!strncmp(stats->node[i], name, sizeof(stats->node[i])))
			return i;
	if (i == WYE_NODES_MAX)
		return i;
	snprintf(text, sizeof(text), "%s", name);
	info_write(stats, stats->node[i], text, sizeof(text));
	n = i + 1;
	info_write(stats, &stats->n_nodes, &n, 4);
	return i;
}

void stats_pre_input(struct dpd *dpd, uint32_t index, const char *name)
{
	char text[sizeof(dpd->stats->pre_input[0])] = "";
	uint32_t n = index + 1;

	snprintf(text, sizeof(text), "%s", name);
	info_write(dpd->stats, dpd->stats->pre_input[index], text, sizeof(text));
	info_write(dpd->stats, &dpd->stats->n_pre_inputs, &n, 4);
}

void stats_node_kind(struct dpd *dpd, uint32_t node, enum wye_node_kind kind)
{
	uint32_t value = kind;

	info_write(dpd->stats, &dpd->stats->node_kind[node], &value, sizeof(value));
}

void stats_node_edges(struct dpd *dpd, uint32_t node, const uint32_t next[8])
{
	info_write(dpd->stats, dpd->stats->node_next[node], next, 8 * sizeof(next[0]));
}

/* Their counters move into the file. All that will ever be are there. */
static void show_processes(struct dpd *dpd)
{
	struct wye_stats *stats = dpd->stats;
	struct process *process;
	uint32_t n;

	for (n = 0; (process = process_at(n)); n++) {
		char name[sizeof(stats->process_name[0])] = "";

		snprintf(name, sizeof(name), "%s", process->name);
		info_write(stats, stats->process_name[n], name, sizeof(name));
		stats->process[n] = process->own;
		process->counters = &stats->process[n];
	}
	info_write(stats, &stats->n_processes, &n, 4);
}

/* ---- now and then --------------------------------------------------------------------------------------------------- */

static void count_steering(struct dpd *dpd)
{
	static uint64_t rules[WYE_RULES_MAX + 1], counters[WYE_STEER_COUNTERS_MAX];
	uint64_t n = dpd->config->n_rules;

	memset(rules, 0, sizeof(rules));
	memset(counters, 0, sizeof(counters));
	steer_xdp.count(rules, counters);
	steer_software.count(rules, counters);
	steer_flow.count(rules, counters);
	for (uint32_t i = 0; i < n; i++)
		atomic_store_explicit(&dpd->stats->rule_packets[i], rules[i], memory_order_relaxed);
	/* the backends put the default behind the last rule; the file has it at the end */
	atomic_store_explicit(&dpd->stats->rule_packets[WYE_RULES_MAX], rules[n], memory_order_relaxed);
	for (uint32_t i = 0; i < WYE_STEER_COUNTERS_MAX; i++)
		atomic_store_explicit(&dpd->stats->steer_counter[i], counters[i], memory_order_relaxed);
}

/* A port whose rules are a program's or a node's has each of them or none. */
static void count_whole(const struct dpd *dpd, uint32_t *wanted, uint32_t *installed)
{
	uint64_t n = dpd->config->n_rules;

	for (uint32_t p = 0; p < dpd->n_ports; p++) {
		const struct port *port = &dpd->port[p];

		for (uint64_t i = 0; i <= n && port->backend != &steer_flow; i++) {
			if (i < n && dpd->config->rule[i].in_port >= 0 && (uint32_t)dpd->config->rule[i].in_port != p)
				continue;
			wanted[i]++;
			installed[i] += port->enabled;
		}
	}
}

static void count_entries(struct dpd *dpd)
{
	static uint32_t wanted[WYE_RULES_MAX + 1], installed[WYE_RULES_MAX + 1];
	uint64_t n = dpd->config->n_rules;

	memset(wanted, 0, sizeof(wanted));
	memset(installed, 0, sizeof(installed));
	steer_flow_entries(wanted, installed);
	count_whole(dpd, wanted, installed);
	for (uint32_t i = 0; i <= n; i++) {
		uint32_t at = i < n ? i : WYE_RULES_MAX;

		atomic_store_explicit(&dpd->stats->rule_wanted[at], wanted[i], memory_order_relaxed);
		atomic_store_explicit(&dpd->stats->rule_installed[at], installed[i], memory_order_relaxed);
	}
}

/* What the drivers lost before we saw it. */
static void count_missed(struct dpd *dpd)
{
	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		struct rte_eth_stats eth;

		if (dpd->port[i].open && rte_eth_stats_get(dpd->port[i].steer.dpdk_port, &eth) == 0)
			atomic_store_explicit(&dpd->stats->worker[0].port[i].rx_errors,
					      eth.imissed + eth.ierrors + eth.rx_nombuf, memory_order_relaxed);
	}
}

static void count_buffers(struct dpd *dpd)
{
	uint32_t n = dpd->pool ? dpd->pool->populated_size : 0, unused = dpd->pool ? rte_mempool_avail_count(dpd->pool) : 0;

	atomic_store_explicit(&dpd->stats->buffers, n, memory_order_relaxed);
	atomic_store_explicit(&dpd->stats->buffers_free, unused, memory_order_relaxed);
}

void stats_heartbeat(struct dpd *dpd, uint64_t now_ns)
{
	atomic_store_explicit(&dpd->stats->trust, dpd->tables.trust, memory_order_relaxed);
	atomic_store_explicit(&dpd->stats->heartbeat_ns, now_ns, memory_order_relaxed);
}

static uint64_t counters_run(struct process *process, const struct process_event *event)
{
	if (event->kind == PROCESS_START)
		show_processes(process->data);
	count_steering(process->data);
	count_entries(process->data);
	count_missed(process->data);
	count_buffers(process->data);
	return process_period(process, event, COUNT_EVERY_NS);
}

static int counters_start(struct dpd *dpd)
{
	static struct process process = { .name = "counters", .run = counters_run };

	process.data = dpd;
	return process_add(&process);
}
INIT(counters, .start = counters_start, .after = INIT_NAMES("process", "ports"));

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queue q of port p belongs to worker (p + q) % workers, so another number of workers deals most queues out anew. That goes
 * by a plan without graphs (plan_deal_out()): who had a queue has let go of it before another polls it, and what comes
 * meanwhile waits in the queue. Threads are EAL's, one for each worker there may ever be, made at the start; one without
 * a worker waits for one.
 */
#include <dirent.h>
#include <errno.h>
#include <rte_lcore.h>
#include <rte_launch.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "dpd.h"
#include "log.h"
#include "runtime/config.h"
#include "runtime/init.h"
#include "wye_cpus.h"
#include "wye_need.h"
#include "workers.h"

#define DRAIN_NS 50000000u
#define PUNT_RING_SIZE 4096

static const struct wye_sysroot machine = { "" };

/* ---- CPUs --------------------------------------------------------------------------------------------------------- */

/* All of our cpuset: more than we are on, as isolated CPUs are nobody's who does not ask for them. */
static void cpus_may(cpu_set_t *may)
{
	cpu_set_t before;

	memset(may, 0xff, sizeof(*may));
	if (sched_getaffinity(0, sizeof(before), &before))
		return;
	(void)sched_setaffinity(0, sizeof(*may), may);
	(void)sched_getaffinity(0, sizeof(*may), may);
	(void)sched_setaffinity(0, sizeof(before), &before);
}

void workers_choose(struct wye_config *config)
{
	cpu_set_t may;

	cpus_may(&may);
	wye_cpus_default(&machine, &may, config);
}

/* Those of `of` that are not in `without`; if there is none, all. */
static void leave_out(cpu_set_t *of, const cpu_set_t *without)
{
	cpu_set_t both, rest;

	CPU_AND(&both, of, without);
	CPU_XOR(&rest, of, &both);
	if (CPU_COUNT(&rest))
		*of = rest;
}

static void worker_cpus(const struct wye_config *config, cpu_set_t *set)
{
	CPU_ZERO(set);
	for (uint32_t i = 0; i < config->workers.n_cpus; i++)
		CPU_SET(config->workers.cpu[i], set);
}

void workers_other_cpus(const cpu_set_t *all, const struct wye_config *config, cpu_set_t *others)
{
	cpu_set_t ours, isolated;

	*others = *all;
	worker_cpus(config, &ours);
	leave_out(others, &ours);
	wye_cpus_isolated(&machine, &isolated);
	leave_out(others, &isolated);
}

/* Once for each choice of CPUs. */
static void say_shared(const struct wye_config *config)
{
	char list[WYE_WORKERS_MAX * 6] = "";
	cpu_set_t isolated;
	size_t at = 0;

	wye_cpus_isolated(&machine, &isolated);
	for (uint32_t i = 0; i < config->workers.n_cpus; i++)
		if (!CPU_ISSET(config->workers.cpu[i], &isolated))
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%u", at ? "," : "", config->workers.cpu[i]);
	if (at)
		log_notice("workers: other processes run on CPU %s as well: not isolated; \"wye doctor\" says what to do", list);
}

uint32_t workers_most(const struct wye_config *config)
{
	cpu_set_t may;
	uint32_t n;

	cpus_may(&may);
	n = (uint32_t)CPU_COUNT(&may);
	n = n < WYE_WORKERS_MAX ? n : WYE_WORKERS_MAX;
	return n > config->workers.n_cpus ? n : config->workers.n_cpus;
}

/* "0-3,8": the CPUs of this process's cpuset. */
static void allowed_cpus(char *list, size_t size)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256], value[200];

	snprintf(list, size, "unknown");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Cpus_allowed_list: %199s", value) == 1)
			snprintf(list, size, "%s", value);
	if (file)
		fclose(file);
}

static bool runs_on(const struct dpd *dpd, unsigned int cpu)
{
	for (uint32_t i = 0; i < dpd->n_workers; i++)
		if (dpd->worker[i].dpd && dpd->worker[i].stats->cpu == cpu)
			return true;
	return false;
}

static int pin(pid_t thread, unsigned int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(thread, sizeof(one), &one) ? -errno : 0;
}

/* A cpuset may keep us off a CPU that is online; only the kernel knows all that has a say in it. Where workers run we may. */
static int try_cpus(const struct dpd *dpd, const struct wye_config *config, char *why)
{
	cpu_set_t before;
	char list[200];
	int error = sched_getaffinity(0, sizeof(before), &before) ? -errno : 0;

	for (uint32_t i = 0; i < config->workers.n_cpus && !error; i++) {
		if (runs_on(dpd, config->workers.cpu[i]))
			continue;
		error = pin(0, config->workers.cpu[i]);
		if (!error)
			continue;
		(void)sched_setaffinity(0, sizeof(before), &before);
		allowed_cpus(list, sizeof(list));
		snprintf(why, WYE_WHY_BYTES, "%s: workers.cpus: this process may not run on CPU %u: its cpuset has %s",
			 config->path, config->workers.cpu[i], list);
	}
	(void)sched_setaffinity(0, sizeof(before), &before);
	return error;
}

/* May be limited by capabilities and by the control group; this thread has it for a moment. */
static int try_priority(const struct wye_config *config, char *why)
{
	struct sched_param param = { .sched_priority = (int)config->workers.priority }, before;
	int policy = sched_getscheduler(0);

	if (!config->workers.priority)
		return 0;
	if (!sched_getparam(0, &before) && !sched_setscheduler(0, SCHED_FIFO, &param))
		return sched_setscheduler(0, policy, &before) ? -errno : 0;
	snprintf(why, WYE_WHY_BYTES, "%s: workers.priority: %u: this process may not be real-time: it takes CAP_SYS_NICE, and "
		 "real-time runtime in its control group where the kernel counts that (CONFIG_RT_GROUP_SCHED)", config->path,
		 config->workers.priority);
	return -EPERM;
}

int workers_check(const struct dpd *dpd, const struct wye_config *config, char *why)
{
	int error = wye_need_cpus(&machine, config, why);

	error = error ? error : try_cpus(dpd, config, why);
	return error ? error : try_priority(config, why);
}

/* ---- one worker --------------------------------------------------------------------------------------------------- */

static int prepare(struct dpd *dpd, uint32_t index, const struct wye_config *config)
{
	struct worker *worker = &dpd->worker[index];
	char name[32];

	*worker = (struct worker){
		.index = index,
		.lcore = index + 1,
		.dpd = dpd,
		.stats = &dpd->stats->worker[index + 1],
		.priority = config->workers.priority,
		.wake_fd = -1,
		.seen_ns = clock_ns(),
	};
	atomic_store_explicit(&worker->adaptive, config->workers.idle == WYE_IDLE_ADAPTIVE, memory_order_relaxed);
	worker->stats->cpu = config->workers.cpu[index];
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->wake_fd < 0)
		return -errno;
	snprintf(name, sizeof(name), "wye-punt-%u", index);
	worker->punts = rte_ring_create(name, PUNT_RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	return worker->punts ? 0 : -ENOMEM;
}

/* Workers `from` to `to` - 1; what was started of them is left to workers_end(). */
static int workers_begin(struct dpd *dpd, const struct wye_config *config, uint32_t from, uint32_t to, char *why)
{
	for (uint32_t i = from; i < to; i++) {
		int error = prepare(dpd, i, config);

		error = error ? error : rte_eal_remote_launch(worker_main, &dpd->worker[i], dpd->worker[i].lcore);
		if (!error)
			continue;
		snprintf(why, WYE_WHY_BYTES, "worker %u on CPU %u: %s", i, config->workers.cpu[i], strerror(-error));
		return error;
	}
	return 0;
}

/* All of them, and waits. They have no queues any more, and have left main nothing. */
static void workers_end(struct dpd *dpd, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		atomic_store_explicit(&dpd->worker[i].stop, true, memory_order_relaxed);
		worker_wake(&dpd->worker[i]);
	}
	for (uint32_t i = from; i < to; i++) {
		struct worker *worker = &dpd->worker[i];

		if (!worker->dpd)
			continue;
		rte_eal_wait_lcore(worker->lcore);
		while (punt_write_of(dpd, i, 4096))
			;
		rte_ring_free(worker->punts);
		worker->punts = NULL;
		if (worker->wake_fd >= 0)
			close(worker->wake_fd);
		worker->wake_fd = -1;
		worker->stats->cpu = UINT32_MAX;
		worker->dpd = NULL;
	}
}

/* ---- a change ----------------------------------------------------------------------------------------------------- */

/* Each to its CPU: a new one began on any. From then on it sleeps, or polls. */
static void move(struct dpd *dpd, const struct wye_config *config)
{
	for (uint32_t i = 0; i < dpd->n_workers; i++) {
		struct worker *worker = &dpd->worker[i];
		int error = pin((pid_t)worker->stats->tid, config->workers.cpu[i]);

		if (error)
			log_error("worker %u stays on CPU %u: CPU %u: %s", i, worker->stats->cpu, config->workers.cpu[i],
				  strerror(-error));
		else
			worker->stats->cpu = config->workers.cpu[i];
		error = config->workers.priority == dpd->config->workers.priority ? 0 :
			worker_schedule(worker, config->workers.priority);
		if (error)
			log_error("worker %u: workers.priority: %u: %s", i, config->workers.priority, strerror(-error));
		atomic_store_explicit(&worker->adaptive, config->workers.idle == WYE_IDLE_ADAPTIVE, memory_order_relaxed);
		worker_wake(worker);
	}
}

static bool is_worker(const struct dpd *dpd, pid_t thread)
{
	for (uint32_t i = 0; i < dpd->n_workers; i++)
		if ((pid_t)dpd->worker[i].stats->tid == thread)
			return true;
	return false;
}

/* All other threads, libraries' as well, go where no worker is: what main waits for must not wait for a worker's CPU. */
static void make_way(const struct dpd *dpd, const struct wye_config *config)
{
	DIR *threads = opendir("/proc/self/task");
	struct dirent *entry;
	cpu_set_t others;

	workers_other_cpus(&dpd->cpus, config, &others);
	while (threads && (entry = readdir(threads))) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

		if (thread > 0 && !is_worker(dpd, thread))
			(void)sched_setaffinity(thread, sizeof(others), &others);
	}
	if (threads)
		closedir(threads);
}

static int deal_out(struct dpd *dpd, uint32_t n, char *why)
{
	int error = tables_claim(&dpd->tables, n, why);

	if (error)
		return error;
	error = plan_deal_out(dpd, n);
	if (error)
		snprintf(why, WYE_WHY_BYTES, "graphs for %u workers: %s", n, strerror(-error));
	return error;
}

static bool workers_same(const struct config_section *section, const struct wye_config *now,
			 const struct wye_config *wanted)
{
	return !memcmp(&now->workers, &wanted->workers, sizeof(now->workers));
}

/* Starts, ends and moves workers until they are as `config` says, and deals the queues out anew. */
static int workers_change(const struct config_section *section, struct dpd *dpd, struct wye_config *config, char *why)
{
	uint32_t had = dpd->n_workers, n = config->workers.n_cpus;
	int error;

	if (n >= rte_lcore_count()) {
		snprintf(why, WYE_WHY_BYTES, "%s: workers.cpus: %u workers, and there were CPUs for %u when wye-dpd was started: "
			 "restart it for more", config->path, n, rte_lcore_count() - 1);
		return -EINVAL;
	}
	error = workers_check(dpd, config, why);
	if (error)
		return error;
	error = workers_begin(dpd, config, had, n, why);
	if (!error && n != had)
		error = deal_out(dpd, n, why);
	if (error) {
		workers_end(dpd, had, n);
		tables_unclaim(&dpd->tables, had);
		return error;
	}
	dpd->n_workers = n;
	workers_end(dpd, n, had);
	tables_unclaim(&dpd->tables, n);
	move(dpd, config);
	make_way(dpd, config);
	say_shared(config);
	stats_workers(dpd);
	CONFIG_EXCHANGE(dpd->config->workers, config->workers);
	return 0;
}
CONFIG(workers, .same = workers_same, .change = workers_change);

/* ---- from start to end -------------------------------------------------------------------------------------------- */

/* Waits until the workers find their queues empty: what steering gave before it was turned off. */
static void workers_drain(struct dpd *dpd)
{
	uint64_t until = clock_ns() + DRAIN_NS;

	for (uint32_t i = 0; i < dpd->n_workers && dpd->worker[i].dpd; i++) {
		struct wye_worker_stats *stats = dpd->worker[i].stats;
		uint64_t empty = atomic_load_explicit(&stats->empty_loops, memory_order_relaxed);

		worker_wake(&dpd->worker[i]);
		/* the second empty loop began after the first look: everything taken before it is through the graph */
		while (atomic_load_explicit(&stats->empty_loops, memory_order_relaxed) < empty + 2 && clock_ns() < until) {
			worker_wake(&dpd->worker[i]);
			usleep(100);
		}
	}
	while (punt_write(dpd, 4096) && clock_ns() < until)
		;
}

static void workers_stop(struct dpd *dpd)
{
	workers_drain(dpd);
	workers_end(dpd, 0, dpd->n_workers);
}

static int workers_start(struct dpd *dpd)
{
	char why[WYE_WHY_BYTES];
	int error;

	worker_show_pre_inputs(dpd);
	error = workers_begin(dpd, dpd->config, 0, dpd->n_workers, why);
	if (error) {
		log_error("%s", why);
		workers_stop(dpd);
		return error;
	}
	say_shared(dpd->config);
	return 0;
}
INIT(workers, .start = workers_start, .stop = workers_stop,
     .after = INIT_NAMES("eal", "plan", "ports", "graph", "flows", "punt", "capture"));

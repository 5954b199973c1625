/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One turn of follow(): look what changed, in the order things depend on each other: tables, then the host's prefixes,
 * then links and ports; then one new plan for the workers, then free what the old one used. A port that must close
 * first leaves the plan, so no worker polls it, then is closed.
 */
#include <errno.h>
#include <rte_mempool.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "dpd.h"
#include "follow.h"
#include "log.h"
#include "notify.h"

#define TICK_MS 20
#define REST_TICK_MS 100	/* while no worker has anything to do; the next packet ends it */
#define PUNT_BUDGET 256
#define CAPTURE_BUDGET 256

/* ---- the plan ----------------------------------------------------------------------------------------------------- */

/* New graphs when the set of open ports changed. 0, or -errno: the old plan stays in force. */
static int renew_plan(struct dpd *dpd, bool new_graphs)
{
	struct graph_set *old = dpd->graphs, *fresh = old;
	struct plan *plan;

	if (new_graphs)
		fresh = graph_build(dpd);
	if (!fresh)
		return -errno;
	dpd->graphs = fresh;
	plan = plan_build(dpd);
	if (!plan) {
		log_error("plan: %s", strerror(errno));
		dpd->graphs = old;
		return -ENOMEM;
	}
	plan_publish(dpd, plan);
	if (fresh != old)
		graph_free(old);
	flows_settle(dpd);
	return 0;
}

/* ---- ports --------------------------------------------------------------------------------------------------------- */

static bool close_ports(struct dpd *dpd, bool all, const char *detail)
{
	struct port *closing[WYE_PORTS_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (port_must_close(&dpd->port[i]) || (all && dpd->port[i].open)) {
			closing[n++] = &dpd->port[i];
			dpd->port[i].open = false; /* out of the plan and the graphs */
		}
	if (!n)
		return false;
	(void)renew_plan(dpd, true);
	for (uint32_t i = 0; i < n; i++)
		port_close(dpd, closing[i], detail);
	return true;
}

/* The kernel forwards meanwhile; a few packets in the rings are lost. */
static bool renew_pool(struct dpd *dpd)
{
	if (!port_pool_outgrown(dpd))
		return false;
	log_notice("packet buffers are made anew: an MTU has grown, or closed ports have kept too many");
	(void)close_ports(dpd, true, "reopened with other packet buffers");
	rte_mempool_free(dpd->pool);
	dpd->pool = NULL;
	return true;
}

/* True when a new plan is needed. */
static bool follow_ports(struct dpd *dpd, bool look, bool *new_graphs)
{
	bool was_enabled[WYE_PORTS_MAX], changed = look;

	if (look) {
		port_look(dpd);
		changed |= close_ports(dpd, false, "netdev disappeared; waiting for it to come back");
		changed |= renew_pool(dpd);
	}
	if ((look || dpd->look_again) && dpd->tables.region && dpd->tables.trust == WYE_TRUST_OK) {
		if (!dpd->pool) {
			dpd->pool = port_pool(dpd);
			dpd->pool_lost = false;
			if (!dpd->pool)
				log_error("packet buffers: %s; raise memory.size_mib", strerror(errno));
		}
		if (dpd->pool && port_open_ready(dpd, clock_ns()))
			changed = *new_graphs = true;
	}
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		was_enabled[i] = dpd->port[i].enabled;
	if (dpd->tables.region)
		port_steer(dpd);
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		changed |= was_enabled[i] != dpd->port[i].enabled;
	return changed;
}

/* ---- one turn ------------------------------------------------------------------------------------------------------- */

static bool links_moved(struct dpd *dpd)
{
	uint64_t version;

	if (!dpd->tables.region)
		return false;
	version = tables_links_version(dpd->tables.region);
	if (version == dpd->links_version)
		return false;
	dpd->links_version = version;
	return true;
}

static void say_trust(enum wye_mirror_trust before, enum wye_mirror_trust now)
{
	if (before == now)
		return;
	if (now == WYE_TRUST_OK)
		log_notice("the mirror is in sync: taking flows");
	else if (before == WYE_TRUST_OK)
		log_warning("%s: all flows are handed back to the kernel until it is in sync again",
			    now == WYE_TRUST_STOPPED ? "wye-ctld has stopped" : "no sign of life from wye-ctld");
}

static void follow(struct dpd *dpd)
{
	uint64_t stale_ns = (uint64_t)dpd->config->tables.stale_after_s * 1000000000u;
	struct tables old = dpd->tables;
	bool moved, trust_moved, links, new_graphs = false, changed;

	moved = tables_follow(&old, &dpd->tables, dpd->options.run_dir, dpd->n_workers, stale_ns);
	trust_moved = old.trust != dpd->tables.trust;
	say_trust(old.trust, dpd->tables.trust);
	links = links_moved(dpd) | moved;
	changed = flows_follow_locals(dpd) | moved | trust_moved;
	changed |= follow_ports(dpd, links, &new_graphs);
	if (changed || dpd->plan_due) {
		dpd->plan_due = renew_plan(dpd, new_graphs || dpd->plan_due) < 0;
		if (dpd->plan_due)
			return; /* the old plan is in force, and with it the old tables: those stay mapped */
	}
	if (moved)
		tables_release(&old, &dpd->tables);
	stats_ports(dpd);
}

/* A worker that stands still is said to be dead at once, before its queue overflows. */
static void heartbeat(struct dpd *dpd, uint64_t now_ns)
{
	bool moving = watchdog_look(dpd, now_ns);
	static bool said;

	steer_xdp.alive(moving ? now_ns : STEER_DEAD_NS);
	steer_software.alive(moving ? now_ns : STEER_DEAD_NS);
	if (!moving && !said)
		log_warning("a worker stands still (is its CPU taken by others?); the kernel forwards its flows meanwhile");
	said = !moving;
}

/* ---- events ---------------------------------------------------------------------------------------------------------- */

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

int follow_block_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal_set(&set);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

static void reload(struct dpd *dpd)
{
	flows_reload(dpd);
	(void)renew_plan(dpd, false);
	stats_rules(dpd);
}

/* True: time to end. */
static bool read_signal(struct dpd *dpd, int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo == SIGHUP) {
		reload(dpd);
		return false;
	}
	log_notice("signal %u: handing all flows back and leaving", info.ssi_signo);
	return true;
}

static int add_event(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int events_open(struct dpd *dpd, int *epoll_fd, int *signal_fd)
{
	sigset_t set;
	int error;

	signal_set(&set);
	*signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	*epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (*signal_fd < 0 || *epoll_fd < 0)
		error = -errno;
	else
		error = add_event(*epoll_fd, *signal_fd);
	error = error ? error : add_event(*epoll_fd, dpd->punt.event_fd);
	if (error)
		log_error("event loop: %s", strerror(-error));
	return error;
}

/*
 * What changes in the tables meanwhile shows no later for it: workers go by them at once, and a packet makes main look at
 * once. Without a trusted mirror there are no flows whose packets could.
 */
static uint64_t next_tick(struct dpd *dpd, int epoll_fd, uint64_t now_ns)
{
	bool rest = dpd->tables.trust == WYE_TRUST_OK && !dpd->plan_due && watchdog_rest(dpd, epoll_fd);

	return now_ns + (rest ? REST_TICK_MS : TICK_MS) * 1000000u;
}

/* Sleeps until the next tick is due, unless packets wait; true when a signal says to end. */
static bool wait_events(struct dpd *dpd, int epoll_fd, int signal_fd, uint64_t *tick_ns)
{
	uint64_t now = clock_ns();
	int timeout_ms = now >= *tick_ns ? 0 : (int)((*tick_ns - now + 999999) / 1000000);
	struct epoll_event events[4];
	bool end = false;
	int n;

	if (!punt_may_sleep(dpd) || capture_waits(dpd))
		timeout_ms = 0;
	n = epoll_wait(epoll_fd, events, 4, timeout_ms);
	punt_awake(dpd);
	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == signal_fd)
			end |= read_signal(dpd, signal_fd);
		else if (watchdog_owns(dpd, events[i].data.fd))
			*tick_ns = now;
		else if (events[i].data.fd != dpd->punt.event_fd)
			capture_event(dpd, events[i].data.fd, events[i].events);
	}
	return end;
}

static void follow_captures(struct dpd *dpd)
{
	capture_send(dpd, CAPTURE_BUDGET);
	if (capture_changed(dpd))
		capture_settle(dpd, renew_plan(dpd, false));
}

int follow_start(struct dpd *dpd)
{
	int error = renew_plan(dpd, true);

	if (!error)
		follow(dpd);
	return error;
}

int follow_run(struct dpd *dpd)
{
	uint64_t tick_ns = clock_ns();
	int epoll_fd = -1, signal_fd = -1;
	int error = events_open(dpd, &epoll_fd, &signal_fd);

	if (error)
		return error;
	capture_open(dpd, epoll_fd);
	atomic_store_explicit(&dpd->stats->state, WYE_DPD_RUNNING, memory_order_release);
	notify("READY=1");
	while (!wait_events(dpd, epoll_fd, signal_fd, &tick_ns)) {
		uint64_t now = clock_ns();

		punt_write(dpd, PUNT_BUDGET);
		follow_captures(dpd);
		if (now < tick_ns)
			continue;
		heartbeat(dpd, now);
		follow(dpd);
		stats_tick(dpd);
		tick_ns = next_tick(dpd, epoll_fd, now);
	}
	notify("STOPPING=1");
	close(epoll_fd);
	close(signal_fd);
	return 0;
}

void follow_stop(struct dpd *dpd)
{
	capture_close(dpd);
	port_stop_all(dpd);
	graph_free(dpd->graphs);
	dpd->graphs = NULL;
	tables_release(&dpd->tables, NULL);
	free((void *)atomic_load_explicit(&dpd->plan, memory_order_relaxed));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Following what the mirror says (tables, links, addresses, trust) into ports, steering and plans. One turn of the
 * process: look what changed, in the order things depend on each other: tables, then the host's prefixes, then links and
 * ports; then one new plan for the workers, then free what the old one used. A port that must close first leaves the plan,
 * so no worker polls it, then is closed.
 */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_mempool.h>
#include <string.h>

#include "clock.h"
#include "dpd.h"
#include "log.h"
#include "pace.h"
#include "runtime/config.h"
#include "runtime/init.h"
#include "runtime/process.h"

#define REST_TICK_NS 100000000u	/* while no worker has anything to do; the next packet ends it */

/* ---- ports --------------------------------------------------------------------------------------------------------- */

static const char *why_closed(const struct port *port, const char *otherwise)
{
	const char *asked = port_vfio_asked(port);

	if (port->tap_lost)
		return "its punt TAP was taken down or away; to be opened again";
	return asked ? asked : otherwise;
}

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
	(void)plan_renew(dpd, true);
	for (uint32_t i = 0; i < n; i++)
		port_close(dpd, closing[i], why_closed(closing[i], detail));
	return true;
}

/* The kernel forwards meanwhile; a few packets in the rings are lost. */
static bool renew_pool(struct dpd *dpd)
{
	if (!port_pool_outgrown(dpd))
		return false;
	log_notice("packet buffers are made anew: an MTU has grown, or closed ports have kept too many");
	(void)close_ports(dpd, true, "reopened with other packet buffers");
	port_pool_free(dpd);
	return true;
}

/* True when a new plan is needed. */
static bool follow_ports(struct dpd *dpd, bool look, bool *new_graphs)
{
	bool was_enabled[WYE_PORTS_MAX], sent[WYE_PORTS_MAX], changed = look;

	for (uint32_t i = 0; i < dpd->n_ports; i++)
		look |= dpd->port[i].open && (dpd->port[i].tap_lost || port_vfio_asked(&dpd->port[i]));
	if (look) {
		port_look(dpd);
		changed |= close_ports(dpd, false, "its netdev is gone, or has another name; waiting for it to come back");
		changed |= renew_pool(dpd);
	}
	if ((look || dpd->look_again) && dpd->tables.region && dpd->tables.trust == WYE_TRUST_OK) {
		if (!dpd->pool) {
			dpd->pool = port_pool(dpd);
			dpd->pool_lost = false;
			if (!dpd->pool)
				log_error("packet buffers: %s; raise memory.size_mib", strerror(errno));
			eal_pages_look(&dpd->memory);
			stats_memory(dpd);
		}
		if (dpd->pool && port_open_ready(dpd, clock_ns()))
			changed = *new_graphs = true;
	}
	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		was_enabled[i] = dpd->port[i].enabled;
		sent[i] = dpd->port[i].sends;
	}
	if (dpd->tables.region)
		port_steer(dpd);
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		changed |= was_enabled[i] != dpd->port[i].enabled || sent[i] != dpd->port[i].sends;
	return changed;
}

/* Has a netdev that refused packets (port_tx) come up again? The mirror need not have told of either yet. */
static bool ports_back(const struct dpd *dpd)
{
	uint64_t down = 0;

	for (uint32_t i = 0; i < dpd->n_workers; i++)
		down |= atomic_load_explicit(&dpd->worker[i].ports_down, memory_order_relaxed);
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (down >> i & 1 && dpd->port[i].open && port_dev_up(&dpd->port[i]))
			return true;
	return false;
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
	changed |= ports_back(dpd);
	if (changed || dpd->plan_due) {
		dpd->plan_due = plan_renew(dpd, new_graphs || dpd->plan_due) < 0;
		if (dpd->plan_due)
			return; /* the old plan is in force, and with it the old tables: those stay mapped */
	}
	if (moved)
		tables_release(&old, &dpd->tables);
	atomic_store_explicit(&dpd->plan_until_tsc, rte_rdtsc() + dpd->config->tables.stale_after_s * rte_get_tsc_hz(),
			      memory_order_relaxed);
	pace_look(dpd, clock_ns());
	stats_ports(dpd);
}

/*
 * What changes in the tables while all rest shows no later for it: workers go by them at once, and a packet wakes main.
 * Without a trusted mirror there are no flows whose packets could.
 */
static uint64_t follow_run(struct process *process, const struct process_event *event)
{
	struct dpd *dpd = process->data;
	bool rest;

	follow(dpd);
	watchdog_beat(dpd, clock_ns()); /* not before: who has been stopped for long must look before flows come */
	rest = dpd->tables.trust == WYE_TRUST_OK && !dpd->plan_due && watchdog_rest(dpd, process);
	return process_period(process, event, rest ? REST_TICK_NS : WATCHDOG_TICK_NS);
}

/* First plan: workers have one from the start. */
static int follow_start(struct dpd *dpd)
{
	static struct process process = { .name = "follow", .run = follow_run };
	int error = plan_renew(dpd, true);

	process.data = dpd;
	if (error)
		return error;
	follow(dpd);
	return process_add(&process);
}

static bool tables_same(const struct config_section *section, const struct wye_config *now,
			const struct wye_config *wanted)
{
	return now->tables.stale_after_s == wanted->tables.stale_after_s;
}

/* The rest of it is wye-ctld's. */
static int tables_change(const struct config_section *section, struct dpd *dpd, struct wye_config *config, char *why)
{
	CONFIG_EXCHANGE(dpd->config->tables.stale_after_s, config->tables.stale_after_s);
	return 0;
}
CONFIG(tables, .same = tables_same, .change = tables_change);
CONFIG(parity); /* wye-ctld's, who tells by the tables what it has found */

/* Orderly end: steering first, so that the kernel has the flows while the rings drain. */
static void hand_back(struct dpd *dpd)
{
	char why[WYE_WHY_BYTES];

	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (dpd->port[i].open && dpd->port[i].enabled)
			(void)dpd->port[i].backend->enable(&dpd->port[i].steer, false, why);
}
INIT(follow, .start = follow_start, .stop = hand_back, .after = INIT_NAMES("workers", "process"));

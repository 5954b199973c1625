/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye status: ten lines on whether the daemons run, whether the mirror is in sync, and what they carry. Needs neither
 * daemon: what is missing is said in its line, and the exit code tells.
 */
#include <stdarg.h>
#include <string.h>

#include "counters.h"
#include "names.h"
#include "wye.h"
#include "wye_config.h"

struct totals {
	uint64_t rx, tx, punted, dropped;
	uint32_t ports, active;
};

static const char *duration(uint64_t s, char *buf)
{
	if (s < 120)
		snprintf(buf, 48, "%llu s", (unsigned long long)s);
	else if (s < 7200)
		snprintf(buf, 48, "%llu min", (unsigned long long)s / 60);
	else if (s < 172800)
		snprintf(buf, 48, "%llu h %llu min", (unsigned long long)s / 3600, (unsigned long long)s / 60 % 60);
	else
		snprintf(buf, 48, "%llu d %llu h", (unsigned long long)s / 86400, (unsigned long long)s / 3600 % 24);
	return buf;
}

/* One line: "label     state, rest". */
static void line(struct out *out, const char *label, enum out_colour colour, const char *state, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
static void line(struct out *out, const char *label, enum out_colour colour, const char *state, const char *format, ...)
{
	char rest[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(rest, sizeof(rest), format, args);
	va_end(args);
	out_printf(out, "%-10s", label);
	out_coloured(out, colour, state);
	out_printf(out, "%s\n", rest);
}

static void daemon_members(struct out *out, const struct view_daemon *daemon, const char *why)
{
	out_bool(out, "running", daemon->alive);
	if (daemon->known) {
		out_uint(out, "pid", daemon->pid);
		out_uint(out, "heartbeat_age_ms", daemon->heartbeat_age_ms);
	}
	if (daemon->alive) {
		out_uint(out, "uptime_s", daemon->uptime_s);
		out_bool(out, "hung", daemon->hung);
	}
	if (why[0])
		out_str(out, "why", why);
}

/* Says a daemon that does not run, or hangs, in its line; true when the caller has to say more. `code`: of the attempt
 * to look at it. */
static bool daemon_line(struct out *out, const char *label, const char *unit, const struct view_daemon *daemon,
			int code, const char *why)
{
	if (code == WYE_EXIT_ERROR)
		line(out, label, OUT_BAD, "unknown", ": %s", why);
	else if (!daemon->alive && daemon->known)
		line(out, label, OUT_BAD, "not running", ": pid %u is dead; start it: systemctl start %s", daemon->pid,
		     unit);
	else if (!daemon->alive)
		line(out, label, OUT_BAD, "not running", ": %s", why);
	else if (daemon->hung)
		line(out, label, OUT_BAD, "hangs", ": pid %u has not moved for %llu s; try systemctl restart %s",
		     daemon->pid, (unsigned long long)(daemon->heartbeat_age_ms / 1000), unit);
	return daemon->alive && !daemon->hung;
}

/* ---- wye-ctld ---- */

static const char *mirror_state(const struct wye_control *control, const struct view_daemon *ctld, int code)
{
	static const char *const names[] = { "starting", "in_sync", "resync", "stopped" };
	uint32_t state = control ? atomic_load((_Atomic uint32_t *)&control->state) : 0;

	if (code == WYE_EXIT_ERROR)
		return "unknown";
	if (!ctld->alive)
		return "not_running";
	return state < 4 ? names[state] : "unknown";
}

static void print_ctld(struct tool *tool, const struct view_daemon *ctld, int code)
{
	const struct wye_control *control = tool->view.control;
	const char *state = mirror_state(control, ctld, code);
	struct out *out = &tool->out;
	uint64_t generation = control ? counter_get(&control->active) : 0;
	char up[48];

	out_object(out, "ctld");
	out_str(out, "state", state);
	daemon_members(out, ctld, control ? "" : tool->view.why);
	out_uint(out, "generation", generation);
	out_object_end(out);
	if (!daemon_line(out, "ctld", "wye-ctld", ctld, code, tool->view.why))
		return;
	line(out, "ctld", strcmp(state, "in_sync") ? OUT_POOR : OUT_GOOD, strcmp(state, "in_sync") ? state : "in sync",
	     ", pid %u, up %s, tables of generation %llu", ctld->pid, duration(ctld->uptime_s, up),
	     (unsigned long long)generation);
}

static void print_mirror(struct tool *tool)
{
	static const struct wye_mirror_stats none;
	const struct wye_mirror_stats *m = tool->view.control ? &tool->view.control->stats : &none;
	struct out *out = &tool->out;
	const struct { const char *key; uint64_t value; } all[] = {
		{ "links", counter_get(&m->links) }, { "addresses", counter_get(&m->addresses) },
		{ "neighbours", counter_get(&m->neighbours) }, { "routes4", counter_get(&m->routes[0]) },
		{ "routes6", counter_get(&m->routes[1]) }, { "nexthops", counter_get(&m->nexthops) },
		{ "messages", counter_get(&m->messages) }, { "resyncs", counter_get(&m->resyncs) },
		{ "overruns", counter_get(&m->overruns) }, { "dump_interrupted", counter_get(&m->dump_interrupted) },
		{ "malformed", counter_get(&m->malformed) }, { "unknown", counter_get(&m->unknown) },
		{ "swept", counter_get(&m->swept) }, { "audit_drift", counter_get(&m->audit_drift) },
		{ "audits", counter_get(&m->audits) },
		{ "publishes", counter_get(&m->publishes) }, { "reclaim_waits", counter_get(&m->reclaim_waits) },
		{ "neigh_uses", counter_get(&m->neigh_uses) },
	};

	out_object(out, "mirror");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		out_uint(out, all[i].key, all[i].value);
	out_object_end(out);
	out_printf(out, "%-10s%llu links, %llu addresses, %llu neighbours, %llu IPv4 and %llu IPv6 routes\n", "mirror",
		   (unsigned long long)all[0].value, (unsigned long long)all[1].value, (unsigned long long)all[2].value,
		   (unsigned long long)all[3].value, (unsigned long long)all[4].value);
	out_printf(out, "%-10s%llu messages, %llu resyncs, %llu overruns, %llu malformed, drift %llu in %llu audits\n", "netlink",
		   (unsigned long long)all[6].value, (unsigned long long)all[7].value, (unsigned long long)all[8].value,
		   (unsigned long long)all[10].value, (unsigned long long)all[13].value,
		   (unsigned long long)all[14].value);
}

/* ---- wye-dpd ---- */

static const char *dpd_state(const struct wye_stats *stats, const struct view_daemon *dpd, int code)
{
	static const char *const names[] = { "starting", "running", "stopped" };
	uint32_t state = stats ? atomic_load((_Atomic uint32_t *)&stats->state) : 0;

	if (code == WYE_EXIT_ERROR)
		return "unknown";
	if (!dpd->alive)
		return "not_running";
	return state < 3 ? names[state] : "unknown";
}

static void print_dpd(struct tool *tool, const struct view_daemon *dpd, int code)
{
	const struct wye_stats *stats = tool->view.stats, *info = tool->view.info;
	const char *state = dpd_state(stats, dpd, code);
	struct out *out = &tool->out;
	char cpus[128] = "", up[48];
	size_t len = 0;

	out_object(out, "dpd");
	out_str(out, "state", state);
	daemon_members(out, dpd, stats ? "" : tool->view.why);
	out_array(out, "cpus");
	for (uint32_t t = 1; stats && t < THREADS; t++) {
		if (!counters_thread_runs(stats, t))
			continue;
		out_uint(out, NULL, stats->worker[t].cpu);
		if (len < sizeof(cpus))
			len += (size_t)snprintf(cpus + len, sizeof(cpus) - len, "%s%u", len ? "," : "",
						stats->worker[t].cpu);
	}
	out_array_end(out);
	out_uint(out, "reloads", stats ? counter_get(&info->reloads) : 0);
	out_uint(out, "reload_errors", stats ? counter_get(&info->reload_errors) : 0);
	out_str(out, "reload_error", stats ? info->reload_error : "");
	out_str(out, "config", stats ? info->config_path : "");
	out_object_end(out);
	if (daemon_line(out, "dpd", "wye-dpd", dpd, code, tool->view.why))
		line(out, "dpd", strcmp(state, "running") ? OUT_POOR : OUT_GOOD, state,
		     ", pid %u, up %s, workers on CPU %s", dpd->pid, duration(dpd->uptime_s, up), len ? cpus : "-");
}

/* ---- what flows where ---- */

static struct totals add_up(const struct view *view)
{
	struct totals totals = { 0 };

	for (uint32_t i = 0; view->stats && i < view->info->n_ports; i++) {
		struct port_sum sum = counters_port(view->stats, i, -1);

		totals.ports += view->info->port[i].state != WYE_PORT_ABSENT;
		totals.active += view->info->port[i].state == WYE_PORT_ACTIVE;
		totals.rx += sum.rx_packets;
		totals.tx += sum.tx_packets;
		totals.punted += sum.punted;
	}
	for (uint32_t i = 0; view->stats && i < WYE_REASON_COUNT; i++)
		if (wye_reason_verdict[i] == WYE_VERDICT_DROP)
			totals.dropped += counters_reason(view->stats, i, -1);
	return totals;
}

static const char *trust_text(uint32_t trust)
{
	switch (trust) {
	case WYE_TRUST_OK: return "";
	case WYE_TRUST_NEVER_SYNCED: return "the mirror has never been in sync";
	case WYE_TRUST_STOPPED: return "wye-ctld was stopped";
	case WYE_TRUST_STALE: return "the mirror is stale: no sign of life from wye-ctld";
	default: return "the mirror is not to be trusted";
	}
}

/* NULL: they are with the dataplane. */
static const char *why_kernel(const struct view *view, const struct view_daemon *dpd, const struct totals *totals)
{
	uint32_t trust = view->stats ? atomic_load((_Atomic uint32_t *)&view->stats->trust) : 0;

	if (!dpd->alive)
		return "wye-dpd is not running";
	if (dpd->hung)
		return "wye-dpd hangs";
	if (trust)
		return trust_text(trust);
	if (!totals->ports)
		return "there is no port";
	return totals->active ? NULL : "no port is active";
}

static void print_flows(struct tool *tool, const struct view_daemon *dpd, const struct totals *totals)
{
	const char *why = why_kernel(&tool->view, dpd, totals);
	struct out *out = &tool->out;

	out_object(out, "flows");
	out_str(out, "with", why ? "kernel" : "dataplane");
	if (why)
		out_str(out, "why", why);
	out_object_end(out);
	if (why)
		line(out, "flows", OUT_BAD, "with the kernel", ": %s", why);
	else
		line(out, "flows", OUT_GOOD, "with the dataplane", " on %u of %u ports", totals->active, totals->ports);
}

static void print_ports(struct tool *tool)
{
	const struct wye_stats *info = tool->view.info;
	struct out *out = &tool->out;

	out_array(out, "ports");
	out_printf(out, "%-10s", "ports");
	for (uint32_t i = 0; info && i < info->n_ports; i++) {
		const struct wye_port_info *port = &info->port[i];

		if (port->state == WYE_PORT_ABSENT)
			continue;
		out_object(out, NULL);
		out_str(out, "netdev", port->netdev);
		out_str(out, "state", name_port_state(port->state));
		if (port->detail[0])
			out_str(out, "detail", port->detail);
		out_object_end(out);
		out_printf(out, "%s%s ", i ? "; " : "", port->netdev);
		out_coloured(out, port->state == WYE_PORT_ACTIVE ? OUT_GOOD : OUT_BAD, name_port_state(port->state));
		if (port->detail[0] && port->state != WYE_PORT_ACTIVE)
			out_printf(out, " (%s)", port->detail);
	}
	out_puts(out, info && info->n_ports ? "\n" : "none\n");
	out_array_end(out);
}

static void print_steering(struct tool *tool)
{
	const struct wye_stats *stats = tool->view.stats, *info = tool->view.info;
	const char *action = info && info->default_action == WYE_ACTION_DATAPLANE ? "dataplane" : "kernel";
	struct out *out = &tool->out;
	uint64_t taken = 0;

	for (uint32_t i = 0; info && i < info->n_rules; i++)
		taken += info->rule[i].action == WYE_ACTION_DATAPLANE ? counter_get(&stats->rule_packets[i]) : 0;
	if (info && info->default_action == WYE_ACTION_DATAPLANE)
		taken += counter_get(&stats->rule_packets[WYE_RULES_MAX]);
	out_object(out, "steering");
	out_uint(out, "rules", info ? info->n_rules : 0);
	out_str(out, "default", action);
	out_uint(out, "taken", taken);
	out_object_end(out);
	out_printf(out, "%-10s%u rules, default %s; %llu packets given to the dataplane\n", "steering",
		   info ? info->n_rules : 0, action, (unsigned long long)taken);
}

static void print_traffic(struct tool *tool, const struct totals *totals)
{
	struct out *out = &tool->out;

	out_object(out, "traffic");
	out_uint(out, "rx_packets", totals->rx);
	out_uint(out, "tx_packets", totals->tx);
	out_uint(out, "punted", totals->punted);
	out_uint(out, "dropped", totals->dropped);
	out_object_end(out);
	out_printf(out, "%-10s%llu packets received, %llu sent, %llu punted to the kernel, %llu dropped\n", "traffic",
		   (unsigned long long)totals->rx, (unsigned long long)totals->tx, (unsigned long long)totals->punted,
		   (unsigned long long)totals->dropped);
}

static void print_memory(struct tool *tool)
{
	const struct wye_stats *info = tool->view.info;
	uint64_t mib = info ? info->memory_bytes >> 20 : 0;
	struct out *out = &tool->out;

	out_object(out, "memory");
	out_uint(out, "heap_bytes", info ? info->memory_bytes : 0);
	out_str(out, "pages", info ? info->memory_kind : "");
	out_object_end(out);
	out_printf(out, "%-10s%llu MiB for packets%s%s\n", "memory", (unsigned long long)mib, mib ? " in " : "",
		   mib ? info->memory_kind : "");
}

static void print_reload(struct tool *tool)
{
	const struct wye_stats *info = tool->view.info;
	struct out *out = &tool->out;

	if (info && info->reload_error[0])
		line(out, "reload", OUT_BAD, "refused", ": %s; what ran before it still runs", info->reload_error);
	else
		out_printf(out, "%-10s%llu done, none refused since; configuration %s\n", "reload",
			   (unsigned long long)(info ? counter_get(&info->reloads) : 0),
			   info && info->config_path[0] ? info->config_path : "unknown");
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct view *view = &tool->view;
	struct view_daemon ctld, dpd;
	struct totals totals;
	int err = no_arguments(tool, argc, argv), control, stats;

	if (err)
		return err;
	view->quiet = true;
	out_object(&tool->out, NULL);
	control = view_control(view);
	ctld = view_ctld(view);
	print_ctld(tool, &ctld, control);
	stats = view_stats(view);
	dpd = view_dpd(view);
	totals = add_up(view);
	print_dpd(tool, &dpd, stats);
	print_flows(tool, &dpd, &totals);
	print_ports(tool);
	print_traffic(tool, &totals);
	print_steering(tool);
	print_mirror(tool);
	print_memory(tool);
	print_reload(tool);
	out_object_end(&tool->out);
	if (control == WYE_EXIT_ERROR || stats == WYE_EXIT_ERROR)
		return WYE_EXIT_ERROR;
	return ctld.alive && dpd.alive && !ctld.hung && !dpd.hung ? WYE_EXIT_OK : WYE_EXIT_NOT_RUNNING;
}

const struct command cmd_status = {
	.name = "status",
	.summary = "do the daemons run, is the mirror in sync, what do they carry",
	.arguments = "",
	.help = "Exit code 0 when both daemons run and move, 3 when one does not.\n",
	.run = run,
};

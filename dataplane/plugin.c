/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading plugins. What is loaded runs with all our rights, so only root may be able to put it there (wye_root_file.h). The
 * file that was looked at is the one that is loaded: it is opened once. A plugin's code is not called before its ABI is
 * known to fit.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpd.h"
#include "log.h"
#include "plugin.h"
#include "wye_map.h"
#include "wye_plugin.h"
#include "wye_root_file.h"

#define PROCESSES_MAX 32u	/* of all plugins together; the rest is for our own */

static struct plugin plugins[WYE_PLUGINS_MAX];
static uint32_t n_plugins;

int plugin_refuse(struct plugin *plugin, int error, const char *format, ...)
{
	bool required = plugin->config->required;
	va_list args;

	if (format) {
		va_start(args, format);
		vsnprintf(plugin->why, sizeof(plugin->why), format, args);
		va_end(args);
	}
	plugin->code = NULL;
	log_error("plugin \"%s\" is refused: %s%s", plugin->config->name, plugin->why,
		  required ? "; it is required, so wye-dpd does not start" : "");
	return required ? error : 0;
}

/* ---- does it fit? -------------------------------------------------------------------------------------------------- */

static bool has_node(const struct wye_plugin *code, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(code->node[i].name, name))
			return true;
	return false;
}

/* DPDK does not know of nodes that plugins will add. */
static int check_nodes(const struct wye_plugin *code, char *why, size_t why_bytes)
{
	for (uint32_t i = 0; i < code->n_nodes; i++) {
		int error = plugin_graph_check(&code->node[i], why, why_bytes);
		bool twin = !error && has_node(code, i, code->node[i].name);

		for (uint32_t p = 0; !error && p < n_plugins; p++)
			twin |= plugins[p].code && has_node(plugins[p].code, plugins[p].code->n_nodes, code->node[i].name);
		if (!error && !twin)
			continue;
		if (!error)
			snprintf(why, why_bytes, "node \"%s\": there is another of that name", code->node[i].name);
		return error ? error : -EEXIST;
	}
	return 0;
}

/* What there is room for, with the plugins before it. */
static int check_room(const struct wye_plugin *code, char *why, size_t why_bytes)
{
	uint32_t n_processes = code->n_processes, n_pre_inputs = code->n_pre_inputs;

	for (uint32_t p = 0; p < n_plugins; p++) {
		n_processes += plugins[p].code ? plugins[p].code->n_processes : 0;
		n_pre_inputs += plugins[p].code ? plugins[p].code->n_pre_inputs : 0;
	}
	if (n_processes <= PROCESSES_MAX && n_pre_inputs <= WORKER_PRE_INPUTS_MAX)
		return 0;
	snprintf(why, why_bytes, "plugins would have %u processes and %u pre-input nodes; %u and %u are the most", n_processes,
		 n_pre_inputs, PROCESSES_MAX, WORKER_PRE_INPUTS_MAX);
	return -ENOSPC;
}

static int check_code(const struct plugin *plugin, const struct wye_plugin *code, char *why, size_t why_bytes)
{
	int error;

	if (!code || code->magic != WYE_PLUGIN_MAGIC) {
		snprintf(why, why_bytes, "it exports no struct wye_plugin called wye_plugin (WYE_PLUGIN_HEAD)");
		return -ENOEXEC;
	}
	if (code->abi != WYE_PLUGIN_ABI || code->dpdk != WYE_PLUGIN_DPDK) {
		snprintf(why, why_bytes, "it was built for plugin ABI %u and DPDK %u.%02u, this is %u and %u.%02u: build it anew",
			 code->abi, code->dpdk >> 24, code->dpdk >> 16 & 0xff, WYE_PLUGIN_ABI, WYE_PLUGIN_DPDK >> 24,
			 WYE_PLUGIN_DPDK >> 16 & 0xff);
		return -ENOEXEC;
	}
	if (!code->name || strcmp(code->name, plugin->config->name)) {
		snprintf(why, why_bytes, "it calls itself \"%s\"", code->name ? code->name : "");
		return -EINVAL;
	}
	error = check_nodes(code, why, why_bytes);
	return error ? error : check_room(code, why, why_bytes);
}

/* The descriptor stays open: the loader takes a name that it has seen before for the same file. */
static int open_code(struct plugin *plugin, const struct wye_plugin **code, char *why, size_t why_bytes)
{
	char file[PATH_MAX], opened[32];
	int fd, error;

	snprintf(file, sizeof(file), "%s/%s.so", plugin->dpd->config->plugins.path, plugin->config->name);
	fd = wye_root_file_open(file, why);
	if (fd < 0)
		return fd;
	snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fd);
	plugin->handle = dlopen(opened, RTLD_NOW | RTLD_LOCAL);
	if (!plugin->handle)
		snprintf(why, why_bytes, "%.80s: %s", file, dlerror());
	if (!plugin->handle)
		return -ENOEXEC;
	*code = dlsym(plugin->handle, "wye_plugin");
	error = check_code(plugin, *code, why, why_bytes);
	if (error) {
		dlclose(plugin->handle);
		plugin->handle = NULL;
	}
	return error;
}

/* ---- taking it in --------------------------------------------------------------------------------------------------- */

/* By configure() or change(). */
static int give_settings(struct plugin *plugin, int (*take)(void))
{
	int error;

	memset(plugin->asked, 0, sizeof(plugin->asked));
	plugin->why[0] = '\0';
	plugin_api_of(plugin);
	error = take ? take() : 0;
	for (size_t i = 0; !error && i < plugin->config->n_settings; i++)
		if (!plugin->asked[i])
			error = wye_plugin_problem(plugin->config->setting[i].key, "it knows no such setting");
	plugin_api_of(NULL);
	if (error && !plugin->why[0])
		snprintf(plugin->why, sizeof(plugin->why), "its settings: %s", strerror(-error));
	return error;
}

static struct plugin *owner_of(const struct init *init)
{
	for (uint32_t p = 0; p < n_plugins; p++)
		for (uint32_t i = 0; plugins[p].code && i < plugins[p].code->n_inits; i++)
			if (plugins[p].code->init[i] == init)
				return &plugins[p];
	return NULL;
}

static int init_failed(const struct init *init, int error)
{
	struct plugin *plugin = owner_of(init);
	const struct wye_plugin *code = plugin->code;

	error = plugin_refuse(plugin, error, "its init function \"%s\": %s", init->name, strerror(-error));
	if (!error)
		init_withdraw(plugin->dpd, code->init, code->n_inits);
	return error;
}

/* Before the graph: what it cannot start is then not put there. */
static bool is_before_graph(const struct init *init)
{
	for (const char *const *before = init->before; before && *before; before++)
		if (!strcmp(*before, "graph"))
			return true;
	return false;
}

static int check_inits(const struct wye_plugin *code, char *why, size_t why_bytes)
{
	for (uint32_t i = 0; i < code->n_inits; i++) {
		const struct init *init = code->init[i];

		if (!init->name || !is_before_graph(init)) {
			snprintf(why, why_bytes, "its init function \"%.31s\" must come before \"graph\"",
				 init->name ? init->name : "");
			return -EINVAL;
		}
		for (uint32_t j = 0; j < i; j++)
			if (code->init[j] == init) {
				snprintf(why, why_bytes, "its init function \"%.31s\" is there twice", init->name);
				return -EINVAL;
			}
	}
	return 0;
}

static int add_inits(const struct wye_plugin *code, char *why, size_t why_bytes)
{
	struct init *order[INIT_MAX];
	int error = check_inits(code, why, why_bytes);

	if (error)
		return error;
	for (uint32_t i = 0; i < code->n_inits; i++) {
		code->init[i]->failed = init_failed;
		init_add(code->init[i]);
	}
	if (init_sort(order, why, why_bytes) >= 0)
		return 0;
	for (uint32_t i = 0; i < code->n_inits; i++)
		init_remove(code->init[i]);
	return -EINVAL;
}

static int load(struct plugin *plugin)
{
	const struct wye_plugin *code = NULL;
	char why[WYE_WHY_BYTES];
	int error = open_code(plugin, &code, why, sizeof(why));

	if (error)
		return plugin_refuse(plugin, error, "%s", why);
	error = give_settings(plugin, code->configure);
	if (error)
		return plugin_refuse(plugin, error, NULL);
	plugin->code = code;
	error = add_inits(code, why, sizeof(why));
	return error ? plugin_refuse(plugin, error, "%s", why) : 0;
}

int plugin_load(struct dpd *dpd)
{
	int error = 0;

	for (size_t i = 0; i < dpd->config->plugins.n_load && !error; i++) {
		plugins[i] = (struct plugin){ .dpd = dpd, .index = (uint32_t)i, .config = &dpd->config->plugins.load[i] };
		n_plugins = (uint32_t)i + 1;
		error = load(&plugins[i]);
	}
	return error;
}

/* ---- a reload ------------------------------------------------------------------------------------------------------- */

static bool same_settings(const struct wye_config_plugin *a, const struct wye_config_plugin *b)
{
	if (a->n_settings != b->n_settings)
		return false;
	for (size_t i = 0; i < a->n_settings; i++)
		if (strcmp(a->setting[i].key, b->setting[i].key) || strcmp(a->setting[i].value, b->setting[i].value))
			return false;
	return true;
}

/* All but the settings that are sections of their own. */
static bool plugins_same(const struct config_section *section, const struct wye_config *now,
			 const struct wye_config *wanted)
{
	if (strcmp(now->plugins.path, wanted->plugins.path) || now->plugins.n_load != wanted->plugins.n_load)
		return false;
	for (size_t i = 0; i < now->plugins.n_load; i++) {
		const struct wye_config_plugin *a = &now->plugins.load[i], *b = &wanted->plugins.load[i];
		bool own_section = plugins[i].code && plugins[i].code->change;

		if (strcmp(a->name, b->name) || a->required != b->required || !(own_section || same_settings(a, b)))
			return false;
	}
	return true;
}
CONFIG(plugins, .same = plugins_same);

/* Behind the last: it is not listed any more. */
static size_t place_of(const struct wye_config *config, const char *name)
{
	size_t i = 0;

	while (i < config->plugins.n_load && strcmp(config->plugins.load[i].name, name))
		i++;
	return i;
}

static bool settings_same(const struct config_section *section, const struct wye_config *now,
			  const struct wye_config *wanted)
{
	const struct plugin *plugin = section->of;
	size_t at = place_of(wanted, plugin->config->name);

	return at == wanted->plugins.n_load || same_settings(plugin->config, &wanted->plugins.load[at]);
}

static int settings_change(const struct config_section *section, struct dpd *dpd, struct wye_config *wanted, char *why)
{
	struct plugin *plugin = section->of;
	struct wye_config_plugin *now = &dpd->config->plugins.load[plugin->index];
	struct wye_config_plugin *other = &wanted->plugins.load[place_of(wanted, now->name)];
	int error;

	plugin->config = other;
	error = give_settings(plugin, plugin->code->change);
	plugin->config = now;
	if (error) {
		snprintf(why, WYE_WHY_BYTES, "%s: plugin \"%s\": %s", wanted->path, now->name, plugin->why);
		(void)give_settings(plugin, plugin->code->change);
		return error;
	}
	CONFIG_EXCHANGE(now->setting, other->setting);
	CONFIG_EXCHANGE(now->n_settings, other->n_settings);
	return 0;
}

static void add_section(struct plugin *plugin)
{
	static const char *const before[] = { "workers", NULL };

	snprintf(plugin->section_name, sizeof(plugin->section_name), "plugins.%s", plugin->config->name);
	plugin->section = (struct config_section){
		.name = plugin->section_name,
		.same = settings_same,
		.change = settings_change,
		.before = before,
		.of = plugin,
	};
	config_add(&plugin->section);
}

/* ---- putting it to work ------------------------------------------------------------------------------------------- */

static int attach(struct plugin *plugin)
{
	const struct wye_plugin *code = plugin->code;
	int error = 0;

	for (uint32_t i = 0; i < code->n_nodes && !error; i++)
		error = plugin_graph_add(plugin->dpd, &code->node[i]);
	for (uint32_t i = 0; i < code->n_pre_inputs && !error; i++)
		error = worker_pre_input(code->pre_input[i].name, code->pre_input[i].run);
	for (uint32_t i = 0; i < code->n_processes && !error; i++)
		error = process_add(code->process[i]);
	if (error)
		log_error("plugin \"%s\": %s", code->name, strerror(-error));
	else
		log_notice("plugin \"%s\" %s: %s", code->name, code->version, code->summary);
	if (code->change)
		add_section(plugin);
	return error;
}

int plugin_attach(struct dpd *dpd)
{
	int error = 0;

	for (uint32_t i = 0; i < n_plugins && !error; i++) {
		const struct plugin *plugin = &plugins[i];
		struct wye_plugin_info info = { .state = plugin->code ? WYE_PLUGIN_RUNS : WYE_PLUGIN_REFUSED };

		snprintf(info.name, sizeof(info.name), "%s", plugin->config->name);
		snprintf(info.detail, sizeof(info.detail), "%s", plugin->code ? "" : plugin->why);
		if (plugin->code) {
			snprintf(info.version, sizeof(info.version), "%s", plugin->code->version);
			snprintf(info.summary, sizeof(info.summary), "%s", plugin->code->summary);
			error = attach(&plugins[i]);
		}
		stats_plugin(dpd, i, &info);
	}
	plugin_api_counters(dpd);
	return error;
}

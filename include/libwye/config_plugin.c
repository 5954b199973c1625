/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Section plugins. What a plugin's settings mean only the plugin knows: here they become a flat list of keys and values,
 * each with its place in the file, so that the plugin's own messages can name it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

#define KEY_BYTES   256
#define VALUE_BYTES 1024

struct settings_parse {
	struct config_parse *parse;
	struct wye_config_plugin *plugin;
};

#define PROBLEM(s, node, format, ...) \
	config_problem((s)->parse, (node)->start_mark, "plugin \"%s\": " format, (s)->plugin->name, ##__VA_ARGS__)

static int flatten(struct settings_parse *s, yaml_node_t *node, const char *key);

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static int add_setting(struct settings_parse *s, const yaml_node_t *node, const char *key)
{
	struct wye_config_plugin *plugin = s->plugin;
	struct wye_setting *setting;

	if (plugin->n_settings == WYE_SETTINGS_MAX) {
		PROBLEM(s, node, "%s: more than %u settings", key, WYE_SETTINGS_MAX);
		return 0;
	}
	if (node->data.scalar.length >= VALUE_BYTES || memchr(text_of(node), '\0', node->data.scalar.length)) {
		PROBLEM(s, node, "%s: a value has at most %u characters, and no NUL", key, VALUE_BYTES - 1);
		return 0;
	}
	setting = &plugin->setting[plugin->n_settings++];
	setting->key = strdup(key);
	setting->value = strdup(text_of(node));
	setting->line = (uint32_t)node->start_mark.line + 1;
	setting->column = (uint32_t)node->start_mark.column + 1;
	return setting->key && setting->value ? 0 : -ENOMEM;
}

static bool is_word(const yaml_node_t *node)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return node->type == YAML_SCALAR_NODE && node->data.scalar.length &&
	       strspn(text_of(node), allowed) == node->data.scalar.length;
}

static bool given_before(struct config_parse *parse, const yaml_node_t *mapping, const yaml_node_pair_t *pair,
			 const char *word)
{
	for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < pair; p++) {
		const yaml_node_t *other = yaml_document_get_node(&parse->doc, p->key);

		if (other->type == YAML_SCALAR_NODE && !strcmp(text_of(other), word))
			return true;
	}
	return false;
}

static int flatten_mapping(struct settings_parse *s, yaml_node_t *node, const char *key)
{
	int error = 0;

	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top && !error && !config_gave_up(s->parse); pair++) {
		const yaml_node_t *word = yaml_document_get_node(&s->parse->doc, pair->key);
		char below[KEY_BYTES];

		if (!is_word(word))
			PROBLEM(s, word, "%s: a key has letters, digits, '_' and '-'", key[0] ? key : "settings");
		else if (given_before(s->parse, node, pair, text_of(word)))
			PROBLEM(s, word, "key \"%s\" is given twice; remove one",
				config_quote(text_of(word), word->data.scalar.length));
		else if ((size_t)snprintf(below, sizeof(below), "%s%s%s", key, key[0] ? "." : "", text_of(word)) >=
			 sizeof(below))
			PROBLEM(s, word, "settings: keys are nested too deeply: together at most %u characters",
				KEY_BYTES - 1);
		else
			error = flatten(s, yaml_document_get_node(&s->parse->doc, pair->value), below);
	}
	return error;
}

static int flatten_sequence(struct settings_parse *s, yaml_node_t *node, const char *key)
{
	size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	int error = 0;

	for (size_t i = 0; i < count && !error && !config_gave_up(s->parse); i++) {
		char below[KEY_BYTES + 24];

		snprintf(below, sizeof(below), "%s[%zu]", key, i);
		if (strlen(below) >= KEY_BYTES)
			PROBLEM(s, node, "settings: keys are nested too deeply: together at most %u characters",
				KEY_BYTES - 1);
		else
			error = flatten(s, config_item(s->parse, node, i), below);
	}
	return error;
}

static int flatten(struct settings_parse *s, yaml_node_t *node, const char *key)
{
	if (node->type == YAML_MAPPING_NODE)
		return flatten_mapping(s, node, key);
	if (node->type == YAML_SEQUENCE_NODE)
		return flatten_sequence(s, node, key);
	return add_setting(s, node, key);
}

/* It becomes a part of a path. */
static void check_name(struct settings_parse *s, const yaml_node_t *node, const struct wye_config *config)
{
	const char *name = s->plugin->name;

	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
		PROBLEM(s, node, "a name has lower-case letters, digits and '_'; the file is NAME.so in plugins.path");
	for (size_t i = 0; i < config->plugins.n_load; i++)
		if (!strcmp(config->plugins.load[i].name, name))
			PROBLEM(s, node, "already listed on line %u; remove one", config->plugins.load[i].line);
}

static int check_plugin(struct config_parse *parse, yaml_node_t *node, const struct raw_plugin *raw,
			struct wye_config *config)
{
	struct settings_parse s = { parse, &config->plugins.load[config->plugins.n_load] };
	yaml_node_t *settings = config_key(parse, node, "settings");

	snprintf(s.plugin->name, sizeof(s.plugin->name), "%s", raw->name);
	s.plugin->required = raw->required && *raw->required == RAW_TRUE;
	s.plugin->line = (uint32_t)node->start_mark.line + 1;
	check_name(&s, node, config);
	config->plugins.n_load++;
	if (!settings)
		return 0;
	if (settings->type != YAML_MAPPING_NODE) {
		PROBLEM(&s, settings, "settings: expected a mapping ({ key: value } or lines of key: value)");
		return 0;
	}
	s.plugin->setting = calloc(WYE_SETTINGS_MAX, sizeof(s.plugin->setting[0]));
	return s.plugin->setting ? flatten(&s, settings, "") : -ENOMEM;
}

int config_check_plugins(struct config_parse *parse, const struct raw *raw, struct wye_config *config)
{
	const char *path = raw->plugins.path ? raw->plugins.path : WYE_PLUGINS_PATH_DEFAULT;
	yaml_node_t *section = config_key(parse, yaml_document_get_root_node(&parse->doc), "plugins");
	yaml_node_t *list = config_key(parse, section, "load"), *given = config_key(parse, section, "path");
	int error = 0;

	if (path[0] != '/')
		config_problem(parse, given ? given->start_mark : (yaml_mark_t){ 0 },
			       "plugins.path: \"%s\": expected an absolute path", config_quote(path, strlen(path)));
	config->plugins.path = strdup(path);
	if (!config->plugins.path)
		return -ENOMEM;
	for (uint32_t i = 0; !error && i < raw->plugins.load_count; i++)
		error = check_plugin(parse, config_item(parse, list, i), &raw->plugins.load[i], config);
	return error;
}

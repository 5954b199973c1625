/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libwye's own: what the parts of the configuration loader share.
 *
 * One schema (config_schema.c), walked twice. config_shape.c compares the parsed document with it and reports every
 * difference with its place; libcyaml then loads a file that passed into struct raw. config_check.c and
 * config_rule.c turn that into struct wye_config and look up the place of a value again to complain of its meaning.
 */
#ifndef CONFIG_PRIVATE_H
#define CONFIG_PRIVATE_H

#include <cyaml/cyaml.h>
#include <yaml.h>

#include "wye_config.h"

#define CONFIG_FILE_BYTES_MAX (4u << 20)
#define CONFIG_DEPTH_MAX      16
#define CONFIG_PROBLEMS_MAX   100

/* The file as libcyaml loads it. What is optional and absent is a NULL pointer or an empty list. */
struct raw_match {
	char *in, *src, *dst, *proto, *sport, *dport;
};

struct raw_rule {
	char *name;
	struct raw_match match;
	enum wye_action action;
};

enum raw_device { DEVICE_VF, DEVICE_WHOLE };

struct raw_port {
	char *netdev, *devargs;
	enum wye_driver *driver;
	enum raw_device *device;
	uint32_t *queues;
};

enum raw_guard { GUARD_KERNEL, GUARD_IGNORE };

enum raw_bool { RAW_FALSE, RAW_TRUE };

struct raw_plugin {	/* its settings are no business of the schema: config_plugin.c */
	char *name;
	enum raw_bool *required;
};

struct raw {
	struct {
		enum wye_hugepages *hugepages;
		uint32_t *size_mib;
	} memory;
	struct {
		uint32_t *cpus;
		uint32_t cpus_count;
		enum wye_idle *idle;
		uint32_t *priority;
	} workers;
	struct {
		char *path;
		struct raw_plugin *load;
		uint32_t load_count;
	} plugins;
	struct {
		uint64_t *routes4, *routes6, *neighbours;
		uint32_t *stale_after_s, *audit_s;
	} tables;
	struct {
		uint32_t *rate_pps;
	} punt;
	struct {
		enum raw_guard *nftables, *iptables, *hooks, *tc, *xdp, *xfrm, *rules, *rp_filter, *bridge_port,
			*pmtu, *ipvs;
	} parity;
	struct raw_port *ports;
	uint32_t ports_count;
	struct {
		enum wye_action *default_action;
		struct raw_rule *rules;
		uint32_t rules_count;
		enum wye_action *slow;
		uint32_t *slow_below_pps, *slow_after_ms, *fast_above_pps;
	} steering;
};

extern const cyaml_schema_value_t config_schema;

/* One parse under way. */
struct config_parse {
	const char *name;	/* stands before line and column */
	FILE *messages;		/* NULL: silent */
	unsigned int problems;
	yaml_document_t doc;
};

/* Prints "NAME:LINE:COLUMN: …" on one line and counts. From CONFIG_PROBLEMS_MAX on only counts. */
void config_problem(struct config_parse *parse, yaml_mark_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static inline bool config_gave_up(const struct config_parse *parse)
{
	return parse->problems > CONFIG_PROBLEMS_MAX;
}

/* Text for quoting in a message: at most 60 bytes, NUL as '?'. Valid until the eighth next call. */
const char *config_quote(const char *text, size_t len_bytes);

/* Which of the names (NULL-terminated) was most likely meant, NULL = none comes near. */
const char *config_nearest(const char *text, const char *const *names);

/* First pass: syntax, and what we do not allow of YAML (aliases, tags, several documents, depth). */
void config_syntax(struct config_parse *parse, const void *text, size_t len_bytes);
/* Second pass: the document against config_schema. */
void config_shape(struct config_parse *parse);

/* The value of a key, the entry of a list; NULL = absent. */
yaml_node_t *config_key(struct config_parse *parse, yaml_node_t *mapping, const char *key);
yaml_node_t *config_item(struct config_parse *parse, yaml_node_t *sequence, size_t index);

/* Third pass: meaning. Fills in config; problems are printed and counted. -ENOMEM or 0. */
int config_check(struct config_parse *parse, const struct raw *raw, struct wye_config *config);
int config_check_plugins(struct config_parse *parse, const struct raw *raw, struct wye_config *config);
int config_check_rules(struct config_parse *parse, const struct raw *raw, struct wye_config *config);

#endif

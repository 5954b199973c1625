/* SPDX-License-Identifier: BSD-3-Clause */
/* The grammar of wye.yaml as a libcyaml schema. What a value may mean is config_check.c's and config_rule.c's. */
#include "config_private.h"

#define OPT   CYAML_FLAG_OPTIONAL
#define ENUM  (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)
#define COUNT CYAML_ARRAY_LEN

static const cyaml_strval_t hugepages[] = {
	{ "auto", WYE_HUGE_AUTO },
	{ "hugetlbfs", WYE_HUGE_HUGETLBFS },
	{ "thp", WYE_HUGE_THP },
	{ "none", WYE_HUGE_NONE },
};

static const cyaml_strval_t idle[] = {
	{ "adaptive", WYE_IDLE_ADAPTIVE },
	{ "poll", WYE_IDLE_POLL },
};

static const cyaml_strval_t driver[] = {
	{ "af_xdp", WYE_DRIVER_AF_XDP },
	{ "mlx5", WYE_DRIVER_MLX5 },
	{ "vfio", WYE_DRIVER_VFIO },
	{ "uio", WYE_DRIVER_UIO },
	{ "devargs", WYE_DRIVER_DEVARGS },
};
static const cyaml_strval_t device[] = {
	{ "vf", DEVICE_VF },
	{ "whole", DEVICE_WHOLE },
};

static const cyaml_strval_t action[] = {
	{ "kernel", WYE_ACTION_KERNEL },
	{ "dataplane", WYE_ACTION_DATAPLANE },
};

static const cyaml_strval_t guard[] = {
	{ "guard", GUARD_KERNEL },
	{ "ignore", GUARD_IGNORE },
};

static const cyaml_schema_field_t memory_fields[] = {
	CYAML_FIELD_ENUM_PTR("hugepages", ENUM, struct raw, memory.hugepages, hugepages, COUNT(hugepages)),
	CYAML_FIELD_UINT_PTR("size_mib", OPT, struct raw, memory.size_mib),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t cpu_value = { CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t) };

static const cyaml_schema_field_t workers_fields[] = {
	CYAML_FIELD_SEQUENCE("cpus", OPT | CYAML_FLAG_POINTER, struct raw, workers.cpus, &cpu_value, 1,
			     WYE_WORKERS_MAX),
	CYAML_FIELD_ENUM_PTR("idle", ENUM, struct raw, workers.idle, idle, COUNT(idle)),
	CYAML_FIELD_UINT_PTR("priority", OPT, struct raw, workers.priority),
	CYAML_FIELD_END,
};

static const cyaml_strval_t boolean[] = {
	{ "false", RAW_FALSE },
	{ "true", RAW_TRUE },
};

static const cyaml_schema_field_t plugin_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_DEFAULT, struct raw_plugin, name, 1, 31),
	CYAML_FIELD_ENUM_PTR("required", ENUM, struct raw_plugin, required, boolean, COUNT(boolean)),
	CYAML_FIELD_IGNORE("settings", OPT),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t plugin_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_plugin, plugin_fields)
};

static const cyaml_schema_field_t plugins_fields[] = {
	CYAML_FIELD_STRING_PTR("path", OPT, struct raw, plugins.path, 1, 4095),
	CYAML_FIELD_SEQUENCE("load", OPT | CYAML_FLAG_POINTER, struct raw, plugins.load, &plugin_value, 0,
			     WYE_PLUGINS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t tables_fields[] = {
	CYAML_FIELD_UINT_PTR("routes4", OPT, struct raw, tables.routes4),
	CYAML_FIELD_UINT_PTR("routes6", OPT, struct raw, tables.routes6),
	CYAML_FIELD_UINT_PTR("neighbours", OPT, struct raw, tables.neighbours),
	CYAML_FIELD_UINT_PTR("stale_after_s", OPT, struct raw, tables.stale_after_s),
	CYAML_FIELD_UINT_PTR("audit_s", OPT, struct raw, tables.audit_s),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t punt_fields[] = {
	CYAML_FIELD_UINT_PTR("rate_pps", OPT, struct raw, punt.rate_pps),
	CYAML_FIELD_END,
};

#define GUARD_FIELD(name) CYAML_FIELD_ENUM_PTR(#name, ENUM, struct raw, parity.name, guard, COUNT(guard))

static const cyaml_schema_field_t parity_fields[] = {
	GUARD_FIELD(nftables),
	GUARD_FIELD(iptables),
	GUARD_FIELD(hooks),
	GUARD_FIELD(tc),
	GUARD_FIELD(xdp),
	GUARD_FIELD(xfrm),
	GUARD_FIELD(rules),
	GUARD_FIELD(rp_filter),
	GUARD_FIELD(bridge_port),
	GUARD_FIELD(pmtu),
	GUARD_FIELD(ipvs),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t port_fields[] = {
	CYAML_FIELD_STRING_PTR("netdev", CYAML_FLAG_DEFAULT, struct raw_port, netdev, 1, WYE_NETDEV_BYTES - 1),
	CYAML_FIELD_ENUM_PTR("driver", ENUM, struct raw_port, driver, driver, COUNT(driver)),
	CYAML_FIELD_STRING_PTR("devargs", OPT, struct raw_port, devargs, 1, 1023),
	CYAML_FIELD_ENUM_PTR("device", ENUM, struct raw_port, device, device, COUNT(device)),
	CYAML_FIELD_UINT_PTR("queues", OPT, struct raw_port, queues),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t port_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_port, port_fields)
};

static const cyaml_schema_field_t match_fields[] = {
	CYAML_FIELD_STRING_PTR("in", OPT, struct raw_match, in, 1, WYE_NETDEV_BYTES - 1),
	CYAML_FIELD_STRING_PTR("src", OPT, struct raw_match, src, 1, 49),
	CYAML_FIELD_STRING_PTR("dst", OPT, struct raw_match, dst, 1, 49),
	CYAML_FIELD_STRING_PTR("proto", OPT, struct raw_match, proto, 1, 15),
	CYAML_FIELD_STRING_PTR("sport", OPT, struct raw_match, sport, 1, 23),
	CYAML_FIELD_STRING_PTR("dport", OPT, struct raw_match, dport, 1, 23),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t rule_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_DEFAULT, struct raw_rule, name, 1, 31),
	CYAML_FIELD_MAPPING("match", CYAML_FLAG_DEFAULT, struct raw_rule, match, match_fields),
	CYAML_FIELD_ENUM("action", CYAML_FLAG_STRICT, struct raw_rule, action, action, COUNT(action)),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t rule_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_rule, rule_fields)
};

static const cyaml_schema_field_t steering_fields[] = {
	CYAML_FIELD_ENUM_PTR("default", ENUM, struct raw, steering.default_action, action, COUNT(action)),
	CYAML_FIELD_ENUM_PTR("slow", ENUM, struct raw, steering.slow, action, COUNT(action)),
	CYAML_FIELD_UINT_PTR("slow_below_pps", OPT, struct raw, steering.slow_below_pps),
	CYAML_FIELD_UINT_PTR("slow_after_ms", OPT, struct raw, steering.slow_after_ms),
	CYAML_FIELD_UINT_PTR("fast_above_pps", OPT, struct raw, steering.fast_above_pps),
	CYAML_FIELD_SEQUENCE("rules", OPT | CYAML_FLAG_POINTER, struct raw, steering.rules, &rule_value, 0,
			     WYE_RULES_MAX),
	CYAML_FIELD_END,
};

/* A section's members lie in struct raw itself: offset 0, and its fields count from there. */
#define SECTION(name)                                                                                              \
	{                                                                                                          \
		.key = #name, .data_offset = 0,                                                                    \
		.value = { CYAML_VALUE_MAPPING(CYAML_FLAG_OPTIONAL, struct raw, name##_fields) },                  \
	}

static const cyaml_schema_field_t top_fields[] = {
	SECTION(memory),
	SECTION(workers),
	SECTION(plugins),
	SECTION(tables),
	SECTION(punt),
	SECTION(parity),
	CYAML_FIELD_SEQUENCE("ports", OPT | CYAML_FLAG_POINTER, struct raw, ports, &port_value, 0, WYE_PORTS_MAX),
	SECTION(steering),
	CYAML_FIELD_END,
};

const char *wye_config_section(size_t i)
{
	return i < sizeof(top_fields) / sizeof(top_fields[0]) ? top_fields[i].key : NULL; /* the last has none */
}

const cyaml_schema_value_t config_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw, top_fields) };

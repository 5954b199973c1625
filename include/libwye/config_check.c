/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From what libcyaml loaded to struct wye_config: defaults, limits, ports. The file has the right shape by now;
 * this is about what it means. Rules are config_rule.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"
#include "wye_device.h"

#define CPU_MAX 1023u
#define PRIORITY_MAX 98u	/* 99 is the kernel's watchdogs' and migration threads' */

static yaml_mark_t mark_of(const yaml_node_t *node)
{
	return node ? node->start_mark : (yaml_mark_t){ 0 };
}

/* An optional number within limits, or its default. */
static uint64_t number(struct config_parse *parse, const char *section, const char *key, const uint64_t *given,
		       uint64_t least, uint64_t most, uint64_t otherwise)
{
	yaml_node_t *root = yaml_document_get_root_node(&parse->doc);

	if (!given)
		return otherwise;
	if (*given < least || *given > most)
		config_problem(parse, mark_of(config_key(parse, config_key(parse, root, section), key)),
			       "%s.%s: %llu: expected %llu to %llu", section, key, (unsigned long long)*given,
			       (unsigned long long)least, (unsigned long long)most);
	return *given;
}

static uint32_t number32(struct config_parse *parse, const char *section, const char *key, const uint32_t *given,
			 uint32_t least, uint32_t most, uint32_t otherwise)
{
	uint64_t wide = given ? *given : 0;

	return (uint32_t)number(parse, section, key, given ? &wide : NULL, least, most, otherwise);
}

static void check_numbers(struct config_parse *parse, const struct raw *raw, struct wye_config *config)
{
	config->memory.hugepages = raw->memory.hugepages ? *raw->memory.hugepages : WYE_HUGE_AUTO;
	config->memory.size_mib = number32(parse, "memory", "size_mib", raw->memory.size_mib, 64, 1 << 20, 512);
	config->tables.routes4 =
		number(parse, "tables", "routes4", raw->tables.routes4, 1024, 1 << 26, 2 * 1024 * 1024);
	config->tables.routes6 = number(parse, "tables", "routes6", raw->tables.routes6, 1024, 1 << 26, 512 * 1024);
	config->tables.neighbours =
		number(parse, "tables", "neighbours", raw->tables.neighbours, 256, 1 << 24, 128 * 1024);
	config->tables.stale_after_s =
		number32(parse, "tables", "stale_after_s", raw->tables.stale_after_s, 1, 3600, 10);
	config->tables.audit_s = number32(parse, "tables", "audit_s", raw->tables.audit_s, 0, 86400, 300);
	config->punt.rate_pps = number32(parse, "punt", "rate_pps", raw->punt.rate_pps, 1, 10000000, 10000);
}

static void check_slow(struct config_parse *parse, const struct raw *raw, struct wye_config *config)
{
	config->slow.action = raw->steering.slow ? *raw->steering.slow : WYE_ACTION_DATAPLANE;
	config->slow.below_pps =
		number32(parse, "steering", "slow_below_pps", raw->steering.slow_below_pps, 1, 1000000, 2000);
	config->slow.after_ms = number32(parse, "steering", "slow_after_ms", raw->steering.slow_after_ms, 20, 60000, 1000);
	config->slow.above_pps =
		number32(parse, "steering", "fast_above_pps", raw->steering.fast_above_pps, 1000, 10000000, 10000);
	if (config->slow.below_pps >= config->slow.above_pps)
		config_problem(parse, mark_of(config_key(parse, yaml_document_get_root_node(&parse->doc), "steering")),
			       "steering.slow_below_pps: %u: must be below fast_above_pps, %u, or flows go to and fro",
			       config->slow.below_pps, config->slow.above_pps);
}

static void check_parity(const struct raw *raw, struct wye_config *config)
{
	const struct {
		const enum raw_guard *given;
		enum wye_parity reason;
	} scope[] = {
		{ raw->parity.nftables, WYE_PARITY_NFTABLES }, { raw->parity.iptables, WYE_PARITY_IPTABLES },
		{ raw->parity.hooks, WYE_PARITY_HOOKS },       { raw->parity.tc, WYE_PARITY_TC },
		{ raw->parity.xdp, WYE_PARITY_XDP },	       { raw->parity.xfrm, WYE_PARITY_XFRM },
		{ raw->parity.rules, WYE_PARITY_RULES },       { raw->parity.rp_filter, WYE_PARITY_RP_FILTER },
		{ raw->parity.bridge_port, WYE_PARITY_BRIDGE_PORT }, { raw->parity.pmtu, WYE_PARITY_PMTU },
		{ raw->parity.ipvs, WYE_PARITY_IPVS },
	};

	for (size_t i = 0; i < sizeof(scope) / sizeof(scope[0]); i++)
		if (scope[i].given && *scope[i].given == GUARD_IGNORE)
			config->parity.ignore |= scope[i].reason;
}

static void check_workers(struct config_parse *parse, const struct raw *raw, struct wye_config *config)
{
	yaml_node_t *root = yaml_document_get_root_node(&parse->doc);
	yaml_node_t *list = config_key(parse, config_key(parse, root, "workers"), "cpus");

	config->workers.idle = raw->workers.idle ? *raw->workers.idle : WYE_IDLE_ADAPTIVE;
	config->workers.priority = number32(parse, "workers", "priority", raw->workers.priority, 0, PRIORITY_MAX, 0);
	if (config->workers.priority && config->workers.idle == WYE_IDLE_POLL)
		config_problem(parse, mark_of(config_key(parse, config_key(parse, root, "workers"), "priority")),
			       "workers.priority: %u: with idle: poll nothing else would run on the workers' CPUs, not even "
			       "what brings them packets; use idle: adaptive", config->workers.priority);
	config->workers.n_cpus = raw->workers.cpus_count;
	config->workers.cpus_given = raw->workers.cpus_count;
	for (uint32_t i = 0; i < raw->workers.cpus_count; i++) {
		uint32_t cpu = raw->workers.cpus[i];
		yaml_mark_t at = mark_of(config_item(parse, list, i));

		if (cpu > CPU_MAX)
			config_problem(parse, at, "workers.cpus[%u]: CPU %u: limit is %u", i, cpu, CPU_MAX);
		for (uint32_t j = 0; j < i; j++)
			if (raw->workers.cpus[j] == cpu) {
				config_problem(parse, at,
					       "workers.cpus[%u]: CPU %u is listed twice; a CPU runs one worker", i, cpu);
				break;
			}
		config->workers.cpu[i] = (uint16_t)cpu;
	}
	if (!config->workers.n_cpus)
		config->workers.cpu[config->workers.n_cpus++] = 1;
}

/* dev_valid_name() of the kernel. */
static bool netdev_valid(const char *name)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == 127 || *name == '/' || *name == ':')
			return false;
	return true;
}

/* DOMAIN:BUS:DEVICE.FUNCTION or without the domain, and options behind a comma. */
static bool pci_address(const char *text)
{
	unsigned int domain, bus, device, function;
	int end = 0;

	if (!text || (sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end) != 4 &&
		      sscanf(text, "%2x:%2x.%1x%n", &bus, &device, &function, &end) != 3))
		return false;
	return end && (text[end] == '\0' || text[end] == ',');
}

static bool like_pci_address(const char *text)
{
	unsigned int number[3];

	return sscanf(text, "%x:%x:%x", &number[0], &number[1], &number[2]) == 3 ||
	       sscanf(text, "%x:%x.%x", &number[0], &number[1], &number[2]) == 3;
}

/* "fe000000.ethernet" by the device tree, "ACPI0001:00" by ACPI; options behind a comma. */
static bool platform_device(const char *text)
{
	size_t len = text ? strcspn(text, ",") : 0;

	return len && len < WYE_DEVICE_NAME_BYTES && text[0] != '.' && strcspn(text, ".:") < len && !like_pci_address(text) &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-") >= len;
}

static bool names_device(enum wye_driver driver, const char *devargs)
{
	return pci_address(devargs) || (driver == WYE_DRIVER_VFIO && platform_device(devargs));
}

static void check_driver(struct config_parse *parse, yaml_node_t *node, const struct wye_config_port *port,
			 const char *named)
{
	yaml_node_t *devargs = config_key(parse, node, "devargs"), *device = config_key(parse, node, "device");

	if (wye_driver_takes_device(port->driver) && !names_device(port->driver, named))
		config_problem(parse, mark_of(devargs ? devargs : config_key(parse, node, "driver")),
			       "port \"%s\": driver %s needs the device's PCI address in \"devargs\" (for instance \"0000:03:02.0\")",
			       port->netdev, port->driver == WYE_DRIVER_VFIO ? "vfio" : "uio");
	if (device && !wye_driver_takes_device(port->driver))
		config_problem(parse, device->start_mark, "port \"%s\": device: is for drivers vfio and uio; remove it",
			       port->netdev);

	if (port->driver == WYE_DRIVER_DEVARGS && !devargs)
		config_problem(parse, mark_of(config_key(parse, node, "driver")),
			       "port \"%s\": driver devargs needs a key \"devargs\" (for instance \"net_tap0,iface=dtap0\")",
			       port->netdev);
	if (port->driver == WYE_DRIVER_AF_XDP && devargs)
		config_problem(parse, devargs->start_mark,
			       "port \"%s\": driver af_xdp takes no devargs; remove them or use driver: devargs",
			       port->netdev);
}

/* Two ports on one netdev would fight over its queues and its route state. */
static void check_double(struct config_parse *parse, yaml_node_t *node, const struct wye_config *config)
{
	const struct wye_config_port *port = &config->port[config->n_ports];

	for (size_t i = 0; i < config->n_ports; i++)
		if (!strcmp(config->port[i].netdev, port->netdev)) {
			config_problem(parse, mark_of(config_key(parse, node, "netdev")),
				       "port \"%s\": netdev already used by the port on line %u; remove one",
				       port->netdev, config->port[i].line);
			return;
		}
}

static int check_port(struct config_parse *parse, yaml_node_t *node, const struct raw_port *raw,
		      struct wye_config *config)
{
	struct wye_config_port *port = &config->port[config->n_ports];

	snprintf(port->netdev, sizeof(port->netdev), "%s", raw->netdev);
	port->driver = raw->driver ? *raw->driver : WYE_DRIVER_AF_XDP;
	port->line = (uint32_t)mark_of(node).line + 1;
	if (!netdev_valid(raw->netdev))
		config_problem(parse, mark_of(config_key(parse, node, "netdev")),
			       "port \"%s\": no netdev can have this name: no blanks, '/' or ':'",
			       config_quote(raw->netdev, strlen(raw->netdev)));
	if (raw->queues && (*raw->queues < 1 || *raw->queues > WYE_QUEUES_MAX))
		config_problem(parse, mark_of(config_key(parse, node, "queues")),
			       "port \"%s\": queues %u: expected 1 to %u; without the key, as many as the netdev has",
			       port->netdev, *raw->queues, WYE_QUEUES_MAX);
	port->queues = raw->queues ? (uint16_t)*raw->queues : 0;
	port->whole_device = raw->device && *raw->device == DEVICE_WHOLE;
	check_driver(parse, node, port, raw->devargs);
	check_double(parse, node, config);
	config->n_ports++;
	if (raw->devargs) {
		port->devargs = strdup(raw->devargs);
		return port->devargs ? 0 : -ENOMEM;
	}
	return 0;
}

int config_check(struct config_parse *parse, const struct raw *raw, struct wye_config *config)
{
	yaml_node_t *ports = config_key(parse, yaml_document_get_root_node(&parse->doc), "ports");
	int error = config_check_plugins(parse, raw, config);

	check_numbers(parse, raw, config);
	check_slow(parse, raw, config);
	check_parity(raw, config);
	check_workers(parse, raw, config);
	for (uint32_t i = 0; !error && i < raw->ports_count; i++)
		error = check_port(parse, config_item(parse, ports, i), &raw->ports[i], config);
	return error ? error : config_check_rules(parse, raw, config);
}

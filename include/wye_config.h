/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /etc/wye/wye.yaml, parsed and checked. Both daemons and `wye check` load it through this and nothing else, so
 * they cannot disagree on what it says. Part of libwye; the grammar is in docs/wye.yaml.5.
 */
#ifndef WYE_CONFIG_H
#define WYE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wye_tables.h"

#define WYE_CONFIG_PATH_DEFAULT  "/etc/wye/wye.yaml"
#define WYE_PLUGINS_PATH_DEFAULT "/usr/lib/wye/plugins"

enum wye_driver { WYE_DRIVER_AF_XDP, WYE_DRIVER_MLX5, WYE_DRIVER_VFIO, WYE_DRIVER_UIO, WYE_DRIVER_DEVARGS };
enum wye_hugepages { WYE_HUGE_AUTO, WYE_HUGE_HUGETLBFS, WYE_HUGE_THP, WYE_HUGE_NONE };
enum wye_idle { WYE_IDLE_ADAPTIVE, WYE_IDLE_POLL };
enum wye_action { WYE_ACTION_KERNEL = 0, WYE_ACTION_DATAPLANE = 1 };

struct wye_config_port {
	char netdev[WYE_NETDEV_BYTES];	/* name or alternative name */
	enum wye_driver driver;
	char *devargs;		/* owned by the config; of DEVARGS, VFIO and UIO (begins with a device), perhaps of MLX5; else NULL */
	bool whole_device;	/* VFIO, UIO: not a virtual function, and meant */
	uint16_t queues;	/* 0 = as many as the netdev has */
	uint32_t line;
};

/* Drivers that have a device of their own, which the kernel has lost: devargs name it, its companion is another netdev. */
static inline bool wye_driver_takes_device(enum wye_driver driver)
{
	return driver == WYE_DRIVER_VFIO || driver == WYE_DRIVER_UIO;
}

/* A prefix or "any" (family 0). Host bits are zero: the loader refuses 10.0.0.1/8. */
struct wye_prefix {
	uint8_t family;		/* 0 = any, AF_INET, AF_INET6 */
	uint8_t len;
	uint8_t addr[16];
};

struct wye_port_range {
	bool set;
	uint16_t first, last;	/* host order, inclusive */
};

/*
 * One steering rule; what is not set matches anything. A rule with ports matches only TCP, UDP and SCTP (proto must be
 * set to one of them: the loader demands it). A rule with an IPv4 prefix matches only IPv4, and so on.
 */
struct wye_rule {
	char name[32];
	int in_port;		/* index into ports, -1 = any */
	struct wye_prefix src, dst;
	bool proto_set;
	uint8_t ip_proto;	/* IPPROTO_*; `icmp` stands for ICMP, `icmp6` for ICMPv6 */
	struct wye_port_range sport, dport;
	enum wye_action action;
	uint32_t line;
	char text[88];		/* the match as one line, for show */
};

/* One value of a plugin's settings; its place in them is its key: "rules[0].dst". */
struct wye_setting {
	char *key, *value;
	uint32_t line, column;
};

#define WYE_SETTINGS_MAX 1024u	/* of a plugin */

struct wye_config_plugin {
	char name[32];		/* the file is NAME.so */
	bool required;		/* wye-dpd does not run without it */
	uint32_t line;
	struct wye_setting *setting;	/* in the file's order; owned by the config, as its strings */
	size_t n_settings;
};

struct wye_config {
	char *path;
	struct {
		enum wye_hugepages hugepages;
		uint32_t size_mib;	/* DPDK heap */
	} memory;
	struct {
		uint16_t cpu[WYE_WORKERS_MAX];
		uint32_t n_cpus;
		bool cpus_given;	/* else it is one, which wye_cpus_default() chooses */
		enum wye_idle idle;
		uint32_t priority;	/* real-time, SCHED_FIFO; 0 = none */
	} workers;
	struct {
		char *path;
		struct wye_config_plugin load[WYE_PLUGINS_MAX];
		size_t n_load;
	} plugins;
	struct {
		uint64_t routes4, routes6, neighbours;	/* capacity of a new region; defaults 2M, 512k, 128k */
		uint32_t stale_after_s;			/* default 10 */
		uint32_t audit_s;			/* period, 0 = only when asked to; default 300 */
	} tables;
	struct {
		uint32_t rate_pps;	/* per reason and second, default 10000 */
	} punt;
	struct {
		uint32_t ignore;	/* enum wye_parity bits that hold nothing back; default 0 */
	} parity;
	struct wye_config_port port[WYE_PORTS_MAX];
	size_t n_ports;
	struct wye_rule *rule;	/* first match wins */
	size_t n_rules;
	enum wye_action default_action;
	struct {
		enum wye_action action;		/* whose flows are that are slow; default DATAPLANE */
		uint32_t below_pps, after_ms;	/* a port is slow that brings less for so long; defaults 2000, 1000 */
		uint32_t above_pps;		/* and fast again with more, reckoned over 10 ms; default 10000 */
	} slow;
};

/*
 * Reads and checks the whole file. 0 and *config (freed by wye_config_free), or -errno with *config untouched and
 * every problem printed to `messages` (NULL: none) as "FILE:LINE:COLUMN: object: what, limit, next step".
 * Checks what the file alone can tell; whether netdevs and CPUs exist is the daemons' to find out at start.
 * -ENOENT/-EACCES: the file; -EINVAL: its contents.
 */
int wye_config_load(const char *path, struct wye_config **config, FILE *messages);

/* Same from memory; `name` stands in messages for the path. For tests and fuzzing. */
int wye_config_parse(const char *name, const void *text, size_t len_bytes, struct wye_config **config, FILE *messages);

void wye_config_free(struct wye_config *config);	/* NULL is fine */

/* The names of all sections that a file may have, by number; NULL behind the last. */
const char *wye_config_section(size_t i);

#endif

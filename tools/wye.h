/* SPDX-License-Identifier: BSD-3-Clause */
/* What the subcommands of the operator's command share: their table, options, exit codes. */
#ifndef WYE_TOOL_H
#define WYE_TOOL_H

#include "output.h"
#include "view.h"

enum wye_exit {
	WYE_EXIT_OK = 0,
	WYE_EXIT_ERROR = 1,
	WYE_EXIT_USAGE = 2,		/* bad arguments, bad configuration file */
	WYE_EXIT_NOT_RUNNING = 3,
	WYE_EXIT_NOT_FOUND = 4,		/* no such object, no route */
	WYE_EXIT_WARNINGS = 5,		/* doctor: the worst it found */
	WYE_EXIT_STANDS_IN_THE_WAY = 6,
};

struct tool {
	struct out out;
	struct view view;
	int family;		/* -4, -6: AF_INET, AF_INET6; 0 = both or the command's default */
	const char *self;	/* "wye show route": starts its messages */
};

struct command {
	const char *name;
	const char *summary;	/* one line */
	const char *arguments;	/* of the usage line, "" = none */
	const char *help;	/* further lines, NULL = none */
	int (*run)(struct tool *tool, int argc, char **argv);	/* arguments after the name; enum wye_exit */
};

extern const struct command cmd_status, cmd_lookup, cmd_check, cmd_capture, cmd_trace, cmd_record, cmd_doctor, cmd_version;
extern const struct command cmd_bind, cmd_unbind, cmd_vf;
extern const struct command cmd_link, cmd_addr, cmd_neigh, cmd_route, cmd_nexthop, cmd_rule, cmd_vrf;	/* of show */
extern const struct command cmd_port, cmd_steer, cmd_graph, cmd_runtime, cmd_init, cmd_plugin, cmd_stats, cmd_memory, cmd_parity;

/* Runs the command line; enum wye_exit. For main() and tests. */
int wye_run(int argc, char **argv, FILE *file);

/* Prints "SELF: message" with a pointer to --help; WYE_EXIT_USAGE. */
int usage_error(const struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints "SELF: message"; returns code. */
int failure(const struct tool *tool, enum wye_exit code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The value after keyword argv[*i]; NULL and a message when there is none. Steps *i. */
const char *argument(const struct tool *tool, int argc, char **argv, int *i);
/* For commands without arguments: WYE_EXIT_OK, or a message and WYE_EXIT_USAGE. */
int no_arguments(const struct tool *tool, int argc, char **argv);
/* `dev NAME`: its ifindex, 0 and a message (WYE_EXIT_NOT_FOUND is to be returned) when the mirror has no such link. */
uint32_t find_device(const struct tool *tool, const char *name);
/* For commands whose only argument is `[dev] NAME`: opens the tables; *link is NULL without one. enum wye_exit. */
int device_argument(struct tool *tool, int argc, char **argv, const struct wye_link **link);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye, the operator's command: options, the table of subcommands, help. It reads shared memory only, so it works
 * while a daemon hangs or is dead. Options may stand before or after the command, as people type them.
 */
#include "wye.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "external.h"
#include "wye_config.h"

static const struct command *const commands[] = {
	&cmd_status, &cmd_lookup, &cmd_check, &cmd_doctor, &cmd_bind, &cmd_unbind, &cmd_vf, &cmd_capture, &cmd_trace,
	&cmd_record, &cmd_version,
};
static const struct command *const shows[] = {
	&cmd_link, &cmd_addr, &cmd_neigh, &cmd_route, &cmd_nexthop, &cmd_rule, &cmd_vrf, &cmd_port, &cmd_steer,
	&cmd_stats, &cmd_graph, &cmd_runtime, &cmd_init, &cmd_plugin, &cmd_memory, &cmd_parity,
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct options {
	bool json, pretty, help, version, no_colour;
	int family;
	const char *run_dir, *tables_file;
};

/* ---- help ---- */

static void print_list(FILE *file, const char *prefix, const struct command *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(file, "  %s%-*s %s\n", prefix, (int)(15 - strlen(prefix)), list[i]->name, list[i]->summary);
}

static int print_help(FILE *file, const char *run_dir)
{
	fprintf(file, "usage: wye [OPTIONS] COMMAND [ARGUMENTS]\n\ncommands:\n");
	print_list(file, "", commands, COUNT(commands));
	print_list(file, "show ", shows, COUNT(shows));
	external_list(file, run_dir);
	fprintf(file, "\noptions, before or after the command:\n"
		"  -j, --json         JSON; the keys of `ip -j` where ip has the same object\n"
		"  -p, --pretty       JSON with line breaks\n"
		"  -4, -6             one address family\n"
		"  -r, --run-dir DIR  the daemons' folder (%s)\n"
		"  --tables FILE      this tables file instead of the active one\n"
		"  --no-colour        no colour on a terminal (or set NO_COLOR)\n"
		"  -h, --help         help, also `wye COMMAND --help`\n"
		"  -V, --version      versions\n"
		"\nexit codes: 0 done, 1 error, 2 bad usage or configuration, 3 a daemon is not running, 4 not found,\n"
		"5 and 6 doctor's warnings and failures\n",
		WYE_RUN_DIR_DEFAULT);
	return WYE_EXIT_OK;
}

static int print_command_help(FILE *file, const char *prefix, const struct command *command)
{
	fprintf(file, "usage: wye %s%s%s%s\n%s\n", prefix, command->name, *command->arguments ? " " : "",
		command->arguments, command->summary);
	if (command->help)
		fprintf(file, "\n%s", command->help);
	return WYE_EXIT_OK;
}

static int print_show_help(FILE *file)
{
	fprintf(file, "usage: wye show OBJECT [ARGUMENTS]\n\n");
	print_list(file, "", shows, COUNT(shows));
	return WYE_EXIT_OK;
}

/* ---- what the subcommands share ---- */

/* One line; what a terminal would obey (a name, a message of wye-dpd's) is shown as '?'. */
static void complain(const struct tool *tool, const char *format, va_list args)
{
	char text[2048];

	vsnprintf(text, sizeof(text), format, args);
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	fprintf(stderr, "%s: %s", tool->self, text);
}

int usage_error(const struct tool *tool, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(tool, format, args);
	va_end(args);
	fprintf(stderr, " (%s --help)\n", tool->self);
	return WYE_EXIT_USAGE;
}

int failure(const struct tool *tool, enum wye_exit code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(tool, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	return code;
}

const char *argument(const struct tool *tool, int argc, char **argv, int *i)
{
	if (*i + 1 < argc)
		return argv[++*i];
	usage_error(tool, "\"%s\" wants a value after it", argv[*i]);
	return NULL;
}

int no_arguments(const struct tool *tool, int argc, char **argv)
{
	return argc ? usage_error(tool, "argument \"%s\": it takes none", argv[0]) : WYE_EXIT_OK;
}

uint32_t find_device(const struct tool *tool, const char *name)
{
	const struct wye_link *link = view_link_named(&tool->view, name);

	if (link)
		return link->ifindex;
	failure(tool, WYE_EXIT_NOT_FOUND, "device \"%s\": the mirror knows no such link (wye show link)", name);
	return 0;
}

int device_argument(struct tool *tool, int argc, char **argv, const struct wye_link **link)
{
	int at = argc && !strcmp(argv[0], "dev"), err;
	const char *name = at < argc ? argv[at] : NULL;

	*link = NULL;
	if (argc > at + 1 || (at && !name))
		return usage_error(tool, "argument \"%s\"", argv[argc - 1]);
	err = view_tables(&tool->view);
	if (err || !name)
		return err;
	if (!find_device(tool, name))
		return WYE_EXIT_NOT_FOUND;
	*link = view_link_named(&tool->view, name);
	return WYE_EXIT_OK;
}

/* ---- the command line ---- */

/* The value of -r DIR, -rDIR, --run-dir DIR or --run-dir=DIR. */
static int option_value(int argc, char **argv, int *i, size_t name_len, const char **value)
{
	if (argv[*i][name_len]) {
		*value = argv[*i] + name_len + (argv[*i][1] == '-');
		return 0;
	}
	if (*i + 1 >= argc) {
		fprintf(stderr, "wye: option %s wants a value after it\n", argv[*i]);
		return -EINVAL;
	}
	*value = argv[++*i];
	return 0;
}

static bool is_option(const char *argument_text, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(argument_text, name, n) && (argument_text[n] == '\0' || argument_text[n] == '=');
}

/* -i, -w …: the subcommand's own, with their values behind them. */
static bool is_commands(const char *option)
{
	return option[1] && !option[2] && !strchr("jphV46r", option[1]);
}

static int take_short(struct options *options, int argc, char **argv, int *i)
{
	for (const char *c = argv[*i] + 1; *c; c++) {
		switch (*c) {
		case 'j': options->json = true; break;
		case 'p': options->pretty = true; break;
		case 'h': options->help = true; break;
		case 'V': options->version = true; break;
		case '4': options->family = AF_INET; break;
		case '6': options->family = AF_INET6; break;
		case 'r':
			if (c != argv[*i] + 1)
				goto unknown;
			return option_value(argc, argv, i, 2, &options->run_dir);
		default: goto unknown;
		}
	}
	return 0;
unknown:
	fprintf(stderr, "wye: unknown option \"%s\" (wye --help)\n", argv[*i]);
	return -EINVAL;
}

static int take_option(struct options *options, int argc, char **argv, int *i, bool command_seen)
{
	const char *option = argv[*i];

	if (option[1] != '-')
		return command_seen && is_commands(option) ? -ENOENT : take_short(options, argc, argv, i);
	if (is_option(option, "--run-dir"))
		return option_value(argc, argv, i, strlen("--run-dir"), &options->run_dir);
	if (is_option(option, "--tables"))
		return option_value(argc, argv, i, strlen("--tables"), &options->tables_file);
	if (!strcmp(option, "--json"))
		options->json = true;
	else if (!strcmp(option, "--pretty"))
		options->pretty = true;
	else if (!strcmp(option, "--help"))
		options->help = true;
	else if (!strcmp(option, "--version"))
		options->version = true;
	else if (!strcmp(option, "--no-colour") || !strcmp(option, "--no-color"))
		options->no_colour = true;
	else
		return -ENOENT; /* perhaps the subcommand's own */
	return 0;
}

/* Moves options out of argv; what is left is the command and its arguments. */
static int take_options(struct options *options, int *argc, char **argv)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		int err = 0;

		if (!strcmp(argv[i], "--")) {
			while (++i < *argc)
				argv[kept++] = argv[i];
			break;
		}
		if (argv[i][0] == '-' && argv[i][1])
			err = take_option(options, *argc, argv, &i, kept > 1);
		else
			err = -ENOENT;
		if (err == -ENOENT)
			argv[kept++] = argv[i];
		else if (err)
			return err;
	}
	*argc = kept;
	return 0;
}

/* The exact name, or the first that starts so: as ip does it, so that r is route and n is neigh. */
static const struct command *find(const struct command *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(list[i]->name, name, strlen(name)))
			return list[i];
	return NULL;
}

static int run(const struct options *options, const char *prefix, const struct command *command, int argc, char **argv,
	       FILE *file)
{
	bool terminal = isatty(fileno(file)) && !getenv("NO_COLOR") && !options->no_colour;
	struct tool tool = { .family = options->family };
	char self[64];
	int code, err;

	if (options->help)
		return print_command_help(file, prefix, command);
	snprintf(self, sizeof(self), "wye %s%s", prefix, command->name);
	tool.self = self;
	tool.view.run_dir = options->run_dir;
	tool.view.tables_file = options->tables_file;
	tool.view.config_path = WYE_CONFIG_PATH_DEFAULT;
	out_init(&tool.out, file, options->json, options->pretty, terminal);
	code = command->run(&tool, argc, argv);
	err = out_end(&tool.out);
	if (err && err != -EPIPE)
		fprintf(stderr, "wye: output: %s\n", strerror(-err));
	view_close(&tool.view);
	return err && !code ? WYE_EXIT_ERROR : code;
}

static int run_show(const struct options *options, int argc, char **argv, FILE *file)
{
	const struct command *command;

	if (!argc) {
		print_show_help(options->help ? file : stderr);
		return options->help ? WYE_EXIT_OK : WYE_EXIT_USAGE;
	}
	command = find(shows, COUNT(shows), argv[0]);
	if (command)
		return run(options, "show ", command, argc - 1, argv + 1, file);
	fprintf(stderr, "wye: show what? \"%s\" is none of these:\n", argv[0]);
	print_list(stderr, "", shows, COUNT(shows));
	return WYE_EXIT_USAGE;
}

static bool is_show(const char *word)
{
	return (strlen(word) > 1 && !strncmp("show", word, strlen(word))) || !strcmp(word, "list") ||
	       !strcmp(word, "ls");
}

static bool is_own(const char *word)
{
	return !strcmp(word, "help") || is_show(word) || find(commands, COUNT(commands), word) ||
	       find(shows, COUNT(shows), word);
}

/* Where the command stands if it is none of ours: what is behind it is for it alone. 0: it is ours, or there is none. */
static int find_external(struct options *options, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int err = argv[i][0] == '-' && argv[i][1] ? take_option(options, argc, argv, &i, false) : -EEXIST;

		if (err == -EEXIST)
			return is_own(argv[i]) ? 0 : i;
		if (err)
			return err == -ENOENT ? 0 : err;
	}
	return 0;
}

int wye_run(int argc, char **argv, FILE *file)
{
	struct options options = { .run_dir = WYE_RUN_DIR_DEFAULT }, before = options;
	int external = find_external(&before, argc, argv);
	const struct command *command;

	if (external < 0)
		return WYE_EXIT_USAGE;
	if (external && !before.help && !before.version)
		return external_run(before.run_dir, before.json, argv + external);
	if (take_options(&options, &argc, argv))
		return WYE_EXIT_USAGE;
	if (options.version)
		return run(&options, "", &cmd_version, 0, NULL, file);
	if (argc < 2) {
		print_help(options.help ? file : stderr, options.run_dir);
		return options.help ? WYE_EXIT_OK : WYE_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help"))
		return print_help(file, options.run_dir);
	if (is_show(argv[1]))
		return run_show(&options, argc - 2, argv + 2, file);
	command = find(commands, COUNT(commands), argv[1]);
	if (command)
		return run(&options, "", command, argc - 2, argv + 2, file);
	command = find(shows, COUNT(shows), argv[1]); /* `wye route [show …]`, as `ip route` */
	if (command && argc > 2 && is_show(argv[2]))
		return run(&options, "show ", command, argc - 3, argv + 3, file);
	if (command)
		return run(&options, "show ", command, argc - 2, argv + 2, file);
	fprintf(stderr, "wye: unknown command \"%s\" (wye --help)\n", argv[1]);
	return WYE_EXIT_USAGE;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* wye check: what the daemons would say of a configuration file, without them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wye.h"
#include "wye_config.h"

/* One "FILE:LINE:COLUMN: message" as an object; what has another form is all message. */
static void print_message(struct out *out, const char *path, char *line)
{
	size_t len = strlen(path);
	unsigned row = 0, column = 0;
	int at = 0;

	out_object(out, NULL);
	if (!strncmp(line, path, len) && sscanf(line + len, ":%u:%u: %n", &row, &column, &at) == 2 && at) {
		out_uint(out, "line", row);
		out_uint(out, "column", column);
		line += len + (size_t)at;
	}
	out_str(out, "message", line);
	out_object_end(out);
}

static void print_messages(struct out *out, const char *path, char *messages)
{
	char *save = NULL;

	out_array(out, "messages");
	for (char *line = strtok_r(messages, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		print_message(out, path, line);
	out_array_end(out);
}

static void print_summary(struct out *out, const char *path, const struct wye_config *config)
{
	const char *action = config->default_action == WYE_ACTION_DATAPLANE ? "dataplane" : "kernel";

	out_printf(out, "%s: good: %zu ports, %zu steering rules, default %s\n", path, config->n_ports, config->n_rules,
		   action);
	out_uint(out, "ports", config->n_ports);
	out_uint(out, "rules", config->n_rules);
	out_str(out, "default", action);
}

static int run(struct tool *tool, int argc, char **argv)
{
	const char *path = argc ? argv[0] : tool->view.config_path;
	struct wye_config *config = NULL;
	char *messages = NULL;
	size_t len;
	FILE *file;
	int err;

	if (argc > 1)
		return usage_error(tool, "argument \"%s\": one file at a time", argv[1]);
	file = open_memstream(&messages, &len);
	if (!file)
		return failure(tool, WYE_EXIT_ERROR, "%s", strerror(errno));
	err = wye_config_load(path, &config, file);
	fclose(file);
	fputs(messages, stderr);
	if (err && !len)
		fprintf(stderr, "%s: %s\n", path, strerror(-err));
	out_object(&tool->out, NULL);
	out_str(&tool->out, "file", path);
	out_bool(&tool->out, "ok", !err);
	if (config)
		print_summary(&tool->out, path, config);
	if (tool->out.json)
		print_messages(&tool->out, path, messages);
	out_object_end(&tool->out);
	wye_config_free(config);
	free(messages);
	return err ? WYE_EXIT_USAGE : WYE_EXIT_OK;
}

const struct command cmd_check = {
	.name = "check",
	.summary = "check a configuration file",
	.arguments = "[FILE]",
	.help = "Without FILE: " WYE_CONFIG_PATH_DEFAULT ". Each problem is one line FILE:LINE:COLUMN: message on\n"
		"standard error; exit code 2 if there is one, else 0. Whether netdevs and CPUs exist is for the\n"
		"daemons to find out.\n",
	.run = run,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading wye.yaml: bytes → syntax → shape → libcyaml → meaning, each pass only on what the one before found good
 * (config_private.h). Nothing of a bad file gets out: the caller has a whole configuration or none.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_private.h"

#define PIPE_WAIT_MS 200	/* for a configuration that comes through a pipe: a daemon that reloads has no more time */

/* The first line libcyaml complains with: a file that passed our own passes should not get here. */
static void first_line(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	char *line = ctx;

	if (!line[0])
		vsnprintf(line, 256, format, args);
	line[strcspn(line, "\n")] = '\0';
}

static int load_checked(struct config_parse *parse, const void *text, size_t len_bytes, struct wye_config *config)
{
	static const struct raw nothing;
	char line[256] = "";
	const cyaml_config_t how = { .log_fn = first_line, .log_ctx = line, .mem_fn = cyaml_mem,
				     .log_level = CYAML_LOG_ERROR, .flags = CYAML_CFG_NO_ALIAS };
	struct raw *raw = NULL;
	cyaml_err_t failed = cyaml_load_data(text, len_bytes, &how, &config_schema, (cyaml_data_t **)&raw, NULL);
	int error;

	if (failed) {
		config_problem(parse, (yaml_mark_t){ 0 }, "libcyaml: %s: %s", cyaml_strerror(failed), line);
		return failed == CYAML_ERR_OOM ? -ENOMEM : -EINVAL;
	}
	error = config_check(parse, raw ? raw : &nothing, config);
	cyaml_free(&how, &config_schema, raw, 0);
	return error;
}

static int parse_document(struct config_parse *parse, const void *text, size_t len_bytes, struct wye_config *config)
{
	yaml_parser_t parser;
	int error = -ENOMEM;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text, len_bytes);
	if (yaml_parser_load(&parser, &parse->doc)) {
		config_shape(parse);
		error = parse->problems ? -EINVAL : load_checked(parse, text, len_bytes, config);
		yaml_document_delete(&parse->doc);
	}
	yaml_parser_delete(&parser);
	return error;
}

int wye_config_parse(const char *name, const void *text, size_t len_bytes, struct wye_config **config, FILE *messages)
{
	struct config_parse parse = { .name = name, .messages = messages };
	struct wye_config *made;
	int error = 0;

	if (len_bytes > CONFIG_FILE_BYTES_MAX) {
		config_problem(&parse, (yaml_mark_t){ 0 }, "larger than %u bytes; this is not a configuration file",
			       CONFIG_FILE_BYTES_MAX);
		return -EINVAL;
	}
	if (len_bytes >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) { /* byte order mark: libyaml wants none before "%YAML" */
		text = (const char *)text + 3;
		len_bytes -= 3;
	}
	config_syntax(&parse, text, len_bytes);
	if (parse.problems)
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (made)
		made->path = strdup(name);
	if (!made || !made->path)
		error = -ENOMEM;
	error = error ? error : parse_document(&parse, text, len_bytes, made);
	if (!error && parse.problems)
		error = -EINVAL;
	if (error == -ENOMEM && messages)
		fprintf(messages, "%s: out of memory\n", name);
	if (error)
		wye_config_free(made);
	else
		*config = made;
	return error;
}

/* At most one byte more than allowed, which is how the parser learns of a file too large. */
static ssize_t read_all(int fd, char *text, size_t room)
{
	struct pollfd more = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t got = 1;

	while (used < room && got) {
		got = read(fd, text + used, room - used);
		if (got < 0 && errno == EAGAIN && poll(&more, 1, PIPE_WAIT_MS) > 0)
			continue;
		if (got < 0 && errno != EINTR)
			return -errno;
		used += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)used;
}

static int load_open(int fd, const char *path, struct wye_config **config, FILE *messages)
{
	size_t room = CONFIG_FILE_BYTES_MAX + 1;
	char *text = malloc(room);
	ssize_t len_bytes = text ? read_all(fd, text, room) : -ENOMEM;
	int error;

	if (len_bytes < 0 && messages)
		fprintf(messages, "%s: cannot read: %s\n", path, strerror((int)-len_bytes));
	error = len_bytes < 0 ? (int)len_bytes : wye_config_parse(path, text, (size_t)len_bytes, config, messages);
	free(text);
	return error;
}

int wye_config_load(const char *path, struct wye_config **config, FILE *messages)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error;

	if (fd < 0) {
		error = -errno;
		if (messages)
			fprintf(messages, "%s: cannot open: %s; wye.yaml(5) describes the file and has an example\n",
				path, strerror(errno));
		return error;
	}
	error = load_open(fd, path, config, messages);
	close(fd);
	return error;
}

static void free_settings(struct wye_config_plugin *plugin)
{
	for (size_t i = 0; i < plugin->n_settings; i++) {
		free(plugin->setting[i].key);
		free(plugin->setting[i].value);
	}
	free(plugin->setting);
}

void wye_config_free(struct wye_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_ports; i++)
		free(config->port[i].devargs);
	for (size_t i = 0; i < config->plugins.n_load; i++)
		free_settings(&config->plugins.load[i]);
	free(config->plugins.path);
	free(config->rule);
	free(config->path);
	free(config);
}

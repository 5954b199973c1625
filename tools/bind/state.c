/* SPDX-License-Identifier: BSD-3-Clause */
/* <run>/bind: one line a device, "BUS DEVICE FROM OVERRIDE TO OVERRIDE", "-" for none. Replaced as a whole, under a lock. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind.h"
#include "libwye/why.h"
#include "wye_map.h"

int bind_state_open(const char *run_dir, char *why)
{
	int fd = mkdir(run_dir, 0755) && errno != EEXIST ? -1 : open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 || flock(fd, LOCK_EX) ? -errno : 0;

	if (!error)
		return fd;
	if (fd >= 0)
		close(fd);
	return why_fail(why, error, "%s: %s%s", run_dir, strerror(-error), error == -EACCES ? "; run as root" : "");
}

void bind_state_close(int lock)
{
	close(lock);
}

static const char *word(const char *text)
{
	return text[0] ? text : "-";
}

static void unword(char *text)
{
	if (!strcmp(text, "-"))
		text[0] = '\0';
}

/* It becomes part of a path in /sys. */
static bool is_name(const char *text)
{
	return text[0] != '.' && !strchr(text, '/');
}

static bool parse(const char *line, struct bind_change *change)
{
	char bus[16];
	int end = 0;

	*change = (struct bind_change){ 0 };
	if (sscanf(line, "%15s %63s %31s %31s %31s %31s%n", bus, change->device, change->from, change->from_override, change->to,
		   change->to_override, &end) != 6 || strcmp(line + end, "\n"))
		return false;
	change->bus = strcmp(bus, wye_bus_name(WYE_BUS_PCI)) ? WYE_BUS_PLATFORM : WYE_BUS_PCI;
	if (strcmp(bus, wye_bus_name(change->bus)) || !is_name(change->device) || !is_name(change->from) ||
	    !is_name(change->from_override) || !is_name(change->to) || !is_name(change->to_override))
		return false;
	unword(change->from);
	unword(change->from_override);
	unword(change->to);
	unword(change->to_override);
	return true;
}

/* Rewriting the file would lose what is not understood: the way back of a device. */
static int parse_all(FILE *file, const char *path, struct bind_plan *state, char *why)
{
	char line[256];

	for (; fgets(line, sizeof(line), file); state->n++) {
		if (state->n == BIND_DEVICES_MAX)
			return why_fail(why, -EBADMSG, "%s has more than %d lines: it was not written by wye; take it away, and bind back by "
					"hand what it names", path, BIND_DEVICES_MAX);
		if (!parse(line, &state->change[state->n]))
			return why_fail(why, -EBADMSG, "%s, line %zu: not \"BUS DEVICE FROM OVERRIDE TO OVERRIDE\"; correct it, or take the "
					"file away and bind back by hand what it names", path, state->n + 1);
	}
	return ferror(file) ? why_fail(why, -EIO, "%s cannot be read", path) : 0;
}

int bind_state_read(const char *run_dir, struct bind_plan *state, char *why)
{
	char path[WYE_SYS_PATH_BYTES];
	FILE *file;
	int error;

	state->n = 0;
	snprintf(path, sizeof(path), "%s/bind", run_dir);
	file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		return why_fail(why, -errno, "%s: %s", path, strerror(errno));
	error = parse_all(file, path, state, why);
	fclose(file);
	return error;
}

static bool write_all(FILE *file, const struct bind_plan *state)
{
	for (size_t i = 0; i < state->n; i++) {
		const struct bind_change *change = &state->change[i];

		if (fprintf(file, "%s %s %s %s %s %s\n", wye_bus_name(change->bus), change->device, word(change->from),
			    word(change->from_override), word(change->to), word(change->to_override)) < 0)
			return false;
	}
	return !fflush(file) && !fsync(fileno(file));
}

int bind_state_write(const char *run_dir, const struct bind_plan *state, char *why)
{
	char path[WYE_SYS_PATH_BYTES], fresh[WYE_SYS_PATH_BYTES + 8];
	FILE *file;
	int error = 0;

	snprintf(path, sizeof(path), "%s/bind", run_dir);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	file = fopen(fresh, "we");
	if (!file || !write_all(file, state))
		error = -errno;
	if (file && fclose(file) && !error)
		error = -errno;
	if (!error && rename(fresh, path))
		error = -errno;
	return error ? why_fail(why, error, "%s: %s; nothing was changed", fresh, strerror(-error)) : 0;
}

struct bind_change *bind_state_find(struct bind_plan *state, const struct bind_change *change)
{
	for (size_t i = 0; i < state->n; i++)
		if (state->change[i].bus == change->bus && !strcmp(state->change[i].device, change->device))
			return &state->change[i];
	return NULL;
}

int bind_state_add(struct bind_plan *state, const struct bind_plan *plan, char *why)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct bind_change *known = bind_state_find(state, &plan->change[i]);

		if (known) {
			memcpy(known->to, plan->change[i].to, sizeof(known->to));
			memcpy(known->to_override, plan->change[i].to_override, sizeof(known->to_override));
			continue;
		}
		if (state->n == BIND_DEVICES_MAX)
			return why_fail(why, -ENOSPC, "%d devices are bound already, and no more are remembered: wye unbind some",
					BIND_DEVICES_MAX);
		state->change[state->n++] = plan->change[i];
	}
	return 0;
}

void bind_state_remove(struct bind_plan *state, const struct bind_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct bind_change *known = bind_state_find(state, &plan->change[i]);

		if (known)
			*known = state->change[--state->n];
	}
}

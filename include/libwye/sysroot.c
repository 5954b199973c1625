/* SPDX-License-Identifier: BSD-3-Clause */
/* Small files, links and folders of /sys and its like; see wye_sysroot.h. */
#include "wye_sysroot.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int path_of(const struct wye_sysroot *root, char *path, const char *format, va_list args)
{
	int at = snprintf(path, WYE_SYS_PATH_BYTES, "%s", root->dir);
	int n = at < WYE_SYS_PATH_BYTES ? vsnprintf(path + at, WYE_SYS_PATH_BYTES - (size_t)at, format, args) : 0;

	return at + n < WYE_SYS_PATH_BYTES ? 0 : -ENAMETOOLONG;
}

/* Each of the functions below begins with the path its format makes. */
#define PATH_OF(root, path, format, error)                                                                         \
	do {                                                                                                       \
		va_list args;                                                                                      \
		va_start(args, format);                                                                            \
		error = path_of(root, path, format, args);                                                         \
		va_end(args);                                                                                      \
	} while (0)

int wye_sys_path(const struct wye_sysroot *root, char *path, const char *format, ...)
{
	int error;

	PATH_OF(root, path, format, error);
	return error;
}

static int read_path(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t used = 0;
	ssize_t got = 1;

	if (fd < 0)
		return -errno;
	while (used + 1 < size && got > 0) {
		got = read(fd, text + used, size - 1 - used);
		used += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		got = -errno;
	close(fd);
	while (used && isspace((unsigned char)text[used - 1]))
		used--;
	text[used] = '\0';
	return got < 0 ? (int)got : (int)used;
}

int wye_sys_read(const struct wye_sysroot *root, char *text, size_t size, const char *format, ...)
{
	char path[WYE_SYS_PATH_BYTES];
	int error;

	text[0] = '\0';
	PATH_OF(root, path, format, error);
	return error ? error : read_path(path, text, size);
}

int wye_sys_number(const struct wye_sysroot *root, int64_t *value, const char *format, ...)
{
	char path[WYE_SYS_PATH_BYTES], text[64], *end;
	long long number;
	int error;

	PATH_OF(root, path, format, error);
	if (!error)
		error = read_path(path, text, sizeof(text));
	if (error < 0)
		return error;
	errno = 0;
	number = strtoll(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	if (end == text || errno)
		return -EINVAL;
	*value = number;
	return 0;
}

int wye_sys_link(const struct wye_sysroot *root, char *name, size_t size, const char *format, ...)
{
	char path[WYE_SYS_PATH_BYTES], target[WYE_SYS_PATH_BYTES];
	const char *last;
	ssize_t n;
	int error;

	name[0] = '\0';
	PATH_OF(root, path, format, error);
	if (error)
		return error;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	last = strrchr(target, '/');
	snprintf(name, size, "%s", last ? last + 1 : target);
	return 0;
}

bool wye_sys_exists(const struct wye_sysroot *root, const char *format, ...)
{
	char path[WYE_SYS_PATH_BYTES];
	int error;

	PATH_OF(root, path, format, error);
	return !error && access(path, F_OK) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static int is_plain(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int wye_sys_list(const struct wye_sysroot *root, struct wye_names *names, const char *format, ...)
{
	char path[WYE_SYS_PATH_BYTES];
	struct dirent **entries;
	int n, error;

	*names = (struct wye_names){ 0 };
	PATH_OF(root, path, format, error);
	if (error)
		return error;
	n = scandir(path, &entries, is_plain, by_name);
	if (n < 0)
		return -errno;
	names->name = calloc((size_t)n + 1, sizeof(*names->name));
	for (int i = 0; i < n; i++) {
		char *name = names->name ? strdup(entries[i]->d_name) : NULL;

		if (name)
			names->name[names->n++] = name;
		else
			error = -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	if (!names->name || error)
		wye_names_free(names);
	return names->name ? 0 : -ENOMEM;
}

void wye_names_free(struct wye_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct wye_names){ 0 };
}

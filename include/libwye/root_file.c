/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "why.h"
#include "wye_map.h"
#include "wye_root_file.h"

/* In a folder with the sticky bit others may make files, but not touch this one. */
static bool only_roots(const struct stat *st)
{
	bool sticky = S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX;

	return st->st_uid == 0 && (sticky || !(st->st_mode & (S_IWGRP | S_IWOTH)));
}

/* The folders above a file, from the root down. */
static int check_folders(const char *path, char *why)
{
	char folder[PATH_MAX];
	struct stat st;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
		if (stat(folder, &st) < 0)
			return why_fail(why, -errno, "%.100s: %s", folder, strerror(errno));
		if (!only_roots(&st))
			return why_fail(why, -EPERM, "%.100s: others than root may write there (chown root, chmod go-w)", folder);
	}
	return 0;
}

int wye_root_file_open(const char *path, char *why)
{
	int error = check_folders(path, why), fd;
	struct stat st;

	if (error)
		return error;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		error = why_fail(why, -errno, "%.100s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || !only_roots(&st))
		error = why_fail(why, -EPERM, "%.100s: must be a file that belongs to root and that nobody else may write", path);
	if (error && fd >= 0)
		close(fd);
	return error ? error : fd;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* libwye's own: what map.c offers map_tables.c and region_check.c. */
#ifndef MAPPING_H
#define MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "wye_abi.h"

struct mapping {
	struct mapping *next;
	const void *base;
	size_t len_bytes;
	int fd;	/* owned */
	char path[];
};

/* Opens, checks and maps one file of a kind; *base is undone by wye_unmap(). 0 or -errno with why. */
int map_path(const char *path, enum wye_file_kind kind, bool writable, const void **base, char *why);

/* The path a mapping came from. -ENOENT: not one of ours. */
int mapping_path(const void *base, char *path, size_t size_bytes);

/* The open file behind a mapping, the mapping's own. -1: not one of ours. */
int mapping_fd(const void *base);

/* magic, kind, version, layout hash and size of a header of which real_bytes are there. 0 or -EPROTO with why. */
int wye_file_check(const struct wye_file *file, enum wye_file_kind kind, uint64_t real_bytes, char *why);

#endif

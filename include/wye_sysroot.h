/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading the machine's /sys, /proc, /etc and /boot, or a copy of them below another folder. Part of libwye; read-only.
 * What these folders hold comes and goes while it is looked at, so "gone" (-ENOENT), "may not be read" (-EACCES) and
 * "answers with an error" are told apart and every caller says which it met.
 */
#ifndef WYE_SYSROOT_H
#define WYE_SYSROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WYE_SYS_PATH_BYTES 512

struct wye_sysroot {
	const char *dir;	/* "" = the machine's own; else a folder that holds sys, proc, etc, boot */
};

/* Whole path of a name that begins with '/'; path has WYE_SYS_PATH_BYTES. 0 or -ENAMETOOLONG. */
int wye_sys_path(const struct wye_sysroot *root, char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The text of a small file without white space at its end, cut to size. Length or -errno. */
int wye_sys_read(const struct wye_sysroot *root, char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The first number in a file, decimal or 0x…; -1 stays -1. 0, -EINVAL when there is none, or -errno. */
int wye_sys_number(const struct wye_sysroot *root, int64_t *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The last component of where a symbolic link leads, whether that is there or not. 0 or -errno. */
int wye_sys_link(const struct wye_sysroot *root, char *name, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

bool wye_sys_exists(const struct wye_sysroot *root, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a folder holds, without dot files, in order (numbers by value). Freed by wye_names_free(). */
struct wye_names {
	char **name;
	size_t n;
};
int wye_sys_list(const struct wye_sysroot *root, struct wye_names *names, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void wye_names_free(struct wye_names *names);

#endif

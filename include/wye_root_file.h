/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files whose content is run as root: plugins and their commands. Only root may be able to put them there: the file and the
 * folders above it are root's, and nobody else may write them. Part of libwye.
 */
#ifndef WYE_ROOT_FILE_H
#define WYE_ROOT_FILE_H

/* A descriptor to read it from, of the caller's, or -errno with `why` (WYE_WHY_BYTES); -ENOENT: there is none. No symbolic link. */
int wye_root_file_open(const char *path, char *why);

#endif

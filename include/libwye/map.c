/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening, checking and mapping the shared files.
 *
 * A file is believed only after this: it is a regular file, not a symbolic link; root or the caller owns it and
 * nobody else may write it; its header's magic, kind, ABI version and layout hash are this build's; it is at least
 * as long as its header says. All that is checked on a private copy of the header before anything is mapped, so
 * that no load can lie beyond the file's end: SIGBUS needs somebody to truncate the file afterwards, and the
 * writers never do (they unlink).
 *
 * wye_unmap() is given no length, and what the header says may have changed since: each mapping's true length is
 * kept in a list of this process's own, with the open file (the region check asks it for holes) and its path.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "mapping.h"
#include "why.h"
#include "wye_map.h"

#define HUGETLBFS_MAGIC 0x958458f6
#define HUGE_BYTES	(2UL << 20)

static struct mapping *mappings;
static pthread_mutex_t mappings_lock = PTHREAD_MUTEX_INITIALIZER;

int why_fail(char *why, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WYE_WHY_BYTES, format, args);
	va_end(args);
	return error;
}

static int mapping_add(const void *base, size_t len_bytes, const char *path, int fd)
{
	struct mapping *m = malloc(sizeof(*m) + strlen(path) + 1);

	if (!m)
		return -ENOMEM;
	m->base = base;
	m->len_bytes = len_bytes;
	m->fd = fd;
	strcpy(m->path, path);
	pthread_mutex_lock(&mappings_lock);
	m->next = mappings;
	mappings = m;
	pthread_mutex_unlock(&mappings_lock);
	return 0;
}

int mapping_path(const void *base, char *path, size_t size_bytes)
{
	int error = -ENOENT;

	pthread_mutex_lock(&mappings_lock);
	for (struct mapping *m = mappings; m; m = m->next)
		if (m->base == base)
			error = (size_t)snprintf(path, size_bytes, "%s", m->path) < size_bytes ? 0 : -ENAMETOOLONG;
	pthread_mutex_unlock(&mappings_lock);
	return error;
}

int mapping_fd(const void *base)
{
	int fd = -1;

	pthread_mutex_lock(&mappings_lock);
	for (struct mapping *m = mappings; m; m = m->next)
		if (m->base == base)
			fd = m->fd;
	pthread_mutex_unlock(&mappings_lock);
	return fd;
}

static size_t mapping_bytes(const void *base)
{
	size_t len_bytes = 0;

	pthread_mutex_lock(&mappings_lock);
	for (struct mapping *m = mappings; m; m = m->next)
		if (m->base == base)
			len_bytes = m->len_bytes;
	pthread_mutex_unlock(&mappings_lock);
	return len_bytes;
}

void wye_unmap(const void *file)
{
	struct mapping **at, *m = NULL;

	pthread_mutex_lock(&mappings_lock);
	for (at = &mappings; *at && (*at)->base != file; at = &(*at)->next)
		;
	if (*at) {
		m = *at;
		*at = m->next;
	}
	pthread_mutex_unlock(&mappings_lock);
	if (!m)
		return;
	munmap((void *)m->base, m->len_bytes);
	close(m->fd);
	free(m);
}

/* What each kind of file is called, who writes it and the least it must hold. */
static const struct kind {
	const char *name, *writer;
	size_t min_bytes;
} kinds[] = {
	[WYE_KIND_CONTROL] = { "control", "wye-ctld", sizeof(struct wye_control) },
	[WYE_KIND_TABLES] = { "tables", "wye-ctld", sizeof(struct wye_region) },
	[WYE_KIND_READERS] = { "readers", "wye-ctld", sizeof(struct wye_readers) },
	[WYE_KIND_STATS] = { "stats", "wye-dpd", sizeof(struct wye_stats) },
	[WYE_KIND_HITS] = { "hits", "wye-ctld", sizeof(struct wye_hits) },
	[WYE_KIND_TRACE] = { "trace", "wye-dpd", sizeof(struct wye_trace) },
};

static int open_failed(const char *path, const char *writer, char *why)
{
	int error = errno;

	if (error == ENOENT)
		return why_fail(why, -ENOENT, "%s: not there: %s is not running; start it (systemctl start %s)", path,
				writer, writer);
	if (error == ELOOP)
		return why_fail(why, -ELOOP, "%s: is a symbolic link, expected a file of %s's; remove it and restart %s",
				path, writer, writer);
	if (error == EACCES)
		return why_fail(why, -EACCES, "%s: permission denied for user id %u; run this as root", path,
				(unsigned)geteuid());
	return why_fail(why, -error, "%s: cannot open: %s", path, strerror(error));
}

/* Somebody who may write the file may as well tell the dataplane what to forward. */
static int check_owner(const char *path, const struct stat *st, const char *writer, char *why)
{
	if (!S_ISREG(st->st_mode))
		return why_fail(why, -EPROTO, "%s: not a regular file; remove it and restart %s", path, writer);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return why_fail(why, -EPERM, "%s: owned by user id %u, expected root or %u; remove it and restart %s",
				path, (unsigned)st->st_uid, (unsigned)geteuid(), writer);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return why_fail(why, -EPERM, "%s: mode %04o lets others write it; chmod go-w it and ask who changed it",
				path, (unsigned)st->st_mode & 07777);
	return 0;
}

/* The header against this build, and its size against what there is. */
static int check_file(const char *path, const struct wye_file *file, enum wye_file_kind kind, uint64_t real_bytes,
		      char *why)
{
	const struct kind *k = &kinds[kind];

	if (real_bytes < sizeof(*file))
		return why_fail(why, -EPROTO, "%s: truncated: %llu bytes, a header alone has %zu; restart %s", path,
				(unsigned long long)real_bytes, sizeof(*file), k->writer);
	if (file->magic != WYE_MAGIC)
		return why_fail(why, -EPROTO, "%s: not a file of wye's: magic 0x%016llx, expected 0x%016llx; restart %s",
				path, (unsigned long long)file->magic, (unsigned long long)WYE_MAGIC, k->writer);
	if (file->kind != (uint32_t)kind)
		return why_fail(why, -EPROTO, "%s: kind %u, expected %d (%s); restart %s", path, file->kind, (int)kind,
				k->name, k->writer);
	if (file->abi_version != WYE_ABI_VERSION)
		return why_fail(why, -EPROTO,
				"%s: ABI version %u, this program has %u; restart %s from the same build as this program",
				path, file->abi_version, WYE_ABI_VERSION, k->writer);
	if (file->layout_hash != WYE_LAYOUT_HASH)
		return why_fail(why, -EPROTO,
				"%s: layout hash 0x%016llx, this program has 0x%016llx; restart %s from the same build as this program",
				path, (unsigned long long)file->layout_hash, (unsigned long long)WYE_LAYOUT_HASH,
				k->writer);
	if (file->size_bytes < k->min_bytes)
		return why_fail(why, -EPROTO, "%s: header says %llu bytes, a %s file has at least %zu; restart %s", path,
				(unsigned long long)file->size_bytes, k->name, k->min_bytes, k->writer);
	if (file->size_bytes > real_bytes)
		return why_fail(why, -EPROTO, "%s: truncated: %llu bytes, its header says %llu; restart %s", path,
				(unsigned long long)real_bytes, (unsigned long long)file->size_bytes, k->writer);
	return 0;
}

int wye_file_check(const struct wye_file *file, enum wye_file_kind kind, uint64_t real_bytes, char *why)
{
	return check_file(kinds[kind].name, file, kind, real_bytes, why);
}

/* hugetlbfs unmaps only whole huge pages: length rounded up to the filesystem's page. */
static size_t map_length(int fd, uint64_t size_bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == HUGETLBFS_MAGIC)
		page = (uint64_t)fs.f_bsize;
	return (size_t)((size_bytes + page - 1) / page * page);
}

void *wye_map_shared(int fd, size_t len_bytes, int protection)
{
	/* Without NORESERVE hugetlbfs sets huge pages aside for the whole file, holes included, and for good. */
	int flags = MAP_SHARED | MAP_NORESERVE;
	size_t room_bytes = len_bytes + HUGE_BYTES;
	uintptr_t room, at;
	struct statfs fs;

	if (len_bytes < HUGE_BYTES || fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type == HUGETLBFS_MAGIC)
		return mmap(NULL, len_bytes, protection, flags, fd, 0);
	room = (uintptr_t)mmap(NULL, room_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == (uintptr_t)MAP_FAILED)
		return MAP_FAILED;
	at = (room + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
	if (mmap((void *)at, len_bytes, protection, flags | MAP_FIXED, fd, 0) == MAP_FAILED) {
		munmap((void *)room, room_bytes);
		return MAP_FAILED;
	}
	if (at > room)
		munmap((void *)room, at - room);
	munmap((void *)(at + len_bytes), room + room_bytes - at - len_bytes);
	return (void *)at;
}

/* On success the mapping owns fd. */
static int map_open_file(int fd, const char *path, enum wye_file_kind kind, int protection, const void **base,
			 char *why)
{
	struct wye_file header = { 0 };
	struct stat st;
	size_t len_bytes;
	void *at;
	int error;

	if (fstat(fd, &st) < 0)
		return why_fail(why, -errno, "%s: cannot stat: %s", path, strerror(errno));
	error = check_owner(path, &st, kinds[kind].writer, why);
	if (error)
		return error;
	if (pread(fd, &header, sizeof(header), 0) < 0)
		return why_fail(why, -errno, "%s: cannot read: %s", path, strerror(errno));
	error = check_file(path, &header, kind, (uint64_t)st.st_size, why);
	if (error)
		return error;
	len_bytes = map_length(fd, header.size_bytes);
	at = wye_map_shared(fd, len_bytes, protection);
	if (at == MAP_FAILED)
		return why_fail(why, -errno, "%s: cannot map %zu bytes: %s", path, len_bytes, strerror(errno));
	error = mapping_add(at, len_bytes, path, fd);
	if (error) {
		munmap(at, len_bytes);
		return why_fail(why, error, "%s: out of memory", path);
	}
	*base = at;
	return 0;
}

int map_path(const char *path, enum wye_file_kind kind, bool writable, const void **base, char *why)
{
	/* O_NONBLOCK: a FIFO in the file's place must not hang us. */
	int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int error;

	if (fd < 0)
		return open_failed(path, kinds[kind].writer, why);
	error = map_open_file(fd, path, kind, PROT_READ | (writable ? PROT_WRITE : 0), base, why);
	if (error)
		close(fd);
	return error;
}

static int map_named(const char *run_dir, const char *name, enum wye_file_kind kind, bool writable, const void **base,
		     char *why)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", run_dir, name) >= sizeof(path))
		return why_fail(why, -ENAMETOOLONG, "%.64s…: run directory's name is %zu bytes, limit is %zu", run_dir,
				strlen(run_dir), sizeof(path) - strlen(name) - 2);
	return map_path(path, kind, writable, base, why);
}

int wye_map_control(const char *run_dir, const struct wye_control **control, char *why)
{
	return map_named(run_dir, WYE_FILE_CONTROL, WYE_KIND_CONTROL, false, (const void **)control, why);
}

int wye_map_readers(const char *run_dir, struct wye_readers **readers, char *why)
{
	return map_named(run_dir, WYE_FILE_READERS, WYE_KIND_READERS, true, (const void **)readers, why);
}

int wye_map_stats(const char *run_dir, const struct wye_stats **stats, char *why)
{
	return map_named(run_dir, WYE_FILE_STATS, WYE_KIND_STATS, false, (const void **)stats, why);
}

int wye_map_trace(const char *run_dir, const struct wye_trace **trace, char *why)
{
	return map_named(run_dir, WYE_FILE_TRACE, WYE_KIND_TRACE, false, (const void **)trace, why);
}

int wye_map_hits(const char *run_dir, uint64_t generation, struct wye_hits **hits, uint32_t *n, char *why)
{
	uint64_t marks;
	char name[32];
	int error;

	snprintf(name, sizeof(name), WYE_FILE_HITS ".%llu", (unsigned long long)generation);
	error = map_named(run_dir, name, WYE_KIND_HITS, true, (const void **)hits, why);
	if (error)
		return error;
	marks = mapping_bytes(*hits) - sizeof(struct wye_hits);
	*n = marks < UINT32_MAX ? (uint32_t)marks : UINT32_MAX;
	return 0;
}

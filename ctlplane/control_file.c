/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <run>/control and <run>/readers: one writer at a time, the same inodes from one ctld to the next.
 *
 * flock() on the control file is the writer's licence; the kernel takes it back with the process. A file of
 * another layout is never rewritten in place, somebody may have it mapped: a new inode gets its name. Whoever opens
 * the file checks after locking that the name still leads to what was locked.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "region.h"
#include "wye_map.h"

static void file_header(struct wye_file *file, enum wye_file_kind kind, uint64_t size_bytes)
{
	*file = (struct wye_file){ .magic = WYE_MAGIC, .abi_version = WYE_ABI_VERSION, .kind = kind,
				   .layout_hash = WYE_LAYOUT_HASH, .size_bytes = size_bytes };
}

static bool header_ours(const struct wye_file *file, enum wye_file_kind kind, uint64_t size_bytes)
{
	return file->magic == WYE_MAGIC && file->abi_version == WYE_ABI_VERSION && file->kind == kind &&
	       file->layout_hash == WYE_LAYOUT_HASH && file->size_bytes == size_bytes;
}

/* Is `path` a file of our layout? 1, 0, or -errno (-ENOENT: none). */
static int probe(int fd, enum wye_file_kind kind, uint64_t size_bytes)
{
	struct wye_file file;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if ((uint64_t)st.st_size != size_bytes || pread(fd, &file, sizeof(file), 0) != sizeof(file))
		return 0;
	return header_ours(&file, kind, size_bytes);
}

/* A new file under a temporary name, filled and locked (if `lock`), then named `path`: over the old one if `replace`,
 * else only if there is none (-EEXIST). Returns its descriptor. */
static int create(const char *path, enum wye_file_kind kind, uint64_t size_bytes, bool lock, bool replace)
{
	struct wye_file file;
	char temp[PATH_MAX];
	int fd, err = 0;

	snprintf(temp, sizeof(temp), "%s.%d", path, (int)getpid());
	unlink(temp);
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	file_header(&file, kind, size_bytes);
	/* posix_fallocate: the page is there or we fail here, not by SIGBUS later */
	err = -posix_fallocate(fd, 0, (off_t)size_bytes);
	if (!err && pwrite(fd, &file, sizeof(file), 0) != sizeof(file))
		err = -EIO;
	if (!err && lock && flock(fd, LOCK_EX | LOCK_NB))
		err = -errno;
	if (!err && (replace ? rename(temp, path) : link(temp, path)))
		err = -errno;
	unlink(temp);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static bool same_inode(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int lock_taken(int fd, const char *path)
{
	struct wye_control page;
	uint32_t pid = 0;

	if (pread(fd, &page, sizeof(page), 0) == sizeof(page))
		pid = page.file.writer_pid;
	fprintf(stderr, "%s: locked by another wye-ctld (pid %u): stop that one first, or use another --run-dir\n", path,
		pid);
	return -EBUSY;
}

/* The locked control file; -EAGAIN: somebody changed the name meanwhile, start over. */
static int control_try(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), fresh, ours;

	if (fd < 0) {
		if (errno != ENOENT)
			return -errno;
		fd = create(path, WYE_KIND_CONTROL, sizeof(struct wye_control), true, false);
		return fd == -EEXIST ? -EAGAIN : fd;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		int err = errno == EWOULDBLOCK ? (same_inode(fd, path) ? lock_taken(fd, path) : -EAGAIN) : -errno;

		close(fd);
		return err;
	}
	ours = probe(fd, WYE_KIND_CONTROL, sizeof(struct wye_control));
	if (!same_inode(fd, path) || ours < 0) {
		close(fd);
		return ours < 0 ? ours : -EAGAIN;
	}
	if (ours)
		return fd;
	fprintf(stderr, "%s: of another layout, replaced\n", path);
	fresh = create(path, WYE_KIND_CONTROL, sizeof(struct wye_control), true, true);
	close(fd);
	return fresh;
}

static int readers_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		if (probe(fd, WYE_KIND_READERS, sizeof(struct wye_readers)) == 1)
			return fd;
		close(fd);
	}
	return create(path, WYE_KIND_READERS, sizeof(struct wye_readers), false, true);
}

static void *map_file(int fd, size_t size_bytes)
{
	void *base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return base == MAP_FAILED ? NULL : base;
}

/* Files of regions that no flip made active: a ctld died between create and flip. Only our names, only in `dir`. */
static void remove_leftovers(const char *dir, const char *active_path, const char *active_hits)
{
	DIR *d = opendir(dir);

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		char path[PATH_MAX];

		if (strncmp(e->d_name, WYE_FILE_TABLES ".", sizeof(WYE_FILE_TABLES)) &&
		    strncmp(e->d_name, WYE_FILE_HITS ".", sizeof(WYE_FILE_HITS)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (strcmp(path, active_path) && strcmp(e->d_name, active_hits))
			unlink(path);
	}
	if (d)
		closedir(d);
}

static void sweep_leftovers(struct control_file *control)
{
	uint64_t active = atomic_load_explicit(&control->page->active, memory_order_relaxed);
	const char *active_path = active ? control->page->region[active & 1].path : "";
	char active_hits[32] = "";

	if (active)
		snprintf(active_hits, sizeof(active_hits), WYE_FILE_HITS ".%llu", (unsigned long long)active);
	remove_leftovers(control->run_dir, active_path, active_hits);
	for (int i = 0; i < 2; i++) {
		char dir[sizeof(control->page->region[i].path)], *slash;

		memcpy(dir, control->page->region[i].path, sizeof(dir));
		dir[sizeof(dir) - 1] = '\0';
		slash = strrchr(dir, '/');
		if (!slash || slash == dir)
			continue;
		*slash = '\0';
		if (strcmp(dir, control->run_dir))
			remove_leftovers(dir, active_path, "");
	}
}

static void enter_writer(struct wye_control *page)
{
	struct {
		uint32_t pid, reserved;
		uint64_t start;
	} me = { .pid = (uint32_t)getpid(), .start = wye_process_start(getpid()) };

	static_assert(sizeof(me) == 16 && offsetof(struct wye_file, writer_start) ==
		      offsetof(struct wye_file, writer_pid) + 8, "written as one record");
	memset(&page->stats, 0, sizeof(page->stats));
	atomic_store_explicit(&page->state, WYE_MIRROR_STARTING, memory_order_release);
	wye_seq_write(&page->seq, &page->file.writer_pid, &me, sizeof(me) / 4);
}

int control_open(struct control_file *control, const char *run_dir)
{
	char path[PATH_MAX];
	int readers_fd, err;

	*control = (struct control_file){ .fd = -1 };
	if (mkdir(run_dir, 0755) && errno != EEXIST) {
		err = -errno;
		goto fail;
	}
	if (!realpath(run_dir, path)) {
		err = -errno;
		goto fail;
	}
	if (strlen(path) >= sizeof(control->run_dir)) {
		err = -ENAMETOOLONG;
		goto fail;
	}
	strcpy(control->run_dir, path);
	snprintf(path, sizeof(path), "%s/" WYE_FILE_CONTROL, control->run_dir);
	do {
		control->fd = err = control_try(path);
	} while (err == -EAGAIN);
	if (err == -EBUSY)
		return err;
	if (err < 0)
		goto fail;
	control->page = map_file(control->fd, sizeof(*control->page));
	snprintf(path, sizeof(path), "%s/" WYE_FILE_READERS, control->run_dir);
	err = readers_fd = readers_open(path);
	if (err >= 0) {
		control->readers = map_file(readers_fd, sizeof(*control->readers));
		close(readers_fd);
	}
	if (!control->page || !control->readers) {
		err = err < 0 ? err : -ENOMEM;
		goto fail;
	}
	enter_writer(control->page);
	control_heartbeat(control);
	sweep_leftovers(control);
	return 0;
fail:
	fprintf(stderr, "%s: cannot be the run directory: %s; is it there, and are we root?\n", run_dir, strerror(-err));
	control_close(control, false);
	return err;
}

void control_heartbeat(struct control_file *control)
{
	uint32_t state = atomic_load_explicit(&control->page->state, memory_order_relaxed);
	struct timespec now;
	uint64_t now_ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	/* What wye_mirror_trust() goes by when a successor starts: how old is what it found. */
	if (state == WYE_MIRROR_IN_SYNC || state == WYE_MIRROR_RESYNC)
		atomic_store_explicit(&control->page->synced_ns, now_ns, memory_order_relaxed);
	atomic_store_explicit(&control->page->heartbeat_ns, now_ns, memory_order_release);
}

void control_state(struct control_file *control, enum wye_mirror_state state)
{
	atomic_store_explicit(&control->page->state, state, memory_order_release);
}

static bool anybody_reads(const struct wye_readers *readers)
{
	for (int i = 0; i < WYE_READER_SLOTS; i++) {
		uint32_t pid = atomic_load_explicit((_Atomic uint32_t *)&readers->slot[i].pid, memory_order_acquire);

		if (pid && wye_process_start((pid_t)pid))
			return true;
	}
	return false;
}

static void remove_files(struct control_file *control)
{
	char path[PATH_MAX];

	atomic_store_explicit(&control->page->active, 0, memory_order_release);
	sweep_leftovers(control);
	if (anybody_reads(control->readers))
		return;
	snprintf(path, sizeof(path), "%s/" WYE_FILE_READERS, control->run_dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/" WYE_FILE_CONTROL, control->run_dir);
	unlink(path);
}

void control_close(struct control_file *control, bool remove)
{
	if (control->page && control->readers && remove) {
		control_state(control, WYE_MIRROR_STOPPED);
		remove_files(control);
	}
	if (control->page)
		munmap(control->page, sizeof(*control->page));
	if (control->readers)
		munmap(control->readers, sizeof(*control->readers));
	if (control->fd >= 0)
		close(control->fd);
	*control = (struct control_file){ .fd = -1 };
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <run>/hits.<generation>, beside each region: made here, written by workers. Its memory is asked for at once, so that
 * no worker's store can fault on a full tmpfs. Always in the run directory: a page of a hugetlbfs would be 2 MiB.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "region.h"
#include "wye_map.h"

static void path_of(const struct control_file *control, uint64_t generation, char *path, size_t bytes)
{
	snprintf(path, bytes, "%s/" WYE_FILE_HITS ".%llu", control->run_dir, (unsigned long long)generation);
}

static int fill(struct region *region, int fd, uint64_t size_bytes)
{
	int err = -posix_fallocate(fd, 0, (off_t)size_bytes);
	struct wye_hits *hits;

	if (err)
		return err;
	hits = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (hits == MAP_FAILED)
		return -errno;
	hits->file = (struct wye_file){
		.magic = WYE_MAGIC, .abi_version = WYE_ABI_VERSION, .kind = WYE_KIND_HITS, .layout_hash = WYE_LAYOUT_HASH,
		.size_bytes = size_bytes, .generation = region->generation, .writer_pid = (uint32_t)getpid(),
		.writer_start = wye_process_start(getpid()),
	};
	atomic_store_explicit(&hits->mark, 1, memory_order_relaxed);
	region->hits = hits;
	region->hits_bytes = size_bytes;
	return 0;
}

int hits_create(struct region *region)
{
	uint64_t size_bytes = sizeof(struct wye_hits) + region->base->section[WYE_SECTION_NEIGH].capacity;
	char path[PATH_MAX], temp[PATH_MAX + 8];
	int fd, err;

	path_of(region->control, region->generation, path, sizeof(path));
	snprintf(temp, sizeof(temp), "%s.new", path);
	unlink(temp);
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	err = fd < 0 ? -errno : fill(region, fd, size_bytes);
	if (!err && rename(temp, path))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err) {
		fprintf(stderr, "%s: %llu bytes cannot be made: %s: neighbours age as if they had no traffic\n", path,
			(unsigned long long)size_bytes, strerror(-err));
		unlink(temp);
		hits_close(region);
	}
	return err;
}

void hits_unlink(const struct control_file *control, uint64_t generation)
{
	char path[PATH_MAX];

	path_of(control, generation, path, sizeof(path));
	unlink(path);
}

void hits_close(struct region *region)
{
	if (region->hits)
		munmap(region->hits, region->hits_bytes);
	region->hits = NULL;
}

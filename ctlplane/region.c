/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tables region as a file: where it lies, how its sections are laid out, the flip. Who may use which record is
 * reclaim.c's business.
 *
 * Capacities are generous, because the file is sparse: a page costs memory once it is written. The price of sparse
 * is SIGBUS when a store finds no memory, on tmpfs (its size limit) as on hugetlbfs (the pool), so sections grow in
 * steps that ask for the memory first (region_populate) and a full file system becomes -ENOMEM. For hugetlbfs that
 * also means MAP_NORESERVE: reserving the virtual size would take hundreds of pages that nothing ever uses.
 */
#include "region_private.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "wye_map.h"
#include "wye_smaps.h"

#define PAGE_BYTES 4096ULL

const struct region_section_info region_section_info[WYE_SECTIONS] = {
	[WYE_SECTION_LINK] = { "link", NULL, sizeof(struct wye_link), 1, 0 },
	[WYE_SECTION_ADDR] = { "addr", NULL, sizeof(struct wye_addr), 1, 0 },
	[WYE_SECTION_LOCAL] = { "local", NULL, sizeof(struct wye_local), 1, 0 },
	[WYE_SECTION_NEIGH] = { "neigh", "tables.neighbours", sizeof(struct wye_neigh), 1, 0 },
	[WYE_SECTION_NEIGH_HASH] = { "neigh_hash", "tables.neighbours", 4, 1, 0 },
	[WYE_SECTION_NEXTHOP_SLOT] = { "nexthop_slot", "tables.neighbours", 4, 1, 0 },
	[WYE_SECTION_NEXTHOP] = { "nexthop", "tables.neighbours", sizeof(struct wye_nexthop), 1, 0 },
	[WYE_SECTION_GROUP] = { "group", NULL, 4, 1, 4 },
	[WYE_SECTION_ROUTE4] = { "route4", "tables.routes4", sizeof(struct wye_route4), 1, 0 },
	[WYE_SECTION_ROUTE6] = { "route6", "tables.routes6", sizeof(struct wye_route6), 1, 0 },
	[WYE_SECTION_VRF] = { "vrf", NULL, sizeof(struct wye_vrf), 1, 0 },
	[WYE_SECTION_FIB4_ROOT] = { "fib4_root", NULL, 4, WYE_FIB_ROOT_WORDS, 0 },
	[WYE_SECTION_FIB6_ROOT] = { "fib6_root", NULL, 4, WYE_FIB_ROOT_WORDS, 0 },
	[WYE_SECTION_FIB_NODE] = { "fib_node", "tables.routes6", sizeof(struct wye_fib_node), 1, 1 },
	[WYE_SECTION_PARITY] = { "parity", NULL, sizeof(struct wye_parity_find), 1, 0 },
	[WYE_SECTION_ALTNAME] = { "altname", NULL, sizeof(struct wye_altname), 1, 0 },
	[WYE_SECTION_RULE] = { "rule", NULL, sizeof(struct wye_policy_rule), 1, 0 },
};

static uint32_t bounded(uint64_t n)
{
	return n < 1U << 30 ? (uint32_t)n : 1U << 30;
}

static uint32_t hash_buckets(uint64_t neighbours)
{
	uint32_t n = 1024;

	while (n < neighbours * 2 && n < 1U << 29)
		n *= 2;
	return n;
}

/* From the three bounds the operator gives. One unit of FIB_NODE for each IPv4 route and four for each IPv6 route is
 * more than full tables take (about 0.1 and 0.6); what a table of hostile prefixes needs on top ends in `failed`. */
static void capacities(uint32_t capacity[WYE_SECTIONS], const struct wye_config *config)
{
	uint64_t routes4 = config->tables.routes4, routes6 = config->tables.routes6;
	uint64_t neighbours = config->tables.neighbours;

	capacity[WYE_SECTION_LINK] = 16384;
	capacity[WYE_SECTION_ADDR] = 65536;
	capacity[WYE_SECTION_LOCAL] = 131072;
	capacity[WYE_SECTION_NEIGH] = bounded(neighbours + 1);
	capacity[WYE_SECTION_NEIGH_HASH] = hash_buckets(neighbours);
	capacity[WYE_SECTION_NEXTHOP_SLOT] = bounded(neighbours + (512u << 10));
	capacity[WYE_SECTION_NEXTHOP] = bounded(neighbours * 2 + (768u << 10));
	capacity[WYE_SECTION_GROUP] = 4u << 20;
	capacity[WYE_SECTION_ROUTE4] = bounded(routes4 + 1);
	capacity[WYE_SECTION_ROUTE6] = bounded(routes6 + 1);
	capacity[WYE_SECTION_VRF] = REGION_VRFS;
	capacity[WYE_SECTION_FIB4_ROOT] = REGION_VRFS * WYE_FIB_ROOT_WORDS;
	capacity[WYE_SECTION_FIB6_ROOT] = REGION_VRFS * WYE_FIB_ROOT_WORDS;
	capacity[WYE_SECTION_FIB_NODE] = bounded(routes4 + routes6 * 4 + (64u << 10));
	if (capacity[WYE_SECTION_FIB_NODE] > WYE_FIB_UNITS_MAX)
		capacity[WYE_SECTION_FIB_NODE] = WYE_FIB_UNITS_MAX;
	capacity[WYE_SECTION_PARITY] = REGION_PARITY_FINDS + 1;
	capacity[WYE_SECTION_ALTNAME] = 32768;
	capacity[WYE_SECTION_RULE] = 2049;
}

/* What full tables of an ordinary shape take, to judge whether hugetlbfs has room. */
static uint64_t expected_bytes(const struct wye_config *config)
{
	return config->tables.routes4 * (32 + 16) + config->tables.routes6 * (48 + 64) +
	       config->tables.neighbours * (64 + 64 + 12) + (16ULL << 20);
}

/* ---- where the file lies ------------------------------------------------------------------------------------------ */

/* A hugetlbfs mount we may write to with at least `bytes` free. 0, -ENODEV: no mount, -ENOMEM: none with room. */
static int find_hugetlbfs(char *dir, size_t dir_bytes, uint64_t bytes)
{
	FILE *mounts = setmntent("/proc/mounts", "r");
	int err = -ENODEV;

	for (struct mntent *m = mounts ? getmntent(mounts) : NULL; m && err; m = getmntent(mounts)) {
		char path[128];
		unsigned long long free_pages = 0;
		struct statfs fs;
		FILE *f;

		if (strcmp(m->mnt_type, "hugetlbfs") || statfs(m->mnt_dir, &fs) || access(m->mnt_dir, W_OK) ||
		    (uint64_t)fs.f_bsize > 32ULL << 20)
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%lukB/free_hugepages",
			 (unsigned long)fs.f_bsize / 1024);
		f = fopen(path, "re");
		if (!f || fscanf(f, "%llu", &free_pages) != 1)
			free_pages = 0;
		if (f)
			fclose(f);
		if (fs.f_blocks && (uint64_t)fs.f_bavail < free_pages)	/* the mount's own limit */
			free_pages = fs.f_bavail;
		err = -ENOMEM;
		if (free_pages * (uint64_t)fs.f_bsize >= bytes && strlen(m->mnt_dir) < dir_bytes) {
			strcpy(dir, m->mnt_dir);
			err = 0;
		}
	}
	if (mounts)
		endmntent(mounts);
	return err;
}

/* Several instances may share a mount: a folder named after the run directory's inode keeps them apart. */
static int huge_dir(struct region *region, uint64_t bytes)
{
	char mount[160];
	struct stat st;
	int err = find_hugetlbfs(mount, sizeof(mount), bytes);

	if (err)
		return err;
	if (stat(region->control->run_dir, &st))
		return -errno;
	snprintf(region->dir, sizeof(region->dir), "%s/wye-%llx-%llx", mount, (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	if (mkdir(region->dir, 0755) && errno != EEXIST)
		return -errno;
	region->on_hugetlbfs = true;
	return 0;
}

static int choose_dir(struct region *region, const struct wye_config *config)
{
	enum wye_hugepages want = config->memory.hugepages;
	int err;

	if (want == WYE_HUGE_AUTO &&
	    !huge_dir(region, expected_bytes(config) + ((uint64_t)config->memory.size_mib << 20)))
		return 0;
	if (want == WYE_HUGE_HUGETLBFS) {
		err = huge_dir(region, 32ULL << 20);
		if (err)
			fprintf(stderr, "memory.hugepages: hugetlbfs: %s; raise vm.nr_hugepages or set memory.hugepages "
				"to auto\n", err == -ENODEV ? "no writable hugetlbfs is mounted" :
				err == -ENOMEM ? "fewer than 32 MiB of huge pages are free" : strerror(-err));
		return err;
	}
	strcpy(region->dir, region->control->run_dir);
	return 0;
}

static bool region_wants_transparent(const struct region *region, enum wye_hugepages want)
{
	return !region->on_hugetlbfs && (want == WYE_HUGE_THP || (want == WYE_HUGE_AUTO && !wye_thp_never()));
}

/* ---- layout ------------------------------------------------------------------------------------------------------- */

static uint64_t align(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

/* Big sections start on huge page boundaries, so that transparent huge pages fit. Returns the file's size. */
static uint64_t lay_out(struct wye_section section[WYE_SECTIONS], const struct wye_config *config)
{
	uint32_t capacity[WYE_SECTIONS];
	uint64_t offset = sizeof(struct wye_region);

	capacities(capacity, config);
	for (int i = 0; i < WYE_SECTIONS; i++) {
		uint64_t bytes = (uint64_t)capacity[i] * region_section_info[i].record_bytes;

		offset = align(offset, bytes >= REGION_HUGE_BYTES ? REGION_HUGE_BYTES : PAGE_BYTES);
		section[i] = (struct wye_section){ .offset = offset, .capacity = capacity[i],
						   .record_bytes = region_section_info[i].record_bytes };
		offset += bytes;
	}
	return align(offset, REGION_HUGE_BYTES);
}

/*
 * Whole huge pages, if the kernel has some, where nothing is yet: otherwise they would have to be copied later
 * (region_collapse()). It makes none of nothing at all (collapse_file()), hence the first small page.
 */
static void take_huge(struct region *region, uint64_t from, uint64_t to)
{
	for (from = align(from, REGION_HUGE_BYTES); region->transparent && from + REGION_HUGE_BYTES <= to;
	     from += REGION_HUGE_BYTES) {
		char *at = (char *)region->base + from;

		if (madvise(at, PAGE_BYTES, MADV_POPULATE_WRITE) || madvise(at, REGION_HUGE_BYTES, MADV_COLLAPSE))
			return;
	}
}

int region_populate(struct region *region, uint64_t from, uint64_t to)
{
	char *base = (char *)region->base;

	from &= ~(PAGE_BYTES - 1);
	to = align(to, PAGE_BYTES);
	take_huge(region, from, to);
	while (madvise(base + from, to - from, MADV_POPULATE_WRITE))
		if (errno != EINTR && errno != EAGAIN)
			return -ENOMEM;
	return 0;
}

static void fill_header(struct region *region, const struct wye_section *section)
{
	struct wye_region *base = region->base;

	base->file = (struct wye_file){
		.magic = WYE_MAGIC, .abi_version = WYE_ABI_VERSION, .kind = WYE_KIND_TABLES,
		.layout_hash = WYE_LAYOUT_HASH, .size_bytes = region->size_bytes, .generation = region->generation,
		.writer_pid = (uint32_t)getpid(), .writer_start = wye_process_start(getpid()),
	};
	memcpy(base->section, section, sizeof(base->section));
	atomic_store_explicit(&base->epoch, 1, memory_order_relaxed);
	atomic_store_explicit(&base->locals_version, 1, memory_order_relaxed);
	atomic_store_explicit(&base->links_version, 1, memory_order_relaxed);
	atomic_store_explicit(&base->neigh_hash_mask, section[WYE_SECTION_NEIGH_HASH].capacity - 1,
			      memory_order_relaxed);
}

static void path_of(const struct region *region, char *path, size_t bytes)
{
	snprintf(path, bytes, "%s/" WYE_FILE_TABLES ".%llu", region->dir, (unsigned long long)region->generation);
}

/* The file under its temporary name, mapped. */
static int make_file(struct region *region, const char *temp, const struct wye_config *config)
{
	struct wye_section section[WYE_SECTIONS];
	int fd, err = 0;

	region->size_bytes = lay_out(section, config);
	unlink(temp);
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)region->size_bytes))
		err = -errno;
	if (!err) {
		region->base = wye_map_shared(fd, region->size_bytes, PROT_READ | PROT_WRITE);
		if (region->base == MAP_FAILED) {
			region->base = NULL;
			err = -errno;
		}
	}
	close(fd);
	if (err)
		return err;
	region->transparent = region_wants_transparent(region, config->memory.hugepages);
	if (region->transparent)
		madvise(region->base, region->size_bytes, MADV_HUGEPAGE); /* where shmem_enabled says advise: at once */
	err = region_populate(region, 0, sizeof(struct wye_region));
	if (!err)
		fill_header(region, section);
	return err;
}

static uint64_t newest_generation(const struct wye_control *page)
{
	uint64_t newest = atomic_load_explicit((_Atomic uint64_t *)&page->active, memory_order_relaxed);

	for (int i = 0; i < 2; i++)
		if (page->region[i].generation > newest)
			newest = page->region[i].generation;
	return newest;
}

int region_create(struct region *region, struct control_file *control, const struct wye_config *config)
{
	char path[sizeof(control->page->region[0].path) + 8], temp[sizeof(path) + 8];
	int err;

	*region = (struct region){ .control = control, .generation = newest_generation(control->page) + 1 };
	err = choose_dir(region, config);
	if (err)
		return err;
	path_of(region, path, sizeof(path));
	snprintf(temp, sizeof(temp), "%s.new", path);
	err = make_file(region, temp, config);
	if (!err)
		err = region_pools_create(region);
	if (!err && rename(temp, path))
		err = -errno;
	if (!err)
		(void)hits_create(region);
	if (err) {
		fprintf(stderr, "%s: cannot make a tables region of %llu MiB (sparse): %s\n", path,
			(unsigned long long)region->size_bytes >> 20, strerror(-err));
		unlink(temp);
		region_destroy(region);
	}
	return err;
}

void region_flip(struct region *region)
{
	struct wye_control *page = region->control->page;
	struct wye_control_region *entry = &page->region[region->generation & 1];
	uint64_t old = atomic_load_explicit(&page->active, memory_order_relaxed);

	memset(entry, 0, sizeof(*entry));
	entry->generation = region->generation;
	entry->size_bytes = region->size_bytes;
	path_of(region, entry->path, sizeof(entry->path));
	atomic_store_explicit(&page->active, region->generation, memory_order_release); /* R1 */
	if (old && old != region->generation) {
		unlink(page->region[old & 1].path);
		hits_unlink(region->control, old);
	}
}

void region_destroy(struct region *region)
{
	char path[sizeof(region->dir) + 32];
	struct control_file *control = region->control;

	if (region->base)
		munmap(region->base, region->size_bytes);
	/* never flipped: nobody but us knows its name */
	if (region->base && control && control->page &&
	    control->page->region[region->generation & 1].generation != region->generation) {
		path_of(region, path, sizeof(path));
		unlink(path);
		hits_unlink(control, region->generation);
	}
	hits_close(region);
	region_pools_destroy(region);
	*region = (struct region){ 0 };
}

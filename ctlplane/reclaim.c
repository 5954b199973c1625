/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which records of a region are in use, and when a retired one may be used again.
 *
 * Ordering guarantees: the writer's half of wye_publish.h (a). Everything in `retired` was unlinked before it got
 * there. A batch is sealed under the epoch E that was current, then the epoch is raised to E + 1 (P3, release: who
 * sees E + 1 sees the unlinking), then a full fence (pairs with the one in wye_reader_online: either we see the
 * reader's slot, or it sees the unlinked words), then the slots are read (P4, acquire: a reader's table loads came
 * before its slot's store). A batch is free when every slot on this region shows more than E or OFFLINE. A slot may
 * show a generation and an epoch that do not belong together while its reader moves between regions: the reader
 * stores both before its fence and loads tables only after it, so what we take from such a pair does no harm.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "array.h"
#include "region_private.h"
#include "wye_map.h"

#define STEP_MIN_BYTES (64ULL << 10)
#define STEP_MAX_BYTES (2ULL << 20)
#define BATCHES	       64u
#define WAIT_MS	       20	/* longest that an allocation waits for readers */
#define DEAD_CHECK_NS  100000000ULL	/* how often slots are compared with /proc while something waits for their readers */
#define DEAD_CHECK_IDLE_NS 1000000000ULL	/* and while nothing does: somebody may want to claim one */

struct retired_entry {
	uint32_t index;
	uint32_t what;		/* section << 24 | count */
};

struct region_retired {
	struct retired_entry *ring;	/* head..tail; positions only grow, & (size - 1) */
	uint64_t head, sealed, tail, size;
	struct retired_entry *held;	/* nexthops: not before the FIB is flushed */
	uint32_t n_held, cap_held;
	struct {
		uint64_t epoch, end;
	} batch[BATCHES];		/* oldest first */
	uint32_t n_batches;
	uint64_t freed_epoch;		/* of the last batch freed */
	uint64_t dead_check_ns;
	bool poison;
};

static struct wye_section *section_of(const struct region *region, enum wye_section_id id)
{
	return &region->base->section[id];
}

/* ---- backing memory ------------------------------------------------------------------------------------------------ */

static bool back(struct region *region, enum wye_section_id id, uint64_t records)
{
	struct wye_section *section = section_of(region, id);
	struct region_pool *pool = &region->pool[id];
	uint64_t all = (uint64_t)section->capacity * section->record_bytes, bytes = records * section->record_bytes;
	uint64_t step = pool->backed_bytes / 8;

	if (bytes <= pool->backed_bytes)
		return true;
	step = step < STEP_MIN_BYTES ? STEP_MIN_BYTES : step > STEP_MAX_BYTES ? STEP_MAX_BYTES : step;
	if (pool->unit == 1 && bytes < pool->backed_bytes + step)	/* roots are large and few */
		bytes = pool->backed_bytes + step;
	if (region->transparent && pool->backed_bytes >= REGION_HUGE_BYTES)	/* then the section begins on a huge page */
		bytes = (bytes + REGION_HUGE_BYTES - 1) & ~(REGION_HUGE_BYTES - 1);
	if (bytes > all)
		bytes = all;
	bytes = (bytes + 4095) & ~4095ULL;	/* sections are whole pages apart */
	if (region_populate(region, section->offset + pool->backed_bytes, section->offset + bytes)) {
		pool->no_memory = true;
		return false;
	}
	pool->backed_bytes = bytes;
	return true;
}

/* A root that was given back has no pages any more (clear_root). */
static bool back_root(struct region *region, enum wye_section_id id, uint32_t index)
{
	uint64_t at = section_of(region, id)->offset + (uint64_t)index * 4;

	if (!region_populate(region, at, at + WYE_FIB_ROOT_WORDS * 4))
		return true;
	region->pool[id].no_memory = true;
	return false;
}

static bool back_runs(struct runs *runs, uint32_t top)
{
	struct region *region = runs->ctx;
	enum wye_section_id id = runs == &region->pool[WYE_SECTION_GROUP].runs ? WYE_SECTION_GROUP :
				 WYE_SECTION_FIB_NODE;
	uint32_t records = top * region_section_info[id].granule;

	if (!back(region, id, records))
		return false;
	atomic_store_explicit(&section_of(region, id)->used, records, memory_order_release);
	return true;
}

int region_pools_create(struct region *region)
{
	region->pool = calloc(WYE_SECTIONS, sizeof(*region->pool));
	region->retired = calloc(1, sizeof(*region->retired));
	if (!region->pool || !region->retired)
		return -ENOMEM;
	for (int i = 0; i < WYE_SECTIONS; i++) {
		struct wye_section *section = section_of(region, i);
		struct region_pool *pool = &region->pool[i];
		uint32_t granule = region_section_info[i].granule;

		pool->unit = region_section_info[i].unit;
		if (granule && runs_init(&pool->runs, region_records(region, i), granule * section->record_bytes / 4,
					 section->capacity / granule, back_runs, region))
			return -ENOMEM;
		/* Index 0 is never handed out, but it is read: "none" must be zeros, not a fault. The neighbour hash is
		 * probed everywhere from the start. */
		if (!back(region, i, i == WYE_SECTION_NEIGH_HASH ? section->capacity : pool->unit))
			return -ENOMEM;
		atomic_store_explicit(&section->used, i == WYE_SECTION_NEIGH_HASH ? section->capacity : pool->unit,
				      memory_order_relaxed);
	}
	return 0;
}

void region_pools_destroy(struct region *region)
{
	for (int i = 0; region->pool && i < WYE_SECTIONS; i++) {
		free(region->pool[i].free);
		runs_fini(&region->pool[i].runs);
	}
	if (region->retired) {
		free(region->retired->ring);
		free(region->retired->held);
	}
	free(region->pool);
	free(region->retired);
	region->pool = NULL;
	region->retired = NULL;
}

static void reclaim(struct region *region);

/* ---- handing out --------------------------------------------------------------------------------------------------- */

static void complain(struct region *region, enum wye_section_id id)
{
	struct wye_section *section = section_of(region, id);
	const struct region_section_info *info = &region_section_info[id];

	region->failed = true;
	if (region->pool[id].complained)
		return;
	region->pool[id].complained = true;
	if (region->pool[id].no_memory)
		fprintf(stderr, "tables section %s: no memory in %s for more than %llu KiB: raise its size limit (tmpfs) or "
			"vm.nr_hugepages (hugetlbfs); what does not fit stays with the kernel\n", info->name, region->dir,
			(unsigned long long)region->pool[id].backed_bytes / 1024);
	else
		fprintf(stderr, "tables section %s: all %u records are in use: %s%s; what does not fit stays with the "
			"kernel\n", info->name, section->capacity, info->key ? "raise " : "the bound is fixed",
			info->key ? info->key : "");
}

static uint32_t take(struct region *region, enum wye_section_id id, uint32_t count)
{
	struct wye_section *section = section_of(region, id);
	struct region_pool *pool = &region->pool[id];
	uint32_t used = atomic_load_explicit(&section->used, memory_order_relaxed);
	uint32_t granule = region_section_info[id].granule;

	if (granule)
		return runs_alloc(&pool->runs, (count + granule - 1) / granule) * granule;
	if (pool->n_free) {
		if (pool->unit > 1 && !back_root(region, id, pool->free[pool->n_free - 1]))
			return 0;
		pool->live++;
		return pool->free[--pool->n_free];
	}
	if (pool->unit > section->capacity - used || !back(region, id, (uint64_t)used + pool->unit))
		return 0;
	atomic_store_explicit(&section->used, used + pool->unit, memory_order_release);
	pool->live++;
	return used;
}

/*
 * What waits for readers may make room: they pass a quiescent point every few microseconds, unless one was put off its
 * CPU. What waits for a flush is not released here: we may be between a nexthop_put() and the fib_set() that makes it
 * true. A section that was found full once is not waited for again. True: something was freed.
 */
static bool wait_for_readers(struct region *region, enum wye_section_id id)
{
	struct region_retired *retired = region->retired;
	uint64_t head = retired->head;

	if (region->pool[id].complained || retired->head == retired->tail)
		return false;
	atomic_fetch_add_explicit(&region->control->page->stats.reclaim_waits, 1, memory_order_relaxed);
	for (int tries = 0; tries < WAIT_MS && retired->head != retired->tail; tries++) {
		reclaim(region);
		if (retired->head != head)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return false;
}

uint32_t region_alloc(struct region *region, enum wye_section_id id, uint32_t count)
{
	uint32_t index = take(region, id, count);

	if (!index && wait_for_readers(region, id))
		index = take(region, id, count);
	if (!index)
		complain(region, id);
	return index;
}

uint32_t region_live(const struct region *region, enum wye_section_id id)
{
	const struct region_pool *pool = &region->pool[id];

	uint32_t granule = region_section_info[id].granule;

	return granule ? pool->runs.live * granule : pool->live;
}

/* ---- taking back --------------------------------------------------------------------------------------------------- */

/* A root's pages go back to the file system; whoever gets it next finds zeros. */
static void clear_root(struct region *region, enum wye_section_id id, uint32_t index)
{
	uint32_t *root = (uint32_t *)region_records(region, id) + index;

	/* a part of a huge page stays anyhow, and Linux before 6.0 does not even clear it */
	if (region->on_hugetlbfs || madvise(root, WYE_FIB_ROOT_WORDS * 4, MADV_REMOVE))
		memset(root, 0, WYE_FIB_ROOT_WORDS * 4);
}

/* What a free record has to say to those who go over a section. Records under scheme (b) said so before. */
static void blank(struct region *region, enum wye_section_id id, uint32_t index, uint32_t count)
{
	char *record = (char *)region_records(region, id) + (size_t)index * region_section_info[id].record_bytes;

	switch (id) {
	case WYE_SECTION_NEXTHOP_SLOT:	/* an id without meaning */
		atomic_store_explicit((_Atomic uint32_t *)record, 0, memory_order_relaxed);
		return;
	case WYE_SECTION_FIB4_ROOT:
	case WYE_SECTION_FIB6_ROOT:
		clear_root(region, id, index);
		return;
	case WYE_SECTION_NEIGH:
	case WYE_SECTION_NEXTHOP:
	case WYE_SECTION_GROUP:
	case WYE_SECTION_FIB_NODE:
		if (region->retired->poison)
			memset(record, 0x5a, (size_t)count * region_section_info[id].record_bytes);
		if (id == WYE_SECTION_NEIGH)
			((struct wye_neigh *)record)->family = 0;
		return;
	default:
		return;
	}
}

void region_free(struct region *region, enum wye_section_id id, uint32_t index, uint32_t count)
{
	struct region_pool *pool = &region->pool[id];
	uint32_t granule = region_section_info[id].granule;

	blank(region, id, index, count);
	if (granule) {
		runs_free(&pool->runs, index / granule, (count + granule - 1) / granule);
		return;
	}
	pool->live--;
	if (array_fit((void **)&pool->free, &pool->cap_free, sizeof(*pool->free), pool->n_free + 1))
		pool->free[pool->n_free++] = index;	/* no memory: the record is lost, not reused too early */
}

uint64_t region_freed_epoch(const struct region *region)
{
	return region->retired->freed_epoch;
}

void region_poison(struct region *region, bool on)
{
	region->retired->poison = on;
}

static bool grow_ring(struct region_retired *retired)
{
	uint64_t size = retired->size ? retired->size * 2 : 1024;
	struct retired_entry *bigger = malloc(size * sizeof(*bigger));

	if (!bigger)
		return false;
	for (uint64_t i = retired->head; i != retired->tail; i++)
		bigger[i & (size - 1)] = retired->ring[i & (retired->size - 1)];
	free(retired->ring);
	retired->ring = bigger;
	retired->size = size;
	return true;
}

static void enqueue(struct region_retired *retired, struct retired_entry entry)
{
	if (retired->tail - retired->head == retired->size && !grow_ring(retired))
		return;	/* lost until the region is replaced: safe, and the process has other troubles now */
	retired->ring[retired->tail++ & (retired->size - 1)] = entry;
}

void region_retire(struct region *region, enum wye_section_id id, uint32_t index, uint32_t count)
{
	struct region_retired *retired = region->retired;
	struct retired_entry entry = { .index = index, .what = (uint32_t)id << 24 | count };
	bool hold = id == WYE_SECTION_NEXTHOP_SLOT || id == WYE_SECTION_NEXTHOP || id == WYE_SECTION_GROUP;

	if (!hold) {
		enqueue(retired, entry);
		return;
	}
	if (array_fit((void **)&retired->held, &retired->cap_held, sizeof(entry), retired->n_held + 1))
		retired->held[retired->n_held++] = entry;
}

/* ---- readers ------------------------------------------------------------------------------------------------------- */

static bool reader_dead(uint32_t pid, uint64_t start)
{
	/* start 0: it is claiming the slot, or died doing so */
	return start ? wye_process_alive((pid_t)pid, start) == 0 : wye_process_start((pid_t)pid) == 0;
}

static void free_dead(struct region *region)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	if (now - region->retired->dead_check_ns < (region->retired->n_batches ? DEAD_CHECK_NS : DEAD_CHECK_IDLE_NS))
		return;
	region->retired->dead_check_ns = now;
	for (int i = 0; i < WYE_READER_SLOTS; i++) {
		struct wye_reader_slot *slot = &region->control->readers->slot[i];
		uint32_t pid = atomic_load_explicit(&slot->pid, memory_order_acquire);

		if (!pid || !reader_dead(pid, atomic_load_explicit(&slot->start, memory_order_acquire)))
			continue;
		atomic_store_explicit(&slot->start, 0, memory_order_relaxed);
		atomic_store_explicit(&slot->generation, 0, memory_order_relaxed);
		atomic_store_explicit(&slot->epoch, WYE_READER_OFFLINE, memory_order_relaxed);
		atomic_store_explicit(&slot->pid, 0, memory_order_release);
	}
}

/* The least epoch any reader of this region may still be in. */
static uint64_t oldest_epoch(const struct region *region)
{
	uint64_t oldest = WYE_READER_OFFLINE;

	for (int i = 0; i < WYE_READER_SLOTS; i++) {
		struct wye_reader_slot *slot = &region->control->readers->slot[i];
		uint64_t epoch;

		if (!atomic_load_explicit(&slot->pid, memory_order_relaxed) ||
		    atomic_load_explicit(&slot->generation, memory_order_acquire) != region->generation)
			continue;
		epoch = atomic_load_explicit(&slot->epoch, memory_order_acquire); /* P4 */
		oldest = epoch < oldest ? epoch : oldest;
	}
	return oldest;
}

/* The FIB names no retired nexthop any more. */
static void release_held(struct region *region)
{
	struct region_retired *retired = region->retired;

	if (region->unpublished)
		return;
	for (uint32_t i = 0; i < retired->n_held; i++)
		enqueue(retired, retired->held[i]);
	retired->n_held = 0;
}

static void seal(struct region *region)
{
	struct region_retired *retired = region->retired;
	uint64_t epoch = atomic_load_explicit(&region->base->epoch, memory_order_relaxed);

	if (retired->tail == retired->sealed || retired->n_batches == BATCHES)
		return;
	retired->batch[retired->n_batches].epoch = epoch;
	retired->batch[retired->n_batches++].end = retired->tail;
	retired->sealed = retired->tail;
	atomic_store_explicit(&region->base->epoch, epoch + 1, memory_order_release); /* P3 */
}

static void reclaim(struct region *region)
{
	struct region_retired *retired = region->retired;
	uint64_t oldest;
	uint32_t done = 0;

	seal(region);
	free_dead(region);
	if (!retired->n_batches)
		return;
	atomic_thread_fence(memory_order_seq_cst);	/* pairs with the fence in wye_reader_online */
	oldest = oldest_epoch(region);
	while (done < retired->n_batches && retired->batch[done].epoch < oldest) {
		for (; retired->head != retired->batch[done].end; retired->head++) {
			struct retired_entry *e = &retired->ring[retired->head & (retired->size - 1)];

			region_free(region, e->what >> 24, e->index, e->what & 0xffffff);
		}
		retired->freed_epoch = retired->batch[done++].epoch;
	}
	retired->n_batches -= done;
	memmove(retired->batch, retired->batch + done, retired->n_batches * sizeof(retired->batch[0]));
}

void region_reclaim(struct region *region)
{
	release_held(region);
	reclaim(region);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mapping the shared files, and refusing those that are not what they should be. Used by every process; part of
 * libwye. All functions return 0 or -errno; on error `why` (WYE_WHY_BYTES, never NULL) holds one sentence naming
 * the file, what was found, what was expected and the next step.
 */
#ifndef WYE_MAP_H
#define WYE_MAP_H

#include <sys/types.h>

#include "wye_abi.h"
#include "wye_stats.h"
#include "wye_tables.h"
#include "wye_trace.h"

#define WYE_WHY_BYTES 512

/*
 * Maps <run>/control, readers or stats (kind) read-only, or read-write for readers. *base is unmapped by
 * wye_unmap(). -ENOENT: not there (daemon not started); -EPROTO: magic, kind, version, layout hash or size
 * differ; -EACCES; others from open(2), mmap(2).
 */
int wye_map_control(const char *run_dir, const struct wye_control **control, char *why);
int wye_map_readers(const char *run_dir, struct wye_readers **readers, char *why);
int wye_map_stats(const char *run_dir, const struct wye_stats **stats, char *why);
/* <run>/trace; -ENOENT: nothing has been traced. */
int wye_map_trace(const char *run_dir, const struct wye_trace **trace, char *why);
/* <run>/hits.<generation>, read-write; *n: how many marks it has. */
int wye_map_hits(const char *run_dir, uint64_t generation, struct wye_hits **hits, uint32_t *n, char *why);

/*
 * Maps the active tables region read-only and checks it whole: header, section bounds, and (wye_region_check) every
 * index that can be reached. -EAGAIN: no region is active yet. -ESTALE: it went away between look and open, try again.
 */
int wye_map_tables(const struct wye_control *control, const struct wye_region **region, char *why);

/* Same for one named file, whatever control says: tests, fuzzing, `wye --tables FILE`. */
int wye_map_tables_file(const char *path, const struct wye_region **region, char *why);

void wye_unmap(const void *file);	/* any of the above; NULL is fine */

/* mmap() of a whole file, shared, with its 2 MiB boundaries on those of memory, so that transparent huge pages fit; len_bytes
 * is a multiple of its page. MAP_FAILED, errno. For munmap(). */
void *wye_map_shared(int fd, size_t len_bytes, int protection);

/* Structure only: O(sections). `size_bytes` is how much is really mapped. Never reads beyond it. */
int wye_region_check_header(const struct wye_region *region, uint64_t size_bytes, char *why);

/* Every index in every live record and every word reachable from a root lies within its section and the trie is no
 * deeper than its family allows. O(records). Never reads beyond size_bytes, whatever the bytes are. */
int wye_region_check(const struct wye_region *region, uint64_t size_bytes, char *why);

/* Takes a free slot in readers for the calling process and leaves it OFFLINE on generation 0. NULL, errno ENOSPC. */
struct wye_reader_slot *wye_reader_claim(struct wye_readers *readers, uint32_t thread);
void wye_reader_release(struct wye_reader_slot *slot);	/* NULL is fine */

/* Start time of a live process in clock ticks since boot (/proc/PID/stat field 22), 0 if there is none. */
uint64_t wye_process_start(pid_t pid);
int wye_process_alive(pid_t pid, uint64_t start);	/* 1 alive, 0 proved dead */

/* Is the mirror to be trusted at now_ns (CLOCK_MONOTONIC)? 0 yes; else why not: */
enum wye_mirror_trust {
	WYE_TRUST_OK = 0,
	WYE_TRUST_NEVER_SYNCED,	/* STARTING and no active region */
	WYE_TRUST_STOPPED,	/* orderly exit */
	WYE_TRUST_STALE,	/* no heartbeat for stale_after_ns */
};
enum wye_mirror_trust wye_mirror_trust(const struct wye_control *control, uint64_t now_ns, uint64_t stale_after_ns);

#endif

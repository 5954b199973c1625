/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared-memory files: which there are, who writes each, and how a reader knows one is what it
 * expects. Everything else in include/ describes what lies inside.
 *
 *   <run>/control          struct wye_control   ctld: rw, others: ro   which region is active, is the writer alive
 *   <dir>/tables.<gen>     struct wye_region    ctld: rw, others: ro   one whole copy of the mirrored state
 *   <run>/readers          struct wye_readers   each reader: its slot  who still looks at which region
 *   <run>/hits.<gen>       struct wye_hits      workers: rw, ctld: rw  which neighbours of that region have traffic
 *   <run>/stats            struct wye_stats     dpd: rw, others: ro    counters, ports, nodes, steering rules
 *   <run>/trace            struct wye_trace     dpd: rw, others: ro    ways of single packets, when asked for
 *
 * <run> is /run/wye unless --run-dir says otherwise; <dir> is <run> or a hugetlbfs mount and stands in
 * the control file. Only offsets and indices are stored, never pointers; integers are fixed-width and in
 * host order unless the field's type or name says network order (be32, addr bytes).
 *
 * Every file starts with struct wye_file. A reader maps it read-only, checks magic, kind, ABI version,
 * layout hash and size against the file's real size, and refuses with the reason otherwise
 * (wye_map.h). Sizes are asserted below and folded into WYE_LAYOUT_HASH (wye_tables.h), so a reader
 * built from other headers is refused even if nobody raised WYE_ABI_VERSION.
 */
#ifndef WYE_ABI_H
#define WYE_ABI_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#define WYE_MAGIC	0x31303065797777FFULL	/* "\377wwye001" read as little-endian bytes */
#define WYE_ABI_VERSION 1u

#define WYE_RUN_DIR_DEFAULT "/run/wye"
#define WYE_FILE_CONTROL    "control"
#define WYE_FILE_READERS    "readers"
#define WYE_FILE_STATS	    "stats"
#define WYE_FILE_HITS	    "hits"	/* followed by ".<generation>" */
#define WYE_FILE_TABLES	    "tables"	/* followed by ".<generation>" */

enum wye_file_kind {
	WYE_KIND_CONTROL = 1,
	WYE_KIND_TABLES = 2,
	WYE_KIND_READERS = 3,
	WYE_KIND_STATS = 4,
	WYE_KIND_HITS = 5,
	WYE_KIND_TRACE = 6,
};

/* Starts every shared file. Written once before the file gets its name (rename), constant after. */
struct wye_file {
	uint64_t magic;
	uint32_t abi_version;
	uint32_t kind;		/* enum wye_file_kind */
	uint64_t layout_hash;	/* WYE_LAYOUT_HASH of the writer's build */
	uint64_t size_bytes;	/* of the whole file, this header included */
	uint64_t generation;	/* tables: 1, 2, 3 …; 0 elsewhere */
	uint32_t writer_pid;
	uint32_t reserved;
	uint64_t writer_start;	/* field 22 of /proc/PID/stat, clock ticks since boot: makes a pid unique */
	uint64_t reserved2;
};
static_assert(sizeof(struct wye_file) == 64, "wye_file is ABI");

/* What the mirror says of itself. Ordered by trust: a dataplane may take flows only in IN_SYNC or RESYNC. */
enum wye_mirror_state {
	WYE_MIRROR_STARTING = 0,	/* no complete dump yet; the active region, if any, is a predecessor's */
	WYE_MIRROR_IN_SYNC = 1,
	WYE_MIRROR_RESYNC = 2,	/* lost messages; the tables are old but whole, a new dump is under way */
	WYE_MIRROR_STOPPED = 3,	/* orderly exit: hand all flows back now */
};

/* Where a generation's tables lie. Entry [generation & 1] of wye_control.region. */
struct wye_control_region {
	uint64_t generation;
	uint64_t size_bytes;
	char path[240];	/* absolute, NUL-terminated */
};
static_assert(sizeof(struct wye_control_region) == 256, "wye_control_region is ABI");

/* Counts what happened to the mirror since this ctld started. ctld: rw, others: ro; relaxed 64-bit adds. */
struct wye_mirror_stats {
	_Atomic uint64_t messages;	/* netlink messages decoded */
	_Atomic uint64_t malformed;	/* refused by the decoder: lying lengths, attributes out of range */
	_Atomic uint64_t unknown;	/* well-formed, of a kind or family we do not mirror */
	_Atomic uint64_t overruns;	/* ENOBUFS or truncation on a netlink socket */
	_Atomic uint64_t dump_interrupted;	/* NLM_F_DUMP_INTR */
	_Atomic uint64_t resyncs;	/* complete resyncs, the first dump not counted */
	_Atomic uint64_t swept;		/* objects removed by a sweep after a complete dump */
	_Atomic uint64_t audit_drift;	/* objects an audit found different from the kernel: a defect if not 0 */
	_Atomic uint64_t publishes;	/* words released to readers */
	_Atomic uint64_t reclaim_waits;	/* times an allocation had to wait for readers */
	_Atomic uint64_t routes[2];	/* now mirrored: IPv4, IPv6 */
	_Atomic uint64_t links, addresses, neighbours, nexthops;	/* now mirrored */
	_Atomic uint64_t audits;	/* complete comparisons with the kernel */
	_Atomic uint64_t neigh_uses;	/* neighbours with traffic that the kernel was asked to verify */
	uint64_t reserved[6];
};
static_assert(sizeof(struct wye_mirror_stats) == 192, "wye_mirror_stats is ABI");

/*
 * <run>/control, one page, one inode for the life of <run>: a restarted ctld takes over the same file.
 * ctld holds flock(LOCK_EX) on it while it lives, so there is never a second writer and the kernel
 * frees the lock with the process.
 *
 * Finding the active region: load `active` (C1, acquire), read region[active & 1], load `active` again; if it
 * changed, start over. ctld fills region[] before it release-stores `active` (partner of C1).
 */
struct wye_control {
	struct wye_file file;		/* writer_pid/start: of the ctld that runs now or ran last; under `seq` */
	_Atomic uint64_t active;	/* generation of the active region, 0 = none yet; ctld: rw, others: ro */
	_Atomic uint64_t heartbeat_ns;	/* CLOCK_MONOTONIC of the writer's last loop, at least 4 a second */
	_Atomic uint32_t state;		/* enum wye_mirror_state */
	_Atomic uint32_t seq;		/* sequence counter over file.writer_pid and file.writer_start */
	_Atomic uint64_t synced_ns;	/* heartbeat_ns as of the last beat in IN_SYNC or RESYNC; a new ctld leaves it */
	uint64_t reserved[4];
	struct wye_control_region region[2];
	struct wye_mirror_stats stats;
	uint8_t pad[4096 - 64 - 64 - 512 - 192];
};
static_assert(sizeof(struct wye_control) == 4096, "wye_control is one page");

/*
 * <run>/readers: one slot per reading thread. A reader claims a slot by compare-and-swap of `pid` from 0,
 * then fills the rest. ctld frees a slot only when pid/start prove its process dead.
 */
#define WYE_READER_SLOTS   64
#define WYE_READER_OFFLINE UINT64_MAX

struct wye_reader_slot {
	_Atomic uint32_t pid;		/* 0 = free */
	uint32_t thread;		/* 0 = main, 1.. = worker; for people */
	_Atomic uint64_t start;		/* as wye_file.writer_start; 0 while the slot is being claimed */
	_Atomic uint64_t generation;	/* region this reader looks at, 0 = none */
	_Atomic uint64_t epoch;		/* last epoch of that region it passed a quiescent point in, or OFFLINE */
	uint8_t pad[96];		/* own cache line pair: written in every loop of a worker */
};
static_assert(sizeof(struct wye_reader_slot) == 128, "wye_reader_slot is ABI");

struct wye_readers {
	struct wye_file file;
	uint8_t pad[64];
	struct wye_reader_slot slot[WYE_READER_SLOTS];
};
static_assert(sizeof(struct wye_readers) == 128 + 128 * WYE_READER_SLOTS, "wye_readers is ABI");

/*
 * <run>/hits.<gen>: what keeps neighbours alive whose packets the kernel does not see. A worker that sends a packet to
 * the neighbour of record i stores the mark of the moment in seen[i], if it is another than what stands there. Relaxed
 * stores of single bytes: two workers may race and both are right; a mark that comes late, or is one of a record that
 * has gone to another neighbour, costs one probe. Made beside each region by ctld, with its memory.
 */
#define WYE_HIT_MARKS 255u	/* marks go 1, 2 … 255, 1 …; 0 = never */

struct wye_hits {
	struct wye_file file;
	_Atomic uint32_t mark;	/* of this second; ctld: rw, workers: ro */
	uint8_t pad[60];	/* what is written every second lies apart from what workers write */
	_Atomic uint8_t seen[];	/* by index in NEIGH, size_bytes - 128 of them; workers: rw, ctld: ro */
};
static_assert(sizeof(struct wye_hits) == 128, "wye_hits is ABI");

#endif

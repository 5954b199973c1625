/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two ways, and the only two, in which ctld shows a change to readers.
 *
 * Ordering guarantees
 *
 * (a) One word. The writer fills memory no reader can reach, then release-stores the one word that makes it
 *     reachable (P1). A reader acquire-loads that word (P2) and may then read everything behind it as plain
 *     memory: it will not change until the reader passes a quiescent point. What the word pointed to before is
 *     retired: the writer notes the region's epoch E, raises the epoch (P3, release) and may use the memory again
 *     once every reader of the region shows an epoch above E or OFFLINE (P4, acquire).
 *     A reader passes a quiescent point by acquire-loading the epoch (partner of P3) and release-storing it in its
 *     slot (partner of P4): its earlier table loads cannot sink below the store, its later ones cannot rise
 *     above the load. Coming online needs a full fence between the slot's store and the first table load, or
 *     the writer may miss a reader that already reads (StoreLoad, the one edge x86 does not give).
 *
 * (b) Sequence counter, for one small record that changes in place. The writer makes `seq` odd, fences (S1,
 *     release), stores the fields as relaxed atomics, release-stores `seq` even (S2). A reader acquire-loads `seq`
 *     (partner of S2), copies, fences (acquire, partner of S1), loads `seq` again and retries when odd or changed:
 *     at most WYE_SEQ_RETRIES times, because a writer may die in the middle; then the record counts as absent.
 */
#ifndef WYE_PUBLISH_H
#define WYE_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>

#include "wye_abi.h"

/* P1 */
static inline void wye_publish_word(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

/* P2 */
static inline uint32_t wye_read_word(const _Atomic uint32_t *word)
{
	return atomic_load_explicit((_Atomic uint32_t *)word, memory_order_acquire);
}

/* A quiescent point: the caller holds no index or pointer into the region. Partners: P3 (load), P4 (store). */
static inline void wye_reader_quiescent(struct wye_reader_slot *slot, const _Atomic uint64_t *epoch)
{
	uint64_t now = atomic_load_explicit((_Atomic uint64_t *)epoch, memory_order_acquire);

	if (atomic_load_explicit(&slot->epoch, memory_order_relaxed) != now)
		atomic_store_explicit(&slot->epoch, now, memory_order_release);
}

/* Before the first table load after OFFLINE. */
static inline void wye_reader_online(struct wye_reader_slot *slot, const _Atomic uint64_t *epoch)
{
	uint64_t now = atomic_load_explicit((_Atomic uint64_t *)epoch, memory_order_acquire);

	atomic_store_explicit(&slot->epoch, now, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

/* Before sleeping: the writer need not wait for this reader. Partner: P4. */
static inline void wye_reader_offline(struct wye_reader_slot *slot)
{
	atomic_store_explicit(&slot->epoch, WYE_READER_OFFLINE, memory_order_release);
}

#define WYE_SEQ_RETRIES 1000

/* Copies a record of n_words 32-bit words guarded by `seq` (which is not part of it). False: no stable copy. */
static inline bool wye_seq_read(const _Atomic uint32_t *seq, const void *record, void *copy, size_t n_words)
{
	const _Atomic uint32_t *from = record;
	uint32_t *to = copy;

	for (int i = 0; i < WYE_SEQ_RETRIES; i++) {
		uint32_t before = atomic_load_explicit((_Atomic uint32_t *)seq, memory_order_acquire); /* S2's partner */

		if (before & 1)
			continue;
		for (size_t w = 0; w < n_words; w++)
			to[w] = atomic_load_explicit((_Atomic uint32_t *)&from[w], memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire); /* S1's partner */
		if (atomic_load_explicit((_Atomic uint32_t *)seq, memory_order_relaxed) == before)
			return true;
	}
	return false;
}

/* The writer's half of (b). Single writer. */
static inline void wye_seq_write(_Atomic uint32_t *seq, void *record, const void *from, size_t n_words)
{
	uint32_t odd = atomic_load_explicit(seq, memory_order_relaxed) | 1;
	_Atomic uint32_t *to = record;
	const uint32_t *src = from;

	atomic_store_explicit(seq, odd, memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* S1 */
	for (size_t w = 0; w < n_words; w++)
		atomic_store_explicit(&to[w], src[w], memory_order_relaxed);
	atomic_store_explicit(seq, odd + 1, memory_order_release); /* S2 */
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * May the dataplane forward by the mirror now? Decided from the control page alone, without a lock.
 *
 * A live writer in sync is trusted by its heartbeat. A writer that is still starting beats too, but the active
 * region is its predecessor's and nobody keeps it: what counts then is when a writer in sync was last heard of.
 */
#include "wye_map.h"

/* Clocks are read on different CPUs a moment apart; a stamp further ahead than this is garbage. */
#define AHEAD_MAX_NS 1000000000ULL

static int too_old(uint64_t stamp_ns, uint64_t now_ns, uint64_t limit_ns)
{
	if (!stamp_ns)
		return 1;
	if (stamp_ns > now_ns)
		return stamp_ns - now_ns > AHEAD_MAX_NS;
	return now_ns - stamp_ns > limit_ns;
}

enum wye_mirror_trust wye_mirror_trust(const struct wye_control *control, uint64_t now_ns, uint64_t stale_after_ns)
{
	struct wye_control *page = (struct wye_control *)control; /* C11 has no atomic load from const */
	uint32_t state = atomic_load_explicit(&page->state, memory_order_acquire);
	const _Atomic uint64_t *stamp;

	if (state == WYE_MIRROR_STOPPED)
		return WYE_TRUST_STOPPED;
	if (!atomic_load_explicit(&page->active, memory_order_acquire))
		return WYE_TRUST_NEVER_SYNCED;
	stamp = state == WYE_MIRROR_IN_SYNC || state == WYE_MIRROR_RESYNC ? &page->heartbeat_ns : &page->synced_ns;
	if (too_old(atomic_load_explicit((_Atomic uint64_t *)stamp, memory_order_relaxed), now_ns, stale_after_ns))
		return WYE_TRUST_STALE;
	return WYE_TRUST_OK;
}

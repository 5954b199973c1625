/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip4_rp_filter.h"

#include "wye_fib_batch.h"

#define VERDICTS 32u	/* remembered, by nexthop id */

static const struct wye_nexthop *nexthop_of(const struct forward *f, uint32_t id)
{
	return &f->nexthops[wye_read_word(&f->slots[id])];
}

/* Does a unicast route's leg do? A neighbour need not be resolved for it. ifindex 0: by any link. */
static bool leg_leads(const struct wye_nexthop *leg, uint32_t ifindex)
{
	return (leg->kind == WYE_NH_FORWARD || leg->kind == WYE_NH_ONLINK || leg->kind == WYE_NH_UNRESOLVED) &&
	       (!ifindex || leg->ifindex == ifindex);
}

static bool id_leads(const struct forward *f, uint32_t id, uint32_t ifindex)
{
	const struct wye_nexthop *nexthop = nexthop_of(f, id);
	const _Atomic uint32_t *bucket = wye_section_base(f->region, WYE_SECTION_GROUP);

	if (!id || nexthop->kind != WYE_NH_GROUP)
		return id && leg_leads(nexthop, ifindex);
	for (uint32_t i = 0; i < nexthop->buckets; i++)
		if (leg_leads(nexthop_of(f, wye_read_word(&bucket[nexthop->group + i])), ifindex))
			return true;
	return false;
}

bool ip4_rp_filter_astray(const struct forward *f, const struct wye_fib *fib, uint32_t rp_filter, const uint32_t *src, uint32_t n,
			  bool *astray)
{
	uint32_t ifindex = rp_filter & WYE_LINK_RPF_STRICT4 ? f->plan->port[f->ingress].ifindex : 0;
	uint32_t id[NODE_VECTOR], known[VERDICTS] = { 0 };
	bool leads[VERDICTS] = { false }, any = false;	/* id 0, no route, leads nowhere */

	wye_fib4_lookup_batch(fib, src, id, n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t slot = id[i] % VERDICTS;

		if (unlikely(known[slot] != id[i])) {
			known[slot] = id[i];
			leads[slot] = id_leads(f, id[i], ifindex);
		}
		astray[i] = !leads[slot];
		any |= astray[i];
	}
	return any;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nexthop ids: what each stands for (private), the record that says so (shared), and who shares it.
 *
 * Ordering guarantees: a record is filled, then NEXTHOP_SLOT[id] released (P1, pairs with P2 in wye_nexthop_of); the
 * record before it is retired. An id that nobody holds any more is retired with its record and keeps meaning what it
 * meant until then. When anything cannot be had, the id means record 0: NONE, the kernel answers.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "array.h"
#include "resolve_private.h"

int nexthop_table_create(struct resolve *resolve)
{
	resolve->n_members = 1;
	resolve->content_mask = 1023;
	resolve->by_content = calloc(resolve->content_mask + 1, sizeof(*resolve->by_content));
	return resolve->by_content ? 0 : -ENOMEM;
}

/* ---- what an id means ---------------------------------------------------------------------------------------------- */

static struct wye_nexthop *record_at(const struct resolve *resolve, uint32_t index)
{
	return (struct wye_nexthop *)region_records(resolve->region, WYE_SECTION_NEXTHOP) + index;
}

static void retire_record(struct resolve *resolve, uint32_t index)
{
	if (!index)
		return;
	nexthop_group_retire(resolve, record_at(resolve, index));
	region_retire(resolve->region, WYE_SECTION_NEXTHOP, index, 1);
}

int nexthop_publish(struct resolve *resolve, uint32_t id, const struct wye_nexthop *nexthop)
{
	_Atomic uint32_t *slot = (_Atomic uint32_t *)region_records(resolve->region, WYE_SECTION_NEXTHOP_SLOT) + id;
	uint32_t old = resolve->nexthop[id].record, index;

	if (old && nexthop->kind != WYE_NH_GROUP && !memcmp(record_at(resolve, old), nexthop, sizeof(*nexthop)))
		return 0;
	index = region_alloc(resolve->region, WYE_SECTION_NEXTHOP, 1);
	if (index)
		*record_at(resolve, index) = *nexthop;
	wye_publish_word(slot, index); /* P1 */
	count_publish(resolve);
	resolve->nexthop[id].record = index;
	retire_record(resolve, old);
	return index ? 0 : -ENOSPC;
}

static bool needs_no_neighbour(const struct wye_link *link)
{
	return link->flags & WYE_LINK_POINTOPOINT || link->arp_type != ARPHRD_ETHER || link->mac_len != ETH_ALEN;
}

static uint8_t forward_kind(const struct nexthop_leg *leg, const struct wye_link *link, const struct wye_neigh *neigh)
{
	if (!link || leg->flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN) || !(link->flags & WYE_LINK_UP) ||
	    !(link->flags & WYE_LINK_CARRIER))
		return WYE_NH_DOWN;
	if (needs_no_neighbour(link))
		return WYE_NH_KERNEL;	/* the dataplane writes Ethernet headers only */
	if (!leg->family)
		return WYE_NH_ONLINK;
	return neigh && neigh->lladdr_len == ETH_ALEN ? WYE_NH_FORWARD : WYE_NH_UNRESOLVED;
}

/* Destination, source, type. The type is the gateway's family's: an IPv4 packet to an IPv6 gateway needs its own. */
static void write_rewrite(struct wye_nexthop *nexthop, const struct wye_link *link, const struct wye_neigh *neigh)
{
	uint16_t type = nexthop->family == AF_INET6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP;

	memcpy(nexthop->rewrite, neigh->lladdr, ETH_ALEN);
	memcpy(nexthop->rewrite + ETH_ALEN, link->mac, ETH_ALEN);
	nexthop->rewrite[12] = (uint8_t)(type >> 8);
	nexthop->rewrite[13] = (uint8_t)type;
	nexthop->rewrite_len = ETH_HLEN;
}

/* ip_dst_mtu_maybe_forward(), ip6_dst_mtu_maybe_forward(). */
static uint32_t leg_mtu(const struct nexthop_leg *leg, const struct wye_link *link)
{
	uint32_t mtu = link ? link->mtu_bytes : leg->mtu_bytes;

	if (link && leg->family == AF_INET6 && link->mtu6_bytes && link->mtu6_bytes < mtu)
		mtu = link->mtu6_bytes;
	return leg->mtu_bytes && leg->mtu_bytes < mtu ? leg->mtu_bytes : mtu;
}

static void remake_leg(struct resolve *resolve, uint32_t id)
{
	const struct nexthop *nh = &resolve->nexthop[id];
	const struct nexthop_leg *leg = &nh->leg;
	const struct wye_link *link = leg->ifindex ? link_record(resolve, leg->ifindex) : NULL;
	const struct wye_neigh *neigh = neigh_record(resolve, nh->neigh);
	struct wye_nexthop nexthop = {
		.kind = leg->kind, .family = leg->family, .flags = leg->flags, .ifindex = leg->ifindex,
		.link = link_index(resolve, leg->ifindex), .mtu_bytes = leg_mtu(leg, link),
		.kernel_id = leg->kernel_id, .weight = leg->weight,
		.neigh = neigh ? resolve->neigh[nh->neigh].record : 0,
	};

	memcpy(nexthop.gateway, leg->gateway, sizeof(nexthop.gateway));
	if (leg->kind == WYE_NH_FORWARD)
		nexthop.kind = nh->own_gateway ? WYE_NH_KERNEL : forward_kind(leg, link, neigh);
	if (nexthop.kind == WYE_NH_FORWARD)
		write_rewrite(&nexthop, link, neigh);
	nexthop_publish(resolve, id, &nexthop);
}

void nexthop_remake(struct resolve *resolve, uint32_t id)
{
	if (resolve->nexthop[id].role == NEXTHOP_GROUP)
		nexthop_group_make(resolve, id);
	else if (resolve->nexthop[id].role == NEXTHOP_LEG)
		remake_leg(resolve, id);
}

/* ---- anchors ------------------------------------------------------------------------------------------------------- */

static int hang_on_link(struct resolve *resolve, uint32_t id)
{
	struct nexthop *nh = &resolve->nexthop[id];
	struct link_anchor *anchor = link_anchor_make(resolve, nh->leg.ifindex);

	if (!anchor)
		return -ENOMEM;
	nh->link_prev = 0;
	nh->link_next = anchor->nexthops;
	if (nh->link_next)
		resolve->nexthop[nh->link_next].link_prev = id;
	anchor->nexthops = id;
	nh->on_link = true;
	return 0;
}

static int hang_on_neigh(struct resolve *resolve, uint32_t id)
{
	struct nexthop *nh = &resolve->nexthop[id];
	uint32_t anchor = neigh_anchor_make(resolve, nh->leg.ifindex, nh->leg.family, nh->leg.gateway);

	if (!anchor)
		return -ENOMEM;
	nh->neigh = anchor;
	nh->neigh_prev = 0;
	nh->neigh_next = resolve->neigh[anchor].nexthops;
	if (nh->neigh_next)
		resolve->nexthop[nh->neigh_next].neigh_prev = id;
	resolve->neigh[anchor].nexthops = id;
	return 0;
}

static void leave_link(struct resolve *resolve, struct nexthop *nh)
{
	struct link_anchor *anchor = link_anchor_find(resolve, nh->leg.ifindex);

	if (nh->link_next)
		resolve->nexthop[nh->link_next].link_prev = nh->link_prev;
	if (nh->link_prev)
		resolve->nexthop[nh->link_prev].link_next = nh->link_next;
	else
		anchor->nexthops = nh->link_next;
	nh->on_link = false;
	link_anchor_unused(resolve, anchor);
}

static void leave_neigh(struct resolve *resolve, struct nexthop *nh)
{
	uint32_t anchor = nh->neigh;

	if (nh->neigh_next)
		resolve->nexthop[nh->neigh_next].neigh_prev = nh->neigh_prev;
	if (nh->neigh_prev)
		resolve->nexthop[nh->neigh_prev].neigh_next = nh->neigh_next;
	else
		resolve->neigh[anchor].nexthops = nh->neigh_next;
	nh->neigh = 0;
	neigh_anchor_unused(resolve, anchor);
}

/* ---- contents ------------------------------------------------------------------------------------------------------ */

static struct nexthop_leg canonical(const struct nexthop_leg *leg)
{
	struct nexthop_leg c;

	memset(&c, 0, sizeof(c));	/* padding too: compared and hashed as bytes */
	c.kind = leg->kind;
	c.family = leg->family;
	c.route_family = leg->route_family;
	c.flags = leg->flags;
	c.ifindex = leg->ifindex;
	c.mtu_bytes = leg->mtu_bytes;
	c.kernel_id = leg->kernel_id;
	c.weight = leg->weight ? leg->weight : 1;
	if (leg->family)
		memcpy(c.gateway, leg->gateway, leg->family == AF_INET ? 4 : 16);
	return c;
}

static uint32_t hash_bytes(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 1099511628211ULL;
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t content_hash(const struct resolve *resolve, uint32_t id)
{
	const struct nexthop *nh = &resolve->nexthop[id];
	uint32_t h = 2166136261u;

	if (nh->role == NEXTHOP_LEG)
		return hash_bytes(h, &nh->leg, sizeof(nh->leg));
	for (uint32_t m = nh->members; m; m = resolve->member[m].next)
		h = hash_bytes(h, &resolve->member[m].leg, sizeof(resolve->member[m].leg));
	return h;
}

static bool same_content(const struct resolve *resolve, uint32_t a, uint32_t b)
{
	const struct nexthop *x = &resolve->nexthop[a], *y = &resolve->nexthop[b];
	uint32_t m = x->members, n = y->members;

	if (x->role != y->role)
		return false;
	if (x->role == NEXTHOP_LEG)
		return !memcmp(&x->leg, &y->leg, sizeof(x->leg));
	/* equal legs share an id, and a leg's weight is part of it */
	while (m && n && resolve->member[m].leg == resolve->member[n].leg) {
		m = resolve->member[m].next;
		n = resolve->member[n].next;
	}
	return !m && !n;
}

static void content_insert(struct resolve *resolve, uint32_t id)
{
	uint32_t *head = &resolve->by_content[content_hash(resolve, id) & resolve->content_mask];

	resolve->nexthop[id].hash_next = *head;
	*head = id;
}

static void content_grow(struct resolve *resolve)
{
	uint32_t old_mask = resolve->content_mask, *old = resolve->by_content, *bigger, next;

	if (resolve->n_contents <= old_mask)
		return;
	bigger = calloc((size_t)(old_mask + 1) * 2, sizeof(*bigger));
	if (!bigger)
		return;		/* longer chains, nothing worse */
	resolve->by_content = bigger;
	resolve->content_mask = old_mask * 2 + 1;
	for (uint32_t i = 0; i <= old_mask; i++) {
		for (uint32_t id = old[i]; id; id = next) {
			next = resolve->nexthop[id].hash_next;
			content_insert(resolve, id);
		}
	}
	free(old);
}

static uint32_t content_find(const struct resolve *resolve, uint32_t like)
{
	uint32_t id = resolve->by_content[content_hash(resolve, like) & resolve->content_mask];

	while (id && !same_content(resolve, id, like))
		id = resolve->nexthop[id].hash_next;
	return id;
}

void nexthop_content_remove(struct resolve *resolve, uint32_t id)
{
	uint32_t *at = &resolve->by_content[content_hash(resolve, id) & resolve->content_mask];

	while (*at != id)
		at = &resolve->nexthop[*at].hash_next;
	*at = resolve->nexthop[id].hash_next;
	resolve->n_contents--;
}

/* ---- ids ----------------------------------------------------------------------------------------------------------- */

static uint32_t id_alloc(struct resolve *resolve)
{
	uint32_t id = region_alloc(resolve->region, WYE_SECTION_NEXTHOP_SLOT, 1), old = resolve->cap_nexthops;

	if (!id)
		return 0;
	if (!array_fit((void **)&resolve->nexthop, &resolve->cap_nexthops, sizeof(*resolve->nexthop), id + 1)) {
		region_free(resolve->region, WYE_SECTION_NEXTHOP_SLOT, id, 1);
		return 0;
	}
	memset(resolve->nexthop + old, 0, (resolve->cap_nexthops - old) * sizeof(*resolve->nexthop));
	resolve->nexthop[id] = (struct nexthop){ .role = NEXTHOP_EMPTY, .refs = 1 };
	return id;
}

static void leave(struct resolve *resolve, uint32_t id)
{
	struct nexthop *nh = &resolve->nexthop[id];

	if (nh->role == NEXTHOP_GROUP)
		nexthop_group_leave(resolve, id);
	nh = &resolve->nexthop[id];
	if (nh->on_link)
		leave_link(resolve, nh);
	if (nh->neigh)
		leave_neigh(resolve, nh);
	nh->role = NEXTHOP_EMPTY;
}

static int join(struct resolve *resolve, uint32_t id, const struct nexthop_leg *legs, size_t n_legs)
{
	struct nexthop *nh = &resolve->nexthop[id];
	int err = 0;

	if (n_legs > 1) {
		nh->role = NEXTHOP_GROUP;
		return nexthop_group_join(resolve, id, legs, n_legs);
	}
	nh->role = NEXTHOP_LEG;
	nh->leg = canonical(legs);
	nh->own_gateway = resolve_owns_gateway(resolve, &nh->leg);
	if (nh->leg.ifindex)
		err = hang_on_link(resolve, id);
	if (!err && nh->leg.kind == WYE_NH_FORWARD && nh->leg.ifindex && nh->leg.family)
		err = hang_on_neigh(resolve, id);
	return err;
}

static void id_free(struct resolve *resolve, uint32_t id)
{
	uint32_t record = resolve->nexthop[id].record;

	leave(resolve, id);
	resolve->nexthop[id] = (struct nexthop){ .role = NEXTHOP_FREE };
	retire_record(resolve, record);
	region_retire(resolve->region, WYE_SECTION_NEXTHOP_SLOT, id, 1);
}

uint32_t nexthop_get(struct resolve *resolve, const struct nexthop_leg *legs, size_t n_legs)
{
	uint32_t id = n_legs ? id_alloc(resolve) : 0, same;

	if (!id)
		return 0;
	if (join(resolve, id, legs, n_legs)) {
		id_free(resolve, id);
		return 0;
	}
	same = content_find(resolve, id);
	if (same) {	/* nobody has seen ours */
		leave(resolve, id);
		resolve->nexthop[id].role = NEXTHOP_FREE;
		region_free(resolve->region, WYE_SECTION_NEXTHOP_SLOT, id, 1);
		resolve->nexthop[same].refs++;
		return same;
	}
	resolve->n_contents++;
	content_grow(resolve);
	content_insert(resolve, id);
	nexthop_remake(resolve, id);
	return id;
}

void nexthop_put(struct resolve *resolve, uint32_t id)
{
	struct nexthop *nh;

	if (!id || id >= resolve->cap_nexthops || resolve->nexthop[id].role == NEXTHOP_FREE)
		return;
	nh = &resolve->nexthop[id];
	if (--nh->refs)
		return;
	if (!nh->named)
		nexthop_content_remove(resolve, id);
	id_free(resolve, id);
}

uint32_t nexthop_named(struct resolve *resolve, uint32_t kernel_id)
{
	uint32_t id = id_alloc(resolve);

	if (id) {
		resolve->nexthop[id].named = true;
		resolve->nexthop[id].kernel_id = kernel_id;
	}
	return id;
}

int nexthop_assign(struct resolve *resolve, uint32_t id, const struct nexthop_leg *legs, size_t n_legs)
{
	static const struct wye_nexthop none;
	int err = 0;

	if (!id || id >= resolve->cap_nexthops || !resolve->nexthop[id].named)
		return -EINVAL;
	leave(resolve, id);
	if (n_legs)
		err = join(resolve, id, legs, n_legs);
	if (n_legs && !err) {
		nexthop_remake(resolve, id);
		return resolve->nexthop[id].record ? 0 : -ENOSPC;
	}
	leave(resolve, id);
	nexthop_publish(resolve, id, &none);
	return err ? -ENOSPC : 0;
}

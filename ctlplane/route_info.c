/* SPDX-License-Identifier: BSD-3-Clause */
/* Interned route contents: see route_info.h. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "route_info.h"

#define KEPT_FLAGS (RTNH_F_ONLINK | RTNH_F_DEAD)

static uint32_t info_hash(const void *ctx, uint32_t index)
{
	return route_info(ctx, index)->hash;
}

int route_infos_open(struct route_infos *infos)
{
	int error = pool_open(&infos->pool, sizeof(struct route_info));

	if (error)
		return error;
	error = hash_open(&infos->hash, 1024, info_hash, infos);
	if (error)
		pool_close(&infos->pool);
	return error;
}

void route_infos_close(struct route_infos *infos)
{
	for (uint32_t i = 1; i < infos->pool.used; i++)
		if (route_info(infos, i)->refs)
			free(route_info(infos, i)->legs);
	hash_close(&infos->hash);
	pool_close(&infos->pool);
}

bool leg_same_path(const struct nexthop_leg *a, const struct nexthop_leg *b)
{
	return a->ifindex == b->ifindex && a->family == b->family && !memcmp(a->gateway, b->gateway, 16);
}

bool route_info_uses(const struct route_info *info, uint32_t ifindex)
{
	for (uint32_t i = 0; i < info->n_legs; i++)
		if (info->legs[i].ifindex == ifindex)
			return true;
	return false;
}

bool route_info_unsure(const struct route_info *info)
{
	for (uint32_t i = 0; i < info->n_legs; i++)
		if (info->legs[i].unsure)
			return true;
	return false;
}

static bool legs_equal(const struct nexthop_leg *a, const struct nexthop_leg *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].kind != b[i].kind || a[i].weight != b[i].weight || a[i].mtu_bytes != b[i].mtu_bytes ||
		    a[i].type != b[i].type || a[i].unsure != b[i].unsure || !leg_same_path(&a[i], &b[i]) ||
		    (a[i].flags & KEPT_FLAGS) != (b[i].flags & KEPT_FLAGS))
			return false;
	return true;
}

static bool info_equal(const void *ctx, uint32_t index, const void *key)
{
	const struct route_info *info = route_info(ctx, index);
	const struct nl_route *route = key;

	return info->family == route->family && info->type == route->type && info->protocol == route->protocol &&
	       info->scope == route->scope && info->pref == route->pref && info->src_len == route->src_len &&
	       info->mtu_locked == route->mtu_locked && info->has_prefsrc == route->has_prefsrc &&
	       info->kernel_id == route->kernel_id && info->rest_hash == route->rest_hash &&
	       info->mtu_bytes == route->mtu_bytes && info->n_legs == route->n_legs &&
	       !memcmp(info->prefsrc, route->prefsrc, 16) && legs_equal(info->legs, route->legs, info->n_legs);
}

static uint32_t route_hash(const struct nl_route *route)
{
	const uint32_t words[] = {
		(uint32_t)route->family | (uint32_t)route->type << 8 | (uint32_t)route->protocol << 16,
		(uint32_t)route->scope | (uint32_t)route->pref << 8 | (uint32_t)route->src_len << 16,
		route->kernel_id, route->rest_hash, route->n_legs,
	};
	uint32_t h = hash_bytes_of(words, sizeof(words), 0);

	for (uint32_t i = 0; i < route->n_legs; i++)
		h = hash_bytes_of(route->legs[i].gateway, 16, h ^ route->legs[i].ifindex);
	return route->has_prefsrc ? hash_bytes_of(route->prefsrc, 16, h) : h;
}

uint32_t route_info_find(const struct route_infos *infos, const struct nl_route *route)
{
	return hash_find(&infos->hash, route_hash(route), info_equal, route);
}

static bool info_fill(struct route_info *info, const struct nl_route *route)
{
	info->family = route->family;
	info->type = route->type;
	info->protocol = route->protocol;
	info->scope = route->scope;
	info->pref = route->pref;
	info->src_len = route->src_len;
	info->mtu_locked = route->mtu_locked;
	info->has_prefsrc = route->has_prefsrc;
	info->kernel_id = route->kernel_id;
	info->rest_hash = route->rest_hash;
	info->mtu_bytes = route->mtu_bytes;
	info->n_legs = route->n_legs;
	memcpy(info->prefsrc, route->prefsrc, 16);
	info->legs = malloc((route->n_legs ? route->n_legs : 1) * sizeof(*info->legs));
	if (!info->legs)
		return false;
	memcpy(info->legs, route->legs, route->n_legs * sizeof(*info->legs));
	for (uint32_t i = 0; i < info->n_legs; i++)
		info->legs[i].flags &= KEPT_FLAGS;
	return true;
}

uint32_t route_info_get(struct route_infos *infos, const struct nl_route *route)
{
	uint32_t h = route_hash(route);
	uint32_t index = hash_find(&infos->hash, h, info_equal, route);
	struct route_info *info;

	if (index) {
		route_info(infos, index)->refs++;
		return index;
	}
	index = pool_take(&infos->pool);
	if (!index)
		return 0;
	info = route_info(infos, index);
	info->hash = h;
	info->refs = 1;
	info->alive = true;
	if (info_fill(info, route) && !hash_enter(&infos->hash, h, index))
		return index;
	free(info->legs);
	pool_give(&infos->pool, index);
	return 0;
}

bool route_info_put(struct route_infos *infos, uint32_t index)
{
	return --route_info(infos, index)->refs == 0;
}

void route_info_doom(struct route_infos *infos, uint32_t index)
{
	struct route_info *info = route_info(infos, index);

	if (!info->doomed)
		hash_remove(&infos->hash, info->hash, index);
	info->doomed = true;
}

void route_info_say(const struct route_info *info, struct nl_route *route)
{
	memset(route, 0, offsetof(struct nl_route, legs));
	route->family = info->family;
	route->type = info->type;
	route->protocol = info->protocol;
	route->scope = info->scope;
	route->pref = info->pref;
	route->src_len = info->src_len;
	route->mtu_locked = info->mtu_locked;
	route->has_prefsrc = info->has_prefsrc;
	route->kernel_id = info->kernel_id;
	route->rest_hash = info->rest_hash;
	route->mtu_bytes = info->mtu_bytes;
	route->n_legs = info->n_legs;
	memcpy(route->prefsrc, info->prefsrc, 16);
	memcpy(route->legs, info->legs, info->n_legs * sizeof(*info->legs));
}

void route_info_free(struct route_infos *infos, uint32_t index)
{
	struct route_info *info = route_info(infos, index);

	if (!info->doomed)
		hash_remove(&infos->hash, info->hash, index);
	free(info->legs);
	pool_give(&infos->pool, index);
}

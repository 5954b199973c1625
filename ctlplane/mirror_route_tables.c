/* SPDX-License-Identifier: BSD-3-Clause */
/* The routing tables that are mirrored: a rib for each table and family, main, local and default always, others with the
 * VRF devices they belong to. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "mirror.h"

struct rib *routes_rib(const struct mirror *mirror, uint8_t family, uint32_t table)
{
	const struct route_table *routes = &mirror->routes;

	for (uint32_t i = 0; i < routes->n_ribs; i++)
		if (routes->rib[i]->table == table && routes->rib[i]->family == family)
			return routes->rib[i];
	return NULL;
}

static int rib_add(struct mirror *mirror, uint8_t family, uint32_t table, uint32_t expected)
{
	struct route_table *routes = &mirror->routes;
	struct rib *rib;
	int error;

	if (routes_rib(mirror, family, table))
		return -EEXIST;
	if (routes->n_ribs == RIBS_MAX)
		return -ENOSPC;
	rib = malloc(sizeof(*rib));
	if (!rib)
		return -ENOMEM;
	error = rib_open(rib, family, table, expected);
	if (error) {
		free(rib);
		return error;
	}
	routes->rib[routes->n_ribs++] = rib;
	return 0;
}

int routes_open(struct mirror *mirror)
{
	const struct wye_config *config = mirror->config;
	int error = route_infos_open(&mirror->routes.infos);

	/* The big two first: routes_rib() looks in this order. */
	if (!error)
		error = rib_add(mirror, AF_INET, RT_TABLE_MAIN, (uint32_t)config->tables.routes4);
	if (!error)
		error = rib_add(mirror, AF_INET6, RT_TABLE_MAIN, (uint32_t)config->tables.routes6);
	for (int f = 0; !error && f < 2; f++) {
		error = rib_add(mirror, f ? AF_INET6 : AF_INET, RT_TABLE_LOCAL, 256);
		if (!error)
			error = rib_add(mirror, f ? AF_INET6 : AF_INET, RT_TABLE_DEFAULT, 64);
	}
	return error;
}

void routes_close(struct mirror *mirror)
{
	for (uint32_t i = 0; i < mirror->routes.n_ribs; i++) {
		rib_close(mirror->routes.rib[i]);
		free(mirror->routes.rib[i]);
	}
	mirror->routes.n_ribs = 0;
	route_infos_close(&mirror->routes.infos);
}

int routes_table_add(struct mirror *mirror, uint32_t table)
{
	struct sync_job job = { .class = CLASS_ROUTE, .table = table };
	int error = rib_add(mirror, AF_INET, table, 1024);

	if (error == -EEXIST)
		return 0;
	if (!error)
		error = rib_add(mirror, AF_INET6, table, 1024);
	if (error || !mirror->phase_two)
		return error;
	for (int f = 0; f < 2; f++) {
		job.family = f ? AF_INET6 : AF_INET;
		if (!sync_add(&mirror->channel[CHANNEL_ROUTE].sync, &job))
			routes_verify(mirror, 0);
	}
	return 0;
}

void routes_table_remove(struct mirror *mirror, uint32_t table)
{
	struct route_table *routes = &mirror->routes;
	uint32_t vrf = links_vrf_of_table(mirror, table);

	if (vrf) /* a fixed table, or another VRF device has it */
		return;
	for (uint32_t i = routes->n_ribs; i-- > 0;) {
		struct rib *rib = routes->rib[i];

		if (rib->table != table)
			continue;
		for (uint32_t at = 1; at < rib->pool.used; at++)
			if (rib_route(rib, at)->info)
				routes_remove(mirror, rib, at);
		rib_close(rib);
		free(rib);
		routes->rib[i] = routes->rib[--routes->n_ribs];
		routes->walking = false; /* indices moved: start over */
		routes->walk_wanted = true;
		routes->sweep_rib = routes->sweep_at = 0;
	}
	vrf = fib_vrf(mirror->tables->fib, table, 0);
	if (vrf > WYE_VRF_MAIN)
		fib_vrf_remove(mirror->tables->fib, vrf);
}

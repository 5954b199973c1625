/* SPDX-License-Identifier: BSD-3-Clause */
/* A run directory of the test's own with a control file and an active region in it; no root, ordinary files. */
#ifndef TABLES_FIXTURE_H
#define TABLES_FIXTURE_H

#include "region_private.h"

struct tables {
	char dir[64];
	struct wye_config config;
	struct control_file control;
	struct region region;
};

/* Small capacities. Both abort the test on error. */
struct tables *tables_create(void);
void tables_destroy(struct tables *tables);

/* region_reclaim() until nothing of `id` but `live` records is in use, or false after `deadline_ms`. */
bool tables_reclaimed(struct tables *tables, enum wye_section_id id, uint32_t live, int deadline_ms);

/* What any reader would check before it maps the region: aborts the test with the reason. */
void tables_check(struct tables *tables);

/* A small generator with a seed: the same numbers everywhere. */
uint64_t test_random(uint64_t *state);

#endif

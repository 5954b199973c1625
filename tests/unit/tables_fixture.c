/* SPDX-License-Identifier: BSD-3-Clause */
#include "tables_fixture.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "wye_map.h"

struct tables *tables_create(void)
{
	struct tables *tables = calloc(1, sizeof(*tables));
	const char *tmp = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";	/* as /run: memory, when there is one */

	assert_non_null(tables);
	snprintf(tables->dir, sizeof(tables->dir), "%s/wye-test-XXXXXX", tmp);
	assert_non_null(mkdtemp(tables->dir));
	tables->config.memory.hugepages = WYE_HUGE_NONE;
	tables->config.tables.routes4 = 200000;
	tables->config.tables.routes6 = 100000;
	tables->config.tables.neighbours = 4000;
	assert_int_equal(control_open(&tables->control, tables->dir), 0);
	assert_int_equal(region_create(&tables->region, &tables->control, &tables->config), 0);
	region_poison(&tables->region, true);
	region_flip(&tables->region);
	return tables;
}

void tables_destroy(struct tables *tables)
{
	if (tables->region.base)
		region_destroy(&tables->region);
	control_close(&tables->control, true);
	assert_int_equal(rmdir(tables->dir), 0);	/* nothing was left in it */
	free(tables);
}

bool tables_reclaimed(struct tables *tables, enum wye_section_id id, uint32_t live, int deadline_ms)
{
	for (int i = 0; i <= deadline_ms; i++) {
		region_reclaim(&tables->region);
		if (region_live(&tables->region, id) == live)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return false;
}

void tables_check(struct tables *tables)
{
	char why[WYE_WHY_BYTES] = "";

	if (wye_region_check(tables->region.base, tables->region.size_bytes, why))
		fail_msg("wye_region_check: %s", why);
}

uint64_t test_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15ULL;	/* splitmix64 */

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return z ^ z >> 31;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attaching to tables that change all the while: a process maps and checks them over and over while the writer adds
 * and removes routes at full speed, reuses freed records at once and fills them with poison. A check that trusted
 * anything but its reader slot would take the poison for damage.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fib.h"
#include "tables_fixture.h"
#include "wye_map.h"

#define ATTACHES 60

/* In a child: 0 after ATTACHES good attaches. */
static int attach_often(const char *dir)
{
	const struct wye_control *control;
	char why[WYE_WHY_BYTES];

	if (wye_map_control(dir, &control, why))
		return 1;
	for (int i = 0; i < ATTACHES; i++) {
		const struct wye_region *region;

		if (wye_map_tables(control, &region, why)) {
			fprintf(stderr, "attach %d: %s\n", i, why);
			return 2;
		}
		wye_unmap(region);
	}
	return 0;
}

static uint32_t make_nexthop(struct region *region)
{
	uint32_t id = region_alloc(region, WYE_SECTION_NEXTHOP_SLOT, 1);
	uint32_t index = region_alloc(region, WYE_SECTION_NEXTHOP, 1);
	struct wye_nexthop *nexthop = (struct wye_nexthop *)region_records(region, WYE_SECTION_NEXTHOP) + index;

	*nexthop = (struct wye_nexthop){ .kind = WYE_NH_UNREACHABLE };
	wye_publish_word((_Atomic uint32_t *)region_records(region, WYE_SECTION_NEXTHOP_SLOT) + id, index);
	return id;
}

/* A few hundred routes under 10.0.0.0/12 and 2001:db8::/32, some set, some removed. */
static void churn(struct fib *fib, uint32_t id, uint64_t *seed)
{
	for (int i = 0; i < 300; i++) {
		uint64_t r = test_random(seed);
		uint8_t addr4[4] = { 10, (uint8_t)(r & 15), (uint8_t)(r >> 8), (uint8_t)(r >> 16) };
		uint8_t addr6[16] = { 0x20, 1, 0x0D, 0xB8, (uint8_t)(r & 3), (uint8_t)(r >> 8), [15] = 1 };

		fib_set(fib, WYE_VRF_MAIN, AF_INET, addr4, (uint8_t)(17 + (r >> 24) % 16), (r >> 40) & 1 ? id : 0);
		fib_set(fib, WYE_VRF_MAIN, AF_INET6, addr6, (uint8_t)(33 + (r >> 24) % 96), (r >> 41) & 1 ? id : 0);
	}
}

static void attaching_to_moving_tables(void **state)
{
	struct tables *tables = tables_create();
	struct fib *fib = fib_create(&tables->region);
	uint32_t id = make_nexthop(&tables->region);
	uint64_t seed = 1, rounds = 0;
	int status = -1;
	pid_t child;

	assert_non_null(fib);
	child = fork();
	if (!child)
		_exit(attach_often(tables->dir));
	while (waitpid(child, &status, WNOHANG) == 0) {
		churn(fib, id, &seed);
		fib_flush(fib, 0);
		region_reclaim(&tables->region);
		rounds++;
	}
	assert_int_equal(status, 0);
	assert_true(rounds > 10);
	tables_check(tables);
	fib_destroy(fib);
	tables_destroy(tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(attaching_to_moving_tables) };

	return cmocka_run_group_tests_name("map_live", tests, NULL, NULL);
}

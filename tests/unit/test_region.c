/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control file's lock and life, regions and the flip, records that come back, and above all when: a retired
 * record is not given out again while a reader may look at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "fib.h"
#include "tables_fixture.h"
#include "wye_map.h"

static int setup(void **state)
{
	*state = tables_create();
	return 0;
}

static int teardown(void **state)
{
	tables_destroy(*state);
	return 0;
}

static bool exists(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !access(path, F_OK);
}

/* Runs fn in a child and gives its result. */
static int in_child(int (*fn)(void *), void *arg)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(fn(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* ---- control ------------------------------------------------------------------------------------------------------- */

static int open_second(void *dir)
{
	struct control_file control;

	if (!freopen("/dev/null", "w", stderr))
		return 255;
	return -control_open(&control, dir);
}

static void second_writer_is_refused(void **state)
{
	struct tables *tables = *state;

	assert_int_equal(in_child(open_second, tables->dir), EBUSY);
	assert_int_equal(tables->control.page->file.writer_pid, getpid());
	assert_int_equal(tables->control.page->file.writer_start, wye_process_start(getpid()));
}

static int open_and_die(void *dir)
{
	struct control_file control;
	struct region region;
	struct wye_config config = { .tables = { 1000, 1000, 1000, 10, 0 }, .memory.hugepages = WYE_HUGE_NONE };

	if (control_open(&control, dir) || region_create(&region, &control, &config))
		return 1;
	region_flip(&region);
	return region_create(&region, &control, &config) ? 2 : 0;	/* a second one, never flipped */
}

/* The next writer finds the same control inode, the dead one's region still active, and its leftovers gone. */
static void takes_over_from_the_dead(void **state)
{
	char dir[] = "/tmp/wye-test-XXXXXX", path[64];
	struct control_file control;
	struct region region;
	struct wye_config config = { .tables = { 1000, 1000, 1000, 10, 0 }, .memory.hugepages = WYE_HUGE_NONE };
	struct stat before, after;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(in_child(open_and_die, dir), 0);
	snprintf(path, sizeof(path), "%s/control", dir);
	assert_int_equal(stat(path, &before), 0);
	assert_true(exists(dir, "tables.1") && exists(dir, "tables.2"));
	assert_int_equal(control_open(&control, dir), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(control.page->active, 1);
	assert_int_equal(control.page->state, WYE_MIRROR_STARTING);
	assert_true(exists(dir, "tables.1") && !exists(dir, "tables.2"));
	assert_int_equal(region_create(&region, &control, &config), 0);
	assert_int_equal(region.generation, 2);
	region_flip(&region);
	assert_int_equal(control.page->active, 2);
	assert_true(!exists(dir, "tables.1") && exists(dir, "tables.2"));
	region_destroy(&region);
	control_close(&control, true);
	assert_int_equal(rmdir(dir), 0);
}

static void other_layout_is_replaced(void **state)
{
	char dir[] = "/tmp/wye-test-XXXXXX", path[64];
	struct control_file control;
	int fd;

	assert_non_null(mkdtemp(dir));
	for (int which = 0; which < 3; which++) {
		static const char *const name[] = { "control", "readers", "control" };
		struct stat before, after;

		snprintf(path, sizeof(path), "%s/%s", dir, name[which]);
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0640);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, which == 2 ? sizeof(struct wye_control) : 10), 0);
		assert_int_equal(fstat(fd, &before), 0);
		assert_int_equal(control_open(&control, dir), 0);
		assert_int_equal(stat(path, &after), 0);
		assert_int_not_equal(before.st_ino, after.st_ino);
		assert_int_equal(control.page->file.magic, WYE_MAGIC);
		assert_int_equal(control.readers->file.layout_hash, WYE_LAYOUT_HASH);
		close(fd);
		control_close(&control, true);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void bad_run_dir(void **state)
{
	struct control_file control;

	assert_true(control_open(&control, "/proc/no/such/place") < 0);
	assert_null(control.page);
}

/* ---- region -------------------------------------------------------------------------------------------------------- */

/* What the writer makes, a reader accepts; after the flip it finds the new one. */
static void readers_find_it(void **state)
{
	struct tables *tables = *state;
	const struct wye_control *control;
	const struct wye_region *region = NULL;
	struct fib *fib = fib_create(&tables->region);
	struct region next;
	char why[WYE_WHY_BYTES] = "";

	assert_non_null(fib);
	if (wye_map_control(tables->dir, &control, why) || wye_map_tables(control, &region, why))
		fail_msg("%s", why);
	assert_int_equal(region->file.generation, 1);
	wye_unmap(region);
	assert_int_equal(region_create(&next, &tables->control, &tables->config), 0);
	assert_true(exists(tables->dir, "tables.2"));
	fib_destroy(fib);
	fib = fib_create(&next);
	region_flip(&next);
	assert_false(exists(tables->dir, "tables.1"));
	assert_int_equal(wye_map_tables(control, &region, why), 0);
	assert_int_equal(region->file.generation, 2);
	wye_unmap(region);
	fib_destroy(fib);
	region_destroy(&tables->region);
	tables->region = next;
	control_state(&tables->control, WYE_MIRROR_STOPPED);
	wye_unmap(control);
}

/* An empty region costs next to nothing, whatever its capacities. */
static void sparse(void **state)
{
	struct tables *tables = *state;
	struct fib *fib;
	struct region big;
	struct stat st;
	char path[300];

	tables->config.tables.routes4 = 20000000;
	tables->config.tables.routes6 = 5000000;
	tables->config.tables.neighbours = 10000;
	assert_int_equal(region_create(&big, &tables->control, &tables->config), 0);
	fib = fib_create(&big);
	assert_non_null(fib);
	for (uint32_t table = 1000; table < 1100; table++)
		assert_int_not_equal(fib_vrf(fib, table, table), 0);
	snprintf(path, sizeof(path), "%s/tables.2", tables->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 1 << 30);
	assert_true(st.st_blocks * 512 < 4 << 20);
	fib_destroy(fib);
	region_destroy(&big);
	assert_false(exists(tables->dir, "tables.2"));
}

/* ---- allocation ---------------------------------------------------------------------------------------------------- */

struct run {
	uint32_t index, count;
};

/* Runs of all sizes never overlap, are reused, and merge: when all are free, one run of everything fits again. */
static void runs_do_not_overlap(void **state)
{
	struct tables *tables = *state;
	static struct run run[3000];
	uint32_t *units = region_records(&tables->region, WYE_SECTION_FIB_NODE), most = 0, used;
	uint64_t seed = 3;

	memset(run, 0, sizeof(run));
	for (int round = 0; round < 200000; round++) {
		struct run *r = &run[test_random(&seed) % 3000];

		if (r->index) {
			for (uint32_t i = 0; i < r->count; i++)
				assert_int_equal(units[(r->index + i) * 16], r->index);
			region_free(&tables->region, WYE_SECTION_FIB_NODE, r->index, r->count);
			r->index = 0;
			continue;
		}
		r->count = 1 + (uint32_t)(test_random(&seed) % 17);
		r->index = region_alloc(&tables->region, WYE_SECTION_FIB_NODE, r->count);
		assert_int_not_equal(r->index, 0);
		for (uint32_t i = 0; i < r->count; i++)
			units[(r->index + i) * 16] = r->index;
		if (region_live(&tables->region, WYE_SECTION_FIB_NODE) > most)
			most = region_live(&tables->region, WYE_SECTION_FIB_NODE);
	}
	used = tables->region.base->section[WYE_SECTION_FIB_NODE].used;
	assert_true(used < most + most / 5);	/* fragmentation: under 20% above the peak */
	for (int i = 0; i < 3000; i++)
		if (run[i].index)
			region_free(&tables->region, WYE_SECTION_FIB_NODE, run[i].index, run[i].count);
	assert_int_equal(region_live(&tables->region, WYE_SECTION_FIB_NODE), 0);
	assert_int_equal(region_alloc(&tables->region, WYE_SECTION_FIB_NODE, used - 1), 1);
	region_free(&tables->region, WYE_SECTION_FIB_NODE, 1, used - 1);
}

static void full_section_says_so(void **state)
{
	struct tables *tables = *state;
	uint32_t n = 0;

	while (region_alloc(&tables->region, WYE_SECTION_ADDR, 1))
		n++;
	assert_int_equal(n, 65535);
	assert_true(tables->region.failed);
	region_free(&tables->region, WYE_SECTION_ADDR, 77, 1);
	assert_int_equal(region_alloc(&tables->region, WYE_SECTION_ADDR, 1), 77);
}

/* ---- grace periods ------------------------------------------------------------------------------------------------- */

static uint32_t alloc_node(struct tables *tables)
{
	uint32_t index = region_alloc(&tables->region, WYE_SECTION_FIB_NODE, 1);

	assert_int_not_equal(index, 0);
	return index;
}

static void retire_node(struct tables *tables, uint32_t index)
{
	region_retire(&tables->region, WYE_SECTION_FIB_NODE, index, 1);
	region_reclaim(&tables->region);
}

/* Is it still kept? Tries more than once: the writer must not give up waiting. */
static bool kept(struct tables *tables, uint32_t live)
{
	for (int i = 0; i < 20; i++)
		region_reclaim(&tables->region);
	return region_live(&tables->region, WYE_SECTION_FIB_NODE) == live;
}

static struct wye_reader_slot *go_online(struct tables *tables)
{
	struct wye_reader_slot *slot = wye_reader_claim(tables->control.readers, 1);

	assert_non_null(slot);
	atomic_store(&slot->generation, tables->region.generation);
	wye_reader_online(slot, &tables->region.base->epoch);
	return slot;
}

static void waits_for_a_reader(void **state)
{
	struct tables *tables = *state;
	struct wye_reader_slot *slot;
	uint32_t a = alloc_node(tables), b;

	retire_node(tables, a);		/* nobody reads: at once */
	assert_int_equal(region_live(&tables->region, WYE_SECTION_FIB_NODE), 0);
	assert_int_equal(alloc_node(tables), a);
	slot = go_online(tables);
	retire_node(tables, a);
	assert_true(kept(tables, 1));
	b = alloc_node(tables);
	assert_int_not_equal(b, a);
	wye_reader_quiescent(slot, &tables->region.base->epoch);
	assert_true(tables_reclaimed(tables, WYE_SECTION_FIB_NODE, 1, 1000));
	assert_int_equal(alloc_node(tables), a);
	retire_node(tables, a);
	assert_true(kept(tables, 2));
	retire_node(tables, b);		/* a second batch behind the first */
	wye_reader_quiescent(slot, &tables->region.base->epoch);
	assert_true(tables_reclaimed(tables, WYE_SECTION_FIB_NODE, 0, 1000));
	wye_reader_release(slot);
}

/* What is retired after the reader's last quiescent point waits for its next one, not for that. */
static void one_epoch_is_not_another(void **state)
{
	struct tables *tables = *state;
	uint32_t a = alloc_node(tables), b = alloc_node(tables);
	struct wye_reader_slot *slot = go_online(tables);

	retire_node(tables, a);
	wye_reader_quiescent(slot, &tables->region.base->epoch);
	region_retire(&tables->region, WYE_SECTION_FIB_NODE, b, 1);
	assert_true(kept(tables, 1));
	wye_reader_offline(slot);
	assert_true(tables_reclaimed(tables, WYE_SECTION_FIB_NODE, 0, 1000));
	wye_reader_release(slot);
}

static void others_do_not_hold_it_up(void **state)
{
	struct tables *tables = *state;
	uint32_t a = alloc_node(tables);
	struct wye_reader_slot *slot = go_online(tables);

	atomic_store(&slot->generation, tables->region.generation + 1);	/* reads another region */
	retire_node(tables, a);
	assert_int_equal(region_live(&tables->region, WYE_SECTION_FIB_NODE), 0);
	wye_reader_release(slot);
}

/* Many epochs while one reader sleeps online: nothing is lost, nothing comes back early. */
static void a_slow_reader(void **state)
{
	struct tables *tables = *state;
	struct wye_reader_slot *slot = go_online(tables);

	for (int i = 0; i < 5000; i++)
		retire_node(tables, alloc_node(tables));
	assert_true(kept(tables, 5000));
	wye_reader_quiescent(slot, &tables->region.base->epoch);
	wye_reader_quiescent(slot, &tables->region.base->epoch);
	for (int i = 0; i < 200 && region_live(&tables->region, WYE_SECTION_FIB_NODE); i++) {
		region_reclaim(&tables->region);
		wye_reader_quiescent(slot, &tables->region.base->epoch);
	}
	assert_int_equal(region_live(&tables->region, WYE_SECTION_FIB_NODE), 0);
	wye_reader_release(slot);
}

static void the_dead_do_not_hold_it_up(void **state)
{
	struct tables *tables = *state;
	uint32_t a = alloc_node(tables);
	int ready[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		go_online(tables);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	retire_node(tables, a);
	assert_false(tables_reclaimed(tables, WYE_SECTION_FIB_NODE, 0, 300));	/* alive: its slot counts */
	assert_int_equal(atomic_load(&tables->control.readers->slot[0].pid), pid);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(tables_reclaimed(tables, WYE_SECTION_FIB_NODE, 0, 5000));
	assert_int_equal(atomic_load(&tables->control.readers->slot[0].pid), 0);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(second_writer_is_refused, setup, teardown),
		cmocka_unit_test(takes_over_from_the_dead),
		cmocka_unit_test(other_layout_is_replaced),
		cmocka_unit_test(bad_run_dir),
		cmocka_unit_test_setup_teardown(readers_find_it, setup, teardown),
		cmocka_unit_test_setup_teardown(sparse, setup, teardown),
		cmocka_unit_test_setup_teardown(runs_do_not_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(full_section_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_a_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(one_epoch_is_not_another, setup, teardown),
		cmocka_unit_test_setup_teardown(others_do_not_hold_it_up, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(the_dead_do_not_hold_it_up, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Mapping the shared files: good ones work, every other kind of file is refused with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sample_region.h"
#include "wye_map.h"

/* A run directory of this test's own. */
struct run {
	char dir[64], control[96], readers[96], stats[96], tables[96];
	struct wye_control *page;	/* what is in the control file */
};

static void write_file(const char *path, const void *bytes, size_t len_bytes)
{
	char temporary[128];
	int fd;

	snprintf(temporary, sizeof(temporary), "%s~", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len_bytes), len_bytes);
	close(fd);
	assert_int_equal(rename(temporary, path), 0);
}

static struct wye_file header(enum wye_file_kind kind, uint64_t size_bytes)
{
	return (struct wye_file){ .magic = WYE_MAGIC, .abi_version = WYE_ABI_VERSION, .kind = kind,
				  .layout_hash = WYE_LAYOUT_HASH, .size_bytes = size_bytes };
}

static void write_control(struct run *run)
{
	write_file(run->control, run->page, sizeof(*run->page));
}

static void name_tables(struct run *run, uint64_t generation, const char *path, uint64_t size_bytes)
{
	struct wye_control_region *entry = &run->page->region[generation & 1];

	entry->generation = generation;
	entry->size_bytes = size_bytes;
	snprintf(entry->path, sizeof(entry->path), "%s", path);
	atomic_store_explicit(&run->page->active, generation, memory_order_release);
}

static uint64_t write_tables(const char *path, uint64_t generation)
{
	uint64_t size_bytes;
	struct wye_region *region = sample_region(&size_bytes);

	region->file.generation = generation;
	write_file(path, region, size_bytes);
	free(region);
	return size_bytes;
}

static int run_setup(void **state)
{
	struct run *run = calloc(1, sizeof(*run));
	struct wye_readers *readers = calloc(1, sizeof(*readers));
	struct wye_stats *stats = aligned_alloc(64, sizeof(*stats));

	strcpy(run->dir, "/tmp/wye-test-map-XXXXXX");
	if (!mkdtemp(run->dir))
		return -1;
	chmod(run->dir, 0755);
	snprintf(run->control, sizeof(run->control), "%s/control", run->dir);
	snprintf(run->readers, sizeof(run->readers), "%s/readers", run->dir);
	snprintf(run->stats, sizeof(run->stats), "%s/stats", run->dir);
	snprintf(run->tables, sizeof(run->tables), "%s/tables.1", run->dir);
	run->page = calloc(1, sizeof(*run->page));
	run->page->file = header(WYE_KIND_CONTROL, sizeof(*run->page));
	readers->file = header(WYE_KIND_READERS, sizeof(*readers));
	memset((void *)stats, 0, sizeof(*stats));
	stats->file = header(WYE_KIND_STATS, sizeof(*stats));
	write_file(run->readers, readers, sizeof(*readers));
	write_file(run->stats, stats, sizeof(*stats));
	name_tables(run, 1, run->tables, write_tables(run->tables, 1));
	write_control(run);
	free(readers);
	free(stats);
	*state = run;
	return 0;
}

static int run_teardown(void **state)
{
	struct run *run = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", run->dir);
	free(run->page);
	free(run);
	return system(command);
}

static void good_files_map(void **state)
{
	struct run *run = *state;
	const struct wye_control *control;
	const struct wye_region *region, *same;
	const struct wye_stats *stats;
	struct wye_readers *readers;
	struct wye_reader_slot *slot;
	char why[WYE_WHY_BYTES] = "";

	assert_int_equal(wye_map_control(run->dir, &control, why), 0);
	assert_int_equal(wye_map_readers(run->dir, &readers, why), 0);
	assert_int_equal(wye_map_stats(run->dir, &stats, why), 0);
	if (wye_map_tables(control, &region, why))
		fail_msg("%s", why);
	assert_int_equal(region->file.generation, 1);
	assert_int_equal(wye_map_tables_file(run->tables, &same, why), 0);
	for (int i = 0; i < WYE_READER_SLOTS; i++)
		assert_int_equal(readers->slot[i].pid, 0); /* the check's own slot is given back */
	slot = wye_reader_claim(readers, 0); /* writable */
	assert_non_null(slot);
	wye_reader_release(slot);
	wye_unmap(same);
	wye_unmap(region);
	wye_unmap(stats);
	wye_unmap(readers);
	wye_unmap(control);
	wye_unmap(NULL);
}

/* Refused with this error, and the sentence has both texts in it. */
static void refused(int got, int expected, const char *why, const char *object, const char *what)
{
	if (got != expected || !strstr(why, object) || !strstr(why, what))
		fail_msg("%d (expected %d): \"%s\" lacks \"%s\" or \"%s\"", got, expected, why, object, what);
}

static void missing_files_name_the_daemon(void **state)
{
	struct run *run = *state;
	const struct wye_control *control;
	const struct wye_stats *stats;
	char why[WYE_WHY_BYTES];

	unlink(run->control);
	unlink(run->stats);
	refused(wye_map_control(run->dir, &control, why), -ENOENT, why, run->control, "wye-ctld is not running; start it");
	refused(wye_map_stats(run->dir, &stats, why), -ENOENT, why, run->stats, "wye-dpd is not running; start it");
}

static void other_versions_are_refused(void **state)
{
	struct run *run = *state;
	const struct wye_control *control;
	char why[WYE_WHY_BYTES];

	run->page->file.abi_version = 9;
	write_control(run);
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control, "ABI version 9, this program has 1");
	run->page->file.abi_version = WYE_ABI_VERSION;
	run->page->file.layout_hash++;
	write_control(run);
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control, "layout hash");
	run->page->file.layout_hash--;
	run->page->file.kind = WYE_KIND_READERS;
	write_control(run);
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control, "kind 3, expected 1 (control)");
}

static void short_and_strange_files_are_refused(void **state)
{
	struct run *run = *state;
	const struct wye_control *control;
	char why[WYE_WHY_BYTES], garbage[4096];

	write_file(run->control, "", 0);
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control, "truncated: 0 bytes");
	write_file(run->control, run->page, 63);
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control, "truncated: 63 bytes");
	write_file(run->control, run->page, 4095);
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control,
		"truncated: 4095 bytes, its header says 4096");
	run->page->file.size_bytes = 64;
	write_control(run);
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control, "header says 64 bytes");
	memset(garbage, 'g', sizeof(garbage));
	write_file(run->control, garbage, sizeof(garbage));
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control,
		"not a file of wye's: magic 0x6767676767676767");
}

static void links_and_fifos_are_refused(void **state)
{
	struct run *run = *state;
	const struct wye_control *control;
	char why[WYE_WHY_BYTES], other[128];

	snprintf(other, sizeof(other), "%s/elsewhere", run->dir);
	assert_int_equal(rename(run->control, other), 0);
	assert_int_equal(symlink(other, run->control), 0);
	refused(wye_map_control(run->dir, &control, why), -ELOOP, why, run->control, "is a symbolic link");
	unlink(run->control);
	assert_int_equal(mkfifo(run->control, 0600), 0);
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control, "not a regular file");
	unlink(run->control);
	assert_int_equal(mkdir(run->control, 0700), 0);
	refused(wye_map_control(run->dir, &control, why), -EPROTO, why, run->control, "not a regular file");
}

static void files_others_may_write_are_refused(void **state)
{
	struct run *run = *state;
	const struct wye_control *control;
	char why[WYE_WHY_BYTES];

	chmod(run->control, 0664);
	refused(wye_map_control(run->dir, &control, why), -EPERM, why, run->control, "mode 0664 lets others write it");
	chmod(run->control, 0644);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(run->control, 4711, 4711), 0);
	refused(wye_map_control(run->dir, &control, why), -EPERM, why, run->control, "owned by user id 4711");
}

/* In a child of no privileges: 0 when it was refused as it should be. */
static int refused_unprivileged(const struct run *run)
{
	const struct wye_control *control;
	char why[WYE_WHY_BYTES] = "";

	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		return 2;
	return wye_map_control(run->dir, &control, why) == -EACCES && strstr(why, "permission denied for user id") ? 0 : 1;
}

static void no_permission_is_told(void **state)
{
	struct run *run = *state;
	int status = -1;
	pid_t pid;

	chmod(run->control, 0);
	pid = fork();
	if (!pid)
		_exit(refused_unprivileged(run));
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void long_directory_is_refused(void **state)
{
	const struct wye_control *control;
	char why[WYE_WHY_BYTES], dir[5000];

	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(wye_map_control(dir, &control, why), -ENAMETOOLONG);
}

static void tables_follow_the_control_page(void **state)
{
	struct run *run = *state;
	const struct wye_region *region;
	char why[WYE_WHY_BYTES];

	run->page->active = 0;
	refused(wye_map_tables(run->page, &region, why), -EAGAIN, why, "wye-ctld has no complete tables yet", "wait");
	name_tables(run, 2, "tables.2", 4096);
	refused(wye_map_tables(run->page, &region, why), -EPROTO, why, "control file", "not absolute");
	name_tables(run, 2, "/nonexistent/tables.2", 4096);
	refused(wye_map_tables(run->page, &region, why), -ESTALE, why, "/nonexistent/tables.2", "went away");
	name_tables(run, 2, run->tables, write_tables(run->tables, 1));
	refused(wye_map_tables(run->page, &region, why), -EPROTO, why, run->tables,
		"generation 1, the control file names 2");
	name_tables(run, 1, run->tables, 4096);
	refused(wye_map_tables(run->page, &region, why), -EPROTO, why, run->tables, "the control file says 4096");
	run->page->region[1].generation = 3;
	refused(wye_map_tables(run->page, &region, why), -EPROTO, why, "generation 1 is active", "its entry is of 3");
	memset(run->page->region[1].path, '/', sizeof(run->page->region[1].path));
	run->page->region[1].generation = 1;
	refused(wye_map_tables(run->page, &region, why), -EPROTO, why, "control file", "has no end");
}

static void unsound_tables_are_refused_by_name(void **state)
{
	struct run *run = *state;
	const struct wye_control *control;
	const struct wye_region *region;
	uint64_t size_bytes;
	struct wye_region *bad = sample_region(&size_bytes);
	char why[WYE_WHY_BYTES];

	((struct wye_vrf *)sample_record(bad, WYE_SECTION_VRF, 1))->root4 = 77;
	write_file(run->tables, bad, size_bytes);
	refused(wye_map_tables_file(run->tables, &region, why), -EPROTO, why, run->tables, "VRF 1: IPv4 root at word 77");
	assert_int_equal(wye_map_control(run->dir, &control, why), 0);
	refused(wye_map_tables(control, &region, why), -EPROTO, why, run->tables, "VRF 1: IPv4 root at word 77");
	write_file(run->tables, bad, size_bytes - 4096);
	refused(wye_map_tables(control, &region, why), -EPROTO, why, run->tables, "truncated:");
	wye_unmap(control);
	free(bad);
}

/* The same region without its pages of zeros. */
static void write_sparse(const char *path)
{
	static const char zeros[4096];
	uint64_t size_bytes;
	struct wye_region *region = sample_region(&size_bytes);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(ftruncate(fd, (off_t)size_bytes), 0);
	for (uint64_t at = 0; at < size_bytes; at += 4096)
		if (memcmp((char *)region + at, zeros, 4096))
			assert_int_equal(pwrite(fd, (char *)region + at, 4096, (off_t)at), 4096);
	close(fd);
	free(region);
}

/* A look at an empty page of tmpfs would make it cost memory. */
static void looking_costs_no_memory(void **state)
{
	char path[] = "/dev/shm/wye-test-map-XXXXXX", why[WYE_WHY_BYTES];
	const struct wye_region *region;
	struct stat before, after;
	int fd = mkstemp(path);

	if (fd < 0)
		skip(); /* no tmpfs here */
	close(fd);
	write_sparse(path);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(wye_map_tables_file(path, &region, why), 0);
	assert_int_equal(stat(path, &after), 0);
	wye_unmap(region);
	unlink(path);
	assert_true(before.st_blocks * 512 < 128 * 1024);
	assert_int_equal(after.st_blocks, before.st_blocks);
}

struct flipper {
	struct run *run;
	_Atomic int stop;
};

/* What ctld does: new file, its entry, the flip, the old file unlinked. */
static void *flip(void *arg)
{
	struct flipper *flipper = arg;
	char path[2][128];

	strcpy(path[1], flipper->run->tables);
	for (uint64_t generation = 2; !flipper->stop; generation++) {
		char *now = path[generation & 1];

		snprintf(now, sizeof(path[0]), "%s/tables.%llu", flipper->run->dir, (unsigned long long)generation);
		name_tables(flipper->run, generation, now, write_tables(now, generation));
		unlink(path[(generation + 1) & 1]);
	}
	return NULL;
}

static void flips_are_survived(void **state)
{
	struct flipper flipper = { .run = *state };
	char why[WYE_WHY_BYTES];
	unsigned int stale = 0;
	uint64_t last = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, flip, &flipper), 0);
	for (int i = 0; i < 150; i++) {
		const struct wye_region *region;
		int error = wye_map_tables(flipper.run->page, &region, why);

		if (error == -ESTALE) {
			stale++;
			continue;
		}
		if (error)
			fail_msg("%s", why);
		assert_true(region->file.generation >= last);
		last = region->file.generation;
		wye_unmap(region);
	}
	flipper.stop = 1;
	pthread_join(thread, NULL);
	assert_true(last > 1);
	assert_true(stale < 75);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)
	const struct CMUnitTest tests[] = {
		TEST(good_files_map),
		TEST(missing_files_name_the_daemon),
		TEST(other_versions_are_refused),
		TEST(short_and_strange_files_are_refused),
		TEST(links_and_fifos_are_refused),
		TEST(files_others_may_write_are_refused),
		TEST(no_permission_is_told),
		TEST(long_directory_is_refused),
		TEST(tables_follow_the_control_page),
		TEST(unsound_tables_are_refused_by_name),
		TEST(looking_costs_no_memory),
		TEST(flips_are_survived),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}

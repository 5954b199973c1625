/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of CPUs, and whose CPU an unnamed worker gets, by copies of /sys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "wye_cpus.h"

static void lists(void **state)
{
	static const struct {
		const char *list;
		int n, first, last;	/* how many CPUs, which */
	} known[] = {
		{ "", 0, -1, -1 },	     { "\n", 0, -1, -1 },	{ "0", 1, 0, 0 },
		{ "0-3,8", 5, 0, 8 },	     { "1,3-4", 3, 1, 4 },	{ "3-1", 0, -1, -1 },
		{ "5,", 1, 5, 5 },	     { ",5", 0, -1, -1 },	{ "(null)", 0, -1, -1 },
		{ "1,,2", 1, 1, 1 },	     { "1-", 0, -1, -1 },	{ "-1", 0, -1, -1 },
		{ "1023", 1, 1023, 1023 },   { "1024", 0, -1, -1 },	{ "1022-99999999999999999999", 2, 1022, 1023 },
		{ "2 3", 1, 2, 2 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int first = -1, last = -1;
		cpu_set_t set;

		wye_cpus_parse(known[i].list, &set);
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &set)) {
				first = first < 0 ? cpu : first;
				last = cpu;
			}
		if (CPU_COUNT(&set) != known[i].n || first != known[i].first || last != known[i].last)
			fail_msg("\"%s\": %d CPUs, %d to %d", known[i].list, CPU_COUNT(&set), first, last);
	}
}

/* ---- with a /sys ------------------------------------------------------------------------------------------------- */

static char dir[] = "/tmp/wye-cpus-XXXXXX";
static const struct wye_sysroot root = { dir };
static const char *const folders[] = { "sys", "sys/devices", "sys/devices/system", "sys/devices/system/cpu", "sys/fs",
				       "sys/fs/cgroup" };
static const char *const files[] = { "sys/devices/system/cpu/isolated", "sys/fs/cgroup/cpuset.cpus.isolated" };

static int make(void **state)
{
	char path[256];

	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		if (mkdir(path, 0700))
			return -1;
	}
	return 0;
}

static int unmake(void **state)
{
	char path[256];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	for (size_t i = sizeof(folders) / sizeof(folders[0]); i-- > 0;) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		rmdir(path);
	}
	return rmdir(dir);
}

/* NULL: there is no such file. */
static void write_lists(const char *const lists_[2])
{
	for (size_t i = 0; i < 2; i++) {
		char path[256];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
		if (!lists_[i])
			continue;
		file = fopen(path, "w");
		assert_non_null(file);
		fprintf(file, "%s\n", lists_[i]);
		fclose(file);
	}
}

static void default_cpu(void **state)
{
	static const struct {
		const char *isolated[2];	/* by the kernel's command line, by cpusets */
		const char *may;
		bool given;
		uint16_t cpu;
	} known[] = {
		{ { NULL, NULL }, "0-7", false, 1 },	{ { "", "" }, "0-7", false, 1 },
		{ { "2-3", NULL }, "0-7", false, 2 },	{ { "2-3", NULL }, "0-1,3", false, 3 },
		{ { "2-3", NULL }, "0-1", false, 1 },	{ { "", "6" }, "0-7", false, 6 },
		{ { "5", "4" }, "0-7", false, 4 },	{ { "0", NULL }, "0-7", false, 0 },
		{ { "2-3", NULL }, "0-7", true, 1 },	/* CPU 1 was asked for */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct wye_config config = { .workers = { .cpu = { 1 }, .n_cpus = 1, .cpus_given = known[i].given } };
		cpu_set_t may;

		write_lists(known[i].isolated);
		wye_cpus_parse(known[i].may, &may);
		wye_cpus_default(&root, &may, &config);
		assert_int_equal(config.workers.n_cpus, 1);
		if (config.workers.cpu[0] != known[i].cpu)
			fail_msg("row %zu: CPU %u", i, config.workers.cpu[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test_setup_teardown(default_cpu, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

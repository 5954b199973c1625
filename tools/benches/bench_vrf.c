/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a VRF without routes costs: VRFS of them are made in a region on 4 KiB pages, and addresses all over are looked up
 * in each through a mapping as the dataplane has it, as packets would. Counted is what the tables' file and the writer's
 * own memory grew by. Prints one JSON object.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fib.h"
#include "wye_fib.h"

#define VRFS 100u

static char dir[128];
static struct control_file control;
static struct region region;

static void die(const char *what, int err)
{
	fprintf(stderr, "bench_vrf: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static double own_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[128];
	double kib = 0;

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "RssAnon: %lf kB", &kib);
	if (status)
		fclose(status);
	return kib;
}

static int open_tables(void)
{
	char path[sizeof(region.dir) + 32];
	int fd;

	snprintf(path, sizeof(path), "%s/" WYE_FILE_TABLES ".%llu", region.dir, (unsigned long long)region.generation);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path, errno);
	return fd;
}

static double file_kib(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		die("fstat", errno);
	return (double)st.st_blocks / 2;
}

/* One address of each page of both roots. Returns how many have a route. */
static uint32_t look_around(const struct wye_region *mapped, uint32_t vrf)
{
	struct wye_fib fib = wye_fib_of(mapped, vrf);
	uint32_t found = 0;

	for (uint32_t slot = 0; slot < WYE_FIB_ROOT_WORDS; slot += 1024) {
		uint8_t addr[16] = { (uint8_t)(slot >> 8), (uint8_t)slot };

		found += !!wye_fib4_lookup(&fib, addr) + !!wye_fib6_lookup(&fib, addr);
	}
	return found;
}

static void clean_up(void)
{
	if (region.base)
		region_destroy(&region);
	if (control.page)
		control_close(&control, true);
	rmdir(dir);
}

int main(void)
{
	struct wye_config config = { .tables = { .routes4 = 2 << 20, .routes6 = 1 << 19, .neighbours = 1 << 12 },
				     .memory.hugepages = WYE_HUGE_NONE };
	struct wye_region *mapped;
	double file, own;
	struct fib *fib;
	int fd, err;

	snprintf(dir, sizeof(dir), "%s/wye-bench-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(dir))
		die(dir, errno);
	atexit(clean_up);
	err = control_open(&control, dir);
	err = err ? err : region_create(&region, &control, &config);
	if (err)
		die("region_create", err);
	fib = fib_create(&region);
	if (!fib)
		die("fib_create", errno);
	fd = open_tables();
	mapped = mmap(NULL, region.size_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		die("mmap", errno);
	look_around(mapped, WYE_VRF_MAIN);
	file = file_kib(fd);
	own = own_kib();
	for (uint32_t i = 0; i < VRFS; i++) {
		uint32_t vrf = fib_vrf(fib, 1000 + i, 1000 + i);

		if (!vrf || look_around(mapped, vrf))
			die("fib_vrf", ENOMEM);
	}
	file = file_kib(fd) - file;
	own = own_kib() - own;
	printf("{\"kib\":%.1f,\"shared_kib\":%.1f,\"own_kib\":%.1f,\"vrfs\":%u}\n", (file + own) / VRFS, file / VRFS,
	       own / VRFS, VRFS);
	fib_destroy(fib);
	return 0;
}

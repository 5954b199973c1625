/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a recording, through the whole of wye-ctld but its sockets: decoders, state machines, mirrors, tables. Beyond
 * not crashing: whatever was said, readers find tables that hold together; a file that is refused is so for a reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wye_map.h"
#include "replay.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *errors;
static char dir[64];

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(errors, "broken promise: %s\n", what);
	abort();
}

static void clean_up(void)
{
	rmdir(dir);
}

/* What wye-ctld logs of such input is not of interest; what libFuzzer and the sanitizers say goes where it went. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	snprintf(dir, sizeof(dir), "%s/wye-fuzz-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	errors = stderr;
	must(mkdtemp(dir) != NULL, "a folder can be made");
	atexit(clean_up);
	stderr = fopen("/dev/null", "w");
	must(stderr != NULL, "/dev/null is there");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mirror mirror;
	static struct wye_config config;
	struct replay_result result;
	const struct region *region;
	char why[WYE_WHY_BYTES] = "";

	memset(&mirror, 0, sizeof(mirror));
	config = (struct wye_config){ .memory.hugepages = WYE_HUGE_NONE };
	config.tables.routes4 = config.tables.routes6 = 1024;
	config.tables.neighbours = 256;
	mirror.config = &config;
	must(!control_open(&mirror.control, dir) && !mirror_open_offline(&mirror), "memory");
	must(!replay_bytes(&mirror, "input", data, size, &result) == !result.why[0], "a refusal has a reason");
	must(result.at_byte <= size, "and a place in the input");
	region = &mirror.tables->region;
	must(!wye_region_check(region->base, region->size_bytes, why), why);
	mirror_close(&mirror);
	control_close(&mirror.control, true);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile files in the run directory, and the operator's command on them. The input is a list of changes to sound ones
 * (control, stats and trace; tables are fuzz_region's). Beyond not crashing: JSON is JSON, and nothing reaches a terminal that
 * it would obey.
 *
 *   byte 0		which command, bit 7: as JSON
 *   then, 8 bytes each:
 *   u32 place		file (2 bits), and the 32-bit word in it; bit 29: counted within its first 1,024 words
 *   u32 value
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wye.h"
#include "wye_map.h"
#include "wye_trace.h"

#define CHANGES_MAX 64

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *errors;
static char dir[64];
static struct shared {
	const char *name;
	size_t bytes;
	enum wye_file_kind kind;
	char *base, *sound;
} shared[] = {
	{ .name = WYE_FILE_STATS, .bytes = sizeof(struct wye_stats), .kind = WYE_KIND_STATS },
	{ .name = WYE_FILE_TRACE, .bytes = sizeof(struct wye_trace), .kind = WYE_KIND_TRACE },
	{ .name = WYE_FILE_CONTROL, .bytes = sizeof(struct wye_control), .kind = WYE_KIND_CONTROL },
};
#define FILES (sizeof(shared) / sizeof(shared[0]))

static const char *const commands[][3] = {
	{ "status" }, { "show", "port" }, { "show", "steer", "--all" }, { "show", "stats", "--all" }, { "show", "graph" },
	{ "show", "graph", "dot" }, { "show", "graph", "svg" }, { "show", "runtime", "--all" }, { "show", "init" },
	{ "show", "plugin" }, { "show", "memory" }, { "trace" }, { "version" }, { "help" }, { "show", "route" },
	{ "show", "parity" },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(errors, "broken promise: %s\n", what);
	abort();
}

/* ---- sound files -------------------------------------------------------------------------------------------------- */

static void path_of(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", dir, name);
}

static void clean_up(void)
{
	char path[128];

	for (size_t i = 0; i < FILES; i++) {
		path_of(path, shared[i].name);
		unlink(path);
	}
	rmdir(dir);
}

static void make_file(struct shared *file)
{
	char path[128];
	int fd;

	path_of(path, file->name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd >= 0 && !ftruncate(fd, (off_t)file->bytes), "a file can be made");
	file->base = mmap(NULL, file->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(file->base != MAP_FAILED, "and mapped");
	close(fd);
	*(struct wye_file *)file->base = (struct wye_file){
		.magic = WYE_MAGIC, .abi_version = WYE_ABI_VERSION, .kind = (uint32_t)file->kind,
		.layout_hash = WYE_LAYOUT_HASH, .size_bytes = file->bytes, .writer_pid = (uint32_t)getpid(),
		.writer_start = wye_process_start(getpid()),
	};
}

static void fill_stats(struct wye_stats *stats)
{
	stats->state = WYE_DPD_RUNNING;
	stats->n_workers = stats->n_ports = stats->n_nodes = stats->n_rules = stats->n_processes = stats->n_inits = 3;
	stats->n_plugins = stats->n_plugin_counters = stats->n_pre_inputs = stats->n_config_sections = 3;
	stats->tsc_hz = 2600000000u;
	for (int i = 0; i < 3; i++) {
		snprintf(stats->port[i].netdev, sizeof(stats->port[i].netdev), "r%d", i);
		stats->port[i].state = WYE_PORT_ACTIVE;
		snprintf(stats->node[i], sizeof(stats->node[i]), "node-%d", i);
		stats->node_next[i][0] = 7u >> i;
		snprintf(stats->rule[i].name, sizeof(stats->rule[i].name), "rule%d", i);
		snprintf(stats->process_name[i], sizeof(stats->process_name[i]), "process%d", i);
		snprintf(stats->pre_input[i], sizeof(stats->pre_input[i]), "pre%d", i);
		snprintf(stats->init[i].name, sizeof(stats->init[i].name), "init%d", i);
		snprintf(stats->config_section[i].name, sizeof(stats->config_section[i].name), "section%d", i);
		stats->config_section[i].change = (uint32_t)i;
		snprintf(stats->plugin[i].name, sizeof(stats->plugin[i].name), "plugin%d", i);
		snprintf(stats->plugin_counter[i].name, sizeof(stats->plugin_counter[i].name), "counter%d", i);
		stats->worker[i].cpu = (uint32_t)i;
		stats->worker[i].tid = 1;
	}
}

static void fill_trace(struct wye_trace *trace)
{
	trace->tsc_hz = 2600000000u;
	trace->n_inputs = 2;
	trace->n_steps = 12;
	for (uint32_t i = 0; i < 12; i++) {
		struct wye_trace_step *step = &trace->step[i];

		*step = (struct wye_trace_step){ .tsc = 1000 * i, .packet = 1 + i % 3, .time_ns = i < 3, .n_fields = 2 };
		snprintf(step->node, sizeof(step->node), "node%u", i / 3);
		snprintf(step->field[0].key, sizeof(step->field[0].key), "reason");
		snprintf(step->field[0].value, sizeof(step->field[0].value), "plugin_drop");
		step->field[1] = (struct wye_trace_field){ .key = "bytes", .number = 1, .value = "60" };
	}
}

/* What the command says of such files on stderr is not of interest; what libFuzzer and the sanitizers say goes where it went. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	errors = stderr;
	snprintf(dir, sizeof(dir), "%s/wye-fuzz-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	must(mkdtemp(dir) != NULL, "a folder can be made");
	atexit(clean_up);
	stderr = fopen("/dev/null", "w");
	must(stderr != NULL, "/dev/null is there");
	for (size_t i = 0; i < FILES; i++)
		make_file(&shared[i]);
	fill_stats((struct wye_stats *)shared[0].base);
	fill_trace((struct wye_trace *)shared[1].base);
	for (size_t i = 0; i < FILES; i++) {
		shared[i].sound = malloc(shared[i].bytes);
		must(shared[i].sound != NULL, "memory");
		memcpy(shared[i].sound, shared[i].base, shared[i].bytes);
	}
	return 0;
}

/* ---- one input ---------------------------------------------------------------------------------------------------- */

static char *place_of(uint32_t place, char **sound)
{
	struct shared *file = &shared[(place >> 30) % FILES];
	size_t words = file->bytes / 4, word = place & (1u << 29) ? place % 1024 : (place & ((1u << 29) - 1)) % words;

	*sound = file->sound + word * 4;
	return file->base + word * 4;
}

static void change(const uint8_t *data, size_t size, bool back)
{
	for (size_t n = 0; size >= 8 && n < CHANGES_MAX; data += 8, size -= 8, n++) {
		uint32_t place;
		char *sound, *at;

		memcpy(&place, data, 4);
		at = place_of(place, &sound);
		memcpy(at, back ? sound : (const char *)data + 4, 4);
	}
}

static void check_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		must(((unsigned char)text[i] >= ' ' || text[i] == '\n' || text[i] == '\t') && text[i] != 0x7f,
		     "a terminal gets nothing but text");
}

static void check_json(const char *text, size_t len)
{
	json_error_t error;
	json_t *json = json_loadb(text, len, JSON_DECODE_INT_AS_REAL, &error);

	if (!json)
		fprintf(errors, "%s, at byte %d: %s\n", error.text, error.position, text);
	must(json != NULL, "JSON is JSON");
	json_decref(json);
}

static void ask(const char *const command[3], bool json)
{
	char *argv[7] = { "wye", "-r", dir, json ? "-j" : "--no-colour" };
	size_t len = 0;
	char *text = NULL;
	FILE *file = open_memstream(&text, &len);
	int argc = 4, code;

	for (int i = 0; i < 3 && command[i]; i++)
		argv[argc++] = (char *)command[i];
	code = wye_run(argc, argv, file);
	fclose(file);
	must(code >= WYE_EXIT_OK && code <= WYE_EXIT_STANDS_IN_THE_WAY, "an exit code");
	if (json && !code && strcmp(command[0], "help"))
		check_json(text, len);
	else
		check_text(text, len);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	change(data + 1, size - 1, false);
	ask(commands[(data[0] & 0x7f) % COMMANDS], data[0] & 0x80);
	change(data + 1, size - 1, true);
	return 0;
}

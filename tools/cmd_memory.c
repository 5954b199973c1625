/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show memory: the shared files, how full each section is, and what kind of pages stand behind. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "wye.h"

#define HUGETLBFS_MAGIC 0x958458f6
#define TMPFS_MAGIC	0x01021994

static const char *const section_names[WYE_SECTIONS] = {
	[WYE_SECTION_LINK] = "link", [WYE_SECTION_ADDR] = "addr", [WYE_SECTION_LOCAL] = "local",
	[WYE_SECTION_NEIGH] = "neigh", [WYE_SECTION_NEIGH_HASH] = "neigh_hash",
	[WYE_SECTION_NEXTHOP_SLOT] = "nexthop_slot", [WYE_SECTION_NEXTHOP] = "nexthop", [WYE_SECTION_GROUP] = "group",
	[WYE_SECTION_ROUTE4] = "route4", [WYE_SECTION_ROUTE6] = "route6", [WYE_SECTION_VRF] = "vrf",
	[WYE_SECTION_FIB4_ROOT] = "fib4_root", [WYE_SECTION_FIB6_ROOT] = "fib6_root",
	[WYE_SECTION_FIB_NODE] = "fib_node", [WYE_SECTION_PARITY] = "parity",
	[WYE_SECTION_ALTNAME] = "altname", [WYE_SECTION_RULE] = "rule",
};
static const struct out_column file_columns[] = {
	{ "path", "FILE", false }, { "size_bytes", NULL, true }, { NULL, "SIZE", true },
	{ "allocated_bytes", NULL, true }, { NULL, "IN MEMORY", true }, { "filesystem", "FILESYSTEM", false },
	{ "page_bytes", "PAGE", true },
};
static const struct out_column section_columns[] = {
	{ "section", "SECTION", false }, { "record_bytes", "RECORD", true }, { "used", "USED", true },
	{ "capacity", "CAPACITY", true }, { "percent", "%", true },
};
static const struct out_column mapping_columns[] = {
	{ "process", "PROCESS", false }, { "pid", "PID", true }, { "mapping", "MAPPING", false },
	{ "rss_bytes", NULL, true }, { NULL, "RSS", true }, { "page_bytes", "PAGE", true },
	{ "huge_bytes", NULL, true }, { NULL, "HUGE", true },
};

struct mapping {	/* sums over the areas of one file, or of all anonymous memory */
	char name[256];
	uint64_t rss_kb, huge_kb, page_kb;
};

#define MAPPINGS_MAX 64

struct mappings {
	struct mapping mapping[MAPPINGS_MAX];
	size_t n;
};

static const char *human(uint64_t bytes, char *buf)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	snprintf(buf, 32, unit && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buf;
}

/* ---- files ---- */

static void file_row(struct out *out, const char *path)
{
	const char *kind = "other";
	struct statfs fs;
	struct stat st;
	char buf[32];

	if (stat(path, &st) || statfs(path, &fs))
		return;
	if (fs.f_type == (__fsword_t)HUGETLBFS_MAGIC)
		kind = "hugetlbfs";
	else if (fs.f_type == (__fsword_t)TMPFS_MAGIC)
		kind = "tmpfs";
	out_row(out);
	out_cell_str(out, path);
	out_cell_uint(out, (uint64_t)st.st_size);
	out_cell_str(out, human((uint64_t)st.st_size, buf));
	out_cell_uint(out, (uint64_t)st.st_blocks * 512);
	out_cell_str(out, human((uint64_t)st.st_blocks * 512, buf));
	out_cell_str(out, kind);
	out_cell_uint(out, (uint64_t)fs.f_bsize);
	out_row_end(out);
}

static void run_file_row(struct tool *tool, const char *name)
{
	char path[576];

	snprintf(path, sizeof(path), "%.500s/%.63s", tool->view.run_dir, name);
	file_row(&tool->out, path);
}

/* Of the active region, or the one named by --tables. */
static void tables_path(const struct view *view, char *path, size_t size)
{
	const struct wye_control_region *entry;

	if (view->tables_file) {
		snprintf(path, size, "%s", view->tables_file);
		return;
	}
	entry = &view->control->region[view->region->file.generation & 1];
	snprintf(path, size, "%.*s", (int)sizeof(entry->path) - 1, entry->path);
}

static void print_files(struct tool *tool)
{
	char path[512];

	out_table(&tool->out, "files", file_columns, sizeof(file_columns) / sizeof(file_columns[0]));
	if (tool->view.region) {
		tables_path(&tool->view, path, sizeof(path));
		file_row(&tool->out, path);
		snprintf(path, sizeof(path), WYE_FILE_HITS ".%llu", (unsigned long long)tool->view.region->file.generation);
		run_file_row(tool, path);
	}
	run_file_row(tool, WYE_FILE_CONTROL);
	run_file_row(tool, WYE_FILE_READERS);
	run_file_row(tool, WYE_FILE_STATS);
	out_table_end(&tool->out);
}

/* ---- sections ---- */

static void print_sections(struct tool *tool)
{
	struct out *out = &tool->out;

	out_puts(out, "\n");
	out_table(out, "sections", section_columns, sizeof(section_columns) / sizeof(section_columns[0]));
	for (int i = 0; i < WYE_SECTIONS; i++) {
		const struct wye_section *section = &tool->view.region->section[i];
		uint32_t used = view_used(&tool->view, (enum wye_section_id)i);

		out_row(out);
		out_cell_str(out, section_names[i]);
		out_cell_uint(out, section->record_bytes);
		out_cell_uint(out, used);
		out_cell_uint(out, section->capacity);
		if (i != WYE_SECTION_NEIGH_HASH && section->capacity)
			out_cell_real(out, 100.0 * used / section->capacity, 1);
		else
			out_cell_none(out); /* a hash is all in use from the start */
		out_row_end(out);
	}
	out_table_end(out);
}

/* ---- what the daemons have mapped ---- */

/* Huge pages by kind: hugetlbfs ones are no part of Rss. */
static void smaps_field(struct mapping *area, const char *line)
{
	unsigned long long kb;
	char name[32];

	if (sscanf(line, "%31[^:]: %llu kB", name, &kb) != 2)
		return;
	if (!strcmp(name, "Rss")) {
		area->rss_kb += kb;
	} else if (!strcmp(name, "KernelPageSize")) {
		area->page_kb = kb;
	} else if (!strcmp(name, "AnonHugePages") || !strcmp(name, "ShmemPmdMapped") ||
		   !strcmp(name, "FilePmdMapped")) {
		area->huge_kb += kb;
	} else if (!strcmp(name, "Shared_Hugetlb") || !strcmp(name, "Private_Hugetlb")) {
		area->rss_kb += kb;
		area->huge_kb += kb;
	}
}

/* Shared files by name, DPDK's heap, the rest of anonymous memory as one; code and libraries are of no interest. */
static const char *area_name(const char *header, const char *run_dir, const char *tables, char *buf, size_t size)
{
	const char *path = strchr(header, '/');
	size_t len = path ? strcspn(path, "\n") : 0;

	snprintf(buf, size, "%.*s", (int)len, path ? path : "");
	len = strlen(buf);
	if (len > 10 && !strcmp(buf + len - 10, " (deleted)"))
		buf[len - 10] = '\0';
	if (!path)
		return "anonymous";
	if (!strncmp(buf, run_dir, strlen(run_dir)) || !strcmp(buf, tables))
		return buf;
	if (strstr(buf, "/rtemap_") || !strncmp(buf, "/memfd:", 7) || strstr(buf, "fbarray"))
		return "DPDK files";
	return NULL;
}

static struct mapping *mapping_named(struct mappings *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->mapping[i].name, name))
			return &all->mapping[i];
	if (all->n == MAPPINGS_MAX)
		return NULL;
	snprintf(all->mapping[all->n].name, sizeof(all->mapping[0].name), "%s", name);
	return &all->mapping[all->n++];
}

static void add_area(struct mappings *all, const char *name, const struct mapping *area)
{
	struct mapping *sum;

	if (!name || !(area->rss_kb | area->huge_kb))
		return;
	sum = mapping_named(all, name);
	if (!sum)
		return;
	sum->rss_kb += area->rss_kb;
	sum->huge_kb += area->huge_kb;
	if (area->page_kb > sum->page_kb)
		sum->page_kb = area->page_kb;
}

static int read_smaps(uint32_t pid, const char *run_dir, const char *tables, struct mappings *all)
{
	char path[64], line[1024], buf[512];
	struct mapping area = { 0 };
	const char *name = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/smaps", pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (isdigit((unsigned char)line[0]) || (line[0] >= 'a' && line[0] <= 'f')) {
			add_area(all, name, &area);
			area = (struct mapping){ 0 };
			name = area_name(line, run_dir, tables, buf, sizeof(buf));
		} else {
			smaps_field(&area, line);
		}
	}
	add_area(all, name, &area);
	fclose(file);
	return 0;
}

static void process_rows(struct tool *tool, const char *process, const struct view_daemon *daemon)
{
	char tables[512] = "", buf[32];
	struct mappings all = { .n = 0 };
	struct out *out = &tool->out;
	int err;

	if (!daemon->alive)
		return;
	if (tool->view.region)
		tables_path(&tool->view, tables, sizeof(tables));
	err = read_smaps(daemon->pid, tool->view.run_dir, tables, &all);
	if (err)
		fprintf(stderr, "wye: memory of %s (pid %u): %s\n", process, daemon->pid, strerror(-err));
	for (size_t i = 0; i < all.n; i++) {
		const struct mapping *m = &all.mapping[i];

		out_row(out);
		out_cell_str(out, process);
		out_cell_uint(out, daemon->pid);
		out_cell_str(out, m->name);
		out_cell_uint(out, m->rss_kb * 1024);
		out_cell_str(out, human(m->rss_kb * 1024, buf));
		out_cell_uint(out, m->page_kb * 1024);
		out_cell_uint(out, m->huge_kb * 1024);
		out_cell_str(out, human(m->huge_kb * 1024, buf));
		out_row_end(out);
	}
}

static void print_processes(struct tool *tool)
{
	struct view_daemon ctld = view_ctld(&tool->view), dpd = view_dpd(&tool->view);

	out_puts(&tool->out, "\n");
	out_table(&tool->out, "mappings", mapping_columns, sizeof(mapping_columns) / sizeof(mapping_columns[0]));
	process_rows(tool, "wye-ctld", &ctld);
	process_rows(tool, "wye-dpd", &dpd);
	out_table_end(&tool->out);
}

static void print_heap(struct tool *tool)
{
	const struct wye_stats *info = tool->view.info;
	struct out *out = &tool->out;
	char buf[32];

	out_object(out, "heap");
	out_uint(out, "size_bytes", info->memory_bytes);
	out_str(out, "pages", info->memory_kind);
	out_object_end(out);
	out_printf(out, "\nDPDK heap: %s, %s\n", human(info->memory_bytes, buf),
		   info->memory_kind[0] ? info->memory_kind : "kind unknown");
}

static int run(struct tool *tool, int argc, char **argv)
{
	int err = no_arguments(tool, argc, argv), tables, stats;

	if (err)
		return err;
	tables = view_tables(&tool->view);
	stats = tool->view.tables_file ? 0 : view_stats(&tool->view);
	if (!tool->view.region && !tool->view.stats)
		return tables;
	out_object(&tool->out, NULL);
	print_files(tool);
	if (tool->view.region)
		print_sections(tool);
	print_processes(tool);
	if (tool->view.info)
		print_heap(tool);
	out_object_end(&tool->out);
	return tables ? tables : stats;
}

const struct command cmd_memory = {
	.name = "memory",
	.summary = "shared files, how full their sections are, and the pages behind",
	.arguments = "",
	.help = "USED is how many records were ever handed out; freed ones are used again. IN MEMORY is what the file\n"
		"takes up: pages never written cost nothing. HUGE is the part of RSS in huge pages of any kind.\n",
	.run = run,
};

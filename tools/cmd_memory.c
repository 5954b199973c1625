/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show memory: the shared files, how full each section is, and what kind of pages stand behind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "wye.h"
#include "wye_smaps.h"

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
	{ "huge_bytes", NULL, true }, { NULL, "HUGE", true }, { "pages", "PAGES", false },
};

struct mapping {	/* sums over the areas of one file, or of all anonymous memory, on pages of one size */
	char name[512];
	uint64_t rss_bytes, huge_bytes, page_bytes;
};

#define MAPPINGS_MAX 64

struct mappings {
	const char *run_dir, *tables;
	uint64_t heap_start, heap_end;	/* wye-dpd's */
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

/* Shared files by name, DPDK's heap, the rest of anonymous memory as one; code and libraries are of no interest. */
static const char *area_name(const struct mappings *all, const struct wye_smaps_area *area)
{
	if (area->start >= all->heap_start && area->start < all->heap_end)
		return "DPDK heap";
	if (!area->path[0])
		return "anonymous";
	if (!strncmp(area->path, all->run_dir, strlen(all->run_dir)) || !strcmp(area->path, all->tables))
		return area->path;
	if (strstr(area->path, "/rtemap_") || !strncmp(area->path, "/memfd:", 7))
		return "DPDK heap";
	return NULL;
}

static struct mapping *mapping_on(struct mappings *all, const char *name, uint64_t page_bytes)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->mapping[i].page_bytes == page_bytes && !strcmp(all->mapping[i].name, name))
			return &all->mapping[i];
	if (all->n == MAPPINGS_MAX)
		return NULL;
	all->mapping[all->n].page_bytes = page_bytes;
	snprintf(all->mapping[all->n].name, sizeof(all->mapping[0].name), "%s", name);
	return &all->mapping[all->n++];
}

static void add_area(void *ctx, const struct wye_smaps_area *area)
{
	struct mappings *all = ctx;
	const char *name = area_name(all, area);
	struct mapping *sum;

	if (!name || !(area->rss_bytes | area->huge_bytes))
		return;
	sum = mapping_on(all, name, area->page_bytes);
	if (!sum)
		return;
	sum->rss_bytes += area->rss_bytes;
	sum->huge_bytes += area->huge_bytes;
}

/* In words, for who does not want to compare figures. */
static const char *pages_of(const struct mapping *m)
{
	if (m->page_bytes > (uint64_t)sysconf(_SC_PAGESIZE))
		return "hugetlbfs";
	if (!m->huge_bytes)
		return "plain";
	return m->huge_bytes * 10 >= m->rss_bytes * 9 ? "transparent huge" : "partly transparent huge";
}

static void process_rows(struct tool *tool, const char *process, const struct view_daemon *daemon,
			 const struct wye_stats *heap)
{
	char tables[512] = "", buf[32];
	struct mappings all = { .run_dir = tool->view.run_dir, .tables = tables };
	struct out *out = &tool->out;
	int err;

	if (!daemon->alive)
		return;
	if (tool->view.region)
		tables_path(&tool->view, tables, sizeof(tables));
	if (heap) {
		all.heap_start = heap->memory_span[0];
		all.heap_end = heap->memory_span[1];
	}
	err = wye_smaps((pid_t)daemon->pid, add_area, &all);
	if (err)
		fprintf(stderr, "wye: memory of %s (pid %u): %s\n", process, daemon->pid, strerror(-err));
	for (size_t i = 0; i < all.n; i++) {
		const struct mapping *m = &all.mapping[i];

		out_row(out);
		out_cell_str(out, process);
		out_cell_uint(out, daemon->pid);
		out_cell_str(out, m->name);
		out_cell_uint(out, m->rss_bytes);
		out_cell_str(out, human(m->rss_bytes, buf));
		out_cell_uint(out, m->page_bytes);
		out_cell_uint(out, m->huge_bytes);
		out_cell_str(out, human(m->huge_bytes, buf));
		out_cell_str(out, pages_of(m));
		out_row_end(out);
	}
}

static void print_processes(struct tool *tool)
{
	struct view_daemon ctld = view_ctld(&tool->view), dpd = view_dpd(&tool->view);

	out_puts(&tool->out, "\n");
	out_table(&tool->out, "mappings", mapping_columns, sizeof(mapping_columns) / sizeof(mapping_columns[0]));
	process_rows(tool, "wye-ctld", &ctld, NULL);
	process_rows(tool, "wye-dpd", &dpd, tool->view.info);
	out_table_end(&tool->out);
}

static void print_heap(struct tool *tool)
{
	const struct wye_stats *info = tool->view.info;
	uint32_t buffers = atomic_load_explicit(&tool->view.stats->buffers, memory_order_relaxed);
	uint32_t unused = atomic_load_explicit(&tool->view.stats->buffers_free, memory_order_relaxed);
	struct out *out = &tool->out;
	char buf[32];

	out_object(out, "heap");
	out_uint(out, "size_bytes", info->memory_bytes);
	out_str(out, "pages", info->memory_kind);
	out_uint(out, "buffers", buffers);
	out_uint(out, "buffers_free", unused);
	out_object_end(out);
	out_printf(out, "\nDPDK heap: %s, %s\nPacket buffers: %u, %u of them free\n", human(info->memory_bytes, buf),
		   info->memory_kind[0] ? info->memory_kind : "kind unknown", buffers, unused);
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
		"takes up: pages never written cost nothing. HUGE is the part of RSS in huge pages of any kind, as the kernel\n"
		"says now (smaps). Packet buffers that are not free lie in queues; they are counted about once a second.\n",
	.run = run,
};

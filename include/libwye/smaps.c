/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wye_smaps.h"

/* Huge pages by kind: hugetlbfs ones are no part of Rss. */
static void field(struct wye_smaps_area *area, const char *line)
{
	unsigned long long kb;
	char name[32];

	if (sscanf(line, "%31[^:]: %llu kB", name, &kb) != 2)
		return;
	if (!strcmp(name, "Rss"))
		area->rss_bytes += kb * 1024;
	else if (!strcmp(name, "KernelPageSize"))
		area->page_bytes = kb * 1024;
	else if (!strcmp(name, "AnonHugePages") || !strcmp(name, "ShmemPmdMapped") || !strcmp(name, "FilePmdMapped"))
		area->huge_bytes += kb * 1024;
	else if (!strcmp(name, "Shared_Hugetlb") || !strcmp(name, "Private_Hugetlb")) {
		area->rss_bytes += kb * 1024;
		area->huge_bytes += kb * 1024;
	}
}

/* "start-end perms offset dev inode path"; false: a line of the area before. */
static bool head(struct wye_smaps_area *area, const char *line)
{
	static const char deleted[] = " (deleted)";
	unsigned long long start, end;
	const char *path = strchr(line, '/');
	size_t len = path ? strcspn(path, "\n") : 0, tail = sizeof(deleted) - 1;

	if (sscanf(line, "%llx-%llx ", &start, &end) != 2)
		return false;
	if (len > tail && !memcmp(path + len - tail, deleted, tail))
		len -= tail;
	*area = (struct wye_smaps_area){ .start = start, .end = end };
	snprintf(area->path, sizeof(area->path), "%.*s", (int)len, path ? path : "");
	return true;
}

int wye_smaps(pid_t pid, void (*area)(void *ctx, const struct wye_smaps_area *area), void *ctx)
{
	struct wye_smaps_area now = { 0 }, next;
	char path[64], line[1024];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (!head(&next, line)) {
			field(&now, line);
			continue;
		}
		if (now.end)
			area(ctx, &now);
		now = next;
	}
	if (now.end)
		area(ctx, &now);
	fclose(file);
	return 0;
}

struct span {
	uint64_t start, end, rss_bytes, huge_bytes;
};

static void add(void *ctx, const struct wye_smaps_area *area)
{
	struct span *span = ctx;

	if (area->start < span->start || area->start >= span->end)
		return;
	span->rss_bytes += area->rss_bytes;
	span->huge_bytes += area->huge_bytes;
}

int wye_smaps_own(const void *at, size_t len_bytes, uint64_t *rss_bytes, uint64_t *huge_bytes)
{
	struct span span = { .start = (uintptr_t)at, .end = (uintptr_t)at + len_bytes };
	int error = wye_smaps(getpid(), add, &span);

	*rss_bytes = span.rss_bytes;
	*huge_bytes = span.huge_bytes;
	return error;
}

bool wye_thp_never(void)
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	char mode[64] = "[never]";

	if (file) {
		(void)!fgets(mode, sizeof(mode), file);
		fclose(file);
	}
	return strstr(mode, "[never]");
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands behind a process's memory: /proc/PID/smaps, which is the only one to know what the kernel gave, whatever it was
 * asked for.
 */
#ifndef WYE_SMAPS_H
#define WYE_SMAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct wye_smaps_area {
	uint64_t start, end;
	char path[512];			/* "" = anonymous; without " (deleted)" */
	uint64_t rss_bytes;		/* hugetlbfs pages included */
	uint64_t huge_bytes;		/* the part in huge pages of any kind */
	uint64_t page_bytes;		/* as the kernel allocates it: hugetlbfs's size, else 4 KiB */
};

/* Calls area() for each area in order. 0, or -errno: the process is gone, or not ours to look at. */
int wye_smaps(pid_t pid, void (*area)(void *ctx, const struct wye_smaps_area *area), void *ctx);

/* Of the areas of our own that begin within [at, at + len_bytes): how much there is, and how much in huge pages. 0 or -errno. */
int wye_smaps_own(const void *at, size_t len_bytes, uint64_t *rss_bytes, uint64_t *huge_bytes);

/* Has the operator switched transparent huge pages off for everybody? True as well where the kernel has none. */
bool wye_thp_never(void);

#endif

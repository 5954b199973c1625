/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the dataplane needs of a machine. Part of libwye. wye-dpd asks before it starts anything, `wye doctor` asks on the
 * operator's behalf: one wording for both. Each returns 0, or -errno and in `why` (WYE_WHY_BYTES) what is missing with the
 * next step.
 */
#ifndef WYE_NEED_H
#define WYE_NEED_H

#include "wye_config.h"
#include "wye_sysroot.h"

/* Of a port by AF_XDP: a page, less mempool header (64), mbuf (128), headroom (128), XDP's headroom (256), Ethernet header
 * and FCS. */
#define WYE_AF_XDP_MTU_MAX 3502u

/* The first port whose device is given physical addresses, which decides how all memory is addressed; NULL = none is. */
const struct wye_config_port *wye_need_physical(const struct wye_config *config);
int wye_need_capabilities(bool xdp, bool physical, char *why);		/* of this process */
/* Lifts this process's limit, if it is lower and the process may. */
int wye_need_files(uint32_t n, char *why);
int wye_need_bpffs(char *why);				/* in this mount namespace */
int wye_need_cpus(const struct wye_sysroot *root, const struct wye_config *config, char *why);
/* When memory.hugepages asks for reserved pages: *kib is the page size to use, 0 = none has enough. Physical addresses need some. */
int wye_need_hugepages(const struct wye_sysroot *root, const struct wye_config *config, uint64_t *kib, char *why);

#endif

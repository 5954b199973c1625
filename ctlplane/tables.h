/* SPDX-License-Identifier: BSD-3-Clause */
/* A region being written, with what writes it: resolve (nexthops, neighbours, links) and fib. */
#ifndef TABLES_H
#define TABLES_H

#include "fib.h"
#include "region.h"
#include "resolve.h"

struct tables {
	struct region region;
	struct resolve *resolve;
	struct fib *fib;
	uint32_t nh_kernel;	/* nexthop id of "the kernel does this" */
	bool locals_dirty;
	uint32_t *put_later;	/* nexthop ids: the FIB's readers may follow them until the next flush */
	uint32_t n_put_later, cap_put_later;
};

struct tables *tables_open(struct control_file *control, const struct wye_config *config);	/* NULL, errno */
void tables_close(struct tables *tables);	/* NULL is fine */
/* Shows readers all that was written since: at most budget nodes of the FIB (0 = all). True: there is more. */
bool tables_flush(struct tables *tables, uint32_t budget_nodes);

/* Gives a nexthop id back once the FIB that may still name it has been flushed. */
void tables_put_nexthop(struct tables *tables, uint32_t id);

/* Writes a record of scheme (b) whose first word is `seq`. */
void tables_write(struct tables *tables, enum wye_section_id section, uint32_t index, const void *record, size_t bytes);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet buffers that a driver takes from the pool while a queue is set up. The af_xdp PMD of DPDK 22.11 never gives back what
 * it has put into a queue's fill ring, nor what it took for a queue that then fails: for a port that cannot be opened, and is
 * tried again and again, whoever opens it does. Main thread only.
 */
#ifndef TAKEN_H
#define TAKEN_H

#include <stdbool.h>
#include <stddef.h>

struct rte_mempool;

struct taken {
	void **buffer;	/* owned */
	size_t n;
	bool complete;
};

int taken_set_ops(struct rte_mempool *pool);	/* before it is populated; 0 or -errno */
void taken_begin(struct rte_mempool *pool, struct taken *taken);
/* False: it cannot be said what was taken, nothing is noted. */
bool taken_end(struct rte_mempool *pool, struct taken *taken);
void taken_return(struct rte_mempool *pool, struct taken *taken);	/* back into the pool; nothing if nothing is noted */
void taken_forget(struct taken *taken);					/* they are the driver's, or the pool is gone */

#endif

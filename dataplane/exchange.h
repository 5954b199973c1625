/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buffers that go round between the workers and main: main puts them all into `empty` at the start; a worker takes one,
 * fills it and puts it into `full`; main reads it and puts it back. Nobody waits: without an empty buffer a worker counts
 * what it could not tell. Each ring orders what is in a buffer (rte_ring's enqueue releases, its dequeue acquires).
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

struct rte_ring;

struct exchange {
	void *buffers;		/* what both rings hold pointers into */
	struct rte_ring *empty;	/* main: producer, workers: consumers */
	struct rte_ring *full;	/* workers: producers, main: consumer; has room for all */
};

/* size - 1 buffers, size a power of two; cache-line aligned. 0 or -ENOMEM. */
int exchange_open(struct exchange *exchange, uint32_t size, size_t buffer_bytes);
void exchange_close(struct exchange *exchange);	/* all zero is fine */

#endif

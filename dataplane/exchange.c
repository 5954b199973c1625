/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_ring.h>
#include <stdlib.h>

#include "exchange.h"

static struct rte_ring *make_ring(uint32_t size, unsigned int flags)
{
	size_t bytes = RTE_ALIGN((size_t)rte_ring_get_memsize(size), RTE_CACHE_LINE_SIZE);
	struct rte_ring *ring = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);

	if (ring && rte_ring_init(ring, "exchange", size, flags)) {
		free(ring);
		ring = NULL;
	}
	return ring;
}

int exchange_open(struct exchange *exchange, uint32_t size, size_t buffer_bytes)
{
	size_t bytes = RTE_ALIGN(buffer_bytes, RTE_CACHE_LINE_SIZE);

	exchange->empty = make_ring(size, RING_F_SP_ENQ);
	exchange->full = make_ring(size, RING_F_SC_DEQ);
	exchange->buffers = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes * (size - 1));
	if (!exchange->empty || !exchange->full || !exchange->buffers) {
		exchange_close(exchange);
		return -ENOMEM;
	}
	for (size_t i = 0; i < size - 1; i++)
		rte_ring_enqueue(exchange->empty, (char *)exchange->buffers + i * bytes);
	return 0;
}

void exchange_close(struct exchange *exchange)
{
	free(exchange->buffers);
	free(exchange->empty);
	free(exchange->full);
	*exchange = (struct exchange){ 0 };
}

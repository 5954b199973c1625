/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a driver takes from the pool while a queue is set up; see taken.h. A mempool asks its operations for what its caches have
 * not; so the pool's are the usual ones with a note taken in between. A driver that takes a few at a time leaves others in the
 * main thread's cache: then it cannot be said which it has, and none are noted.
 */
#include "taken.h"

#include <errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>
#include <stdlib.h>
#include <string.h>

#define OPS_NAME "wye"

static struct rte_mempool_ops usual;
static _Thread_local struct taken *noting;	/* NULL = nobody wants to know */

static void note(void *const *buffer, unsigned int n)
{
	void **more = realloc(noting->buffer, (noting->n + n) * sizeof(*more));

	noting->complete &= more != NULL;
	if (!more)
		return;
	noting->buffer = more;
	memcpy(more + noting->n, buffer, n * sizeof(*more));
	noting->n += n;
}

static int dequeue(struct rte_mempool *pool, void **buffer, unsigned int n)
{
	int error = usual.dequeue(pool, buffer, n);

	if (unlikely(noting != NULL) && !error)
		note(buffer, n);
	return error;
}

static int register_ops(void)
{
	struct rte_mempool_ops ops;

	for (uint32_t i = 0; i < rte_mempool_ops_table.num_ops && !usual.dequeue; i++)
		if (!strcmp(rte_mempool_ops_table.ops[i].name, rte_mbuf_best_mempool_ops()))
			usual = rte_mempool_ops_table.ops[i];
	if (!usual.dequeue)
		return -ENOENT;
	ops = usual;
	snprintf(ops.name, sizeof(ops.name), OPS_NAME);
	ops.dequeue = dequeue;
	return rte_mempool_register_ops(&ops) < 0 ? -ENOSPC : 0;
}

int taken_set_ops(struct rte_mempool *pool)
{
	int error = usual.dequeue ? 0 : register_ops();

	return error ? error : rte_mempool_set_ops_byname(pool, OPS_NAME, NULL);
}

static struct rte_mempool_cache *own_cache(struct rte_mempool *pool)
{
	return rte_mempool_default_cache(pool, rte_lcore_id());
}

void taken_begin(struct rte_mempool *pool, struct taken *taken)
{
	*taken = (struct taken){ .complete = true };
	rte_mempool_cache_flush(own_cache(pool), pool);
	noting = taken;
}

bool taken_end(struct rte_mempool *pool, struct taken *taken)
{
	struct rte_mempool_cache *cache = own_cache(pool);

	noting = NULL;
	if (taken->complete && (!cache || !cache->len))
		return true;
	taken_forget(taken);
	return false;
}

void taken_return(struct rte_mempool *pool, struct taken *taken)
{
	if (taken->n)
		rte_mempool_put_bulk(pool, taken->buffer, taken->n);
	taken_forget(taken);
}

void taken_forget(struct taken *taken)
{
	free(taken->buffer);
	*taken = (struct taken){ 0 };
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet buffers: one pool for all ports, so that a packet that came in on one af_xdp port leaves by another without
 * a copy. Its memory is reserved early and stays; the pool on it is made anew when buffers must be larger, or when
 * closed ports have kept too many.
 */
#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_memzone.h>

#include "dpd.h"
#include "log.h"
#include "runtime/init.h"

#define POOL_CACHE 512
#define POOL_PER_QUEUE 8192	/* fill, receive and transmit rings of a queue, and as many again on the way */
#define ROOM_SMALL (2048 + RTE_PKTMBUF_HEADROOM)
/* 63 cache lines with mempool header and mbuf: an odd number, so headers spread over the cache's sets. */
#define ROOM_LARGE (4032 - 64 - sizeof(struct rte_mbuf))
/* A whole page, all headers in the same sets: only for the last MTUs that need it. */
#define ROOM_PAGE (4096 - 64 - sizeof(struct rte_mbuf))
#define FRAME_OVERHEAD (14 + 4 + XDP_HEADROOM + RTE_PKTMBUF_HEADROOM)

static uint32_t at_most(uint32_t value, uint32_t most)
{
	return value < most ? value : most;
}

static uint32_t at_least(uint32_t value, uint32_t least)
{
	return value > least ? value : least;
}

/* Room for the largest MTU there is now, of ports that can be opened at all. */
static uint16_t pool_room(const struct dpd *dpd)
{
	uint32_t mtu = 0;

	if (rte_eal_iova_mode() == RTE_IOVA_PA)
		return ROOM_PAGE; /* no buffer crosses from one page to another */
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (dpd->port[i].link_index && dpd->port[i].link.mtu_bytes <= WYE_AF_XDP_MTU_MAX)
			mtu = at_least(mtu, dpd->port[i].link.mtu_bytes);
	if (mtu + FRAME_OVERHEAD <= ROOM_SMALL)
		return ROOM_SMALL;
	return mtu + FRAME_OVERHEAD <= ROOM_LARGE ? ROOM_LARGE : ROOM_PAGE;
}

static uint32_t pool_queues(const struct dpd *dpd)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		const struct port *port = &dpd->port[i];
		uint32_t queues = port->link_index ? port->link.num_rx_queues : 0;

		queues = port->config->queues ? port->config->queues : at_least(queues, 1);
		n += at_most(queues, WYE_QUEUES_MAX);
	}
	return n;
}

/* NO_IOVA_CONTIG: packed; on 4 KiB pages DPDK would otherwise leave out what straddles two of them. */
static unsigned int pool_flags(uint16_t room)
{
	return RTE_MEMPOOL_F_NO_IOVA_CONTIG | (room == ROOM_PAGE ? RTE_MEMPOOL_F_NO_SPREAD : 0);
}

/* Pages that lie side by side here are anywhere physically. */
static void physical_address(struct rte_mempool *pool, void *arg, void *object, unsigned int index)
{
	const struct rte_memseg *page = rte_mem_virt2memseg(object, NULL);

	rte_mempool_get_header(object)->iova = page->iova + (rte_iova_t)RTE_PTR_DIFF(object, page->addr);
}

/*
 * As rte_pktmbuf_pool_create(), but on memory of our own choice: one piece, packed, since the af_xdp PMD reckons with
 * packed objects, and the same piece again when the pool is made anew. Where IOVAs are virtual addresses, objects are
 * contiguous in them; where they are physical, each is told its own.
 */
static struct rte_mempool *pool_create(const struct rte_memzone *zone, unsigned int n, uint16_t room)
{
	struct rte_pktmbuf_pool_private private = { .mbuf_data_room_size = room };
	struct rte_mempool *pool = rte_mempool_create_empty("wye-packets", n, sizeof(struct rte_mbuf) + room, POOL_CACHE,
							    sizeof(private), SOCKET_ID_ANY, pool_flags(room));
	int error;

	if (!pool)
		return NULL;
	error = taken_set_ops(pool);
	if (!error) {
		rte_pktmbuf_pool_init(pool, &private);
		error = rte_mempool_populate_iova(pool, zone->addr, zone->iova, zone->len, NULL, NULL);
	}
	if (error >= 0 && pool->populated_size == n) {
		if (rte_eal_iova_mode() == RTE_IOVA_PA)
			rte_mempool_obj_iter(pool, physical_address, NULL);
		rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
		return pool;
	}
	rte_mempool_free(pool);
	rte_errno = error < 0 ? -error : ENOMEM;
	return NULL;
}

/* Memory for the buffers, before others have taken pieces of it. */
static int pool_reserve(struct dpd *dpd)
{
	dpd->pool_zone = rte_memzone_reserve_aligned("wye-packets", dpd->memory.size_bytes / 4 * 3, SOCKET_ID_ANY, 0, 4096);
	if (dpd->pool_zone)
		return 0;
	log_error("memory: %u MiB for packets in one piece: %s; raise memory.size_mib, or reserve more huge pages",
		  dpd->config->memory.size_mib / 4 * 3, rte_strerror(rte_errno));
	return -ENOMEM;
}

void port_pool_free(struct dpd *dpd)
{
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		for (uint32_t q = 0; q < WYE_QUEUES_MAX; q++)
			taken_forget(&dpd->port[i].taken[q]);
	rte_mempool_free(dpd->pool);
	dpd->pool = NULL;
}
INIT(pool, .start = pool_reserve, .stop = port_pool_free, .after = INIT_NAMES("eal"));

struct rte_mempool *port_pool(const struct dpd *dpd)
{
	uint16_t room = pool_room(dpd);
	uint64_t each = rte_mempool_calc_obj_size(sizeof(struct rte_mbuf) + room, pool_flags(room), NULL);
	uint64_t most = dpd->pool_zone->len / each, n = POOL_PER_QUEUE * (pool_queues(dpd) + dpd->n_workers + 1);
	struct rte_mempool *pool;

	if (n > most) {
		log_warning("memory.size_mib %u is enough for %llu of the %llu packet buffers wanted",
			    dpd->config->memory.size_mib, (unsigned long long)most, (unsigned long long)n);
		n = most;
	}
	pool = pool_create(dpd->pool_zone, (unsigned int)n, room);
	if (!pool)
		errno = rte_errno;
	return pool;
}

static bool room_outgrown(const struct dpd *dpd)
{
	return pool_room(dpd) > rte_pktmbuf_data_room_size(dpd->pool);
}

/* A closed af_xdp port leaves what lay in the kernel's rings: nobody can tell those buffers from others in use. */
static bool buffers_lost(const struct dpd *dpd)
{
	uint32_t waiting = 0;

	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (!dpd->port[i].open && dpd->port[i].link_index)
			waiting += at_least(dpd->port[i].config->queues, 1);
	return waiting && dpd->pool_lost && rte_mempool_avail_count(dpd->pool) < waiting * POOL_PER_QUEUE;
}

bool port_pool_outgrown(const struct dpd *dpd)
{
	return dpd->pool && (room_outgrown(dpd) || buffers_lost(dpd));
}

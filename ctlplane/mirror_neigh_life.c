/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbour life. The kernel ages what it does not use, and it does not see the dataplane's packets: a neighbour would
 * go STALE and never be verified again, or be collected (gc_stale_time). Workers mark whom they send to (struct
 * wye_hits); a neighbour that is STALE and has been marked of late is given back to the kernel as used: RTM_NEWNEIGH
 * with NTF_USE is neigh_event_send(), what a packet of the kernel's own would do. So the kernel probes it, and decides:
 * REACHABLE, or FAILED, upon which packets are punted and it is resolved anew.
 *
 * Not NTF_EXT_MANAGED for gateways: it is state in the kernel's table that outlives us after a crash, exempts entries
 * from collection and probes gateways nobody uses every few seconds. NTF_USE leaves nothing behind, works before
 * Linux 5.16, and is the same for gateways and for hosts on a link. What managed entries give beside, a gateway resolved
 * before its first packet, the first punted packet gives as well.
 *
 * Paced: a turn through the table takes TURN_TICKS, so that neighbours that came together are not probed together ever
 * after. The kernel's timer wheel gathers probes of half a second into one burst; ten thousand within 12 s made bursts of
 * 430 answers, too many for a veth's ring of 256. In the meantime STALE forwards as well as REACHABLE.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "array.h"
#include "errand.h"
#include "log.h"
#include "mirror.h"

#define TICKS_A_MARK 10u	/* of 100 ms: a mark is a second */
#define TURN_TICKS   200u
#define LOOK_LEAST   64u	/* records a tick */
#define SEEN_MARKS   2u		/* traffic since the last look, and so many seconds before, counts */
#define ASKED_MARKS  10u	/* not again before: DELAY is not told, and PROBE only after delay_first_probe_time (5 s) */
#define BATCH	     64u	/* messages a system call */

struct use {		/* RTM_NEWNEIGH; IPv4 uses four bytes of the address */
	struct nlmsghdr header;
	struct ndmsg ndm;
	struct rtattr attr;
	uint8_t addr[16];
};

static struct use use_of(const struct wye_neigh *neigh)
{
	uint16_t addr_bytes = neigh->family == AF_INET ? 4 : 16;
	struct use use = {
		.header = { .nlmsg_len = (uint32_t)(offsetof(struct use, addr) + addr_bytes),
			    .nlmsg_type = RTM_NEWNEIGH, .nlmsg_flags = NLM_F_REQUEST },
		.ndm = { .ndm_family = neigh->family, .ndm_ifindex = (int)neigh->ifindex, .ndm_flags = NTF_USE },
		.attr = { .rta_len = (uint16_t)RTA_LENGTH(addr_bytes), .rta_type = NDA_DST },
	};

	memcpy(use.addr, neigh->addr, addr_bytes);
	return use;
}

struct batch {
	int fd;
	const void *data;
	size_t bytes;
};

static int errand_send(void *ctx)
{
	const struct batch *batch = ctx;

	return send(batch->fd, batch->data, batch->bytes, 0) < 0 ? -errno : 0;
}

/* The kernel answers only what it refuses: a neighbour that is gone, which a notification tells anyhow. */
static void send_batch(struct mirror *mirror, const void *data, size_t bytes, uint32_t n)
{
	struct neigh_life *life = &mirror->neigh_life;
	struct batch batch = { life->fd, data, bytes };
	char answer[256];
	int error;

	if (!n)
		return;
	error = errand_run(mirror, errand_send, &batch);
	if (error)
		log_limited(LOG_LEVEL_WARNING, "neighbours with traffic: the kernel cannot be told: %s; tried again",
			    strerror(-error));
	else
		atomic_fetch_add_explicit(&mirror_stats(mirror)->neigh_uses, n, memory_order_relaxed);
	while (recv(life->fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
}

static uint8_t age(uint32_t mark, uint8_t then)
{
	return (uint8_t)((mark + WYE_HIT_MARKS - then) % WYE_HIT_MARKS);
}

static bool due(struct neigh_life *life, const struct wye_hits *hits, const struct wye_neigh *neigh, uint32_t index)
{
	uint8_t seen = atomic_load_explicit((_Atomic uint8_t *)&hits->seen[index], memory_order_relaxed);

	if (!seen || age(life->mark, seen) > life->seen_marks || !neigh->family)
		return false;
	if (neigh->nud_state != NUD_STALE) {
		life->asked[index] = 0;
		return false;
	}
	return !life->asked[index] || age(life->mark, life->asked[index]) > ASKED_MARKS;
}

static void look(struct mirror *mirror, const struct wye_hits *hits, uint32_t from, uint32_t to)
{
	const struct wye_neigh *neighs = region_records(&mirror->tables->region, WYE_SECTION_NEIGH);
	struct neigh_life *life = &mirror->neigh_life;
	char batch[BATCH * NLMSG_ALIGN(sizeof(struct use))];
	size_t bytes = 0;
	uint32_t n = 0;

	for (uint32_t i = from; i < to; i++) {
		struct use use;

		if (!due(life, hits, &neighs[i], i))
			continue;
		use = use_of(&neighs[i]);
		memcpy(batch + bytes, &use, use.header.nlmsg_len);
		bytes += NLMSG_ALIGN(use.header.nlmsg_len);
		life->asked[i] = (uint8_t)life->mark;
		if (++n < BATCH)
			continue;
		send_batch(mirror, batch, bytes, n);
		bytes = n = 0;
	}
	send_batch(mirror, batch, bytes, n);
}

/* Marks of the region before this one mean other neighbours. */
static bool follow_region(struct neigh_life *life, struct region *region, uint32_t used)
{
	if (life->generation != region->generation) {
		if (life->n_asked)
			memset(life->asked, 0, life->n_asked);
		life->generation = region->generation;
		life->at = 1;
		atomic_store_explicit(&region->hits->mark, life->mark, memory_order_relaxed);
	}
	if (used > life->n_asked) {
		if (!array_fit((void **)&life->asked, &life->cap_asked, 1, used))
			return false;
		memset(life->asked + life->n_asked, 0, life->cap_asked - life->n_asked);
		life->n_asked = life->cap_asked;
	}
	return true;
}

void neighs_live(struct mirror *mirror)
{
	struct neigh_life *life = &mirror->neigh_life;
	struct region *region = &mirror->tables->region;
	uint32_t used = atomic_load_explicit(&region->base->section[WYE_SECTION_NEIGH].used, memory_order_relaxed);
	uint32_t step, to;

	if (!mirror->live || !region->hits || !follow_region(life, region, used))
		return;
	if (++life->ticks % TICKS_A_MARK == 0) {
		life->mark = life->mark % WYE_HIT_MARKS + 1;
		atomic_store_explicit(&region->hits->mark, life->mark, memory_order_relaxed);
	}
	if (life->at >= used)
		life->at = 1;
	step = used / TURN_TICKS > LOOK_LEAST ? used / TURN_TICKS : LOOK_LEAST;
	life->seen_marks = used / step / TICKS_A_MARK + SEEN_MARKS;
	to = life->at + step;
	look(mirror, region->hits, life->at, to < used ? to : used);
	life->at = to;
}

int neighs_life_open(struct mirror *mirror)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	mirror->neigh_life.mark = 1;
	mirror->neigh_life.fd = fd;
	return fd < 0 || connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0 ? -errno : 0;
}

void neighs_life_close(struct mirror *mirror)
{
	if (mirror->neigh_life.fd > 0)
		close(mirror->neigh_life.fd);
	free(mirror->neigh_life.asked);
	mirror->neigh_life = (struct neigh_life){ .fd = -1 };
}

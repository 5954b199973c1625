/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BPF programs in the way of packets, none of which netlink tells about: tcx programs and XDP programs other than
 * wye-dpd's on ports, programs linked to netfilter's hooks. Of the last nobody can tell the network namespace; they hold
 * ours. What a kernel does not know (tcx before 6.6, netfilter links before 6.4) is not there.
 *
 * The kernel answers under its RTNL lock, which it holds for seconds when a million routes move: no time to wait for it in
 * the loop. So a thread of its own looks, once a second; only when ports change, or the configuration, the loop itself does.
 *
 * Ordering guarantees: P1 the loop fills watch.look's ports and release-stores watch.state ASKED; P2 the thread
 * acquire-loads it, looks, and release-stores LOOKED; P3 the loop acquire-loads that: the findings are written. Whose state it
 * is not touches nothing of watch.look. The eventfds only wake.
 */
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/netfilter.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mirror.h"
#include "thread.h"

/* Newer than the headers of the oldest supported release. */
#define TCX_INGRESS	46
#define TCX_EGRESS	47
#define LINK_NETFILTER	10
#define LINKS_MAX	65536

struct netfilter_link {	/* bpf_link_info.netfilter */
	uint32_t pf, hooknum;
	int32_t priority;
	uint32_t flags;
};

#define FINDS_MAX	(WYE_PORTS_MAX * 5 + 64)	/* two tcx hooks and three XDP modes a port, and some of the namespace's */

struct look {
	struct { uint32_t ifindex; bool steered_by_xdp; } port[WYE_PORTS_MAX];
	uint32_t n_ports;
	struct parity_find find[FINDS_MAX]; /* source, scope, where */
	uint32_t n;	/* what has no room here is one more of the same scope */
};

enum watch_state { IDLE, ASKED, LOOKED, STOP };

static struct watch {
	struct look look;
	_Atomic enum watch_state state;
	int asked_fd, looked_fd;	/* eventfds */
	uint32_t since;			/* `looks` when asked */
	pthread_t thread;
	bool runs;
} watch;
static uint32_t looks;	/* that the loop took itself: what the thread saw meanwhile may be older */

/* ---- looking: nothing of the mirror ---- */

__attribute__((format(printf, 4, 5)))
static void found(struct look *look, enum parity_source source, struct parity_scope scope, const char *where, ...)
{
	struct parity_find *find = &look->find[look->n];
	va_list args;

	if (look->n == FINDS_MAX)
		return;
	find->source = source;
	find->scope = scope;
	va_start(args, where);
	vsnprintf(find->where, sizeof(find->where), where, args);
	va_end(args);
	look->n++;
}

static void look_at_tcx(struct look *look, uint32_t ifindex)
{
	static const struct { int type; const char *word; } sides[] = { { TCX_INGRESS, "ingress" }, { TCX_EGRESS, "egress" } };
	const struct parity_scope scope = { WYE_PARITY_TC, ifindex, PARITY_BOTH };

	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		uint32_t n = 0;

		if (bpf_prog_query((int)ifindex, (enum bpf_attach_type)sides[i].type, 0, NULL, NULL, &n) == 0 && n)
			found(look, PARITY_TCX, scope, "%s BPF program (tcx)", sides[i].word);
	}
}

static void name_of(uint32_t prog_id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id);

	strcpy(name, "?");
	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.name[0])
		memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	close(fd);
}

static void look_at_xdp(struct look *look, uint32_t ifindex, bool steered_by_xdp)
{
	const struct parity_scope scope = { WYE_PARITY_XDP, ifindex, PARITY_BOTH };
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	char name[BPF_OBJ_NAME_LEN];
	uint32_t ids[3];

	if (bpf_xdp_query((int)ifindex, 0, &opts))
		return;
	ids[0] = opts.drv_prog_id;
	ids[1] = opts.skb_prog_id;
	ids[2] = opts.hw_prog_id;
	for (int i = 0; i < 3; i++) {
		if (!ids[i])
			continue;
		name_of(ids[i], name);
		if (!steered_by_xdp || strcmp(name, "wye_steer"))
			found(look, PARITY_XDP, scope, "XDP program %s, id %u", name, ids[i]);
	}
}

static void look_at_netfilter(struct look *look, const struct bpf_link_info *info)
{
	struct parity_scope scope = { WYE_PARITY_HOOKS, 0, PARITY_BOTH };
	struct netfilter_link link;

	memcpy(&link, (const char *)info + offsetof(struct bpf_link_info, raw_tracepoint), sizeof(link));
	if (link.hooknum == NF_INET_LOCAL_IN || link.hooknum == NF_INET_LOCAL_OUT)
		return;
	if (link.pf == NFPROTO_IPV4 || link.pf == NFPROTO_IPV6)
		scope.families = link.pf == NFPROTO_IPV4 ? WYE_PARITY_IP4 : WYE_PARITY_IP6;
	found(look, PARITY_HOOKS, scope, "BPF program on a netfilter hook, link id %u", info->id);
}

static void look_at_links(struct look *look)
{
	uint32_t id = 0;

	for (int i = 0; i < LINKS_MAX && bpf_link_get_next_id(id, &id) == 0; i++) {
		struct bpf_link_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && (int)info.type == LINK_NETFILTER)
			look_at_netfilter(look, &info);
		close(fd);
	}
}

static void look_at_all(struct look *look)
{
	look->n = 0;
	for (uint32_t i = 0; i < look->n_ports; i++) {
		look_at_tcx(look, look->port[i].ifindex);
		look_at_xdp(look, look->port[i].ifindex, look->port[i].steered_by_xdp);
	}
	look_at_links(look);
}

/* ---- the loop's part ---- */

static void take_ports(struct mirror *mirror, struct look *look)
{
	look->n_ports = 0;
	for (size_t i = 0; i < mirror->config->n_ports; i++) {
		const struct wye_config_port *port = &mirror->config->port[i];
		const struct link_entry *link = links_named(mirror, port->netdev);

		if (!link)
			continue;
		look->port[look->n_ports].ifindex = link->ifindex;
		look->port[look->n_ports++].steered_by_xdp = port->driver == WYE_DRIVER_AF_XDP;
	}
}

static void take_finds(struct mirror *mirror, const struct look *look)
{
	static const enum parity_source sources[] = { PARITY_TCX, PARITY_XDP, PARITY_HOOKS };

	for (size_t i = 0; i < 3; i++)
		parity_look(mirror, sources[i]);
	for (uint32_t i = 0; i < look->n; i++)
		parity_found(mirror, look->find[i].source, look->find[i].scope, "%s", look->find[i].where);
	for (size_t i = 0; i < 3; i++)
		parity_looked(mirror, sources[i], 0);
}

void parity_bpf_look(struct mirror *mirror)
{
	static struct look look;

	looks++;
	take_ports(mirror, &look);
	look_at_all(&look);
	take_finds(mirror, &look);
}

void parity_bpf_poll(struct mirror *mirror)
{
	if (atomic_load_explicit(&watch.state, memory_order_relaxed) != IDLE)
		return; /* it still waits for the kernel */
	take_ports(mirror, &watch.look);
	watch.since = looks;
	atomic_store_explicit(&watch.state, ASKED, memory_order_release);
	eventfd_write(watch.asked_fd, 1);
}

static void on_looked(void *ctx)
{
	eventfd_t n;

	if (eventfd_read(watch.looked_fd, &n) || atomic_load_explicit(&watch.state, memory_order_acquire) != LOOKED)
		return;
	if (watch.since == looks)
		take_finds(ctx, &watch.look);
	atomic_store_explicit(&watch.state, IDLE, memory_order_relaxed);
}

/* ---- the thread ---- */

static void *run(void *unused)
{
	eventfd_t n;

	while (!eventfd_read(watch.asked_fd, &n)) {
		enum watch_state asked = ASKED;

		if (atomic_load_explicit(&watch.state, memory_order_acquire) == STOP)
			break;
		look_at_all(&watch.look);
		if (!atomic_compare_exchange_strong_explicit(&watch.state, &asked, LOOKED, memory_order_release, memory_order_relaxed))
			break; /* it is to stop */
		eventfd_write(watch.looked_fd, 1);
	}
	return NULL;
}

int parity_bpf_open(struct mirror *mirror)
{
	int error;

	watch.asked_fd = eventfd(0, EFD_CLOEXEC);
	watch.looked_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watch.asked_fd < 0 || watch.looked_fd < 0)
		return -errno;
	error = event_add(&mirror->loop, watch.looked_fd, on_looked, mirror);
	if (error)
		return error;
	error = thread_start(&watch.thread, run);
	watch.runs = !error;
	return error;
}

/* Waits for a look that is under way. */
void parity_bpf_close(void)
{
	if (!watch.runs)
		return;
	atomic_store_explicit(&watch.state, STOP, memory_order_relaxed);
	eventfd_write(watch.asked_fd, 1);
	pthread_join(watch.thread, NULL);
	close(watch.asked_fd);
	close(watch.looked_fd);
	watch.runs = false;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BPF programs in the way of packets, none of which netlink tells about: tcx programs and XDP programs other than
 * wye-dpd's on ports, programs linked to netfilter's hooks. Of the last nobody can tell the network namespace; they hold
 * ours. What a kernel does not know (tcx before 6.6, netfilter links before 6.4) is not there.
 */
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/netfilter.h>
#include <string.h>
#include <unistd.h>

#include "mirror.h"

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

static void look_at_tcx(struct mirror *mirror, const struct link_entry *link)
{
	static const struct { int type; const char *word; } sides[] = { { TCX_INGRESS, "ingress" }, { TCX_EGRESS, "egress" } };
	const struct parity_scope scope = { WYE_PARITY_TC, link->ifindex, PARITY_BOTH };

	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		uint32_t n = 0;

		if (bpf_prog_query((int)link->ifindex, (enum bpf_attach_type)sides[i].type, 0, NULL, NULL, &n) == 0 && n)
			parity_found(mirror, PARITY_TCX, scope, "%s BPF program (tcx)", sides[i].word);
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

static void look_at_xdp(struct mirror *mirror, const struct link_entry *link, bool steered_by_xdp)
{
	const struct parity_scope scope = { WYE_PARITY_XDP, link->ifindex, PARITY_BOTH };
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	char name[BPF_OBJ_NAME_LEN];
	uint32_t ids[3];

	if (bpf_xdp_query((int)link->ifindex, 0, &opts))
		return;
	ids[0] = opts.drv_prog_id;
	ids[1] = opts.skb_prog_id;
	ids[2] = opts.hw_prog_id;
	for (int i = 0; i < 3; i++) {
		if (!ids[i])
			continue;
		name_of(ids[i], name);
		if (!steered_by_xdp || strcmp(name, "wye_steer"))
			parity_found(mirror, PARITY_XDP, scope, "XDP program %s, id %u", name, ids[i]);
	}
}

static void look_at_netfilter(struct mirror *mirror, const struct bpf_link_info *info)
{
	struct parity_scope scope = { WYE_PARITY_HOOKS, 0, PARITY_BOTH };
	struct netfilter_link link;

	memcpy(&link, (const char *)info + offsetof(struct bpf_link_info, raw_tracepoint), sizeof(link));
	if (link.hooknum == NF_INET_LOCAL_IN || link.hooknum == NF_INET_LOCAL_OUT)
		return;
	if (link.pf == NFPROTO_IPV4 || link.pf == NFPROTO_IPV6)
		scope.families = link.pf == NFPROTO_IPV4 ? WYE_PARITY_IP4 : WYE_PARITY_IP6;
	parity_found(mirror, PARITY_HOOKS, scope, "BPF program on a netfilter hook, link id %u", info->id);
}

static void look_at_links(struct mirror *mirror)
{
	uint32_t id = 0;

	for (int i = 0; i < LINKS_MAX && bpf_link_get_next_id(id, &id) == 0; i++) {
		struct bpf_link_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && (int)info.type == LINK_NETFILTER)
			look_at_netfilter(mirror, &info);
		close(fd);
	}
}

void parity_bpf_poll(struct mirror *mirror)
{
	parity_look(mirror, PARITY_TCX);
	parity_look(mirror, PARITY_XDP);
	parity_look(mirror, PARITY_HOOKS);
	for (size_t i = 0; i < mirror->config->n_ports; i++) {
		const struct wye_config_port *port = &mirror->config->port[i];
		const struct link_entry *link = links_named(mirror, port->netdev);

		if (!link)
			continue;
		look_at_tcx(mirror, link);
		look_at_xdp(mirror, link, port->driver == WYE_DRIVER_AF_XDP);
	}
	look_at_links(mirror);
	parity_looked(mirror, PARITY_TCX, 0);
	parity_looked(mirror, PARITY_XDP, 0);
	parity_looked(mirror, PARITY_HOOKS, 0);
}

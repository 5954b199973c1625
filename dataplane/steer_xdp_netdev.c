/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XDP programs on a netdev: none may be there before the af_xdp PMD attaches ours. That of a dead wye-dpd is
 * detached; anybody else's stays, and the operator is told what it is and how to get rid of it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "steer_private.h"
#include "wye_map.h"

struct attached {	/* one of the at most three programs on a netdev */
	uint32_t prog_id;
	uint32_t mode_flag;	/* XDP_FLAGS_*_MODE */
	int mode;		/* XDP_ATTACHED_* */
	const char *word;
	const char *ip_word;	/* `ip link set dev X WORD off` */
};

static size_t list_attached(uint32_t ifindex, struct attached list[3])
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	size_t n = 0;

	if (bpf_xdp_query(ifindex, 0, &opts))
		return 0;
	if (opts.drv_prog_id)
		list[n++] = (struct attached){ opts.drv_prog_id, XDP_FLAGS_DRV_MODE, XDP_ATTACHED_DRV, "native", "xdpdrv" };
	if (opts.skb_prog_id)
		list[n++] = (struct attached){ opts.skb_prog_id, XDP_FLAGS_SKB_MODE, XDP_ATTACHED_SKB, "generic",
					       "xdpgeneric" };
	if (opts.hw_prog_id)
		list[n++] = (struct attached){ opts.hw_prog_id, XDP_FLAGS_HW_MODE, XDP_ATTACHED_HW, "offloaded",
					       "xdpoffload" };
	return n;
}

/* The bpf_link that holds prog_id on the netdev, 0 = it was attached by netlink. */
static uint32_t holding_link(uint32_t prog_id, uint32_t ifindex)
{
	uint32_t id = 0, found = 0;

	while (!found && bpf_link_get_next_id(id, &id) == 0) {
		struct bpf_link_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.type == BPF_LINK_TYPE_XDP &&
		    info.prog_id == prog_id && info.xdp.ifindex == ifindex)
			found = id;
		close(fd);
	}
	return found;
}

/* Only if it is still this very program. */
static int detach(uint32_t ifindex, const struct attached *program)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = bpf_prog_get_fd_by_id(program->prog_id));
	int err;

	if (opts.old_prog_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = bpf_xdp_detach(ifindex, program->mode_flag, &opts);
	close(opts.old_prog_fd);
	return err;
}

static int refuse(const struct steer_port *port, const struct attached *program, const char *name, char *why)
{
	uint32_t link = holding_link(program->prog_id, port->ifindex);
	int n = snprintf(why, WYE_WHY_BYTES,
			 "%s: another XDP program is attached: \"%s\", id %u, %s mode; wye does not replace it; see who "
			 "uses it: bpftool net show dev %s; ",
			 port->netdev, name, program->prog_id, program->word, port->netdev);

	if (link)
		snprintf(why + n, WYE_WHY_BYTES - n, "it is held by bpf_link %u: end its owner, or: bpftool link detach id %u",
			 link, link);
	else
		snprintf(why + n, WYE_WHY_BYTES - n, "detach it: ip link set dev %s %s off", port->netdev, program->ip_word);
	return -EBUSY;
}

static int clear_one(const struct steer_port *port, const struct attached *program, char *why)
{
	char name[16];
	uint32_t pid = 0;
	int err;

	switch (steer_program_owner(program->prog_id, name, &pid)) {
	case STEER_OTHER:
		snprintf(why, WYE_WHY_BYTES, "%s: is steered by wye-dpd with pid %u, which is running; stop it first",
			 port->netdev, pid);
		return -EBUSY;
	case STEER_FOREIGN:
		return refuse(port, program, name, why);
	default:
		break;
	}
	err = detach(port->ifindex, program);
	if (err)
		snprintf(why, WYE_WHY_BYTES,
			 "%s: cannot detach the XDP program a dead wye-dpd left (id %u): %s; try: ip link set dev %s %s off",
			 port->netdev, program->prog_id, strerror(-err), port->netdev, program->ip_word);
	return err;
}

int steer_netdev_clear(const struct steer_port *port, char *why)
{
	struct attached list[3];
	size_t n = list_attached(port->ifindex, list);
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = clear_one(port, &list[i], why);
	return err;
}

static bool is_own(const struct attached *program)
{
	char name[16];
	uint32_t pid;

	return steer_program_owner(program->prog_id, name, &pid) == STEER_SELF;
}

int steer_netdev_mode(uint32_t ifindex)
{
	struct attached list[3];
	size_t n = list_attached(ifindex, list);

	for (size_t i = 0; i < n; i++)
		if (is_own(&list[i]))
			return list[i].mode;
	return 0;
}

void steer_netdev_detach(uint32_t ifindex)
{
	struct attached list[3];
	size_t n = list_attached(ifindex, list);

	for (size_t i = 0; i < n; i++)
		if (is_own(&list[i]))
			(void)detach(ifindex, &list[i]);
}

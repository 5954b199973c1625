/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show addr: the mirrored addresses, below their links. */
#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link_object.h"
#include "names.h"

/* print_ifa_flags() of iproute2: "permanent" shows as its absence, "dynamic". */
static const struct flag_name address_flags[] = {
	{ IFA_F_SECONDARY, "secondary" }, { IFA_F_NODAD, "nodad" }, { IFA_F_OPTIMISTIC, "optimistic" },
	{ IFA_F_DADFAILED, "dadfailed" }, { IFA_F_HOMEADDRESS, "home" }, { IFA_F_DEPRECATED, "deprecated" },
	{ IFA_F_TENTATIVE, "tentative" }, { IFA_F_PERMANENT, "permanent" }, { IFA_F_MANAGETEMPADDR, "mngtmpaddr" },
	{ IFA_F_NOPREFIXROUTE, "noprefixroute" }, { IFA_F_MCAUTOJOIN, "autojoin" },
	{ IFA_F_STABLE_PRIVACY, "stable-privacy" },
};
#define ADDRESS_FLAGS (sizeof(address_flags) / sizeof(address_flags[0]))

static const struct out_column columns[] = {
	{ NULL, "DEV", false }, { NULL, "STATE", false }, { NULL, "ADDRESS", false }, { NULL, "PEER", false },
	{ NULL, "BROADCAST", false }, { NULL, "SCOPE", false }, { NULL, "LABEL", false }, { NULL, "FLAGS", false },
};

struct addresses {
	struct wye_addr *addr;	/* owned */
	size_t n;
};

static size_t flag_names(const struct wye_addr *addr, const char **names)
{
	size_t n = 0;

	for (size_t i = 0; i < ADDRESS_FLAGS; i++) {
		bool set = addr->flags & address_flags[i].bit;

		if (address_flags[i].bit == IFA_F_PERMANENT && !set)
			names[n++] = "dynamic";
		else if (address_flags[i].bit == IFA_F_SECONDARY && set)
			names[n++] = addr->family == AF_INET6 ? "temporary" : "secondary";
		else if (address_flags[i].bit != IFA_F_PERMANENT && set)
			names[n++] = address_flags[i].name;
	}
	return n;
}

/* By link in the order of the section, which is the order in which the kernel told them. */
static int copy_addresses(struct tool *tool, struct addresses *all)
{
	uint32_t used = view_used(&tool->view, WYE_SECTION_ADDR);

	all->n = 0;
	all->addr = calloc(used ? used : 1, sizeof(*all->addr));
	if (!all->addr)
		return WYE_EXIT_ERROR;
	for (uint32_t i = 1; i < used; i++) {
		const struct wye_addr *addr = view_record(&tool->view, WYE_SECTION_ADDR, i);
		struct wye_addr *copy = &all->addr[all->n];

		if (!view_read(&tool->view, &addr->seq, addr, copy, sizeof(*copy)) || !copy->ifindex)
			continue;
		if (tool->family && copy->family != tool->family)
			continue;
		copy->label[15] = '\0';
		all->n++;
	}
	return WYE_EXIT_OK;
}

static size_t bytes_of(const struct wye_addr *addr)
{
	return addr->family == AF_INET6 ? 16 : 4;
}

/* IPv6 has no broadcast, and a peer only where `address` is another; without IFA_LOCAL the address is in `address`. */
static bool has_peer(const struct wye_addr *addr)
{
	static const uint8_t nothing[16];

	return memcmp(addr->address, nothing, 16) && memcmp(addr->local, addr->address, bytes_of(addr));
}

static bool has_broadcast(const struct wye_addr *addr)
{
	static const uint8_t nothing[16];

	return memcmp(addr->broadcast, nothing, bytes_of(addr)) != 0;
}

static const char *text_of(const struct wye_addr *addr, const uint8_t *bytes, char *buf)
{
	return name_address(addr->family, bytes, buf);
}

static void print_json(struct out *out, const struct wye_addr *addr)
{
	const char *names[ADDRESS_FLAGS + 1];
	char buf[WYE_NAME_BYTES];
	size_t n = flag_names(addr, names);

	out_object(out, NULL);
	out_str(out, "family", name_family(addr->family));
	out_str(out, "local", text_of(addr, addr->local, buf));
	if (has_peer(addr))
		out_str(out, "address", text_of(addr, addr->address, buf));
	out_uint(out, "prefixlen", addr->prefix_len);
	if (has_broadcast(addr))
		out_str(out, "broadcast", text_of(addr, addr->broadcast, buf));
	out_str(out, "scope", name_scope(addr->scope, buf));
	for (size_t i = 0; i < n; i++)
		out_bool(out, names[i], true);
	if (addr->label[0])
		out_str(out, "label", addr->label);
	out_uint(out, "valid_life_time", addr->valid_lft_s);
	out_uint(out, "preferred_life_time", addr->preferred_lft_s);
	out_object_end(out);
}

static void print_row(struct tool *tool, const struct wye_link *link, const struct wye_addr *addr)
{
	const char *names[ADDRESS_FLAGS + 1];
	char buf[WYE_NAME_BYTES], prefix[WYE_NAME_BYTES + 8];
	struct out *out = &tool->out;

	out_row(out);
	out_cell_state(out, OUT_NAME, link->name);
	out_cell_state(out, link->flags & WYE_LINK_UP ? OUT_GOOD : OUT_POOR, name_operstate(link->operstate, buf));
	snprintf(prefix, sizeof(prefix), "%s/%u", text_of(addr, addr->local, buf), addr->prefix_len);
	out_cell_state(out, OUT_ADDRESS, prefix);
	out_cell_str(out, has_peer(addr) ? text_of(addr, addr->address, buf) : NULL);
	out_cell_str(out, has_broadcast(addr) ? text_of(addr, addr->broadcast, buf) : NULL);
	out_cell_str(out, name_scope(addr->scope, buf));
	out_cell_str(out, addr->label);
	out_cell_list(out, names, flag_names(addr, names));
	out_row_end(out);
}

static bool any_on(const struct addresses *all, uint32_t ifindex)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->addr[i].ifindex == ifindex)
			return true;
	return false;
}

static void print_link(struct tool *tool, const struct wye_link *link, const struct addresses *all)
{
	struct out *out = &tool->out;

	if (tool->family && !any_on(all, link->ifindex))
		return; /* as ip -4 addr */
	if (out->json) {
		out_object(out, NULL);
		link_members(tool, link, false);
		out_array(out, "addr_info");
	}
	for (size_t i = 0; i < all->n; i++) {
		if (all->addr[i].ifindex != link->ifindex)
			continue;
		if (out->json)
			print_json(out, &all->addr[i]);
		else
			print_row(tool, link, &all->addr[i]);
	}
	if (out->json) {
		out_array_end(out);
		out_object_end(out);
	}
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct addresses all;
	const struct wye_link *wanted;
	int err = device_argument(tool, argc, argv, &wanted);

	if (err)
		return err;
	if (copy_addresses(tool, &all))
		return WYE_EXIT_ERROR;
	out_table(&tool->out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < tool->view.n_links; i++)
		if (!wanted || wanted == &tool->view.links[i])
			print_link(tool, &tool->view.links[i], &all);
	out_table_end(&tool->out);
	free(all.addr);
	return WYE_EXIT_OK;
}

const struct command cmd_addr = {
	.name = "addr",
	.summary = "addresses as the mirror has them",
	.arguments = "[[dev] NAME]",
	.help = "JSON: the keys of `ip -j addr`. Life times are those of the kernel's last message.\n",
	.run = run,
};

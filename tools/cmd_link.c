/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show link: the mirrored links, and why the dataplane may or may not forward on them. */
#include <net/if.h>
#include <string.h>

#include "link_object.h"
#include "names.h"

static const struct out_column columns[] = {
	{ NULL, "INDEX", true }, { NULL, "NAME", false }, { NULL, "STATE", false }, { NULL, "MTU", true },
	{ NULL, "ADDRESS", false }, { NULL, "KIND", false }, { NULL, "MASTER", false }, { NULL, "TABLE", false },
	{ NULL, "FORWARD", false }, { NULL, "KERNEL ONLY", false }, { NULL, "FLAGS", false },
};

static const char *forward_text(const struct wye_link *link)
{
	bool four = link->flags & WYE_LINK_FORWARD4, six = link->flags & WYE_LINK_FORWARD6;

	return four && six ? "4,6" : four ? "4" : six ? "6" : "";
}

static enum out_colour state_colour(const struct wye_link *link)
{
	if (!(link->flags & WYE_LINK_UP))
		return OUT_POOR;
	return link->flags & WYE_LINK_CARRIER ? OUT_GOOD : OUT_BAD;
}

static void print_row(struct tool *tool, const struct wye_link *link)
{
	const char *flags[LINK_FLAG_NAMES], *parity[32];
	char buf[WYE_NAME_BYTES], hex[WYE_NAME_BYTES];
	struct out *out = &tool->out;

	out_row(out);
	out_cell_uint(out, link->ifindex);
	out_cell_state(out, OUT_NAME, link->name);
	out_cell_state(out, state_colour(link), name_operstate(link->operstate, buf));
	out_cell_uint(out, link->mtu_bytes);
	out_cell_str(out, link_address(link->arp_type, link->mac, link->mac_len, buf));
	out_cell_str(out, link->kind);
	out_cell_str(out, link->master_ifindex ? view_link_name(&tool->view, link->master_ifindex, buf) : NULL);
	out_cell_str(out, name_table(link->table, buf));
	out_cell_str(out, forward_text(link));
	out_cell_list(out, parity, names_parity(link->parity, parity, 32));
	out_cell_list(out, flags, link_flag_names(tool, link, flags, hex));
	out_row_end(out);
}

/* What ip does not know. */
static void own_members(struct out *out, const struct wye_link *link)
{
	const char *parity[32];
	char buf[WYE_NAME_BYTES];
	size_t n = names_parity(link->parity, parity, 32);

	out_object(out, "wye");
	if (link->kind[0])
		out_str(out, "kind", link->kind);
	out_str(out, "table", name_table(link->table, buf));
	out_uint(out, "vrf", link->vrf);
	out_bool(out, "up", link->flags & WYE_LINK_UP);
	out_bool(out, "carrier", link->flags & WYE_LINK_CARRIER);
	out_bool(out, "forward4", link->flags & WYE_LINK_FORWARD4);
	out_bool(out, "forward6", link->flags & WYE_LINK_FORWARD6);
	out_uint(out, "rp_filter", link->rp_filter);
	out_str(out, "urpf", link->flags & WYE_LINK_RPF_STRICT4 ? "strict" : link->flags & WYE_LINK_RPF_LOOSE4 ? "loose" : "off");
	out_bool(out, "proxy_arp", link->flags & WYE_LINK_PROXY_ARP4);
	out_bool(out, "proxy_ndp", link->flags & WYE_LINK_PROXY_NDP6);
	out_bool(out, "ignore_linkdown4", link->flags & WYE_LINK_IGNORE_LINKDOWN4);
	out_bool(out, "ignore_linkdown6", link->flags & WYE_LINK_IGNORE_LINKDOWN6);
	if (link->mtu6_bytes)
		out_uint(out, "mtu6", link->mtu6_bytes);
	if (link->vlan_id)
		out_uint(out, "vlan_id", link->vlan_id);
	out_array(out, "parity");
	for (size_t i = 0; i < n; i++)
		out_str(out, NULL, parity[i]);
	out_array_end(out);
	out_object_end(out);
}

static int run(struct tool *tool, int argc, char **argv)
{
	const struct wye_link *wanted;
	int err = device_argument(tool, argc, argv, &wanted);

	if (err)
		return err;
	out_table(&tool->out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < tool->view.n_links; i++) {
		const struct wye_link *link = &tool->view.links[i];

		if (wanted && wanted != link)
			continue;
		if (!tool->out.json) {
			print_row(tool, link);
			continue;
		}
		out_object(&tool->out, NULL);
		link_members(tool, link, true);
		own_members(&tool->out, link);
		out_object_end(&tool->out);
	}
	out_table_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_link = {
	.name = "link",
	.summary = "links as the mirror has them, and what keeps their packets with the kernel",
	.arguments = "[[dev] NAME]",
	.help = "JSON: the keys of `ip -j link`, and in \"wye\" what ip does not know (forwarding, VRF, parity).\n"
		"NAME may be an alternative name. Not mirrored: the \"xdp\" object.\n",
	.run = run,
};

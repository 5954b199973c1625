/* SPDX-License-Identifier: BSD-3-Clause */
/* Links as ip(8) writes them: print_linkinfo() of iproute2 6.1. */
#include "link_object.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#include "names.h"

const char *link_address(uint16_t arp_type, const uint8_t *bytes, uint8_t len, char *buf)
{
	size_t at = 0;

	buf[0] = '\0';
	if (len == 4 && (arp_type == ARPHRD_TUNNEL || arp_type == ARPHRD_SIT || arp_type == ARPHRD_IPGRE)) {
		inet_ntop(AF_INET, bytes, buf, WYE_NAME_BYTES);
		return buf;
	}
	for (uint8_t i = 0; i < len && i < 8; i++)
		at += (size_t)snprintf(buf + at, WYE_NAME_BYTES - at, "%s%02x", i ? ":" : "", bytes[i]);
	return buf;
}

/* The writer may not have told the broadcast address: every Ethernet link has this one unless somebody changed it. */
static const char *broadcast_of(const struct wye_link *link, char *buf)
{
	static const uint8_t nothing[8], ones[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };
	bool told = memcmp(link->broadcast, nothing, sizeof(nothing)) != 0;

	return link_address(link->arp_type, !told && link->arp_type == ARPHRD_ETHER ? ones : link->broadcast,
			    link->mac_len, buf);
}

size_t link_flag_names(const struct tool *tool, const struct wye_link *link, const char **names, char *hex)
{
	const struct wye_link *lower =
		link->lower_ifindex && link->lower_netnsid < 0 ? view_link(&tool->view, link->lower_ifindex) : NULL;
	uint32_t rest;
	size_t n = names_link_flags(link->ifi_flags, names, LINK_FLAG_NAMES - 2, &rest);

	if (rest) {
		snprintf(hex, WYE_NAME_BYTES, "%x", rest);
		names[n++] = hex;
	}
	if (lower && !(lower->ifi_flags & IFF_UP))
		names[n++] = "M-DOWN";
	return n;
}

static void lower_members(struct tool *tool, const struct wye_link *link)
{
	char buf[WYE_NAME_BYTES];

	if (!link->lower_ifindex)
		return;
	if (link->lower_netnsid >= 0)
		out_uint(&tool->out, "link_index", link->lower_ifindex);
	else
		out_str(&tool->out, "link", view_link_name(&tool->view, link->lower_ifindex, buf));
}

static void address_members(struct tool *tool, const struct wye_link *link)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	out_str(out, "link_type", name_link_type(link->arp_type, buf));
	if (link->mac_len) {
		out_str(out, "address", link_address(link->arp_type, link->mac, link->mac_len, buf));
		if (link->ifi_flags & IFF_POINTOPOINT)
			out_bool(out, "link_pointtopoint", true);
		out_str(out, "broadcast", broadcast_of(link, buf));
	}
	if (link->permanent_mac_len && (link->permanent_mac_len != link->mac_len ||
					memcmp(link->permanent_mac, link->mac, link->mac_len)))
		out_str(out, "permaddr",
			link_address(link->arp_type, link->permanent_mac, link->permanent_mac_len, buf));
	if (link->lower_netnsid >= 0)
		out_int(out, "link_netnsid", link->lower_netnsid);
}

static void altname_members(struct tool *tool, const struct wye_link *link)
{
	const struct view *view = &tool->view;
	bool any = false;

	for (size_t i = 0; i < view->n_altnames; i++) {
		if (view->altnames[i].ifindex != link->ifindex)
			continue;
		if (!any)
			out_array(&tool->out, "altnames");
		any = true;
		out_str(&tool->out, NULL, view->altnames[i].name);
	}
	if (any)
		out_array_end(&tool->out);
}

void link_members(struct tool *tool, const struct wye_link *link, bool with_mode)
{
	const char *names[LINK_FLAG_NAMES];
	char buf[WYE_NAME_BYTES], hex[WYE_NAME_BYTES];
	struct out *out = &tool->out;
	size_t n = link_flag_names(tool, link, names, hex);

	out_uint(out, "ifindex", link->ifindex);
	lower_members(tool, link);
	out_str(out, "ifname", link->name);
	out_array(out, "flags");
	for (size_t i = 0; i < n; i++)
		out_str(out, NULL, names[i]);
	out_array_end(out);
	out_uint(out, "mtu", link->mtu_bytes);
	if (link->qdisc[0])
		out_str(out, "qdisc", link->qdisc);
	if (link->master_ifindex)
		out_str(out, "master", view_link_name(&tool->view, link->master_ifindex, buf));
	out_str(out, "operstate", name_operstate(link->operstate, buf));
	if (with_mode)
		out_str(out, "linkmode", link->linkmode == 1 ? "DORMANT" : "DEFAULT");
	out_str(out, "group", name_group(link->group, buf));
	if (link->txqlen)
		out_uint(out, "txqlen", link->txqlen);
	address_members(tool, link);
	altname_members(tool, link);
}

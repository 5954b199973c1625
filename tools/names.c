/* SPDX-License-Identifier: BSD-3-Clause */
/* Names as ip(8) of iproute2 6.1 prints them (lib/rt_names.c, lib/ll_types.c, ip/ipaddress.c). */
#include "names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <glob.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wye_stats.h"
#include "wye_tables.h"

struct number_name {
	uint32_t number;
	const char *name;
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- what iproute2 lets the administrator name ---- */

struct name_file {
	const char *file;
	const struct number_name *builtin;
	size_t n_builtin;
	bool loaded;
	struct number_name *own;	/* from the file; lives as long as the process */
	size_t n_own;
};

static const struct number_name protocols[] = {
	{ 0, "unspec" }, { 1, "redirect" }, { 2, "kernel" }, { 3, "boot" }, { 4, "static" }, { 8, "gated" },
	{ 9, "ra" }, { 10, "mrt" }, { 11, "zebra" }, { 12, "bird" }, { 13, "dnrouted" }, { 14, "xorp" },
	{ 15, "ntk" }, { 16, "dhcp" }, { 18, "keepalived" }, { 42, "babel" }, { 99, "openr" }, { 186, "bgp" },
	{ 187, "isis" }, { 188, "ospf" }, { 189, "rip" }, { 192, "eigrp" },
};
static const struct number_name scopes[] = {
	{ 0, "global" }, { 255, "nowhere" }, { 254, "host" }, { 253, "link" }, { 200, "site" },
};
static const struct number_name tables[] = { { 253, "default" }, { 254, "main" }, { 255, "local" } };
static const struct number_name groups[] = { { 0, "default" } };

static struct name_file protocol_names = { "rt_protos", protocols, COUNT(protocols), false, NULL, 0 };
static struct name_file scope_names = { "rt_scopes", scopes, COUNT(scopes), false, NULL, 0 };
static struct name_file table_names = { "rt_tables", tables, COUNT(tables), false, NULL, 0 };
static struct name_file group_names = { "group", groups, COUNT(groups), false, NULL, 0 };

/* One line of the file: "NUMBER NAME", "0xNUMBER NAME", "# comment". */
static void name_file_line(struct name_file *names, char *line)
{
	char *end, *name;
	unsigned long number = strtoul(line, &end, 0);
	struct number_name *own;

	if (end == line || !isspace((unsigned char)*end) || number > UINT32_MAX)
		return;
	name = end + strspn(end, " \t");
	name[strcspn(name, " \t\n#")] = '\0';
	if (!*name)
		return;
	own = realloc(names->own, (names->n_own + 1) * sizeof(*own));
	name = strdup(name);
	if (!own || !name) {
		free(name);
		names->n_own = own ? names->n_own : 0;
		names->own = own;
		return;
	}
	names->own = own;
	own[names->n_own++] = (struct number_name){ (uint32_t)number, name };
}

static void name_file_read(struct name_file *names, const char *path)
{
	char line[256];
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file))
		name_file_line(names, line);
	if (file)
		fclose(file);
}

/* The file, then those that other packages put beside it: FRR brings rt_protos.d/frr.conf. */
static void name_file_load(struct name_file *names)
{
	static const char *const folders[] = { "/usr/share/iproute2", "/etc/iproute2" };
	char path[64];
	glob_t beside;

	if (names->loaded)
		return;
	names->loaded = true;
	for (size_t i = 0; i < COUNT(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], names->file);
		name_file_read(names, path);
		snprintf(path, sizeof(path), "%s/%s.d/*.conf", folders[i], names->file);
		if (glob(path, 0, NULL, &beside))
			continue;
		for (size_t file = 0; file < beside.gl_pathc; file++)
			name_file_read(names, beside.gl_pathv[file]);
		globfree(&beside);
	}
}

static const char *find_name(const struct number_name *in, size_t n, uint32_t number)
{
	for (size_t i = n; i-- > 0;)
		if (in[i].number == number)
			return in[i].name;
	return NULL;
}

static const char *name_in(struct name_file *names, uint32_t number, char *buf)
{
	const char *name;

	name_file_load(names);
	name = find_name(names->own, names->n_own, number);
	name = name ? name : find_name(names->builtin, names->n_builtin, number);
	if (name)
		return name;
	snprintf(buf, WYE_NAME_BYTES, "%u", number);
	return buf;
}

/* The lowest number of that name, as ip takes it: FRR calls its 196 "static" too. */
static int number_in(struct name_file *names, const char *name, uint32_t max, uint32_t *number)
{
	unsigned long value;
	bool found = false;
	char *end;

	name_file_load(names);
	for (size_t i = 0; i < names->n_own + names->n_builtin; i++) {
		const struct number_name *entry =
			i < names->n_own ? &names->own[i] : &names->builtin[i - names->n_own];

		if (strcmp(entry->name, name) || (found && entry->number > *number))
			continue;
		*number = entry->number;
		found = true;
	}
	if (found)
		return 1;
	value = strtoul(name, &end, 0);
	if (!isdigit((unsigned char)*name) || *end || value > max)
		return 0;
	*number = (uint32_t)value;
	return 1;
}

const char *name_protocol(uint8_t protocol, char *buf)
{
	return name_in(&protocol_names, protocol, buf);
}

const char *name_scope(uint8_t scope, char *buf)
{
	return name_in(&scope_names, scope, buf);
}

const char *name_table(uint32_t table, char *buf)
{
	return name_in(&table_names, table, buf);
}

const char *name_group(uint32_t group, char *buf)
{
	return name_in(&group_names, group, buf);
}

int number_of_table(const char *name, uint32_t *table)
{
	return number_in(&table_names, name, UINT32_MAX, table);
}

int number_of_protocol(const char *name, uint8_t *protocol)
{
	uint32_t number = 0;

	if (!number_in(&protocol_names, name, 255, &number))
		return 0;
	*protocol = (uint8_t)number;
	return 1;
}

int number_of_scope(const char *name, uint8_t *scope)
{
	uint32_t number = 0;

	if (!number_in(&scope_names, name, 255, &number))
		return 0;
	*scope = (uint8_t)number;
	return 1;
}

/* ---- what the kernel names ---- */

static const struct number_name route_types[] = {
	{ RTN_UNSPEC, "none" }, { RTN_UNICAST, "unicast" }, { RTN_LOCAL, "local" }, { RTN_BROADCAST, "broadcast" },
	{ RTN_ANYCAST, "anycast" }, { RTN_MULTICAST, "multicast" }, { RTN_BLACKHOLE, "blackhole" },
	{ RTN_UNREACHABLE, "unreachable" }, { RTN_PROHIBIT, "prohibit" }, { RTN_THROW, "throw" }, { RTN_NAT, "nat" },
	{ RTN_XRESOLVE, "xresolve" },
};
static const struct number_name link_types[] = {
	{ ARPHRD_NETROM, "netrom" }, { ARPHRD_ETHER, "ether" }, { ARPHRD_AX25, "ax25" },
	{ ARPHRD_IEEE1394, "ieee1394" },
	{ ARPHRD_INFINIBAND, "infiniband" }, { ARPHRD_SLIP, "slip" }, { ARPHRD_CAN, "can" }, { ARPHRD_PPP, "ppp" },
	{ ARPHRD_HDLC, "hdlc" }, { ARPHRD_TUNNEL, "ipip" }, { ARPHRD_TUNNEL6, "tunnel6" },
	{ ARPHRD_LOOPBACK, "loopback" },
	{ ARPHRD_SIT, "sit" }, { ARPHRD_IPDDP, "ip/ddp" }, { ARPHRD_IPGRE, "gre" }, { ARPHRD_PIMREG, "pimreg" },
	{ ARPHRD_IEEE80211, "ieee802.11" }, { ARPHRD_IEEE80211_PRISM, "ieee802.11/prism" },
	{ ARPHRD_IEEE80211_RADIOTAP, "ieee802.11/radiotap" }, { ARPHRD_IEEE802154, "ieee802.15.4" },
	{ ARPHRD_PHONET, "phonet" }, { ARPHRD_PHONET_PIPE, "phonet_pipe" }, { ARPHRD_IP6GRE, "gre6" },
	{ ARPHRD_NETLINK, "netlink" }, { ARPHRD_6LOWPAN, "6lowpan" }, { ARPHRD_RAWIP, "rawip" },
	{ ARPHRD_NONE, "none" },
	{ ARPHRD_VOID, "void" },
};
static const struct number_name operstates[] = {
	{ IF_OPER_UNKNOWN, "UNKNOWN" }, { IF_OPER_NOTPRESENT, "NOTPRESENT" }, { IF_OPER_DOWN, "DOWN" },
	{ IF_OPER_LOWERLAYERDOWN, "LOWERLAYERDOWN" }, { IF_OPER_TESTING, "TESTING" }, { IF_OPER_DORMANT, "DORMANT" },
	{ IF_OPER_UP, "UP" },
};
static const struct number_name nexthop_kinds[] = {
	{ WYE_NH_NONE, "none" }, { WYE_NH_FORWARD, "forward" }, { WYE_NH_UNRESOLVED, "unresolved" },
	{ WYE_NH_ONLINK, "onlink" }, { WYE_NH_GROUP, "group" }, { WYE_NH_LOCAL, "local" },
	{ WYE_NH_BLACKHOLE, "blackhole" }, { WYE_NH_UNREACHABLE, "unreachable" }, { WYE_NH_PROHIBIT, "prohibit" },
	{ WYE_NH_KERNEL, "kernel" }, { WYE_NH_DOWN, "down" },
};
static const struct number_name port_states[] = {
	{ WYE_PORT_ABSENT, "absent" }, { WYE_PORT_WAITING, "waiting" }, { WYE_PORT_ACTIVE, "active" },
	{ WYE_PORT_KERNEL, "kernel" }, { WYE_PORT_FAILED, "failed" },
};

/* `format` holds ip's way to write a number that has no name. */
static const char *name_or(const struct number_name *in, size_t n, uint32_t number, const char *format, char *buf)
{
	const char *name = find_name(in, n, number);

	if (name)
		return name;
	if (*format == '[')
		snprintf(buf, WYE_NAME_BYTES, "[%u]", number);
	else if (*format == '#')
		snprintf(buf, WYE_NAME_BYTES, "%#x", number);
	else
		snprintf(buf, WYE_NAME_BYTES, "%u", number);
	return buf;
}

const char *name_route_type(uint8_t type, char *buf)
{
	return name_or(route_types, COUNT(route_types), type, "d", buf);
}

int number_of_route_type(const char *name, uint8_t *type)
{
	for (size_t i = 1; i < COUNT(route_types); i++)
		if (!strcmp(route_types[i].name, name)) {
			*type = (uint8_t)route_types[i].number;
			return 1;
		}
	return 0;
}

const char *name_link_type(uint16_t arp_type, char *buf)
{
	return name_or(link_types, COUNT(link_types), arp_type, "[", buf);
}

const char *name_operstate(uint8_t state, char *buf)
{
	return name_or(operstates, COUNT(operstates), state, "#", buf);
}

/* Faster than inet_ntop() for IPv4: a table has a million of them. */
const char *name_address(uint8_t family, const uint8_t *bytes, char *buf)
{
	char *p = buf;

	if (family == AF_INET6) {
		inet_ntop(AF_INET6, bytes, buf, WYE_NAME_BYTES);
		return buf;
	}
	for (int i = 0; i < 4; i++) {
		uint8_t byte = bytes[i];

		if (byte >= 100)
			*p++ = (char)('0' + byte / 100);
		if (byte >= 10)
			*p++ = (char)('0' + byte / 10 % 10);
		*p++ = (char)('0' + byte % 10);
		*p++ = i < 3 ? '.' : '\0';
	}
	return buf;
}

const char *name_family(uint8_t family)
{
	return family == AF_INET6 ? "inet6" : "inet";
}

const char *name_route_pref(uint8_t pref)
{
	return pref == 1 ? "high" : pref == 3 ? "low" : "medium";
}

const char *name_nexthop_kind(uint8_t kind)
{
	const char *name = find_name(nexthop_kinds, COUNT(nexthop_kinds), kind);

	return name ? name : "unknown";
}

const char *name_port_state(uint32_t state)
{
	const char *name = find_name(port_states, COUNT(port_states), state);

	return name ? name : "unknown";
}

/* ---- flags ---- */

static size_t names_of(const struct flag_name *in, size_t n, uint32_t *flags, const char **names, size_t max)
{
	size_t found = 0;

	for (size_t i = 0; i < n && found < max; i++) {
		if ((*flags & in[i].bit) != in[i].bit)
			continue;
		names[found++] = in[i].name;
		*flags &= ~in[i].bit;
	}
	return found;
}

static const struct flag_name link_flags[] = {
	{ IFF_LOOPBACK, "LOOPBACK" }, { IFF_BROADCAST, "BROADCAST" }, { IFF_POINTOPOINT, "POINTOPOINT" },
	{ IFF_MULTICAST, "MULTICAST" }, { IFF_NOARP, "NOARP" }, { IFF_ALLMULTI, "ALLMULTI" },
	{ IFF_PROMISC, "PROMISC" },
	{ IFF_MASTER, "MASTER" }, { IFF_SLAVE, "SLAVE" }, { IFF_DEBUG, "DEBUG" }, { IFF_DYNAMIC, "DYNAMIC" },
	{ IFF_AUTOMEDIA, "AUTOMEDIA" }, { IFF_PORTSEL, "PORTSEL" }, { IFF_NOTRAILERS, "NOTRAILERS" }, { IFF_UP, "UP" },
	{ IFF_LOWER_UP, "LOWER_UP" }, { IFF_DORMANT, "DORMANT" }, { IFF_ECHO, "ECHO" },
};
static const struct flag_name nexthop_flags[] = {
	{ RTNH_F_DEAD, "dead" }, { RTNH_F_ONLINK, "onlink" }, { RTNH_F_PERVASIVE, "pervasive" },
	{ RTNH_F_OFFLOAD, "offload" }, { RTNH_F_TRAP, "trap" }, { RTNH_F_LINKDOWN, "linkdown" },
	{ RTNH_F_UNRESOLVED, "unresolved" },
};
static const struct flag_name neigh_states[] = {
	{ NUD_INCOMPLETE, "INCOMPLETE" }, { NUD_REACHABLE, "REACHABLE" }, { NUD_STALE, "STALE" },
	{ NUD_DELAY, "DELAY" },
	{ NUD_PROBE, "PROBE" }, { NUD_FAILED, "FAILED" }, { NUD_NOARP, "NOARP" }, { NUD_PERMANENT, "PERMANENT" },
};
static const struct flag_name parities[] = { /* with the configuration's keys as names */
	{ WYE_PARITY_NFTABLES, "nftables" }, { WYE_PARITY_IPTABLES, "iptables" }, { WYE_PARITY_HOOKS, "hooks" },
	{ WYE_PARITY_TC, "tc" }, { WYE_PARITY_XDP, "xdp" }, { WYE_PARITY_XFRM, "xfrm" }, { WYE_PARITY_RULES, "rules" },
	{ WYE_PARITY_BRIDGE_PORT, "bridge_port" },
	{ WYE_PARITY_CAPACITY, "capacity" }, { WYE_PARITY_PMTU, "pmtu" }, { WYE_PARITY_IPVS, "ipvs" },
};

size_t names_link_flags(uint32_t ifi_flags, const char **names, size_t max, uint32_t *rest)
{
	size_t n = 0;

	if (max && (ifi_flags & (IFF_UP | IFF_RUNNING)) == IFF_UP)
		names[n++] = "NO-CARRIER";
	ifi_flags &= ~(uint32_t)IFF_RUNNING;
	n += names_of(link_flags, COUNT(link_flags), &ifi_flags, names + n, max - n);
	if (rest)
		*rest = ifi_flags;
	return n;
}

size_t names_nexthop_flags(uint32_t flags, const char **names, size_t max)
{
	return names_of(nexthop_flags, COUNT(nexthop_flags), &flags, names, max);
}

size_t names_neigh_states(uint16_t nud_state, const char **names, size_t max)
{
	uint32_t flags = nud_state;

	return names_of(neigh_states, COUNT(neigh_states), &flags, names, max);
}

size_t names_parity(uint32_t parity, const char **names, size_t max)
{
	uint32_t reasons = (parity | parity >> 16) & WYE_PARITY_IP4;

	return names_of(parities, COUNT(parities), &reasons, names, max);
}

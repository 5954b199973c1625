/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What netfilter's hooks are used for that only /proc tells: legacy iptables and IPVS. /proc/net/ip{,6}_tables_names lists a table once somebody has looked at it, which hooks it; nothing
 * takes it away again, and nothing notifies. So each table listed is asked for its chains on prerouting, forward and
 * postrouting: one counts if it has a rule, or a policy other than ACCEPT. IPVS is hooked while it has a service.
 */
#include <fcntl.h>
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mirror.h"

static const struct legacy_family {
	const char *path, *word;
	int family, level, get_info, get_entries;
	uint32_t families;
	size_t target_at;	/* of target_offset, in an entry */
	size_t entry_bytes;
} legacy[] = {
	{ "/proc/net/ip_tables_names", "iptables", AF_INET, IPPROTO_IP, IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES, WYE_PARITY_IP4,
	  offsetof(struct ipt_entry, target_offset), sizeof(struct ipt_entry) },
	{ "/proc/net/ip6_tables_names", "ip6tables", AF_INET6, IPPROTO_IPV6, IP6T_SO_GET_INFO, IP6T_SO_GET_ENTRIES,
	  WYE_PARITY_IP6, offsetof(struct ip6t_entry, target_offset), sizeof(struct ip6t_entry) },
};
/* Both families' structures but for the entries are one. */
static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "uapi");
static_assert(offsetof(struct ipt_get_entries, entrytable) == offsetof(struct ip6t_get_entries, entrytable), "uapi");

static struct ipt_get_entries *get_entries(int fd, const struct legacy_family *family, const struct ipt_getinfo *info)
{
	socklen_t len = (socklen_t)(offsetof(struct ipt_get_entries, entrytable) + info->size);
	struct ipt_get_entries *entries = calloc(1, len);

	if (!entries)
		return NULL;
	memcpy(entries->name, info->name, sizeof(entries->name));
	entries->size = info->size;
	if (getsockopt(fd, family->level, family->get_entries, entries, &len) == 0)
		return entries;
	free(entries);
	return NULL;
}

/* A built-in chain's last entry is its policy, an unconditional standard target. */
static bool policy_accepts(const struct legacy_family *family, const struct ipt_get_entries *entries, uint32_t at)
{
	const char *table = (const char *)entries->entrytable;
	struct xt_standard_target target;
	uint16_t target_offset;

	if (at + family->entry_bytes > entries->size)
		return false;
	memcpy(&target_offset, table + at + family->target_at, sizeof(target_offset));
	if (at + target_offset + sizeof(target) > entries->size)
		return false;
	memcpy(&target, table + at + target_offset, sizeof(target));
	return !target.target.u.user.name[0] && target.verdict == -NF_ACCEPT - 1;
}

static void look_at_table(struct mirror *mirror, int fd, const struct legacy_family *family, const char *name)
{
	static const struct { int hook; const char *chain; } chains[] = {
		{ NF_INET_PRE_ROUTING, "PREROUTING" }, { NF_INET_FORWARD, "FORWARD" }, { NF_INET_POST_ROUTING, "POSTROUTING" },
	};
	const struct parity_scope scope = { WYE_PARITY_IPTABLES, 0, family->families };
	struct ipt_get_entries *entries = NULL;
	struct ipt_getinfo info = { 0 };
	socklen_t len = sizeof(info);

	snprintf(info.name, sizeof(info.name), "%s", name);
	if (getsockopt(fd, family->level, family->get_info, &info, &len) == 0)
		entries = get_entries(fd, family, &info);
	if (!entries) /* it changes just now, or we may not look: assume the worst */
		parity_found(mirror, PARITY_LEGACY, scope, "%s table %s", family->word, name);
	for (size_t i = 0; entries && i < sizeof(chains) / sizeof(chains[0]); i++) {
		int hook = chains[i].hook;

		if (!(info.valid_hooks & 1u << hook) || (info.hook_entry[hook] == info.underflow[hook] &&
							  policy_accepts(family, entries, info.underflow[hook])))
			continue;
		parity_found(mirror, PARITY_LEGACY, scope, "%s table %s, chain %s", family->word, name, chains[i].chain);
	}
	free(entries);
}

/* The list of tables, or of services; "" when there is none. Its file stays open: ten times a second, opening is most of the cost. */
static void read_names(int *fd, const char *path, char *names, size_t size)
{
	ssize_t n = *fd > 0 ? pread(*fd, names, size - 1, 0) : -1;

	if (n < 0) { /* not open yet, or what had it is unloaded */
		if (*fd > 0)
			close(*fd);
		*fd = open(path, O_RDONLY | O_CLOEXEC);
		n = *fd > 0 ? pread(*fd, names, size - 1, 0) : 0;
	}
	names[n > 0 ? n : 0] = '\0';
}

static void look_at_family(struct mirror *mirror, const struct legacy_family *family, int *names_fd)
{
	char names[4096], *rest = names, *name;
	int fd = -1;

	read_names(names_fd, family->path, names, sizeof(names));
	while ((name = strsep(&rest, "\n")) && name[0]) {
		if (fd < 0)
			fd = socket(family->family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
		look_at_table(mirror, fd, family, name);
	}
	if (fd >= 0)
		close(fd);
}

/* Behind three lines of headings comes the first service. */
static const char *first_service(char *text)
{
	for (int i = 0; text && i < 3; i++) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

static void look_at_ipvs(struct mirror *mirror, int *services_fd)
{
	const struct parity_scope scope = { WYE_PARITY_IPVS, 0, PARITY_BOTH };
	const char *service;
	char text[4096];

	read_names(services_fd, "/proc/net/ip_vs", text, sizeof(text));
	service = first_service(text);
	parity_look(mirror, PARITY_IPVS);
	if (service && service[0])
		parity_found(mirror, PARITY_IPVS, scope, "IPVS service %.60s", service);
	parity_looked(mirror, PARITY_IPVS, 0);
}

void parity_legacy_poll(struct mirror *mirror)
{
	look_at_ipvs(mirror, &mirror->parity.names_fd[2]);
	parity_look(mirror, PARITY_LEGACY);
	for (size_t i = 0; i < sizeof(legacy) / sizeof(legacy[0]); i++)
		look_at_family(mirror, &legacy[i], &mirror->parity.names_fd[i]);
	parity_looked(mirror, PARITY_LEGACY, 0);
}

void parity_legacy_close(struct mirror *mirror)
{
	for (size_t i = 0; i < sizeof(mirror->parity.names_fd) / sizeof(mirror->parity.names_fd[0]); i++)
		if (mirror->parity.names_fd[i] > 0)
			close(mirror->parity.names_fd[i]);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must not be taken away by mistake: the netdev with the default route, the one this ssh session comes in by, the one a
 * mounted file system's server or a disk is reached through; with all that is stacked on them (bonds, bridges, VLANs). Routes
 * to these are read as files, main tables only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard_private.h"
#include "libwye/why.h"
#include "wye_map.h"

#define ENVIRON_BYTES 131072	/* ARG_MAX of one string */

static bool has(const struct guard_netdevs *netdevs, const char *name)
{
	for (size_t i = 0; i < netdevs->n; i++)
		if (!strcmp(netdevs->name[i], name))
			return true;
	return false;
}

/* Those of the device, then whatever is stacked on those in the list. */
static void add_netdevs(const struct wye_sysroot *root, const struct wye_device *device, struct guard_netdevs *netdevs)
{
	struct wye_names names;

	netdevs->n = 0;
	if (device->netdev[0])
		snprintf(netdevs->name[netdevs->n++], IFNAMSIZ, "%s", device->netdev);
	if (!wye_sys_list(root, &names, "/sys/bus/%s/devices/%s/net", wye_bus_name(device->bus), device->name))
		for (size_t i = 0; i < names.n && netdevs->n < GUARD_NETDEVS_MAX; i++)
			if (!has(netdevs, names.name[i]))
				snprintf(netdevs->name[netdevs->n++], IFNAMSIZ, "%.15s", names.name[i]);
	wye_names_free(&names);
	for (size_t at = 0; at < netdevs->n; at++) {
		if (wye_sys_list(root, &names, "/sys/class/net/%s", netdevs->name[at]))
			continue;
		for (size_t i = 0; i < names.n && netdevs->n < GUARD_NETDEVS_MAX; i++)
			if (!strncmp(names.name[i], "upper_", 6) && !has(netdevs, names.name[i] + 6))
				snprintf(netdevs->name[netdevs->n++], IFNAMSIZ, "%.15s", names.name[i] + 6);
		wye_names_free(&names);
	}
}

/* ---- routes ---- */

bool guard_parse_address(const char *text, struct guard_address *address)
{
	char plain[INET6_ADDRSTRLEN];

	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(text, "% ,/\t\n"), text);
	*address = (struct guard_address){ .family = strchr(plain, ':') ? AF_INET6 : AF_INET };
	return inet_pton(address->family, plain, address->bytes) == 1;
}

static bool covers(const uint8_t *prefix, unsigned int len, const struct guard_address *address)
{
	unsigned int whole = len / 8, rest = len % 8;

	return !memcmp(prefix, address->bytes, whole) &&
	       (!rest || !((prefix[whole] ^ address->bytes[whole]) & (uint8_t)(0xff00 >> rest)));
}

/* One line of /proc/net/route or ipv6_route; false: none, or one that carries nothing. */
static bool parse_route(int family, const char *line, uint8_t prefix[16], unsigned int *len, char *netdev)
{
	unsigned int to, mask, flags;
	char hex[33];

	memset(prefix, 0, 16);
	if (family == AF_INET) {
		if (sscanf(line, "%15s %x %*x %x %*d %*d %*d %x", netdev, &to, &flags, &mask) != 4)
			return false;
		memcpy(prefix, &to, 4);
		*len = (unsigned int)__builtin_popcount(mask);
	} else {
		if (sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %x %15s", hex, len, &flags, netdev) != 4 || *len > 128 ||
		    strlen(hex) != 32)
			return false;
		for (int i = 0; i < 16; i++)
			if (sscanf(hex + 2 * i, "%2hhx", &prefix[i]) != 1)
				return false;
	}
	return flags & 1 && !(flags & 0x200) && strcmp(netdev, "lo"); /* RTF_UP, RTF_REJECT */
}

FILE *guard_open(const struct wye_sysroot *root, const char *name)
{
	char path[WYE_SYS_PATH_BYTES];

	return wye_sys_path(root, path, "%s", name) ? NULL : fopen(path, "re");
}

/* Is a longest matching route's netdev one of these? Of several alike any counts. Address of family 0: the default route. */
static bool routed_by(const struct wye_sysroot *root, int family, const struct guard_address *address,
		      const struct guard_netdevs *netdevs)
{
	FILE *file = guard_open(root, family == AF_INET ? "/proc/net/route" : "/proc/net/ipv6_route");
	char line[256], netdev[IFNAMSIZ];
	uint8_t prefix[16];
	unsigned int len;
	int best = -1;
	bool ours = false;

	while (file && fgets(line, sizeof(line), file)) {
		if (!parse_route(family, line, prefix, &len, netdev) || (int)len < best ||
		    (address->family ? !covers(prefix, len, address) : len))
			continue;
		ours = ((int)len == best && ours) || has(netdevs, netdev);
		best = (int)len;
	}
	if (file)
		fclose(file);
	return ours;
}

bool guard_reached_by(const struct wye_sysroot *root, const struct guard_address *address, const struct guard_netdevs *netdevs)
{
	return address->family && routed_by(root, address->family, address, netdevs);
}

/* ---- ssh ---- */

static bool owns(const struct wye_sysroot *root, const struct guard_address *address, const struct guard_netdevs *netdevs)
{
	struct ifaddrs *list = NULL;
	bool found = false;

	if (root->dir[0] || getifaddrs(&list))
		return false;
	for (struct ifaddrs *a = list; a && !found; a = a->ifa_next) {
		const void *bytes;

		if (!a->ifa_addr || a->ifa_addr->sa_family != address->family)
			continue;
		bytes = address->family == AF_INET ? (void *)&((struct sockaddr_in *)a->ifa_addr)->sin_addr :
			(void *)&((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr;
		found = has(netdevs, a->ifa_name) && !memcmp(bytes, address->bytes, address->family == AF_INET ? 4 : 16);
	}
	freeifaddrs(list);
	return found;
}

static pid_t parent_of(const struct wye_sysroot *root, pid_t pid)
{
	char text[512];
	const char *behind;
	int parent = 0;

	if (wye_sys_read(root, text, sizeof(text), "/proc/%d/stat", pid) < 0)
		return 0;
	behind = strrchr(text, ')');
	return behind && sscanf(behind, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* sudo and su take SSH_CONNECTION away: the shell they were called from still has it. */
static bool find_session(const struct wye_sysroot *root, char *session, size_t size)
{
	const char *own = getenv("SSH_CONNECTION");
	char *text = own ? NULL : malloc(ENVIRON_BYTES);
	bool found = own != NULL;

	if (own)
		snprintf(session, size, "%s", own);
	for (pid_t pid = getppid(); text && !root->dir[0] && pid > 1 && !found; pid = parent_of(root, pid)) {
		int n = wye_sys_read(root, text, ENVIRON_BYTES, "/proc/%d/environ", pid);

		for (int at = 0; at < n && !found; at += (int)strlen(text + at) + 1) {
			found = !strncmp(text + at, "SSH_CONNECTION=", strlen("SSH_CONNECTION="));
			if (found)
				snprintf(session, size, "%s", text + at + strlen("SSH_CONNECTION="));
		}
	}
	free(text);
	return found;
}

static bool carries_session(const struct wye_sysroot *root, const struct guard_netdevs *netdevs, char *session, size_t size)
{
	struct guard_address client, local;
	char client_text[64], local_text[64];

	if (!find_session(root, session, size) || sscanf(session, "%63s %*s %63s", client_text, local_text) != 2)
		return false;
	return (guard_parse_address(client_text, &client) && guard_reached_by(root, &client, netdevs)) ||
	       (guard_parse_address(local_text, &local) && owns(root, &local, netdevs));
}

/* ---- network file systems ---- */

/* addr= is what the kernel connects to; else "SERVER:/path" or "//SERVER/share", when SERVER is an address. */
static bool server_of(const char *source, const char *options, struct guard_address *server)
{
	const char *addr = strstr(options, "addr=");
	char host[64];

	while (addr && addr != options && addr[-1] != ',')
		addr = strstr(addr + 1, "addr=");
	if (addr && guard_parse_address(addr + strlen("addr="), server))
		return true;
	source += strspn(source, "/[");
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(source, "/]"), source);
	if (strchr(host, '.'))
		host[strcspn(host, ":")] = '\0';
	return guard_parse_address(host, server);
}

static bool is_remote(const char *type)
{
	static const char *const types[] = { "nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "afs", "lustre", "fuse.sshfs",
					     "fuse.glusterfs" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static bool carries_mount(const struct wye_sysroot *root, const struct guard_netdevs *netdevs, char *where, size_t size)
{
	FILE *file = guard_open(root, "/proc/mounts");
	char *line = NULL, *source, *dir, *type, *options, *rest;
	struct guard_address server;
	size_t room = 0;
	bool found = false;

	while (file && !found && getline(&line, &room, file) > 0) {
		source = strtok_r(line, " ", &rest);
		dir = strtok_r(NULL, " ", &rest);
		type = strtok_r(NULL, " ", &rest);
		options = strtok_r(NULL, " ", &rest);
		found = options && is_remote(type) && server_of(source, options, &server) && guard_reached_by(root, &server, netdevs);
		if (found)
			snprintf(where, size, "%s (%s from %s)", dir, type, source);
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

int bind_guard(const struct wye_sysroot *root, const struct wye_device *device, char *why)
{
	static const struct guard_address nowhere;
	struct guard_netdevs *netdevs = malloc(sizeof(*netdevs));
	char text[256] = "";
	const char *what = NULL;
	int error = 0;

	if (!netdevs)
		return -ENOMEM;
	add_netdevs(root, device, netdevs);
	if (!netdevs->n)
		what = NULL;
	else if (routed_by(root, AF_INET, &nowhere, netdevs))
		what = "carries the default route";
	else if (routed_by(root, AF_INET6, &nowhere, netdevs))
		what = "carries the IPv6 default route";
	else if (carries_session(root, netdevs, text, sizeof(text)))
		what = "carries this ssh session";
	else if (carries_mount(root, netdevs, text, sizeof(text)))
		what = "is how a mounted file system is reached";
	else if (guard_carries_disk(root, netdevs, text, sizeof(text)))
		what = "is how a disk is reached";
	else if (!root->dir[0] && guard_carries_default(netdevs, text, sizeof(text)))
		what = "carries a default route";
	if (what)
		error = why_fail(why, -EBUSY, "%s: %s%s %s%s%s: without it this machine is cut off; move that elsewhere first, or "
				 "--force", device->name, netdevs->name[0], netdevs->n > 1 ? " (or what is stacked on it)" : "", what,
				 text[0] ? ": " : "", text);
	free(netdevs);
	return error;
}

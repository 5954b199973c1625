/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Disks behind the network: iSCSI sessions and NVMe controllers say their target's address in sysfs. An NBD device does not:
 * its socket is its client's, or, where the kernel was given it by netlink, nobody's any more; then what goes to NBD's port.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard_private.h"
#include "wye_map.h"

#define NBD_PORT 10809u
#define TCP_ESTABLISHED 1u

static bool carries_iscsi(const struct wye_sysroot *root, const struct guard_netdevs *netdevs, const char *connection, char *what,
			  size_t size)
{
	struct guard_address target;
	char text[64];

	if ((wye_sys_read(root, text, sizeof(text), "/sys/class/iscsi_connection/%s/address", connection) <= 0 &&
	     wye_sys_read(root, text, sizeof(text), "/sys/class/iscsi_connection/%s/persistent_address", connection) <= 0) ||
	    !guard_parse_address(text, &target) || !guard_reached_by(root, &target, netdevs))
		return false;
	snprintf(what, size, "iSCSI %.40s to %s", connection, text);
	return true;
}

/* address: "traddr=192.0.2.7,trsvcid=4420,…"; one on PCI has none. */
static bool carries_nvme(const struct wye_sysroot *root, const struct guard_netdevs *netdevs, const char *controller, char *what,
			 size_t size)
{
	struct guard_address target;
	char text[256];
	const char *at;

	(void)wye_sys_read(root, text, sizeof(text), "/sys/class/nvme/%s/address", controller);
	at = strstr(text, "traddr=");
	if (!at || !guard_parse_address(at + strlen("traddr="), &target) || !guard_reached_by(root, &target, netdevs))
		return false;
	snprintf(what, size, "NVMe controller %.40s at %.80s", controller, text);
	return true;
}

/* ---- NBD ---- */

static bool has_socket(const struct wye_sysroot *root, const char *pid, unsigned long inode)
{
	char path[WYE_SYS_PATH_BYTES], target[64], wanted[32];
	struct wye_names fds;
	bool found = false;

	if (wye_sys_list(root, &fds, "/proc/%s/fd", pid))
		return false;
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	for (size_t i = 0; i < fds.n && !found; i++) {
		ssize_t n = wye_sys_path(root, path, "/proc/%s/fd/%s", pid, fds.name[i]) ? -1 :
			readlink(path, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		found = !strcmp(target, wanted);
	}
	wye_names_free(&fds);
	return found;
}

/* The far end of a line of /proc/net/tcp or tcp6: words in this machine's order. False: none, or not established. */
static bool parse_connection(const char *line, struct guard_address *remote, unsigned int *port, unsigned long *inode)
{
	unsigned int word[4], state;
	char hex[33];
	size_t n;

	if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%*x %32[0-9A-Fa-f]:%x %x %*s %*s %*s %*u %*u %lu", hex, port, &state, inode) != 4 ||
	    state != TCP_ESTABLISHED)
		return false;
	n = strlen(hex) / 8;
	if (n != 1 && n != 4)
		return false;
	for (size_t i = 0; i < n; i++)
		if (sscanf(hex + 8 * i, "%8x", &word[i]) != 1)
			return false;
	*remote = (struct guard_address){ .family = n == 1 ? AF_INET : AF_INET6 };
	memcpy(remote->bytes, word, 4 * n);
	return true;
}

static bool carries_nbd(const struct wye_sysroot *root, const struct guard_netdevs *netdevs, const char *disk, char *what, size_t size)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	struct guard_address remote;
	unsigned int port;
	unsigned long inode;
	char pid[16], line[512];
	bool found = false;

	if (wye_sys_read(root, pid, sizeof(pid), "/sys/block/%s/pid", disk) <= 0) /* only while it is connected */
		return false;
	for (size_t i = 0; i < 2; i++) {
		FILE *file = guard_open(root, tables[i]);

		while (file && !found && fgets(line, sizeof(line), file))
			found = parse_connection(line, &remote, &port, &inode) &&
				(port == NBD_PORT || has_socket(root, pid, inode)) && guard_reached_by(root, &remote, netdevs);
		if (file)
			fclose(file);
	}
	if (found)
		snprintf(what, size, "%.40s (pid %s)", disk, pid);
	return found;
}

bool guard_carries_disk(const struct wye_sysroot *root, const struct guard_netdevs *netdevs, char *what, size_t size)
{
	static const struct {
		const char *folder, *prefix;
		bool (*carries)(const struct wye_sysroot *root, const struct guard_netdevs *netdevs, const char *name, char *what,
				size_t size);
	} kinds[] = {
		{ "/sys/class/iscsi_connection", "connection", carries_iscsi },
		{ "/sys/class/nvme", "nvme", carries_nvme },
		{ "/sys/block", "nbd", carries_nbd },
	};
	struct wye_names names;
	bool found = false;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && !found; k++) {
		if (wye_sys_list(root, &names, "%s", kinds[k].folder))
			continue;
		for (size_t i = 0; i < names.n && !found; i++)
			found = !strncmp(names.name[i], kinds[k].prefix, strlen(kinds[k].prefix)) &&
				kinds[k].carries(root, netdevs, names.name[i], what, size);
		wye_names_free(&names);
	}
	return found;
}

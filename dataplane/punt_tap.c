/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port's TAP: made here, gone with our file descriptor, whatever ends us. On its ingress sits punt.bpf.c. It takes
 * part in nothing: no ARP, no IPv6 address, no routes.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "port.h"
#include "punt.h"

/* Where the BPF objects are: $WYE_BPF_DIR, installed, or in the build directory. */
static const char *punt_object_path(char *path, size_t size)
{
	const char *dirs[] = { getenv("WYE_BPF_DIR"), WYE_BPF_INSTALL_DIR, WYE_BPF_BUILD_DIR };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (!dirs[i])
			continue;
		snprintf(path, size, "%s/punt.bpf.o", dirs[i]);
		if (access(path, R_OK) == 0)
			return path;
	}
	return NULL;
}

static int tap_create(struct punt_tap *tap, const char *netdev, uint32_t ifindex, char *why)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL };
	int error;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "wye%u", ifindex);
	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd >= 0 && ioctl(tap->fd, TUNSETIFF, &request) == 0) {
		snprintf(tap->name, sizeof(tap->name), "%.15s", request.ifr_name);
		tap->ifindex = (int)if_nametoindex(tap->name);
		return 0;
	}
	error = -errno;
	if (tap->fd < 0)
		snprintf(why, WYE_WHY_BYTES, "/dev/net/tun: %s; the tun module is needed for punted packets", strerror(-error));
	else
		snprintf(why, WYE_WHY_BYTES, "punt TAP %s for %s could not be made: %s; is another wye-dpd running in this "
			 "network namespace?", request.ifr_name, netdev, strerror(-error));
	return error;
}

static void sysctl_write(const char *name, const char *key, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", name, key);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* a kernel without IPv6 */
	(void)!write(fd, value, strlen(value));
	close(fd);
}

static int tap_flags(const char *name, uint32_t mtu_bytes, bool up)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	request.ifr_mtu = (int)mtu_bytes;
	if (ioctl(fd, SIOCSIFMTU, &request) < 0)
		error = -errno;
	request.ifr_flags = IFF_NOARP | IFF_UP;
	if (up && ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		error = -errno;
	close(fd);
	return error;
}

/* The program knows its target by a global, which is set before loading. */
static int tap_program(struct punt_tap *tap, uint32_t ifindex, char *why)
{
	struct bpf_object_open_opts options = { .sz = sizeof(options), .object_name = "wye_punt" };
	struct bpf_map *map;
	char path[512];
	int error;

	if (!punt_object_path(path, sizeof(path))) {
		snprintf(why, WYE_WHY_BYTES, "punt.bpf.o is neither in " WYE_BPF_INSTALL_DIR " nor where it was built; "
			 "install wye or set WYE_BPF_DIR");
		return -ENOENT;
	}
	tap->object = bpf_object__open_file(path, &options);
	if (!tap->object)
		goto fail;
	bpf_object__for_each_map(map, tap->object)
		if (strstr(bpf_map__name(map), ".bss") &&
		    bpf_map__set_initial_value(map, &ifindex, sizeof(ifindex)) < 0)
			goto fail;
	if (bpf_object__load(tap->object) == 0)
		return 0;
fail:
	error = errno ? -errno : -EINVAL;
	snprintf(why, WYE_WHY_BYTES, "%.300s could not be loaded: %s; run with -v for the verifier's words", path,
		 strerror(-error));
	return error;
}

static int tap_attach(struct punt_tap *tap, char *why)
{
	struct bpf_program *program = bpf_object__find_program_by_name(tap->object, "wye_punt");
	struct bpf_tc_hook hook = { .sz = sizeof(hook), .ifindex = tap->ifindex, .attach_point = BPF_TC_INGRESS };
	struct bpf_tc_opts options = { .sz = sizeof(options), .handle = 1, .priority = 1 };
	int error;

	if (!program)
		return -ENOENT;
	options.prog_fd = bpf_program__fd(program);
	error = bpf_tc_hook_create(&hook);
	if (!error || error == -EEXIST)
		error = bpf_tc_attach(&hook, &options);
	if (error)
		snprintf(why, WYE_WHY_BYTES, "%s: tc ingress program: %s; the kernel needs cls_bpf and sch_ingress",
			 tap->name, strerror(-error));
	return error;
}

int punt_tap_open(struct punt_tap *tap, const char *netdev, uint32_t ifindex, uint32_t mtu_bytes, char *why)
{
	int error = tap_create(tap, netdev, ifindex, why);

	if (!error) {
		sysctl_write(tap->name, "disable_ipv6", "1");
		error = tap_program(tap, ifindex, why);
	}
	error = error ? error : tap_attach(tap, why);
	tap->mtu_bytes = mtu_bytes;
	if (!error) {
		error = tap_flags(tap->name, mtu_bytes, true);
		if (error)
			snprintf(why, WYE_WHY_BYTES, "%s: MTU %u and up: %s", tap->name, mtu_bytes, strerror(-error));
	}
	if (error)
		punt_tap_close(tap);
	return error;
}

void punt_tap_mtu(struct punt_tap *tap, uint32_t mtu_bytes)
{
	if (tap->fd < 0 || tap->mtu_bytes == mtu_bytes)
		return;
	tap->mtu_bytes = mtu_bytes;
	(void)tap_flags(tap->name, mtu_bytes, false);
}

void punt_tap_close(struct punt_tap *tap)
{
	bpf_object__close(tap->object);
	tap->object = NULL;
	if (tap->fd >= 0)
		close(tap->fd);
	tap->fd = -1;
	tap->name[0] = '\0';
}

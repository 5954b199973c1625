/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port's TAP: made here, gone with our file descriptor, whatever ends us. On its ingress sits punt.bpf.c. It takes
 * part in nothing: no ARP, no IPv6 address, no routes. It has no carrier, which what is written into it needs not: so IPv6
 * never becomes ready on it (addrconf_link_ready()). Switching IPv6 off instead has the kernel look at all its IPv6 routes
 * at once, 70 ms for 250,000 (rt6_disable_ip()). Its MTU is what it was made with: nothing asks for it on this way.
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
#include "wye_steer.h"

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
	int error, carrier = 0;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "wye%u", ifindex);
	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd >= 0 && ioctl(tap->fd, TUNSETIFF, &request) == 0 &&
	    ioctl(tap->fd, TUNSETCARRIER, &carrier) == 0) {
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

/* NOARP before UP: a link that is up and changes its flags without being ready makes IPv6 look at all its routes, too. */
static int tap_up(const char *name)
{
	static const short flags[] = { IFF_NOARP, IFF_NOARP | IFF_UP };
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && !error; i++) {
		request.ifr_flags = flags[i];
		error = ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
	}
	close(fd);
	return error;
}

/* The program knows its target by a global, which is set before loading. */
static int tap_program(struct punt_tap *tap, uint32_t ifindex, char *why)
{
	struct bpf_object_open_opts options = { .sz = sizeof(options), .object_name = "wye_punt" };
	const struct wye_punt_to to = { .ifindex = ifindex, .mark = WYE_PUNT_MARK };
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
		    bpf_map__set_initial_value(map, &to, sizeof(to)) < 0)
			goto fail;
	if (bpf_object__load(tap->object) == 0)
		return 0;
fail:
	error = errno ? -errno : -EINVAL;
	snprintf(why, WYE_WHY_BYTES, "%.300s could not be loaded: %s; run with -v for the verifier's words", path,
		 strerror(-error));
	return error;
}

static int tap_attach(struct punt_tap *tap, const char *name, const char *netdev, int ifindex, uint32_t *program_id, char *why)
{
	struct bpf_program *program = bpf_object__find_program_by_name(tap->object, name);
	struct bpf_tc_hook hook = { .sz = sizeof(hook), .ifindex = ifindex, .attach_point = BPF_TC_INGRESS };
	struct bpf_tc_opts options = { .sz = sizeof(options), .handle = 1, .priority = 1 };
	int error;

	if (!program)
		return -ENOENT;
	options.prog_fd = bpf_program__fd(program);
	error = bpf_tc_hook_create(&hook);
	if (!error || error == -EEXIST)
		error = bpf_tc_attach(&hook, &options);
	*program_id = options.prog_id;
	if (error)
		snprintf(why, WYE_WHY_BYTES, "%s: tc ingress program: %s; the kernel needs cls_bpf and sch_ingress",
			 netdev, strerror(-error));
	return error;
}

int punt_tap_guard(struct punt_tap *tap, const char *netdev, uint32_t ifindex, char *why)
{
	uint32_t program_id;
	int error = tap_attach(tap, "wye_punted", netdev, (int)ifindex, &program_id, why);

	if (!error)
		tap->guarded = ifindex;
	return error;
}

static void tap_unguard(struct punt_tap *tap)
{
	struct bpf_tc_hook hook = { .sz = sizeof(hook), .ifindex = (int)tap->guarded, .attach_point = BPF_TC_INGRESS };
	struct bpf_tc_opts options = { .sz = sizeof(options), .handle = 1, .priority = 1 };

	if (tap->guarded)
		(void)bpf_tc_detach(&hook, &options);
	tap->guarded = 0;
}

int punt_tap_open(struct punt_tap *tap, const char *netdev, uint32_t ifindex, char *why)
{
	int error = tap_create(tap, netdev, ifindex, why);

	error = error ? error : tap_program(tap, ifindex, why);
	error = error ? error : tap_attach(tap, "wye_punt", tap->name, tap->ifindex, &tap->program_id, why);
	if (!error) {
		error = tap_up(tap->name);
		if (error)
			snprintf(why, WYE_WHY_BYTES, "%s: up: %s", tap->name, strerror(-error));
	}
	if (error)
		punt_tap_close(tap);
	return error;
}

bool punt_tap_whole(int ifindex, uint32_t program_id)
{
	struct bpf_tc_hook hook = { .sz = sizeof(hook), .ifindex = ifindex, .attach_point = BPF_TC_INGRESS };
	struct bpf_tc_opts options = { .sz = sizeof(options), .handle = 1, .priority = 1 };
	struct ifreq request = { 0 };
	bool up;
	int fd;

	if (!if_indextoname((unsigned int)ifindex, request.ifr_name))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true; /* not to be known */
	up = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP;
	close(fd);
	return up && bpf_tc_query(&hook, &options) == 0 && options.prog_id == program_id;
}

void punt_tap_close(struct punt_tap *tap)
{
	tap_unguard(tap);
	bpf_object__close(tap->object);
	tap->object = NULL;
	if (tap->fd >= 0)
		close(tap->fd);
	tap->fd = -1;
	tap->name[0] = '\0';
}

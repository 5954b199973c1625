/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must be there before anything is started, said in the operator's terms. Later failures of the same things
 * would come out of a library as "Operation not permitted".
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "dpd.h"
#include "log.h"
#include "runtime/init.h"

#ifndef CAP_BPF
#define CAP_BPF 39
#endif

static bool capable(unsigned int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[cap / 32].effective & 1u << cap % 32;
}

static int preflight_capabilities(bool xdp)
{
	const char *missing = NULL;

	if (!capable(CAP_NET_ADMIN))
		missing = "CAP_NET_ADMIN (TAP devices, tc and XDP programs)";
	else if (!capable(CAP_BPF) && !capable(CAP_SYS_ADMIN))
		missing = "CAP_BPF (load the punt and steering programs)";
	else if (xdp && !capable(CAP_NET_RAW))
		missing = "CAP_NET_RAW (AF_XDP sockets)";
	if (!missing)
		return 0;
	log_error("missing capability: %s; run as root or give it with AmbientCapabilities= in the unit", missing);
	return -EPERM;
}

static int preflight_bpffs(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) == 0 && (uint32_t)fs.f_type == BPF_FS_MAGIC)
		return 0;
	log_error("/sys/fs/bpf is not a bpffs: steering maps are shared with the XDP programs through it; "
		  "run \"mount -t bpf bpf /sys/fs/bpf\"");
	return -ENOENT;
}

static int preflight_cpus(const struct wye_config *config)
{
	char path[64];

	for (uint32_t i = 0; i < config->workers.n_cpus; i++) {
		FILE *file;
		int online = 1;

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", config->workers.cpu[i]);
		if (access(path, F_OK) == 0) {
			snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", config->workers.cpu[i]);
			file = fopen(path, "re");
			if (file && fscanf(file, "%d", &online) != 1)
				online = 1;
			if (file)
				fclose(file);
		} else {
			online = 0;
		}
		if (online)
			continue;
		log_error("%s: workers.cpus: CPU %u is not online; this machine has %ld CPUs, 0-%ld", config->path,
			  config->workers.cpu[i], sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_NPROCESSORS_CONF) - 1);
		return -EINVAL;
	}
	return 0;
}

static int preflight_drivers(const struct wye_config *config, bool *xdp)
{
	for (size_t i = 0; i < config->n_ports; i++) {
		const struct wye_config_port *port = &config->port[i];

		if (port->driver == WYE_DRIVER_AF_XDP)
			*xdp = true;
		if (port->driver != WYE_DRIVER_MLX5 && port->driver != WYE_DRIVER_VFIO)
			continue;
		log_error("%s:%u: port %s: driver %s is not in this version; use af_xdp, or devargs with the device's own",
			  config->path, port->line, port->netdev, port->driver == WYE_DRIVER_MLX5 ? "mlx5" : "vfio");
		return -ENOTSUP;
	}
	return 0;
}

static int preflight(struct dpd *dpd)
{
	const struct wye_config *config = dpd->config;
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	bool xdp = false;
	int error;

	error = preflight_drivers(config, &xdp);
	error = error ? error : preflight_cpus(config);
	error = error ? error : preflight_capabilities(xdp);
	if (!error && xdp)
		error = preflight_bpffs();
	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited); /* AF_XDP buffers and old kernels' BPF maps are counted in it */
	return error;
}
INIT(preflight, .start = preflight, .before = INIT_NAMES("stats"));

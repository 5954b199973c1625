/* SPDX-License-Identifier: BSD-3-Clause */
/* What the dataplane needs of a machine, said in the operator's terms; see wye_need.h. */
#include "wye_need.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "why.h"

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

const struct wye_config_port *wye_need_physical(const struct wye_config *config)
{
	for (size_t i = 0; i < config->n_ports; i++)
		if (config->port[i].driver == WYE_DRIVER_UIO)
			return &config->port[i];
	return NULL;
}

int wye_need_capabilities(bool xdp, bool physical, char *why)
{
	const char *missing = NULL;

	if (!capable(CAP_NET_ADMIN))
		missing = "CAP_NET_ADMIN (TAP devices, tc and XDP programs)";
	else if (!capable(CAP_BPF) && !capable(CAP_SYS_ADMIN))
		missing = "CAP_BPF (load the punt and steering programs)";
	else if (xdp && !capable(CAP_NET_RAW))
		missing = "CAP_NET_RAW (AF_XDP sockets)";
	else if (physical && !capable(CAP_SYS_ADMIN))
		missing = "CAP_SYS_ADMIN (physical addresses, for driver uio)";
	if (!missing)
		return 0;
	return why_fail(why, -EPERM, "missing capability: %s; run as root or give it with AmbientCapabilities= in the unit",
			missing);
}

int wye_need_files(uint32_t n, char *why)
{
	struct rlimit limit = { n, n }, more = { n, n };

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= n)
		return 0;
	more.rlim_max = limit.rlim_max > n ? limit.rlim_max : n;
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return 0;
	return why_fail(why, -EMFILE, "%llu open files are allowed (RLIMIT_NOFILE), %u may be needed; set LimitNOFILE=%u in the unit, or "
			"run \"ulimit -n %u\"", (unsigned long long)limit.rlim_max, n, n, n);
}

int wye_need_bpffs(char *why)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) == 0 && (uint32_t)fs.f_type == BPF_FS_MAGIC)
		return 0;
	return why_fail(why, -ENOENT, "/sys/fs/bpf is not a bpffs: steering maps are shared with the XDP programs through it; "
			"run \"mount -t bpf bpf /sys/fs/bpf\"");
}

/* CPU 0 and those that cannot be unplugged have no file `online`. */
static bool online(const struct wye_sysroot *root, unsigned int cpu)
{
	int64_t value = 1;

	if (!wye_sys_exists(root, "/sys/devices/system/cpu/cpu%u", cpu))
		return false;
	(void)wye_sys_number(root, &value, "/sys/devices/system/cpu/cpu%u/online", cpu);
	return value;
}

int wye_need_cpus(const struct wye_sysroot *root, const struct wye_config *config, char *why)
{
	char list[64];

	for (uint32_t i = 0; i < config->workers.n_cpus; i++) {
		if (online(root, config->workers.cpu[i]))
			continue;
		(void)wye_sys_read(root, list, sizeof(list), "/sys/devices/system/cpu/online");
		return why_fail(why, -EINVAL, "%s: workers.cpus: CPU %u is not online; this machine's are %s", config->path,
				config->workers.cpu[i], list);
	}
	return 0;
}

/* The largest huge page size of which enough is free; one that is larger than all that is wanted only if it must be. */
static uint64_t hugepage_kib(const struct wye_sysroot *root, uint64_t need_bytes)
{
	static const uint64_t size_kib[] = { 1048576, 2048 };
	uint64_t too_large = 0;

	for (size_t i = 0; i < sizeof(size_kib) / sizeof(size_kib[0]); i++) {
		int64_t pages = 0;

		(void)wye_sys_number(root, &pages, "/sys/kernel/mm/hugepages/hugepages-%llukB/free_hugepages",
				     (unsigned long long)size_kib[i]);
		if (pages <= 0 || (uint64_t)pages * size_kib[i] * 1024 < need_bytes)
			continue;
		if (size_kib[i] * 1024 <= need_bytes)
			return size_kib[i];
		too_large = size_kib[i];
	}
	return too_large;
}

int wye_need_hugepages(const struct wye_sysroot *root, const struct wye_config *config, uint64_t *kib, char *why)
{
	const struct wye_config_port *physical = wye_need_physical(config);
	uint32_t mib = config->memory.size_mib;

	*kib = 0;
	if (config->memory.hugepages == WYE_HUGE_AUTO || config->memory.hugepages == WYE_HUGE_HUGETLBFS)
		*kib = hugepage_kib(root, (uint64_t)mib << 20);
	if (*kib)
		return 0;
	if (physical)
		return why_fail(why, -ENOMEM, "port %.60s: driver uio gives its device physical addresses, which only reserved huge "
				"pages keep, and there are not enough: \"echo %u > /proc/sys/vm/nr_hugepages\", with memory.hugepages: "
				"auto or hugetlbfs; or use driver vfio", physical->netdev, (mib + 1) / 2);
	if (config->memory.hugepages != WYE_HUGE_HUGETLBFS)
		return 0;
	return why_fail(why, -ENOMEM, "memory.hugepages is hugetlbfs, but no huge page size has %u MiB free; reserve them with "
			"\"echo %u > /proc/sys/vm/nr_hugepages\", lower memory.size_mib, or set memory.hugepages: auto", mib,
			(mib + 1) / 2);
}

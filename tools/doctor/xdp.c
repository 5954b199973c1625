/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What AF_XDP can do on a netdev. Kernels since 6.3 say what a driver supports; for older ones there is a table by driver:
 * the first kernel with native XDP, most of it from the list of iovisor/bcc (docs/kernel-versions.md, November 2026), and
 * with zero-copy sockets, which no list confirms: a hint, and never asked where the kernel answers. What neither knows is said
 * to be unknown.
 */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "netdev.h"
#include "wye_need.h"

#define NEVER 0

/* Kernel versions as major * 100 + minor */
static const struct driver {
	const char *name;
	uint16_t native, zero_copy;
	const char *remark;
} drivers[] = {
	{ "bnxt_en", 411, NEVER, NULL },
	{ "ena", 506, NEVER, NULL },
	{ "gve", 604, 604, NULL },
	{ "hv_netvsc", 506, NEVER, NULL },
	{ "i40e", 413, 420, NULL },
	{ "ice", 505, 505, NULL },
	{ "igb", 510, 614, "on machines with few queues: ethtool -L NETDEV combined 1" },
	{ "igc", 513, 514, NULL },
	{ "ixgbe", 412, 420, NULL },
	{ "ixgbevf", 417, NEVER, NULL },
	{ "mlx4_en", 408, NEVER, NULL },
	{ "mlx5_core", 409, 503, "bifurcates by itself as well" },
	{ "nfp", 410, 518, NULL },
	{ "stmmac", 513, 513, NULL },
	{ "tun", 414, NEVER, NULL },
	{ "veth", 414, NEVER, "the peer must have a program or GRO on for native XDP" },
	{ "virtio_net", 410, 611, "needs as many spare queue pairs as there are CPUs" },
	{ "e1000", NEVER, NEVER, "generic XDP only" },
	{ "e1000e", NEVER, NEVER, "generic XDP only" },
	{ "r8169", NEVER, NEVER, "generic XDP only" },
};

static unsigned int kernel_version(struct doctor *doctor)
{
	unsigned int major = 0, minor = 0;

	sscanf(doctor_read(doctor, "/proc/sys/kernel/osrelease"), "%u.%u", &major, &minor);
	return major * 100 + minor;
}

static const struct driver *find_driver(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(drivers[i].name, name))
			return &drivers[i];
	return NULL;
}

static const char *by_table(struct doctor *doctor, const struct driver *driver, unsigned int first)
{
	if (!driver)
		return "unknown";
	return first != NEVER && kernel_version(doctor) >= first ? "yes" : "no";
}

static void check_modes(struct doctor *doctor, const char *name, const struct netdev *netdev)
{
	const struct driver *driver = find_driver(netdev->driver);
	const char *native = by_table(doctor, driver, driver ? driver->native : NEVER);
	const char *zero_copy = by_table(doctor, driver, driver ? driver->zero_copy : NEVER);
	struct report *report = &doctor->report;

	if (netdev->features_known) {
		native = netdev->xdp_features & NETDEV_XDP_BASIC && netdev->xdp_features & NETDEV_XDP_REDIRECT ? "yes" : "no";
		zero_copy = netdev->xdp_features & NETDEV_XDP_ZEROCOPY ? "yes" : "no";
	}
	report_finding(report, native[0] == 'y' ? SEVERITY_OK : SEVERITY_NOTE, "af_xdp", name, "driver %s: native XDP %s, zero-copy %s%s",
		       netdev->driver[0] ? netdev->driver : "unknown", native, zero_copy,
		       native[0] == 'n' ? "; generic XDP works, more slowly" : "");
	if (netdev->features_known)
		report_evidence(report, "kernel, xdp-features", "0x%llx", (unsigned long long)netdev->xdp_features);
	if (driver && driver->native)
		report_evidence(report, "by driver", "native since Linux %u.%u, zero-copy %s%.0u%s%.0u", driver->native / 100,
				driver->native % 100, driver->zero_copy ? "since " : "never", driver->zero_copy / 100,
				driver->zero_copy ? "." : "", driver->zero_copy % 100);
	if (driver && driver->remark)
		report_evidence(report, "remark", "%s", driver->remark);
}

static void check_queues(struct doctor *doctor, const char *name, const struct netdev *netdev)
{
	uint32_t workers = doctor->config ? doctor->config->workers.n_cpus : 1;
	uint32_t sockets = netdev->combined_max && netdev->combined ? netdev->combined : 1;	/* as the af_xdp PMD counts */
	uint32_t receive = netdev->combined + netdev->rx;
	struct report *report = &doctor->report;

	if (!netdev->channels) {
		report_finding(report, SEVERITY_NOTE, "queues", name, "its driver does not tell; one is used");
		return;
	}
	if (receive > sockets)
		report_finding(report, SEVERITY_WARN, "queues", name, "%u of %u receive queues can have a socket: flows that arrive on the "
			       "others stay with the kernel", sockets, receive);
	else
		report_finding(report, SEVERITY_OK, "queues", name, "%u of at most %u, for %u workers", sockets,
			       netdev->combined_max ? netdev->combined_max : 1, workers);
	report_evidence(report, "ethtool -l", "combined %u of %u, rx %u, tx %u", netdev->combined, netdev->combined_max, netdev->rx,
			netdev->tx);
	report_evidence(report, "ethtool -x", "%u RSS entries", netdev->rss_entries);
	report_evidence(report, "ethtool -k", "ntuple filters %s", netdev->ntuple ? "on" : "off");
	if (receive > sockets && netdev->combined_max)
		report_next(report, "ethtool -L %s rx 0 tx 0 combined %u", name, workers < netdev->combined_max ? workers :
			    netdev->combined_max);
}

static void check_mtu(struct doctor *doctor, const char *name)
{
	struct report *report = &doctor->report;
	int64_t mtu = 0;

	if (wye_sys_number(&doctor->root, &mtu, "/sys/class/net/%s/mtu", name))
		return;
	report_finding(report, mtu > WYE_AF_XDP_MTU_MAX ? SEVERITY_FAIL : SEVERITY_OK, "mtu", name, "%lld; AF_XDP carries %u at most, a "
		       "driver may allow less", (long long)mtu, WYE_AF_XDP_MTU_MAX);
	doctor_evidence(doctor, "/sys/class/net/%s/mtu", name);
	if (mtu > WYE_AF_XDP_MTU_MAX)
		report_next(report, "ip link set dev %s mtu %u", name, WYE_AF_XDP_MTU_MAX);
}

static void check_program(struct doctor *doctor, const char *name, const struct netdev_program *program, const char *mode,
			  const char *ip_word)
{
	bool ours = !strcmp(program->name, "wye_steer");
	struct report *report = &doctor->report;

	if (!program->id)
		return;
	report_finding(report, ours ? SEVERITY_OK : SEVERITY_FAIL, "program", name, "%s XDP program \"%s\", id %u%s", mode,
		       program->name[0] ? program->name : "?", program->id,
		       ours ? ": wye's" : ": not wye's, and wye does not replace it");
	if (ours)
		return;
	report_next(report, "who uses it: bpftool net show dev %s; bpftool link show", name);
	report_next(report, "take it off, if nobody does: ip link set dev %s %s off", name, ip_word);
}

void check_xdp(struct doctor *doctor, const char *name)
{
	struct netdev netdev = { 0 };

	if (doctor->live)
		netdev_ask(name, &netdev);
	else
		(void)wye_sys_link(&doctor->root, netdev.driver, sizeof(netdev.driver), "/sys/class/net/%s/device/driver", name);
	check_modes(doctor, name, &netdev);
	check_mtu(doctor, name);
	if (!doctor->live)
		return;
	check_queues(doctor, name, &netdev);
	check_program(doctor, name, &netdev.native, "native", "xdpdrv");
	check_program(doctor, name, &netdev.generic, "generic", "xdpgeneric");
	check_program(doctor, name, &netdev.offloaded, "offloaded", "xdpoffload");
}

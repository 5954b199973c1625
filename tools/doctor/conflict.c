/* SPDX-License-Identifier: BSD-3-Clause */
/* Programs that turn the same knobs: irqbalance moves interrupts, network managers change links and addresses. */
#include <string.h>

#include "doctor.h"

void check_conflicts(struct doctor *doctor)
{
	struct report *report = &doctor->report;

	if (!doctor_process(doctor, "irqbalance"))
		return;
	report_finding(report, SEVERITY_NOTE, "conflict", "irqbalance", "runs, and moves interrupts away from or onto workers' CPUs");
	doctor_evidence(doctor, "/etc/default/irqbalance");
	report_next(report, "in /etc/default/irqbalance: IRQBALANCE_BANNED_CPULIST= the workers' CPUs; then: systemctl restart "
		    "irqbalance");
}

/* A netdev it manages is its to set up, as on any machine: it disturbs only where it undoes what was done by hand. */
static void network_manager(struct doctor *doctor, const char *netdev, const char *ifindex)
{
	const char *state = doctor_read(doctor, "/run/NetworkManager/devices/%s", ifindex);
	struct report *report = &doctor->report;

	if (!strstr(state, "managed=true") && !strstr(state, "managed=1"))
		return;
	report_finding(report, SEVERITY_NOTE, "conflict", netdev, "NetworkManager manages it: what ip(8) sets it may undo, and a VF that "
		       "comes back from VFIO it brings up");
	report_evidence(report, "/run/NetworkManager/devices", "%s: managed", ifindex);
	report_next(report, "set it up by nmcli(1), or leave it alone: nmcli device set %s managed no; to keep it: printf "
		    "'[keyfile]\\nunmanaged-devices=interface-name:%s\\n' > /etc/NetworkManager/conf.d/wye.conf", netdev, netdev);
}

static void networkd(struct doctor *doctor, const char *netdev, const char *ifindex)
{
	const char *state = doctor_read(doctor, "/run/systemd/netif/links/%s", ifindex);
	struct report *report = &doctor->report;

	if (!strstr(state, "ADMIN_STATE=") || strstr(state, "ADMIN_STATE=unmanaged"))
		return;
	report_finding(report, SEVERITY_NOTE, "conflict", netdev, "systemd-networkd manages it: it removes addresses, routes and rules "
		       "that are not in its files");
	report_evidence(report, "/run/systemd/netif/links", "%s: %.*s", ifindex, (int)strcspn(strstr(state, "ADMIN_STATE="), "\n"),
			strstr(state, "ADMIN_STATE="));
	report_next(report, "set it up in /etc/systemd/network, or leave it alone: [Match] Name=%s, [Link] Unmanaged=yes; routing "
		    "daemons want ManageForeignRoutes=no in /etc/systemd/networkd.conf", netdev);
}

void check_managers(struct doctor *doctor, const char *netdev)
{
	const char *ifindex = doctor_read(doctor, "/sys/class/net/%s/ifindex", netdev);

	if (!ifindex[0] || strspn(ifindex, "0123456789") != strlen(ifindex))
		return;
	network_manager(doctor, netdev, ifindex);
	networkd(doctor, netdev, ifindex);
}

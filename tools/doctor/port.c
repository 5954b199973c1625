/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One port from its netdev to its first packet: configuration, device, netdev, daemons, mirror, state, counters. The first thing
 * that stands in the way is what to look at; what comes after it is told all the same. Reads shared memory without a reader's
 * slot, which would have to be written.
 */
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "doctor.h"
#include "names.h"
#include "netdev.h"

static const struct wye_config_port *configured(struct doctor *doctor, const char *netdev)
{
	for (size_t i = 0; doctor->config && i < doctor->config->n_ports; i++)
		if (!strcmp(doctor->config->port[i].netdev, netdev))
			return &doctor->config->port[i];
	return NULL;
}

static void check_config(struct doctor *doctor, const struct wye_config_port *port, const char *netdev)
{
	static const char *const drivers[] = { "af_xdp", "mlx5", "vfio", "uio", "devargs" };
	const char *path = doctor->tool->view.config_path;
	struct report *report = &doctor->report;

	if (port) {
		report_finding(report, SEVERITY_OK, "config", netdev, "a port with driver %s", drivers[port->driver]);
		report_evidence(report, path, "line %u", port->line);
		return;
	}
	report_finding(report, SEVERITY_FAIL, "config", netdev, doctor->config ? "not a port in the configuration" :
		       "there is no configuration that can be read");
	report_evidence(report, path, "%s", doctor->config ? "no such port" : "see wye check");
	if (doctor->config)
		report_next(report, "under ports: - { netdev: %s, driver: af_xdp }; then: systemctl restart wye-dpd", netdev);
	else
		report_next(report, "wye check %s", path);
}

/* In wye-dpd's words. A device on UIO that is not ready has been told of with its driver. */
static void check_ready(struct doctor *doctor, const struct wye_config_port *port, const struct wye_device *device)
{
	char why[WYE_WHY_BYTES];

	if ((port->driver == WYE_DRIVER_UIO && wye_driver_is_uio(device->driver)) ||
	    !wye_device_ready(&doctor->root, port, device, why))
		return;
	report_finding(&doctor->report, SEVERITY_FAIL, "device", device->name, "%s", why);
}

/* The device that is not AF_XDP's to reach; NULL = it has none. */
static const struct wye_device *check_port_device(struct doctor *doctor, const struct wye_config_port *port, const char *netdev,
						  struct wye_device *device)
{
	char why[WYE_WHY_BYTES];

	if (!port || (port->driver != WYE_DRIVER_MLX5 && !wye_driver_takes_device(port->driver)))
		return NULL;
	if (wye_device_of_port(&doctor->root, port, netdev, device, why)) {
		report_finding(&doctor->report, SEVERITY_FAIL, "device", netdev, "%s", why);
		report_evidence(&doctor->report, doctor->tool->view.config_path, "devargs: %s", port->devargs ? port->devargs : "none");
		return NULL;
	}
	if (port->driver == WYE_DRIVER_MLX5)
		return device; /* the kernel's as well: neither groups nor VFIO matter */
	check_device(doctor, device);
	check_ready(doctor, port, device);
	return device;
}

static void no_netdev(struct doctor *doctor, const struct wye_config_port *port, const char *netdev)
{
	struct report *report = &doctor->report;

	if (port && wye_driver_takes_device(port->driver)) {
		report_finding(report, SEVERITY_NOTE, "netdev", netdev, "there is none of this name: wye-dpd makes a TAP when it starts");
		doctor_evidence(doctor, "/sys/class/net/%s/flags", netdev);
		return;
	}
	report_finding(report, SEVERITY_FAIL, "netdev", netdev, "there is none of this name: the port waits for it");
	doctor_evidence(doctor, "/sys/class/net/%s/flags", netdev);
	report_next(report, "ip link show");
}

static void check_netdev(struct doctor *doctor, const struct wye_config_port *port, const char *netdev)
{
	const char *flags = doctor_read(doctor, "/sys/class/net/%s/flags", netdev);
	const char *carrier = doctor_read(doctor, "/sys/class/net/%s/carrier", netdev);
	struct report *report = &doctor->report;
	bool up;

	if (!flags[0]) {
		no_netdev(doctor, port, netdev);
		return;
	}
	up = strtoul(flags, NULL, 16) & 1;
	report_finding(report, up && carrier[0] == '1' ? SEVERITY_OK : SEVERITY_FAIL, "netdev", netdev, "%s", !up ? "down" :
		       carrier[0] == '1' ? "up, with carrier" : "up, but without carrier");
	doctor_evidence(doctor, "/sys/class/net/%s/flags", netdev);
	doctor_evidence(doctor, "/sys/class/net/%s/carrier", netdev);
	if (!up)
		report_next(report, "ip link set dev %s up", netdev);
	else if (carrier[0] != '1')
		report_next(report, "look at the cable and the other end; ethtool %s", netdev);
}

/* What a VF stands beside, as wye-dpd judges it; a TAP is its own. */
static void check_companion(struct doctor *doctor, const struct wye_config_port *port, const struct wye_device *device,
			    const char *netdev)
{
	struct report *report = &doctor->report;
	char why[WYE_WHY_BYTES];
	bool switched, fine;

	if (!wye_sys_exists(&doctor->root, "/sys/class/net/%s", netdev) ||
	    wye_sys_exists(&doctor->root, "/sys/class/net/%s/tun_flags", netdev))
		return;
	fine = wye_device_companion(&doctor->root, device, netdev, &switched, why) == 0;
	report_finding(report, fine ? SEVERITY_OK : SEVERITY_FAIL, "companion", netdev, fine ? "%s stands beside it" : "%s",
		       fine ? device->name : why);
	report_evidence(report, "physfn", "%s", device->physfn[0] ? device->physfn : "none");
	doctor_evidence(doctor, "/sys/class/net/%s/phys_port_name", netdev);
	doctor_evidence(doctor, "/sys/class/net/%s/phys_switch_id", netdev);
	if (!fine)
		report_next(report, "%s, line %u: another netdev", doctor->tool->view.config_path, port->line);
}

static void check_forwarding(struct doctor *doctor, const char *netdev)
{
	static const char *const families[] = { "ipv4", "ipv6" };
	struct report *report = &doctor->report;

	for (int i = 0; i < 2; i++) {
		bool on = doctor_read(doctor, "/proc/sys/net/%s/conf/%s/forwarding", families[i], netdev)[0] == '1';

		report_finding(report, on ? SEVERITY_OK : SEVERITY_WARN, "forwarding", netdev, "%s: %s", families[i], on ? "on" :
			       "off: its packets stay with the kernel");
		doctor_evidence(doctor, "/proc/sys/net/%s/conf/%s/forwarding", families[i], netdev);
		if (!on)
			report_next(report, "sysctl net.%s.conf.%s.forwarding=1", families[i], i ? "all" : netdev);
	}
}

static bool check_daemon(struct doctor *doctor, const char *name, const struct view_daemon *daemon)
{
	struct report *report = &doctor->report;
	bool fine = daemon->alive && !daemon->hung;

	report_finding(report, fine ? SEVERITY_OK : SEVERITY_FAIL, "daemon", name, "%s", fine ? "runs and moves" : daemon->hung ?
		       "does not move" : daemon->known ? "is dead" : doctor->tool->view.why);
	if (daemon->known)
		report_evidence(report, doctor->tool->view.run_dir, "pid %u, last sign of life %llu ms ago", daemon->pid,
				(unsigned long long)daemon->heartbeat_age_ms);
	if (!fine)
		report_next(report, "systemctl %s %s; its log: journalctl -u %s -n 30", daemon->hung ? "restart" : "start", name, name);
	return fine;
}

static void check_mirror(struct doctor *doctor)
{
	static const char *const states[] = { "starting", "in sync", "resync", "stopped" };
	const struct wye_control *control = doctor->tool->view.control;
	uint32_t state = control ? atomic_load((_Atomic uint32_t *)&control->state) : 0;
	struct report *report = &doctor->report;

	report_finding(report, state == 1 ? SEVERITY_OK : SEVERITY_FAIL, "mirror", "", "%s", state < 4 ? states[state] : "unknown");
	if (control)
		report_evidence(report, doctor->tool->view.run_dir, "%llu messages, %llu resyncs, %llu overruns",
				(unsigned long long)counter_get(&control->stats.messages),
				(unsigned long long)counter_get(&control->stats.resyncs),
				(unsigned long long)counter_get(&control->stats.overruns));
	if (state != 1)
		report_next(report, "it takes seconds with a full table; then: journalctl -u wye-ctld -n 30");
}

/* ---- what wye-dpd says of it ---- */

static void check_state(struct doctor *doctor, const struct wye_port_info *port)
{
	struct report *report = &doctor->report;
	enum severity severity = port->state == WYE_PORT_ACTIVE ? SEVERITY_OK :
				 port->state == WYE_PORT_KERNEL ? SEVERITY_WARN : SEVERITY_FAIL;

	report_finding(report, severity, "port", port->netdev, "%s%s%s", name_port_state(port->state), port->detail[0] ? ": " : "",
		       port->detail);
	report_evidence(report, "attached", "driver %s, steering by %s%s%s", port->driver, port->backend, port->mode[0] ? ", " : "",
			port->mode);
	report_evidence(report, "sockets", "%u queues", port->queues);
	report_evidence(report, "punt", "%s", port->tap[0] ? port->tap : "no TAP");
	if (severity != SEVERITY_OK)
		report_next(report, "what keeps packets with the kernel: wye show parity; why it failed: journalctl -u wye-dpd -n 30");
}

static void check_idle(struct doctor *doctor, const struct wye_port_info *port)
{
	bool sleeps = doctor->config && doctor->config->workers.idle == WYE_IDLE_ADAPTIVE;
	struct report *report = &doctor->report;

	if (!sleeps || strcmp(port->mode, "polled"))
		return;
	report_finding(report, SEVERITY_NOTE, "idle", port->netdev, "nothing tells of its packets: an idle worker looks for them in "
		       "naps of 100 us, which takes some 9%% of a core");
	report_evidence(report, "wye show port", "mode %s", port->mode);
	report_next(report, "%s", strcmp(port->driver, "uio") ? "why: journalctl -u wye-dpd -n 30 | grep -i interrupts" :
		    "vfio-pci in place of UIO, where there is an IOMMU: wye.yaml(5)");
}

static uint64_t taken(const struct wye_stats *stats, const struct wye_stats *info)
{
	uint64_t sum = info->default_action == WYE_ACTION_DATAPLANE ? counter_get(&stats->rule_packets[WYE_RULES_MAX]) : 0;

	for (uint32_t i = 0; i < info->n_rules; i++)
		sum += info->rule[i].action == WYE_ACTION_DATAPLANE ? counter_get(&stats->rule_packets[i]) : 0;
	return sum;
}

static void check_packets(struct doctor *doctor, uint32_t index, const char *netdev)
{
	const struct wye_stats *stats = doctor->tool->view.stats, *info = doctor->tool->view.info;
	struct port_sum sum = counters_port(stats, index, -1);
	uint64_t steered = taken(stats, info), received = 0;
	struct report *report = &doctor->report;

	(void)wye_sys_number(&doctor->root, (int64_t *)&received, "/sys/class/net/%s/statistics/rx_packets", netdev);
	report_finding(report, sum.rx_packets ? SEVERITY_OK : SEVERITY_NOTE, "packets", netdev, "%s", sum.rx_packets ?
		       "the dataplane has received some" : !received ? "none has arrived on the netdev" : !steered ?
		       "no steering rule has taken one yet" : "rules have taken some, but none on this port");
	doctor_evidence(doctor, "/sys/class/net/%s/statistics/rx_packets", netdev);
	report_evidence(report, "wye show steer", "%u rules, default %s, %llu packets taken", info->n_rules,
			info->default_action == WYE_ACTION_DATAPLANE ? "dataplane" : "kernel", (unsigned long long)steered);
	report_evidence(report, "wye show port", "%llu received, %llu sent, %llu punted", (unsigned long long)sum.rx_packets,
			(unsigned long long)sum.tx_packets, (unsigned long long)sum.punted);
	if (!sum.rx_packets && received)
		report_next(report, "which guard or rule has them: wye show steer --all");
}

static void check_running(struct doctor *doctor, const char *name, const char *netdev)
{
	const struct wye_stats *info = doctor->tool->view.info;

	for (uint32_t i = 0; info && i < info->n_ports; i++) {
		if (info->port[i].state == WYE_PORT_ABSENT || strcmp(info->port[i].netdev, name))
			continue;
		check_state(doctor, &info->port[i]);
		check_idle(doctor, &info->port[i]);
		check_packets(doctor, i, netdev);
		return;
	}
	report_finding(&doctor->report, SEVERITY_FAIL, "port", name, "wye-dpd has no such port: it started with another configuration");
	report_evidence(&doctor->report, "wye-dpd's configuration", "%s", info && info->config_path[0] ? info->config_path : "unknown");
	report_next(&doctor->report, "systemctl restart wye-dpd");
}

const char *doctor_netdev(const struct doctor *doctor, const char *name, char ifname[16])
{
	return doctor->live && !netdev_name(name, ifname) ? ifname : name;
}

void check_port(struct doctor *doctor, const char *name)
{
	struct view *view = &doctor->tool->view;
	struct view_daemon daemon;
	char ifname[16];
	const char *netdev = doctor_netdev(doctor, name, ifname);
	const struct wye_config_port *port = configured(doctor, name);
	const struct wye_device *device;
	struct wye_device found;

	check_config(doctor, port, name);
	device = check_port_device(doctor, port, netdev, &found);
	check_netdev(doctor, port, netdev);
	if (device && wye_driver_takes_device(port->driver))
		check_companion(doctor, port, device, netdev);
	if (!port || port->driver == WYE_DRIVER_AF_XDP)
		check_xdp(doctor, netdev);
	if (wye_sys_exists(&doctor->root, "/sys/class/net/%s", netdev))
		check_forwarding(doctor, netdev);
	check_placement(doctor, netdev, device);
	check_managers(doctor, netdev);
	if (!doctor->live)
		return;
	view->quiet = true;
	(void)view_control(view);
	daemon = view_ctld(view);
	if (check_daemon(doctor, "wye-ctld", &daemon))
		check_mirror(doctor);
	(void)view_stats(view);
	daemon = view_dpd(view);
	if (check_daemon(doctor, "wye-dpd", &daemon))
		check_running(doctor, name, netdev);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports on VFIO and UIO: what must be true before DPDK is asked, whose own words for the same are "probe failed".
 *
 * When a device on VFIO is unplugged, or its PF goes, the kernel asks for it and waits until it is closed. DPDK's interrupt
 * thread hears that, and main closes the port. A handler of DPDK's that still runs cannot be taken off its device: so main is told
 * by an alarm, which that thread rings when the handler has returned.
 *
 * A VF whose PF was reset, as when that goes down or an XDP program is attached to it, is deaf until it is opened anew. Drivers
 * hear of it from the PF and tell by RTE_ETH_EVENT_INTR_RESET, in the same thread; the port closes in the same way. Of one that
 * does not hear, companion.c tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <rte_alarm.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_pci.h>
#include <rte_version.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dpd.h"
#include "log.h"
#include "runtime/init.h"
#include "wye_device.h"

static const struct wye_sysroot machine = { "" };

/* Before anything else: a device that DPDK cannot drive must not be bound in vain. */
static int has_bus(const struct wye_device *device, char *why)
{
	if (device->bus == WYE_BUS_PCI || rte_bus_find_by_name("platform"))
		return 0;
	snprintf(why, WYE_WHY_BYTES, "%s is a platform device, which takes DPDK 23.03 or later; this is %s", device->name,
		 rte_version());
	return -ENOTSUP;
}

int port_vfio_devargs(struct port *port, char *devargs, size_t size, char *why)
{
	const char *options = strchr(port->config->devargs, ',');
	struct wye_device device;
	int error = wye_device_of_port(&machine, port->config, port->config->netdev, &device, why);

	error = error ? error : has_bus(&device, why);
	error = error ? error : wye_device_ready(&machine, port->config, &device, why);
	if (!error && port_beside(port))
		error = wye_device_companion(&machine, &device, port->steer.netdev, &port->companion.switched, why);
	if (error)
		return error;
	snprintf(port->device, sizeof(port->device), "%s", device.name);
	snprintf(devargs, size, "%s%s", device.name, options ? options : "");
	port->companion.pf_changes = port_vfio_pf_changes(port);
	return 0;
}

void port_vfio_ask(const char *device, struct wye_vf *vf)
{
	if (wye_vf_of(&machine, device, vf))
		vf->known = false;
}

int64_t port_vfio_pf_changes(const struct port *port)
{
	char pf[WYE_DEVICE_NAME_BYTES], netdev[IF_NAMESIZE];
	int64_t changes = -1;

	if (!wye_sys_link(&machine, pf, sizeof(pf), "/sys/bus/pci/devices/%s/physfn", port->device) &&
	    !wye_device_pf_netdev(&machine, pf, netdev))
		(void)wye_sys_number(&machine, &changes, "/sys/class/net/%s/carrier_changes", netdev);
	return changes;
}

/* A group is opened by one process at a time. */
void port_vfio_why(const struct port *port, char *why)
{
	struct wye_device device;
	char path[64], unused[WYE_WHY_BYTES];
	int fd;

	if (wye_device_find(&machine, port->device, &device, unused) || device.group < 0)
		return;
	snprintf(path, sizeof(path), "/dev/vfio/%lld", (long long)device.group);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		snprintf(why, WYE_WHY_BYTES, "%s is in use by another process, such as a virtual machine: fuser -v %s",
			 port->device, path);
	if (fd >= 0)
		close(fd);
}

/* ---- the kernel wants a device back ------------------------------------------------------------------------------------ */

static const char *const ask_text[] = {
	"the kernel takes its device away; waiting for it to come back",
	"its PF was reset, or seems so, or gave it another MAC or VLAN; it is opened again",
};
enum { ASK_REMOVE, ASK_RESET, ASK_KINDS };
/* Interrupt thread: w, main: rw. E1: the handler has returned; pairs with E2, where main may close. */
static _Atomic bool asked[ASK_KINDS][WYE_PORTS_MAX];

const char *port_vfio_asked(const struct port *port)
{
	for (int kind = 0; kind < ASK_KINDS; kind++)
		if (atomic_load_explicit(&asked[kind][port->index], memory_order_acquire))	/* E2 */
			return ask_text[kind];
	return NULL;
}

void port_vfio_given(const struct port *port)
{
	for (int kind = 0; kind < ASK_KINDS; kind++)
		atomic_store_explicit(&asked[kind][port->index], false, memory_order_relaxed);
}

static void ask(void *arg)
{
	atomic_store_explicit((_Atomic bool *)arg, true, memory_order_release);	/* E1 */
}

/* Should there be no memory for it, the kernel asks again. */
static void ask_later(_Atomic bool *what)
{
	(void)rte_eal_alarm_set(1, ask, what);
}

static int on_reset(uint16_t dpdk_port, enum rte_eth_event_type event, void *arg, void *unused)
{
	ask_later(arg);
	return 0;
}

void port_vfio_reset(const struct port *port)
{
	atomic_store_explicit(&asked[ASK_RESET][port->index], true, memory_order_relaxed);
}

void port_vfio_hear(const struct port *port)
{
	if (rte_eth_dev_callback_register(port->steer.dpdk_port, RTE_ETH_EVENT_INTR_RESET, on_reset,
					  &asked[ASK_RESET][port->index]))
		log_warning("port %s: a reset of its PF will not be noticed", port->config->netdev);
}

void port_vfio_unhear(const struct port *port)
{
	(void)rte_eth_dev_callback_unregister(port->steer.dpdk_port, RTE_ETH_EVENT_INTR_RESET, on_reset,
					      &asked[ASK_RESET][port->index]);
}

static bool is_device(const struct wye_config_port *port, const struct rte_pci_addr *address)
{
	struct rte_pci_addr own;
	char text[32];

	if (!port->devargs)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(port->devargs, ","), port->devargs);
	return rte_pci_addr_parse(text, &own) == 0 && rte_pci_addr_cmp(&own, address) == 0;
}

/* DPDK's interrupt thread: the configuration's ports are constant, struct port is not. */
static void on_event(const char *name, enum rte_dev_event_type type, void *arg)
{
	const struct dpd *dpd = arg;
	struct rte_pci_addr address;

	if (type != RTE_DEV_EVENT_REMOVE || rte_pci_addr_parse(name, &address))
		return;
	for (size_t i = 0; i < dpd->config->n_ports; i++)
		if (is_device(&dpd->config->port[i], &address))
			ask_later(&asked[ASK_REMOVE][i]);
}

static int unplug_open(struct dpd *dpd)
{
	int error = rte_dev_event_callback_register(NULL, on_event, dpd);

	if (error)
		log_error("devices that are unplugged: %s", strerror(-error));
	return error;
}

static void unplug_close(struct dpd *dpd)
{
	(void)rte_dev_event_callback_unregister(NULL, on_event, dpd);
	(void)rte_eal_alarm_cancel(ask, (void *)-1);
}
INIT(unplug, .start = unplug_open, .stop = unplug_close, .after = INIT_NAMES("eal"), .before = INIT_NAMES("ports"));

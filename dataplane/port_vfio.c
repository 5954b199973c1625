/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports on VFIO and UIO: what must be true before DPDK is asked, whose own words for the same are "probe failed".
 *
 * When a device on VFIO is unplugged, or its PF goes, the kernel asks for it and waits until it is closed. DPDK's interrupt
 * thread hears that and notes the time; main closes the port soon after, when DPDK's own handler has returned: a handler
 * that still runs cannot be taken off the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <rte_dev.h>
#include <rte_pci.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "dpd.h"
#include "log.h"
#include "runtime/init.h"
#include "wye_device.h"

#define SETTLE_NS 20000000u

static const struct wye_sysroot machine = { "" };

int port_vfio_devargs(struct port *port, char *devargs, size_t size, char *why)
{
	const char *options = strchr(port->config->devargs, ',');
	struct wye_device device;
	int error = wye_device_of_port(&machine, port->config, &device, why);

	error = error ? error : wye_device_ready(&machine, port->config, &device, why);
	if (error)
		return error;
	snprintf(port->device, sizeof(port->device), "%s", device.name);
	snprintf(devargs, size, "%s%s", device.name, options ? options : "");
	return 0;
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

static _Atomic uint64_t asked_ns[WYE_PORTS_MAX];	/* since when; 0 = it does not. Interrupt thread: w, main: rw */

bool port_vfio_asked(const struct port *port)
{
	uint64_t since = atomic_load_explicit(&asked_ns[port->index], memory_order_relaxed);

	return since && clock_ns() - since >= SETTLE_NS;
}

void port_vfio_given(const struct port *port)
{
	atomic_store_explicit(&asked_ns[port->index], 0, memory_order_relaxed);
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
			atomic_store_explicit(&asked_ns[i], clock_ns(), memory_order_relaxed);
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
}
INIT(unplug, .start = unplug_open, .stop = unplug_close, .after = INIT_NAMES("eal"), .before = INIT_NAMES("ports"));

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drivers by driver_override: it names the one driver that may have the device, whatever is loaded later, and unlike new_id
 * nothing but this device is affected. The write that makes the kernel probe succeeds even when the driver refuses the device
 * (vfio-pci without an IOMMU does), so the driver link is what counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bind.h"
#include "libwye/why.h"
#include "wye_map.h"

extern char **environ;

static int put(const char *path, const char *text, char *why)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int error = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return !error ? 0 :
		why_fail(why, error, "%s: writing \"%.*s\": %s%s", path, (int)strcspn(text, "\n"), text, strerror(-error),
			    error == -EACCES || error == -EPERM ? "; run as root" : "");
}

/* ---- the driver must be there to be bound to ---- */

static int load_module(const char *driver)
{
	char *const argv[] = { (char *)"modprobe", (char *)"-q", (char *)driver, NULL };
	int status = 0;
	pid_t pid;

	if (posix_spawnp(&pid, "modprobe", NULL, NULL, argv, environ))
		return -ENOENT;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status ? -ENOENT : 0;
}

static int need_driver(const struct wye_sysroot *root, const struct bind_change *change, char *why)
{
	const char *bus = wye_bus_name(change->bus);

	if (!change->to[0] || !strcmp(change->to, "kernel") || wye_sys_exists(root, "/sys/bus/%s/drivers/%s", bus, change->to))
		return 0;
	if (!root->dir[0] && !load_module(change->to) && wye_sys_exists(root, "/sys/bus/%s/drivers/%s", bus, change->to))
		return 0;
	return why_fail(why, -ENODEV, "driver %s: this kernel has not got it: not in /sys/bus/%s/drivers, and modprobe %s does not "
			   "help%s", change->to, bus, change->to, !strcmp(change->to, "igb_uio") ? "; it is no part of Linux: use vfio-pci" :
			   "");
}

/* "" = none. -ENOENT: the device is gone. */
static int current_driver(const struct wye_sysroot *root, const struct bind_change *change, char driver[32], char *why)
{
	int error = wye_sys_link(root, driver, 32, "/sys/bus/%s/devices/%s/driver", wye_bus_name(change->bus), change->device);

	if (!error || (error == -ENOENT && wye_sys_exists(root, "/sys/bus/%s/devices/%s", wye_bus_name(change->bus), change->device)))
		return 0;
	return why_fail(why, error, "%s went away meanwhile: %s", change->device, strerror(-error));
}

static bool arrived(const char *wanted, const char *driver)
{
	if (!strcmp(wanted, "kernel"))
		return driver[0] && !wye_driver_is_vfio(driver) && !wye_driver_is_uio(driver);
	return !strcmp(wanted, driver);
}

static int verify(const struct wye_sysroot *root, const struct bind_change *change, char *why)
{
	char driver[32] = "";
	int error = current_driver(root, change, driver, why);

	if (error)
		return error;
	if (arrived(change->to, driver))
		return 0;
	return why_fail(why, -EIO, "%s: %s did not take it: it is bound to %s now; the kernel's log has the reason: dmesg | grep %s",
			   change->device, !strcmp(change->to, "kernel") ? "no driver of the kernel" : change->to[0] ? change->to :
			   "unbinding did nothing", driver[0] ? driver : "no driver", change->device);
}

/* ---- one device ---- */

static int move(const struct wye_sysroot *root, const struct bind_change *change, char *why)
{
	char path[WYE_SYS_PATH_BYTES], text[WYE_DEVICE_NAME_BYTES + 1], driver[32] = "";
	const char *bus = wye_bus_name(change->bus);
	int error = wye_sys_path(root, path, "/sys/bus/%s/devices/%s/driver_override", bus, change->device);

	snprintf(text, sizeof(text), "%s\n", change->to_override); /* an empty line clears it */
	error = error ? error : put(path, text, why);
	error = error ? error : current_driver(root, change, driver, why);
	if (!error && driver[0] && strcmp(driver, change->to)) {
		wye_sys_path(root, path, "/sys/bus/%s/devices/%s/driver/unbind", bus, change->device);
		error = put(path, change->device, why);
	}
	if (!error && change->to[0] && strcmp(driver, change->to)) {
		wye_sys_path(root, path, "/sys/bus/%s/drivers_probe", bus);
		error = put(path, change->device, why);
	}
	return error ? error : verify(root, change, why);
}

struct bind_change bind_reverse(const struct bind_change *change)
{
	struct bind_change back = *change;

	memcpy(back.from, change->to, sizeof(back.from));
	memcpy(back.from_override, change->to_override, sizeof(back.from_override));
	memcpy(back.to, change->from, sizeof(back.to));
	memcpy(back.to_override, change->from_override, sizeof(back.to_override));
	return back;
}

static int put_back(const struct wye_sysroot *root, const struct bind_change *change, int error, char *why)
{
	const struct bind_change back = bind_reverse(change);
	char also[WYE_WHY_BYTES], first[WYE_WHY_BYTES];

	if (!move(root, &back, also) || !wye_sys_exists(root, "/sys/bus/%s/devices/%s", wye_bus_name(back.bus), back.device))
		return error; /* one that is gone comes back as the kernel has it */
	snprintf(first, sizeof(first), "%s", why);
	return why_fail(why, -ENOTRECOVERABLE, "%.230s; and %s could not be put back: %.180s", first, change->device, also);
}

int bind_carry_out(const struct wye_sysroot *root, const struct bind_plan *plan, char *why)
{
	int error = 0;
	size_t i;

	for (i = 0; !error && i < plan->n; i++)
		error = need_driver(root, &plan->change[i], why);
	if (error)
		return error; /* nothing was touched */
	for (i = 0; !error && i < plan->n; i++)
		error = move(root, &plan->change[i], why);
	while (error && i > 0)
		error = put_back(root, &plan->change[--i], error, why);
	return error;
}

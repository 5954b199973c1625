/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Giving devices to other drivers and back. A plan is made first, and refused whole; then it is remembered, carried out device
 * by device and each result verified; the first failure puts back what was done. `why` has WYE_WHY_BYTES, as in wye_map.h;
 * int is 0 or -errno with the reason in `why`.
 */
#ifndef BIND_H
#define BIND_H

#include "wye_device.h"

#define BIND_DEVICES_MAX 64	/* a whole IOMMU group, or all that --all restores */

/* "" as driver: none. "kernel" as `to`: whatever driver of its own the kernel chooses. */
struct bind_change {
	enum wye_bus bus;
	char device[WYE_DEVICE_NAME_BYTES];
	char from[32], from_override[32];
	char to[32], to_override[32];	/* override "none", which no driver is called, keeps a device without one */
};

struct bind_plan {
	struct bind_change change[BIND_DEVICES_MAX];
	size_t n;
};

struct bind_wishes {
	const char *driver;	/* as typed: vfio-pci … kernel, none */
	bool group;		/* the rest of the IOMMU group likewise */
	bool force;		/* though the machine needs the device */
	bool allow_unsafe;	/* without an IOMMU */
};

/* ---- plan.c ---- */

/* What has to be done for a device to get to the driver; n 0: it is there already. */
int bind_plan_make(const struct wye_sysroot *root, const struct wye_device *device, const struct bind_wishes *wishes,
		   struct bind_plan *plan, char *why);

/* ---- carry_out.c ---- */

/* All or nothing. -ENOTRECOVERABLE: something could not be put back, which `why` says. */
int bind_carry_out(const struct wye_sysroot *root, const struct bind_plan *plan, char *why);
/* What undoes a change. */
struct bind_change bind_reverse(const struct bind_change *change);

/* ---- guard.c ---- */

/* Is it what the machine, or this session, is reached by? -EBUSY: yes. */
int bind_guard(const struct wye_sysroot *root, const struct wye_device *device, char *why);
/* Has a process opened it through VFIO or UIO (a virtual machine, a dataplane)? -EBUSY: yes. */
int bind_users(const struct wye_sysroot *root, const struct wye_device *device, char *why);

/* ---- state.c: what was changed since boot, in <run>/bind; a driver override does not outlive a reboot either. ---- */

/* Locks out others; a descriptor for bind_state_close() or -errno. Makes the folder when it is missing. */
int bind_state_open(const char *run_dir, char *why);
void bind_state_close(int lock);
int bind_state_read(const char *run_dir, struct bind_plan *state, char *why);	/* a missing file: n 0 */
int bind_state_write(const char *run_dir, const struct bind_plan *state, char *why);
/* The entry of a device, NULL = none. */
struct bind_change *bind_state_find(struct bind_plan *state, const struct bind_change *change);
/* Adds changes, keeping where a device came from first; or takes away those that came back. */
int bind_state_add(struct bind_plan *state, const struct bind_plan *plan, char *why);
void bind_state_remove(struct bind_plan *state, const struct bind_plan *plan);

#endif

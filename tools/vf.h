/* SPDX-License-Identifier: BSD-3-Clause */
/* The VFs of a PF: how many (sysfs), and what each may do (rtnetlink through the PF's netdev). `why` has WYE_WHY_BYTES; int is 0
 * or -errno with the reason in it. */
#ifndef VF_H
#define VF_H

#include "wye_device.h"
#include "wye_vf.h"

struct vf {
	struct wye_device device;
	struct wye_vf is;
};

struct vf_wishes {
	bool set_mac, set_vlan, set_trust, set_spoofchk;
	uint8_t mac[6];		/* of the first; the others' count on from it */
	uint32_t vlan;
	bool trust, spoofchk;
};

/* Is it a PF, with a netdev? `why` says what it is instead. */
int vf_check_pf(const struct wye_device *pf, char *why);

/* vf has room for WYE_VFS_MAX. */
int vf_list(const struct wye_sysroot *root, const struct wye_device *pf, struct vf *vf, size_t *n, char *why);

/* Verified by asking the kernel again. */
int vf_set(const struct wye_device *pf, uint32_t index, const struct vf_wishes *wishes, char *why);
/* From none to n or from any number to none; anything else the kernel does not do. */
int vf_number(const struct wye_sysroot *root, const struct wye_device *pf, uint32_t n, char *why);

#endif

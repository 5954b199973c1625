/* SPDX-License-Identifier: BSD-3-Clause */
/* What the driver of a PF tells of its VFs, by rtnetlink through the PF's netdev, which must be in this network namespace. Part of
 * libwye; read-only. */
#ifndef WYE_VF_H
#define WYE_VF_H

#include "wye_sysroot.h"

#define WYE_VFS_MAX 256	/* of one PF; PCI allows 65,535, no NIC we know has more */

struct wye_vf {
	bool known;		/* the driver tells the rest */
	uint8_t mac[6];		/* 0 = it leaves that to the VF */
	uint32_t vlan;		/* that the PF puts its packets in, 0 = none */
	bool trust, spoofchk;
};

/* VFs 0 to n - 1 of the PF with that netdev; at most WYE_VFS_MAX. 0 or -errno with why (WYE_WHY_BYTES). */
int wye_vf_ask(const char *netdev, struct wye_vf *vf, size_t n, char *why);
/* That of a VF's device, a PCI address. 0, or -errno: its PF has no netdev here. */
int wye_vf_of(const struct wye_sysroot *root, const char *device, struct wye_vf *vf);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device on the PCI or the platform bus as sysfs describes it, its IOMMU group, and whether VFIO can have it. Part of
 * libwye; read-only. wye-dpd and the operator's command ask the same functions, so that they say the same. `why` has
 * WYE_WHY_BYTES, as in wye_map.h.
 */
#ifndef WYE_DEVICE_H
#define WYE_DEVICE_H

#include "wye_sysroot.h"

struct wye_config_port;

#define WYE_DEVICE_NAME_BYTES 64
#define WYE_PCI_CLASS_BRIDGE 0x06	/* PCI base classes: the two upper digits of six */
#define WYE_PCI_CLASS_STORAGE 0x01
#define WYE_PCI_CLASS_NETWORK 0x02

enum wye_bus { WYE_BUS_PCI, WYE_BUS_PLATFORM };

/* "" and -1 stand for "has none" */
struct wye_device {
	enum wye_bus bus;
	char name[WYE_DEVICE_NAME_BYTES];	/* "0000:01:00.0", "fe000000.ethernet" */
	char driver[32];
	char driver_override[32];
	char netdev[16];			/* the first of n_netdevs */
	uint32_t n_netdevs;
	char physfn[WYE_DEVICE_NAME_BYTES];	/* of a VF: its PF */
	uint32_t class, vendor, device;		/* PCI only; class has six digits */
	int64_t group;				/* IOMMU group */
	int64_t numa_node;
	int64_t vfs, vfs_max;			/* of a PF; vfs_max -1 = no SR-IOV */
	bool reset;				/* the kernel can reset it alone */
};

const char *wye_bus_name(enum wye_bus bus);	/* "pci", "platform" */

/* By the name it has on its bus. -ENOENT: not there, or gone meanwhile; -EACCES. */
int wye_device_read(const struct wye_sysroot *root, enum wye_bus bus, const char *name, struct wye_device *device,
		    char *why);
/* What an operator types: a PCI address with or without its domain, a platform device, or a netdev's name. */
int wye_device_find(const struct wye_sysroot *root, const char *text, struct wye_device *device, char *why);
/*
 * The device of a port with driver vfio, uio or mlx5: what its devargs begin with, or for mlx5 the one that netdev (the
 * port's, by the name it has now) is of. -EINVAL: no virtual function, and the port does not say `device: whole`; devargs
 * that name another device than the netdev's. -ENOTSUP: not mlx5's.
 */
int wye_device_of_port(const struct wye_sysroot *root, const struct wye_config_port *port, const char *netdev,
		       struct wye_device *device, char *why);
/* Can a process have it as the port's driver wants it? As wye_device_vfio_ready() or wye_device_uio_ready(); mlx5 asks no more. */
int wye_device_ready(const struct wye_sysroot *root, const struct wye_config_port *port, const struct wye_device *device, char *why);

/* The netdev of a PF, not that of a function of it; -ENOENT: it has none in this network namespace. */
int wye_device_pf_netdev(const struct wye_sysroot *root, const char *pf, char netdev[16]);

/* May the device of a port stand beside this netdev, which exists? -EINVAL: they are not on one wire. *switched: the NIC's
 * switch has netdevs for its ports, and rules say what the device gets; else broadcasts come to both. */
int wye_device_companion(const struct wye_sysroot *root, const struct wye_device *device, const char *netdev, bool *switched,
			 char *why);

/* "Ethernet controller", "NVMe storage"; for what it does not know the base class in words. Static. */
const char *wye_device_class(const struct wye_device *device);

/* "0000:01:00.1 (Ethernet controller, driver e1000e, eth1)"; buf has WYE_WHY_BYTES. */
const char *wye_device_text(const struct wye_device *device, char *buf);

struct wye_group {
	int64_t number;
	char type[16];			/* "DMA", "DMA-FQ", "identity" …; "" = unknown to this kernel */
	struct wye_device *member;	/* in order; owned */
	size_t n_members;
	size_t n_blocking;
};

/* -ENOENT also when a member went away meanwhile: why names it. Freed by wye_group_free(). */
int wye_group_read(const struct wye_sysroot *root, int64_t number, struct wye_group *group, char *why);
void wye_group_free(struct wye_group *group);

/* Does this member keep VFIO from the whole group? One without a driver does not, nor do those whose drivers do no DMA
 * of their own: the kernel's driver_managed_dma (pcieport, pci-stub, and VFIO's). */
bool wye_device_blocks_vfio(const struct wye_device *device);
bool wye_driver_is_vfio(const char *driver);
bool wye_driver_is_uio(const char *driver);

/* Can a process open the device through VFIO now? 0, or -errno and the first obstacle with the next step. */
int wye_device_vfio_ready(const struct wye_sysroot *root, const struct wye_device *device, char *why);
/* And through UIO: only where no IOMMU translates what the device says, which are physical addresses? */
int wye_device_uio_ready(const struct wye_sysroot *root, const struct wye_device *device, char *why);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A link's part of `ip -j link` and `ip -j addr`, which `show link` and `show addr` share. */
#ifndef LINK_OBJECT_H
#define LINK_OBJECT_H

#include "wye.h"

#define LINK_FLAG_NAMES 20

/* The members of the object, in ip's order. with_mode: `ip link` shows linkmode, `ip addr` does not. */
void link_members(struct tool *tool, const struct wye_link *link, bool with_mode);
/* Names as ip prints them, NO-CARRIER and M-DOWN included. `hex` (WYE_NAME_BYTES) holds what has no name. */
size_t link_flag_names(const struct tool *tool, const struct wye_link *link, const char **names, char *hex);
/* "02:00:00:00:00:01", or as an address for tunnels; "" when there is none. */
const char *link_address(uint16_t arp_type, const uint8_t *bytes, uint8_t len, char *buf);

#endif

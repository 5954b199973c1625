/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_FLAGS_H
#define PORT_FLAGS_H

#include <stdint.h>

/* rte_eth_dev_start(), which leaves netdev's flags (IFF_UP, IFF_PROMISC …) alone; NULL: there is none to be left alone. */
int port_flags_start(uint16_t dpdk_port, const char *netdev);

#endif

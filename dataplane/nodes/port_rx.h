/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_RX_H
#define PORT_RX_H

#include <stdint.h>

struct rte_node;

const uint64_t *port_rx_vectors(struct rte_node *node);

#endif

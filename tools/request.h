/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked of wye-dpd over its socket: filters, and the one answer. Each enum wye_exit, with a message. */
#ifndef REQUEST_H
#define REQUEST_H

#include "wye.h"
#include "wye_capture.h"

/* A filter in the words of pcap-filter(7) for packets of which packet_bytes are looked at; at most
 * WYE_CAPTURE_INSTRUCTIONS. */
int request_filter(const struct tool *tool, const char *filter, uint32_t packet_bytes,
		   struct wye_capture_instruction *instructions, uint32_t *n);
/* Sends the message and waits until it is answered. OK: *fd is the connection, the caller's; else -1. */
int request_send(const struct tool *tool, const void *message, size_t bytes, int *fd);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recordings of netlink: written by `wye record`, read by `wye-ctld --replay`. Raw netlink messages one after the
 * other, each padded to four bytes, in the byte order of the machine: what iproute2's rtmon writes and `ip monitor file`
 * reads. What only the parity guard looks at (traffic control, nf_tables, IPsec) comes packed into NLMSG_NOOPs, which that
 * command passes over: types of different protocols are the same numbers. A dump is its request as it was sent, the answer's messages and their NLMSG_DONE; between them stand
 * notifications in the order they were received. NLMSG_OVERRUN: some were lost. The first and the last message are
 * NLMSG_NOOP with a text, so that a recording cut short is told from a whole one.
 */
#ifndef WYE_RECORD_H
#define WYE_RECORD_H

#include <stdint.h>

#define WYE_RECORD_BEGIN "wye record 1"
#define WYE_RECORD_END	 "wye record end"
#define WYE_RECORD_PACKED "wye packed"

/* What an NLMSG_NOOP holds before the message that is packed into it. */
struct wye_record_packed {
	char text[12];		/* WYE_RECORD_PACKED */
	uint16_t protocol;	/* NETLINK_ROUTE, NETLINK_NETFILTER, NETLINK_XFRM */
	uint16_t dump;		/* 1: the request for a dump, or of its answer; 0: a notification */
};

#endif

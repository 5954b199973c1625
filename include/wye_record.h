/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recordings of rtnetlink: written by `wye record`, read by `wye-ctld --replay`. Raw netlink messages one after the
 * other, each padded to four bytes, in the byte order of the machine: what iproute2's rtmon writes and `ip monitor file`
 * reads. A dump is its request as it was sent, the answer's messages and their NLMSG_DONE; between them stand
 * notifications in the order they were received. NLMSG_OVERRUN: some were lost. The first and the last message are
 * NLMSG_NOOP with a text, so that a recording cut short is told from a whole one.
 */
#ifndef WYE_RECORD_H
#define WYE_RECORD_H

#define WYE_RECORD_BEGIN "wye record 1"
#define WYE_RECORD_END	 "wye record end"

#endif

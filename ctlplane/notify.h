/* SPDX-License-Identifier: BSD-3-Clause */
/* sd_notify(3)'s protocol, one datagram to $NOTIFY_SOCKET; nothing happens without one. */
#ifndef NOTIFY_H
#define NOTIFY_H

void notify_systemd(const char *state);	/* "READY=1", "STATUS=…" */

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Tells the service manager how we are, by the datagram protocol of sd_notify(3). */
#ifndef NOTIFY_H
#define NOTIFY_H

void notify(const char *state);	/* "READY=1", "STOPPING=1", "STATUS=…"; nothing happens without $NOTIFY_SOCKET */

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errands: requests that the kernel handles under its RTNL lock, which it holds for up to seconds when the routes of a full
 * table go with their link. A thread sends them, and the loop waits for it. Meanwhile it hears of what filters packets and needs
 * no such lock (parity_hear()): else packets would pass that the kernel drops by then. Everything else waits, as it would
 * if the loop itself had sent the request.
 */
#ifndef ERRAND_H
#define ERRAND_H

struct mirror;

int errand_open(void);		/* 0 or -errno */
void errand_close(void);
/* Returns what `errand` does, which has come to its end. It runs in the thread, if there is one, and touches nothing that
 * parity_hear() does. Not from within itself. */
int errand_run(struct mirror *mirror, int (*errand)(void *ctx), void *ctx);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The main thread: its event loop, and following what the mirror says (tables, links, addresses, trust) into ports,
 * steering and plans.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

struct dpd;

int follow_start(struct dpd *dpd);	/* first plan; 0 or -errno, printed */
int follow_run(struct dpd *dpd);	/* until SIGTERM or SIGINT; 0 or -errno, printed */
void follow_stop(struct dpd *dpd);	/* after the workers have stopped: steering, ports, tables */

/* Before any thread is made: signals are read from the event loop. */
int follow_block_signals(void);

#endif

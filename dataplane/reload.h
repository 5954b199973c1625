/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGHUP: the configuration is read again. Main thread. */
#ifndef RELOAD_H
#define RELOAD_H

struct dpd;

/* Takes what can be taken while packets pass (workers, steering, how long old tables are trusted), all of it or none, with the
 * reason in the stats file; says what waits for a restart. */
void reload(struct dpd *dpd);

#endif

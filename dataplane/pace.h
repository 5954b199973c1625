/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `steering.slow: kernel`: a port whose flows are slow is the kernel's, which needs less for a packet now and then than a
 * worker that must wake up for it; once they are fast the dataplane has them again. Main thread.
 */
#ifndef PACE_H
#define PACE_H

#include <stdint.h>

struct dpd;

/* At every tick, after ports were enabled: hands back what has been slow for long enough, notes what is fast again. */
void pace_look(struct dpd *dpd, uint64_t now_ns);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Are the workers alive, and is there anything that main must watch closely? Main thread only.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct dpd;
struct process;

#define WATCHDOG_TICK_NS 20000000u

/*
 * To be called at every tick, also by who makes main wait for the workers: tells steering that they live, or, when one has
 * stood still for 120 ms though it had something to do or does not say that it sleeps, that it is dead, before its queue
 * overflows. Says once of a port whose interrupts do not come.
 */
void watchdog_beat(struct dpd *dpd, uint64_t now_ns);

/* At this moment: do all workers sleep, with nothing waiting for them? */
bool watchdog_all_asleep(const struct dpd *dpd);

/*
 * After watchdog_beat(): do all workers sleep, without a packet waiting, since the tick before? Then the next packet for
 * any of them wakes that process of main as well, once, and until then a longer tick will do.
 */
bool watchdog_rest(const struct dpd *dpd, struct process *main);

#endif

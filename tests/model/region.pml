/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions from one wye-ctld to the next, and readers that come, go and move, as a model for spin: include/wye_publish.h
 * (a), ctlplane/region.c, reclaim.c, dataplane/tables.c. Either side may die at any moment and be started again.
 *
 * A region is one word that names one of two records. Memory is sequentially consistent here: which fences make it so is
 * argued in wye_publish.h and tested by tests/unit/test_publish_tsan.c.
 *
 * Held: what is flipped to is complete; what a reader reaches is never reclaimed; a reader that moves ends on the newest
 * region; a writer waits for no dead reader (no invalid end state).
 */
#ifndef CRASHES
#define CRASHES 2	/* of either side together */
#endif
#define REGIONS 3	/* generations 1 and 2 */
#ifndef CHANGES
#define CHANGES 2	/* a region */
#endif
#ifndef ROUNDS
#define ROUNDS 2	/* a reader looks at the tables so often, then goes */
#endif
#define OFFLINE 255

byte newest;			/* control.active: a generation, 0 = none yet */
bool complete[REGIONS];
byte word[REGIONS], epoch[REGIONS];
bool valid[REGIONS * 2];			/* record i of region g: g * 2 + i; false: reclaimed, perhaps in use for something else */

#define SLOTS 3			/* a dead reader's is freed by a writer only */
bool taken[SLOTS], alive[SLOTS];
byte generation[SLOTS], seen[SLOTS];	/* the epoch it passed a quiescent point in, or OFFLINE */

byte crashes;
bool kill_writer, kill_reader;

/* P4: every reader of region g has left what was retired under epoch e behind, or is dead. */
#define left(i, g, e) (!taken[i] || !alive[i] || generation[i] != g || seen[i] == OFFLINE || seen[i] > e)

/* ---- wye-ctld: a life after the other; a dead one's region stays for those who look at it ---- */

proctype writer()
{
	byte g, fresh, sealed, changes, i;

again:	{
		g = newest + 1;
		d_step { epoch[g] = 1; word[g] = 0; valid[g * 2] = true; valid[g * 2 + 1] = false };
		complete[g] = true;
		newest = g;		/* R1 */
		do
		:: changes < CHANGES ->
			changes++;
			fresh = 1 - word[g];
			valid[g * 2 + fresh] = true;
			word[g] = fresh;	/* P1 */
			sealed = epoch[g];
			epoch[g] = sealed + 1;	/* P3 */
			for (i : 0 .. SLOTS - 1) {
				left(i, g, sealed) -> if :: taken[i] && !alive[i] -> taken[i] = false :: else fi
			}
			valid[g * 2 + 1 - fresh] = false
		:: changes == CHANGES && g < REGIONS - 1 -> changes = 0; goto again	/* an orderly restart, or a larger region */
		:: changes == CHANGES -> break
		od;
end:		false
	} unless { kill_writer };
	kill_writer = false;
	changes = 0;
	if
	:: newest < REGIONS - 1 -> complete[newest + 1] = false; goto again	/* what it was building is nobody's */
	:: else
	fi
}

/* ---- wye-dpd: likewise; it looks at the tables, moves to a new region when there is one ---- */

proctype reader()
{
	byte me, g, stamp, i, rounds;

again:	{
		(newest);		/* C1 */
		do
		:: rounds < ROUNDS ->
			rounds++;
			if
			:: g != newest -> /* attach or move: generation and epoch, the fence, then the first load */
				g = newest;
				atomic { taken[me] = true; alive[me] = true; seen[me] = OFFLINE };
				generation[me] = g;
				stamp = epoch[g];
				seen[me] = stamp
			:: else -> /* a quiescent point */
				stamp = epoch[g];
				seen[me] = stamp
			fi;
			assert(complete[g]);
			i = word[g];		/* P2 */
			assert(valid[g * 2 + i])
		:: rounds == ROUNDS && g != newest -> rounds = 0
		:: rounds == ROUNDS && g == newest -> seen[me] = OFFLINE; break
		od;
end:		false
	} unless { kill_reader };
	kill_reader = false;
	alive[me] = false;
	me++;
	g = 0;
	rounds = 0;
	if :: me < SLOTS -> goto again :: else fi
}

/* SIGKILL, at any moment. */
proctype killer()
{
	do
	:: atomic { crashes < CRASHES && !kill_writer -> crashes++; kill_writer = true }
	:: atomic { crashes < CRASHES && !kill_reader -> crashes++; kill_reader = true }
	:: break
	od
}

init {
	atomic { run writer(); run reader(); run killer() }
}

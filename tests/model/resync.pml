/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How one channel gets and stays in sync (ctlplane/nl_sync.h), as a model for spin: a kernel with a few objects that
 * come and go while dumps run, notifications that overflow, dumps that break off, silent changes whose cause is told,
 * audits. Every order of these is tried.
 *
 * Each T(from, event, to) is a transition of nl_sync.c; tests/unit/test_nl_sync.c fails unless the code makes exactly the
 * ones that stand here. What is left out: contents of objects (there or not), back-off times, several classes.
 *
 * Held: nothing live is swept; no sweep but after a complete dump; in sync means alike, nothing dead survives; in sync for
 * good once changes and faults have ended (ltl, under weak fairness); an audit calls nothing drift that was told.
 */
#ifndef OBJECTS
#define OBJECTS 2
#endif
#ifndef CHANGES
#define CHANGES 3	/* of the kernel, told or silent */
#endif
#ifndef FAULTS
#define FAULTS 1	/* dumps interrupted or broken off, messages truncated */
#endif
#ifndef AUDITS
#define AUDITS 1
#endif
#define QUEUE 2		/* notifications the socket holds: more are an overrun */

#define CAUSE 254	/* notification: something happened that takes objects away unsaid */
#define DONE  255	/* end of a dump */
#define BROKEN 253	/* NLM_F_DUMP_INTR, an error, or a part that was lost */

mtype = { SYNC_SUBSCRIBE, SYNC_DUMP, SYNC_REPLAY, SYNC_SWEEP, SYNC_IN_SYNC, SYNC_RESYNC };
mtype state = SYNC_SUBSCRIBE;
#define T(from, event, to) atomic { assert(state == from); state = to }

/* The kernel. */
bool kernel[OBJECTS];
bool rtnl;		/* held by who changes something silently */
byte busy = 255;	/* object changed and not yet told of; RCU readers see it already */
byte changes, faults;
chan events = [QUEUE] of { byte, bool };
byte told[OBJECTS];	/* notifications of it under way */
bool overrun;
chan dump = [1] of { byte };
bool asked;
byte cursor;
bool changing = true;	/* the kernel has not ended its changes */

/* The mirror. */
bool mirror[OBJECTS], seen[OBJECTS], touched[OBJECTS], suspect[OBJECTS];
bool was_live[OBJECTS];	/* when the socket was drained before the sweep */
byte jobs = 1;		/* 1: the present, or next, one; 2: one more that waits */
bool complete;		/* the present dump was */
byte audit;		/* 0 none, 1 look, 2 heal */
byte looks;		/* audits begun: each is two looks */
bool whole = true;	/* the present, or next, job is not one that a cause asked for */
bool fenced;		/* it has waited for the lock, to be found moot */
bool disturbed;		/* an ordinary job was added since the second look began */
byte at;

#if OBJECTS > 2
#error all objects
#endif
#define moot	(!whole && !audit && !mirror[0] && !mirror[OBJECTS - 1])
#define idle	(state == SYNC_IN_SYNC || state == SYNC_RESYNC)
#define quiet	(empty(events) && !overrun && !rtnl && busy == 255)
#define in_sync (state == SYNC_IN_SYNC && jobs == 0 && quiet)

/* ---- the kernel ---- */

inline tell(o, live)
{
	if
	:: nfull(events) -> events!o, live; if :: o < OBJECTS -> told[o]++ :: else fi
	:: full(events) -> overrun = true
	fi
}

proctype kernel_changes()
{
	byte o;

	do
	:: changes < CHANGES ->
		changes++;
		select(o : 0 .. OBJECTS - 1);
		if
		:: atomic { kernel[o] = !kernel[o]; busy = o };
			atomic { tell(o, kernel[o]); busy = 255 }
		:: kernel[o] -> /* silently: the cause is told before it is done, both under the lock */
			rtnl = true;
			atomic { tell(CAUSE, false) };
			kernel[o] = false;
			rtnl = false
		fi
	:: break
	od;
	changing = false
}

/* A dump goes through the objects, filling the next part when the one before was taken. */
proctype kernel_dumps()
{
end:	do
	:: atomic { asked && nfull(dump) && cursor < OBJECTS ->
		if :: kernel[cursor] -> dump!cursor :: else fi;
		cursor++ }
	:: atomic { asked && nfull(dump) && cursor == OBJECTS -> dump!DONE; asked = false }
	:: atomic { asked && nfull(dump) && faults < FAULTS -> faults++; dump!BROKEN; asked = false }
	:: atomic { asked && faults < FAULTS -> faults++; asked = false /* and its end never comes */ }
	od
}

/* ---- wye-ctld ---- */

inline give_way()
{
	if
	:: audit && state == SYNC_DUMP -> T(SYNC_DUMP, give_way, SYNC_IN_SYNC)
	:: audit && state == SYNC_REPLAY -> T(SYNC_REPLAY, give_way, SYNC_IN_SYNC)
	:: audit && state == SYNC_RESYNC -> T(SYNC_RESYNC, give_way, SYNC_IN_SYNC)
	:: else
	fi;
	if
	:: audit && state != SYNC_SWEEP -> jobs = 0; audit = 0
	:: else
	fi
}

inline begin(all)
{
	jobs = 1;
	whole = all;
	fenced = false
}

/* A job that a cause asks for; one that waits already covers it. */
inline add_job()
{
	disturbed = true;
	give_way();
	if
	:: jobs == 0 -> begin(false)
	:: jobs == 1 -> jobs++
	:: else
	fi
}

inline lost()
{
	if
	:: state == SYNC_SUBSCRIBE -> T(SYNC_SUBSCRIBE, lost, SYNC_RESYNC)
	:: state == SYNC_DUMP -> T(SYNC_DUMP, lost, SYNC_RESYNC)
	:: state == SYNC_REPLAY -> T(SYNC_REPLAY, lost, SYNC_RESYNC)
	:: state == SYNC_SWEEP -> T(SYNC_SWEEP, lost, SYNC_RESYNC)
	:: state == SYNC_IN_SYNC -> T(SYNC_IN_SYNC, lost, SYNC_RESYNC)
	:: state == SYNC_RESYNC
	fi;
	disturbed = true;
	audit = 0;
	begin(true)
}

inline apply_event()
{
	events?o, live;
	if
	:: o == CAUSE -> add_job()
	:: else ->
		told[o]--;
		mirror[o] = live;
		seen[o] = true;
		if :: state == SYNC_DUMP -> touched[o] = true :: else fi
	fi
}

inline ask()
{
	for (o : 0 .. OBJECTS - 1) { seen[o] = false; touched[o] = false }
	complete = false;
	fenced = false;
	do :: dump?_ :: empty(dump) -> break od;
	cursor = 0;
	asked = true
}

/* True: the model is to be changed. */
#define audited(o) (audit != 1)

inline differs(o)
{
	if
	:: audit == 1 -> suspect[o] = true
	:: audit == 2 && suspect[o] && !disturbed -> assert(false) /* drift, though all was told */
	:: else
	fi
}

inline apply_dumped(o)
{
	if
	:: touched[o] || mirror[o] -> skip
	:: else -> differs(o); if :: audited(o) -> mirror[o] = true :: else fi
	fi;
	seen[o] = true
}

inline dump_part()
{
	dump?o;
	if
	:: o == DONE -> complete = true; T(SYNC_DUMP, complete, SYNC_REPLAY)
	:: o == BROKEN -> T(SYNC_DUMP, broken, SYNC_RESYNC)
	:: else -> apply_dumped(o)
	fi
}

inline sweep_one()
{
	assert(complete);
	if
	:: mirror[at] && !seen[at] ->
		differs(at);
		if
		:: audited(at) ->
			assert(!kernel[at] || !was_live[at] || overrun);
			mirror[at] = false
		:: else
		fi
	:: else
	fi;
	at++
}

inline next_job()
{
	jobs--;
	whole = false;
	fenced = false;
	if
	:: audit == 1 -> audit = 0; looks++	/* half of one: the second look is asked for below */
	:: audit == 2 -> audit = 0; looks++; for (o : 0 .. OBJECTS - 1) { suspect[o] = false }
	:: else
	fi
}

proctype ctld()
{
	byte o;
	bool live;

end:	do
	:: atomic { nempty(events) -> apply_event() }
	:: atomic { overrun -> overrun = false; lost() }
	:: atomic { nempty(events) && faults < FAULTS -> /* one came cut off */
		faults++; events?o, live; if :: o < OBJECTS -> told[o]-- :: else fi; lost() }
	:: atomic { jobs && empty(events) && !overrun &&
		    (state == SYNC_SUBSCRIBE || state == SYNC_IN_SYNC || state == SYNC_RESYNC) -> skip };
		/* The socket is empty, but the kernel goes on before the request gets there; the fence waits for the lock. */
		atomic { !rtnl ->
			if
			:: state == SYNC_SUBSCRIBE -> T(SYNC_SUBSCRIBE, ask, SYNC_DUMP); ask()
			:: state == SYNC_IN_SYNC -> T(SYNC_IN_SYNC, ask, SYNC_DUMP); ask()
			:: state == SYNC_RESYNC -> T(SYNC_RESYNC, ask, SYNC_DUMP); ask()
			:: faults < FAULTS && state == SYNC_SUBSCRIBE -> faults++; T(SYNC_SUBSCRIBE, refused, SYNC_RESYNC)
			:: faults < FAULTS && state == SYNC_IN_SYNC -> faults++; T(SYNC_IN_SYNC, refused, SYNC_RESYNC)
			fi }
	/* Nothing that a cause could have taken is known, after all that was told before the lock was had. */
	:: atomic { jobs && idle && moot && empty(events) && !overrun && !rtnl && !fenced -> fenced = true }
	:: atomic { state == SYNC_RESYNC && jobs && moot && fenced && empty(events) && !overrun ->
		T(SYNC_RESYNC, moot, SYNC_IN_SYNC); next_job() }
	:: atomic { state == SYNC_IN_SYNC && jobs && moot && fenced && empty(events) && !overrun -> next_job() }
	/* The end of the dump is lost: after a while it is asked for anew. */
	:: atomic { state == SYNC_DUMP && !asked && empty(dump) -> T(SYNC_DUMP, silence, SYNC_RESYNC) }
	/* An audit compares only what was filled before the notifications were drained. */
	:: atomic { state == SYNC_DUMP && nempty(dump) && (!audit || (empty(events) && busy == 255 && !rtnl)) ->
		dump_part() }
	:: atomic { state == SYNC_REPLAY && empty(events) && !overrun ->
		T(SYNC_REPLAY, drained, SYNC_SWEEP);
		at = 0;
		for (o : 0 .. OBJECTS - 1) { was_live[o] = kernel[o] && busy != o } }
	:: atomic { state == SYNC_SWEEP && at < OBJECTS -> sweep_one() }
	:: atomic { state == SYNC_SWEEP && at == OBJECTS -> T(SYNC_SWEEP, swept, SYNC_IN_SYNC); next_job() }
	/* The dump does not convince (IPv6, equals touched meanwhile). */
	:: atomic { state == SYNC_SWEEP && at == OBJECTS && faults < FAULTS && audit != 1 ->
		faults++; T(SYNC_SWEEP, again, SYNC_RESYNC) }
	:: atomic { state == SYNC_RESYNC && !jobs -> T(SYNC_RESYNC, idle, SYNC_IN_SYNC) }
	/* Once a run, when all is quiet; a second later, quiet again, for the second time. */
	:: atomic { AUDITS && in_sync && looks == 0 && changing -> audit = 1; begin(true) }
	:: atomic { in_sync && looks == 1 -> audit = 2; begin(true); disturbed = false }
	od
}

/* At any moment. */
proctype judge()
{
	byte o;

	atomic { in_sync && audit == 0 ->
		for (o : 0 .. OBJECTS - 1) { assert(mirror[o] == kernel[o]) } }
}

init {
	atomic {
		if :: kernel[0] = true :: skip fi;
		run kernel_changes();
		run kernel_dumps();
		run ctld();
		run judge()
	}
}

ltl settles { <>[] (state == SYNC_IN_SYNC && jobs == 0) }

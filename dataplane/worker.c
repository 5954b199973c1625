/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop: pre-input nodes (the plan: adopt it if it is new, pass the quiescent point), the graph (inputs first, then the
 * nodes that have packets), then decide whether to rest.
 *
 * Resting, `workers.idle`: poll never does. adaptive spins for IDLE_SPIN_US after the last packet, because a sleep and a
 * wake-up cost some 5 µs and a burst often has a second one behind it; then waits in epoll (wait.h), where all the worker's
 * queues have something that tells of packets, so that an idle worker costs nothing and no packet waits for a timer;
 * else in naps of IDLE_NAP_US, which with the timer's slack and the way back to the CPU last some 160: at the 14.9 Mpps of
 * 10 Gbit/s a queue of 2,048 is full after 138, at 8 Mpps after 256, so there is no room for longer ones. While it rests
 * it is an offline reader, and says so to the watchdog, which then looks whether something waits for it.
 *
 * A spin is in vain when what would bring the packet waits for this very CPU: a NAPI thread, the sender. After one in vain
 * the worker sleeps at once, the next time or, when that goes on, the next IDLE_SKIPS_MAX times, until a spin pays or the
 * packets have paused. Not where it could only nap.
 */
#include <errno.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_graph_worker.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "dpd.h"
#include "log.h"
#include "runtime/init.h"
#include "wye_publish.h"

#define IDLE_SPIN_US 50
#define IDLE_SKIPS_MAX 63u
#define IDLE_PAUSE_US 1000
#define IDLE_NAP_US 100
#define IDLE_WAIT_MS 1000	/* whatever a driver may have forgotten to tell */
#define COUNT_EVERY_US 1000	/* node counters are copied this often */

struct idle {		/* of one worker, on its stack */
	uint64_t spin_tsc, pause_tsc, count_tsc;	/* the constants above in TSC ticks */
	uint64_t last_rx_tsc, last_count_tsc;
	uint64_t last_tsc;		/* end of the last loop: reading the TSC costs as much as forwarding a packet */
	uint64_t received;		/* as of the last loop */
	bool spinning;
	uint32_t skips;			/* rests to come without a spin before them */
	uint32_t vain;			/* as many as there were after the last one in vain */
};

static struct graph_worker *own_graph(struct worker *worker)
{
	const struct graph_set *graphs = worker->plan ? worker->plan->graphs : NULL;

	return graphs && worker->index < graphs->n_workers ? (struct graph_worker *)&graphs->worker[worker->index] : NULL;
}

/* Between two walks: nothing of the old plan is in use any more. */
static void adopt(struct worker *worker, const struct plan *plan)
{
	struct wye_reader_slot *slot = plan ? plan->slot[worker->index] : NULL;
	struct wye_reader_slot *old = worker->plan ? worker->plan->slot[worker->index] : NULL;
	struct graph_worker *graph = own_graph(worker);

	if (graph) {
		wait_disarm(&graph->wait);
		graph_count(graph);
	}
	if (old)
		wye_reader_offline(old);
	worker->plan = plan;
	atomic_store_explicit(&worker->ports_down, 0, memory_order_relaxed);
	if (slot) {
		wye_reader_offline(slot);
		atomic_store_explicit(&slot->generation, plan->generation, memory_order_release);
		if (plan->region)
			wye_reader_online(slot, &plan->region->epoch);
	}
	atomic_store_explicit(&worker->stats->generation, plan ? plan->generation : 0, memory_order_relaxed);
	trace_adopt(worker, own_graph(worker));
	atomic_store_explicit(&worker->adopted, plan, memory_order_release); /* W3 */
}

/* ---- pre-input nodes ---------------------------------------------------------------------------------------------- */

static void run_plan(struct worker *worker)
{
	const struct plan *plan = atomic_load_explicit(&worker->dpd->plan, memory_order_acquire); /* W2 */

	if (plan != worker->plan)
		adopt(worker, plan);
	if (plan && plan->region && plan->slot[worker->index])
		wye_reader_quiescent(plan->slot[worker->index], &plan->region->epoch);
}

static struct pre_input {	/* plugins'; constant while workers run */
	const char *name;
	void (*run)(struct worker *worker);
} pre_inputs[WORKER_PRE_INPUTS_MAX];
static uint32_t n_pre_inputs;

int worker_pre_input(const char *name, void (*run)(struct worker *worker))
{
	if (n_pre_inputs == WORKER_PRE_INPUTS_MAX)
		return -ENOSPC;
	pre_inputs[n_pre_inputs++] = (struct pre_input){ name, run };
	return 0;
}

static void run_pre_inputs(struct worker *worker)
{
	run_plan(worker);
	for (uint32_t i = 0; i < n_pre_inputs; i++)
		pre_inputs[i].run(worker);
}

void worker_show_pre_inputs(struct dpd *dpd)
{
	stats_pre_input(dpd, 0, "plan");
	for (uint32_t i = 0; i < n_pre_inputs; i++)
		stats_pre_input(dpd, i + 1, pre_inputs[i].name);
}

/* ---- resting ------------------------------------------------------------------------------------------------------ */

static void wait_for_work(struct worker *worker, struct graph_worker *graph)
{
	struct timespec nap = { .tv_nsec = IDLE_NAP_US * 1000 };
	uint64_t drained;

	if (!graph || !wait_possible(&graph->wait)) {
		if (graph)
			wait_disarm(&graph->wait);
		nanosleep(&nap, NULL);
		return;
	}
	atomic_store_explicit(&worker->asleep, true, memory_order_relaxed);
	wait_sleep(&graph->wait, IDLE_WAIT_MS);
	atomic_store_explicit(&worker->asleep, false, memory_order_relaxed); /* before any queue is looked into */
	(void)!read(worker->wake_fd, &drained, sizeof(drained));
}

static bool may_spin(struct worker *worker, const struct graph_worker *graph, const struct idle *idle)
{
	bool is_woken = graph && wait_possible(&graph->wait);

	if (!atomic_load_explicit(&worker->adaptive, memory_order_relaxed))
		return true;
	return idle->last_tsc - idle->last_rx_tsc <= idle->spin_tsc && !(is_woken && idle->skips);
}

static void spin_paid(struct idle *idle)
{
	idle->spinning = false;
	idle->skips = idle->vain = 0;
}

static void spin_in_vain(struct idle *idle)
{
	idle->spinning = false;
	idle->vain = RTE_MIN(2 * idle->vain + 1, IDLE_SKIPS_MAX);
	idle->skips = idle->vain;
}

static void rest(struct worker *worker, struct graph_worker *graph, struct idle *idle)
{
	const struct plan *plan = worker->plan;
	struct wye_reader_slot *slot = plan ? plan->slot[worker->index] : NULL;
	uint64_t began = idle->last_tsc;

	if (idle->spinning)
		spin_in_vain(idle);
	else if (idle->skips)
		idle->skips--;
	if (graph)
		graph_count(graph);
	count_add(&worker->stats->sleeps, 1);
	if (slot)
		wye_reader_offline(slot);
	wait_for_work(worker, graph);
	if (slot && plan->region)
		wye_reader_online(slot, &plan->region->epoch);
	idle->last_count_tsc = idle->last_tsc = rte_rdtsc();
	if (idle->last_tsc - began > idle->pause_tsc)
		idle->skips = idle->vain = 0;
}

/* With interrupts it looks into its queues once more before it rests (I2 in wait.h). */
static void settle(struct worker *worker, struct graph_worker *graph, struct idle *idle)
{
	if (!graph || !wait_arm(&graph->wait))
		rest(worker, graph, idle);
}

static void found_some(struct wait *wait)
{
	if (wait->timed_out)
		wait_untold(wait);
	wait_disarm(wait);
}

/*
 * The plan holds for stale_after_s from when main last looked. A process that was stopped (SIGSTOP, a frozen cgroup) wakes up
 * with what lay in its queues, and tables that may have been replaced meanwhile.
 * Relaxed is enough: main stores the time when all workers have adopted what it found (W4), so who still goes by an older
 * plan, and loaded the time before it released W3, has not seen it.
 */
static bool outdated(const struct worker *worker, uint64_t now)
{
	return (int64_t)(now - atomic_load_explicit(&worker->dpd->plan_until_tsc, memory_order_relaxed)) > 0;
}

/* ---- the loop ----------------------------------------------------------------------------------------------------- */

/*
 * As rte_graph_walk(), but the end of one node is the beginning of the next: reading the TSC costs as much as forwarding a
 * packet. What the loop does besides counts as the first node's. Returns the end of the last.
 */
static uint64_t walk(struct rte_graph *graph, uint64_t began)
{
	const rte_graph_off_t *ring = graph->cir_start;
	uint32_t head = graph->head; /* negative, as sources come before the ring */

	while (likely(head != graph->tail)) {
		struct rte_node *node = RTE_PTR_ADD(graph, ring[(int32_t)head++]);
		uint16_t n;
		uint64_t now;

		rte_prefetch0(node->objs);
		n = node->process(graph, node, node->objs, node->idx);
		now = rte_rdtsc();
		node->total_cycles += now - began;
		node->total_calls++;
		node->total_objs += n;
		node->idx = 0;
		began = now;
		head = likely((int32_t)head > 0) ? head & graph->cir_mask : head;
	}
	graph->tail = 0;
	return began;
}

/* now: the end of the walk. */
static void after_walk(struct worker *worker, struct graph_worker *graph, struct idle *idle, uint64_t now)
{
	uint64_t took = now - idle->last_tsc;

	count_add(&worker->stats->loops, 1);
	idle->last_tsc = now;
	count_add(&worker->stats->cycles_total, took);
	if (worker->received != idle->received) {
		idle->received = worker->received;
		idle->last_rx_tsc = now;
		if (idle->spinning)
			spin_paid(idle);
		if (graph)
			found_some(&graph->wait);
		count_add(&worker->stats->cycles_busy, took);
	} else {
		count_add(&worker->stats->empty_loops, 1);
		if (!may_spin(worker, graph, idle)) {
			settle(worker, graph, idle);
			return;
		}
		if (graph)
			wait_disarm(&graph->wait); /* it has just been told to poll */
		idle->spinning = true;
		rte_pause();
	}
	if (graph && now - idle->last_count_tsc > idle->count_tsc) {
		idle->last_count_tsc = now;
		graph_count(graph);
	}
}

static void __attribute__((format(printf, 1, 0))) name_thread(const char *format, uint32_t index)
{
	char name[16];

	snprintf(name, sizeof(name), format, index);
	pthread_setname_np(pthread_self(), name);
}

int worker_schedule(struct worker *worker, uint32_t priority)
{
	struct sched_param param = { .sched_priority = (int)priority };

	return sched_setscheduler((pid_t)worker->stats->tid, priority ? SCHED_FIFO : SCHED_OTHER, &param) ? -errno : 0;
}

int worker_main(void *arg)
{
	struct worker *worker = arg;
	uint64_t hz = rte_get_tsc_hz();
	struct idle idle = {
		.spin_tsc = hz / 1000000 * IDLE_SPIN_US,
		.pause_tsc = hz / 1000000 * IDLE_PAUSE_US,
		.count_tsc = hz / 1000000 * COUNT_EVERY_US,
		.last_tsc = rte_rdtsc(),
	};

	name_thread("wye-worker-%u", worker->index);
	worker->stats->tid = (uint32_t)gettid();
	if (worker->priority)
		(void)worker_schedule(worker, worker->priority); /* workers_check() has tried it */
	while (!atomic_load_explicit(&worker->stop, memory_order_relaxed)) {
		struct graph_worker *graph;

		run_pre_inputs(worker);
		worker->outdated = outdated(worker, idle.last_tsc);
		graph = own_graph(worker);
		after_walk(worker, graph, &idle, graph && graph->graph ? walk(graph->graph, idle.last_tsc) : rte_rdtsc());
	}
	adopt(worker, NULL);
	(void)worker_schedule(worker, 0);
	name_thread("wye-spare-%u", worker->index);
	return 0;
}

void worker_wake(struct worker *worker)
{
	uint64_t one = 1;

	if (worker->wake_fd > 0)
		(void)!write(worker->wake_fd, &one, sizeof(one));
}

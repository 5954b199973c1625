/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The workers' half of traces, in front of nodes that are not wye's: a source, a node with two edges to the same node, and
 * one where packets leave. Who is traced and told of, that others are let alone, and that nothing stands in a node's way when
 * nobody wants a trace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring.h>
#include <stdlib.h>
#include <string.h>

#include "dpd.h"
#include "runtime/process.h"

#define PACKETS 8u
#define NOTES	64u	/* room for one less */

enum { SOURCE, BOTH, LAST, NODES };

static struct {
	struct dpd dpd;
	struct worker worker;
	struct graph_worker graph;
	struct plan *plan;
	struct rte_node *node[NODES];
	struct rte_mbuf packet[PACKETS], *stream[NODES][PACKETS];
	uint32_t vector[4 * PACKETS], n_vectors;	/* sizes of what the last node was called with */
} world;

/* DPDK's wants its environment. The mark lies where no other field is registered. */
int rte_mbuf_dynfield_register(const struct rte_mbuf_dynfield *field)
{
	assert_true(field->size <= sizeof(((struct rte_mbuf *)0)->dynfield1));
	return offsetof(struct rte_mbuf, dynfield1);
}

void process_wake(void)
{
}

/* ---- nodes -------------------------------------------------------------------------------------------------------- */

static void give(struct rte_node *node, rte_edge_t edge, void *packet)
{
	struct rte_node *to = node->nodes[edge];

	to->objs[to->idx++] = packet;
}

static uint16_t take_in(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	for (uint32_t i = 0; i < PACKETS; i++)
		give(node, 0, &world.packet[i]);
	return PACKETS;
}

static uint16_t either_way(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	for (uint32_t i = 0; i < n; i++)
		give(node, i & 1, objs[i]);
	return n;
}

/* A mark must be off: the buffer is somebody else's next. */
static uint16_t let_go(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	world.vector[world.n_vectors++] = n;
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(((struct rte_mbuf *)objs[i])->dynfield1[0], 0);
	return n;
}

static const rte_node_process_t own[NODES] = { take_in, either_way, let_go };

static struct rte_node *make_node(uint32_t index, uint32_t n_edges)
{
	struct rte_node *node = calloc(1, sizeof(*node) + 2 * sizeof(node->nodes[0]));

	assert_non_null(node);
	node->nb_edges = (rte_edge_t)n_edges;
	node->process = own[index];
	node->objs = (void **)world.stream[index];
	world.graph.node[index] = (struct graph_node){ .node = node, .process = own[index], .index = (uint16_t)index,
						       .is_port_rx = index == SOURCE };
	return world.node[index] = node;
}

static int setup(void **state)
{
	memset(&world, 0, sizeof(world));
	make_node(SOURCE, 1)->nodes[0] = make_node(BOTH, 2);
	world.node[BOTH]->nodes[0] = world.node[BOTH]->nodes[1] = make_node(LAST, 0);
	world.graph.n_nodes = NODES;
	world.plan = calloc(1, sizeof(*world.plan));
	assert_non_null(world.plan);
	world.worker.plan = world.plan;
	world.worker.dpd = &world.dpd;
	assert_int_equal(exchange_open(&world.dpd.trace.exchange, NOTES, sizeof(struct trace_note)), 0);
	return trace_mark_open();
}

static int teardown(void **state)
{
	exchange_close(&world.dpd.trace.exchange);
	for (uint32_t i = 0; i < NODES; i++)
		free(world.node[i]);
	free(world.plan);
	return 0;
}

/* Wants that many packets of queue 0 of port 0. */
static void want(uint32_t n)
{
	world.dpd.trace.input[0] = (struct trace_input){ .queue = -1, .wanted = n };
	world.plan->trace = &world.dpd.trace;
	world.plan->n_trace_inputs = 1;
	trace_adopt(&world.worker, &world.graph);
}

static void walk(void)
{
	for (uint32_t i = 0; i < NODES; i++) {
		struct rte_node *node = world.node[i];

		(void)node->process(NULL, node, node->objs, node->idx);
		node->idx = 0;
	}
}

static uint32_t n_notes(void)
{
	return rte_ring_count(world.dpd.trace.exchange.full);
}

static struct trace_note next_note(void)
{
	struct trace_note *note = NULL, copy;

	assert_int_equal(rte_ring_dequeue(world.dpd.trace.exchange.full, (void **)&note), 0);
	copy = *note;
	assert_int_equal(rte_ring_enqueue(world.dpd.trace.exchange.empty, note), 0);
	return copy;
}

/* ---- tests -------------------------------------------------------------------------------------------------------- */

static void nodes_are_entered_directly(void)
{
	for (uint32_t i = 0; i < NODES; i++)
		assert_ptr_equal(world.node[i]->process, own[i]);
}

/* What an untraced packet pays: nothing. */
static void nothing_in_the_way(void **state)
{
	trace_adopt(&world.worker, &world.graph);
	nodes_are_entered_directly();
	want(1);
	for (uint32_t i = 0; i < NODES; i++)
		assert_ptr_not_equal(world.node[i]->process, own[i]);
	world.plan->trace = NULL;
	trace_adopt(&world.worker, &world.graph);
	nodes_are_entered_directly();
	want(1);
	world.worker.plan = NULL; /* the worker ends */
	trace_adopt(&world.worker, &world.graph);
	nodes_are_entered_directly();
}

/* Two of eight, each once in each node, though two edges lead to the last. */
static void as_many_as_wanted(void **state)
{
	uint32_t steps[3][NODES] = { 0 };

	for (uint32_t i = 0; i < PACKETS; i++)
		world.packet[i].dynfield1[0] = 77; /* what another left there */
	want(2);
	walk();
	walk();
	assert_int_equal(n_notes(), 2 * NODES);
	while (n_notes()) {
		struct trace_note note = next_note();

		assert_in_range(note.packet, 1, 2);
		assert_int_equal(note.next, note.node == LAST ? WYE_NODES_MAX : note.node + 1u);
		assert_int_equal(note.time_ns != 0, note.node == SOURCE);
		steps[note.packet][note.node]++;
	}
	for (uint32_t i = 0; i < NODES; i++)
		assert_true(steps[1][i] == 1 && steps[2][i] == 1);
	assert_int_equal(atomic_load(&world.dpd.trace.lost), 0);
}

/* Where packets leave, a traced one goes alone; the others stay together. */
static void alone_at_the_end(void **state)
{
	want(1);
	walk();
	assert_int_equal(world.n_vectors, 2);
	assert_int_equal(world.vector[0] + world.vector[1], PACKETS);
	assert_int_equal(world.vector[0], 1);
}

static void other_inputs(void **state)
{
	want(5);
	world.dpd.trace.input[0].port = 1;
	walk();
	world.dpd.trace.input[0].port = 0;
	world.dpd.trace.input[0].queue = 1;
	walk();
	assert_int_equal(n_notes(), 0);
	assert_int_equal(atomic_load(&world.dpd.trace.input[0].taken), 0);
	world.dpd.trace.input[0].queue = 0;
	walk();
	assert_int_equal(atomic_load(&world.dpd.trace.input[0].taken), 5);
}

/* Nobody waits for main: what there is no buffer for is counted. */
static void no_buffers_left(void **state)
{
	want(1000);
	for (int i = 0; i < 4; i++)
		walk();
	assert_int_equal(n_notes(), NOTES - 1);
	assert_int_equal(atomic_load(&world.dpd.trace.lost), 4 * PACKETS * NODES - (NOTES - 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_in_the_way), TEST(as_many_as_wanted), TEST(alone_at_the_end), TEST(other_inputs), TEST(no_buffers_left),
	};

	return cmocka_run_group_tests_name("trace_walk", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces, main's half: requests, the file, words. "Ordering guarantees" of the file stand in wye_trace.h. */
#include <errno.h>
#include <fcntl.h>
#include <rte_cycles.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dpd.h"
#include "request.h"
#include "runtime/init.h"
#include "runtime/process.h"
#include "wye_map.h"

#define NOTES  1024u	/* buffers: of two workers' bursts, until main wakes */
#define BUDGET 256u	/* notes in one go */

/* ---- the file ----------------------------------------------------------------------------------------------------- */

static void path_of(const struct dpd *dpd, char *path, size_t size, const char *suffix)
{
	snprintf(path, size, "%s/%s%s", dpd->options.run_dir, WYE_FILE_TRACE, suffix);
}

static void fill_head(struct wye_trace *file)
{
	file->file = (struct wye_file){
		.magic = WYE_MAGIC,
		.abi_version = WYE_ABI_VERSION,
		.kind = WYE_KIND_TRACE,
		.layout_hash = WYE_LAYOUT_HASH,
		.size_bytes = sizeof(*file),
		.writer_pid = (uint32_t)getpid(),
		.writer_start = wye_process_start(getpid()),
	};
	file->tsc_hz = rte_get_tsc_hz();
}

/* Its memory is all there before it is used: a full filesystem is an error here and no SIGBUS later. */
static int make_file(struct trace *trace, const char *fresh, const char *path)
{
	int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), error;
	void *file;

	if (fd < 0)
		return -errno;
	error = -posix_fallocate(fd, 0, sizeof(struct wye_trace));
	file = error ? MAP_FAILED : mmap(NULL, sizeof(struct wye_trace), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!error && file == MAP_FAILED)
		error = -errno;
	close(fd);
	if (error)
		return error;
	fill_head(file);
	if (rename(fresh, path) < 0) {
		error = -errno;
		munmap(file, sizeof(struct wye_trace));
		return error;
	}
	trace->file = file;
	return 0;
}

static int open_file(struct dpd *dpd)
{
	char fresh[512], path[512];
	int error;

	if (dpd->trace.file)
		return 0;
	path_of(dpd, fresh, sizeof(fresh), ".new");
	path_of(dpd, path, sizeof(path), "");
	unlink(fresh);
	error = make_file(&dpd->trace, fresh, path);
	if (error)
		unlink(fresh);
	return error;
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

static void name_node(const struct dpd *dpd, char name[32], uint16_t node)
{
	if (node < WYE_NODES_MAX)
		snprintf(name, 32, "%s", dpd->stats->node[node]);
}

static void write_step(struct dpd *dpd, const struct trace_note *note, struct wye_trace_step *step)
{
	struct trace_fields fields = { 0 };

	if (note->trace)
		note->trace->tell(dpd, note->note, &fields);
	*step = (struct wye_trace_step){ .tsc = note->tsc, .time_ns = note->time_ns, .packet = note->packet,
					 .input = note->input, .worker = note->worker, .n_fields = fields.n };
	memcpy(step->field, fields.field, fields.n * sizeof(fields.field[0]));
	name_node(dpd, step->node, note->node);
	name_node(dpd, step->next, note->next);
}

static void write_note(struct dpd *dpd, const struct trace_note *note)
{
	struct wye_trace *file = dpd->trace.file;
	uint32_t n = atomic_load_explicit(&file->n_steps, memory_order_relaxed);

	if (n == WYE_TRACE_STEPS) {
		atomic_fetch_add_explicit(&dpd->trace.lost, 1, memory_order_relaxed);
		return;
	}
	write_step(dpd, note, &file->step[n]);
	if (note->time_ns)
		atomic_fetch_add_explicit(&file->input[note->input].taken, 1, memory_order_relaxed);
	atomic_store_explicit(&file->n_steps, n + 1, memory_order_release); /* T1 */
}

static void write_notes(struct dpd *dpd)
{
	struct trace *trace = &dpd->trace;
	struct trace_note *note;

	if (!trace->file)
		return;
	for (uint32_t i = 0; i < BUDGET && !rte_ring_dequeue(trace->exchange.full, (void **)&note); i++) {
		write_note(dpd, note);
		rte_ring_enqueue(trace->exchange.empty, note);
	}
	atomic_store_explicit(&trace->file->lost, atomic_load_explicit(&trace->lost, memory_order_relaxed),
			      memory_order_relaxed);
}

/* ---- requests ----------------------------------------------------------------------------------------------------- */

bool trace_busy(const struct dpd *dpd)
{
	return dpd->trace.asked;
}

static bool understood(const struct wye_trace_request *request, ssize_t bytes)
{
	if (bytes < (ssize_t)WYE_TRACE_REQUEST_BYTES(0) || request->version != WYE_TRACE_VERSION ||
	    request->n_instructions > WYE_CAPTURE_INSTRUCTIONS ||
	    bytes != (ssize_t)WYE_TRACE_REQUEST_BYTES(request->n_instructions))
		return false;
	if (request->command == WYE_TRACE_CLEAR)
		return true;
	return request->command == WYE_TRACE_ADD && request->packets >= 1 && request->packets <= WYE_TRACE_PACKETS_MAX &&
	       request->queue >= -1;
}

/* What the input wants, without room for it yet. 0, or an errno with why. */
static int make_input(const struct dpd *dpd, struct wye_trace_request *request, struct trace_input *input, char *why,
		      size_t size)
{
	int port;

	request->netdev[sizeof(request->netdev) - 1] = '\0';
	request->filter_text[sizeof(request->filter_text) - 1] = '\0';
	port = request_port(dpd, request->netdev);
	if (port < 0) {
		snprintf(why, size, "\"%s\" is not a port of wye-dpd (wye show port)", request->netdev);
		return ENODEV;
	}
	if (request->queue >= 0 && (uint32_t)request->queue >= dpd->port[port].n_queues) {
		snprintf(why, size, "\"%s\" has %u queues (wye show port)", request->netdev, dpd->port[port].n_queues);
		return ENODEV;
	}
	*input = (struct trace_input){ .port = (uint32_t)port, .queue = request->queue, .wanted = request->packets };
	if (!request->n_instructions)
		return 0;
	input->filter = request_filter(request->filter, request->n_instructions);
	if (input->filter)
		return 0;
	snprintf(why, size, "the filter is no BPF program that is sure to end (one with protochain is not)");
	return EINVAL;
}

/* Room in the file and for the workers' notes. 0, or an errno with why. */
static int make_room(struct dpd *dpd, char *why, size_t size)
{
	struct trace *trace = &dpd->trace;
	int error;

	if (trace->n_inputs == WYE_TRACE_INPUTS) {
		snprintf(why, size, "%u inputs have been asked for, no more can be kept; wye trace clear", WYE_TRACE_INPUTS);
		return EBUSY;
	}
	error = open_file(dpd);
	if (!error && !trace->exchange.buffers)
		error = exchange_open(&trace->exchange, NOTES, sizeof(struct trace_note));
	if (error)
		snprintf(why, size, "%s/%s, %zu bytes: %s", dpd->options.run_dir, WYE_FILE_TRACE, sizeof(struct wye_trace),
			 strerror(-error));
	return -error;
}

static void add_input(struct trace *trace, const struct wye_trace_request *request, const struct trace_input *input)
{
	struct wye_trace_input *told = &trace->file->input[trace->n_inputs];

	*told = (struct wye_trace_input){ .queue = input->queue, .wanted = input->wanted };
	memcpy(told->netdev, request->netdev, sizeof(told->netdev));
	memcpy(told->filter, request->filter_text, sizeof(told->filter));
	trace->input[trace->n_inputs++] = *input;
	atomic_store_explicit(&trace->file->n_inputs, trace->n_inputs, memory_order_release); /* T3 */
}

static int add(struct dpd *dpd, struct wye_trace_request *request, char *why, size_t size)
{
	struct trace_input input = { 0 };
	int error = make_input(dpd, request, &input, why, size);

	error = error ? error : make_room(dpd, why, size);
	if (error)
		free(input.filter);
	else
		add_input(&dpd->trace, request, &input);
	return error;
}

void trace_asked(struct dpd *dpd, int fd, struct wye_trace_request *request, ssize_t bytes)
{
	char why[sizeof(((struct wye_capture_answer *)0)->why)] =
		"the request is not understood; wye and wye-dpd must be of one version";
	int error = EPROTO;

	if (understood(request, bytes)) {
		error = request->command == WYE_TRACE_ADD ? add(dpd, request, why, sizeof(why)) : 0;
		dpd->trace.clearing = request->command == WYE_TRACE_CLEAR;
	}
	if (!error) {
		dpd->trace.asked = true;
		dpd->trace.asked_fd = fd;
		return;
	}
	request_answer(fd, error, why);
	close(fd);
}

/* ---- plans -------------------------------------------------------------------------------------------------------- */

static bool wanted(const struct trace *trace)
{
	for (uint32_t i = 0; i < trace->n_inputs && !trace->clearing; i++)
		if (atomic_load_explicit(&trace->input[i].taken, memory_order_relaxed) < trace->input[i].wanted)
			return true;
	return false;
}

/* Must there be a new plan? */
static bool changed(const struct dpd *dpd)
{
	const struct plan *plan = atomic_load_explicit(&dpd->plan, memory_order_relaxed);

	return trace_busy(dpd) || wanted(&dpd->trace) != (plan && plan->trace);
}

void trace_plan(const struct dpd *dpd, struct plan *plan)
{
	if (!wanted(&dpd->trace))
		return;
	plan->trace = (struct trace *)&dpd->trace;
	plan->n_trace_inputs = dpd->trace.n_inputs;
}

/* In no plan any more. */
static void forget(struct dpd *dpd)
{
	struct trace *trace = &dpd->trace;
	char path[512];

	path_of(dpd, path, sizeof(path), "");
	unlink(path);
	if (trace->file)
		munmap(trace->file, sizeof(*trace->file));
	for (uint32_t i = 0; i < trace->n_inputs; i++)
		free(trace->input[i].filter);
	exchange_close(&trace->exchange);
	*trace = (struct trace){ .asked = trace->asked, .asked_fd = trace->asked_fd };
}

/* The input that could not be brought into a plan; `wanted` of 0 says so to who looks at the file. */
static void take_back(struct trace *trace)
{
	struct trace_input *input = &trace->input[trace->n_inputs - 1];

	trace->file->input[trace->n_inputs - 1].wanted = 0;
	input->wanted = 0;
}

static void answer(struct trace *trace, int error)
{
	if (!trace->asked)
		return;
	request_answer(trace->asked_fd, -error, error ? "no memory for a new plan of the dataplane" : "");
	close(trace->asked_fd);
	trace->asked = false;
}

static void settle(struct dpd *dpd, int error)
{
	struct trace *trace = &dpd->trace;

	if (error && trace_busy(dpd) && !trace->clearing)
		take_back(trace);
	else if (!error && trace->clearing)
		forget(dpd);
	trace->clearing = false;
	answer(trace, error);
}

/* ---- the process -------------------------------------------------------------------------------------------------- */

static bool trace_waits(const struct process *process)
{
	const struct dpd *dpd = process->data;

	return trace_busy(dpd) || (dpd->trace.file && !rte_ring_empty(dpd->trace.exchange.full));
}

static uint64_t trace_run(struct process *process, const struct process_event *event)
{
	struct dpd *dpd = process->data;

	write_notes(dpd);
	if (changed(dpd))
		settle(dpd, plan_renew(dpd, false));
	return PROCESS_NEVER;
}

static int trace_open(struct dpd *dpd)
{
	static struct process process = { .name = "trace", .run = trace_run, .has_work = trace_waits };

	forget(dpd); /* what a killed one left */
	process.data = dpd;
	return process_add(&process);
}

static void trace_close(struct dpd *dpd)
{
	answer(&dpd->trace, -ESHUTDOWN);
	forget(dpd);
}
INIT(trace, .start = trace_open, .stop = trace_close, .after = INIT_NAMES("eal", "process", "stats"),
     .before = INIT_NAMES("workers"));

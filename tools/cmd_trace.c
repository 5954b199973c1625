/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye trace: the way of single packets through the dataplane's graph. `add` and `clear` ask wye-dpd over its socket; what
 * was traced lies in a file (wye_trace.h), so it can be read while wye-dpd hangs, and after it was killed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "request.h"
#include "wye_trace.h"

/* ---- asking ---- */

static int send_request(const struct tool *tool, const struct wye_trace_request *request)
{
	int fd, code = request_send(tool, request, WYE_TRACE_REQUEST_BYTES(request->n_instructions), &fd);

	if (!code)
		close(fd);
	return code;
}

/* PORT or PORT/QUEUE. */
static int parse_input(const struct tool *tool, const char *text, struct wye_trace_request *request)
{
	size_t length = strcspn(text, "/");
	char *rest;
	unsigned long queue;

	request->queue = -1;
	if (!length || length >= sizeof(request->netdev))
		return usage_error(tool, "input \"%s\": expected PORT or PORT/QUEUE", text);
	memcpy(request->netdev, text, length);
	if (!text[length])
		return WYE_EXIT_OK;
	queue = strtoul(text + length + 1, &rest, 10);
	if (*rest || rest == text + length + 1 || text[length + 1] == '-' || queue >= WYE_QUEUES_MAX)
		return usage_error(tool, "input \"%s\": queues are 0 to %u", text, WYE_QUEUES_MAX - 1);
	request->queue = (int32_t)queue;
	return WYE_EXIT_OK;
}

static int parse_packets(const struct tool *tool, const char *text, struct wye_trace_request *request)
{
	char *rest;
	unsigned long n = strtoul(text, &rest, 10);

	if (*rest || rest == text || *text == '-' || n < 1 || n > WYE_TRACE_PACKETS_MAX)
		return usage_error(tool, "\"%s\" packets: expected 1 to %u", text, WYE_TRACE_PACKETS_MAX);
	request->packets = (uint32_t)n;
	return WYE_EXIT_OK;
}

/* The words after the number, as tcpdump takes them. */
static int parse_filter(const struct tool *tool, int argc, char **argv, struct wye_trace_request *request)
{
	char filter[4096] = "";
	size_t length = 0;

	for (int i = 0; i < argc; i++) {
		length += (size_t)snprintf(filter + length, sizeof(filter) - length, "%s%s", i ? " " : "", argv[i]);
		if (length >= sizeof(filter))
			return usage_error(tool, "filter: %zu characters at most", sizeof(filter) - 1);
	}
	if (!length)
		return WYE_EXIT_OK;
	snprintf(request->filter_text, sizeof(request->filter_text), "%.*s", (int)sizeof(request->filter_text) - 1, filter);
	return request_filter(tool, filter, WYE_CAPTURE_BYTES_MAX, request->filter, &request->n_instructions);
}

static int add(const struct tool *tool, int argc, char **argv)
{
	static struct wye_trace_request request = { .magic = WYE_TRACE_MAGIC, .version = WYE_TRACE_VERSION,
						    .command = WYE_TRACE_ADD };
	int code;

	if (argc < 2)
		return usage_error(tool, "add INPUT N [FILTER]");
	code = parse_input(tool, argv[0], &request);
	code = code ? code : parse_packets(tool, argv[1], &request);
	code = code ? code : parse_filter(tool, argc - 2, argv + 2, &request);
	return code ? code : send_request(tool, &request);
}

static int clear(const struct tool *tool, int argc, char **argv)
{
	static const struct wye_trace_request request = { .magic = WYE_TRACE_MAGIC, .version = WYE_TRACE_VERSION,
							  .command = WYE_TRACE_CLEAR };
	int code = no_arguments(tool, argc, argv);

	return code ? code : send_request(tool, &request);
}

/* ---- reading ---- */

struct traced {
	uint32_t n_inputs, n_steps;
	uint64_t lost;
	double ticks_per_us;
	struct wye_trace_input input[WYE_TRACE_INPUTS];
	struct wye_trace_step *step;	/* by packet, each one's in order; owned */
};

static int by_packet(const void *a, const void *b)
{
	const struct wye_trace_step *x = a, *y = b;

	if (x->packet != y->packet)
		return x->packet < y->packet ? -1 : 1;
	return x->tsc < y->tsc ? -1 : x->tsc > y->tsc;
}

/* A file is somebody else's word: what does not fit is cut. */
static void trim_step(struct wye_trace_step *step)
{
	step->node[sizeof(step->node) - 1] = step->next[sizeof(step->next) - 1] = '\0';
	if (step->n_fields > WYE_TRACE_FIELDS)
		step->n_fields = WYE_TRACE_FIELDS;
	for (uint32_t i = 0; i < step->n_fields; i++) {
		step->field[i].key[sizeof(step->field[i].key) - 1] = '\0';
		step->field[i].value[sizeof(step->field[i].value) - 1] = '\0';
	}
}

static int copy_trace(const struct wye_trace *file, struct traced *traced)
{
	uint32_t n_steps = atomic_load_explicit((_Atomic uint32_t *)&file->n_steps, memory_order_acquire);	/* T2 */
	uint32_t n_inputs = atomic_load_explicit((_Atomic uint32_t *)&file->n_inputs, memory_order_acquire);	/* T4 */

	traced->n_steps = n_steps < WYE_TRACE_STEPS ? n_steps : WYE_TRACE_STEPS;
	traced->n_inputs = n_inputs < WYE_TRACE_INPUTS ? n_inputs : WYE_TRACE_INPUTS;
	traced->lost = atomic_load_explicit((_Atomic uint64_t *)&file->lost, memory_order_relaxed);
	traced->ticks_per_us = file->tsc_hz ? (double)file->tsc_hz / 1e6 : 1;
	memcpy(traced->input, file->input, sizeof(traced->input));
	for (uint32_t i = 0; i < traced->n_inputs; i++) {
		traced->input[i].netdev[sizeof(traced->input[i].netdev) - 1] = '\0';
		traced->input[i].filter[sizeof(traced->input[i].filter) - 1] = '\0';
	}
	traced->step = malloc((traced->n_steps + 1) * sizeof(traced->step[0]));
	if (!traced->step)
		return WYE_EXIT_ERROR;
	memcpy(traced->step, file->step, traced->n_steps * sizeof(traced->step[0]));
	for (uint32_t i = 0; i < traced->n_steps; i++)
		trim_step(&traced->step[i]);
	qsort(traced->step, traced->n_steps, sizeof(traced->step[0]), by_packet);
	return WYE_EXIT_OK;
}

/* Nothing there is nothing traced. */
static int read_trace(struct tool *tool, struct traced *traced)
{
	const struct wye_trace *file;
	int code, error = wye_map_trace(tool->view.run_dir, &file, tool->view.why);

	if (error == -ENOENT)
		return WYE_EXIT_OK;
	if (error)
		return failure(tool, WYE_EXIT_ERROR, "%s", tool->view.why);
	code = copy_trace(file, traced);
	wye_unmap(file);
	return code;
}

/* Steps of the packet that begin at `from`. */
static uint32_t steps_of(const struct traced *traced, uint32_t from)
{
	uint32_t n = 1;

	while (from + n < traced->n_steps && traced->step[from + n].packet == traced->step[from].packet)
		n++;
	return n;
}

/* ---- JSON ---- */

static void json_step(struct out *out, const struct wye_trace_step *step, double us)
{
	out_object(out, NULL);
	out_str(out, "node", step->node);
	out_real(out, "us", us);
	if (step->next[0])
		out_str(out, "next", step->next);
	out_object(out, "data");
	for (uint32_t i = 0; i < step->n_fields; i++) {
		if (step->field[i].number)
			out_uint(out, step->field[i].key, strtoull(step->field[i].value, NULL, 10));
		else
			out_str(out, step->field[i].key, step->field[i].value);
	}
	out_object_end(out);
	out_object_end(out);
}

static void json_packet(struct out *out, const struct traced *traced, uint32_t from, uint32_t n)
{
	const struct wye_trace_step *first = &traced->step[from];

	out_object(out, NULL);
	out_uint(out, "packet", first->packet);
	out_uint(out, "input", first->input);
	out_uint(out, "worker", first->worker);
	out_uint(out, "time_ns", first->time_ns);
	out_array(out, "steps");
	for (uint32_t i = 0; i < n; i++)
		json_step(out, &first[i], (double)(first[i].tsc - first->tsc) / traced->ticks_per_us);
	out_array_end(out);
	out_object_end(out);
}

static void print_json(struct out *out, const struct traced *traced)
{
	out_object(out, NULL);
	out_array(out, "inputs");
	for (uint32_t i = 0; i < traced->n_inputs; i++) {
		out_object(out, NULL);
		out_str(out, "port", traced->input[i].netdev);
		if (traced->input[i].queue >= 0)
			out_uint(out, "queue", (uint32_t)traced->input[i].queue);
		if (traced->input[i].filter[0])
			out_str(out, "filter", traced->input[i].filter);
		out_uint(out, "wanted", traced->input[i].wanted);
		out_uint(out, "taken", traced->input[i].taken);
		out_object_end(out);
	}
	out_array_end(out);
	out_uint(out, "lost", traced->lost);
	out_array(out, "packets");
	for (uint32_t from = 0, n; from < traced->n_steps; from += n) {
		n = steps_of(traced, from);
		json_packet(out, traced, from, n);
	}
	out_array_end(out);
	out_object_end(out);
}

/* ---- text ---- */

static const char *reason_text(const char *name)
{
	for (uint32_t i = 0; i < WYE_REASON_COUNT; i++)
		if (!strcmp(wye_reason_name[i], name))
			return wye_reason_text[i];
	return NULL;
}

static void text_step(struct out *out, const struct wye_trace_step *step, double us)
{
	out_printf(out, "%10.2f us  %-14s", us, step->node);
	for (uint32_t i = 0; i < step->n_fields; i++) {
		const char *text = strcmp(step->field[i].key, "reason") ? NULL : reason_text(step->field[i].value);

		out_printf(out, "%s %s %s", i ? "," : "", step->field[i].key, step->field[i].value);
		if (text)
			out_printf(out, " (%s)", text);
	}
	out_puts(out, "\n");
}

static void text_packet(struct out *out, const struct traced *traced, uint32_t from, uint32_t n)
{
	const struct wye_trace_step *first = &traced->step[from];
	const char *port = first->input < traced->n_inputs ? traced->input[first->input].netdev : "?";
	time_t second = (time_t)(first->time_ns / 1000000000u);
	char clock[16] = "?";
	struct tm local;

	if (localtime_r(&second, &local))
		strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	out_printf(out, "\npacket %u  %s  %s.%06u  worker %u\n", first->packet, port, clock,
		   (unsigned)(first->time_ns % 1000000000u / 1000u), first->worker);
	for (uint32_t i = 0; i < n; i++)
		text_step(out, &first[i], (double)(first[i].tsc - first->tsc) / traced->ticks_per_us);
	if (first[n - 1].next[0])
		out_printf(out, "%13s  %-14s (not told yet, or lost)\n", "", first[n - 1].next);
}

static void print_text(struct out *out, const struct traced *traced)
{
	if (!traced->n_inputs)
		out_puts(out, "nothing is traced: wye trace add PORT N [FILTER]\n");
	for (uint32_t i = 0; i < traced->n_inputs; i++) {
		const struct wye_trace_input *input = &traced->input[i];

		out_printf(out, "%s", input->netdev);
		if (input->queue >= 0)
			out_printf(out, "/%d", input->queue);
		out_printf(out, "%s%s: %u of %u packets\n", input->filter[0] ? " " : "", input->filter, input->taken, input->wanted);
	}
	if (traced->lost)
		out_printf(out, "%llu steps were lost: there was no room for them\n", (unsigned long long)traced->lost);
	for (uint32_t from = 0, n; from < traced->n_steps; from += n) {
		n = steps_of(traced, from);
		text_packet(out, traced, from, n);
	}
}

/* ---- the command ---- */

static int show(struct tool *tool, int argc, char **argv)
{
	struct traced traced = { 0 };
	int code = no_arguments(tool, argc, argv);

	if (!code)
		code = view_stats(&tool->view); /* says whether wye-dpd lives */
	if (!code)
		code = read_trace(tool, &traced);
	if (!code && tool->out.json)
		print_json(&tool->out, &traced);
	else if (!code)
		print_text(&tool->out, &traced);
	free(traced.step);
	return code;
}

static int run(struct tool *tool, int argc, char **argv)
{
	if (argc && !strcmp(argv[0], "add"))
		return add(tool, argc - 1, argv + 1);
	if (argc && !strcmp(argv[0], "clear"))
		return clear(tool, argc - 1, argv + 1);
	if (argc && !strcmp(argv[0], "show"))
		return show(tool, argc - 1, argv + 1);
	return show(tool, argc, argv);
}

const struct command cmd_trace = {
	.name = "trace",
	.summary = "the way of single packets through the dataplane's nodes",
	.arguments = "[add INPUT N [FILTER] | clear]",
	.help = "  add        trace the next N packets (1 to 1000) that come in on INPUT: a port, or one of its queues, as\n"
		"             eth0/2; with a FILTER only those, in the words of pcap-filter(7)\n"
		"  (nothing)  show what has been traced: each node's word on each packet, and the time since it came in\n"
		"  clear      end all, forget all\n"
		"A packet is traced once, for the first that wants it. Up to 8 inputs until they are cleared.\n",
	.run = run,
};

/* SPDX-License-Identifier: BSD-3-Clause */
#include "request.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_S 10	/* a plan that workers adopt takes a millisecond */

static_assert(sizeof(struct wye_capture_instruction) == sizeof(struct bpf_insn), "they are copied");

int request_filter(const struct tool *tool, const char *filter, uint32_t packet_bytes,
		   struct wye_capture_instruction *instructions, uint32_t *n)
{
	pcap_t *ethernet = pcap_open_dead(DLT_EN10MB, (int)packet_bytes);
	struct bpf_program program;
	int code = WYE_EXIT_OK;

	if (!ethernet)
		return failure(tool, WYE_EXIT_ERROR, "libpcap: %s", strerror(errno));
	if (pcap_compile(ethernet, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
		code = usage_error(tool, "filter \"%s\": %s", filter, pcap_geterr(ethernet));
	} else {
		if (program.bf_len > WYE_CAPTURE_INSTRUCTIONS)
			code = failure(tool, WYE_EXIT_USAGE, "filter \"%s\": %u instructions, at most %u", filter, program.bf_len,
				       WYE_CAPTURE_INSTRUCTIONS);
		else
			memcpy(instructions, program.bf_insns, program.bf_len * sizeof(*instructions));
		*n = code ? 0 : program.bf_len;
		pcap_freecode(&program);
	}
	pcap_close(ethernet);
	return code;
}

static int connect_to_dpd(const struct tool *tool, int *fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *run_dir = tool->view.run_dir;

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", run_dir, WYE_FILE_CAPTURE) >=
	    (int)sizeof(address.sun_path))
		return failure(tool, WYE_EXIT_ERROR, "%s: too long a path for a socket", run_dir);
	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (*fd >= 0 && connect(*fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return WYE_EXIT_OK;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return failure(tool, WYE_EXIT_NOT_RUNNING, "%s: wye-dpd is not running (wye status)", address.sun_path);
	return failure(tool, WYE_EXIT_ERROR, "%s: %s", address.sun_path, strerror(errno));
}

static int ask(const struct tool *tool, int fd, const void *message, size_t bytes)
{
	struct timeval patience = { .tv_sec = ANSWER_S };
	struct wye_capture_answer answer;
	ssize_t n;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	n = send(fd, message, bytes, MSG_NOSIGNAL);
	if (n >= 0)
		n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0 && errno == EAGAIN)
		return failure(tool, WYE_EXIT_ERROR, "wye-dpd has not answered for %d s; does it hang? (wye status)", ANSWER_S);
	if (n != sizeof(answer))
		return failure(tool, WYE_EXIT_ERROR, "wye-dpd does not answer: %s",
			       n < 0 ? strerror(errno) : "it ended, or is of another version");
	answer.why[sizeof(answer.why) - 1] = '\0';
	if (!answer.error)
		return WYE_EXIT_OK;
	return failure(tool, answer.error == ENODEV ? WYE_EXIT_NOT_FOUND : WYE_EXIT_ERROR, "%s", answer.why);
}

int request_send(const struct tool *tool, const void *message, size_t bytes, int *fd)
{
	int code = connect_to_dpd(tool, fd);

	if (!code)
		code = ask(tool, *fd, message, bytes);
	if (code && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return code;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What requests of commands have in common (wye_capture.h, wye_trace.h). Main thread. */
#ifndef REQUEST_H
#define REQUEST_H

#include "wye_capture.h"

struct dpd;
struct bpf_insn;

/* Index of the port that is configured as it, or whose netdev has that name or alternative name; -1 if there is none. */
int request_port(const struct dpd *dpd, const char *netdev);
/* The filter as libpcap wants it, found to be a program that ends; NULL if it is not. Freed by the caller. */
struct bpf_insn *request_filter(const struct wye_capture_instruction *filter, uint32_t n_instructions);
/* error: 0 or an errno; why: a sentence. Who does not listen is not waited for. */
void request_answer(int fd, int error, const char *why);

#endif

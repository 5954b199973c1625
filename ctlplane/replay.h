/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording (wye_record.h) instead of a kernel: its messages take the same way as live ones, through nl_next(), the
 * channels' state machines and the mirrors. Files of `ip route|addr|rule save` and of rtmon are read too: there a run of
 * dumped messages of one class counts as a complete dump.
 *
 * Nothing can be asked, so what the kernel does without a message shows at the next dump in the recording.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include "mirror.h"

struct replay_result {
	uint64_t messages, dumps;
	uint64_t at_byte;	/* where it went wrong */
	char why[160];		/* "" = it did not */
};

/* Applies all of it to an open mirror (mirror_open_offline()). 0; -EINVAL: no recording, damaged, or cut short. What
 * came before is applied all the same. */
int replay_bytes(struct mirror *mirror, const char *name, const void *bytes, size_t len_bytes,
		 struct replay_result *result);

/*
 * The whole of wye-ctld --replay up to the tables being there to be read: control file open, mirror zeroed but for
 * config and control. Prints what went wrong; -errno. The state is STOPPED throughout, so no dataplane forwards by it.
 */
int replay_file(struct mirror *mirror, const char *path);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* wye version: what this build is, and which shared files it can read. */
#include "wye.h"

static int run(struct tool *tool, int argc, char **argv)
{
	struct out *out = &tool->out;
	char hash[24];
	int err = no_arguments(tool, argc, argv);

	if (err)
		return err;
	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)WYE_LAYOUT_HASH);
	out_object(out, NULL);
	out_str(out, "version", WYE_VERSION);
	out_uint(out, "abi", WYE_ABI_VERSION);
	out_str(out, "layout", hash);
	out_object_end(out);
	out_printf(out, "wye %s, shared files: ABI version %u, layout %s\n", WYE_VERSION, WYE_ABI_VERSION, hash);
	return WYE_EXIT_OK;
}

const struct command cmd_version = {
	.name = "version",
	.summary = "version of this command and of the shared files it reads",
	.arguments = "",
	.run = run,
};

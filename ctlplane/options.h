/* SPDX-License-Identifier: BSD-3-Clause */
/* wye-ctld's command line: [-c FILE] [-r RUNDIR] [--replay FILE [--stay]] [-v] [-h]. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

struct options {
	const char *config_path;	/* NULL: none named, and none needed (a replay) */
	const char *run_dir;
	const char *replay_path;	/* NULL: the kernel is mirrored */
	bool stay;			/* after the replay */
	bool verbose;
};

/* 0 to go on; else the process's exit status + 1 (help was printed: 1, bad usage: 3). */
int options_parse(struct options *options, int argc, char **argv);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of wye-dpd. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

struct options {
	const char *config_path;
	const char *run_dir;
	bool verbose;
	char **eal_args;	/* what stood behind "--" */
	int n_eal_args;
};

/* 0: go on; else the exit status + 1 (help was asked for, or the usage was wrong and has been said). */
int options_parse(struct options *options, int argc, char **argv);

#endif

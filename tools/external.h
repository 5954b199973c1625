/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that plugins bring: `wye NAME` runs the executable wye-NAME beside the plugins, if wye itself has no command that
 * begins so. It must be root's like a plugin (wye_root_file.h). It finds in its environment
 *
 *	WYE		this program
 *	WYE_RUN_DIR	the daemons' folder
 *	WYE_CONFIG	the configuration that wye-dpd runs with, or the default one
 *	WYE_JSON	"1" after -j, else ""
 */
#ifndef EXTERNAL_H
#define EXTERNAL_H

#include <stdbool.h>
#include <stdio.h>

/* Becomes that program, with the arguments behind argv[0], the name; NULL behind the last. Returns an exit code, said, when it cannot. */
int external_run(const char *run_dir, bool json, char **argv);
/* A line for each, for help; nothing when there is none. */
void external_list(FILE *file, const char *run_dir);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* wye-ctld's command line: see options.h. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "region.h"
#include "wye_abi.h"
#include "wye_config.h"

static const char help[] =
	"Usage: wye-ctld [-c FILE] [-r RUNDIR] [--replay FILE [--stay]] [-v]\n"
	"Mirrors the kernel's links, addresses, neighbours and routes into the shared tables.\n"
	"\n"
	"  -c, --config FILE    configuration (default " WYE_CONFIG_PATH_DEFAULT ")\n"
	"  -r, --run-dir DIR    where the shared files are (default " WYE_RUN_DIR_DEFAULT ")\n"
	"      --replay FILE    write the tables from a recording (wye record, ip route save, rtmon) instead of\n"
	"                       the kernel, for wye to read; no dataplane forwards by them\n"
	"      --stay           keep running after that\n"
	"  -v, --verbose        say what is done, not only what is wrong\n"
	"  -h, --help           this text\n"
	"\n"
	"Signals: TERM and INT end it and take the tables away, HUP reads the configuration again, USR1\n"
	"compares the mirror with the kernel.\n";

enum { OPTION_REPLAY = 256, OPTION_STAY };

static int usage(const char *what, const char *value, const char *limit)
{
	fprintf(stderr, "wye-ctld: %s \"%s\": %s; try wye-ctld --help\n", what, value, limit);
	return 3;
}

int options_parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "replay", required_argument, NULL, OPTION_REPLAY },
		{ "stay", no_argument, NULL, OPTION_STAY },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	*options = (struct options){ .run_dir = WYE_RUN_DIR_DEFAULT };
	while ((c = getopt_long(argc, argv, "c:r:vh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->config_path = optarg;
			break;
		case 'r':
			options->run_dir = optarg;
			break;
		case OPTION_REPLAY:
			options->replay_path = optarg;
			break;
		case OPTION_STAY:
			options->stay = true;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		default:
			fputs("wye-ctld: try wye-ctld --help\n", stderr);
			return 3;
		}
	}
	if (optind < argc)
		return usage("argument", argv[optind], "wye-ctld takes options only");
	if (options->stay && !options->replay_path)
		return usage("option", "--stay", "goes with --replay");
	if (!options->config_path && !options->replay_path)
		options->config_path = WYE_CONFIG_PATH_DEFAULT;
	if (options->run_dir[0] != '/')
		return usage("run directory", options->run_dir, "must be an absolute path");
	if (strlen(options->run_dir) >= sizeof(((struct control_file *)0)->run_dir) - 16)
		return usage("run directory", options->run_dir, "is too long, limit is 183 bytes");
	return 0;
}

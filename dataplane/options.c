/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>

#include "options.h"
#include "wye_config.h"

static const char options_help[] =
	"usage: wye-dpd [-c FILE] [-r RUNDIR] [-v] [-- EAL ARGS]\n"
	"Forwards the flows the configuration names; everything else stays with the kernel.\n"
	"  -c, --config FILE   configuration (default " WYE_CONFIG_PATH_DEFAULT ")\n"
	"  -r, --run-dir DIR   shared files of wye-ctld and wye-dpd (default " WYE_RUN_DIR_DEFAULT ")\n"
	"  -v, --verbose       say more, DPDK's and libbpf's messages included\n"
	"  -h, --help          this text\n"
	"  -V, --version       version\n"
	"Arguments behind -- go to DPDK's EAL as they are. SIGHUP has the configuration read again, SIGTERM ends orderly.\n";

static const struct option options_long[] = {
	{ "config", required_argument, NULL, 'c' }, { "run-dir", required_argument, NULL, 'r' },
	{ "verbose", no_argument, NULL, 'v' },	    { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },	    { NULL, 0, NULL, 0 },
};

int options_parse(struct options *options, int argc, char **argv)
{
	int c;

	*options = (struct options){ .config_path = WYE_CONFIG_PATH_DEFAULT, .run_dir = WYE_RUN_DIR_DEFAULT };
	while ((c = getopt_long(argc, argv, "+c:r:vhV", options_long, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->config_path = optarg;
			break;
		case 'r':
			options->run_dir = optarg;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'h':
			fputs(options_help, stdout);
			return 1;
		case 'V':
			puts("wye-dpd " WYE_VERSION);
			return 1;
		default:
			fputs("Try 'wye-dpd --help'.\n", stderr);
			return 3;
		}
	}
	options->eal_args = argv + optind;
	options->n_eal_args = argc - optind;
	if (options->n_eal_args && options->eal_args[0][0] != '-') {
		fprintf(stderr, "wye-dpd: unexpected argument \"%s\": EAL arguments start behind --\n",
			options->eal_args[0]);
		return 3;
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL arguments from the configuration. No file is shared with other DPDK processes (--in-memory, or --no-shconf where
 * there are no huge pages): nothing of a killed wye-dpd stays behind in a hugetlbfs or /run/dpdk, and two of them never
 * meet, so no file prefix is needed to keep them apart.
 *
 * Pages, `memory.hugepages`: auto takes reserved huge pages when there are enough, else ordinary memory advised
 * for transparent huge pages (eal_pages.c), else ordinary pages; what it became is logged and stands in the stats file.
 */
#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_memory.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpd.h"
#include "log.h"
#include "runtime/config.h"
#include "runtime/init.h"
#include "wye_need.h"
#include "wye_smaps.h"

#define EAL_ARGS_MAX 64
#define EAL_ARG_BYTES 512

struct eal_args {
	char text[EAL_ARGS_MAX][EAL_ARG_BYTES];
	char *argv[EAL_ARGS_MAX + 1];
	int argc;
};

static void __attribute__((format(printf, 2, 3))) eal_arg(struct eal_args *args, const char *format, ...)
{
	va_list list;

	if (args->argc == EAL_ARGS_MAX)
		return;
	va_start(list, format);
	vsnprintf(args->text[args->argc], EAL_ARG_BYTES, format, list);
	va_end(list);
	args->argv[args->argc] = args->text[args->argc];
	args->argc++;
}

/* ---- cores -------------------------------------------------------------------------------------------------- */

/* The main thread floats over the CPUs no worker polls on. A worker that there may be one day waits on the first of them. */
static void eal_arg_lcores(struct eal_args *args, const struct wye_config *config, const cpu_set_t *cpus)
{
	char others[200] = "", lcores[EAL_ARG_BYTES];
	unsigned int first = CPU_SETSIZE;
	uint32_t most = workers_most(config);
	cpu_set_t set;
	size_t at = 0;
	int n;

	workers_other_cpus(cpus, config, &set);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && at < sizeof(others) - 8; cpu++)
		if (CPU_ISSET(cpu, &set)) {
			first = first < cpu ? first : cpu;
			at += snprintf(others + at, sizeof(others) - at, "%s%u", at ? "," : "", cpu);
		}
	n = snprintf(lcores, sizeof(lcores), "0@(%s)", others);
	for (uint32_t i = 0; i < most; i++)
		n += snprintf(lcores + n, sizeof(lcores) - n, ",%u@%u", i + 1,
			      i < config->workers.n_cpus ? config->workers.cpu[i] : first);
	eal_arg(args, "--lcores");
	eal_arg(args, "%s", lcores);
	eal_arg(args, "--main-lcore");
	eal_arg(args, "0");
}

/* ---- memory ------------------------------------------------------------------------------------------------- */

/* What is no multiple of a page's size DPDK takes of smaller pages, or not at all. */
static uint32_t whole_pages_mib(uint32_t mib, uint64_t page_kib)
{
	uint32_t page_mib = (uint32_t)(page_kib >> 10);

	return page_mib ? (mib + page_mib - 1) / page_mib * page_mib : mib;
}

/* A mempool's head asks for a 1 GiB page when one is free, for one MiB: more may be taken, but no such page. On any of 8
 * nodes. */
static void eal_arg_limit(struct eal_args *args, uint32_t mib)
{
	eal_arg(args, "--socket-limit");
	eal_arg(args, "%1$u,%1$u,%1$u,%1$u,%1$u,%1$u,%1$u,%1$u", mib + 512);
}

static int eal_arg_memory(struct eal_args *args, const struct wye_config *config, struct eal_memory *memory)
{
	static const struct wye_sysroot machine = { "" };
	char why[WYE_WHY_BYTES];
	uint64_t kib;
	int error = wye_need_hugepages(&machine, config, &kib, why);

	memory->size_bytes = (uint64_t)config->memory.size_mib << 20;
	if (error) {
		log_error("%s", why);
		return error;
	}
	/* the first implies the second, but is refused with --no-huge */
	eal_arg(args, kib ? "--in-memory" : "--no-shconf");
	if (!kib)
		eal_arg(args, "--no-huge");
	eal_arg(args, "-m");
	eal_arg(args, "%u", whole_pages_mib(config->memory.size_mib, kib));
	if (kib)
		eal_arg_limit(args, whole_pages_mib(config->memory.size_mib, kib));
	return 0;
}

static bool eal_needs_pci(const struct wye_config *config)
{
	for (size_t i = 0; i < config->n_ports; i++) {
		const struct wye_config_port *port = &config->port[i];

		if (port->driver == WYE_DRIVER_MLX5 || wye_driver_takes_device(port->driver) ||
		    (port->devargs && strspn(port->devargs, "0123456789abcdefABCDEF:.") >= 7))
			return true;
	}
	return false;
}

/*
 * A PCI scan costs time; without a port that needs one there is none. With one, DPDK would start every device it has a
 * driver for: the list of those it may has the host bridge, which is none, and ports add theirs by name.
 */
static void eal_arg_pci(struct eal_args *args, const struct wye_config *config)
{
	if (!eal_needs_pci(config)) {
		eal_arg(args, "--no-pci");
		return;
	}
	eal_arg(args, "-a");
	eal_arg(args, "0000:00:00.0");
}

/* A device that is probed while EAL starts may have been given its memory already: then it stays where it is. */
static void eal_pages(const struct wye_config *config, struct eal_memory *memory)
{
	enum wye_hugepages want = config->memory.hugepages;
	bool allowed = want == WYE_HUGE_THP || (want == WYE_HUGE_AUTO && !wye_thp_never());

	eal_pages_find(memory);
	if (memory->page_max_bytes >= EAL_HUGE_BYTES || want == WYE_HUGE_NONE)
		return;
	if (allowed && !eal_needs_pci(config))
		eal_pages_transparent(memory);
	if (!memory->transparent)
		eal_pages_warn(memory);
}

/* ---- names and the rest ----------------------------------------------------------------------------------------- */

static int open_with(const struct options *options, const struct wye_config *config, const cpu_set_t *cpus,
		     struct eal_memory *memory)
{
	struct eal_args *args = calloc(1, sizeof(*args));
	int error;

	if (!args)
		return -ENOMEM;
	eal_arg(args, "wye-dpd");
	eal_arg_lcores(args, config, cpus);
	error = eal_arg_memory(args, config, memory);
	if (error)
		goto out;
	/* Physical addresses are all devices' or nobody's. With an IOMMU those on VFIO are told the same ones. */
	eal_arg(args, "--iova-mode=%s", wye_need_physical(config) ? "pa" : "va");
	eal_arg(args, "--no-telemetry");
	eal_arg_pci(args, config);
	eal_arg(args, "--log-level=*:%s", options->verbose ? "info" : "error");
	for (int i = 0; i < options->n_eal_args; i++)
		eal_arg(args, "%s", options->eal_args[i]);
	if (rte_eal_init(args->argc, args->argv) < 0) {
		error = rte_errno ? -rte_errno : -EINVAL;
		log_error("DPDK did not start: %s; run with -v to see why", rte_strerror(-error));
		goto out;
	}
	rte_openlog_stream(stderr);
	eal_pages(config, memory);
	log_notice("memory: %u MiB for packets, %s", config->memory.size_mib,
		   memory->transparent ? "transparent huge pages where the kernel has some" : memory->kind);
out:
	free(args);
	return error;
}

static int eal_open(struct dpd *dpd)
{
	int error = open_with(&dpd->options, dpd->config, &dpd->cpus, &dpd->memory);

	if (!error)
		stats_memory(dpd);
	return error;
}

static void eal_close(struct dpd *dpd)
{
	rte_eal_cleanup();
}

static bool memory_same(const struct config_section *section, const struct wye_config *now,
			const struct wye_config *wanted)
{
	return !memcmp(&now->memory, &wanted->memory, sizeof(now->memory));
}
CONFIG(memory, .same = memory_same);
INIT(eal, .start = eal_open, .stop = eal_close, .after = INIT_NAMES("preflight", "stats"));

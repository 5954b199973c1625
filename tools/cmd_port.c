/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show port: the dataplane's ports, what became of each, and what passed through it. */
#include <string.h>

#include "counters.h"
#include "names.h"
#include "wye.h"

static const struct out_column columns[] = {
	{ "netdev", "NETDEV", false }, { "ifname", NULL, false }, { "ifindex", NULL, true }, { "state", "STATE", false },
	{ "driver", "DRIVER", false }, { "backend", "STEERING", false }, { "mode", "MODE", false },
	{ "queues", "QUEUES", true }, { "mtu_max", "MTU MAX", true }, { "tap", "TAP", false },
	{ "rx_packets", "RX", true }, { "rx_bytes", NULL, true }, { "tx_packets", "TX", true },
	{ "tx_bytes", NULL, true }, { "punted", "PUNTED", true },
	{ "rx_errors", "RX ERR", true }, { "tx_dropped", "TX DROP", true }, { "handed_back", NULL, true },
	{ "detail", "DETAIL", false },
};

static enum out_colour colour_of(uint32_t state)
{
	return state == WYE_PORT_ACTIVE ? OUT_GOOD : state == WYE_PORT_FAILED ? OUT_BAD : OUT_POOR;
}

static void print(struct tool *tool, uint32_t i)
{
	const struct wye_port_info *port = &tool->view.info->port[i];
	struct port_sum sum = counters_port(tool->view.stats, i, -1);
	struct out *out = &tool->out;

	out_row(out);
	out_cell_state(out, OUT_NAME, port->netdev);
	out_cell_str(out, port->ifname);
	out_cell_uint(out, port->ifindex);
	out_cell_state(out, colour_of(port->state), name_port_state(port->state));
	out_cell_str(out, port->driver);
	out_cell_str(out, port->backend);
	out_cell_str(out, port->mode);
	out_cell_uint(out, port->queues);
	out_cell_uint(out, port->mtu_max_bytes);
	out_cell_str(out, port->tap);
	out_cell_uint(out, sum.rx_packets);
	out_cell_uint(out, sum.rx_bytes);
	out_cell_uint(out, sum.tx_packets);
	out_cell_uint(out, sum.tx_bytes);
	out_cell_uint(out, sum.punted);
	out_cell_uint(out, sum.rx_errors);
	out_cell_uint(out, sum.tx_dropped);
	out_cell_uint(out, sum.handed_back);
	out_cell_str(out, port->detail);
	out_row_end(out);
}

static int run(struct tool *tool, int argc, char **argv)
{
	const struct wye_stats *info;
	bool found = false;
	int err;

	if (argc > 1)
		return usage_error(tool, "argument \"%s\"", argv[1]);
	err = view_stats(&tool->view);
	if (err)
		return err;
	info = tool->view.info;
	for (uint32_t i = 0; argc && i < info->n_ports; i++)
		found |= view_port_named(&tool->view, &info->port[i], argv[0]);
	if (argc && !found)
		return failure(tool, WYE_EXIT_NOT_FOUND, "port \"%s\": wye-dpd has none on this netdev", argv[0]);
	out_table(&tool->out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (uint32_t i = 0; i < info->n_ports; i++)
		if (info->port[i].state != WYE_PORT_ABSENT && (!argc || view_port_named(&tool->view, &info->port[i], argv[0])))
			print(tool, i);
	out_table_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_port = {
	.name = "port",
	.summary = "the dataplane's ports: state, driver, steering, packets",
	.arguments = "[NETDEV]",
	.help = "STATE: active takes flows; kernel is set up, but all its flows are with the kernel; waiting has\n"
		"no netdev yet; failed. DETAIL says why. MODE is native or generic XDP; of other drivers, by what an\n"
		"idle worker learns of packets: interrupts, or polled. Packets are those the dataplane received and\n"
		"sent, not the kernel's. NETDEV is the port as configured, and may be any name of it.\n",
	.run = run,
};

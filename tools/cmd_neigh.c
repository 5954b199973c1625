/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show neigh: the mirrored neighbours, in the words of ip(8). */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "link_object.h"
#include "names.h"

#ifndef NTF_EXT_MANAGED
#define NTF_EXT_MANAGED (1 << 0)
#endif

/* ip's own choice: no NOARP entries, none without a state; `nud all` shows everything. */
#define STATES_DEFAULT (0xFFu & ~(unsigned)NUD_NOARP)
#define STATE_NONE     0x100u

struct filter {
	const char *device;	/* NULL: all */
	uint32_t ifindex;
	uint32_t states;
};

static const struct flag_name neigh_flags[] = {
	{ NTF_ROUTER, "router" }, { NTF_PROXY, "proxy" }, { NTF_EXT_LEARNED, "extern_learn" },
	{ NTF_OFFLOADED, "offload" }, { NTF_EXT_MANAGED << 8, "managed" },
};
#define NEIGH_FLAGS (sizeof(neigh_flags) / sizeof(neigh_flags[0]))

static int parse_state(const struct tool *tool, const char *text, uint32_t *states)
{
	const char *name;

	if (!strcasecmp(text, "all")) {
		*states = 0xFF | STATE_NONE;
		return WYE_EXIT_OK;
	}
	for (uint32_t bit = 1; bit <= 0x80; bit <<= 1)
		if (names_neigh_states((uint16_t)bit, &name, 1) && !strcasecmp(text, name)) {
			*states = bit;
			return WYE_EXIT_OK;
		}
	if (strcasecmp(text, "none"))
		return usage_error(tool, "nud \"%s\": reachable, stale, delay, probe, incomplete, failed, noarp, "
				   "permanent, none or all", text);
	*states = STATE_NONE;
	return WYE_EXIT_OK;
}

static int parse(struct tool *tool, int argc, char **argv, struct filter *filter)
{
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *value = argument(tool, argc, argv, &i);
		int err = WYE_EXIT_OK;

		if (!value)
			return WYE_EXIT_USAGE;
		if (!strcmp(word, "dev")) {
			filter->device = value;
		} else if (!strcmp(word, "nud")) {
			err = parse_state(tool, value, &filter->states);
		} else {
			err = usage_error(tool, "argument \"%s\"", word);
		}
		if (err)
			return err;
	}
	return WYE_EXIT_OK;
}

static bool wanted(const struct tool *tool, const struct filter *filter, const struct wye_neigh *neigh)
{
	if (!neigh->family || (tool->family && neigh->family != tool->family))
		return false;
	if (filter->ifindex && neigh->ifindex != filter->ifindex)
		return false;
	return neigh->nud_state ? (neigh->nud_state & filter->states) != 0 : (filter->states & STATE_NONE) != 0;
}

static const char *lladdr_of(const struct tool *tool, const struct wye_neigh *neigh, char *buf)
{
	const struct wye_link *link = view_link(&tool->view, neigh->ifindex);

	return link_address(link ? link->arp_type : 0, neigh->lladdr, neigh->lladdr_len, buf);
}

static void print_json(struct tool *tool, const struct filter *filter, const struct wye_neigh *neigh)
{
	const char *states[8];
	char buf[WYE_NAME_BYTES];
	struct out *out = &tool->out;
	size_t n = names_neigh_states(neigh->nud_state, states, 8);

	out_object(out, NULL);
	out_str(out, "dst", name_address(neigh->family, neigh->addr, buf));
	if (!filter->ifindex)
		out_str(out, "dev", view_link_name(&tool->view, neigh->ifindex, buf));
	if (neigh->lladdr_len)
		out_str(out, "lladdr", lladdr_of(tool, neigh, buf));
	for (size_t i = 0; i < NEIGH_FLAGS; i++)
		if (neigh->ntf_flags & neigh_flags[i].bit)
			out_null(out, neigh_flags[i].name);
	if (n)
		out_array(out, "state");
	for (size_t i = 0; i < n; i++)
		out_str(out, NULL, states[i]);
	if (n)
		out_array_end(out);
	out_object_end(out);
}

static void print_text(struct tool *tool, const struct filter *filter, const struct wye_neigh *neigh)
{
	const char *states[8];
	char buf[WYE_NAME_BYTES];
	struct out *out = &tool->out;
	size_t n = names_neigh_states(neigh->nud_state, states, 8);

	out_coloured(out, OUT_ADDRESS, name_address(neigh->family, neigh->addr, buf));
	if (!filter->ifindex) {
		out_puts(out, " dev ");
		out_coloured(out, OUT_NAME, view_link_name(&tool->view, neigh->ifindex, buf));
	}
	if (neigh->lladdr_len)
		out_printf(out, " lladdr %s", lladdr_of(tool, neigh, buf));
	for (size_t i = 0; i < NEIGH_FLAGS; i++)
		if (neigh->ntf_flags & neigh_flags[i].bit)
			out_printf(out, " %s", neigh_flags[i].name);
	for (size_t i = 0; i < n; i++) {
		out_puts(out, i ? "," : " ");
		out_coloured(out, neigh->nud_state & (NUD_FAILED | NUD_INCOMPLETE) ? OUT_BAD : OUT_GOOD, states[i]);
	}
	out_puts(out, "\n");
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct filter filter = { .states = STATES_DEFAULT };
	int err = parse(tool, argc, argv, &filter);
	uint32_t used;

	if (!err)
		err = view_tables(&tool->view);
	if (err)
		return err;
	if (filter.device && !(filter.ifindex = find_device(tool, filter.device)))
		return WYE_EXIT_NOT_FOUND;
	used = view_used(&tool->view, WYE_SECTION_NEIGH);
	out_array(&tool->out, NULL);
	for (uint32_t i = 1; i < used; i++) {
		const struct wye_neigh *neigh = view_record(&tool->view, WYE_SECTION_NEIGH, i);
		struct wye_neigh copy;

		if (!neigh->family || !view_read(&tool->view, &neigh->seq, neigh, &copy, sizeof(copy)) ||
		    !wanted(tool, &filter, &copy))
			continue;
		if (tool->out.json)
			print_json(tool, &filter, &copy);
		else
			print_text(tool, &filter, &copy);
		if (i % 4096 == 0)
			out_flush(&tool->out);
	}
	out_array_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_neigh = {
	.name = "neigh",
	.summary = "neighbours as the mirror has them",
	.arguments = "[dev NAME] [nud STATE|all]",
	.help = "The keys and words of `ip neigh`, which leaves NOARP entries out unless asked for them.\n"
		"Not mirrored: proxy entries, statistics.\n",
	.run = run,
};

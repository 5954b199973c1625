/* SPDX-License-Identifier: BSD-3-Clause */
/* wye vf: makes, sets up, shows and ends the VFs of a PF, which stays with the kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "vf.h"
#include "wye.h"

static const struct wye_sysroot machine = { "" };
static const struct out_column columns[] = {
	{ "vf", "VF", true }, { "device", "DEVICE", false }, { "driver", "DRIVER", false }, { "netdev", "NETDEV", false },
	{ "group", "GROUP", true }, { "mac", "MAC", false }, { "vlan", "VLAN", true }, { "trust", "TRUST", false },
	{ "spoofchk", "SPOOFCHK", false },
};

static int exit_of(int error)
{
	return error == -ENOENT ? WYE_EXIT_NOT_FOUND : WYE_EXIT_ERROR;
}

/* ---- arguments ---- */

static bool parse_mac(const char *text, uint8_t mac[6])
{
	int end = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &end) == 6 &&
	       !text[end] && !(mac[0] & 1);
}

static bool parse_number(const char *text, uint32_t most, uint32_t *number)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*number = (uint32_t)value;
	return text[0] >= '0' && text[0] <= '9' && !*end && value <= most;
}

static bool parse_switch(const char *text, bool *on)
{
	*on = !strcmp(text, "on");
	return *on || !strcmp(text, "off");
}

static int take_wishes(struct tool *tool, int argc, char **argv, struct vf_wishes *wishes)
{
	*wishes = (struct vf_wishes){ 0 };
	for (int i = 0; i < argc; i++) {
		const char *key = argv[i], *value = argument(tool, argc, argv, &i);
		bool good = false;

		if (!value)
			return WYE_EXIT_USAGE;
		if (!strcmp(key, "mac"))
			good = wishes->set_mac = parse_mac(value, wishes->mac);
		else if (!strcmp(key, "vlan"))
			good = wishes->set_vlan = parse_number(value, 4094, &wishes->vlan);
		else if (!strcmp(key, "trust"))
			good = wishes->set_trust = parse_switch(value, &wishes->trust);
		else if (!strcmp(key, "spoofchk"))
			good = wishes->set_spoofchk = parse_switch(value, &wishes->spoofchk);
		else
			return usage_error(tool, "\"%s\": one of mac, vlan, trust, spoofchk", key);
		if (!good)
			return usage_error(tool, "%s \"%s\": a unicast MAC, a VLAN of 0 to 4094, on or off", key, value);
	}
	return WYE_EXIT_OK;
}

static bool wishes_any(const struct vf_wishes *wishes)
{
	return wishes->set_mac || wishes->set_vlan || wishes->set_trust || wishes->set_spoofchk;
}

static int find_pf(struct tool *tool, const char *text, struct wye_device *pf)
{
	char why[WYE_WHY_BYTES];
	int error = wye_device_find(&machine, text, pf, why);

	error = error ? error : vf_check_pf(pf, why);
	return error ? failure(tool, exit_of(error), "%s", why) : WYE_EXIT_OK;
}

/* ---- show ---- */

static void print_settings(struct out *out, const struct wye_vf *vf)
{
	char mac[18];

	if (!vf->known) {
		for (int i = 0; i < 4; i++)
			out_cell_none(out);
		return;
	}
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", vf->mac[0], vf->mac[1], vf->mac[2], vf->mac[3], vf->mac[4],
		 vf->mac[5]);
	out_cell_str(out, mac);
	out_cell_uint(out, vf->vlan);
	out_cell_bool(out, vf->trust);
	out_cell_bool(out, vf->spoofchk);
}

static int show(struct tool *tool, const struct wye_device *pf)
{
	struct out *out = &tool->out;
	char why[WYE_WHY_BYTES];
	struct vf vf[WYE_VFS_MAX];
	size_t n;
	int error = vf_list(&machine, pf, vf, &n, why);

	if (error)
		return failure(tool, WYE_EXIT_ERROR, "%s", why);
	out_table(out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < n; i++) {
		out_row(out);
		out_cell_uint(out, i);
		out_cell_str(out, vf[i].device.name);
		out_cell_str(out, vf[i].device.driver);
		out_cell_str(out, vf[i].device.netdev);
		if (vf[i].device.group >= 0)
			out_cell_uint(out, (uint64_t)vf[i].device.group);
		else
			out_cell_none(out);
		print_settings(out, &vf[i].is);
		out_row_end(out);
	}
	out_table_end(out);
	return WYE_EXIT_OK;
}

static int run_show(struct tool *tool, int argc, char **argv)
{
	struct wye_device pf;
	int code = argc == 1 ? find_pf(tool, argv[0], &pf) : usage_error(tool, "a PF is wanted: wye vf show eth0");

	return code ? code : show(tool, &pf);
}

/* ---- create, set ---- */

/* MACs count on in their last three bytes, within the maker's prefix. */
static void count_on(uint8_t mac[6])
{
	for (int i = 5; i >= 3 && !++mac[i]; i--)
		;
}

static int set_all(const struct wye_device *pf, uint32_t n, struct vf_wishes wishes, char *why)
{
	int error = 0;

	for (uint32_t i = 0; !error && wishes_any(&wishes) && i < n; i++) {
		error = vf_set(pf, i, &wishes, why);
		count_on(wishes.mac);
	}
	return error;
}

static int create(const struct wye_device *pf, uint32_t n, const struct vf_wishes *wishes, char *why)
{
	char also[WYE_WHY_BYTES];
	int error = pf->vfs ? 0 : vf_number(&machine, pf, n, why);

	if (error)
		return error;
	error = set_all(pf, n, *wishes, why);
	if (error && !pf->vfs)
		(void)vf_number(&machine, pf, 0, also);
	return error;
}

static int run_create(struct tool *tool, int argc, char **argv)
{
	char why[WYE_WHY_BYTES];
	struct vf_wishes wishes;
	struct wye_device pf;
	uint32_t n;
	int code, error;

	if (argc < 2)
		return usage_error(tool, "a PF and a number are wanted: wye vf create eth0 2");
	code = take_wishes(tool, argc - 2, argv + 2, &wishes);
	code = code ? code : find_pf(tool, argv[0], &pf);
	if (code)
		return code;
	if (!parse_number(argv[1], pf.vfs_max < WYE_VFS_MAX ? (uint32_t)pf.vfs_max : WYE_VFS_MAX, &n) || !n)
		return usage_error(tool, "\"%s\" VFs: %s can have 1 to %lld", argv[1], pf.netdev, (long long)pf.vfs_max);
	if (pf.vfs && pf.vfs != n)
		return failure(tool, WYE_EXIT_ERROR, "%s has %lld VFs, and their number changes by way of none only: wye vf delete %s",
			       pf.netdev, (long long)pf.vfs, pf.netdev);
	error = create(&pf, n, &wishes, why);
	return error ? failure(tool, WYE_EXIT_ERROR, "%s", why) : show(tool, &pf);
}

static int run_set(struct tool *tool, int argc, char **argv)
{
	char why[WYE_WHY_BYTES];
	struct vf_wishes wishes;
	struct wye_device pf;
	uint32_t index;
	int code;

	if (argc < 4)
		return usage_error(tool, "a PF, a VF's number and a setting are wanted: wye vf set eth0 0 trust on");
	code = take_wishes(tool, argc - 2, argv + 2, &wishes);
	code = code ? code : find_pf(tool, argv[0], &pf);
	if (code)
		return code;
	if (!pf.vfs || !parse_number(argv[1], (uint32_t)pf.vfs - 1, &index))
		return failure(tool, WYE_EXIT_NOT_FOUND, "VF \"%s\": %s has %lld VFs, counted from 0", argv[1], pf.netdev,
			       (long long)pf.vfs);
	return vf_set(&pf, index, &wishes, why) ? failure(tool, WYE_EXIT_ERROR, "%s", why) : show(tool, &pf);
}

/* ---- delete ---- */

/* One that a virtual machine has open makes the kernel wait until that ends; one of the kernel's may be what we are reached by. */
static int delete(const struct wye_device *pf, bool force, char *why)
{
	struct vf vf[WYE_VFS_MAX];
	size_t n;
	int error = vf_list(&machine, pf, vf, &n, why);

	for (size_t i = 0; !error && i < n; i++) {
		error = bind_users(&machine, &vf[i].device, why);
		if (!error && !force)
			error = bind_guard(&machine, &vf[i].device, why);
	}
	return error ? error : vf_number(&machine, pf, 0, why);
}

static int run_delete(struct tool *tool, int argc, char **argv)
{
	char why[WYE_WHY_BYTES];
	struct wye_device pf;
	bool force = argc == 2 && !strcmp(argv[1], "--force");
	int code = argc == 1 + force ? find_pf(tool, argv[0], &pf) : usage_error(tool, "a PF is wanted: wye vf delete eth0");

	if (code)
		return code;
	return delete(&pf, force, why) ? failure(tool, WYE_EXIT_ERROR, "%s", why) : WYE_EXIT_OK;
}

static int run(struct tool *tool, int argc, char **argv)
{
	static const struct { const char *name; int (*run)(struct tool *tool, int argc, char **argv); } verbs[] = {
		{ "show", run_show }, { "create", run_create }, { "set", run_set }, { "delete", run_delete },
	};

	for (size_t i = 0; argc && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, argv[0]))
			return verbs[i].run(tool, argc - 1, argv + 1);
	return usage_error(tool, "one of show, create, set, delete is wanted");
}

const struct command cmd_vf = {
	.name = "vf",
	.summary = "the VFs of a PF that stays with the kernel: show, create, set, delete",
	.arguments = "show PF | create PF N [SETTINGS] | set PF VF SETTINGS | delete PF [--force]",
	.help = "SETTINGS: mac MAC, vlan ID (0: none), trust on|off, spoofchk on|off; with create for all VFs, MACs counting on.\n"
		"Each is verified; VFs that could not be set up as asked are taken away again. A VF that a virtual machine or a\n"
		"dataplane has open is not deleted; nor one that carries what `wye bind` would refuse to take, without --force.\n",
	.run = run,
};

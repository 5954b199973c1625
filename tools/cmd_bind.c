/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye bind, wye unbind: devices to other drivers and back. What is about to change is remembered first, so that a command that
 * is killed half-way can be undone by `wye unbind`.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "wye.h"
#include "wye_config.h"

static const struct out_column columns[] = {
	{ "device", "DEVICE", false }, { "from", "FROM", false }, { "to", "TO", false },
};

struct request {
	struct wye_sysroot root;
	struct bind_wishes wishes;
	const char *device;
	const char *config;	/* with --ports */
	bool all, ports;
};

static int exit_of(int error)
{
	return error == -ENOENT ? WYE_EXIT_NOT_FOUND : error == -EINVAL ? WYE_EXIT_USAGE : WYE_EXIT_ERROR;
}

static void print(struct out *out, const struct bind_plan *plan)
{
	out_table(out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < plan->n; i++) {
		out_row(out);
		out_cell_str(out, plan->change[i].device);
		out_cell_str(out, plan->change[i].from);
		out_cell_str(out, plan->change[i].to);
		out_row_end(out);
	}
	out_table_end(out);
}

/* ---- bind ---- */

/* Remembers, then does; what failed and was put back is forgotten again. */
static int carry_out(struct tool *tool, const struct request *request, const struct bind_plan *plan, char *why)
{
	char also[WYE_WHY_BYTES];
	struct bind_plan before, after;
	int error = bind_state_read(tool->view.run_dir, &before, why);

	after = before;
	error = error ? error : bind_state_add(&after, plan, why);
	error = error ? error : bind_state_write(tool->view.run_dir, &after, why);
	if (error)
		return error;
	error = bind_carry_out(&request->root, plan, why);
	if (error && error != -ENOTRECOVERABLE)
		(void)bind_state_write(tool->view.run_dir, &before, also);
	return error;
}

static int bind_found(struct tool *tool, const struct request *request, const struct wye_device *device, struct bind_plan *plan,
		      char *why)
{
	int lock = bind_state_open(tool->view.run_dir, why), error;

	if (lock < 0)
		return lock;
	error = bind_plan_make(&request->root, device, &request->wishes, plan, why);
	if (!error && plan->n)
		error = carry_out(tool, request, plan, why);
	bind_state_close(lock);
	return error;
}

static int bind_device(struct tool *tool, const struct request *request, struct bind_plan *plan, char *why)
{
	struct wye_device device;
	int error = wye_device_find(&request->root, request->device, &device, why);

	return error ? error : bind_found(tool, request, &device, plan, why);
}

/* igb_uio is as good where it is bound already. */
static const char *uio_driver(const struct wye_device *device)
{
	return wye_driver_is_uio(device->driver) ? device->driver : "uio_pci_generic";
}

/* Each for itself: a device that is missing keeps no other port from its own. */
static int bind_ports(struct tool *tool, struct request *request, struct bind_plan *done)
{
	struct wye_config *config = NULL;
	int code = WYE_EXIT_OK;

	done->n = 0;
	if (wye_config_load(request->config, &config, stderr))
		return failure(tool, WYE_EXIT_USAGE, "nothing is bound: wye check %s", request->config);
	for (size_t i = 0; i < config->n_ports; i++) {
		const struct wye_config_port *port = &config->port[i];
		struct wye_device device;
		struct bind_plan plan;
		char why[WYE_WHY_BYTES];
		int error;

		if (!wye_driver_takes_device(port->driver))
			continue;
		error = wye_device_of_port(&request->root, port, port->netdev, &device, why);
		request->wishes.driver = port->driver == WYE_DRIVER_VFIO ? "vfio" : uio_driver(&device);
		error = error ? error : bind_found(tool, request, &device, &plan, why);
		error = error ? error : bind_state_add(done, &plan, why);
		if (error)
			code = failure(tool, WYE_EXIT_ERROR, "port %s: %s", port->netdev, why);
	}
	wye_config_free(config);
	return code;
}

static int show_state(struct tool *tool)
{
	struct bind_plan state;
	char why[WYE_WHY_BYTES];

	if (bind_state_read(tool->view.run_dir, &state, why))
		return failure(tool, WYE_EXIT_ERROR, "%s", why);
	print(&tool->out, &state);
	return WYE_EXIT_OK;
}

static int take_arguments(struct tool *tool, int argc, char **argv, struct request *request, int words)
{
	*request = (struct request){ .root = { "" }, .config = tool->view.config_path };
	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--group"))
			request->wishes.group = true;
		else if (!strcmp(argv[i], "--force"))
			request->wishes.force = true;
		else if (!strcmp(argv[i], "--allow-unsafe"))
			request->wishes.allow_unsafe = true;
		else if (!strcmp(argv[i], "--all"))
			request->all = true;
		else if (!strcmp(argv[i], "--ports"))
			request->ports = true;
		else if (!strcmp(argv[i], "--config") && i + 1 < argc)
			request->config = argv[++i];
		else if (!strcmp(argv[i], "--root") && i + 1 < argc)
			request->root.dir = argv[++i];
		else if (argv[i][0] != '-' && !request->device)
			request->device = argv[i];
		else if (argv[i][0] != '-' && words == 2 && !request->wishes.driver)
			request->wishes.driver = argv[i];
		else
			return usage_error(tool, "argument \"%s\"", argv[i]);
	}
	return WYE_EXIT_OK;
}

static int run_bind(struct tool *tool, int argc, char **argv)
{
	char why[WYE_WHY_BYTES];
	struct request request;
	int error, code = WYE_EXIT_OK;
	struct bind_plan plan;

	if (!argc)
		return show_state(tool);
	if (take_arguments(tool, argc, argv, &request, 2))
		return WYE_EXIT_USAGE;
	if (request.all || request.ports == (request.device != NULL) || request.ports == (request.wishes.driver != NULL))
		return usage_error(tool, "a device and a driver are wanted, or --ports: wye bind 0000:01:10.0 vfio-pci");
	if (request.ports) {
		code = bind_ports(tool, &request, &plan);
	} else {
		error = bind_device(tool, &request, &plan, why);
		if (error)
			return failure(tool, exit_of(error), "%s", why);
	}
	print(&tool->out, &plan);
	return code;
}

/* ---- unbind ---- */

/* As it was before the first bind; a device that was never remembered goes to the kernel's own driver. */
static int plan_restore(const struct request *request, struct bind_plan *state, const struct wye_device *device,
			struct bind_plan *plan, char *why)
{
	const struct bind_wishes to_kernel = { .driver = "kernel", .force = true };
	struct bind_change key = { .bus = device->bus };
	const struct bind_change *known;

	snprintf(key.device, sizeof(key.device), "%s", device->name);
	known = bind_state_find(state, &key);
	if (!known)
		return bind_plan_make(&request->root, device, &to_kernel, plan, why);
	plan->n = 1;
	plan->change[0] = bind_reverse(known);
	snprintf(plan->change[0].from, sizeof(plan->change[0].from), "%s", device->driver);
	return bind_users(&request->root, device, why);
}

static int unbind_device(struct tool *tool, const struct request *request, struct bind_plan *state, const struct wye_device *device,
			 struct bind_plan *plan, char *why)
{
	int error = plan_restore(request, state, device, plan, why);

	error = error ? error : bind_carry_out(&request->root, plan, why);
	if (error)
		return error;
	bind_state_remove(state, plan);
	return bind_state_write(tool->view.run_dir, state, why);
}

/* Each for itself: one that a virtual machine has open keeps no other from coming back. VFs that are gone are forgotten. */
static int unbind_all(struct tool *tool, const struct request *request, struct bind_plan *state, struct bind_plan *done)
{
	const struct bind_plan remembered = *state;
	int code = WYE_EXIT_OK;

	done->n = 0;
	for (size_t i = 0; i < remembered.n; i++) {
		struct bind_plan one = { .change[0] = remembered.change[i], .n = 1 };
		char why[WYE_WHY_BYTES];
		struct wye_device device;
		int error = wye_device_read(&request->root, one.change[0].bus, one.change[0].device, &device, why);

		if (error == -ENOENT) {
			bind_state_remove(state, &one);
			error = bind_state_write(tool->view.run_dir, state, why);
		} else if (!error) {
			error = unbind_device(tool, request, state, &device, &one, why);
			if (!error)
				done->change[done->n++] = one.change[0];
		}
		if (error)
			code = failure(tool, WYE_EXIT_ERROR, "%s", why);
	}
	return code;
}

static int unbind(struct tool *tool, const struct request *request)
{
	struct bind_plan state, done = { 0 };
	char why[WYE_WHY_BYTES];
	struct wye_device device;
	int error = bind_state_read(tool->view.run_dir, &state, why), code = WYE_EXIT_OK;

	if (!error && request->all) {
		code = unbind_all(tool, request, &state, &done);
	} else if (!error) {
		error = wye_device_find(&request->root, request->device, &device, why);
		error = error ? error : unbind_device(tool, request, &state, &device, &done, why);
	}
	if (error)
		return failure(tool, exit_of(error), "%s", why);
	print(&tool->out, &done);
	return code;
}

static int run_unbind(struct tool *tool, int argc, char **argv)
{
	char why[WYE_WHY_BYTES];
	struct request request;
	int code = take_arguments(tool, argc, argv, &request, 1), lock;

	if (code)
		return code;
	if (request.ports || request.all == (request.device != NULL))
		return usage_error(tool, "either a device or --all");
	lock = bind_state_open(tool->view.run_dir, why);
	if (lock < 0)
		return failure(tool, WYE_EXIT_ERROR, "%s", why);
	code = unbind(tool, &request);
	bind_state_close(lock);
	return code;
}

const struct command cmd_bind = {
	.name = "bind",
	.summary = "give a PCI or platform device to vfio-pci, vfio-platform, UIO, no driver, or the kernel",
	.arguments = "[DEVICE DRIVER|--ports [--config FILE]] [--group] [--force] [--allow-unsafe]",
	.help = "DRIVER: vfio (recommended: vfio-pci or vfio-platform), uio_pci_generic, igb_uio, kernel (its own choice), none.\n"
		"--ports: the devices of the configuration's ports, to VFIO or UIO as their driver says (" WYE_CONFIG_PATH_DEFAULT ").\n"
		"Without arguments: what was changed since boot. The driver is verified; if anything fails, all is put back.\n"
		"Refused: a device whose netdev carries a default route, this ssh session, a mounted file system or a disk, or\n"
		"a storage controller (--force); one in use by a virtual machine; one whose IOMMU group would not be viable\n"
		"(--group binds all of it; wye doctor DEVICE tells other ways); what has no IOMMU (--allow-unsafe).\n",
	.run = run_bind,
};

const struct command cmd_unbind = {
	.name = "unbind",
	.summary = "give a device back to the driver it had before `wye bind`",
	.arguments = "DEVICE|--all",
	.help = "A device that wye did not bind goes to the kernel's own driver. --all: everything that was bound since boot.\n",
	.run = run_unbind,
};

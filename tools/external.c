/* SPDX-License-Identifier: BSD-3-Clause */
#include "external.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wye.h"
#include "wye_config.h"
#include "wye_root_file.h"

#define PREFIX "wye-"

struct place {	/* where the plugins are */
	char config[256], folder[4096];
};

/* As wye-dpd has it; what cannot be read is as it is by default. */
static void find_place(const char *run_dir, struct place *place)
{
	struct view view = { .run_dir = run_dir, .config_path = WYE_CONFIG_PATH_DEFAULT, .quiet = true };
	struct wye_config *config = NULL;
	bool told = !view_stats(&view) && view.info->config_path[0];

	snprintf(place->config, sizeof(place->config), "%s", told ? view.info->config_path : WYE_CONFIG_PATH_DEFAULT);
	view_close(&view);
	(void)wye_config_load(place->config, &config, NULL);
	snprintf(place->folder, sizeof(place->folder), "%s", config ? config->plugins.path : WYE_PLUGINS_PATH_DEFAULT);
	wye_config_free(config);
}

static bool well_named(const char *name)
{
	return *name && strlen(name) <= 31 && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")];
}

static int open_command(const struct place *place, const char *name, char *path, size_t size, char *why)
{
	snprintf(path, size, "%s/" PREFIX "%s", place->folder, name);
	return wye_root_file_open(path, why);
}

static void tell_environment(const struct place *place, const char *run_dir, bool json)
{
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[length > 0 ? length : 0] = '\0';
	setenv("WYE", self, 1);
	setenv("WYE_RUN_DIR", run_dir, 1);
	setenv("WYE_CONFIG", place->config, 1);
	setenv("WYE_JSON", json ? "1" : "", 1);
}

/* Only root can change what has been looked at here. */
int external_run(const char *run_dir, bool json, char **argv)
{
	char path[4200], why[WYE_WHY_BYTES];
	struct place place;
	int fd;

	if (!well_named(argv[0])) {
		fprintf(stderr, "wye: unknown command \"%s\" (wye --help)\n", argv[0]);
		return WYE_EXIT_USAGE;
	}
	find_place(run_dir, &place);
	fd = open_command(&place, argv[0], path, sizeof(path), why);
	if (fd == -ENOENT) {
		fprintf(stderr, "wye: unknown command \"%s\", and no plugin brings one: there is no %s (wye --help)\n", argv[0], path);
		return WYE_EXIT_USAGE;
	}
	if (fd < 0) {
		fprintf(stderr, "wye: command \"%s\" is not run: %s\n", argv[0], why);
		return WYE_EXIT_ERROR;
	}
	close(fd);
	tell_environment(&place, run_dir, json);
	execv(path, argv);
	fprintf(stderr, "wye: %s: %s\n", path, strerror(errno));
	return WYE_EXIT_ERROR;
}

static int is_command(const struct dirent *entry)
{
	return !strncmp(entry->d_name, PREFIX, strlen(PREFIX)) && well_named(entry->d_name + strlen(PREFIX));
}

void external_list(FILE *file, const char *run_dir)
{
	char path[4200], why[WYE_WHY_BYTES];
	struct dirent **entry = NULL;
	bool headed = false;
	struct place place;
	int n;

	find_place(run_dir, &place);
	n = scandir(place.folder, &entry, is_command, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = entry[i]->d_name + strlen(PREFIX);
		int fd = open_command(&place, name, path, sizeof(path), why);

		if (fd >= 0 && !access(path, X_OK)) {
			fprintf(file, "%s  %-15s %s\n", headed ? "" : "\nof plugins:\n", name, path);
			headed = true;
		}
		if (fd >= 0)
			close(fd);
		free(entry[i]);
	}
	free(entry);
}

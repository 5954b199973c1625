/* SPDX-License-Identifier: BSD-3-Clause */
/* Sections at a reload: in their order, all of them or none; what cannot be sorted or would be forgotten is told by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/config.h"
#include "wye_config.h"
#include "wye_map.h"

static char said[256];	/* what was called, in order: "+" to what is wanted, "-" back */
static char why[WYE_WHY_BYTES];
static const char *refuses, *refuses_back;	/* names */
static struct wye_config now, wanted;

/* Of each section one value; wanted are larger ones. */
static uint32_t *value_of(struct wye_config *config, const char *name)
{
	uint32_t *const value[] = { &config->tables.stale_after_s, &config->workers.priority, &config->slow.below_pps,
				    &config->punt.rate_pps, &config->memory.size_mib };
	static const char *const section[] = { "tables", "workers", "steering", "punt" };
	size_t i = 0;

	while (i < 4 && strcmp(section[i], name))
		i++;
	return value[i];
}

static bool same(const struct config_section *section, const struct wye_config *a, const struct wye_config *b)
{
	return *value_of((struct wye_config *)a, section->name) == *value_of((struct wye_config *)b, section->name);
}

static int change(const struct config_section *section, struct dpd *dpd, struct wye_config *config, char *reason)
{
	uint32_t *has = value_of(&now, section->name), *gets = value_of(config, section->name);
	bool back = *gets < *has;
	const char *refused = back ? refuses_back : refuses;

	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s ", back ? "-" : "+", section->name);
	if (refused && !strcmp(section->name, refused)) {
		snprintf(reason, WYE_WHY_BYTES, "%s is in the way", section->name);
		return -EBUSY;
	}
	CONFIG_EXCHANGE(*has, *gets);
	return 0;
}

static int check(const struct wye_config *a, const struct wye_config *b, char *reason)
{
	if (a->n_ports == b->n_ports)
		return 0;
	snprintf(reason, WYE_WHY_BYTES, "other ports");
	return -EINVAL;
}

/* ---- the sections of wye.yaml, each as one that waits for a restart --------------------------------------------------- */

static struct config_section section[CONFIG_SECTIONS_MAX + 1];
static int n_sections;

static struct config_section *find(const char *name)
{
	for (int i = 0; i < n_sections; i++)
		if (!strcmp(section[i].name, name))
			return &section[i];
	fail_msg("no section %s", name);
	return NULL;
}

static struct config_section *add(const char *name)
{
	section[n_sections] = (struct config_section){ .name = name, .same = same };
	config_add(&section[n_sections]);
	return &section[n_sections++];
}

static int add_all(void **state)
{
	const char *name;

	for (size_t i = 0; (name = wye_config_section(i)); i++)
		add(name);
	said[0] = why[0] = '\0';
	refuses = refuses_back = NULL;
	now = wanted = (struct wye_config){ 0 };
	return 0;
}

static int remove_all(void **state)
{
	while (n_sections)
		config_remove(&section[--n_sections]);
	return 0;
}

static int reload(void)
{
	struct config_section *sorted[CONFIG_SECTIONS_MAX];
	int n = config_sort(sorted, why);

	assert_int_equal(n, n_sections);
	said[0] = '\0';
	return config_change(sorted, n, NULL, &now, &wanted, why);
}

static const char *unsorted(void)
{
	struct config_section *sorted[CONFIG_SECTIONS_MAX];

	why[0] = '\0';
	assert_int_equal(config_sort(sorted, why), -EINVAL);
	return why;
}

static const char *const after_tables[] = { "tables", NULL }, *const after_workers[] = { "workers", NULL };

/* ---- sorting ---------------------------------------------------------------------------------------------------------- */

static void each_comes_after_what_it_names(void **state)
{
	static const char *const order[] = { "memory", "parity", "plugins", "ports", "punt", "tables", "workers", "steering" };
	struct config_section *sorted[CONFIG_SECTIONS_MAX];

	find("steering")->after = after_workers;
	assert_int_equal(config_sort(sorted, why), sizeof(order) / sizeof(order[0]));
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		assert_string_equal(sorted[i]->name, order[i]);
}

/* A new section of the schema that nobody reloads cannot be forgotten. */
static void every_section_of_the_file_is_somebodys(void **state)
{
	for (int i = 0; i < n_sections; i++) {
		char name[64];

		config_remove(&section[i]);
		snprintf(name, sizeof(name), "with section \"%s\"", section[i].name);
		assert_non_null(strstr(unsorted(), name));
		config_add(&section[i]);
	}
}

static void what_cannot_be_is_named(void **state)
{
	struct config_section *one = add("tunnels");

	assert_string_equal(unsorted(), "wye.yaml has no section for config section \"tunnels\"");
	one->name = "port.eth0";
	assert_string_equal(unsorted(), "wye.yaml has no section for config section \"port.eth0\"");
	one->name = "punt";
	assert_string_equal(unsorted(), "two config sections are called \"punt\"");
	one->name = "punt.rate";
	one->after = CONFIG_NAMES("ports", "eal");
	assert_string_equal(unsorted(), "config section \"punt.rate\" is to come after \"eal\", which there is not");
	one->after = CONFIG_NAMES("ports");
	find("ports")->after = CONFIG_NAMES("punt.rate");
	assert_non_null(strstr(unsorted(), "config sections wait for each other: "));
	assert_non_null(strstr(why, "\"ports\" after \"punt.rate\""));
	find("ports")->after = NULL;
	while (n_sections <= CONFIG_SECTIONS_MAX)
		add("punt.more");
	assert_non_null(strstr(unsorted(), "is one too many"));
}

/* ---- changing --------------------------------------------------------------------------------------------------------- */

static void take_some(void)
{
	find("tables")->change = find("workers")->change = find("steering")->change = change;
	find("workers")->after = after_tables;
	find("steering")->after = after_workers;
	wanted.tables.stale_after_s = wanted.workers.priority = wanted.slow.below_pps = 1;
}

static void what_has_changed_is_changed_in_order(void **state)
{
	take_some();
	wanted.workers.priority = 0;
	assert_int_equal(reload(), 0);
	assert_string_equal(said, "+tables +steering ");
	assert_true(find("tables")->changed && find("tables")->took_ns && now.tables.stale_after_s == 1);
	assert_false(find("workers")->changed || find("workers")->took_ns || find("workers")->waits);
	wanted = now;
	wanted.slow.below_pps = 2;
	assert_int_equal(reload(), 0);
	assert_string_equal(said, "+steering ");
	assert_true(find("steering")->changed && !find("tables")->changed && find("tables")->took_ns);
}

/* What nobody changes waits, as long as it differs from what runs; what nobody compares is another daemon's. */
static void the_rest_waits(void **state)
{
	find("parity")->same = NULL;
	wanted.punt.rate_pps = 1;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(reload(), 0);
		assert_string_equal(said, "");
		assert_true(find("punt")->waits && !find("punt")->changed);
		assert_false(find("parity")->waits || find("memory")->waits);
	}
	wanted.punt.rate_pps = 0;
	assert_int_equal(reload(), 0);
	assert_false(find("punt")->waits);
}

static void taken_always_what_is_not_compared(void **state)
{
	take_some();
	find("steering")->same = NULL;
	wanted = now;
	assert_int_equal(reload(), 0);
	assert_string_equal(said, "+steering ");
}

static void refused_before_anything_is_changed(void **state)
{
	take_some();
	find("workers")->check = check; /* the second */
	wanted.n_ports = 1;
	assert_int_equal(reload(), -EINVAL);
	assert_string_equal(why, "other ports");
	assert_string_equal(said, "");
}

static void changed_back_in_reverse(void **state)
{
	struct wye_config before = now;

	take_some();
	wanted.punt.rate_pps = 1;
	refuses = "steering";
	assert_int_equal(reload(), -EBUSY);
	assert_string_equal(said, "+tables +workers +steering -workers -tables ");
	assert_string_equal(why, "steering is in the way");
	assert_memory_equal(&now, &before, sizeof(now));
	assert_false(find("tables")->changed || find("punt")->waits);
	refuses = "tables";
	assert_int_equal(reload(), -EBUSY);
	assert_string_equal(said, "+tables ");
}

/* One that cannot be changed back is told of, and does not keep the others from it. */
static void what_stays_changed_is_said(void **state)
{
	take_some();
	refuses = "steering";
	refuses_back = "workers";
	assert_int_equal(reload(), -EBUSY);
	assert_string_equal(said, "+tables +workers +steering -workers -tables ");
	assert_string_equal(why, "steering is in the way; but section workers cannot be changed back: workers is in the way");
	assert_true(now.workers.priority == 1 && now.tables.stale_after_s == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_comes_after_what_it_names, add_all, remove_all),
		cmocka_unit_test_setup_teardown(every_section_of_the_file_is_somebodys, add_all, remove_all),
		cmocka_unit_test_setup_teardown(what_cannot_be_is_named, add_all, remove_all),
		cmocka_unit_test_setup_teardown(what_has_changed_is_changed_in_order, add_all, remove_all),
		cmocka_unit_test_setup_teardown(the_rest_waits, add_all, remove_all),
		cmocka_unit_test_setup_teardown(taken_always_what_is_not_compared, add_all, remove_all),
		cmocka_unit_test_setup_teardown(refused_before_anything_is_changed, add_all, remove_all),
		cmocka_unit_test_setup_teardown(changed_back_in_reverse, add_all, remove_all),
		cmocka_unit_test_setup_teardown(what_stays_changed_is_said, add_all, remove_all),
	};

	return cmocka_run_group_tests_name("config_change", tests, NULL, NULL);
}

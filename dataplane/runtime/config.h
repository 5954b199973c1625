/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sections of wye.yaml: each part of the daemon says beside its own code which section it is configured by, what of it
 * a reload can change and how, and before or after which others. A part of a section may have one of its own, with a
 * name behind the section's: "plugins.sflow". Main thread.
 *
 *	CONFIG(steering, .change = flows_change, .after = CONFIG_NAMES("workers"));
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_SECTIONS_MAX 32

struct dpd;
struct wye_config;

struct config_section {
	const char *name;
	/* Has nothing of it changed? NULL: with `change`, it is taken at every reload; without, it is not wye-dpd's */
	bool (*same)(const struct config_section *section, const struct wye_config *now, const struct wye_config *wanted);
	/* May there be a reload with it? Asked before anything is changed. 0, or -errno with why (WYE_WHY_BYTES).
	 * NULL: yes */
	int (*check)(const struct wye_config *now, const struct wye_config *wanted, char *why);
	/*
	 * Makes it so, and exchanges between dpd->config and `wanted` what has been taken, so that a second call changes
	 * it back. 0, or -errno with why, and all is as it was. NULL: what has changed waits for a restart.
	 */
	int (*change)(const struct config_section *section, struct dpd *dpd, struct wye_config *wanted, char *why);
	const char *const *after, *const *before;	/* names as in struct init */
	void *of;	/* the part's own */
	/* config.c's */
	uint64_t took_ns;	/* the last change; 0 = none */
	bool changed, waits;	/* at the last reload that went through */
	struct config_section *next;
};

#define CONFIG_NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define CONFIG(name_, ...)                                                             \
	static struct config_section config_##name_ = { .name = #name_, __VA_ARGS__ }; \
	static void __attribute__((constructor)) config_add_##name_(void) { config_add(&config_##name_); }

/* For `change`. */
#define CONFIG_EXCHANGE(a, b)                   \
	do {                                    \
		typeof(a) config_before_ = (a); \
		(a) = (b);                      \
		(b) = config_before_;           \
	} while (0)

void config_add(struct config_section *section);
void config_remove(struct config_section *section);

/*
 * The sections in an order that all of them agree with (order_sort()). Their number, or -EINVAL with `why`: what cannot
 * be sorted, with both names; a section of the file that nobody has added; one that the file has not.
 */
int config_sort(struct config_section *sorted[static CONFIG_SECTIONS_MAX], char *why);

/*
 * From `now`, which is dpd->config, to `wanted`: all checks, then the changes in that order. 0, and what the sections
 * say of it; or -errno with why, and those changed before have been changed back, in reverse, as far as they could be.
 */
int config_change(struct config_section *const *sorted, int n, struct dpd *dpd, const struct wye_config *now,
		  struct wye_config *wanted, char *why);

#endif

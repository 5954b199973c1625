/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle of the steering tests: guards and rules taken one by one, straight from their description, with none of
 * the code under test. And random rule sets and packets that like to sit on each other's boundaries.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"
#include "wye_config.h"

struct model_local {
	uint8_t family, prefix_len, addr[16];
};

struct model_verdict {
	bool guard;	/* kept by a guard or as the host's own */
	int rule;	/* deciding rule, -1 = default; only if not guard */
	enum wye_action action;
};

struct model_verdict model_judge(const struct wye_config *config, const struct model_local *local, size_t n_locals,
				 const struct packet *packet, const uint8_t mac[6]);

struct model_random {
	uint64_t state;
};
uint32_t model_random(struct model_random *random, uint32_t below);

/* Fills config->rule[0..n_rules). */
void model_random_rules(struct model_random *random, struct wye_config *config, size_t n_rules);
/* Often hits a rule of config, or misses it by one. */
void model_random_packet(struct model_random *random, const struct wye_config *config, struct packet *packet);

#endif

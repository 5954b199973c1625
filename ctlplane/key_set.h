/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of (class, key), kept as 64-bit hashes: for what a dump says of objects that were notified meanwhile, and for
 * what an audit suspects. Two keys of one hash (one chance in 2^64 a pair) cost a second look, never a wrong answer.
 */
#ifndef KEY_SET_H
#define KEY_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key_set {		/* zero-initialised is empty */
	uint64_t *slot;
	uint32_t mask, count;
};

bool key_set_add(struct key_set *set, uint8_t class, const void *key, size_t len);	/* false: out of memory */
bool key_set_has(const struct key_set *set, uint8_t class, const void *key, size_t len);
void key_set_clear(struct key_set *set);
void key_set_close(struct key_set *set);

#endif

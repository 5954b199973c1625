/* SPDX-License-Identifier: BSD-3-Clause */
/* Private arrays that grow by half their size. */
#ifndef ARRAY_H
#define ARRAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* Makes *array hold at least `need` items; what is new is not initialised. False: no memory, nothing changed. */
static inline bool array_fit(void **array, uint32_t *cap, size_t item_bytes, uint32_t need)
{
	uint32_t more = *cap ? *cap + *cap / 2 : 64;
	void *bigger;

	if (need <= *cap)
		return true;
	if (more < need)
		more = need;
	bigger = realloc(*array, (size_t)more * item_bytes);
	if (!bigger)
		return false;
	*array = bigger;
	*cap = more;
	return true;
}

#endif

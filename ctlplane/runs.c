/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Boundary tags (Knuth, TAOCP 1, 2.5): a free run of n granules keeps in its first granule {previous, next, n} and
 * in the last word of its last granule n again; `edge` marks both granules, so whoever is freed beside it finds it.
 * Free memory has no readers, therefore tags are plain stores.
 */
#include "runs.h"

#include <errno.h>
#include <stdlib.h>

#define PREV(r, g)     ((r)->base[(uint64_t)(g) * (r)->granule])
#define NEXT(r, g)     ((r)->base[(uint64_t)(g) * (r)->granule + 1])
#define SIZE(r, g)     ((r)->base[(uint64_t)(g) * (r)->granule + 2])
#define TAIL(r, g, n)  ((r)->base[((uint64_t)(g) + (n)) * (r)->granule - 1])

int runs_init(struct runs *runs, uint32_t *base, uint32_t granule_words, uint32_t limit,
	      bool (*back)(struct runs *, uint32_t), void *ctx)
{
	*runs = (struct runs){ .base = base, .top = 1, .limit = limit, .granule = granule_words, .back = back,
			       .ctx = ctx };
	runs->edge = calloc(limit / 64 + 2, sizeof(*runs->edge));
	return runs->edge ? 0 : -ENOMEM;
}

void runs_fini(struct runs *runs)
{
	free(runs->edge);
	runs->edge = NULL;
}

static uint32_t bin_of(uint32_t n)
{
	if (n <= RUNS_EXACT_BINS)
		return n - 1;
	return RUNS_EXACT_BINS + (31 - (uint32_t)__builtin_clz(n)) - 6;
}

static bool is_edge(const struct runs *runs, uint32_t g)
{
	return runs->edge[g / 64] >> (g % 64) & 1;
}

static void set_edges(struct runs *runs, uint32_t g, uint32_t n, bool on)
{
	uint32_t last = g + n - 1;

	if (on) {
		runs->edge[g / 64] |= 1ULL << (g % 64);
		runs->edge[last / 64] |= 1ULL << (last % 64);
	} else {
		runs->edge[g / 64] &= ~(1ULL << (g % 64));
		runs->edge[last / 64] &= ~(1ULL << (last % 64));
	}
}

static void bin_mark(struct runs *runs, uint32_t bin)
{
	bool used = runs->bin[bin];

	if (bin < RUNS_EXACT_BINS)
		runs->exact = (runs->exact & ~(1ULL << bin)) | (uint64_t)used << bin;
	else
		runs->large = (runs->large & ~(1U << (bin - RUNS_EXACT_BINS))) |
			      (uint32_t)used << (bin - RUNS_EXACT_BINS);
}

static void bin_push(struct runs *runs, uint32_t g, uint32_t n)
{
	uint32_t bin = bin_of(n), first = runs->bin[bin];

	PREV(runs, g) = 0;
	NEXT(runs, g) = first;
	SIZE(runs, g) = n;
	TAIL(runs, g, n) = n;
	if (first)
		PREV(runs, first) = g;
	runs->bin[bin] = g;
	bin_mark(runs, bin);
	set_edges(runs, g, n, true);
}

static void bin_remove(struct runs *runs, uint32_t g)
{
	uint32_t n = SIZE(runs, g), bin = bin_of(n), prev = PREV(runs, g), next = NEXT(runs, g);

	if (next)
		PREV(runs, next) = prev;
	if (prev)
		NEXT(runs, prev) = next;
	else
		runs->bin[bin] = next;
	bin_mark(runs, bin);
	set_edges(runs, g, n, false);
}

/* A free run of at least n granules, the smallest bin first; 0 = none. */
static uint32_t find(const struct runs *runs, uint32_t n)
{
	uint32_t bin = bin_of(n), large = runs->large;

	if (bin < RUNS_EXACT_BINS) {
		uint64_t exact = runs->exact >> bin << bin;

		if (exact)
			return runs->bin[__builtin_ctzll(exact)];
	} else {
		for (uint32_t g = runs->bin[bin]; g; g = NEXT(runs, g))
			if (SIZE(runs, g) >= n)
				return g;
		bin -= RUNS_EXACT_BINS;
		large = large >> bin >> 1 << bin << 1;
	}
	return large ? runs->bin[RUNS_EXACT_BINS + (uint32_t)__builtin_ctz(large)] : 0;
}

uint32_t runs_alloc(struct runs *runs, uint32_t count)
{
	uint32_t g = find(runs, count);

	if (g) {
		uint32_t rest = SIZE(runs, g) - count;

		bin_remove(runs, g);
		if (rest)
			bin_push(runs, g + count, rest);
	} else {
		if (count > runs->limit - runs->top || !runs->back(runs, runs->top + count))
			return 0;
		g = runs->top;
		runs->top += count;
	}
	runs->live += count;
	return g;
}

void runs_free(struct runs *runs, uint32_t g, uint32_t n)
{
	runs->live -= n;
	if (g > 1 && is_edge(runs, g - 1)) {
		uint32_t left = TAIL(runs, g - 1, 1);

		g -= left;
		n += left;
		bin_remove(runs, g);
	}
	if (g + n < runs->top && is_edge(runs, g + n)) {
		uint32_t right = SIZE(runs, g + n);

		bin_remove(runs, g + n);
		n += right;
	}
	bin_push(runs, g, n);
}

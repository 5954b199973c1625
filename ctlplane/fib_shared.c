/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a published node looks (wye_tables.h, the FIB): made from a picture, wide or narrow, looked at again, retired. A
 * node is narrow if its family's may be, the palette has its ids and its deep words have numbers. It has several lines if
 * they take at most one unit more than one with entries that run on.
 *
 * Ordering guarantees: see fib_build.c. `inherited` of a narrow node stands in each of its lines; an address is looked up
 * in one of them, so one after the other is as good as all at once.
 */
#include <string.h>

#include "fib_private.h"

/* Of the node that `word` names: wide nodes have one head. */
static uint32_t n_heads(uint32_t word)
{
	return 1u << wye_fib_lines_log(word);
}

/* ---- from a picture --------------------------------------------------------------------------------------------------- */

static void count(struct fib_picture *picture)
{
	uint32_t ones = 0;

	picture->bits[4] = 0;
	for (uint32_t i = 0; i < 5; i++) {
		picture->ones[i] = ones;
		ones += (uint32_t)__builtin_popcountll(picture->bits[i]);
	}
	picture->n_deep = picture->n_stubs = 0;
	for (uint32_t i = 0; i < picture->n; i++) {
		picture->n_deep += picture->word[i] >> 30 != 0;
		picture->n_stubs += wye_fib_is_stub(picture->word[i]);
	}
}

/* The number of the word that slot says, which is the first of a word of bits. */
static uint32_t word_number(const struct fib_picture *picture, uint32_t slot)
{
	return picture->ones[slot >> 6] + (uint32_t)(picture->bits[slot >> 6] & 1) - 1;
}

static bool lines_fit(const struct fib_picture *picture, uint32_t lines_log)
{
	uint32_t share = 256 >> lines_log, room = wye_fib_line_room(lines_log);

	for (uint32_t slot = 0; slot < 256; slot += share)
		if (picture->ones[(slot + share) >> 6] - word_number(picture, slot) > room)
			return false;
	return true;
}

/* log2 of the lines a narrow node has. */
static uint32_t choose_lines(const struct fib_picture *picture)
{
	uint32_t most = wye_fib_narrow_units(0, picture->n) + 1;

	if (picture->n <= wye_fib_line_room(0))
		return 0;
	for (uint32_t lines_log = 1; lines_log <= WYE_FIB_LINES_LOG_MAX && 1u << lines_log <= most; lines_log++)
		if (lines_fit(picture, lines_log))
			return lines_log;
	return 0;
}

/* Can every entry be a byte? Then they are in picture->place. */
static bool find_places(struct fib *fib, struct fib_picture *picture)
{
	uint32_t deep = WYE_FIB_DEEP;

	for (uint32_t i = 0; i < picture->n; i++) {
		uint32_t word = picture->word[i];

		picture->place[i] = (uint8_t)(word >> 30 ? deep++ : fib_palette_find(fib, word));
		if (word && !picture->place[i])
			return false;
	}
	return true;
}

/* Words from `to` on: all of them, or those that name something; then the stubs. */
static void fill_words(struct fib *fib, const struct fib_picture *picture, uint32_t *to, bool all)
{
	const uint32_t *units = region_records(fib->region, WYE_SECTION_FIB_NODE);
	uint32_t *stub = to + (all ? picture->n : picture->n_deep);

	for (uint32_t i = 0; i < picture->n; i++) {
		uint32_t word = picture->word[i];

		if (!all && !(word >> 30))
			continue;
		if (wye_fib_is_stub(word)) {
			memcpy(stub, &picture->stub[word & WYE_FIB_INDEX], sizeof(struct wye_fib_stub));
			word = WYE_FIB_STUB | (uint32_t)(stub - units);
			stub += WYE_FIB_STUB_WORDS;
		}
		*to++ = word;
	}
}

static void fill_line(struct fib *fib, const struct fib_picture *picture, struct wye_fib_node *line, uint32_t lines_log,
		      uint32_t number)
{
	uint32_t slot = number * (256 >> lines_log), first = word_number(picture, slot);
	uint8_t *places = (uint8_t *)(uintptr_t)wye_fib_places(line, lines_log);
	uint32_t word = slot >> 6, words = wye_fib_line_words(lines_log), n = picture->ones[word + words] - first;

	memset(line->rank, 0, sizeof(line->rank));
	for (uint32_t i = 0; i < words; i++) {
		line->bits[i] = picture->bits[word + i] | !i;
		line->rank[i] = i ? (uint8_t)(picture->ones[word + i] - first) : 0;
	}
	memcpy(places, picture->place + first, n);
	fib_palette_ref(fib, places, n);
}

static void fill_wide(struct fib *fib, const struct fib_picture *picture, struct wye_fib_node *shared)
{
	for (uint32_t i = 0; i < 4; i++) {
		shared->bits[i] = picture->bits[i];
		shared->rank[i] = (uint8_t)picture->ones[i];
	}
	fill_words(fib, picture, (uint32_t *)shared + WYE_FIB_HEAD_WORDS, true);
}

static uint32_t make_wide(struct fib *fib, const struct fib_picture *picture)
{
	uint32_t units = wye_fib_units(WYE_FIB_HEAD_WORDS, picture->n, picture->n_stubs);
	uint32_t index = region_alloc(fib->region, WYE_SECTION_FIB_NODE, units);

	if (!index)
		return 0;
	fill_wide(fib, picture, fib_shared(fib, index));
	return WYE_FIB_CHILD | index;
}

static uint32_t make_narrow(struct fib *fib, const struct fib_picture *picture)
{
	uint32_t lines_log = choose_lines(picture), head = wye_fib_narrow_units(lines_log, picture->n) * WYE_FIB_UNIT_WORDS;
	uint32_t index = region_alloc(fib->region, WYE_SECTION_FIB_NODE,
				      wye_fib_units(head, picture->n_deep, picture->n_stubs));
	struct wye_fib_node *line = fib_shared(fib, index);

	if (!index)
		return 0;
	for (uint32_t i = 0; i < 1u << lines_log; i++)
		fill_line(fib, picture, line + i, lines_log, i);
	fill_words(fib, picture, (uint32_t *)line + head, false);
	return WYE_FIB_CHILD | WYE_FIB_NARROW | lines_log * (WYE_FIB_LINES & -WYE_FIB_LINES) | index;
}

uint32_t fib_shared_make(struct fib *fib, struct fib_picture *picture, bool may_be_narrow, uint32_t inherited)
{
	uint32_t word;

	count(picture);
	if (may_be_narrow && picture->n_deep <= WYE_FIB_DEEP_MAX && find_places(fib, picture))
		word = make_narrow(fib, picture);
	else
		word = make_wide(fib, picture);
	for (uint32_t i = 0; word && i < n_heads(word); i++)
		atomic_store_explicit(&fib_shared(fib, word)[i].inherited, inherited, memory_order_relaxed);
	return word;
}

/* ---- a published one -------------------------------------------------------------------------------------------------- */

static uint32_t word_now(const _Atomic uint32_t *word)
{
	return atomic_load_explicit((_Atomic uint32_t *)word, memory_order_relaxed);
}

uint32_t fib_shared_inherited(const struct fib *fib, uint32_t word)
{
	return word_now(&fib_shared(fib, word)->inherited);
}

void fib_shared_inherit(const struct fib *fib, uint32_t word, uint32_t id)
{
	struct wye_fib_node *head = fib_shared(fib, word);

	if (word_now(&head->inherited) == id)
		return;
	for (uint32_t i = 0; i < n_heads(word); i++)
		wye_publish_word(&head[i].inherited, id); /* P1 */
}

/* The word of entry number `entry` of the line, or of the wide node; NULL: it is a place in the palette. */
static _Atomic uint32_t *entry_word(const struct wye_fib_node *shared, uint32_t word, const struct wye_fib_node *line,
				    uint32_t entry)
{
	uint32_t lines_log = wye_fib_lines_log(word), place;

	if (!(word & WYE_FIB_NARROW))
		return wye_fib_word(shared, entry);
	place = wye_fib_places(line, lines_log)[entry];
	return place < WYE_FIB_DEEP ? NULL : wye_fib_deep(shared, lines_log, place);
}

_Atomic uint32_t *fib_shared_word(const struct fib *fib, uint32_t word, uint32_t slot)
{
	const struct wye_fib_node *shared = fib_shared(fib, word);
	const struct wye_fib_node *line = shared + (slot >> (8 - wye_fib_lines_log(word)));

	return entry_word(shared, word, line, wye_fib_entry(line, wye_fib_lines_log(word), slot));
}

/* Those of one line, or of a wide node. */
static uint32_t line_names(const struct wye_fib_node *shared, uint32_t word, uint32_t number, struct fib_name *name)
{
	uint32_t lines_log = wye_fib_lines_log(word), first = number * (256 >> lines_log), entry = 0, n = 0;
	const struct wye_fib_node *line = shared + number;

	for (uint32_t i = 0; i < wye_fib_line_words(lines_log); i++) {
		for (uint64_t left = line->bits[i]; left; left &= left - 1) {
			const _Atomic uint32_t *says = entry_word(shared, word, line, entry++);
			uint32_t now = says ? word_now(says) : 0;

			if (now >> 30)
				name[n++] = (struct fib_name){ (uint8_t)(first + i * 64 + (uint32_t)__builtin_ctzll(left)),
							       now };
		}
	}
	return n;
}

uint32_t fib_shared_names(const struct fib *fib, uint32_t word, struct fib_name name[256])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_heads(word); i++)
		n += line_names(fib_shared(fib, word), word, i, name + n);
	return n;
}

static uint32_t count_stubs(const _Atomic uint32_t *word, uint32_t n)
{
	uint32_t stubs = 0;

	for (uint32_t i = 0; i < n; i++)
		stubs += wye_fib_is_stub(word_now(&word[i]));
	return stubs;
}

static uint32_t retire_line(struct fib *fib, const struct wye_fib_node *line, uint32_t lines_log)
{
	const uint8_t *place = wye_fib_places(line, lines_log);
	uint32_t n = wye_fib_entries(line, lines_log), deep = 0;

	fib_palette_unref(fib, place, n);
	for (uint32_t i = 0; i < n; i++)
		deep += place[i] >= WYE_FIB_DEEP;
	return deep;
}

/* Units of a narrow node, whose entries are given up. */
static uint32_t retire_lines(struct fib *fib, const struct wye_fib_node *shared, uint32_t lines_log)
{
	uint32_t head = wye_fib_narrow_units(lines_log, wye_fib_entries(shared, lines_log)), deep = 0;

	for (uint32_t i = 0; i < 1u << lines_log; i++)
		deep += retire_line(fib, shared + i, lines_log);
	return wye_fib_units(head * WYE_FIB_UNIT_WORDS, deep,
			     count_stubs(wye_fib_deep(shared, lines_log, WYE_FIB_DEEP), deep));
}

void fib_shared_retire(struct fib *fib, uint32_t word)
{
	const struct wye_fib_node *shared = fib_shared(fib, word);
	uint32_t n = wye_fib_entries(shared, 0), units;

	if (word & WYE_FIB_NARROW)
		units = retire_lines(fib, shared, wye_fib_lines_log(word));
	else
		units = wye_fib_units(WYE_FIB_HEAD_WORDS, n, count_stubs(wye_fib_word(shared, 0), n));
	region_retire(fib->region, WYE_SECTION_FIB_NODE, word & WYE_FIB_UNIT, units);
}

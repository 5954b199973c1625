/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hostile tables region. The input is a list of changes to a sound one (a megabyte of zeros is nothing for a
 * fuzzer to find its way in); what wye_region_check() lets through is then read the way workers and tools read it,
 * with no memory beyond the region that would not be noticed.
 *
 *   byte 0, bits 0-6   how many pages are cut off the end
 *   byte 0, bit 7      the rest replaces the region's first bytes; else it is changes of 6 bytes each:
 *   u16 place          section (5 bits; 15 and up: header), 32-bit word within it (11 bits)
 *   u32 value
 */
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sample_region.h"
#include "wye_fib_batch.h"
#include "wye_map.h"

#define CHANGES_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct wye_region *sound;	/* never changed */
static struct wye_region *region;
static uint64_t region_bytes;

static uint32_t used(enum wye_section_id id)
{
	return region->section[id].used;
}

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

/* Where the interesting words of a section are: in the roots, around the two prefixes the sample has. */
static size_t place_of(uint32_t id, uint32_t word)
{
	size_t bytes;

	if (id >= WYE_SECTIONS)
		return word % (sizeof(struct wye_region) / 4) * 4;
	bytes = (size_t)sound->section[id].record_bytes * sound->section[id].capacity;
	if (id == WYE_SECTION_FIB4_ROOT)
		word += SAMPLE_ROOT + 0x0A00 - 16;
	else if (id == WYE_SECTION_FIB6_ROOT)
		word += SAMPLE_ROOT + 0x2001 - 16;
	return sound->section[id].offset + word % (bytes / 4) * 4;
}

/* A sample whose unused records are garbage: a reader who lands on one does not get away with it. */
static struct wye_region *sample_in_garbage(void)
{
	struct wye_region *made = sample_region(&region_bytes);

	for (int id = 0; id < WYE_SECTIONS; id++) {
		const struct wye_section *s = &made->section[id];

		memset((char *)made + s->offset + (size_t)s->used * s->record_bytes, 0xFF,
		       (size_t)(s->capacity - s->used) * s->record_bytes);
	}
	return made;
}

static size_t changes(const uint8_t *data, size_t size, size_t *at)
{
	size_t n = 0;

	for (; size >= 6 && n < CHANGES_MAX; data += 6, size -= 6, n++) {
		uint16_t place;

		memcpy(&place, data, 2);
		at[n] = place_of(place >> 11, place & 2047);
		memcpy((char *)region + at[n], data + 2, 4);
	}
	return n;
}

/* As a worker forwards by it: every bucket of a group is a path. */
static void follow(uint32_t id)
{
	const struct wye_nexthop *nh = wye_nexthop_of(region, id);
	const uint32_t *group = wye_section_base(region, WYE_SECTION_GROUP);

	must(nh->kind < WYE_NH_KINDS && nh->rewrite_len <= 16, "a nexthop is one");
	must(!nh->link || nh->link < used(WYE_SECTION_LINK), "its link is one");
	if (nh->kind != WYE_NH_GROUP)
		return;
	for (uint32_t i = 0; i < nh->buckets; i++)
		must(wye_nexthop_of(region, group[nh->group + i])->kind != WYE_NH_GROUP, "no group in a group");
}

static void look_up(uint32_t vrf, const uint8_t *noise, size_t noise_bytes)
{
	struct wye_fib fib = wye_fib_of(region, vrf);
	uint32_t dst[64], id[64], id6[64];
	uint8_t dst6[64][16];

	memset(dst6, 0, sizeof(dst6));
	for (int i = 0; i < 64; i++) {
		memcpy(&dst[i], (uint8_t[4]){ 10, i & 1, (uint8_t)(i & 14 ? i : 7 + (i & 1)), (uint8_t)(i * 4) }, 4);
		memcpy(dst6[i], (uint8_t[2]){ 0x20, 1 }, 2);
		memcpy(dst6[i] + 2, noise, noise_bytes < 14 ? noise_bytes : 14);
		dst6[i][2 + i % 14] = (uint8_t)i;
		noise += noise_bytes > 1;
		noise_bytes -= noise_bytes > 1;
	}
	wye_fib4_lookup_batch(&fib, dst, id, 64);
	wye_fib6_lookup_batch(&fib, (const uint8_t(*)[16])dst6, id6, 64);
	for (int i = 0; i < 64; i++) {
		must(id[i] == wye_fib4_lookup(&fib, (const uint8_t *)&dst[i]), "a batch finds what one lookup finds");
		must(id6[i] == wye_fib6_lookup(&fib, dst6[i]), "a batch finds what one lookup finds (IPv6)");
		follow(id[i]);
		follow(id6[i]);
	}
	for (uint32_t first = 0; first < WYE_FIB_ROOT_WORDS; first += 1021) {
		follow(wye_fib4_lookup(&fib, (uint8_t[4]){ (uint8_t)(first >> 8), (uint8_t)first }));
		follow(wye_fib6_lookup(&fib, (uint8_t[16]){ (uint8_t)(first >> 8), (uint8_t)first }));
	}
}

static void read_records(void)
{
	struct wye_link link;

	for (uint32_t i = 1; i < used(WYE_SECTION_LINK); i++) {
		const struct wye_link *shared = (const struct wye_link *)wye_section_base(region, WYE_SECTION_LINK) + i;

		link.seq = 0;
		if (wye_seq_read(&shared->seq, (const char *)shared + 4, (char *)&link + 4, sizeof(link) / 4 - 1) &&
		    (link.flags & WYE_LINK_PRESENT))
			must(strlen(link.name) < 16 && strlen(link.kind) < 16 && strlen(link.qdisc) < 16,
			     "names end");
	}
	for (uint32_t id = 0; id < used(WYE_SECTION_NEXTHOP_SLOT); id++)
		follow(id);
	follow(wye_neigh_lookup(region, SAMPLE_IFINDEX, AF_INET, (uint8_t[16]){ 10, 0, 0, 9 }));
	follow(wye_neigh_lookup(region, 1, AF_INET6, (uint8_t[16]){ 1 }));
}

static void check(uint64_t size_bytes, const uint8_t *noise, size_t noise_bytes)
{
	char why[WYE_WHY_BYTES] = "";
	int error = wye_region_check(region, size_bytes, why);

	must(!!error == !!why[0], "a reason, if refused");
	if (error)
		return;
	for (uint32_t vrf = WYE_VRF_MAIN; vrf < used(WYE_SECTION_VRF); vrf++)
		if (vrf == WYE_VRF_MAIN || ((const struct wye_vrf *)wye_section_base(region, WYE_SECTION_VRF))[vrf].table)
			look_up(vrf, noise, noise_bytes);
	for (uint32_t i = 1; i < used(WYE_SECTION_LINK); i++) {
		const struct wye_link *link = (const struct wye_link *)wye_section_base(region, WYE_SECTION_LINK) + i;

		if ((link->flags & WYE_LINK_PRESENT) && !(link->seq & 1) && link->vrf)
			look_up(link->vrf, noise, noise_bytes);
	}
	read_records();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at[CHANGES_MAX], n = 0, replaced = 0;
	uint64_t size_bytes;

	if (!sound) {
		sound = sample_in_garbage();
		region = sample_in_garbage();
	}
	if (!size)
		return 0;
	if (data[0] & 0x80) {
		replaced = size - 1 < region_bytes ? size - 1 : region_bytes;
		memcpy((void *)region, data + 1, replaced);
	} else {
		n = changes(data + 1, size - 1, at);
	}
	size_bytes = region_bytes - 4096ULL * (data[0] & 0x7F);
	ASAN_POISON_MEMORY_REGION((char *)region + size_bytes, region_bytes - size_bytes);
	check(size_bytes, data, size);
	ASAN_UNPOISON_MEMORY_REGION((char *)region + size_bytes, region_bytes - size_bytes);
	memcpy((void *)region, sound, replaced);
	while (n--)
		memcpy((char *)region + at[n], (char *)sound + at[n], 4);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A router's state in shared files, made with the writer's library, and the operator's command run on it. Links: lo 1,
 * v0 2, v1 3, v2 4 (down). Nexthop ids are those nexthop() returns.
 */
#ifndef WYE_FIXTURE_H
#define WYE_FIXTURE_H

#include <jansson.h>

#include "fib.h"
#include "tables_fixture.h"
#include "wye_stats.h"

struct router {
	struct tables *tables;
	struct fib *fib;
	struct wye_stats *stats;	/* NULL until router_stats() */
};

struct answer {
	int code;	/* exit code */
	char *text;	/* owned */
	json_t *json;	/* NULL when the text is none; owned */
};

struct router *router_create(void);
void router_destroy(struct router *router);
/* A stats file of a running dataplane (this process) with ports v0 and v1. */
struct wye_stats *router_stats(struct router *router);

/* A VRF device, and its view of a table. */
uint32_t router_vrf(struct router *router, uint32_t ifindex, const char *name, uint32_t table);

/* A nexthop with its id; `record` is copied. */
uint32_t nexthop(struct router *router, struct wye_nexthop record);
uint32_t nexthop_via(struct router *router, uint8_t kind, uint32_t ifindex, const char *gateway);
uint32_t nexthop_group(struct router *router, const uint32_t *ids, uint16_t buckets);
/* Enters the neighbour with a FORWARD nexthop of its own. */
uint32_t neighbour(struct router *router, uint32_t ifindex, const char *addr, uint16_t nud_state, uint32_t ntf_flags);
/* In the routes and, when `best`, in the FIB of the main view. Returns the record's index. */
uint32_t route4(struct router *router, const char *prefix, struct wye_route4 record);
uint32_t route6(struct router *router, const char *prefix, struct wye_route6 record);
void address(struct router *router, const char *prefix, struct wye_addr record);

/* wye -r DIR ARGS…, NULL at the end; answer_free() it. Its standard error goes to the test's. */
struct answer wye(const struct router *router, ...) __attribute__((sentinel));
void answer_free(struct answer *answer);
/* Fails unless the command ends with 0 and its JSON equals `expected`. */
#define assert_wye(router, expected, ...) assert_answer_(wye(router, "-j", __VA_ARGS__, NULL), expected, __FILE__, __LINE__)
void assert_answer_(struct answer answer, const char *expected, const char *file, int line);

#endif

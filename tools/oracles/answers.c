/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What wye answers for many addresses: `wye lookup` without a process a question. For tools/oracle.
 *
 *   answers RUN-DIR	reads lines, writes one JSON object a line for each:
 *	open			maps the active tables anew: {"state":N,"generation":N,"parity":N}
 *	IFINDEX SOURCE ADDRESS	as `wye lookup ADDRESS from SOURCE iif …`
 *
 * Kinds, types and states are numbers, those of wye_tables.h and rtnetlink.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lookup.h"
#include "wye_stats.h"

#define DEFAULT_VRF WYE_VRF_MAIN

static const char *text_of(uint8_t family, const uint8_t *addr, char *buf)
{
	return family ? inet_ntop(family, addr, buf, INET6_ADDRSTRLEN) : "";
}

static void answer_open(struct view *view)
{
	view_close(view);
	if (view_tables(view)) {
		printf("{\"error\":\"%s\"}\n", view->why);
		return;
	}
	printf("{\"state\":%u,\"generation\":%llu,\"parity\":%u}\n", atomic_load((_Atomic uint32_t *)&view->control->state),
	       (unsigned long long)view->region->file.generation,
	       atomic_load((_Atomic uint32_t *)&view->region->parity));
}

static const char *verdict_of(uint32_t reason)
{
	if (reason == LOOKUP_FORWARD)
		return "forward";
	return wye_reason_verdict[reason] == WYE_VERDICT_DROP ? "drop" : "kernel";
}

static void print_leg(const struct lookup_leg *leg)
{
	const uint8_t *mac = leg->final.rewrite;
	char gateway[INET6_ADDRSTRLEN];

	printf("{\"kind\":%u,\"oif\":%u,\"gateway\":\"%s\",\"mtu\":%u,\"buckets\":%u,\"verdict\":\"%s\",\"reason\":\"%s\","
	       "\"final\":%u,\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",\"source_mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\"}",
	       leg->leg.kind, leg->leg.ifindex, text_of(leg->leg.family, leg->leg.gateway, gateway),
	       leg->final.mtu_bytes, leg->leg.buckets, verdict_of(leg->reason),
	       leg->reason < WYE_REASON_COUNT ? wye_reason_name[leg->reason] : "", leg->final.kind,
	       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], mac[6], mac[7], mac[8], mac[9], mac[10], mac[11]);
}

static void print_route(const struct route *route)
{
	char dst[INET6_ADDRSTRLEN];

	printf(",\"route\":{\"dst\":\"%s/%u\",\"type\":%u,\"table\":%u,\"metric\":%u,\"tos\":%u,\"protocol\":%u}",
	       text_of(route->family, route->dst, dst), route->prefix_len, route->type, route->table, route->priority,
	       route->tos, route->protocol);
}

static void print_answer(const struct lookup *result)
{
	printf("{\"verdict\":\"%s\",\"reason\":\"%s\",\"id\":%u,\"kind\":%u,\"nhid\":%u",
	       result->reason == LOOKUP_MIXED ? "mixed" : verdict_of(result->reason),
	       result->reason < WYE_REASON_COUNT ? wye_reason_name[result->reason] : "", result->id, result->kind,
	       result->kernel_id);
	if (result->has_route)
		print_route(&result->route);
	printf(",\"legs\":[");
	for (size_t i = 0; i < result->n_legs; i++) {
		if (i)
			putchar(',');
		print_leg(&result->leg[i]);
	}
	printf("]}\n");
}

static bool parse(struct view *view, char *line, struct lookup_query *query)
{
	char *ifindex = strtok(line, " \n"), *source = strtok(NULL, " \n"), *dst = strtok(NULL, " \n");

	if (!ifindex || !source || !dst)
		return false;
	query->family = strchr(dst, ':') ? AF_INET6 : AF_INET;
	query->in = view_link(view, (uint32_t)strtoul(ifindex, NULL, 10));
	query->vrf = query->in && view_record(view, WYE_SECTION_VRF, query->in->vrf) ? query->in->vrf : DEFAULT_VRF;
	query->has_src = true;
	return query->in && inet_pton(query->family, source, query->src) == 1 &&
	       inet_pton(query->family, dst, query->dst) == 1;
}

static void answer(struct view *view, char *line)
{
	static struct lookup result;
	struct lookup_query query = { 0 };

	if (!view->region || !parse(view, line, &query)) {
		printf("{\"error\":\"no tables, unknown link or bad address\"}\n");
		return;
	}
	lookup(view, &query, &result);
	print_answer(&result);
}

int main(int argc, char **argv)
{
	struct view view = { .run_dir = argc == 2 ? argv[1] : NULL, .config_path = "", .quiet = true };
	char line[256];

	if (argc != 2) {
		fprintf(stderr, "usage: answers RUN-DIR\n");
		return 2;
	}
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "open\n"))
			answer_open(&view);
		else if (!strcmp(line, "\n"))
			fflush(stdout); /* the end of a list of questions */
		else
			answer(&view, line);
	}
	view_close(&view);
	return 0;
}

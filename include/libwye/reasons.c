/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names, texts and verdicts of the drop and punt reasons, all from the one list in wye_stats.h. The list spells a
 * reason as its C name; people and JSON get it in lower case, and the preprocessor cannot fold case: it is done
 * once, in place, before main().
 */
#include <ctype.h>

#include "wye_stats.h"

#define X(name, verdict, text) static char name_##name[] = #name;
WYE_REASONS(X)
#undef X

const char *const wye_reason_name[WYE_REASON_COUNT] = {
#define X(name, verdict, text) [WYE_REASON_##name] = name_##name,
	WYE_REASONS(X)
#undef X
};

const char *const wye_reason_text[WYE_REASON_COUNT] = {
#define X(name, verdict, text) [WYE_REASON_##name] = text,
	WYE_REASONS(X)
#undef X
};

const uint8_t wye_reason_verdict[WYE_REASON_COUNT] = {
#define X(name, verdict, text) [WYE_REASON_##name] = WYE_VERDICT_##verdict,
	WYE_REASONS(X)
#undef X
};

static void fold(char *name)
{
	for (; *name; name++)
		*name = (char)tolower((unsigned char)*name);
}

__attribute__((constructor)) static void reasons_fold(void)
{
#define X(name, verdict, text) fold(name_##name);
	WYE_REASONS(X)
#undef X
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* How libwye, and the tools that keep to its manner, fill in the caller's `why`. */
#ifndef WHY_H
#define WHY_H

/* Formats into why (WYE_WHY_BYTES) and returns `error`, so that a refusal is one statement. */
int why_fail(char *why, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

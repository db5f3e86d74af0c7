/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.c - the error record: filled where something fails, read where it is shown.
 */
#include "config.h"

#include "src/lm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
lm_err_set(struct lm_err *err, enum lm_code code, const char *fmt, ...)
{
	if (err) {
		va_list ap;

		err->code = code;
		va_start(ap, fmt);
		vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
		va_end(ap);
	}
}

void
lm_err_prefix(struct lm_err *err, const char *name)
{
	if (err) {
		char rest[sizeof(err->msg)];

		memcpy(rest, err->msg, sizeof(rest));
		snprintf(err->msg, sizeof(err->msg), "%.200s: %.290s", name, rest);
	}
}

const char *
lm_code_name(enum lm_code code)
{
	static const char *const names[] = {
#define X(name, text) [LM_##name] = text,
		LM_CODES(X)
#undef X
	};

	return (size_t)code < sizeof(names) / sizeof(names[0]) ? names[code] : "unknown";
}

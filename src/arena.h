/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - byte strings with a length, and memory for many of them that is freed at once.
 */
#ifndef LM_ARENA_H
#define LM_ARENA_H

#include "src/lm.h"

#include <string.h>

/* Bytes with a length; may hold U+0000. */
struct lm_str {
	const char *p;
	size_t n;
};

static inline bool
lm_str_is(struct lm_str s, const char *literal)
{
	return s.n == strlen(literal) && memcmp(s.p, literal, s.n) == 0;
}

/* Memory that goes all at once.  Zero-initialised is empty. */
struct lm_arena {
	struct lm_arena_block *block;	/* newest first */
	size_t used, cap;		/* of the newest */
};

void *lm_arena_alloc(struct lm_arena *a, size_t n, struct lm_err *err);	/* aligned to 8 */
/* Copies bytes; *out points to the copy. */
bool lm_arena_copy(struct lm_arena *a, const char *p, size_t n, struct lm_str *out,
    struct lm_err *err);
void lm_arena_free(struct lm_arena *a);

#endif

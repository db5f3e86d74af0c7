/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c - memory in blocks that are freed together.
 */
#include "config.h"

#include "src/arena.h"

struct lm_arena_block {
	struct lm_arena_block *next;
};

enum { ARENA_BLOCK = 1 << 16 };

void *
lm_arena_alloc(struct lm_arena *a, size_t n, struct lm_err *err)
{
	struct lm_arena_block *b;
	size_t cap;

	if (n > SIZE_MAX / 2) {
		lm_fail(err, LM_ENOMEM, "%zu bytes do not fit into memory", n);
		return NULL;
	}
	n = (n + 7) & ~(size_t)7;
	if (n > a->cap - a->used) {
		cap = sizeof(*b) + n > ARENA_BLOCK ? sizeof(*b) + n : ARENA_BLOCK;
		b = lm_alloc(cap, 1, err);
		if (!b)
			return NULL;
		b->next = a->block;
		a->block = b;
		a->used = sizeof(*b);
		a->cap = cap;
	}
	a->used += n;
	return (char *)a->block + a->used - n;
}

bool
lm_arena_copy(struct lm_arena *a, const char *p, size_t n, struct lm_str *out, struct lm_err *err)
{
	char *copy = lm_arena_alloc(a, n, err);

	if (!copy)
		return false;
	if (n)
		memcpy(copy, p, n);
	*out = (struct lm_str){ copy, n };
	return true;
}

void
lm_arena_free(struct lm_arena *a)
{
	while (a->block) {
		struct lm_arena_block *next = a->block->next;

		lm_free(a->block);
		a->block = next;
	}
	*a = (struct lm_arena){ 0 };
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc.c - checked, cache-line aligned allocation, and the growing arrays made of it.
 *
 * Every allocation of the engine and the index passes here, so that tests can make the nth one fail.
 * Blocks are aligned to 64 bytes because the kernels read them with vector loads.
 */
#include "config.h"

#include "src/lm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

/* The length stands in front of the block: aligned_alloc has no realloc. */
struct block_head {
	size_t len;
	char pad[ALIGN - sizeof(size_t)];
};
_Static_assert(sizeof(struct block_head) == ALIGN, "the block must stay aligned");

/* Allocations left until they fail; 0 is never.  The one global of the engine: tests set it. */
static atomic_long fault_countdown;

static bool
fault_due(void)
{
	long n = atomic_load_explicit(&fault_countdown, memory_order_relaxed);

	if (n == 0)
		return false;
	if (n > 1)
		n = atomic_fetch_sub(&fault_countdown, 1);
	return n == 1;
}

void
lm_alloc_fail_at(long nth)
{
	atomic_store(&fault_countdown, nth);
}

void *
lm_alloc(size_t n, size_t size, struct lm_err *err)
{
	struct block_head *h = NULL;
	size_t len;

	if (__builtin_mul_overflow(n, size, &len) || len > (size_t)PTRDIFF_MAX - 2 * ALIGN) {
		lm_fail(err, LM_ENOMEM, "%zu elements of %zu bytes do not fit into memory", n, size);
		return NULL;
	}
	if (!fault_due())
		h = aligned_alloc(ALIGN, sizeof(*h) + (len + ALIGN - 1) / ALIGN * ALIGN);
	if (!h) {
		lm_fail(err, LM_ENOMEM, "out of memory for %zu bytes", len);
		return NULL;
	}
	h->len = len;
	return h + 1;
}

void *
lm_zalloc(size_t n, size_t size, struct lm_err *err)
{
	void *p = lm_alloc(n, size, err);

	if (p)
		memset(p, 0, n * size);
	return p;
}

void
lm_free(void *p)
{
	if (p)
		free((struct block_head *)p - 1);
}

bool
lm_resize(void *pp, size_t n, size_t size, struct lm_err *err)
{
	void *old, *new = lm_alloc(n, size, err);

	if (!new)
		return false;
	memcpy(&old, pp, sizeof(old));
	if (old) {
		size_t had = ((struct block_head *)old - 1)->len;

		memcpy(new, old, had < n * size ? had : n * size);
		lm_free(old);
	}
	memcpy(pp, &new, sizeof(new));
	return true;
}

char *
lm_strdup(const char *s, struct lm_err *err)
{
	size_t n = strlen(s) + 1;
	char *p = lm_alloc(n, 1, err);

	if (p)
		memcpy(p, s, n);
	return p;
}

/* ---- growing arrays ------------------------------------------------------------------------- */

bool
lm_buf_add(struct lm_buf *b, const void *bytes, size_t n, struct lm_err *err)
{
	if (n >= b->cap - b->len) {
		size_t want;

		if (__builtin_add_overflow(b->len, n, &want) || want > SIZE_MAX / 2 - 64)
			return lm_fail(err, LM_ENOMEM, "text of %zu and %zu bytes is too long", b->len, n);
		want = want < 48 ? 64 : want + want / 2 + 1;
		if (!lm_resize(&b->p, want, 1, err))
			return false;
		b->cap = want;
	}
	if (n)
		memcpy(b->p + b->len, bytes, n);
	b->len += n;
	b->p[b->len] = '\0';
	return true;
}

bool
lm_buf_str(struct lm_buf *b, const char *s, struct lm_err *err)
{
	return lm_buf_add(b, s, strlen(s), err);
}

bool
lm_buf_printf(struct lm_buf *b, struct lm_err *err, const char *fmt, ...)
{
	char stack[256], *s = stack;
	va_list ap;
	bool ok;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(stack, sizeof(stack), fmt, ap);
	va_end(ap);
	if (n < 0)
		return lm_fail(err, LM_EARG, "a text cannot be formatted as %s", fmt);
	if ((size_t)n >= sizeof(stack)) {
		s = lm_alloc((size_t)n + 1, 1, err);
		if (!s)
			return false;
		va_start(ap, fmt);
		vsnprintf(s, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	ok = lm_buf_add(b, s, (size_t)n, err);
	if (s != stack)
		lm_free(s);
	return ok;
}

void
lm_buf_free(struct lm_buf *b)
{
	lm_free(b->p);
	*b = (struct lm_buf){ 0 };
}

bool
lm_ids_add(struct lm_ids *ids, uint32_t id, struct lm_err *err)
{
	if (ids->n == ids->cap) {
		size_t want = ids->cap ? ids->cap * 2 : 64;

		if (!lm_resize(&ids->v, want, sizeof(*ids->v), err))
			return false;
		ids->cap = want;
	}
	ids->v[ids->n++] = id;
	return true;
}

void
lm_ids_free(struct lm_ids *ids)
{
	lm_free(ids->v);
	*ids = (struct lm_ids){ 0 };
}

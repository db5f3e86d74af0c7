/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.c - finds patterns with PCRE2, within limits that a pattern or text from a stranger cannot
 * pass.
 *
 * Texts need not be UTF-8.  They are walked in stretches that are, and PCRE2 sees each stretch as a
 * whole text: its own way to do that checks the rest of the text again at every match when there is
 * no JIT compiler, which is quadratic.
 */
#include "config.h"

#include "src/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <time.h>

enum {
	WINDOW = 128,			/* start positions between two looks at the clock */
	MATCH_LIMIT = 1000000,		/* steps from one start position, plus some a byte */
	HEAP_LIMIT = 1 << 16,		/* KiB */
	MAX_PATTERN = 1 << 16,
	SECONDS = 10,			/* for a text, plus SLOWEST a byte */
	SLOWEST = 10			/* microseconds */
};

struct lm_regex {
	pcre2_code *code;		/* NULL: literal */
	bool jit;
	struct lm_str literal;		/* owned */
};

bool
lm_spans_add(struct lm_spans *s, size_t off, size_t len, uint32_t flags, struct lm_err *err)
{
	if (s->n == s->cap) {
		size_t want = s->cap ? s->cap * 2 : 32;

		if (!lm_resize(&s->v, want, sizeof(*s->v), err))
			return false;
		s->cap = want;
	}
	s->v[s->n++] = (struct lm_span){ (uint32_t)off, (uint32_t)len, flags };
	return true;
}

void
lm_spans_free(struct lm_spans *s)
{
	lm_free(s->v);
	*s = (struct lm_spans){ 0 };
}

/* ---- compiling ------------------------------------------------------------------------------- */

static void *
pcre_alloc(size_t n, void *data)
{
	(void)data;
	return lm_alloc(n, 1, NULL);
}

static void
pcre_free(void *p, void *data)
{
	(void)data;
	lm_free(p);
}

static bool
no_memory(struct lm_err *err)
{
	return lm_fail(err, LM_ENOMEM, "out of memory for a pattern");
}

static bool
compile(lm_regex *re, const struct lm_buf *pattern, pcre2_compile_context *cc, struct lm_err *err)
{
	unsigned char msg[120];
	uint32_t jit = 0;
	PCRE2_SIZE at;
	int code;

	pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
	pcre2_set_max_pattern_length(cc, 16 * MAX_PATTERN);
	re->code = pcre2_compile((PCRE2_SPTR)(pattern->p ? pattern->p : ""), pattern->len,
	    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C |
	    PCRE2_USE_OFFSET_LIMIT, &code, &at, cc);
	if (!re->code) {
		if (code == PCRE2_ERROR_HEAP_FAILED || code == PCRE2_ERROR_NOMEMORY)
			return no_memory(err);
		if (pcre2_get_error_message(code, msg, sizeof(msg)) < 0)
			msg[0] = '\0';
		return lm_fail(err, LM_EUNSUPPORTED, "pattern %.200s: %s", pattern->p, (char *)msg);
	}
	/* Without a JIT compiler, or with a pattern it refuses, the interpreter does. */
	pcre2_config(PCRE2_CONFIG_JIT, &jit);
	re->jit = jit && pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0;
	return true;
}

bool
lm_regex_new(lm_regex **out, struct lm_str pattern, bool literal, struct lm_err *err)
{
	pcre2_general_context *gc = NULL;
	pcre2_compile_context *cc = NULL;
	struct lm_buf translated = { 0 };
	lm_regex *re = NULL;
	bool ok = false;
	char *copy;

	*out = NULL;
	if (pattern.n > MAX_PATTERN)
		return lm_fail(err, LM_ELIMIT, "a pattern of %zu bytes, at most %d wanted",
		    pattern.n, MAX_PATTERN);
	re = lm_zalloc(1, sizeof(*re), err);
	if (!re)
		return false;
	if (literal && pattern.n) {
		copy = lm_alloc(pattern.n, 1, err);
		if (!copy)
			goto out;
		memcpy(copy, pattern.p, pattern.n);
		re->literal = (struct lm_str){ copy, pattern.n };
		ok = true;
		goto out;
	}
	if (!lm_onig_translate(pattern, &translated, err))
		goto out;
	gc = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
	cc = gc ? pcre2_compile_context_create(gc) : NULL;
	ok = cc ? compile(re, &translated, cc, err) : no_memory(err);
out:
	pcre2_compile_context_free(cc);
	pcre2_general_context_free(gc);
	lm_buf_free(&translated);
	if (ok)
		*out = re;
	else
		lm_regex_free(re);
	return ok;
}

void
lm_regex_free(lm_regex *re)
{
	if (!re)
		return;
	pcre2_code_free(re->code);
	lm_free((void *)(uintptr_t)re->literal.p);
	lm_free(re);
}

/* ---- matching -------------------------------------------------------------------------------- */

static int64_t
now_ms(void)
{
	struct timespec ts;

#ifdef CLOCK_MONOTONIC_COARSE
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
#else
	clock_gettime(CLOCK_MONOTONIC, &ts);
#endif
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
scan_init(struct lm_scan *scan, struct lm_err *err)
{
	pcre2_general_context *gc = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);

	scan->md = gc ? pcre2_match_data_create(1, gc) : NULL;
	scan->mc = gc ? pcre2_match_context_create(gc) : NULL;
	pcre2_general_context_free(gc);
	if (!scan->md || !scan->mc) {
		lm_scan_fini(scan);
		return no_memory(err);
	}
	pcre2_set_heap_limit(scan->mc, HEAP_LIMIT);
	scan->deadline = now_ms() + SECONDS * 1000;
	return true;
}

void
lm_scan_fini(struct lm_scan *scan)
{
	pcre2_match_data_free(scan->md);
	pcre2_match_context_free(scan->mc);
	*scan = (struct lm_scan){ 0 };
}

/* The length of what is UTF-8 at the start of s[0..n). */
static size_t
valid_run(const char *s, size_t n)
{
	size_t i = 0, k;
	int32_t cp;

	while (i < n) {
		uint64_t w;

		while (n - i >= 8) {
			memcpy(&w, s + i, 8);
			if (w & UINT64_C(0x8080808080808080))
				break;
			i += 8;
		}
		if (i == n)
			break;
		k = lm_utf8_next(s + i, n - i, &cp);
		if (cp < 0)
			break;
		i += k;
	}
	return i;
}

/* The next match in s[0..n), which is UTF-8, from `from` on.  *found: there is one. */
static bool
next_match(const lm_regex *re, struct lm_scan *scan, const char *s, size_t n, size_t from,
    bool *found, size_t *start, size_t *end, struct lm_err *err)
{
	PCRE2_SIZE *at = pcre2_get_ovector_pointer(scan->md);
	uint32_t opts = PCRE2_NO_UTF_CHECK;
	int rc;

	*found = false;
	for (;;) {
		pcre2_set_offset_limit(scan->mc, from + WINDOW);
		rc = re->jit && !(opts & PCRE2_NO_JIT) ?
		    pcre2_jit_match(re->code, (PCRE2_SPTR)s, n, from, 0, scan->md, scan->mc) :
		    pcre2_match(re->code, (PCRE2_SPTR)s, n, from, opts, scan->md, scan->mc);
		if (rc == PCRE2_ERROR_JIT_STACKLIMIT && !(opts & PCRE2_NO_JIT)) {
			opts |= PCRE2_NO_JIT;		/* the interpreter's stack is the heap */
			continue;
		}
		if (rc == PCRE2_ERROR_NOMEMORY)
			return no_memory(err);
		if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
			return lm_fail(err, LM_ELIMIT,
			    "a pattern of the tokenizer takes too many steps (PCRE2 error %d)", rc);
		if (now_ms() > scan->deadline)
			return lm_fail(err, LM_ELIMIT, "a pattern of the tokenizer takes too long");
		if (rc >= 0) {
			*found = true;
			/* \K in a lookahead could put the start after the end. */
			*start = at[0] < at[1] ? at[0] : at[1];
			*end = at[1];
			return true;
		}
		if (n - from <= WINDOW)
			return true;
		from += WINDOW + 1;
		while (from < n && ((unsigned char)s[from] & 0xc0) == 0x80)
			from++;
	}
}

/* Where spans are collected: what came before is emitted when a match is found. */
struct collect {
	struct lm_spans *out;
	size_t off, prev;		/* of the text; end of the last span in it */
	size_t last;			/* end of the last match, SIZE_MAX before the first */
	struct lm_err *err;
};

static bool
emit(struct collect *c, size_t start, size_t end)
{
	if (c->prev < start && !lm_spans_add(c->out, c->off + c->prev, start - c->prev, 0, c->err))
		return false;
	c->prev = c->last = end;
	return lm_spans_add(c->out, c->off + start, end - start, LM_SPAN_MATCH, c->err);
}

/* Emits the matches in s[a..b), which is UTF-8. */
static bool
scan_run(const lm_regex *re, struct lm_scan *scan, const char *s, size_t a, size_t b,
    struct collect *c)
{
	size_t from = 0, n = b - a, start, end;
	bool found;
	int32_t cp;

	while (from <= n) {
		if (!next_match(re, scan, s + a, n, from, &found, &start, &end, c->err))
			return false;
		if (!found)
			break;
		if (start < from)		/* \K again: never go back */
			start = from;
		if (start >= end && a + start == c->last) {
			if (start >= n)
				break;
			from = start + lm_utf8_next(s + a + start, n - start, &cp);
			continue;
		}
		if (end < start)
			end = start;
		if (!emit(c, a + start, a + end))
			return false;
		from = end;
	}
	return true;
}

static bool
scan_literal(struct lm_str literal, const char *s, size_t n, struct collect *c)
{
	const char *hit;

	while (n - c->prev >= literal.n) {
		hit = memmem(s + c->prev, n - c->prev, literal.p, literal.n);
		if (!hit)
			break;
		if (!emit(c, (size_t)(hit - s), (size_t)(hit - s) + literal.n))
			return false;
	}
	return true;
}

bool
lm_regex_split(const lm_regex *re, struct lm_scan *scan, const char *text, size_t off, size_t n,
    struct lm_spans *out, struct lm_err *err)
{
	struct collect c = { .out = out, .off = off, .last = SIZE_MAX, .err = err };
	const char *s = text + off;
	size_t a = 0, b;
	int32_t cp;

	if (re->literal.p) {
		if (!scan_literal(re->literal, s, n, &c))
			return false;
	} else {
		if (!scan->md && !scan_init(scan, err))
			return false;
		/*
		 * Time is given by the kilobyte; steps from one position by the length of the
		 * piece.
		 */
		scan->bytes += n;
		if (scan->bytes >= 1000) {
			scan->deadline += (int64_t)(scan->bytes / 1000 * SLOWEST);
			scan->bytes %= 1000;
		}
		pcre2_set_match_limit(scan->mc,
		    MATCH_LIMIT + (n < 1u << 29 ? 4 * (uint32_t)n : 1u << 31));
		while (a < n) {
			b = a + valid_run(s + a, n - a);
			if (b > a && !scan_run(re, scan, s, a, b, &c))
				return false;
			for (a = b; a < n; a += b) {
				b = lm_utf8_next(s + a, n - a, &cp);
				if (cp >= 0)
					break;
			}
		}
	}
	return c.prev == n || lm_spans_add(out, off + c.prev, n - c.prev, 0, err);
}

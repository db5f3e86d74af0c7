/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.h - the patterns of tokenizers: found in a text, which is cut into what matched and what
 * not.
 */
#ifndef LM_REGEX_H
#define LM_REGEX_H

#include "src/arena.h"

/* A stretch of a text.  Offsets are 32 bits wide: lm_vocab_encode refuses longer texts. */
struct lm_span {
	uint32_t off, len;
	uint32_t flags;
};

enum {
	LM_SPAN_MATCH = 1,		/* a pattern matched it */
	LM_SPAN_FIRST = 2		/* begins where the whole text begins */
};

struct lm_spans {
	struct lm_span *v;
	size_t n, cap;
};

bool lm_spans_add(struct lm_spans *s, size_t off, size_t len, uint32_t flags, struct lm_err *err);
void lm_spans_free(struct lm_spans *s);

typedef struct lm_regex lm_regex;

/*
 * pattern is in the syntax of Oniguruma for Ruby, which Hugging Face's files are written in, or
 * with literal the very bytes to find.
 */
bool lm_regex_new(lm_regex **out, struct lm_str pattern, bool literal, struct lm_err *err);
void lm_regex_free(lm_regex *re);

/* What one call of the tokenizer needs while it matches.  Zero-initialised; one thread each. */
struct lm_scan {
	void *md, *mc;			/* PCRE2's match data and context */
	int64_t deadline;		/* in ms of the coarse clock */
	uint64_t bytes;			/* scanned since the deadline was set */
};

void lm_scan_fini(struct lm_scan *scan);

/*
 * Appends spans that cover text[off..off+n) without gap, matches with LM_SPAN_MATCH.  An empty
 * match gives an empty span, except right after another match.  Bytes that are no UTF-8 match
 * nothing and end the text as far as the pattern can see.  LM_ELIMIT when the pattern takes too
 * long.
 */
bool lm_regex_split(const lm_regex *re, struct lm_scan *scan, const char *text, size_t off,
    size_t n, struct lm_spans *out, struct lm_err *err);

/*
 * Rewrites a pattern of Oniguruma to one of PCRE2.  Fails with LM_EUNSUPPORTED on what has no
 * equal.
 */
bool lm_onig_translate(struct lm_str pattern, struct lm_buf *out, struct lm_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onig.h - what the two halves of the translation of patterns share; for onig.c and onig_class.c.
 */
#ifndef LM_ONIG_H
#define LM_ONIG_H

#include "src/regex.h"

enum { LM_ONIG_GROUPS = 250, LM_ONIG_CLASSES = 20 };

struct lm_onig {
	const char *p;			/* the pattern, and where the walk is in it */
	size_t n, i;
	struct lm_buf *out;
	struct lm_err *err;
	size_t atom;			/* where in out the last thing that can repeat begins */
	bool has_atom, quantified;	/* there is one; it repeats already */
	size_t group[LM_ONIG_GROUPS];	/* where in out the open groups begin */
	unsigned groups;
	unsigned classes;		/* open classes */
};

/*
 * What an escape, a name or a character stands for: items for the inside of a class of PCRE2, all
 * but them when negated.  raw: a single character, which needs no class and may end a range.
 */
struct lm_onig_item {
	char items[400];
	bool negated, raw;
};

/* The inside of a class: what \w and \b take for part of a word. */
extern const char lm_onig_word[];

bool lm_onig_fail(struct lm_onig *w, const char *what);
void lm_onig_code_point(struct lm_onig_item *it, uint32_t cp);
/* The escape whose letter is at w->i, which is moved; *known: it is a character or set. */
bool lm_onig_escape(struct lm_onig *w, struct lm_onig_item *it, bool *known);
/* The character at w->i for itself. */
void lm_onig_literal(struct lm_onig *w, struct lm_onig_item *it);
/* Writes the class whose bracket is at w->i. */
bool lm_onig_class(struct lm_onig *w);

static inline bool
lm_onig_put(struct lm_onig *w, const char *s)
{
	return lm_buf_str(w->out, s, w->err);
}

#endif

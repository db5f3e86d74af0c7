/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onig.c - rewrites patterns from Oniguruma's syntax for Ruby to that of PCRE2.
 *
 * The two differ in what \s, \w, \h and \b mean, in a{1,3}+ and a{,3}, in letters of options and
 * names of properties, and in classes.  The translation is one walk that copies what is the same.
 */
#include "config.h"

#include "src/onig.h"

/* Puts "(?:" before the last atom and ")" after it, so that it can repeat once more. */
static bool
wrap(struct lm_onig *w)
{
	size_t len = w->out->len - w->atom;

	if (!lm_onig_put(w, "(?:)"))
		return false;
	memmove(w->out->p + w->atom + 3, w->out->p + w->atom, len);
	memcpy(w->out->p + w->atom, "(?:", 3);
	w->out->p[w->atom + 3 + len] = ')';
	return true;
}

/* {n}, {n,}, {,m} or {n,m} at w->i: its length, 0 when the brace is no interval. */
static size_t
interval(const struct lm_onig *w)
{
	size_t i = w->i + 1, left, right = 0;

	for (left = i; i < w->n && w->p[i] >= '0' && w->p[i] <= '9'; i++)
		;
	left = i - left;
	if (i < w->n && w->p[i] == ',') {
		for (right = ++i; i < w->n && w->p[i] >= '0' && w->p[i] <= '9'; i++)
			;
		right = i - right;
		if (left + right == 0)
			return 0;
	} else if (left == 0) {
		return 0;
	}
	return i < w->n && w->p[i] == '}' ? i + 1 - w->i : 0;
}

/* A quantifier at w->i, with the ? or + that belongs to it. */
static bool
quantifier(struct lm_onig *w, size_t len)
{
	bool brace = w->p[w->i] == '{', fixed = brace && !memchr(w->p + w->i, ',', len);
	char next;

	if (!w->has_atom)
		return lm_onig_fail(w, "a quantifier with nothing before it");
	if (w->quantified && !wrap(w))
		return false;
	if (brace && w->p[w->i + 1] == ',') {
		if (!lm_onig_put(w, "{0") || !lm_buf_add(w->out, w->p + w->i + 1, len - 1, w->err))
			return false;
	} else if (!lm_buf_add(w->out, w->p + w->i, len, w->err)) {
		return false;
	}
	w->i += len;
	next = w->i < w->n ? w->p[w->i] : '\0';
	/* After an interval + repeats it, and after {n} ? makes it optional. */
	if ((next == '?' && !fixed) || (next == '+' && !brace)) {
		if (!lm_buf_add(w->out, &next, 1, w->err))
			return false;
		w->i++;
	}
	w->quantified = true;
	return true;
}

static void
begin_atom(struct lm_onig *w)
{
	w->atom = w->out->len;
	w->has_atom = true;
	w->quantified = false;
}

/* Copies len characters that are no atom. */
static bool
copy(struct lm_onig *w, size_t len)
{
	w->has_atom = false;
	w->i += len;
	return lm_buf_add(w->out, w->p + w->i - len, len, w->err);
}

/* Copies to the closing character, \k<name> for one. */
static bool
copy_to(struct lm_onig *w, size_t skip, char close)
{
	const char *end = memchr(w->p + w->i + skip, close, w->n - w->i - skip);

	if (!end)
		return lm_onig_fail(w, "a name without its end");
	return copy(w, (size_t)(end + 1 - w->p) - w->i);
}

static bool
put_item(struct lm_onig *w, const struct lm_onig_item *it)
{
	if (it->raw)
		return lm_onig_put(w, it->items);
	return lm_onig_put(w, it->negated ? "[^" : "[") && lm_onig_put(w, it->items) &&
	    lm_onig_put(w, "]");
}

static bool
word_boundary(struct lm_onig *w, bool not)
{
	const char *x = lm_onig_word;

	w->has_atom = false;
	w->i += 2;
	return lm_buf_printf(w->out, w->err, not ? "(?:(?<=[%s])(?=[%s])|(?<![%s])(?![%s]))" :
	    "(?:(?<=[%s])(?![%s])|(?<![%s])(?=[%s]))", x, x, x, x);
}

/* The backslash at w->i and what belongs to it. */
static bool
escape(struct lm_onig *w)
{
	char c = w->i + 1 < w->n ? w->p[w->i + 1] : '\0';
	struct lm_onig_item it;
	bool known;

	if (w->i + 1 == w->n)
		return lm_onig_fail(w, "a backslash at its end");
	if (c == 'b' || c == 'B')
		return word_boundary(w, c == 'B');
	if (c == 'A' || c == 'z' || c == 'Z' || c == 'G' || c == 'K')
		return copy(w, 2);
	if (c == 'y' || c == 'Y' || c == 'c' || c == 'C' || c == 'M')
		return lm_onig_fail(w, "this escape is not supported");
	begin_atom(w);
	if ((c == 'k' || c == 'g') && w->i + 2 < w->n && w->p[w->i + 2] == '<') {
		if (!copy_to(w, 3, '>'))
			return false;
		return w->has_atom = true;
	}
	if (c == 'R' || c == 'X' || (c >= '1' && c <= '9')) {
		size_t len = 2;

		while (c <= '9' && w->i + len < w->n && w->p[w->i + len] >= '0' &&
		    w->p[w->i + len] <= '9')
			len++;
		if (!copy(w, len))
			return false;
		return w->has_atom = true;
	}
	w->i++;
	if (c == 'N' || c == 'O') {
		w->i++;
		return lm_onig_put(w, c == 'N' ? "[^\\n]" : "(?s:.)");
	}
	if (c == '0') {
		uint32_t cp = 0;

		for (int k = 0; k < 3 && w->i < w->n && w->p[w->i] >= '0' && w->p[w->i] <= '7'; k++)
			cp = cp * 8 + (uint32_t)(w->p[w->i++] - '0');
		lm_onig_code_point(&it, cp);
		return put_item(w, &it);
	}
	if (!lm_onig_escape(w, &it, &known))
		return false;
	if (!known)
		lm_onig_literal(w, &it);
	return put_item(w, &it);
}

/* (?imx-imx) or (?imx-imx:  Ruby's m is PCRE2's s. */
static bool
options(struct lm_onig *w)
{
	size_t from = w->out->len;

	if (!lm_onig_put(w, "(?"))
		return false;
	for (w->i += 2; w->i < w->n && w->p[w->i] != ':' && w->p[w->i] != ')'; w->i++) {
		char c = w->p[w->i];

		if (c != 'i' && c != 'm' && c != '-')
			return lm_onig_fail(w, "a group of this kind is not supported");
		if (!lm_buf_add(w->out, c == 'm' ? "s" : &c, 1, w->err))
			return false;
	}
	if (w->i == w->n)
		return lm_onig_fail(w, "a group without its end");
	if (w->p[w->i] == ':')
		w->group[w->groups++] = from;
	return copy(w, 1);
}

/* The parenthesis at w->i, and what follows it that is not yet the inside of the group. */
static bool
open_group(struct lm_onig *w)
{
	const char *p = w->p + w->i;
	size_t left = w->n - w->i;
	const char *end;

	if (w->groups == LM_ONIG_GROUPS)
		return lm_onig_fail(w, "too many groups");
	if (left < 3 || p[1] != '?') {
		w->group[w->groups++] = w->out->len;
		return copy(w, 1);
	}
	if (p[2] == '#') {
		end = memchr(p, ')', left);
		if (!end)
			return lm_onig_fail(w, "a comment without its end");
		w->i += (size_t)(end + 1 - p);
		return true;
	}
	if (!strchr(":=!><", p[2]) || !p[2])
		return options(w);
	w->group[w->groups++] = w->out->len;
	if (p[2] != '<')
		return copy(w, 3);
	if (left > 3 && (p[3] == '=' || p[3] == '!'))
		return copy(w, 4);
	return copy_to(w, 3, '>');
}

static bool
close_group(struct lm_onig *w)
{
	if (w->groups == 0)
		return lm_onig_fail(w, "a closing parenthesis too many");
	if (!copy(w, 1))
		return false;
	w->atom = w->group[--w->groups];
	w->has_atom = true;
	w->quantified = false;
	return true;
}

static bool
step(struct lm_onig *w)
{
	struct lm_onig_item it;
	size_t len;

	switch (w->p[w->i]) {
	case '\\':
		return escape(w);
	case '[':
		begin_atom(w);
		return lm_onig_class(w);
	case '(':
		return open_group(w);
	case ')':
		return close_group(w);
	case '|':
	case '^':
	case '$':
		return copy(w, 1);
	case '.':
		begin_atom(w);
		w->i++;
		return lm_onig_put(w, ".");
	case '*':
	case '+':
	case '?':
		return quantifier(w, 1);
	case '{':
		len = interval(w);
		if (len)
			return quantifier(w, len);
		break;
	}
	begin_atom(w);
	lm_onig_literal(w, &it);
	return put_item(w, &it);
}

bool
lm_onig_translate(struct lm_str pattern, struct lm_buf *out, struct lm_err *err)
{
	struct lm_onig w = { .p = pattern.p, .n = pattern.n, .out = out, .err = err };

	while (w.i < w.n)
		if (!step(&w))
			return false;
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pretok.c - the pre-tokenizer: how a normalized text is split into pieces, within which the model
 * works.
 */
#include "config.h"

#include "src/vocab.h"

/* ---- loading -------------------------------------------------------------------------------- */

struct lm_pre *
lm_pre_step(struct lm_vocab *v, struct lm_err *err)
{
	if (v->n_pre == LM_MAX_STEPS) {
		lm_fail(err, LM_ELIMIT, "more than %d steps of a pre-tokenizer", LM_MAX_STEPS);
		return NULL;
	}
	v->pre[v->n_pre] = (struct lm_pre){ .behaviour = LM_SPLIT_ISOLATED };
	return &v->pre[v->n_pre++];
}

static bool
unknown(const char *what, struct lm_str name, struct lm_err *err)
{
	return lm_fail(err, LM_EUNSUPPORTED, "%s %.*s is not supported", what,
	    (int)(name.n > 80 ? 80 : name.n), name.p);
}

bool
lm_pattern_load(const struct lm_json_val *val, struct lm_arena *arena, lm_regex **out,
    struct lm_err *err)
{
	struct lm_json_val pattern;
	struct lm_str s = { NULL, 0 };

	if (!lm_json_find(val, "pattern", &pattern))
		return lm_fail(err, LM_EFORMAT, "%s: offset %zu: no pattern", val->what, val->off);
	if (!lm_json_find_str(&pattern, "String", arena, &s, err))
		return false;
	if (s.p)
		return lm_regex_new(out, s, true, err);
	if (!lm_json_find_str(&pattern, "Regex", arena, &s, err))
		return false;
	if (!s.p)
		return lm_fail(err, LM_EFORMAT, "%s: offset %zu: neither String nor Regex",
		    val->what, pattern.off);
	return lm_regex_new(out, s, false, err);
}

static bool
load_behaviour(struct lm_vocab *v, const struct lm_json_val *val, struct lm_pre *s,
    struct lm_err *err)
{
	static const char *const names[] = {
		[LM_SPLIT_REMOVED] = "Removed",		[LM_SPLIT_ISOLATED] = "Isolated",
		[LM_SPLIT_MERGED_PREVIOUS] = "MergedWithPrevious",
		[LM_SPLIT_MERGED_NEXT] = "MergedWithNext",
		[LM_SPLIT_CONTIGUOUS] = "Contiguous",
	};
	struct lm_str name = { "Isolated", 8 };

	if (!lm_json_find_str(val, "behavior", &v->arena, &name, err))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (lm_str_is(name, names[i])) {
			s->behaviour = (int)i;
			return true;
		}
	return unknown("behavior", name, err);
}

static bool
load_metaspace(struct lm_vocab *v, const struct lm_json_val *val, struct lm_pre *s,
    struct lm_err *err)
{
	struct lm_str scheme = { NULL, 0 };
	bool prefix = true;
	int32_t cp;

	s->text = (struct lm_str){ "\xe2\x96\x81", 3 };
	s->split = true;
	if (!lm_json_find_str(val, "replacement", &v->arena, &s->text, err) ||
	    !lm_json_find_str(val, "prepend_scheme", &v->arena, &scheme, err) ||
	    !lm_json_find_bool(val, "add_prefix_space", &prefix, err) ||
	    !lm_json_find_bool(val, "split", &s->split, err))
		return false;
	/* Files older than prepend_scheme have add_prefix_space alone. */
	if (!scheme.p)
		s->prepend = prefix ? LM_PREPEND_ALWAYS : LM_PREPEND_NEVER;
	else if (lm_str_is(scheme, "always"))
		s->prepend = LM_PREPEND_ALWAYS;
	else if (lm_str_is(scheme, "first"))
		s->prepend = LM_PREPEND_FIRST;
	else if (lm_str_is(scheme, "never"))
		s->prepend = LM_PREPEND_NEVER;
	else
		return unknown("prepend_scheme", scheme, err);
	if (s->text.n == 0 || lm_utf8_next(s->text.p, s->text.n, &cp) != s->text.n)
		return lm_fail(err, LM_EFORMAT, "Metaspace: one character wanted as replacement");
	s->behaviour = LM_SPLIT_MERGED_NEXT;
	return !s->split || lm_regex_new(&s->re, s->text, true, err);
}

static bool
load_byte_level(const struct lm_json_val *val, struct lm_pre *s, struct lm_err *err)
{
	const struct lm_str gpt2 = { LM_GPT2_PATTERN, sizeof(LM_GPT2_PATTERN) - 1 };
	bool prefix = true, regex = true;

	if (!lm_json_find_bool(val, "add_prefix_space", &prefix, err) ||
	    !lm_json_find_bool(val, "use_regex", &regex, err))
		return false;
	s->prepend = prefix ? LM_PREPEND_ALWAYS : LM_PREPEND_NEVER;
	return !regex || lm_regex_new(&s->re, gpt2, false, err);
}

static bool
load_digits(const struct lm_json_val *val, struct lm_pre *s, struct lm_err *err)
{
	bool single = false;

	if (!lm_json_find_bool(val, "individual_digits", &single, err))
		return false;
	s->behaviour = single ? LM_SPLIT_ISOLATED : LM_SPLIT_CONTIGUOUS;
	return true;
}

static bool
load_delimiter(struct lm_vocab *v, const struct lm_json_val *val, struct lm_pre *s,
    struct lm_err *err)
{
	struct lm_str delimiter = { "", 0 };

	s->behaviour = LM_SPLIT_REMOVED;
	if (!lm_json_find_str(val, "delimiter", &v->arena, &delimiter, err))
		return false;
	if (delimiter.n == 0)
		return lm_fail(err, LM_EFORMAT, "CharDelimiterSplit without a delimiter");
	return lm_regex_new(&s->re, delimiter, true, err);
}

static bool
load_sequence(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err)
{
	struct lm_json_val list, one;
	struct lm_json j;

	if (!lm_json_find(val, "pretokenizers", &list))
		return lm_fail(err, LM_EFORMAT, "a pre-tokenizer Sequence without pretokenizers");
	lm_json_at(&j, &list, err);
	for (lm_json_enter(&j, LM_JSON_ARRAY); lm_json_more(&j);)
		if (lm_json_take(&j, &one) && !lm_pre_load(v, &one, err))
			return false;
	return !j.failed;
}

static bool
load_step(struct lm_vocab *v, const struct lm_json_val *val, int kind, struct lm_err *err)
{
	struct lm_pre *s = lm_pre_step(v, err);

	if (!s)
		return false;
	s->kind = kind;
	switch (s->kind) {
	case LM_PRE_SPLIT:
		return lm_json_find_bool(val, "invert", &s->invert, err) &&
		    load_behaviour(v, val, s, err) && lm_pattern_load(val, &v->arena, &s->re, err);
	case LM_PRE_DIGITS:
		return load_digits(val, s, err);
	case LM_PRE_PUNCTUATION:
		return load_behaviour(v, val, s, err);
	case LM_PRE_DELIMITER:
		return load_delimiter(v, val, s, err);
	case LM_PRE_BYTE_LEVEL:
		return load_byte_level(val, s, err);
	case LM_PRE_METASPACE:
		return load_metaspace(v, val, s, err);
	case LM_PRE_WHITESPACE:
	case LM_PRE_WHITESPACE_SPLIT:
	case LM_PRE_BERT:
		s->behaviour = LM_SPLIT_REMOVED;
		return true;
	}
	return true;
}

bool
lm_pre_load(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err)
{
	static const struct {
		const char *name;
		int kind;
	} names[] = {
		{ "Split", LM_PRE_SPLIT }, { "Digits", LM_PRE_DIGITS },
		{ "Whitespace", LM_PRE_WHITESPACE }, { "WhitespaceSplit", LM_PRE_WHITESPACE_SPLIT },
		{ "Punctuation", LM_PRE_PUNCTUATION }, { "BertPreTokenizer", LM_PRE_BERT },
		{ "CharDelimiterSplit", LM_PRE_DELIMITER }, { "ByteLevel", LM_PRE_BYTE_LEVEL },
		{ "Metaspace", LM_PRE_METASPACE },
	};
	struct lm_str type = { "", 0 };

	if (!val->p || lm_json_val_kind(val) == LM_JSON_NULL)
		return true;
	if (!lm_json_find_str(val, "type", &v->arena, &type, err))
		return false;
	if (lm_str_is(type, "Sequence"))
		return load_sequence(v, val, err);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (lm_str_is(type, names[i].name))
			return load_step(v, val, names[i].kind, err);
	return unknown("pre-tokenizer", type, err);
}

/* ---- splitting ------------------------------------------------------------------------------ */

/* How a splitter sees a character: 0 is no match, other numbers are kinds of matches. */
typedef int classify(int32_t cp);

static int
is_numeric(int32_t cp)
{
	return lm_char_numeric(cp);
}

static int
is_space(int32_t cp)
{
	return lm_char_space(cp);
}

static int
is_punct(int32_t cp)
{
	return lm_char_punct(cp);
}

/* Words, and what is neither word nor blank. */
static int
word_or_other(int32_t cp)
{
	return lm_char_space(cp) ? 0 : lm_char_word(cp) ? 1 : 2;
}

/* Cuts a piece into e->cuts: matching characters one by one, or with join in runs of a kind. */
static bool
cut_by(struct lm_encoder *e, struct lm_span p, classify *class, bool join)
{
	const char *s = e->text.p + p.off;
	size_t from = 0, k;
	int32_t cp;
	int was = -1;

	e->cuts.n = 0;
	for (size_t i = 0; i < p.len; i += k) {
		int is;

		k = lm_utf8_next(s + i, p.len - i, &cp);
		is = class(cp);
		if (i && (is != was || (is && !join))) {
			if (!lm_spans_add(&e->cuts, p.off + from, i - from,
			    was ? LM_SPAN_MATCH : 0, e->err))
				return false;
			from = i;
		}
		was = is;
	}
	return lm_spans_add(&e->cuts, p.off + from, p.len - from, was > 0 ? LM_SPAN_MATCH : 0,
	    e->err);
}

/* Adds a piece of p to e->b, unless it is empty. */
static bool
piece_add(struct lm_encoder *e, struct lm_span p, size_t off, size_t end)
{
	uint32_t first = off == p.off ? p.flags & LM_SPAN_FIRST : 0;

	return off == end || lm_spans_add(&e->b, off, end - off, first, e->err);
}

/* Joins the cuts of p as the behaviour says, and adds them to e->b. */
static bool
fold(struct lm_encoder *e, struct lm_span p, int behaviour, bool invert)
{
	const struct lm_span *c = e->cuts.v;
	size_t n = e->cuts.n, from = p.off, end = (size_t)p.off + p.len;
	bool was = false, first_of_matches;

	for (size_t i = 0; i < n; i++) {
		bool is = ((c[i].flags & LM_SPAN_MATCH) != 0) != invert;
		bool cut;

		switch (behaviour) {
		case LM_SPLIT_REMOVED:
			if (!is && !piece_add(e, p, c[i].off, (size_t)c[i].off + c[i].len))
				return false;
			continue;
		case LM_SPLIT_CONTIGUOUS:
			cut = i && is != was;
			break;
		case LM_SPLIT_MERGED_PREVIOUS:
			/* The first of a row of matches joins what is before it. */
			cut = i && (!is || was);
			break;
		case LM_SPLIT_MERGED_NEXT:
			/* The last of a row of matches joins what follows it. */
			first_of_matches = was && !is;
			cut = i && !first_of_matches;
			break;
		default:
			cut = i != 0;
		}
		if (cut) {
			if (!piece_add(e, p, from, c[i].off))
				return false;
			from = c[i].off;
		}
		was = is;
	}
	return behaviour == LM_SPLIT_REMOVED || piece_add(e, p, from, end);
}

/* A new text for a piece: what follows off in e->text.  The text may move; offsets stay. */
static struct lm_span
rewritten(const struct lm_encoder *e, size_t off, uint32_t flags)
{
	return (struct lm_span){ (uint32_t)off, (uint32_t)(e->text.len - off), flags };
}

/* Appends n bytes of e->text to itself. */
static bool
append_own(struct lm_encoder *e, size_t off, size_t n)
{
	/* Growing first: the bytes must not move while they are copied. */
	if (e->text.cap - e->text.len <= n) {
		size_t want = e->text.len + n + (e->text.len + n) / 2 + 64;

		if (!lm_resize(&e->text.p, want, 1, e->err))
			return false;
		e->text.cap = want;
	}
	return lm_buf_add(&e->text, e->text.p + off, n, e->err);
}

static bool
too_long(const struct lm_encoder *e)
{
	return e->text.len > UINT32_MAX / 2 &&
	    !lm_fail(e->err, LM_ELIMIT, "a text that grows beyond %u bytes", UINT32_MAX / 2);
}

/* The piece with blanks replaced, and the replacement before it where the scheme wants one. */
static bool
metaspace(struct lm_encoder *e, const struct lm_pre *st, struct lm_span *p)
{
	const struct lm_str r = st->text;
	size_t start = e->text.len, end = (size_t)p->off + p->len;
	const char *s = e->text.p + p->off;
	bool begins = (p->len && s[0] == ' ') || (p->len >= r.n && memcmp(s, r.p, r.n) == 0);

	if (!begins && (st->prepend == LM_PREPEND_ALWAYS ||
	    (st->prepend == LM_PREPEND_FIRST && (p->flags & LM_SPAN_FIRST)))) {
		if (!lm_buf_add(&e->text, r.p, r.n, e->err))
			return false;
	} else if (!memchr(s, ' ', p->len)) {
		return true;
	}
	for (size_t i = p->off; i < end; i++) {
		size_t from = i;
		const char *blank = memchr(e->text.p + i, ' ', end - i);

		i = blank ? (size_t)(blank - e->text.p) : end;
		if (!append_own(e, from, i - from) ||
		    (i < end && !lm_buf_add(&e->text, r.p, r.n, e->err)))
			return false;
	}
	*p = rewritten(e, start, p->flags);
	return !too_long(e);
}

/* ByteLevel: the blank before, the pattern, and the spelling unless it is left to the model. */
static bool
byte_level(struct lm_encoder *e, const struct lm_pre *st, struct lm_span p, bool last)
{
	size_t start = e->text.len, had = e->b.n;

	if (st->prepend == LM_PREPEND_ALWAYS && e->text.p[p.off] != ' ') {
		if (!lm_buf_add(&e->text, " ", 1, e->err) || !append_own(e, p.off, p.len))
			return false;
		p = rewritten(e, start, p.flags);
	}
	if (!st->re) {
		if (!lm_spans_add(&e->b, p.off, p.len, p.flags, e->err))
			return false;
	} else {
		e->cuts.n = 0;
		if (!lm_regex_split(st->re, &e->scan, e->text.p, p.off, p.len, &e->cuts, e->err) ||
		    !fold(e, p, LM_SPLIT_ISOLATED, false))
			return false;
	}
	for (size_t i = had; !last && i < e->b.n; i++) {
		struct lm_buf spelt = { 0 };
		bool ok;

		start = e->text.len;
		ok = lm_byte_level(e->text.p + e->b.v[i].off, e->b.v[i].len, &spelt, e->err) &&
		    lm_buf_add(&e->text, spelt.p, spelt.len, e->err);
		lm_buf_free(&spelt);
		if (!ok)
			return false;
		e->b.v[i] = rewritten(e, start, e->b.v[i].flags);
	}
	return !too_long(e);
}

/* Two steps in one: blanks go, and punctuation stands alone. */
static bool
bert(struct lm_encoder *e, struct lm_span p)
{
	size_t had = e->b.n, n;

	if (!cut_by(e, p, is_space, true) || !fold(e, p, LM_SPLIT_REMOVED, false))
		return false;
	/*
	 * The words are at the end of e->b; what they are cut into goes behind and then over them.
	 */
	n = e->b.n - had;
	for (size_t i = 0; i < n; i++) {
		struct lm_span word = e->b.v[had + i];

		if (!cut_by(e, word, is_punct, false) || !fold(e, word, LM_SPLIT_ISOLATED, false))
			return false;
	}
	memmove(e->b.v + had, e->b.v + had + n, (e->b.n - had - n) * sizeof(*e->b.v));
	e->b.n -= n;
	return true;
}

/* One step on one piece; its pieces go to e->b. */
static bool
split(struct lm_encoder *e, const struct lm_pre *st, struct lm_span p, bool last)
{
	switch (st->kind) {
	case LM_PRE_BYTE_LEVEL:
		return byte_level(e, st, p, last);
	case LM_PRE_METASPACE:
		if (!metaspace(e, st, &p))
			return false;
		if (!st->split)
			return lm_spans_add(&e->b, p.off, p.len, p.flags, e->err);
		/* FALLTHROUGH */
	case LM_PRE_SPLIT:
	case LM_PRE_DELIMITER:
		e->cuts.n = 0;
		return lm_regex_split(st->re, &e->scan, e->text.p, p.off, p.len, &e->cuts,
		    e->err) &&
		    fold(e, p, st->behaviour, st->invert);
	case LM_PRE_DIGITS:
		return cut_by(e, p, is_numeric, st->behaviour == LM_SPLIT_CONTIGUOUS) &&
		    fold(e, p, st->behaviour, false);
	case LM_PRE_WHITESPACE:
		return cut_by(e, p, word_or_other, true) && fold(e, p, LM_SPLIT_REMOVED, true);
	case LM_PRE_WHITESPACE_SPLIT:
		return cut_by(e, p, is_space, true) && fold(e, p, LM_SPLIT_REMOVED, false);
	case LM_PRE_PUNCTUATION:
		return cut_by(e, p, is_punct, false) && fold(e, p, st->behaviour, false);
	case LM_PRE_BERT:
		return bert(e, p);
	}
	return lm_fail(e->err, LM_EUNSUPPORTED, "pre-tokenizer step %d", (int)st->kind);
}

bool
lm_pretok(struct lm_encoder *e, struct lm_span piece)
{
	e->a.n = 0;
	if (!lm_spans_add(&e->a, piece.off, piece.len, piece.flags, e->err))
		return false;
	for (unsigned k = 0; k < e->v->n_pre; k++) {
		struct lm_spans t;

		e->b.n = 0;
		for (size_t i = 0; i < e->a.n; i++)
			if (!split(e, &e->v->pre[k], e->a.v[i], k + 1 == e->v->n_pre))
				return false;
		t = e->a, e->a = e->b, e->b = t;
	}
	return true;
}

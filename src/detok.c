/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detok.c - the decoder: from tokens back to text.
 *
 * The steps work on a list of strings, first the names of the tokens.  A pass is either exact, and
 * then its strings are any bytes, or it does what Hugging Face's decoders do, which put U+FFFD for
 * bytes that are no UTF-8 as soon as they leave the spelling of the vocabulary.
 */
#include "config.h"

#include "src/vocab.h"

/* ---- loading -------------------------------------------------------------------------------- */

struct lm_dec *
lm_dec_step(struct lm_vocab *v, struct lm_err *err)
{
	if (v->n_dec == LM_MAX_STEPS) {
		lm_fail(err, LM_ELIMIT, "more than %d steps of a decoder", LM_MAX_STEPS);
		return NULL;
	}
	v->dec[v->n_dec] = (struct lm_dec){ 0 };
	return &v->dec[v->n_dec++];
}

static bool
load_sequence(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err)
{
	struct lm_json_val list, one;
	struct lm_json j;

	if (!lm_json_find(val, "decoders", &list))
		return lm_fail(err, LM_EFORMAT, "a decoder Sequence without decoders");
	lm_json_at(&j, &list, err);
	for (lm_json_enter(&j, LM_JSON_ARRAY); lm_json_more(&j);)
		if (lm_json_take(&j, &one) && !lm_dec_load(v, &one, err))
			return false;
	return !j.failed;
}

static bool
load_metaspace(struct lm_vocab *v, const struct lm_json_val *val, struct lm_dec *s,
    struct lm_err *err)
{
	struct lm_str scheme = { NULL, 0 };
	bool prefix = true;

	s->text = (struct lm_str){ "\xe2\x96\x81", 3 };
	if (!lm_json_find_str(val, "replacement", &v->arena, &s->text, err) ||
	    !lm_json_find_str(val, "prepend_scheme", &v->arena, &scheme, err) ||
	    !lm_json_find_bool(val, "add_prefix_space", &prefix, err))
		return false;
	if (s->text.n == 0)
		return lm_fail(err, LM_EFORMAT, "Metaspace with an empty replacement");
	s->drop = scheme.p ? !lm_str_is(scheme, "never") : prefix;
	return true;
}

static bool
load_strip(struct lm_vocab *v, const struct lm_json_val *val, struct lm_dec *s, struct lm_err *err)
{
	int64_t start = 0, stop = 0;

	if (!lm_json_find_str(val, "content", &v->arena, &s->text, err) ||
	    !lm_json_find_int(val, "start", &start, err) ||
	    !lm_json_find_int(val, "stop", &stop, err))
		return false;
	if (s->text.n == 0 || start < 0 || stop < 0 || start > UINT32_MAX || stop > UINT32_MAX)
		return lm_fail(err, LM_EFORMAT, "decoder Strip: a content and two counts wanted");
	s->start = (uint32_t)start;
	s->stop = (uint32_t)stop;
	return true;
}

static bool
load_step(struct lm_vocab *v, const struct lm_json_val *val, int kind, struct lm_err *err)
{
	struct lm_dec *s = lm_dec_step(v, err);

	if (!s)
		return false;
	s->kind = kind;
	switch (s->kind) {
	case LM_DEC_METASPACE:
		return load_metaspace(v, val, s, err);
	case LM_DEC_STRIP:
		return load_strip(v, val, s, err);
	case LM_DEC_REPLACE:
		return lm_json_find_str(val, "content", &v->arena, &s->text, err) &&
		    lm_content_check(s->text, err) &&
		    lm_pattern_load(val, &v->arena, &s->re, err);
	case LM_DEC_SUFFIX:
		s->text = (struct lm_str){ "</w>", 4 };
		return lm_json_find_str(val, "suffix", &v->arena, &s->text, err) &&
		    (s->text.n || lm_fail(err, LM_EFORMAT, "BPEDecoder with an empty suffix"));
	default:
		return true;
	}
}

bool
lm_dec_load(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err)
{
	static const struct {
		const char *name;
		int kind;
	} names[] = {
		{ "ByteLevel", LM_DEC_BYTE_LEVEL }, { "Metaspace", LM_DEC_METASPACE },
		{ "ByteFallback", LM_DEC_BYTE_FALLBACK }, { "Fuse", LM_DEC_FUSE },
		{ "Strip", LM_DEC_STRIP }, { "Replace", LM_DEC_REPLACE },
		{ "BPEDecoder", LM_DEC_SUFFIX },
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
	return lm_fail(err, LM_EUNSUPPORTED, "decoder %.*s is not supported",
	    (int)(type.n > 80 ? 80 : type.n), type.p);
}

/* ---- running -------------------------------------------------------------------------------- */

/* Strings one after the other: the ith ends at end[i]. */
struct list {
	struct lm_buf bytes;
	size_t *end;
	size_t n, cap;
};

struct pass {
	bool exact;
	bool piece;			/* one token as it reads within a text: no strip */
	struct list a, b;		/* before and after a step */
	struct lm_scan scan;
	struct lm_spans cuts;
	struct lm_err *err;
};

static bool
list_end(struct list *l, struct lm_err *err)
{
	if (l->n == l->cap) {
		size_t want = l->cap ? l->cap * 2 : 16;

		if (!lm_resize(&l->end, want, sizeof(*l->end), err))
			return false;
		l->cap = want;
	}
	l->end[l->n++] = l->bytes.len;
	return true;
}

static struct lm_str
list_get(const struct list *l, size_t i)
{
	size_t from = i ? l->end[i - 1] : 0;

	return (struct lm_str){ l->bytes.p ? l->bytes.p + from : "", l->end[i] - from };
}

static void
list_free(struct list *l)
{
	lm_buf_free(&l->bytes);
	lm_free(l->end);
	*l = (struct list){ 0 };
}

/* Appends s[0..n), in an inexact pass as valid UTF-8. */
static bool
add_lossy(const char *s, size_t n, bool exact, struct lm_buf *out, struct lm_err *err)
{
	int32_t cp;

	if (exact)
		return lm_buf_add(out, s, n, err);
	for (size_t i = 0, from = 0; i < n || from < n; from = i) {
		size_t k = 0;

		cp = 0;
		while (i < n) {
			k = (unsigned char)s[i] < 0x80 ? 1 : lm_utf8_next(s + i, n - i, &cp);
			if (cp < 0)
				break;
			i += k;
		}
		if (!lm_buf_add(out, s + from, i - from, err))
			return false;
		if (cp < 0) {
			if (!lm_buf_add(out, "\xef\xbf\xbd", 3, err))
				return false;
			i += k;
		}
	}
	return true;
}

/*
 * The bytes that a token spells in the alphabet of ByteLevel; its own when it has other characters.
 */
static bool
spelt_bytes(struct lm_str t, struct lm_buf *out, struct lm_err *err)
{
	size_t had = out->len;
	char bytes[64];
	size_t len = 0;
	int32_t cp;

	for (size_t i = 0; i < t.n;) {
		int b;

		i += lm_utf8_next(t.p + i, t.n - i, &cp);
		b = cp < 0 ? -1 : lm_char_byte(cp);
		if (b < 0) {
			out->len = had;
			return lm_buf_add(out, t.p, t.n, err);
		}
		bytes[len++] = (char)b;
		if (len == sizeof(bytes) || i >= t.n) {
			if (!lm_buf_add(out, bytes, len, err))
				return false;
			len = 0;
		}
	}
	return true;
}

static bool
dec_byte_level(struct pass *p, const struct list *in, struct list *out)
{
	struct lm_buf bytes = { 0 };
	bool ok = true;

	for (size_t i = 0; ok && i < in->n; i++)
		ok = spelt_bytes(list_get(in, i), &bytes, p->err);
	ok = ok && add_lossy(bytes.p, bytes.len, p->exact, &out->bytes, p->err) &&
	    list_end(out, p->err);
	lm_buf_free(&bytes);
	return ok;
}

static bool
dec_metaspace(struct pass *p, const struct lm_dec *st, const struct list *in, struct list *out)
{
	for (size_t i = 0; i < in->n; i++) {
		struct lm_str t = list_get(in, i);

		for (size_t k = 0; k < t.n;) {
			const char *hit = memmem(t.p + k, t.n - k, st->text.p, st->text.n);
			size_t to = hit ? (size_t)(hit - t.p) : t.n;

			if (!lm_buf_add(&out->bytes, t.p + k, to - k, p->err))
				return false;
			if (hit && (i || !st->drop || p->piece) &&
			    !lm_buf_add(&out->bytes, " ", 1, p->err))
				return false;
			k = hit ? to + st->text.n : to;
		}
		if (!list_end(out, p->err))
			return false;
	}
	return true;
}

/* Runs of <0xHH>: the text they are when it is UTF-8, else in an inexact pass U+FFFD for each. */
static bool
dec_byte_fallback(struct pass *p, const struct list *in, struct list *out)
{
	for (size_t i = 0, j; i < in->n; i = j) {
		struct lm_str t = list_get(in, i);
		size_t from = out->bytes.len;
		char byte;
		int b;

		for (j = i; j < in->n && (b = lm_byte_token(list_get(in, j))) >= 0; j++) {
			byte = (char)b;
			if (!lm_buf_add(&out->bytes, &byte, 1, p->err))
				return false;
		}
		if (j == i) {
			j++;
			if (!lm_buf_add(&out->bytes, t.p, t.n, p->err))
				return false;
		} else if (!p->exact &&
		    !lm_utf8_valid(out->bytes.p + from, out->bytes.len - from)) {
			out->bytes.len = from;
			for (size_t k = i; k < j; k++)
				if (!lm_buf_add(&out->bytes, "\xef\xbf\xbd", 3, p->err))
					return false;
		}
		if (!list_end(out, p->err))
			return false;
	}
	return true;
}

static bool
dec_fuse(struct pass *p, const struct list *in, struct list *out)
{
	return lm_buf_add(&out->bytes, in->bytes.p, in->bytes.len, p->err) && list_end(out, p->err);
}

static bool
dec_strip(struct pass *p, const struct lm_dec *st, const struct list *in, struct list *out)
{
	for (size_t i = 0; i < in->n; i++) {
		struct lm_str t = list_get(in, i);
		const struct lm_str c = st->text;
		uint32_t left = st->start, right = st->stop;

		for (; left && t.n >= c.n && memcmp(t.p, c.p, c.n) == 0; left--)
			t.p += c.n, t.n -= c.n;
		for (; right && t.n >= c.n && memcmp(t.p + t.n - c.n, c.p, c.n) == 0; right--)
			t.n -= c.n;
		if (!lm_buf_add(&out->bytes, t.p, t.n, p->err) || !list_end(out, p->err))
			return false;
	}
	return true;
}

static bool
dec_replace(struct pass *p, const struct lm_dec *st, const struct list *in, struct list *out)
{
	for (size_t i = 0; i < in->n; i++) {
		struct lm_str t = list_get(in, i);

		p->cuts.n = 0;
		if (t.n && !lm_regex_split(st->re, &p->scan, t.p, 0, t.n, &p->cuts, p->err))
			return false;
		for (size_t k = 0; k < p->cuts.n; k++) {
			const struct lm_span *c = &p->cuts.v[k];
			bool match = c->flags & LM_SPAN_MATCH;

			if (!lm_buf_add(&out->bytes, match ? st->text.p : t.p + c->off,
			    match ? st->text.n : c->len, p->err))
				return false;
		}
		if (!list_end(out, p->err))
			return false;
	}
	return true;
}

/* The suffix of words becomes a blank, and nothing at the end of the text. */
static bool
dec_suffix(struct pass *p, const struct lm_dec *st, const struct list *in, struct list *out)
{
	for (size_t i = 0; i < in->n; i++) {
		struct lm_str t = list_get(in, i);
		bool last = i + 1 == in->n && !p->piece;

		for (size_t k = 0; k < t.n;) {
			const char *hit = memmem(t.p + k, t.n - k, st->text.p, st->text.n);
			size_t to = hit ? (size_t)(hit - t.p) : t.n;

			if (!lm_buf_add(&out->bytes, t.p + k, to - k, p->err) ||
			    (hit && !last && !lm_buf_add(&out->bytes, " ", 1, p->err)))
				return false;
			k = hit ? to + st->text.n : to;
		}
		if (!list_end(out, p->err))
			return false;
	}
	return true;
}

static bool
dec_step(struct pass *p, const struct lm_dec *st, const struct list *in, struct list *out)
{
	switch (st->kind) {
	case LM_DEC_BYTE_LEVEL:
		return dec_byte_level(p, in, out);
	case LM_DEC_METASPACE:
		return dec_metaspace(p, st, in, out);
	case LM_DEC_BYTE_FALLBACK:
		return dec_byte_fallback(p, in, out);
	case LM_DEC_FUSE:
		return dec_fuse(p, in, out);
	case LM_DEC_STRIP:
		return dec_strip(p, st, in, out);
	case LM_DEC_REPLACE:
		return dec_replace(p, st, in, out);
	case LM_DEC_SUFFIX:
		return dec_suffix(p, st, in, out);
	}
	return lm_fail(p->err, LM_EUNSUPPORTED, "decoder step %d", (int)st->kind);
}

/* Runs the steps over the tokens; the result is p->a. */
static bool
run(const struct lm_vocab *v, struct pass *p, const struct lm_str *tokens, size_t n)
{
	struct list t;

	p->a.n = p->a.bytes.len = 0;
	for (size_t i = 0; i < n; i++)
		if ((v->no_decoder && i && !lm_buf_add(&p->a.bytes, " ", 1, p->err)) ||
		    !lm_buf_add(&p->a.bytes, tokens[i].p, tokens[i].n, p->err) ||
		    !list_end(&p->a, p->err))
			return false;
	for (unsigned k = 0; k < v->n_dec; k++) {
		const struct lm_dec *st = &v->dec[k];

		if (p->piece && (st->kind == LM_DEC_STRIP || st->kind == LM_DEC_FUSE))
			continue;
		p->b.n = p->b.bytes.len = 0;
		if (!dec_step(p, st, &p->a, &p->b))
			return false;
		t = p->a, p->a = p->b, p->b = t;
	}
	return true;
}

static void
pass_fini(struct pass *p)
{
	list_free(&p->a);
	list_free(&p->b);
	lm_scan_fini(&p->scan);
	lm_spans_free(&p->cuts);
}

bool
lm_dec_run(const struct lm_vocab *v, const struct lm_str *tokens, size_t n, bool exact,
    struct lm_buf *out, struct lm_err *err)
{
	struct pass p = { .exact = exact, .err = err };
	/* Names of tokens may themselves be no UTF-8: look once more. */
	bool ok = run(v, &p, tokens, n) && add_lossy(p.a.bytes.p, p.a.bytes.len, exact, out, err);

	pass_fini(&p);
	return ok;
}

/* ---- single tokens --------------------------------------------------------------------------- */

static bool
ascii(struct lm_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80 || (unsigned char)s.p[i] <= 32)
			return false;
	return true;
}

bool
lm_dec_pieces(struct lm_vocab *v, struct lm_err *err)
{
	struct pass p = { .exact = true, .piece = true, .err = err };
	bool level = v->n_dec == 1 && v->dec[0].kind == LM_DEC_BYTE_LEVEL, ok = true;
	const struct lm_buf *got = &p.a.bytes;

	for (uint32_t id = 0; ok && id < v->n; id++) {
		struct lm_str raw = v->raw[id];

		if (!(v->flags[id] & LM_ID_USED))
			continue;
		v->text[id] = raw;
		/* With nothing but ByteLevel to do, a token of plain ASCII spells itself. */
		if (v->flags[id] & LM_ID_SPECIAL || v->n_dec == 0 || (level && ascii(raw)))
			continue;
		p.a.bytes.len = 0;
		ok = level ? spelt_bytes(raw, &p.a.bytes, err) : run(v, &p, &raw, 1);
		got = &p.a.bytes;
		if (ok && (got->len != raw.n || (raw.n && memcmp(got->p, raw.p, raw.n) != 0)))
			ok = lm_arena_copy(&v->arena, got->p, got->len, &v->text[id], err);
	}
	pass_fini(&p);
	return ok;
}

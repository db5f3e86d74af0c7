/* SPDX-License-Identifier: Apache-2.0 */
/*
 * normalize.c - the normalizer: what a text is rewritten to before it is split.
 *
 * Bytes that are no UTF-8 pass through every step untouched.
 */
#include "config.h"

#include "src/vocab.h"

#include <utf8proc.h>

/* ---- loading -------------------------------------------------------------------------------- */

struct lm_norm *
lm_norm_step(struct lm_vocab *v, struct lm_err *err)
{
	if (v->n_norm == LM_MAX_STEPS) {
		lm_fail(err, LM_ELIMIT, "more than %d steps of a normalizer", LM_MAX_STEPS);
		return NULL;
	}
	v->norm[v->n_norm] = (struct lm_norm){ 0 };
	return &v->norm[v->n_norm++];
}

static bool
load_sequence(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err)
{
	struct lm_json_val list, one;
	struct lm_json j;

	if (!lm_json_find(val, "normalizers", &list))
		return lm_fail(err, LM_EFORMAT, "a normalizer Sequence without normalizers");
	lm_json_at(&j, &list, err);
	for (lm_json_enter(&j, LM_JSON_ARRAY); lm_json_more(&j);)
		if (lm_json_take(&j, &one) && !lm_norm_load(v, &one, err))
			return false;
	return !j.failed;
}

bool
lm_content_check(struct lm_str content, struct lm_err *err)
{
	return content.n <= LM_MAX_CONTENT || lm_fail(err, LM_ELIMIT,
	    "a replacement of %zu bytes, at most %d wanted", content.n, LM_MAX_CONTENT);
}

static bool
load_replace(struct lm_vocab *v, const struct lm_json_val *val, struct lm_norm *s,
    struct lm_err *err)
{
	return lm_json_find_str(val, "content", &v->arena, &s->text, err) &&
	    lm_content_check(s->text, err) && lm_pattern_load(val, &v->arena, &s->re, err);
}

bool
lm_norm_load(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err)
{
	static const struct {
		const char *name;
		int kind;
	} names[] = {
		{ "NFC", LM_NORM_NFC }, { "NFD", LM_NORM_NFD }, { "NFKC", LM_NORM_NFKC },
		{ "NFKD", LM_NORM_NFKD }, { "Lowercase", LM_NORM_LOWERCASE },
		{ "Strip", LM_NORM_STRIP }, { "StripAccents", LM_NORM_STRIP_ACCENTS },
		{ "Prepend", LM_NORM_PREPEND }, { "Replace", LM_NORM_REPLACE },
		{ "ByteLevel", LM_NORM_BYTE_LEVEL },
	};
	struct lm_str type = { "", 0 };
	struct lm_norm *s;
	size_t i;

	if (!val->p || lm_json_val_kind(val) == LM_JSON_NULL)
		return true;
	if (!lm_json_find_str(val, "type", &v->arena, &type, err))
		return false;
	if (lm_str_is(type, "Sequence"))
		return load_sequence(v, val, err);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (lm_str_is(type, names[i].name))
			break;
	if (i == sizeof(names) / sizeof(names[0]))
		return lm_fail(err, LM_EUNSUPPORTED, "normalizer %.*s is not supported",
		    (int)(type.n > 80 ? 80 : type.n), type.p);
	s = lm_norm_step(v, err);
	if (!s)
		return false;
	s->kind = names[i].kind;
	s->left = s->right = true;
	if (s->kind == LM_NORM_STRIP)
		return lm_json_find_bool(val, "strip_left", &s->left, err) &&
		    lm_json_find_bool(val, "strip_right", &s->right, err);
	if (s->kind == LM_NORM_PREPEND)
		return lm_json_find_str(val, "prepend", &v->arena, &s->text, err) &&
		    lm_content_check(s->text, err);
	if (s->kind == LM_NORM_REPLACE)
		return load_replace(v, val, s, err);
	return true;
}

/* ---- Unicode's normal forms ----------------------------------------------------------------- */

static int
form_options(int kind)
{
	switch (kind) {
	case LM_NORM_NFC:
		return UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	case LM_NORM_NFD:
		return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
	case LM_NORM_NFKC:
		return UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
	default:
		return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
	}
}

/*
 * Below this every character is its own normal form and begins a new run: neither it nor what
 * follows depends on what stands before.  Only the composing forms may join it to what follows.
 */
static int32_t
form_plain(int kind)
{
	switch (kind) {
	case LM_NORM_NFC:
		return 0x300;
	case LM_NORM_NFD:
		return 0xc0;
	default:
		return 0xa0;
	}
}

struct cps {
	utf8proc_int32_t *v;
	size_t n, cap;
};

/* Decomposes s[0..n), which is UTF-8, without ordering the marks. */
static bool
decompose(const char *s, size_t n, int options, struct cps *c, struct lm_err *err)
{
	utf8proc_ssize_t got;
	int32_t cp;

	for (size_t i = 0; i < n;) {
		/* No character decomposes to more than 18. */
		if (c->cap - c->n < 32) {
			size_t want = c->cap ? c->cap * 2 : 128;

			if (!lm_resize(&c->v, want, sizeof(*c->v), err))
				return false;
			c->cap = want;
		}
		i += lm_utf8_next(s + i, n - i, &cp);
		got = utf8proc_decompose_char(cp, c->v + c->n, (utf8proc_ssize_t)(c->cap - c->n),
		    (utf8proc_option_t)options, NULL);
		if (got < 0 || got > (utf8proc_ssize_t)(c->cap - c->n))
			return lm_fail(err, LM_EARG, "U+%04X cannot be normalized", (unsigned)cp);
		c->n += (size_t)got;
	}
	return true;
}

static unsigned
mark_class(utf8proc_int32_t cp)
{
	return (unsigned)utf8proc_get_property(cp)->combining_class & 255;
}

/* Sorts marks by class, keeping the order within each; sorted has room for n. */
static void
count_sort(utf8proc_int32_t *cp, size_t n, utf8proc_int32_t *sorted)
{
	size_t first[256] = { 0 }, sum = 0;

	for (size_t k = 0; k < n; k++)
		first[mark_class(cp[k])]++;
	for (unsigned m = 0; m < 256; m++) {
		size_t count = first[m];

		first[m] = sum;
		sum += count;
	}
	for (size_t k = 0; k < n; k++)
		sorted[first[mark_class(cp[k])]++] = cp[k];
	memcpy(cp, sorted, n * sizeof(*sorted));
}

/*
 * Puts runs of marks into canonical order.  utf8proc would as well, in a time that grows with the
 * square of a run's length.
 */
static bool
order_marks(struct cps *c, struct lm_err *err)
{
	utf8proc_int32_t *sorted = NULL;

	for (size_t i = 0, end; i < c->n; i = end + 1) {
		for (end = i; end < c->n && mark_class(c->v[end]); end++)
			;
		if (end - i < 2)
			continue;
		if (!sorted) {
			sorted = lm_alloc(c->n, sizeof(*sorted), err);
			if (!sorted)
				return false;
		}
		count_sort(c->v + i, end - i, sorted);
	}
	lm_free(sorted);
	return true;
}

/* Puts the normal form of s[0..n), which is UTF-8, behind out. */
static bool
form_run(const char *s, size_t n, int options, struct lm_buf *out, struct lm_err *err)
{
	struct cps c = { 0 };
	utf8proc_ssize_t got;
	bool ok = false;
	char utf8[4];

	if (!decompose(s, n, options, &c, err) || !order_marks(&c, err))
		goto out;
	got = utf8proc_normalize_utf32(c.v, (utf8proc_ssize_t)c.n, (utf8proc_option_t)options);
	for (utf8proc_ssize_t i = 0; i < got; i++)
		if (!lm_buf_add(out, utf8, lm_utf8_put((uint32_t)c.v[i], utf8), err))
			goto out;
	ok = got >= 0 || lm_fail(err, LM_EARG, "a text cannot be normalized: %s",
	    utf8proc_errmsg(got));
out:
	lm_free(c.v);
	return ok;
}

static bool
form(const struct lm_norm *st, const char *s, size_t n, struct lm_buf *out, struct lm_err *err)
{
	int32_t plain = form_plain(st->kind), cp;
	size_t done = 0, last = 0, i = 0, k;

	/*
	 * [done,i) needs no change and is not yet copied; its last character, if any, is at last.
	 */
	while (i < n) {
		k = lm_utf8_next(s + i, n - i, &cp);
		if (cp < plain || (cp >= 0x4e00 && cp < 0xa000)) {
			last = cp < 0 ? i + k : i;
			i += k;
			continue;
		}
		/* The run that may change begins with that character, which may compose. */
		if (!lm_buf_add(out, s + done, last - done, err))
			return false;
		for (; i < n; i += k) {
			k = lm_utf8_next(s + i, n - i, &cp);
			if (cp < plain)
				break;
		}
		if (!form_run(s + last, i - last, form_options(st->kind), out, err))
			return false;
		done = last = i;
	}
	return lm_buf_add(out, s + done, n - done, err);
}

/* ---- the other steps ------------------------------------------------------------------------ */

static bool
lowercase(const char *s, size_t n, struct lm_buf *out, struct lm_err *err)
{
	char utf8[4];
	int32_t cp;

	for (size_t i = 0, k; i < n; i += k) {
		k = lm_utf8_next(s + i, n - i, &cp);
		if (cp == 0x130) {		/* the one that becomes two: i and a dot above */
			if (!lm_buf_add(out, "i\xcc\x87", 3, err))
				return false;
			continue;
		}
		if (cp < 0 ? !lm_buf_add(out, s + i, k, err) :
		    !lm_buf_add(out, utf8, lm_utf8_put((uint32_t)utf8proc_tolower(cp), utf8), err))
			return false;
	}
	return true;
}

static bool
strip(const struct lm_norm *st, const char *s, size_t n, struct lm_buf *out, bool *head,
    struct lm_err *err)
{
	size_t from = 0, end = n, k;
	int32_t cp;

	while (st->left && from < n) {
		k = lm_utf8_next(s + from, n - from, &cp);
		if (!lm_char_space(cp))
			break;
		from += k;
		*head = false;
	}
	while (st->right && end > from) {
		for (k = 1; k < 4 && end - k > from; k++)
			if (((unsigned char)s[end - k] & 0xc0) != 0x80)
				break;
		if (lm_utf8_next(s + end - k, k, &cp) != k || !lm_char_space(cp))
			break;
		end -= k;
	}
	return lm_buf_add(out, s + from, end - from, err);
}

static bool
strip_accents(const char *s, size_t n, struct lm_buf *out, bool *head, struct lm_err *err)
{
	int32_t cp;

	for (size_t i = 0, k; i < n; i += k) {
		k = lm_utf8_next(s + i, n - i, &cp);
		if (lm_char_mark(cp)) {
			*head &= i != 0;
			continue;
		}
		if (!lm_buf_add(out, s + i, k, err))
			return false;
	}
	return true;
}

static bool
replace(struct lm_encoder *e, const struct lm_norm *st, const char *s, size_t n, struct lm_buf *out,
    bool *head)
{
	int32_t cp;

	e->cuts.n = 0;
	if (!lm_regex_split(st->re, &e->scan, s, 0, n, &e->cuts, e->err))
		return false;
	for (size_t i = 0; i < e->cuts.n; i++) {
		const struct lm_span *c = &e->cuts.v[i];

		if (!(c->flags & LM_SPAN_MATCH)) {
			if (!lm_buf_add(out, s + c->off, c->len, e->err))
				return false;
			continue;
		}
		/* What replaces several characters belongs to the last of them. */
		if (c->off == 0 && c->len &&
		    (st->text.n == 0 || lm_utf8_next(s, c->len, &cp) != c->len))
			*head = false;
		if (!lm_buf_add(out, st->text.p, st->text.n, e->err))
			return false;
		if (out->len > UINT32_MAX / 2)
			return lm_fail(e->err, LM_ELIMIT, "a text that grows beyond %u bytes",
			    UINT32_MAX / 2);
	}
	return true;
}

static bool
step(struct lm_encoder *e, const struct lm_norm *st, const char *s, size_t n, struct lm_buf *out,
    bool *head)
{
	switch (st->kind) {
	case LM_NORM_NFC:
	case LM_NORM_NFD:
	case LM_NORM_NFKC:
	case LM_NORM_NFKD:
		return form(st, s, n, out, e->err);
	case LM_NORM_LOWERCASE:
		return lowercase(s, n, out, e->err);
	case LM_NORM_STRIP:
		return strip(st, s, n, out, head, e->err);
	case LM_NORM_STRIP_ACCENTS:
		return strip_accents(s, n, out, head, e->err);
	case LM_NORM_PREPEND:
		return (n == 0 || lm_buf_add(out, st->text.p, st->text.n, e->err)) &&
		    lm_buf_add(out, s, n, e->err);
	case LM_NORM_REPLACE:
		return n == 0 || replace(e, st, s, n, out, head);
	case LM_NORM_BYTE_LEVEL:
		return lm_byte_level(s, n, out, e->err);
	}
	return lm_fail(e->err, LM_EUNSUPPORTED, "normalizer step %d", (int)st->kind);
}

bool
lm_normalize(struct lm_encoder *e, const char *s, size_t n, bool *head)
{
	const struct lm_vocab *v = e->v;

	*head = true;
	if (v->n_norm == 0)
		return lm_buf_add(&e->text, s, n, e->err);
	for (unsigned k = 0; k < v->n_norm; k++) {
		bool last = k + 1 == v->n_norm;
		struct lm_buf *out = last ? &e->text : &e->tmp[k & 1];

		if (!last)
			out->len = 0;
		if (!step(e, &v->norm[k], s, n, out, head))
			return false;
		s = out->p, n = out->len;
	}
	return true;
}

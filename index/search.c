/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search.c - from words to tokens, from tokens to the neurons that rank them.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "config.h"

#include "index/db.h"

#include <math.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- tokens -------------------------------------------------------------------------------------- */

bool
ix_find_token(ix_db *db, const char *text, size_t n, uint32_t *id, struct lm_err *err)
{
	sqlite3_stmt *s;
	bool row = false, ok;

	err->code = LM_OK;
	if (!ix_prepare(db, "SELECT id FROM token WHERE text = ?1 ORDER BY special, id LIMIT 1", &s, err))
		return false;
	sqlite3_bind_blob64(s, 1, n ? text : "", n, SQLITE_STATIC);
	ok = ix_step(db, s, &row, err);
	if (ok && row)
		*id = (uint32_t)sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return ok && row;
}

/* One leading space off, and all letters small: what the variants of a word share. */
static bool
fold(const char *s, size_t n, struct lm_buf *out, struct lm_err *err)
{
	out->len = 0;
	if (n && *s == ' ')
		s++, n--;
	if (!lm_buf_add(out, "", 0, err))
		return false;
	for (size_t i = 0, k; i < n; i += k) {
		char buf[4];
		int32_t cp;

		k = lm_utf8_next(s + i, n - i, &cp);
		if (cp < 0 ? !lm_buf_add(out, s + i, k, err) :
		    !lm_buf_add(out, buf, lm_utf8_put((uint32_t)utf8proc_tolower(cp), buf), err))
			return false;
	}
	return true;
}

struct matcher {
	enum ix_match how;
	const char *text;
	size_t n;
	struct lm_buf folded, other;
	pcre2_code *code;
	pcre2_match_data *data;
};

static bool
start_match(struct matcher *m, struct lm_err *err)
{
	unsigned char text[120];
	PCRE2_SIZE at;
	int rc;

	if (m->how == IX_VARIANTS)
		return fold(m->text, m->n, &m->folded, err);
	if (m->how != IX_REGEX)
		return true;
	m->code = pcre2_compile((PCRE2_SPTR)m->text, m->n,
	    PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &rc, &at, NULL);
	if (!m->code) {
		pcre2_get_error_message(rc, text, sizeof(text));
		return lm_fail(err, LM_EARG, "regex %.*s: %s at character %zu",
		    (int)(m->n > 80 ? 80 : m->n), m->text, (const char *)text, (size_t)at);
	}
	m->data = pcre2_match_data_create_from_pattern(m->code, NULL);
	if (!m->data)
		return lm_fail(err, LM_ENOMEM, "out of memory for a regex");
	pcre2_jit_compile(m->code, PCRE2_JIT_COMPLETE);
	return true;
}

static bool
matches(struct matcher *m, const char *s, size_t n, bool *hit, struct lm_err *err)
{
	int rc;

	switch (m->how) {
	case IX_EXACT:
		*hit = n == m->n && memcmp(s, m->text, n) == 0;
		return true;
	case IX_VARIANTS:
		if (!fold(s, n, &m->other, err))
			return false;
		*hit = m->other.len == m->folded.len && memcmp(m->other.p, m->folded.p, m->folded.len) == 0;
		return true;
	case IX_SUBSTRING:
		*hit = memmem(s, n, m->text, m->n) != NULL;
		return true;
	case IX_REGEX:
		rc = pcre2_match(m->code, (PCRE2_SPTR)s, n, 0, 0, m->data, NULL);
		*hit = rc >= 0;
		return rc >= 0 || rc == PCRE2_ERROR_NOMATCH ||
		    lm_fail(err, LM_ELIMIT, "the regex takes too long to match");
	}
	return true;
}

bool
ix_match_tokens(ix_db *db, const char *text, size_t n, enum ix_match how, struct lm_ids *out,
    struct lm_err *err)
{
	struct matcher m = { .how = how, .text = text, .n = n };
	sqlite3_stmt *s = NULL;
	bool row = true, ok, hit;
	uint32_t id;

	if (how == IX_EXACT) {
		if (ix_find_token(db, text, n, &id, err))
			return lm_ids_add(out, id, err);
		return err->code == LM_OK;
	}
	ok = start_match(&m, err) &&
	    ix_prepare(db, "SELECT id, text FROM token WHERE text IS NOT NULL ORDER BY id", &s, err);
	while (ok && (ok = ix_step(db, s, &row, err)) && row) {
		const char *p = sqlite3_column_blob(s, 1);

		ok = matches(&m, p ? p : "", (size_t)sqlite3_column_bytes(s, 1), &hit, err);
		if (ok && hit)
			ok = lm_ids_add(out, (uint32_t)sqlite3_column_int64(s, 0), err);
	}
	sqlite3_finalize(s);
	pcre2_match_data_free(m.data);
	pcre2_code_free(m.code);
	lm_buf_free(&m.folded);
	lm_buf_free(&m.other);
	return ok;
}

/* ---- ranks --------------------------------------------------------------------------------------- */

static void
unpack(const unsigned char *p, size_t len, struct lm_hit *hits, uint32_t *k)
{
	uint32_t n = len / 8 < *k ? (uint32_t)(len / 8) : *k;

	for (uint32_t i = 0; hits && i < n; i++, p += 8) {
		float score;
		uint32_t bits = p[4] | (uint32_t)p[5] << 8 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 24;

		memcpy(&score, &bits, sizeof(score));
		hits[i].id = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		hits[i].score = score;
	}
	*k = n;
}

bool
ix_ranks(ix_db *db, enum lm_side side, uint32_t layer, uint32_t neuron, struct lm_hit *top,
    uint32_t *k_top, struct lm_hit *bottom, uint32_t *k_bottom, struct lm_err *err)
{
	bool row = false, ok;
	sqlite3_stmt *s;

	if (!db->ranks && !ix_prepare(db, "SELECT top, bottom FROM ranks WHERE side = ?1 AND neuron = ?2",
	    &db->ranks, err))
		return false;
	s = db->ranks;
	sqlite3_bind_int(s, 1, side);
	sqlite3_bind_int64(s, 2, (int64_t)layer * db->model.hidden + neuron);
	ok = ix_step(db, s, &row, err);
	if (ok && !row)
		ok = lm_fail(err, LM_EARG, "%s: neuron %u.%u is not in it", db->path, layer, neuron);
	if (ok) {
		unpack(sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0), top, k_top);
		unpack(sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1), bottom, k_bottom);
	}
	sqlite3_reset(s);
	return ok;
}

/* ---- neurons of tokens --------------------------------------------------------------------------- */

struct found {
	double score;
	int64_t neuron;
	uint32_t id;
	uint32_t rank;
};

struct finder {
	ix_db *db;
	const struct ix_search *s;
	struct found *v;
	size_t n, cap;
};

static int
by_score(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->neuron != y->neuron)
		return x->neuron < y->neuron ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* The place of a token in a neuron's stored ranks, from 1; 0 when it is not there. */
static bool
rank_of(struct finder *f, const struct found *x, uint32_t *rank, struct lm_err *err)
{
	struct lm_hit top[4096];
	uint32_t hidden = f->db->model.hidden, k = 4096, none = 0;

	if (!ix_ranks(f->db, f->s->side, (uint32_t)(x->neuron / hidden), (uint32_t)(x->neuron % hidden),
	    top, &k, NULL, &none, err))
		return false;
	*rank = 0;
	for (uint32_t i = 0; i < k && *rank == 0; i++)
		if (top[i].id == x->id)
			*rank = i + 1;
	return true;
}

/* Postings of one token; with many tokens no more of each than could end up in the answer. */
static bool
find_one(struct finder *f, sqlite3_stmt *q, uint32_t id, struct lm_err *err)
{
	uint64_t taken = 0;
	bool row = true, ok;

	sqlite3_bind_int64(q, 2, id);
	while ((ok = ix_step(f->db, q, &row, err)) && row) {
		struct found x = { sqlite3_column_double(q, 1), sqlite3_column_int64(q, 0), id, 0 };

		if (f->s->rank) {
			if (!rank_of(f, &x, &x.rank, err))
				return false;
			if (x.rank == 0 || x.rank > f->s->rank)
				continue;
		}
		if (f->n == f->cap) {
			size_t cap = f->cap ? f->cap * 2 : 256;

			if (!lm_resize(&f->v, cap, sizeof(*f->v), err))
				return false;
			f->cap = cap;
		}
		f->v[f->n++] = x;
		if (f->s->limit && ++taken == f->s->limit)
			break;
	}
	sqlite3_reset(q);
	return ok;
}

static bool
put_rows(struct finder *f, struct ix_table *out, struct lm_err *err)
{
	static const char *const names[] = { "up", "gate", "down" };
	size_t n = f->s->limit && f->s->limit < f->n ? (size_t)f->s->limit : f->n;
	uint32_t hidden = f->db->model.hidden;
	sqlite3_stmt *q;
	bool ok = true, row;

	if (!ix_prepare(f->db, "SELECT d.lse, t.text FROM token t LEFT JOIN decode d ON d.side = ?1 "
	    "AND d.neuron = ?2 WHERE t.id = ?3", &q, err))
		return false;
	for (size_t i = 0; ok && i < n; i++) {
		struct found *x = &f->v[i];
		struct ix_cell *c = ix_table_add(out, err);

		sqlite3_bind_int(q, 1, f->s->side);
		sqlite3_bind_int64(q, 2, x->neuron);
		sqlite3_bind_int64(q, 3, x->id);
		ok = c && (x->rank || rank_of(f, x, &x->rank, err)) && ix_step(f->db, q, &row, err);
		if (!ok)
			break;
		c[0] = ix_int(x->neuron / hidden);
		c[1] = ix_int(x->neuron % hidden);
		c[2] = ix_text(names[f->s->side], strlen(names[f->s->side]));
		if (x->rank)
			c[3] = ix_int(x->rank);
		c[4] = ix_int(x->id);
		c[6] = ix_real(x->score);
		if (row && sqlite3_column_type(q, 0) != SQLITE_NULL)
			c[7] = ix_real(exp(x->score - sqlite3_column_double(q, 0)));
		if (row && sqlite3_column_type(q, 1) != SQLITE_NULL)
			ok = ix_table_bytes(out, &c[5], IX_TOKEN, sqlite3_column_blob(q, 1),
			    (size_t)sqlite3_column_bytes(q, 1), err);
		sqlite3_reset(q);
	}
	sqlite3_finalize(q);
	out->more = f->n - n;
	return ok;
}

bool
ix_search(ix_db *db, const struct ix_search *s, struct ix_table *out, struct lm_err *err)
{
	struct finder f = { .db = db, .s = s };
	int64_t hidden = db->model.hidden;
	sqlite3_stmt *q = NULL;
	bool ok;

	if (!ix_table_init(out, "layer:int neuron:int side:text rank:int id:int text:token "
	    "score:real:logits prob:real", err) ||
	    !ix_prepare(db, "SELECT neuron, score FROM posting WHERE side = ?1 AND token = ?2 "
	    "AND neuron BETWEEN ?3 AND ?4 ORDER BY score DESC, neuron", &q, err))
		return false;
	sqlite3_bind_int(q, 1, s->side);
	sqlite3_bind_int64(q, 3, s->layer < 0 ? 0 : s->layer * hidden);
	sqlite3_bind_int64(q, 4, s->layer < 0 ? INT64_MAX : (s->layer + 1) * hidden - 1);
	ok = true;
	for (size_t i = 0; ok && i < s->n_ids; i++)
		ok = find_one(&f, q, s->ids[i], err);
	sqlite3_finalize(q);
	if (f.n)
		qsort(f.v, f.n, sizeof(*f.v), by_score);
	ok = ok && put_rows(&f, out, err);
	lm_free(f.v);
	return ok;
}

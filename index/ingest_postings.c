/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest_postings.c - the ranks turned around: for each token the neurons that rank it, best first.
 *
 * Rows are inserted in the order of the table's key, which is what makes the table fast to build and
 * small.  Tokens are taken in ranges that fit the memory set aside for sorting.
 */
#include "config.h"

#include "index/db.h"

#include <stdlib.h>
#include <string.h>

enum { SORTED_AT_ONCE = 4 << 20 };

struct posting {
	uint32_t token, neuron;
	float score;
};

struct sorter {
	ix_db *db;
	int side;
	const struct lm_watch *watch;
	uint32_t *count;		/* [vocab]: postings of each token */
	uint32_t vocab;
	uint32_t from, to;		/* tokens of this pass, to excluded */
	struct posting *v;
	size_t n;
};

static uint32_t
le32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Counts the postings of one row of ranks, or collects those of this pass. */
static void
take_row(struct sorter *s, sqlite3_stmt *q, bool collect)
{
	const unsigned char *p = sqlite3_column_blob(q, 1);
	size_t len = (size_t)sqlite3_column_bytes(q, 1);
	uint32_t neuron = (uint32_t)sqlite3_column_int64(q, 0);

	for (size_t i = 0; p && i + 8 <= len; i += 8) {
		uint32_t token = le32(p + i), bits = le32(p + i + 4);

		if (token >= s->vocab)
			continue;
		if (!collect) {
			s->count[token]++;
		} else if (token >= s->from && token < s->to) {
			struct posting *x = &s->v[s->n++];

			x->token = token;
			x->neuron = neuron;
			memcpy(&x->score, &bits, sizeof(x->score));
		}
	}
}

static bool
scan(struct sorter *s, bool collect, struct lm_err *err)
{
	sqlite3_stmt *q;
	bool row = true, ok;

	if (!ix_prepare(s->db, "SELECT neuron, top FROM ranks WHERE side = ?1 ORDER BY neuron", &q, err))
		return false;
	sqlite3_bind_int(q, 1, s->side);
	while ((ok = ix_step(s->db, q, &row, err)) && row)
		take_row(s, q, collect);
	sqlite3_finalize(q);
	return ok && lm_watch_go(s->watch, err);
}

static int
by_key(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;

	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->neuron < y->neuron ? -1 : x->neuron > y->neuron;
}

/* One range of tokens, in a transaction. */
static bool
put_range(struct sorter *s, size_t expected, struct lm_err *err)
{
	sqlite3_stmt *q = NULL;
	bool ok;

	s->v = lm_alloc(expected, sizeof(*s->v), err);
	s->n = 0;
	ok = s->v && scan(s, true, err) && ix_exec(s->db, "BEGIN IMMEDIATE", err);
	if (ok) {
		if (s->n)
			qsort(s->v, s->n, sizeof(*s->v), by_key);
		ok = ix_prepare(s->db, "INSERT INTO posting VALUES (?1, ?2, ?3, ?4)", &q, err);
		for (size_t i = 0; ok && i < s->n; i++) {
			sqlite3_bind_int(q, 1, s->side);
			sqlite3_bind_int64(q, 2, s->v[i].token);
			sqlite3_bind_double(q, 3, (double)s->v[i].score);
			sqlite3_bind_int64(q, 4, s->v[i].neuron);
			ok = ix_run(s->db, q, err);
		}
		sqlite3_finalize(q);
		ok = ok && ix_exec(s->db, "COMMIT", err);
		if (!ok)
			ix_exec(s->db, "ROLLBACK", NULL);
	}
	lm_free(s->v);
	return ok;
}

static bool
put_side(struct sorter *s, struct lm_err *err)
{
	bool ok;

	memset(s->count, 0, s->vocab * sizeof(*s->count));
	ok = scan(s, false, err);
	for (s->from = 0; ok && s->from < s->vocab; s->from = s->to) {
		size_t n = s->count[s->from];

		for (s->to = s->from + 1; s->to < s->vocab && n + s->count[s->to] <= SORTED_AT_ONCE; s->to++)
			n += s->count[s->to];
		ok = put_range(s, n, err) && lm_watch_go(s->watch, err);
		if (ok && s->watch && s->watch->report)
			s->watch->report(s->watch->ctx, (uint64_t)s->side * s->vocab + s->to,
			    (uint64_t)LM_NSIDES * s->vocab);
	}
	return ok;
}

bool
ix_ingest_postings(ix_db *db, const struct lm_watch *w, struct lm_err *err)
{
	struct sorter s = { .db = db, .watch = w, .vocab = db->model.vocab };
	bool ok;

	s.count = lm_alloc(s.vocab, sizeof(*s.count), err);
	ok = s.count && ix_exec(db, "DELETE FROM posting", err);
	for (s.side = 0; ok && s.side < LM_NSIDES; s.side++)
		ok = put_side(&s, err);
	lm_free(s.count);
	return ok && ix_set_done(db, "posting", -1, err);
}

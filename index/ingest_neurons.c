/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest_neurons.c - decodes, statistics, cosines and classes of one layer's neurons.
 */
#include "config.h"

#include "index/db.h"

#include <math.h>
#include <string.h>

/* What is computed of a layer; arrays over sides, then neurons. */
struct layer {
	uint32_t layer, hidden;
	enum lm_side sides[LM_NSIDES];
	size_t n_sides;
	struct lm_hit *top, *bottom;
	struct lm_decode_stat *stat;
	double *cosines;		/* [3,F]: up_down, gate_down, gate_up */
};

static bool
compute(struct layer *y, const lm_model *m, lm_pool *pool, const struct lm_watch *w,
    struct lm_err *err)
{
	size_t f = y->hidden, n = y->n_sides * f;
	struct lm_neurons ranges[LM_NSIDES];
	struct lm_cosines c;

	y->top = lm_alloc(n * IX_TOP, sizeof(*y->top), err);
	y->bottom = lm_alloc(n * IX_BOTTOM, sizeof(*y->bottom), err);
	y->stat = lm_alloc(n, sizeof(*y->stat), err);
	y->cosines = lm_alloc(3 * f, sizeof(*y->cosines), err);
	if (!y->top || !y->bottom || !y->stat || !y->cosines)
		return false;
	for (size_t i = 0; i < y->n_sides; i++)
		ranges[i] = (struct lm_neurons){ y->layer, y->sides[i], 0, y->hidden };
	c = (struct lm_cosines){ y->cosines, y->cosines + f, y->cosines + 2 * f };
	return lm_neuron_cosines(m, pool, y->layer, true, &c, err) &&
	    lm_decode(m, pool, LM_PREP_FINAL_NORM, ranges, y->n_sides, IX_TOP, IX_BOTTOM, y->top,
	    y->bottom, y->stat, w, err);
}

/* NaN and infinity become NULL. */
static void
bind_real(sqlite3_stmt *s, int i, double v)
{
	if (isfinite(v))
		sqlite3_bind_double(s, i, v);
	else
		sqlite3_bind_null(s, i);
}

static void
put_le32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

/* Hits as the table stores them; returns the bytes used. */
static int
pack(const struct lm_hit *hits, size_t n, unsigned char *out)
{
	int used = 0;

	for (size_t i = 0; i < n; i++) {
		float score = (float)hits[i].score;
		uint32_t bits;

		if (hits[i].id == UINT32_MAX)
			break;
		memcpy(&bits, &score, sizeof(bits));
		put_le32(out + used, hits[i].id);
		put_le32(out + used + 4, bits);
		used += 8;
	}
	return used;
}

static bool
put_neurons(ix_db *db, const struct layer *y, struct lm_err *err)
{
	size_t f = y->hidden;
	sqlite3_stmt *s;
	bool ok = true;

	if (!ix_prepare(db, "INSERT INTO neuron VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &s, err))
		return false;
	for (uint32_t i = 0; ok && i < f; i++) {
		double io = y->cosines[i], go = y->cosines[f + i], gi = y->cosines[2 * f + i];

		sqlite3_bind_int64(s, 1, (int64_t)y->layer * y->hidden + i);
		sqlite3_bind_int64(s, 2, y->layer);
		sqlite3_bind_int64(s, 3, i);
		bind_real(s, 4, io);
		bind_real(s, 5, go);
		bind_real(s, 6, gi);
		sqlite3_bind_int(s, 7, lm_class_of(io, go, gi));
		ok = ix_run(db, s, err);
	}
	sqlite3_finalize(s);
	return ok;
}

static void
bind_decode(sqlite3_stmt *s, const struct lm_decode_stat *t, const struct lm_hit *best)
{
	bool known = best->id != UINT32_MAX;
	double score = best->score;

	if (known)
		sqlite3_bind_int64(s, 3, best->id);
	else
		sqlite3_bind_null(s, 3);
	bind_real(s, 4, known ? score : NAN);
	bind_real(s, 5, known ? exp(score - t->lse) : NAN);
	bind_real(s, 6, t->norm);
	bind_real(s, 7, t->lse);
	bind_real(s, 8, t->entropy);
	bind_real(s, 9, t->mean);
	bind_real(s, 10, t->sd);
	bind_real(s, 11, t->skewness);
	bind_real(s, 12, t->kurtosis);
	bind_real(s, 13, known ? (score - t->mean) / t->sd : NAN);
}

static bool
put_decodes(ix_db *db, const struct layer *y, struct lm_err *err)
{
	unsigned char top[IX_TOP * 8], bottom[IX_BOTTOM * 8];
	sqlite3_stmt *d = NULL, *r = NULL;
	bool ok = ix_prepare(db, "INSERT INTO decode VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
	    "?12, ?13)", &d, err) && ix_prepare(db, "INSERT INTO ranks VALUES (?1, ?2, ?3, ?4)", &r, err);

	for (size_t k = 0; ok && k < y->n_sides * y->hidden; k++) {
		int64_t neuron = (int64_t)y->layer * y->hidden + (int64_t)(k % y->hidden);
		int side = y->sides[k / y->hidden];

		sqlite3_bind_int(d, 1, side);
		sqlite3_bind_int64(d, 2, neuron);
		bind_decode(d, &y->stat[k], &y->top[k * IX_TOP]);
		sqlite3_bind_int(r, 1, side);
		sqlite3_bind_int64(r, 2, neuron);
		sqlite3_bind_blob(r, 3, top, pack(&y->top[k * IX_TOP], IX_TOP, top), SQLITE_STATIC);
		sqlite3_bind_blob(r, 4, bottom, pack(&y->bottom[k * IX_BOTTOM], IX_BOTTOM, bottom),
		    SQLITE_STATIC);
		ok = ix_run(db, d, err) && ix_run(db, r, err);
	}
	sqlite3_finalize(d);
	sqlite3_finalize(r);
	return ok;
}

bool
ix_ingest_layer(ix_db *db, const lm_model *m, lm_pool *pool, uint32_t layer,
    const struct lm_watch *w, struct lm_err *err)
{
	const struct lm_info *info = lm_model_info(m);
	struct layer y = { .layer = layer, .hidden = info->hidden };
	bool ok;

	y.sides[y.n_sides++] = LM_SIDE_UP;
	if (info->gated)
		y.sides[y.n_sides++] = LM_SIDE_GATE;
	y.sides[y.n_sides++] = LM_SIDE_DOWN;
	ok = compute(&y, m, pool, w, err) && ix_exec(db, "BEGIN IMMEDIATE", err);
	if (ok) {
		ok = put_neurons(db, &y, err) && put_decodes(db, &y, err) &&
		    ix_set_done(db, "decode", layer, err) && ix_exec(db, "COMMIT", err);
		if (!ok)
			ix_exec(db, "ROLLBACK", NULL);
	}
	lm_free(y.top);
	lm_free(y.bottom);
	lm_free(y.stat);
	lm_free(y.cosines);
	return ok;
}

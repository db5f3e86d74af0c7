/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest_prompts.c - what neurons show on reference prompts: mean, deviation, extremes.
 *
 * The first position is left out: many models put a norm on it that no other position has.
 */
#include "config.h"

#include "index/db.h"

#include <math.h>
#include <string.h>

static const char *const default_prompts[] = {
	"The old harbour was quiet that morning, and only the gulls were awake.",
	"She asked her brother to bring three eggs, some flour and a little salt.",
	"In 1998 the company sold more than two million cars in eleven countries.",
	"Water boils at a lower temperature on a mountain because the air is thinner.",
	"The doctor said that he should rest for a week and drink a lot of tea.",
	"Paris, Rome and Vienna are cities that many people visit in the spring.",
	"for (int i = 0; i < n; i++) { total += values[i]; }",
	"def area(width, height):\n    return width * height",
	"My dog likes to run after the ball, but the cat prefers to sleep in the sun.",
	"The minister answered that the new law would not change the price of bread.",
	"Once there was a girl who lived in a small house at the edge of the forest.",
	"If the first number is larger than the second, subtract it; otherwise stop.",
};

/* Sums over positions of one value of every neuron. */
struct sums {
	double *sum, *square;
	float *low, *high;
};

struct show {
	const struct lm_info *info;
	uint32_t first, n_layers;
	size_t n;			/* neurons */
	uint64_t positions;
	uint32_t prompt;		/* at hand */
	struct sums v[3];		/* up, gate, act */
	uint32_t *high_prompt, *high_pos;	/* of act */
};

static bool
alloc_sums(struct show *s, struct lm_err *err)
{
	s->n = (size_t)s->n_layers * s->info->hidden;
	for (int i = 0; i < 3; i++)
		if (!(s->v[i].sum = lm_zalloc(s->n, sizeof(double), err)) ||
		    !(s->v[i].square = lm_zalloc(s->n, sizeof(double), err)) ||
		    !(s->v[i].low = lm_zalloc(s->n, sizeof(float), err)) ||
		    !(s->v[i].high = lm_zalloc(s->n, sizeof(float), err)))
			return false;
	return (s->high_prompt = lm_zalloc(s->n, sizeof(uint32_t), err)) &&
	    (s->high_pos = lm_zalloc(s->n, sizeof(uint32_t), err));
}

static void
free_sums(struct show *s)
{
	for (int i = 0; i < 3; i++) {
		lm_free(s->v[i].sum);
		lm_free(s->v[i].square);
		lm_free(s->v[i].low);
		lm_free(s->v[i].high);
	}
	lm_free(s->high_prompt);
	lm_free(s->high_pos);
}

static bool
add_rows(void *ctx, enum lm_site site, uint32_t layer, size_t pos, size_t n, size_t width,
    const lm_real *rows, struct lm_err *err)
{
	struct show *s = ctx;
	struct sums *v = &s->v[site == LM_SITE_UP ? 0 : site == LM_SITE_GATE ? 1 : 2];
	size_t at = (size_t)(layer - s->first) * width;

	(void)err;
	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < width; i++) {
			double x = rows[t * width + i];
			bool start = s->positions + pos + t == 1;	/* of all prompts */

			v->sum[at + i] += x;
			v->square[at + i] += x * x;
			if (start || (float)x < v->low[at + i])
				v->low[at + i] = (float)x;
			if (start || (float)x > v->high[at + i]) {
				v->high[at + i] = (float)x;
				if (site == LM_SITE_ACT) {
					s->high_prompt[at + i] = s->prompt;
					s->high_pos[at + i] = (uint32_t)(pos + t);
				}
			}
		}
	return true;
}

/* Runs one prompt; those of fewer than two tokens show nothing. */
static bool
run_prompt(ix_db *db, struct show *s, lm_run *r, const lm_vocab *vocab, const char *text,
    sqlite3_stmt *put, struct lm_err *err)
{
	unsigned sites = 1u << LM_SITE_UP | 1u << LM_SITE_ACT | (s->info->gated ? 1u << LM_SITE_GATE : 0);
	struct lm_tap tap = { sites, s->first, s->first + s->n_layers - 1, 1, 0, add_rows, s };
	struct lm_ids ids = { 0 };
	bool ok = lm_vocab_encode(vocab, text, strlen(text), true, &ids, err);

	if (ok && ids.n > s->info->context)
		ids.n = s->info->context;
	if (ok && ids.n >= 2) {
		tap.pos_to = ids.n - 1;
		ok = lm_run_set_prompt(r, ids.v, ids.n, err) && lm_run_tap(r, &tap, err);
		s->positions += ids.n - 1;
	}
	if (ok) {
		sqlite3_bind_int64(put, 1, s->prompt);
		sqlite3_bind_blob64(put, 2, text, strlen(text), SQLITE_STATIC);
		sqlite3_bind_blob64(put, 3, ids.n ? (const void *)ids.v : "", ids.n * sizeof(*ids.v),
		    SQLITE_STATIC);
		ok = ix_run(db, put, err);
	}
	lm_ids_free(&ids);
	s->prompt++;
	return ok;
}

static double
deviation(const struct show *s, int i, size_t k)
{
	double n = (double)s->positions, mean = s->v[i].sum[k] / n;
	double var = s->v[i].square[k] / n - mean * mean;

	return var > 0 ? sqrt(var) : 0;
}

static double
magnitude(const struct show *s, int i, size_t k)
{
	return fmax(fabs((double)s->v[i].low[k]), fabs((double)s->v[i].high[k]));
}

static bool
put_sums(ix_db *db, const struct show *s, struct lm_err *err)
{
	sqlite3_stmt *q;
	bool ok;

	if (!ix_prepare(db, "INSERT OR REPLACE INTO activation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
	    "?10, ?11)", &q, err))
		return false;
	ok = true;
	for (size_t k = 0; ok && k < s->n; k++) {
		sqlite3_bind_int64(q, 1, (int64_t)s->first * s->info->hidden + (int64_t)k);
		sqlite3_bind_double(q, 2, s->v[2].sum[k] / (double)s->positions);
		sqlite3_bind_double(q, 3, deviation(s, 2, k));
		sqlite3_bind_double(q, 4, (double)s->v[2].low[k]);
		sqlite3_bind_double(q, 5, (double)s->v[2].high[k]);
		sqlite3_bind_int64(q, 6, s->high_prompt[k]);
		sqlite3_bind_int64(q, 7, s->high_pos[k]);
		sqlite3_bind_double(q, 8, deviation(s, 0, k));
		sqlite3_bind_double(q, 9, magnitude(s, 0, k));
		if (s->info->gated) {
			sqlite3_bind_double(q, 10, deviation(s, 1, k));
			sqlite3_bind_double(q, 11, magnitude(s, 1, k));
		}
		ok = ix_run(db, q, err);
	}
	sqlite3_finalize(q);
	for (uint32_t l = 0; ok && l < s->n_layers; l++)
		ok = ix_set_done(db, "activation", s->first + l, err);
	return ok;
}

bool
ix_ingest_prompts(ix_db *db, const lm_model *m, lm_pool *pool, const struct ix_plan *plan,
    const struct lm_watch *w, struct lm_err *err)
{
	const char *const *prompts = plan->prompts ? plan->prompts : default_prompts;
	size_t n = plan->prompts ? plan->n_prompts : sizeof(default_prompts) / sizeof(*default_prompts);
	struct show s = { .info = lm_model_info(m), .first = plan->layer_from,
	    .n_layers = plan->layer_to - plan->layer_from + 1 };
	sqlite3_stmt *put = NULL;
	lm_run *r = NULL;
	bool ok = alloc_sums(&s, err) && lm_run_new(&r, m, pool, err);

	if (ok)
		lm_run_watch(r, w);
	ok = ok && ix_exec(db, "BEGIN IMMEDIATE; DELETE FROM prompt", err);
	if (ok) {
		ok = ix_prepare(db, "INSERT INTO prompt VALUES (?1, ?2, ?3)", &put, err);
		for (size_t i = 0; ok && i < n; i++) {
			ok = run_prompt(db, &s, r, lm_model_vocab(m), prompts[i], put, err);
			if (ok && w && w->report)
				w->report(w->ctx, i + 1, n);
		}
		sqlite3_finalize(put);
		if (ok && s.positions == 0)
			ok = lm_fail(err, LM_EARG, "the reference prompts hold no prompt of two tokens or more");
		ok = ok && put_sums(db, &s, err) && ix_exec(db, "COMMIT", err);
		if (!ok)
			ix_exec(db, "ROLLBACK", NULL);
	}
	lm_run_free(r);
	free_sums(&s);
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c - neurons' weight vectors read through the LM head: methods.md section 2.1, "M1".
 *
 * The product U W' is cut into blocks of BLOCK neurons by BLOCK tokens; a block goes through BLAS and is
 * then passed over once for its extremes, moments and exponentials while it lies in the cache.  A piece of
 * work is one block of neurons against the whole vocabulary, so that the sums of a neuron are always
 * added in the same order.
 */
#include "config.h"

#include "src/model.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 512 };

/* ---- vectors ------------------------------------------------------------------------------------------- */

static const struct lm_mat *
side_matrix(const struct lm_model *m, uint32_t layer, enum lm_side side)
{
	const struct lm_layer *l = &m->layer[layer];

	return side == LM_SIDE_UP ? &l->up.w : side == LM_SIDE_GATE ? &l->gate.w : &l->down.w;
}

static bool
check_side(const struct lm_model *m, uint32_t layer, enum lm_side side, struct lm_err *err)
{
	if (!lm_model_has_weights(m))
		return lm_fail(err, LM_EARG, "%s: has no weights", m->path);
	if (layer >= m->hp.layers)
		return lm_fail(err, LM_EARG, "layer %u does not exist: the model has layers 0 to %u", layer,
		    m->hp.layers - 1);
	if (side == LM_SIDE_GATE && m->hp.arch->ungated)
		return lm_fail(err, LM_EARG, "side gate: MLPs of family %s have no gate; up or down wanted",
		    m->hp.arch->name);
	return true;
}

static void
vectors(const struct lm_model *m, uint32_t layer, enum lm_side side, uint32_t first, uint32_t n,
    lm_real *out)
{
	const struct lm_mat *w = side_matrix(m, layer, side);

	if (side == LM_SIDE_DOWN)
		lm_mat_cols(w, lm_kern_get(), first, n, out);
	else
		lm_mat_rows(w, lm_kern_get(), first, n, out);
}

bool
lm_neuron_vectors(const lm_model *m, uint32_t layer, enum lm_side side, uint32_t first, uint32_t n,
    lm_real *out, struct lm_err *err)
{
	if (!check_side(m, layer, side, err))
		return false;
	if (first >= m->hp.hidden || n > m->hp.hidden - first)
		return lm_fail(err, LM_EARG, "neuron %u.%u does not exist: layer %u has neurons 0 to %u", layer,
		    first, layer, m->hp.hidden - 1);
	vectors(m, layer, side, first, n, out);
	return true;
}

static double
norm_of(const lm_real *w, size_t d)
{
	double s = 0;

	for (size_t i = 0; i < d; i++)
		s += (double)w[i] * (double)w[i];
	return sqrt(s);
}

/* prep(w) of section 2.1, in place. */
static void
prepare(const struct lm_model *m, enum lm_prep prep, lm_real *w)
{
	const struct lm_norm *f = &m->final_norm;
	size_t d = m->hp.width;
	double mean = 0, norm;

	if (prep == LM_PREP_RAW)
		return;
	if (prep == LM_PREP_FINAL_NORM && m->hp.arch->layer_norm) {
		for (size_t i = 0; i < d; i++)
			mean += (double)w[i];
		for (size_t i = 0; i < d; i++)
			w[i] -= (lm_real)(mean / (double)d);
	}
	norm = norm_of(w, d);
	if (prep == LM_PREP_COSINE) {
		for (size_t i = 0; norm > 0 && i < d; i++)
			w[i] = (lm_real)((double)w[i] / norm);
		return;
	}
	for (size_t i = 0; i < d; i++) {
		double x = w[i];

		if (prep == LM_PREP_FINAL_NORM && norm > 0)
			x *= sqrt((double)d) / norm;
		x *= (double)f->gain[i];
		if (prep == LM_PREP_FINAL_NORM && f->bias)
			x += (double)f->bias[i];
		w[i] = (lm_real)x;
	}
}

/* ---- the largest and smallest ------------------------------------------------------------------------------ */

/* Puts a hit into hits [k], kept in order; scores come with rising ids, so equals go behind. */
static void
insert(struct lm_hit *hits, uint32_t k, uint32_t id, lm_real score, int sign)
{
	uint32_t i = k - 1;

	for (; i > 0 && !(hits[i - 1].score * sign >= score * sign); i--)
		hits[i] = hits[i - 1];
	hits[i] = (struct lm_hit){ id, score };
}

static void
keep_hits(struct lm_hit *hits, uint32_t k, const lm_real *s, size_t n, uint32_t id, int sign)
{
	lm_real worst = hits[k - 1].score * sign;

	for (size_t i = 0; i < n; i++)
		if (s[i] * sign > worst) {
			insert(hits, k, id + (uint32_t)i, s[i], sign);
			worst = hits[k - 1].score * sign;
		}
}

static void
clear_hits(struct lm_hit *hits, uint32_t k, int sign)
{
	for (uint32_t i = 0; i < k; i++)
		hits[i] = (struct lm_hit){ UINT32_MAX, (lm_real)(-INFINITY * sign) };
}

/* ---- the blocked product -------------------------------------------------------------------------------------- */

/* What is known of one neuron while its scores go by. */
struct tally {
	struct lm_moments m;
	lm_real pivot, max;
};

/* A piece of work: neurons of one range. */
struct piece {
	struct lm_neurons neurons;
	size_t at;			/* of the first in the results */
};

struct job {
	const struct lm_model *m;
	enum lm_prep prep;
	uint32_t k_top, k_bottom;
	struct lm_hit *top, *bottom;
	struct lm_decode_stat *stat;
	struct piece *pieces;
	lm_real **vectors, **tokens, **scores;	/* [threads] */
	struct tally **tallies;
	const struct lm_watch *watch;
	uint32_t vocab;			/* tokens to score: all, but for a trial */
	atomic_uint_fast64_t done;
	uint64_t total;
};

static void
tally_block(struct job *j, struct tally *t, size_t at, const lm_real *s, size_t n, uint32_t id)
{
	const struct lm_kern *kern = lm_kern_get();
	lm_real lo, hi;

	kern->minmax(s, n, &lo, &hi);
	if (id == 0) {
		double sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += (double)s[i];
		*t = (struct tally){ .pivot = (lm_real)(sum / (double)n), .max = hi };
	} else if (hi > t->max) {
		/* Sums relative to the old maximum, moved to the new one. */
		double shift = (double)t->max - (double)hi, scale = exp(shift);

		t->m.z1 = scale * (t->m.z1 + shift * t->m.z0);
		t->m.z0 *= scale;
		t->max = hi;
	}
	kern->moments(s, n, t->pivot, t->max, &t->m);
	if (j->k_top && !(hi <= j->top[at * j->k_top + j->k_top - 1].score))
		keep_hits(j->top + at * j->k_top, j->k_top, s, n, id, 1);
	if (j->k_bottom && !(lo >= j->bottom[at * j->k_bottom + j->k_bottom - 1].score))
		keep_hits(j->bottom + at * j->k_bottom, j->k_bottom, s, n, id, -1);
}

static void
finish_tally(const struct job *j, const struct tally *t, struct lm_decode_stat *out)
{
	double n = j->vocab, m1 = t->m.n1 / n, m2 = t->m.n2 / n, m3 = t->m.n3 / n, m4 = t->m.n4 / n;
	double var = m2 - m1 * m1;

	var = var > 0 ? var : 0;
	out->mean = (double)t->pivot + m1;
	out->sd = sqrt(var);
	out->skewness = (m3 - 3 * m1 * m2 + 2 * m1 * m1 * m1) / (var * out->sd);
	out->kurtosis = (m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 * m1 * m1 * m1) / (var * var) - 3;
	out->lse = (double)t->max + log(t->m.z0);
	/* -sum p log p with log p = (s - max) - log z0 */
	out->entropy = log(t->m.z0) - t->m.z1 / t->m.z0;
	if (j->prep == LM_PREP_COSINE)
		out->lse = out->entropy = NAN;
}

/* Rows [v, v + n) of the unembedding, of length 1 for cosines. */
static const lm_real *
token_rows(const struct job *j, uint32_t v, size_t n, lm_real *buf)
{
	size_t d = j->m->hp.width;

	lm_mat_rows(&j->m->head.w, lm_kern_get(), v, n, buf);
	for (size_t r = 0; j->prep == LM_PREP_COSINE && r < n; r++) {
		double norm = norm_of(buf + r * d, d);

		for (size_t i = 0; norm > 0 && i < d; i++)
			buf[r * d + i] = (lm_real)((double)buf[r * d + i] / norm);
	}
	return buf;
}

static void
run_piece(void *ctx, size_t i, int worker)
{
	struct job *j = ctx;
	const struct piece *p = &j->pieces[i];
	size_t d = j->m->hp.width, n = p->neurons.n;
	uint32_t vocab = j->vocab;
	lm_real *w = j->vectors[worker], *s = j->scores[worker];

	vectors(j->m, p->neurons.layer, p->neurons.side, p->neurons.first, p->neurons.n, w);
	for (size_t k = 0; k < n; k++) {
		j->stat[p->at + k].norm = norm_of(w + k * d, d);
		prepare(j->m, j->prep, w + k * d);
		clear_hits(j->top + (p->at + k) * j->k_top, j->k_top, 1);
		clear_hits(j->bottom + (p->at + k) * j->k_bottom, j->k_bottom, -1);
	}
	for (uint32_t v = 0; v < vocab; v += BLOCK) {
		size_t rows = vocab - v < BLOCK ? vocab - v : BLOCK;

		if (!lm_watch_go(j->watch, NULL))
			return;
		lm_gemm_nt(n, rows, d, w, d, token_rows(j, v, rows, j->tokens[worker]), d, s, rows);
		for (size_t k = 0; k < n; k++)
			tally_block(j, &j->tallies[worker][k], p->at + k, s + k * rows, rows, v);
		atomic_fetch_add(&j->done, 1);
		if (worker == 0 && j->watch && j->watch->report)
			j->watch->report(j->watch->ctx, atomic_load(&j->done), j->total);
	}
	for (size_t k = 0; k < n; k++)
		finish_tally(j, &j->tallies[worker][k], &j->stat[p->at + k]);
}

static bool
cut_pieces(struct job *j, const struct lm_neurons *ranges, size_t n_ranges, size_t *n,
    struct lm_err *err)
{
	size_t at = 0;

	*n = 0;
	for (size_t i = 0; i < n_ranges; i++)
		*n += (ranges[i].n + BLOCK - 1) / BLOCK;
	j->pieces = lm_alloc(*n, sizeof(*j->pieces), err);
	if (!j->pieces)
		return false;
	*n = 0;
	for (size_t i = 0; i < n_ranges; i++)
		for (uint32_t k = 0; k < ranges[i].n; k += BLOCK) {
			struct lm_neurons part = ranges[i];

			part.first += k;
			part.n = ranges[i].n - k < BLOCK ? ranges[i].n - k : BLOCK;
			j->pieces[(*n)++] = (struct piece){ part, at };
			at += part.n;
		}
	j->total = (uint64_t)*n * ((j->vocab + BLOCK - 1) / BLOCK);
	return true;
}

static void
free_job(struct job *j, int threads)
{
	for (int i = 0; i < threads; i++) {
		if (j->vectors)
			lm_free(j->vectors[i]);
		if (j->tokens)
			lm_free(j->tokens[i]);
		if (j->scores)
			lm_free(j->scores[i]);
		if (j->tallies)
			lm_free(j->tallies[i]);
	}
	lm_free(j->vectors);
	lm_free(j->tokens);
	lm_free(j->scores);
	lm_free(j->tallies);
	lm_free(j->pieces);
}

static bool
alloc_job(struct job *j, int threads, struct lm_err *err)
{
	size_t d = j->m->hp.width, n = (size_t)threads;

	if (!(j->vectors = lm_zalloc(n, sizeof(*j->vectors), err)) ||
	    !(j->tokens = lm_zalloc(n, sizeof(*j->tokens), err)) ||
	    !(j->scores = lm_zalloc(n, sizeof(*j->scores), err)) ||
	    !(j->tallies = lm_zalloc(n, sizeof(*j->tallies), err)))
		return false;
	for (int i = 0; i < threads; i++)
		if (!(j->vectors[i] = lm_alloc(BLOCK * d, sizeof(lm_real), err)) ||
		    !(j->tokens[i] = lm_alloc(BLOCK * d, sizeof(lm_real), err)) ||
		    !(j->scores[i] = lm_alloc((size_t)BLOCK * BLOCK, sizeof(lm_real), err)) ||
		    !(j->tallies[i] = lm_alloc(BLOCK, sizeof(struct tally), err)))
			return false;
	return true;
}

static bool
run_job(struct job *j, lm_pool *pool, const struct lm_neurons *ranges, size_t n_ranges,
    struct lm_err *err)
{
	int threads = lm_pool_threads(pool);
	size_t n = 0;
	bool ok;

	lm_blas_init();
	ok = cut_pieces(j, ranges, n_ranges, &n, err) && alloc_job(j, threads, err);
	if (ok) {
		lm_pool_run(pool, n, run_piece, j);
		ok = lm_watch_go(j->watch, err);
	}
	free_job(j, threads);
	return ok;
}

bool
lm_decode(const lm_model *m, lm_pool *pool, enum lm_prep prep, const struct lm_neurons *ranges,
    size_t n_ranges, uint32_t k_top, uint32_t k_bottom, struct lm_hit *top, struct lm_hit *bottom,
    struct lm_decode_stat *stat, const struct lm_watch *w, struct lm_err *err)
{
	struct job j = { .m = m, .prep = prep, .k_top = k_top, .k_bottom = k_bottom, .top = top,
	    .bottom = bottom, .stat = stat, .watch = w, .vocab = m->hp.vocab };

	for (size_t i = 0; i < n_ranges; i++) {
		if (!check_side(m, ranges[i].layer, ranges[i].side, err))
			return false;
		if (ranges[i].first > m->hp.hidden || ranges[i].n > m->hp.hidden - ranges[i].first)
			return lm_fail(err, LM_EARG, "layer %u has neurons 0 to %u", ranges[i].layer,
			    m->hp.hidden - 1);
	}
	return run_job(&j, pool, ranges, n_ranges, err);
}

bool
lm_decode_seconds(const lm_model *m, lm_pool *pool, uint64_t neurons, double *out,
    struct lm_err *err)
{
	uint32_t n = m->hp.hidden < BLOCK ? m->hp.hidden : BLOCK;
	size_t threads = (size_t)lm_pool_threads(pool);
	struct lm_neurons *ranges = lm_alloc(threads, sizeof(*ranges), err);
	struct lm_decode_stat *stat = lm_alloc(threads * n, sizeof(*stat), err);
	struct job j = { .m = m, .stat = stat, .vocab = m->hp.vocab < 2 * BLOCK ? m->hp.vocab : 2 * BLOCK };
	struct timespec a, b;
	bool ok = ranges && stat && check_side(m, 0, LM_SIDE_UP, err);

	for (size_t i = 0; ok && i < threads; i++)
		ranges[i] = (struct lm_neurons){ 0, LM_SIDE_UP, 0, n };
	clock_gettime(CLOCK_MONOTONIC, &a);
	ok = ok && run_job(&j, pool, ranges, threads, err);
	clock_gettime(CLOCK_MONOTONIC, &b);
	*out = ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec)) *
	    (double)neurons / ((double)threads * n) * m->hp.vocab / j.vocab;
	lm_free(ranges);
	lm_free(stat);
	return ok;
}

/* ---- few vectors, or one token ---------------------------------------------------------------------------------- */

bool
lm_decode_scores(const lm_model *m, lm_pool *pool, enum lm_prep prep, const lm_real *x, size_t n,
    lm_real *scores, struct lm_err *err)
{
	size_t d = m->hp.width, v = m->hp.vocab;
	struct lm_ctx ctx = { 0 };
	lm_real *w = NULL, *row = NULL;
	bool ok = false;

	if (!check_side(m, 0, LM_SIDE_UP, err))
		return false;
	if (!lm_ctx_init(&ctx, pool, err) || !(w = lm_alloc(n * d, sizeof(*w), err)) ||
	    !(row = lm_alloc(d, sizeof(*row), err)))
		goto out;
	memcpy(w, x, n * d * sizeof(*w));
	for (size_t i = 0; i < n; i++)
		prepare(m, prep, w + i * d);
	lm_mat_apply(&ctx, &m->head.w, NULL, w, d, n, scores, v);
	for (size_t k = 0; prep == LM_PREP_COSINE && k < v; k++) {
		double norm;

		lm_mat_rows(&m->head.w, ctx.kern, k, 1, row);
		norm = norm_of(row, d);
		for (size_t i = 0; norm > 0 && i < n; i++)
			scores[i * v + k] = (lm_real)((double)scores[i * v + k] / norm);
	}
	ok = true;
out:
	lm_free(w);
	lm_free(row);
	lm_ctx_fini(&ctx);
	return ok;
}

/* Dots and norms of a layer's vectors, in pieces of DOTS neurons. */
enum { DOTS = 64 };

struct dots_job {
	const struct lm_model *m;
	uint32_t layer;
	enum lm_side side;
	const lm_real *v;
	bool centred;
	double *dots, *norms;
	lm_real **buf;			/* [threads]: [DOTS,D] */
};

static void
run_dots(void *ctx, size_t i, int worker)
{
	const struct dots_job *j = ctx;
	size_t d = j->m->hp.width;
	uint32_t first = (uint32_t)i * DOTS, n = j->m->hp.hidden - first;
	lm_real *w = j->buf[worker];

	n = n < DOTS ? n : DOTS;
	vectors(j->m, j->layer, j->side, first, n, w);
	for (uint32_t k = 0; k < n; k++, w += d) {
		double dot = 0, sum = 0, square = 0;

		for (size_t c = 0; c < d; c++) {
			dot += (double)w[c] * (double)j->v[c];
			sum += (double)w[c];
			square += (double)w[c] * (double)w[c];
		}
		if (j->centred && j->m->hp.arch->layer_norm)
			square -= sum * sum / (double)d;
		j->dots[first + k] = dot;
		j->norms[first + k] = sqrt(square > 0 ? square : 0);
	}
}

bool
lm_neuron_dots(const lm_model *m, lm_pool *pool, uint32_t layer, enum lm_side side, const lm_real *v,
    bool centred, double *dots, double *norms, struct lm_err *err)
{
	struct dots_job j = { m, layer, side, v, centred, dots, norms, NULL };
	size_t threads = (size_t)lm_pool_threads(pool);
	bool ok = check_side(m, layer, side, err) && (j.buf = lm_zalloc(threads, sizeof(*j.buf), err));

	for (size_t i = 0; ok && i < threads; i++)
		ok = (j.buf[i] = lm_alloc(DOTS * (size_t)m->hp.width, sizeof(lm_real), err)) != NULL;
	if (ok)
		lm_pool_run(pool, (m->hp.hidden + DOTS - 1) / DOTS, run_dots, &j);
	for (size_t i = 0; j.buf && i < threads; i++)
		lm_free(j.buf[i]);
	lm_free(j.buf);
	return ok;
}

bool
lm_token_vector(const lm_model *m, enum lm_prep prep, uint32_t id, lm_real *v, double *c,
    struct lm_err *err)
{
	const struct lm_norm *f = &m->final_norm;
	size_t d = m->hp.width;
	double mean = 0, norm;

	if (!check_side(m, 0, LM_SIDE_UP, err))
		return false;
	if (id >= m->hp.vocab)
		return lm_fail(err, LM_EARG, "id %u does not exist: the vocabulary has ids 0 to %u", id,
		    m->hp.vocab - 1);
	lm_mat_rows(&m->head.w, lm_kern_get(), id, 1, v);
	*c = 0;
	norm = norm_of(v, d);
	for (size_t i = 0; i < d; i++) {
		if (prep == LM_PREP_FINAL_NORM && f->bias)
			*c += (double)v[i] * (double)f->bias[i];
		if (prep == LM_PREP_COSINE)
			v[i] = norm > 0 ? (lm_real)((double)v[i] / norm) : 0;
		else if (prep != LM_PREP_RAW)
			v[i] *= f->gain[i];
		mean += (double)v[i] / (double)d;
	}
	/* Taking the mean out of w is taking it out of what w is multiplied with. */
	for (size_t i = 0; prep == LM_PREP_FINAL_NORM && m->hp.arch->layer_norm && i < d; i++)
		v[i] -= (lm_real)mean;
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward.c - the forward pass: one for all families, by what the description of the model says.
 */
#include "config.h"

#include "src/rope.h"
#include "src/run.h"

#include <math.h>
#include <string.h>

/* ---- norms (methods.md section 1) -------------------------------------------------------------------- */

static void
rms_norm(const struct lm_norm *norm, double eps, const lm_real *x, size_t d, lm_real *y)
{
	double sum = 0;
	lm_real inv;

	for (size_t i = 0; i < d; i++)
		sum += (double)x[i] * (double)x[i];
	inv = (lm_real)(1 / sqrt(sum / (double)d + eps));
	for (size_t i = 0; i < d; i++)
		y[i] = x[i] * inv * norm->gain[i];
}

static void
layer_norm(const struct lm_norm *norm, double eps, const lm_real *x, size_t d, lm_real *y)
{
	double mean = 0, var = 0, inv;

	for (size_t i = 0; i < d; i++)
		mean += (double)x[i];
	mean /= (double)d;
	for (size_t i = 0; i < d; i++)
		var += ((double)x[i] - mean) * ((double)x[i] - mean);
	inv = 1 / sqrt(var / (double)d + eps);
	for (size_t i = 0; i < d; i++)
		y[i] = (lm_real)(((double)x[i] - mean) * inv) * norm->gain[i] +
		    (norm->bias ? norm->bias[i] : 0);
}

void
lm_norm_rows(const struct lm_model *m, const struct lm_norm *norm, const lm_real *x, size_t n,
    size_t width, lm_real *y)
{
	for (size_t t = 0; t < n; t++, x += width, y += width) {
		if (m->hp.arch->layer_norm)
			layer_norm(norm, m->hp.norm_eps, x, width, y);
		else
			rms_norm(norm, m->hp.norm_eps, x, width, y);
	}
}

/* The input of a branch: the normed residual stream, or the stream itself where there is no norm. */
static void
branch_input(struct lm_run *r, const struct lm_norm *norm, size_t n)
{
	size_t d = r->m->hp.width;

	if (norm->gain)
		lm_norm_rows(r->m, norm, r->h, n, d, r->x);
	else
		memcpy(r->x, r->h, n * d * sizeof(*r->x));
}

/* h += branch, through the branch's post-norm where there is one. */
static void
add_branch(struct lm_run *r, const struct lm_norm *post, size_t n)
{
	size_t d = r->m->hp.width;

	if (post->gain)
		lm_norm_rows(r->m, post, r->branch, n, d, r->branch);
	for (size_t i = 0; i < n * d; i++)
		r->h[i] += r->branch[i];
}

/* ---- taps ---------------------------------------------------------------------------------------------- */

bool
lm_tap_wants(const struct lm_run *r, enum lm_site site, uint32_t layer, struct lm_rows rows)
{
	const struct lm_tap *t = r->tap;

	return t && t->sites >> site & 1 && layer >= t->layer_from && layer <= t->layer_to &&
	    rows.pos <= t->pos_to && rows.pos + rows.n > t->pos_from;
}

bool
lm_tap_rows(struct lm_run *r, enum lm_site site, uint32_t layer, struct lm_rows rows, size_t width,
    const lm_real *data, struct lm_err *err)
{
	const struct lm_tap *t = r->tap;
	size_t from, to;

	if (!lm_tap_wants(r, site, layer, rows))
		return true;
	from = t->pos_from > rows.pos ? t->pos_from : rows.pos;
	to = t->pos_to < rows.pos + rows.n - 1 ? t->pos_to : rows.pos + rows.n - 1;
	return t->fn(t->ctx, site, layer, from, to - from + 1, width, data + (from - rows.pos) * width,
	    err);
}

/* ---- the pass ------------------------------------------------------------------------------------------ */

static bool
layer_forward(struct lm_run *r, uint32_t l, struct lm_rows rows, struct lm_err *err)
{
	const struct lm_layer *layer = &r->m->layer[l];
	size_t d = r->m->hp.width, n = rows.n;

	branch_input(r, &layer->attn_norm, n);
	if (!lm_attention(r, l, rows, err) ||
	    !lm_tap_rows(r, LM_SITE_ATTN_OUT, l, rows, d, r->branch, err))
		return false;
	if (r->m->hp.flow != LM_SEQUENTIAL)		/* both branches read what entered the layer */
		branch_input(r, &layer->mlp_norm, n);
	add_branch(r, &layer->attn_post, n);
	if (!lm_tap_rows(r, LM_SITE_MID, l, rows, d, r->h, err))
		return false;
	if (r->m->hp.flow == LM_SEQUENTIAL)
		branch_input(r, &layer->mlp_norm, n);
	if (!lm_mlp(r, l, rows, err) || !lm_tap_rows(r, LM_SITE_MLP_OUT, l, rows, d, r->branch, err))
		return false;
	add_branch(r, &layer->mlp_post, n);
	return true;
}

/* The residual stream entering layer l, kept when the rows are prompt. */
static bool
keep(struct lm_run *r, uint32_t l, struct lm_rows rows, struct lm_err *err)
{
	uint32_t layers = r->m->hp.layers;
	size_t d = r->m->hp.width;

	if (rows.pos < r->n_prompt && (r->keep_all || l == layers))
		memcpy(r->resid[l] + rows.pos * d, r->h, rows.n * d * sizeof(*r->h));
	else if (rows.pos >= r->n_prompt && l == layers)
		memcpy(r->last, r->h, d * sizeof(*r->h));
	return lm_tap_rows(r, LM_SITE_RESID, l, rows, d, r->h, err);
}

bool
lm_forward(struct lm_run *r, struct lm_rows rows, uint32_t from, uint32_t to, struct lm_err *err)
{
	if (!r->m->hp.arch->learned_positions)
		lm_rope_table(r->m, rows.pos, rows.n, r->cosine, r->sine);
	for (uint32_t l = from; l < to; l++) {
		if (!lm_watch_go(r->watch, err) || !keep(r, l, rows, err) ||
		    !layer_forward(r, l, rows, err))
			return false;
		r->work.layer_rows += rows.n;
	}
	return keep(r, to, rows, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attn.c - causal attention of one layer over the cache, with grouped heads, windows and score caps.
 */
#include "config.h"

#include "src/rope.h"
#include "src/run.h"

#include <math.h>
#include <string.h>

enum { QUERIES = 32 };			/* in a piece of work */

struct attend {
	struct lm_run *r;
	const struct lm_layer *layer;
	const lm_real *k, *v;		/* the layer's cache */
	struct lm_rows rows;
	bool keep;			/* the pattern goes to r->pattern */
};

/* Positions [*lo, *hi) that the query at pos sees. */
static void
sight(const struct lm_layer *l, size_t pos, size_t *lo, size_t *hi)
{
	*hi = pos + 1;
	*lo = l->window && *hi > l->window ? *hi - l->window : 0;
}

/* Scores of one query over keys [lo, hi) to weights, in place. */
static void
weigh(const struct lm_run *r, lm_real *s, size_t n)
{
	const struct lm_hparams *hp = &r->m->hp;
	lm_real scale = (lm_real)hp->attn_scale, cap = (lm_real)hp->attn_cap;

	for (size_t i = 0; i < n; i++)
		s[i] *= scale;
	for (size_t i = 0; cap > 0 && i < n; i++)
		s[i] = cap * (lm_real)tanh((double)(s[i] / cap));
	r->ctx.kern->softmax(s, n);
}

static void
keep_pattern(const struct attend *a, size_t t, size_t head, size_t lo, size_t n, const lm_real *s)
{
	size_t width = a->rows.pos + a->rows.n;
	lm_real *row = a->r->pattern + (t * a->r->m->hp.heads + head) * width;

	memset(row, 0, width * sizeof(*row));
	memcpy(row + lo, s, n * sizeof(*row));
}

/* One head over a block of queries, through BLAS. */
static void
attend_block(void *ctx, size_t piece, int worker)
{
	const struct attend *a = ctx;
	const struct lm_run *r = a->r;
	const struct lm_hparams *hp = &r->m->hp;
	size_t width = hp->head_width, ldq = hp->heads * width, kv = r->kv_dim;
	size_t head = piece % hp->heads, q0 = piece / hp->heads * QUERIES;
	size_t m = a->rows.n - q0 < QUERIES ? a->rows.n - q0 : QUERIES;
	size_t shared = head / (hp->heads / hp->kv_heads) * width;
	size_t first, end, lo, hi;
	lm_real *s = r->scores[worker];

	sight(a->layer, a->rows.pos + q0, &first, &hi);
	sight(a->layer, a->rows.pos + q0 + m - 1, &lo, &end);
	lm_gemm_nt(m, end - first, width, r->q + q0 * ldq + head * width, ldq,
	    a->k + first * kv + shared, kv, s, end - first);
	for (size_t t = 0; t < m; t++) {
		lm_real *row = s + t * (end - first);

		sight(a->layer, a->rows.pos + q0 + t, &lo, &hi);
		weigh(r, row + (lo - first), hi - lo);
		memset(row, 0, (lo - first) * sizeof(*row));
		memset(row + (hi - first), 0, (end - hi) * sizeof(*row));
		if (a->keep)
			keep_pattern(a, q0 + t, head, lo, hi - lo, row + (lo - first));
	}
	lm_gemm_nn(m, width, end - first, s, end - first, a->v + first * kv + shared, kv,
	    r->heads + q0 * ldq + head * width, ldq);
}

/* One head of a single query: too little for BLAS. */
static void
attend_one(void *ctx, size_t head, int worker)
{
	const struct attend *a = ctx;
	const struct lm_run *r = a->r;
	const struct lm_hparams *hp = &r->m->hp;
	size_t width = hp->head_width, kv = r->kv_dim, lo, hi;
	size_t shared = head / (hp->heads / hp->kv_heads) * width;
	lm_real *s = r->scores[worker], *out = r->heads + head * width;

	sight(a->layer, a->rows.pos, &lo, &hi);
	r->ctx.kern->dots_real(a->k + lo * kv + shared, kv, hi - lo, r->q + head * width, width, s);
	weigh(r, s, hi - lo);
	if (a->keep)
		keep_pattern(a, 0, head, lo, hi - lo, s);
	memset(out, 0, width * sizeof(*out));
	for (size_t p = lo; p < hi; p++)
		r->ctx.kern->axpy(s[p - lo], a->v + p * kv + shared, out, width);
}

static bool
make_room(struct lm_run *r, struct lm_rows rows, bool keep, struct lm_err *err)
{
	size_t end = rows.pos + rows.n, len = (rows.n < QUERIES ? rows.n : QUERIES) * end;
	int threads = lm_pool_threads(r->ctx.pool);

	if (len > r->scores_len) {
		size_t want = QUERIES * (end + LM_CHUNK);

		r->scores_len = 0;
		for (int i = 0; i < threads; i++)
			if (!lm_resize(&r->scores[i], want, sizeof(lm_real), err))
				return false;
		r->scores_len = want;
	}
	len = rows.n * r->m->hp.heads * end;
	if (keep && len > r->pattern_len) {
		if (!lm_resize(&r->pattern, len, sizeof(lm_real), err))
			return false;
		r->pattern_len = len;
	}
	return true;
}

bool
lm_attention(struct lm_run *r, uint32_t l, struct lm_rows rows, struct lm_err *err)
{
	const struct lm_hparams *hp = &r->m->hp;
	const struct lm_layer *layer = &r->m->layer[l];
	size_t d = hp->width, all = hp->heads * hp->head_width, n = rows.n;
	lm_real *k = r->k[l] + rows.pos * r->kv_dim, *v = r->v[l] + rows.pos * r->kv_dim;
	struct attend a = { r, layer, r->k[l], r->v[l], rows,
	    lm_tap_wants(r, LM_SITE_PATTERN, l, rows) };
	bool whole = hp->arch->qk_norm == LM_QK_WHOLE;

	if (!make_room(r, rows, a.keep, err))
		return false;
	lm_mat_apply(&r->ctx, &layer->q.w, layer->q.bias, r->x, d, n, r->q, all);
	lm_mat_apply(&r->ctx, &layer->k.w, layer->k.bias, r->x, d, n, k, r->kv_dim);
	lm_mat_apply(&r->ctx, &layer->v.w, layer->v.bias, r->x, d, n, v, r->kv_dim);
	if (layer->q_norm.gain) {
		lm_norm_rows(r->m, &layer->q_norm, r->q, whole ? n : n * hp->heads, whole ? all :
		    hp->head_width, r->q);
		lm_norm_rows(r->m, &layer->k_norm, k, whole ? n : n * hp->kv_heads, whole ? r->kv_dim :
		    hp->head_width, k);
	}
	if (layer->rotary) {
		lm_rope_turn(r->m, r->q, n, hp->heads, r->cosine, r->sine);
		lm_rope_turn(r->m, k, n, hp->kv_heads, r->cosine, r->sine);
	}
	if (n == 1)
		lm_pool_run(r->ctx.pool, hp->heads, attend_one, &a);
	else
		lm_pool_run(r->ctx.pool, (n + QUERIES - 1) / QUERIES * hp->heads, attend_block, &a);
	if (!lm_tap_rows(r, LM_SITE_PATTERN, l, rows, hp->heads * (rows.pos + n), r->pattern, err))
		return false;
	lm_mat_apply(&r->ctx, &layer->o.w, layer->o.bias, r->heads, all, n, r->branch, d);
	return true;
}

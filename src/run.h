/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - one timeline of a model, as the files of the pass see it.
 */
#ifndef LM_RUN_H
#define LM_RUN_H

#include "src/model.h"

/* A clamp ready to apply. */
struct lm_bound_clamp {
	struct lm_clamp c;
	double scale;			/* of value: 1, or 1/|w_down| when counted in the residual stream */
};

/* Positions that a pass works on: one chunk of the prompt, or one step. */
struct lm_rows {
	size_t pos, n;
};

struct lm_run {
	const lm_model *m;
	struct lm_ctx ctx;
	const struct lm_watch *watch;

	uint32_t *ids;			/* [n]: prompt, then continuation */
	size_t n, n_prompt, ids_cap;

	struct lm_bound_clamp *clamps;	/* sorted by layer and point */
	size_t n_clamps;

	/* Cache: keys and values of every layer, [cap, KV*K] each, keys turned. */
	lm_real **k, **v;
	size_t cap;
	size_t kv_dim;			/* KV*K */

	/*
	 * The prompt's residual streams: resid[l] is [n_prompt, D], entering layer l, or with l = L leaving
	 * the last.  When all of them would take more than resid_limit, only resid[L] is kept.
	 */
	lm_real **resid;
	size_t resid_cap;		/* positions allocated in each */
	bool keep_all;
	uint32_t *done;			/* [chunks]: layers whose cache and output are valid */
	size_t n_chunks;
	lm_real *last;			/* [D]: leaving the last layer at the newest step */

	/* Scratch for up to LM_CHUNK rows. */
	lm_real *h, *x, *q, *heads, *branch, *gate, *up;
	lm_real *cosine, *sine;
	lm_real **scores;		/* [threads]: attention scores of a block of queries */
	size_t scores_len;		/* elements of each */
	lm_real *pattern;		/* [LM_CHUNK, H, width] when tapped */
	size_t pattern_len;

	const struct lm_tap *tap;	/* of the pass at hand, or NULL */
	struct lm_work work;
};

/* forward.c: takes rows from the input of layer `from` (in r->h) to that of layer `to`. */
bool lm_forward(struct lm_run *r, struct lm_rows rows, uint32_t from, uint32_t to, struct lm_err *err);
/* y [n,width] = norm of x [n,width], which may be y. */
void lm_norm_rows(const struct lm_model *m, const struct lm_norm *norm, const lm_real *x, size_t n,
    size_t width, lm_real *y);
bool lm_tap_wants(const struct lm_run *r, enum lm_site site, uint32_t layer, struct lm_rows rows);
/* Hands data [rows.n, width] to the tap if it wants it. */
bool lm_tap_rows(struct lm_run *r, enum lm_site site, uint32_t layer, struct lm_rows rows, size_t width,
    const lm_real *data, struct lm_err *err);

/* attn.c: r->branch = attention of layer l over the normed rows in r->x, before any post-norm. */
bool lm_attention(struct lm_run *r, uint32_t l, struct lm_rows rows, struct lm_err *err);
/* mlp.c: r->branch = MLP of layer l over the normed rows in r->x, before any post-norm. */
bool lm_mlp(struct lm_run *r, uint32_t l, struct lm_rows rows, struct lm_err *err);

/* clamp.c: checks and sorts clamps; *out is the caller's. */
bool lm_clamp_bind(const struct lm_run *r, const struct lm_clamp *in, size_t n,
    struct lm_bound_clamp **out, struct lm_err *err);
/* Writes the clamps of layer and point into values [n,F]; r->h is the residual stream there. */
void lm_clamp_apply(const struct lm_run *r, uint32_t layer, enum lm_point point, struct lm_rows rows,
    lm_real *values);
/* Clamps and the prompt length that their negative positions count from. */
struct lm_clamp_set {
	const struct lm_bound_clamp *v;
	size_t n, n_prompt;
};
/* The first layer that a and b treat differently at one of these rows; UINT32_MAX: none. */
uint32_t lm_clamp_change(struct lm_clamp_set a, struct lm_clamp_set b, struct lm_rows rows);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - one timeline: prompt, continuation, cache, and what of it a change makes stale.
 *
 * The prompt is cut into chunks of LM_CHUNK positions counted from 0.  done[c] says up to which layer a
 * chunk is valid: its keys, values and residual streams below it.  A change of clamps lowers done[] to
 * the first layer it touches, a change of prompt drops the chunks from the first difference on.
 */
#include "config.h"

#include "src/run.h"

#include <math.h>
#include <string.h>

/* Beyond this the residual streams between layers are not kept but computed again on demand. */
static const size_t resid_limit = (size_t)512 << 20;

static size_t
n_chunks(size_t n)
{
	return (n + LM_CHUNK - 1) / LM_CHUNK;
}

static struct lm_rows
chunk_rows(size_t c, size_t n)
{
	size_t pos = c * LM_CHUNK;

	return (struct lm_rows){ pos, n - pos < LM_CHUNK ? n - pos : LM_CHUNK };
}

bool
lm_run_new(lm_run **out, const lm_model *m, lm_pool *pool, struct lm_err *err)
{
	const struct lm_hparams *hp = &m->hp;
	size_t c = LM_CHUNK, d = hp->width, f = hp->hidden, half = hp->rope.dims / 2 + 1;
	size_t all = (size_t)hp->heads * hp->head_width, z = sizeof(lm_real);
	struct lm_run *r;

	*out = NULL;
	if (!lm_model_has_weights(m))
		return lm_fail(err, LM_EARG, "%s: has no weights to run", m->path);
	r = lm_zalloc(1, sizeof(*r), err);
	if (!r)
		return false;
	r->m = m;
	r->kv_dim = (size_t)hp->kv_heads * hp->head_width;
	if (!lm_ctx_init(&r->ctx, pool, err) ||
	    !(r->h = lm_alloc(c * d, z, err)) || !(r->x = lm_alloc(c * d, z, err)) ||
	    !(r->q = lm_alloc(c * all, z, err)) || !(r->heads = lm_alloc(c * all, z, err)) ||
	    !(r->branch = lm_alloc(c * d, z, err)) || !(r->up = lm_alloc(c * f, z, err)) ||
	    !(r->gate = lm_alloc(hp->arch->ungated ? 0 : c * f, z, err)) ||
	    !(r->cosine = lm_alloc(c * half, z, err)) || !(r->sine = lm_alloc(c * half, z, err)) ||
	    !(r->last = lm_alloc(d, z, err)) ||
	    !(r->scores = lm_zalloc((size_t)lm_pool_threads(pool), sizeof(*r->scores), err)) ||
	    !(r->k = lm_zalloc(hp->layers, sizeof(*r->k), err)) ||
	    !(r->v = lm_zalloc(hp->layers, sizeof(*r->v), err)) ||
	    !(r->resid = lm_zalloc((size_t)hp->layers + 1, sizeof(*r->resid), err))) {
		lm_run_free(r);
		return false;
	}
	*out = r;
	return true;
}

void
lm_run_free(lm_run *r)
{
	if (!r)
		return;
	for (uint32_t l = 0; r->k && r->v && r->resid && l <= r->m->hp.layers; l++) {
		lm_free(r->resid[l]);
		if (l < r->m->hp.layers) {
			lm_free(r->k[l]);
			lm_free(r->v[l]);
		}
	}
	for (int i = 0; r->scores && i < lm_pool_threads(r->ctx.pool); i++)
		lm_free(r->scores[i]);
	lm_free(r->k);
	lm_free(r->v);
	lm_free(r->resid);
	lm_free(r->scores);
	lm_free(r->pattern);
	lm_free(r->h);
	lm_free(r->x);
	lm_free(r->q);
	lm_free(r->heads);
	lm_free(r->branch);
	lm_free(r->gate);
	lm_free(r->up);
	lm_free(r->cosine);
	lm_free(r->sine);
	lm_free(r->last);
	lm_free(r->done);
	lm_free(r->clamps);
	lm_free(r->ids);
	lm_ctx_fini(&r->ctx);
	lm_free(r);
}

void
lm_run_watch(lm_run *r, const struct lm_watch *w)
{
	r->watch = w;
}

const uint32_t *
lm_run_ids(const lm_run *r, size_t *n, size_t *n_prompt)
{
	*n = r->n;
	*n_prompt = r->n_prompt;
	return r->ids;
}

struct lm_work
lm_run_work(const lm_run *r)
{
	return r->work;
}

/* ---- prompt and clamps ---------------------------------------------------------------------------------- */

static bool
check_ids(const struct lm_hparams *hp, const uint32_t *ids, size_t n, struct lm_err *err)
{
	if (n == 0)
		return lm_fail(err, LM_ELIMIT, "an empty prompt cannot be run: no token in it");
	if (n > hp->context)
		return lm_fail(err, LM_ELIMIT, "the prompt has %zu tokens, the model's context holds %u", n,
		    hp->context);
	for (size_t i = 0; i < n; i++)
		if (ids[i] >= hp->vocab)
			return lm_fail(err, LM_EARG, "id %u does not exist: the vocabulary has ids 0 to %u",
			    ids[i], hp->vocab - 1);
	return true;
}

/* Room in the cache for n positions; what it holds is kept. */
static bool
grow_cache(struct lm_run *r, size_t n, struct lm_err *err)
{
	size_t want = n + LM_CHUNK + n / 4;

	if (n <= r->cap)
		return true;
	want = want > r->m->hp.context ? r->m->hp.context : want;
	for (uint32_t l = 0; l < r->m->hp.layers; l++)
		if (!lm_resize(&r->k[l], want * r->kv_dim, sizeof(lm_real), err) ||
		    !lm_resize(&r->v[l], want * r->kv_dim, sizeof(lm_real), err))
			return false;
	r->cap = want;
	return true;
}

static void
forget(struct lm_run *r)
{
	for (size_t c = 0; c < r->n_chunks; c++)
		r->done[c] = 0;
}

/* Room for the residual streams of n positions.  Between all layers and the last alone, chunks go stale. */
static bool
grow_resid(struct lm_run *r, size_t n, struct lm_err *err)
{
	uint32_t layers = r->m->hp.layers;
	size_t d = r->m->hp.width, want = n + LM_CHUNK;
	bool all = n <= resid_limit / sizeof(lm_real) / d / (layers + 1);

	if (n <= r->resid_cap && all == r->keep_all)
		return true;
	if (all != r->keep_all)
		forget(r);
	else if (want < r->resid_cap)
		want = r->resid_cap;
	r->keep_all = all;
	r->resid_cap = 0;
	for (uint32_t l = 0; l <= layers; l++) {
		if (l < layers && !all) {
			lm_free(r->resid[l]);
			r->resid[l] = NULL;
		} else if (!lm_resize(&r->resid[l], want * d, sizeof(lm_real), err)) {
			return false;
		}
	}
	r->resid_cap = want;
	return true;
}

/* Room for a prompt of n ids and what belongs to it.  On failure the run is left without a prompt. */
static bool
make_room(struct lm_run *r, size_t n, struct lm_err *err)
{
	size_t chunks = n_chunks(n);
	bool ok = grow_cache(r, n, err) && grow_resid(r, n, err) &&
	    (chunks <= r->n_chunks || lm_resize(&r->done, chunks, sizeof(*r->done), err)) &&
	    (n <= r->ids_cap || lm_resize(&r->ids, n + LM_CHUNK, sizeof(*r->ids), err));

	if (!ok) {
		r->n = r->n_prompt = r->n_chunks = 0;
		return false;
	}
	if (chunks > r->n_chunks)
		memset(r->done + r->n_chunks, 0, (chunks - r->n_chunks) * sizeof(*r->done));
	r->n_chunks = chunks;
	r->ids_cap = n > r->ids_cap ? n + LM_CHUNK : r->ids_cap;
	return true;
}

/* Lowers the chunk's valid layers to `to`; in between nothing was kept, then it starts over. */
static void
lower(struct lm_run *r, size_t c, uint32_t to)
{
	if (r->done[c] > to)
		r->done[c] = to;
	if (!r->keep_all && r->done[c] < r->m->hp.layers)
		r->done[c] = 0;
}

bool
lm_run_set_prompt(lm_run *r, const uint32_t *ids, size_t n, struct lm_err *err)
{
	struct lm_clamp_set old = { r->clamps, r->n_clamps, r->n_prompt };
	struct lm_clamp_set new = { r->clamps, r->n_clamps, n };
	size_t same = 0, had = r->n_prompt;
	uint32_t floor = UINT32_MAX;

	if (!check_ids(&r->m->hp, ids, n, err) || !make_room(r, n, err))
		return false;
	while (same < n && same < had && r->ids[same] == ids[same])
		same++;
	for (size_t c = 0; c < r->n_chunks; c++) {
		struct lm_rows rows = chunk_rows(c, n);
		uint32_t change = lm_clamp_change(old, new, rows);

		/* A chunk that was cut elsewhere went through other shapes: not the same bits. */
		if (rows.pos + rows.n > same || chunk_rows(c, had).n != rows.n)
			floor = 0;
		floor = change < floor ? change : floor;
		lower(r, c, floor);
	}
	memcpy(r->ids, ids, n * sizeof(*ids));
	r->n = r->n_prompt = n;
	return true;
}

bool
lm_run_set_clamps(lm_run *r, const struct lm_clamp *clamps, size_t n, struct lm_err *err)
{
	struct lm_clamp_set old = { r->clamps, r->n_clamps, r->n_prompt }, new;
	struct lm_bound_clamp *bound;
	uint32_t floor = UINT32_MAX;

	if (!lm_clamp_bind(r, clamps, n, &bound, err))
		return false;
	new = (struct lm_clamp_set){ bound, n, r->n_prompt };
	for (size_t c = 0; c < r->n_chunks; c++) {
		uint32_t change = lm_clamp_change(old, new, chunk_rows(c, r->n_prompt));

		floor = change < floor ? change : floor;
		lower(r, c, floor);
	}
	lm_free(r->clamps);
	r->clamps = bound;
	r->n_clamps = n;
	r->n = r->n_prompt;
	return true;
}

void
lm_run_rewind(lm_run *r)
{
	r->n = r->n_prompt;
}

/* ---- evaluation ------------------------------------------------------------------------------------------ */

static void
embed_rows(struct lm_run *r, struct lm_rows rows)
{
	size_t d = r->m->hp.width;

	for (size_t t = 0; t < rows.n; t++) {
		lm_embed(r->m, r->ctx.kern, r->ids[rows.pos + t], r->h + t * d);
		if (r->m->position.w.data) {
			lm_mat_rows(&r->m->position.w, r->ctx.kern, rows.pos + t, 1, r->x);
			for (size_t i = 0; i < d; i++)
				r->h[t * d + i] += r->x[i];
		}
	}
}

/* Puts the residual stream entering layer l into r->h: kept, or from the embedding when l is 0. */
static void
load_rows(struct lm_run *r, struct lm_rows rows, uint32_t l)
{
	size_t d = r->m->hp.width;

	if (l == 0)
		embed_rows(r, rows);
	else
		memcpy(r->h, r->resid[l] + rows.pos * d, rows.n * d * sizeof(*r->h));
}

static void
report(const struct lm_run *r, size_t done, size_t total)
{
	if (r->watch && r->watch->report)
		r->watch->report(r->watch->ctx, done, total);
}

/* Brings the whole prompt up to the last layer. */
static bool
evaluate(struct lm_run *r, struct lm_err *err)
{
	uint32_t layers = r->m->hp.layers;

	if (r->n_prompt == 0)
		return lm_fail(err, LM_EARG, "there is no prompt");
	for (size_t c = 0; c < r->n_chunks; c++) {
		struct lm_rows rows = chunk_rows(c, r->n_prompt);

		if (r->done[c] == layers)
			continue;
		load_rows(r, rows, r->done[c]);
		if (!lm_forward(r, rows, r->done[c], layers, err)) {
			r->done[c] = 0;
			return false;
		}
		r->done[c] = layers;
		if (r->n_chunks > 1)
			report(r, c + 1, r->n_chunks);
	}
	return true;
}

/* Logits of n rows x [n,D] that left the last layer. */
static bool
logits_of(struct lm_run *r, const lm_real *x, size_t n, lm_real *out, struct lm_err *err)
{
	size_t d = r->m->hp.width;

	for (size_t t = 0; t < n; t += LM_CHUNK) {
		size_t m = n - t < LM_CHUNK ? n - t : LM_CHUNK;

		lm_norm_rows(r->m, &r->m->final_norm, x + t * d, m, d, r->x);
		if (!lm_unembed(r, r->x, m, out + t * r->m->hp.vocab, err))
			return false;
	}
	return true;
}

bool
lm_unembed(lm_run *r, const lm_real *y, size_t n, lm_real *logits, struct lm_err *err)
{
	lm_real cap = (lm_real)r->m->hp.final_cap;
	size_t v = r->m->hp.vocab;

	if (!lm_watch_go(r->watch, err))
		return false;
	lm_mat_apply(&r->ctx, &r->m->head.w, r->m->head.bias, y, r->m->hp.width, n, logits, v);
	for (size_t i = 0; cap > 0 && i < n * v; i++)
		logits[i] = cap * (lm_real)tanh((double)(logits[i] / cap));
	return true;
}

bool
lm_final_norm(const lm_model *m, const lm_real *x, size_t n, lm_real *y, struct lm_err *err)
{
	if (!lm_model_has_weights(m))
		return lm_fail(err, LM_EARG, "%s: has no weights", m->path);
	lm_norm_rows(m, &m->final_norm, x, n, m->hp.width, y);
	return true;
}

bool
lm_run_logits(lm_run *r, size_t pos, size_t n, lm_real *out, struct lm_err *err)
{
	if (pos >= r->n_prompt || n > r->n_prompt - pos)
		return lm_fail(err, LM_EARG, "position %zu does not exist: the prompt has positions 0 to %zu",
		    pos + n - 1, r->n_prompt - 1);
	return evaluate(r, err) &&
	    logits_of(r, r->resid[r->m->hp.layers] + pos * r->m->hp.width, n, out, err);
}

bool
lm_run_step(lm_run *r, uint32_t id, lm_real *logits, struct lm_err *err)
{
	struct lm_rows rows = { r->n, 1 };

	if (r->n >= r->m->hp.context)
		return lm_fail(err, LM_ELIMIT, "the context of %u tokens is full", r->m->hp.context);
	if (!check_ids(&r->m->hp, &id, 1, err) || !evaluate(r, err) || !grow_cache(r, r->n + 1, err))
		return false;
	if (r->n == r->ids_cap) {
		if (!lm_resize(&r->ids, r->n + LM_CHUNK, sizeof(*r->ids), err))
			return false;
		r->ids_cap = r->n + LM_CHUNK;
	}
	r->ids[r->n] = id;
	embed_rows(r, rows);
	if (!lm_forward(r, rows, 0, r->m->hp.layers, err))
		return false;
	r->n++;
	return logits_of(r, r->last, 1, logits, err);
}

bool
lm_run_tap(lm_run *r, const struct lm_tap *tap, struct lm_err *err)
{
	uint32_t layers = r->m->hp.layers;
	uint32_t from = tap->layer_from, to = tap->layer_to < layers ? tap->layer_to + 1 : layers;
	bool ok = true;

	if (tap->pos_to >= r->n_prompt || tap->pos_from > tap->pos_to || from > tap->layer_to ||
	    tap->layer_to > layers)
		return lm_fail(err, LM_EARG, "layers %u to %u at positions %zu to %zu do not exist",
		    tap->layer_from, tap->layer_to, tap->pos_from, tap->pos_to);
	if (!evaluate(r, err))
		return false;
	/* The last residual stream is kept in any case; nothing below it needs to be passed again. */
	if (!r->keep_all && from < layers)
		from = 0;
	for (size_t c = tap->pos_from / LM_CHUNK; ok && c <= tap->pos_to / LM_CHUNK; c++) {
		struct lm_rows rows = chunk_rows(c, r->n_prompt);

		load_rows(r, rows, from);
		r->tap = tap;
		ok = lm_forward(r, rows, from, to, err);
		r->tap = NULL;
		report(r, c + 1 - tap->pos_from / LM_CHUNK,
		    tap->pos_to / LM_CHUNK + 1 - tap->pos_from / LM_CHUNK);
	}
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classes.c - functional classes of neurons by the cosines of their weights: methods.md section 2.3.
 */
#include "config.h"

#include "src/model.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 64 };

static const char *const names[LM_NCLASSES] = {
#define X(id, text) [LM_CLASS_##id] = text,
	LM_CLASSES(X)
#undef X
};

const char *
lm_class_name(enum lm_class c)
{
	return names[c];
}

bool
lm_class_find(const char *name, enum lm_class *out)
{
	for (int i = 0; i < LM_NCLASSES; i++)
		if (strcmp(names[i], name) == 0) {
			*out = (enum lm_class)i;
			return true;
		}
	return false;
}

static int
quantised(double c)
{
	return c > 0.5 ? 1 : c < -0.5 ? -1 : 0;
}

enum lm_class
lm_class_of(double c_io, double c_go, double c_gi)
{
	int io = quantised(c_io), go = quantised(c_go), gi = quantised(c_gi);
	int base;

	if (isnan(c_go))
		return io > 0 ? LM_CLASS_ENRICHMENT : io < 0 ? LM_CLASS_DEPLETION : LM_CLASS_ORTHOGONAL;
	if (io > 0)
		base = go ? LM_CLASS_ENRICHMENT : LM_CLASS_CONDITIONAL_ENRICHMENT;
	else if (io < 0)
		base = go ? LM_CLASS_DEPLETION : LM_CLASS_CONDITIONAL_DEPLETION;
	else
		base = go ? LM_CLASS_PROPORTIONAL_CHANGE : LM_CLASS_ORTHOGONAL;
	/* Typical: the third cosine is what the other two lead to expect. */
	return (enum lm_class)(gi == io * go ? base : base + LM_CLASS_ATYPICAL_ENRICHMENT);
}

struct job {
	const struct lm_model *m;
	uint32_t layer;
	const lm_real *gain;		/* folded into input sides, or NULL */
	const struct lm_cosines *out;
	lm_real **buf;			/* [threads]: three blocks of vectors */
};

static void
fold(const struct job *j, lm_real *w, size_t n)
{
	size_t d = j->m->hp.width;

	for (size_t i = 0; j->gain && i < n * d; i++)
		w[i] *= j->gain[i % d];
}

static double
cosine(const lm_real *a, const lm_real *b, size_t d)
{
	double ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < d; i++) {
		ab += (double)a[i] * (double)b[i];
		aa += (double)a[i] * (double)a[i];
		bb += (double)b[i] * (double)b[i];
	}
	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

static void
run_block(void *ctx, size_t i, int worker)
{
	const struct job *j = ctx;
	size_t d = j->m->hp.width, first = i * BLOCK;
	uint32_t n = j->m->hp.hidden - first < BLOCK ? (uint32_t)(j->m->hp.hidden - first) : BLOCK;
	lm_real *up = j->buf[worker], *down = up + BLOCK * d, *gate = down + BLOCK * d;
	bool gated = !j->m->hp.arch->ungated;

	lm_neuron_vectors(j->m, j->layer, LM_SIDE_UP, (uint32_t)first, n, up, NULL);
	lm_neuron_vectors(j->m, j->layer, LM_SIDE_DOWN, (uint32_t)first, n, down, NULL);
	fold(j, up, n);
	if (gated) {
		lm_neuron_vectors(j->m, j->layer, LM_SIDE_GATE, (uint32_t)first, n, gate, NULL);
		fold(j, gate, n);
	}
	for (size_t k = 0; k < n; k++) {
		j->out->up_down[first + k] = cosine(up + k * d, down + k * d, d);
		j->out->gate_down[first + k] = gated ? cosine(gate + k * d, down + k * d, d) : NAN;
		j->out->gate_up[first + k] = gated ? cosine(gate + k * d, up + k * d, d) : NAN;
	}
}

bool
lm_neuron_cosines(const lm_model *m, lm_pool *pool, uint32_t layer, bool folded,
    const struct lm_cosines *out, struct lm_err *err)
{
	size_t threads = (size_t)lm_pool_threads(pool);
	struct job j = { m, layer, NULL, out, NULL };
	bool ok = true;

	if (!lm_model_has_weights(m) || layer >= m->hp.layers)
		return lm_fail(err, LM_EARG, "layer %u does not exist", layer);
	j.gain = folded ? m->layer[layer].mlp_norm.gain : NULL;
	j.buf = lm_zalloc(threads, sizeof(*j.buf), err);
	for (size_t i = 0; ok && i < threads; i++)
		ok = j.buf && (j.buf[i] = lm_alloc(3 * BLOCK * (size_t)m->hp.width, sizeof(lm_real), err));
	if (ok)
		lm_pool_run(pool, (m->hp.hidden + BLOCK - 1) / BLOCK, run_block, &j);
	for (size_t i = 0; j.buf && i < threads; i++)
		lm_free(j.buf[i]);
	lm_free(j.buf);
	return ok;
}

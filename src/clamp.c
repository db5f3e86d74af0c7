/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clamp.c - overwriting neurons: which clamps hold where, and what they write (methods.md section 2.5).
 */
#include "config.h"

#include "src/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int
by_place(const void *a, const void *b)
{
	const struct lm_clamp *x = &((const struct lm_bound_clamp *)a)->c;
	const struct lm_clamp *y = &((const struct lm_bound_clamp *)b)->c;

	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return (int)x->point - (int)y->point;
}

/* Stable, so that clamps of one place stay as given; there are few. */
static void
sort(struct lm_bound_clamp *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct lm_bound_clamp c = v[i];
		size_t k = i;

		for (; k > 0 && by_place(&v[k - 1], &c) > 0; k--)
			v[k] = v[k - 1];
		v[k] = c;
	}
}

static bool
check(const struct lm_hparams *hp, const struct lm_clamp *c, struct lm_err *err)
{
	if (c->layer >= hp->layers)
		return lm_fail(err, LM_EARG, "layer %u does not exist: the model has layers 0 to %u", c->layer,
		    hp->layers - 1);
	if (c->neuron >= hp->hidden)
		return lm_fail(err, LM_EARG, "neuron %u.%u does not exist: layer %u has neurons 0 to %u",
		    c->layer, c->neuron, c->layer, hp->hidden - 1);
	if (c->point == LM_POINT_GATE && hp->arch->ungated)
		return lm_fail(err, LM_EARG, "point gate: MLPs of family %s have no gate; up or act wanted",
		    hp->arch->name);
	if (!isfinite(c->value))
		return lm_fail(err, LM_EARG, "clamp value %g is not finite", c->value);
	return true;
}

bool
lm_clamp_bind(const struct lm_run *r, const struct lm_clamp *in, size_t n,
    struct lm_bound_clamp **out, struct lm_err *err)
{
	const struct lm_hparams *hp = &r->m->hp;
	struct lm_bound_clamp *v = lm_zalloc(n, sizeof(*v), err);
	lm_real *w = lm_alloc(hp->width, sizeof(*w), err);
	bool ok = v && w;

	for (size_t i = 0; ok && i < n; i++) {
		double norm = 0;

		v[i] = (struct lm_bound_clamp){ in[i], 1 };
		ok = check(hp, &in[i], err);
		if (!ok || !in[i].per_resid)
			continue;
		lm_mat_cols(&r->m->layer[in[i].layer].down.w, r->ctx.kern, in[i].neuron, 1, w);
		for (size_t k = 0; k < hp->width; k++)
			norm += (double)w[k] * (double)w[k];
		if (norm == 0)
			ok = lm_fail(err, LM_EARG, "unit resid: neuron %u.%u writes nothing, |w_down| is 0",
			    in[i].layer, in[i].neuron);
		v[i].scale = 1 / sqrt(norm);
	}
	lm_free(w);
	if (!ok) {
		lm_free(v);
		return false;
	}
	sort(v, n);
	*out = v;
	return true;
}

/* The clamp's positions within rows, as [*from, *to); empty when from >= to. */
static void
reach(const struct lm_clamp *c, size_t n_prompt, struct lm_rows rows, size_t *from, size_t *to)
{
	int64_t a = c->from < 0 ? (int64_t)n_prompt + c->from : c->from;
	int64_t b = c->to < 0 ? (int64_t)n_prompt + c->to : c->to;
	int64_t end = (int64_t)(rows.pos + rows.n) - 1;

	a = a < (int64_t)rows.pos ? (int64_t)rows.pos : a;
	b = c->to == LM_END || b > end ? end : b;
	*from = (size_t)a;
	*to = b < a ? (size_t)a : (size_t)b + 1;
}

static lm_real
clamped(enum lm_mode mode, lm_real x, lm_real value)
{
	switch (mode) {
	case LM_MODE_SET:
		return value;
	case LM_MODE_ADD:
		return x + value;
	case LM_MODE_SCALE:
		return x * value;
	case LM_MODE_MIN:
		return x < value ? value : x;
	case LM_MODE_MAX:
		return x > value ? value : x;
	}
	return x;
}

void
lm_clamp_apply(const struct lm_run *r, uint32_t layer, enum lm_point point, struct lm_rows rows,
    lm_real *values)
{
	size_t f = r->m->hp.hidden, d = r->m->hp.width, from, to;

	for (size_t i = 0; i < r->n_clamps; i++) {
		const struct lm_bound_clamp *b = &r->clamps[i];

		if (b->c.layer != layer || b->c.point != point)
			continue;
		reach(&b->c, r->n_prompt, rows, &from, &to);
		for (size_t p = from; p < to; p++) {
			lm_real *x = &values[(p - rows.pos) * f + b->c.neuron];
			double value = b->c.value, norm = 0;

			if (b->c.per_resid) {
				const lm_real *h = r->h + (p - rows.pos) * d;

				for (size_t k = 0; k < d; k++)
					norm += (double)h[k] * (double)h[k];
				value *= sqrt(norm) * b->scale;
			}
			*x = clamped(b->c.mode, *x, (lm_real)value);
		}
	}
}

/* The next clamp of s from *i on that reaches into rows; false at the end. */
static bool
next_in(struct lm_clamp_set s, struct lm_rows rows, size_t *i, size_t *from, size_t *to)
{
	for (; *i < s.n; (*i)++) {
		reach(&s.v[*i].c, s.n_prompt, rows, from, to);
		if (*from < *to)
			return true;
	}
	return false;
}

uint32_t
lm_clamp_change(struct lm_clamp_set a, struct lm_clamp_set b, struct lm_rows rows)
{
	size_t i = 0, k = 0, af = 0, at = 0, bf = 0, bt = 0;

	for (;; i++, k++) {
		bool more_a = next_in(a, rows, &i, &af, &at), more_b = next_in(b, rows, &k, &bf, &bt);
		uint32_t la = more_a ? a.v[i].c.layer : UINT32_MAX, lb = more_b ? b.v[k].c.layer : UINT32_MAX;
		const struct lm_clamp *x, *y;

		if (!more_a || !more_b)
			return la < lb ? la : lb;
		x = &a.v[i].c;
		y = &b.v[k].c;
		if (la != lb || x->neuron != y->neuron || x->point != y->point || x->mode != y->mode ||
		    x->value != y->value || x->per_resid != y->per_resid || af != bf || at != bt)
			return la < lb ? la : lb;
	}
}

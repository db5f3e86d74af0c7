/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlp.c - the MLP of one layer, where clamps write: act = phi(gate) * up, or phi(up) without a gate.
 */
#include "config.h"

#include "src/run.h"

struct activate {
	struct lm_run *r;
	bool gated;
};

/* One row: r->up becomes the neurons' activations. */
static void
activate_row(void *ctx, size_t t, int worker)
{
	const struct activate *a = ctx;
	const struct lm_hparams *hp = &a->r->m->hp;
	size_t f = hp->hidden;
	lm_real *up = a->r->up + t * f, *gate = a->r->gate + t * f;

	(void)worker;
	lm_act_apply(hp->act, a->r->ctx.kern, a->gated ? gate : up, f);
	for (size_t i = 0; a->gated && i < f; i++)
		up[i] *= gate[i];
}

bool
lm_mlp(struct lm_run *r, uint32_t l, struct lm_rows rows, struct lm_err *err)
{
	const struct lm_layer *layer = &r->m->layer[l];
	size_t d = r->m->hp.width, f = r->m->hp.hidden;
	struct activate a = { r, layer->gate.w.data != NULL };

	lm_mat_apply(&r->ctx, &layer->up.w, layer->up.bias, r->x, d, rows.n, r->up, f);
	lm_clamp_apply(r, l, LM_POINT_UP, rows, r->up);
	if (!lm_tap_rows(r, LM_SITE_UP, l, rows, f, r->up, err))
		return false;
	if (a.gated) {
		lm_mat_apply(&r->ctx, &layer->gate.w, layer->gate.bias, r->x, d, rows.n, r->gate, f);
		lm_clamp_apply(r, l, LM_POINT_GATE, rows, r->gate);
		if (!lm_tap_rows(r, LM_SITE_GATE, l, rows, f, r->gate, err))
			return false;
	}
	lm_pool_run(r->ctx.pool, rows.n, activate_row, &a);
	lm_clamp_apply(r, l, LM_POINT_ACT, rows, r->up);
	if (!lm_tap_rows(r, LM_SITE_ACT, l, rows, f, r->up, err))
		return false;
	lm_mat_apply(&r->ctx, &layer->down.w, layer->down.bias, r->up, f, rows.n, r->branch, d);
	return true;
}

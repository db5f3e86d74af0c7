/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_live.c - neurons by their weights and by what they do on the prompt: similar, activations.
 */
#include "config.h"

#include "ui/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A neuron and the number it is listed by. */
struct listed {
	double key, value;
	uint32_t layer, neuron;
};

static int
by_key(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return x->neuron < y->neuron ? -1 : x->neuron > y->neuron;
}

/*
 * The top token of a neuron's decode: from the index when there is one, else by decoding this one vector.
 */
static bool
top_token(struct ui_call *c, const struct listed *n, enum lm_side side, uint32_t *id)
{
	struct lm_neurons range = { n->layer, side, n->neuron, 1 };
	struct lm_decode_stat stat;
	struct lm_hit hit = { UINT32_MAX, 0 };
	uint32_t k = 1, none = 0;

	if (c->s->db && ix_ranks(c->s->db, side, n->layer, n->neuron, &hit, &k, NULL, &none, NULL)) {
		*id = k ? hit.id : UINT32_MAX;
		return true;
	}
	if (!lm_decode(c->s->model, c->s->pool, LM_PREP_FINAL_NORM, &range, 1, 1, 0, &hit, NULL, &stat,
	    &c->s->watch, c->err))
		return false;
	*id = hit.id;
	return true;
}

/* Sorts, cuts to limit, and writes rows of layer, neuron, numbers and text; text is the last column. */
static bool
put_listed(struct ui_call *c, struct listed *v, size_t n, enum lm_side side)
{
	uint64_t limit = (uint64_t)ui_arg(&c->args, "limit")->i;
	struct ix_table *t = ui_put_table(c->out, "rows", c->cmd->rows);
	size_t shown = limit && limit < n ? (size_t)limit : n;
	bool found;
	uint32_t id;

	if (!ui_index_find(c->s, &found, c->err))
		return false;
	if (n)
		qsort(v, n, sizeof(*v), by_key);
	for (size_t i = 0; i < shown; i++) {
		struct ix_cell *row = ui_row(t);

		if (!top_token(c, &v[i], side, &id))
			return false;
		row[0] = ix_int(v[i].layer);
		row[1] = ix_int(v[i].neuron);
		row[2] = ix_real(v[i].value);
		if (id != UINT32_MAX)
			row[t->n_cols - 1] = ui_token_cell(c->s, t, id);
	}
	t->more = n - shown;
	return true;
}

bool
cmd_similar(struct ui_call *c)
{
	struct ui_neuron n = ui_arg(&c->args, "NEURON")->neurons[0];
	enum lm_side side = ui_side(&c->args, "side");
	enum lm_side to = ui_arg(&c->args, "to")->given ? ui_side(&c->args, "to") : side;
	size_t d = c->s->info.width, f = c->s->info.hidden, layers = c->s->info.layers, k = 0;
	lm_real *v = ui_xalloc(d, sizeof(*v));
	double *dots = ui_xalloc(f, sizeof(*dots)), *norms = ui_xalloc(f, sizeof(*norms)), norm = 0;
	struct listed *list = ui_xalloc(f * layers, sizeof(*list));
	bool ok;

	ok = ui_check_neuron(c->s, n, side, c->err) && ui_check_neuron(c->s, n, to, c->err) &&
	    ui_pool(c->s, c->err) &&
	    lm_neuron_vectors(c->s->model, n.layer, side, n.neuron, 1, v, c->err);
	for (size_t i = 0; ok && i < d; i++)
		norm += (double)v[i] * (double)v[i];
	for (uint32_t l = 0; ok && l < layers; l++) {
		ok = lm_neuron_dots(c->s->model, c->s->pool, l, to, v, false, dots, norms, c->err) &&
		    ui_progress(c->s, (double)(l + 1) / (double)layers, "comparing neurons", c->err);
		for (uint32_t i = 0; ok && i < f; i++) {
			double cosine = norm > 0 && norms[i] > 0 ? dots[i] / (sqrt(norm) * norms[i]) : 0;

			if (l == n.layer && i == n.neuron && to == side)
				continue;
			list[k++] = (struct listed){ cosine, cosine, l, i };
		}
	}
	ok = ok && put_listed(c, list, k, to);
	ui_free(list);
	ui_free(dots);
	ui_free(norms);
	ui_free(v);
	return ok;
}

struct gather {
	struct listed *v;
	size_t n;
};

static bool
gather(void *ctx, enum lm_site site, uint32_t layer, size_t pos, size_t n, size_t width,
    const lm_real *rows, struct lm_err *err)
{
	struct gather *g = ctx;

	(void)site;
	(void)pos;
	(void)n;
	(void)err;
	for (size_t i = 0; i < width; i++)
		g->v[g->n++] = (struct listed){ fabs((double)rows[i]), rows[i], layer, (uint32_t)i };
	return true;
}

bool
cmd_activations(struct ui_call *c)
{
	const struct ui_value *layer = ui_arg(&c->args, "layer");
	struct gather g = { 0 };
	struct lm_tap tap = { .sites = 1u << LM_SITE_ACT, .fn = gather, .ctx = &g };
	struct ui_neuron first = { layer->given ? (uint32_t)layer->i : 0, 0 };
	lm_run *r;
	bool ok;

	if (!ui_arg_is(&c->args, "sort", "act") || ui_arg(&c->args, "for")->given)
		return lm_fail(c->err, LM_EUNSUPPORTED, "activations: attributions are not computed; sort=act is");
	if (!ui_check_neuron(c->s, first, ui_side(&c->args, "side"), c->err) ||
	    !ui_pos(c->s, ui_arg(&c->args, "at")->i, &tap.pos_from, c->err) ||
	    !(r = ui_run(c->s, true, c->err)))
		return false;
	tap.pos_to = tap.pos_from;
	tap.layer_from = first.layer;
	tap.layer_to = layer->given ? first.layer : c->s->info.layers - 1;
	g.v = ui_xalloc((size_t)(tap.layer_to - tap.layer_from + 1) * c->s->info.hidden, sizeof(*g.v));
	ok = lm_run_tap(r, &tap, c->err) && put_listed(c, g.v, g.n, ui_side(&c->args, "side"));
	ui_free(g.v);
	return ok;
}

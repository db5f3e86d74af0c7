/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_neuron.c - neurons by what their weights decode to: neuron, search, neurons.
 */
#include "config.h"

#include "ui/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool
ui_check_neuron(struct ui_session *s, struct ui_neuron n, enum lm_side side, struct lm_err *err)
{
	if (n.layer >= s->info.layers)
		return lm_fail(err, LM_EARG, "layer %u does not exist: the model has layers 0 to %u", n.layer,
		    s->info.layers - 1);
	if (n.neuron >= s->info.hidden)
		return lm_fail(err, LM_EARG, "neuron %u.%u does not exist: layer %u has neurons 0 to %u",
		    n.layer, n.neuron, n.layer, s->info.hidden - 1);
	if (side == LM_SIDE_GATE && !s->info.gated)
		return lm_fail(err, LM_EARG, "side gate: MLPs of family %s have no gate; up or down wanted",
		    s->info.family);
	return true;
}

/* ---- neuron ------------------------------------------------------------------------------------------------ */

/* Ranks of one neuron, from the index or computed. */
struct ranks {
	struct lm_hit *top, *bottom;
	uint32_t k_top, k_bottom;
	double lse, entropy, norm;
};

static void
free_ranks(struct ranks *r)
{
	ui_free(r->top);
	ui_free(r->bottom);
}

static bool
compute_ranks(struct ui_call *c, struct ui_neuron n, enum lm_side side, enum lm_prep prep,
    struct ranks *r)
{
	struct lm_neurons range = { n.layer, side, n.neuron, 1 };
	size_t vocab = c->s->info.vocab;
	lm_real *w = ui_xalloc(c->s->info.width, sizeof(*w)), *z = ui_xalloc(vocab, sizeof(*z));
	uint32_t *order = ui_xalloc(vocab, sizeof(*order));
	struct lm_decode_stat stat;
	bool ok;

	ok = ui_pool(c->s, c->err) &&
	    lm_decode(c->s->model, c->s->pool, prep, &range, 1, 0, 0, NULL, NULL, &stat, &c->s->watch,
	    c->err) &&
	    lm_neuron_vectors(c->s->model, n.layer, side, n.neuron, 1, w, c->err) &&
	    lm_decode_scores(c->s->model, c->s->pool, prep, w, 1, z, c->err);
	for (int sign = 1; ok && sign >= -1; sign -= 2) {
		uint32_t k = sign > 0 ? r->k_top : r->k_bottom;
		struct lm_hit *hits = ui_xalloc(k, sizeof(*hits));

		lm_top(z, vocab, sign, k, order);
		for (uint32_t i = 0; i < k; i++)
			hits[i] = (struct lm_hit){ order[i], z[order[i]] };
		*(sign > 0 ? &r->top : &r->bottom) = hits;
	}
	r->lse = stat.lse;
	r->entropy = stat.entropy;
	r->norm = stat.norm;
	ui_free(w);
	ui_free(z);
	ui_free(order);
	return ok;
}

static void
put_ranks(struct ui_call *c, const char *name, const struct lm_hit *hits, uint32_t k, double lse)
{
	struct ix_table *t = ui_put_table(c->out, name, "rank:int id:int text:token score:real prob:real");

	for (uint32_t i = 0; i < k; i++) {
		struct ix_cell *row = ui_row(t);

		row[0] = ix_int((int64_t)i + 1);
		row[1] = ix_int(hits[i].id);
		row[2] = ui_token_cell(c->s, t, hits[i].id);
		row[3] = ix_real((double)hits[i].score);
		if (!isnan(lse))		/* cosines have no softmax */
			row[4] = ix_real(exp((double)hits[i].score - lse));
	}
}

/* A cell of a one-row table as a field; NaN and NULL as null. */
static void
put_stat(struct ui_call *c, const struct ix_table *t, const char *name)
{
	const struct ix_cell *cell = ix_table_cell(t, 0, (size_t)ix_table_col(t, name));

	ui_put(c->out, name, *cell);
}

/* What the reference prompts show of the neuron; null when the index has none. */
static bool
put_shown(struct ui_call *c, int64_t neuron)
{
	struct ix_cell id = ix_int(neuron);
	struct ix_table t = { 0 };
	struct ui_result *r;
	bool ok = ix_query(c->s->db, IX_Q_ACTIVATION, &id, &t, c->err);

	if (ok && t.n_rows == 0) {
		ui_put_null(c->out, "shown");
	} else if (ok) {
		static const char *const names[] = { "mean", "sd", "low", "high" };

		r = ui_put_object(c->out, "shown");
		for (size_t i = 0; i < 4; i++)
			ui_put(r, names[i], *ix_table_cell(&t, 0, i));
		ui_put(r, "prompt", *ix_table_cell(&t, 0, (size_t)ix_table_col(&t, "text")));
		ui_put(r, "pos", *ix_table_cell(&t, 0, (size_t)ix_table_col(&t, "high_pos")));
	}
	ix_table_free(&t);
	return ok;
}

/* Gets the ranks from the index as far as they reach, else from the weights. */
static bool
get_ranks(struct ui_call *c, struct ui_neuron n, enum lm_side side, struct ranks *r)
{
	int64_t prep = ui_arg(&c->args, "prep")->i, k = ui_arg(&c->args, "k")->i;
	uint32_t vocab = c->s->info.vocab;

	k = k == 0 || k > vocab ? vocab : k;
	r->k_top = r->k_bottom = (uint32_t)k;
	if (prep == LM_PREP_FINAL_NORM && k <= c->s->ix.k_top && k <= c->s->ix.k_bottom) {
		r->top = ui_xalloc(r->k_top, sizeof(*r->top));
		r->bottom = ui_xalloc(r->k_bottom, sizeof(*r->bottom));
		return ix_ranks(c->s->db, side, n.layer, n.neuron, r->top, &r->k_top, r->bottom, &r->k_bottom,
		    c->err);
	}
	if (c->s->model)
		return compute_ranks(c, n, side, (enum lm_prep)prep, r);
	if (prep != LM_PREP_FINAL_NORM)
		return lm_fail(c->err, LM_EARG, "prep: without the weights only final_norm is there");
	/* Without the weights the index gives what it has. */
	r->k_top = r->k_top < c->s->ix.k_top ? r->k_top : c->s->ix.k_top;
	r->k_bottom = r->k_bottom < c->s->ix.k_bottom ? r->k_bottom : c->s->ix.k_bottom;
	r->top = ui_xalloc(r->k_top, sizeof(*r->top));
	r->bottom = ui_xalloc(r->k_bottom, sizeof(*r->bottom));
	return ix_ranks(c->s->db, side, n.layer, n.neuron, r->top, &r->k_top, r->bottom, &r->k_bottom,
	    c->err);
}

bool
cmd_neuron(struct ui_call *c)
{
	struct ui_neuron n = ui_arg(&c->args, "NEURON")->neurons[0];
	enum lm_side side = ui_side(&c->args, "side");
	struct ix_cell params[2] = { ix_int((int64_t)n.layer * c->s->info.hidden + n.neuron), ix_int(side) };
	struct ranks r = { .lse = NAN };
	struct ix_table t = { 0 };
	bool ok;

	ok = ui_check_neuron(c->s, n, side, c->err) &&
	    ix_query(c->s->db, IX_Q_NEURON, params, &t, c->err);
	if (ok && t.n_rows == 0)
		ok = lm_fail(c->err, LM_EARG, "neuron %u.%u is not in the index: its layer is not done", n.layer,
		    n.neuron);
	ok = ok && get_ranks(c, n, side, &r);
	if (ok) {
		bool stored = isnan(r.lse) && r.norm == 0;

		ui_put_int(c->out, "layer", n.layer);
		ui_put_int(c->out, "neuron", n.neuron);
		ui_put_text(c->out, "side", ui_side_name(side));
		ui_put(c->out, "prep", ix_text(ui_arg(&c->args, "prep")->word->p,
		    ui_arg(&c->args, "prep")->word->n));
		put_stat(c, &t, "norm");
		if (stored) {
			put_stat(c, &t, "entropy");
			r.lse = ix_table_cell(&t, 0, (size_t)ix_table_col(&t, "lse"))->r;
		} else if (isnan(r.entropy)) {
			ui_put_null(c->out, "entropy");
		} else {
			ui_put_real(c->out, "entropy", r.entropy);
		}
		put_stat(c, &t, "class");
		put_stat(c, &t, "cos_up_down");
		put_stat(c, &t, "cos_gate_down");
		put_stat(c, &t, "cos_gate_up");
		ok = put_shown(c, params[0].i);
		put_ranks(c, "top", r.top, r.k_top, r.lse);
		put_ranks(c, "bottom", r.bottom, r.k_bottom, r.lse);
	}
	free_ranks(&r);
	ix_table_free(&t);
	return ok;
}

/* ---- search ------------------------------------------------------------------------------------------------ */

struct scored {
	double score;
	int64_t neuron;
	uint32_t id;
};

static int
by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->neuron < y->neuron ? -1 : x->neuron > y->neuron;
}

/* Every neuron's score for one token, exactly. */
static bool
score_all(struct ui_call *c, enum lm_side side, uint32_t id, uint32_t from, uint32_t to,
    struct scored *out)
{
	size_t d = c->s->info.width, f = c->s->info.hidden;
	lm_real *v = ui_xalloc(d, sizeof(*v));
	double *dots = ui_xalloc(f, sizeof(*dots)), *norms = ui_xalloc(f, sizeof(*norms)), shift;
	bool ok = ui_pool(c->s, c->err) &&
	    lm_token_vector(c->s->model, LM_PREP_FINAL_NORM, id, v, &shift, c->err);

	for (uint32_t l = from; ok && l <= to; l++) {
		ok = lm_neuron_dots(c->s->model, c->s->pool, l, side, v, true, dots, norms, c->err) &&
		    ui_progress(c->s, (double)(l - from + 1) / (to - from + 1), "scoring all neurons", c->err);
		for (size_t i = 0; ok && i < f; i++)
			*out++ = (struct scored){ shift + (norms[i] > 0 ? sqrt((double)d) * dots[i] / norms[i] : 0),
			    (int64_t)(l * f + i), id };
	}
	ui_free(v);
	ui_free(dots);
	ui_free(norms);
	return ok;
}

/* The row of a neuron found by its exact score; rank and probability as far as the index knows them. */
static bool
put_scored(struct ui_call *c, struct ix_table *t, enum lm_side side, const struct scored *x)
{
	uint32_t f = c->s->info.hidden, k = c->s->ix.k_top, none = 0;
	struct ix_cell params[2] = { ix_int(x->neuron), ix_int(side) }, *row = ui_row(t);
	struct lm_hit *top = ui_xalloc(k, sizeof(*top));
	struct ix_table stat = { 0 };
	bool ok;

	ok = ix_query(c->s->db, IX_Q_NEURON, params, &stat, c->err) &&
	    ix_ranks(c->s->db, side, (uint32_t)(x->neuron / f), (uint32_t)(x->neuron % f), top, &k, NULL,
	    &none, c->err);
	row[0] = ix_int(x->neuron / f);
	row[1] = ix_int(x->neuron % f);
	row[2] = ui_cell_text(t, ui_side_name(side));
	for (uint32_t i = 0; ok && i < k; i++)
		if (top[i].id == x->id)
			row[3] = ix_int((int64_t)i + 1);
	row[4] = ix_int(x->id);
	row[5] = ui_token_cell(c->s, t, x->id);
	row[6] = ix_real(x->score);
	if (ok && stat.n_rows)
		row[7] = ix_real(exp(x->score - ix_table_cell(&stat, 0, (size_t)ix_table_col(&stat, "lse"))->r));
	ix_table_free(&stat);
	ui_free(top);
	return ok;
}

static bool
search_all(struct ui_call *c, const struct ix_search *q, const struct lm_ids *ids, uint32_t rank)
{
	struct ix_table *t = ui_put_table(c->out, "rows", c->cmd->rows);
	uint32_t from = q->layer < 0 ? 0 : (uint32_t)q->layer;
	uint32_t to = q->layer < 0 ? c->s->info.layers - 1 : from;
	size_t per = (size_t)(to - from + 1) * c->s->info.hidden, n, kept = 0;
	/* With several tokens only the best of each can be among the best of all. */
	size_t keep = q->limit && q->limit < per && !rank ? (size_t)q->limit : per;
	struct scored *v = NULL;
	bool ok = true;

	n = 0;
	for (size_t i = 0; ok && i < ids->n; i++) {
		v = ui_xresize(v, n + per, sizeof(*v));
		ok = score_all(c, q->side, ids->v[i], from, to, v + n);
		if (ok)
			qsort(v + n, per, sizeof(*v), by_score);
		n += keep;
	}
	if (ok && n)
		qsort(v, n, sizeof(*v), by_score);
	for (size_t i = 0; ok && i < n && (q->limit == 0 || kept < q->limit); i++) {
		ok = put_scored(c, t, q->side, &v[i]);
		/* rank= asks for what is stored as so near to the top. */
		if (rank) {
			const struct ix_cell *cell = ix_table_cell(t, t->n_rows - 1, 3);

			if (cell->type == IX_NULL || cell->i > rank) {
				t->n_rows--;
				continue;
			}
		}
		kept++;
	}
	t->more = rank ? 0 : ids->n * per - kept;
	ui_free(v);
	return ok;
}

bool
cmd_search(struct ui_call *c)
{
	const struct ui_args *a = &c->args;
	const struct ui_word *text = ui_arg(a, "TEXT")->word;
	const struct ui_value *layer = ui_arg(a, "layer");
	struct ix_search q = { .side = ui_side(a, "side"), .layer = layer->given ? layer->i : -1,
	    .rank = (uint32_t)ui_arg(a, "rank")->i, .limit = (uint64_t)ui_arg(a, "limit")->i };
	struct ui_neuron first = { layer->given ? (uint32_t)layer->i : 0, 0 };
	enum ix_match match = (enum ix_match)ui_arg(a, "match")->i;
	struct lm_ids ids = { 0 };
	bool ok = ui_check_neuron(c->s, first, q.side, c->err);
	uint32_t id;

	if (ok && match == IX_EXACT)
		ok = ui_token_id(c->s, text, &id, c->err) && lm_ids_add(&ids, id, c->err);
	else if (ok)
		ok = ix_match_tokens(c->s->db, text->p, text->n, match, &ids, c->err);
	if (ok && ids.n == 0)
		ok = lm_fail(c->err, LM_EARG, "search: no token matches \"%.*s\"",
		    (int)(text->n > 80 ? 80 : text->n), text->p);
	q.ids = ids.v;
	q.n_ids = ids.n;
	if (ok && ui_arg_is(a, "over", "all")) {
		if (!c->s->model || !lm_model_has_weights(c->s->model))
			ok = lm_fail(c->err, LM_EARG, "search: over=all needs the weights");
		else
			ok = search_all(c, &q, &ids, q.rank);
	} else if (ok) {
		ok = ix_search(c->s->db, &q, ui_put_table(c->out, "rows", c->cmd->rows), c->err);
	}
	lm_ids_free(&ids);
	return ok;
}

/* ---- neurons ----------------------------------------------------------------------------------------------- */

/* The token of rank 2 of each row, from the ranks. */
static void
put_second(struct ui_call *c, struct ix_table *t, enum lm_side side)
{
	int col = ix_table_col(t, "next");

	for (size_t i = 0; i < t->n_rows; i++) {
		struct ix_cell *row = &t->cells[i * t->n_cols];
		struct lm_hit hits[2];
		uint32_t k = 2, none = 0;

		if (ix_ranks(c->s->db, side, (uint32_t)row[0].i, (uint32_t)row[1].i, hits, &k, NULL, &none,
		    NULL) && k == 2)
			row[col] = ui_token_cell(c->s, t, hits[1].id);
	}
}

bool
cmd_neurons(struct ui_call *c)
{
	const struct ui_args *a = &c->args;
	const struct ui_value *layer = ui_arg(a, "layer"), *class = ui_arg(a, "class");
	const struct ui_word *sort = ui_arg(a, "sort")->word;
	int64_t limit = ui_arg(a, "limit")->i, offset = ui_arg(a, "offset")->i, total;
	struct ix_cell null = { .type = IX_NULL }, params[6];
	struct ui_neuron first = { layer->given ? (uint32_t)layer->i : 0, 0 };
	struct ix_table count = { 0 }, *t;
	enum lm_class k = LM_CLASS_ORTHOGONAL;
	bool ok;

	if (!ui_check_neuron(c->s, first, ui_side(a, "side"), c->err))
		return false;
	if (class->given && !lm_class_find(class->word->p, &k))
		return lm_fail(c->err, LM_EARG, "class: found \"%.*s\"; enrichment, conditional_enrichment, "
		    "proportional_change, orthogonal, depletion, conditional_depletion, or atypical_ before one "
		    "of them wanted", (int)(class->word->n > 40 ? 40 : class->word->n), class->word->p);
	params[0] = ix_int(ui_side(a, "side"));
	params[1] = layer->given ? ix_int(layer->i) : null;
	params[2] = class->given ? ix_int(k) : null;
	params[3] = ix_text(sort->p, sort->n);
	params[4] = ix_int(limit ? limit : -1);
	params[5] = ix_int(offset);
	t = ui_put_table(c->out, "rows", c->cmd->rows);
	ok = ix_query(c->s->db, IX_Q_COUNT_NEURONS, params, &count, c->err) &&
	    ix_query(c->s->db, IX_Q_NEURONS, params, t, c->err);
	if (ok && t->n_rows)
		put_second(c, t, ui_side(a, "side"));
	total = ok ? ix_table_cell(&count, 0, 0)->i : 0;
	if (ok && total > offset + (int64_t)t->n_rows)
		t->more = (uint64_t)(total - offset - (int64_t)t->n_rows);
	ix_table_free(&count);
	return ok;
}

/* ---- layers ------------------------------------------------------------------------------------------------ */

/* Numbers of a JSON list that the index wrote, as a list cell; tokens: they are ids to look up. */
static void
put_json_list(struct ui_call *c, struct ix_table *t, struct ix_cell *cell, const struct ix_cell *json,
    bool tokens)
{
	const char *p = json->type == IX_TEXT ? json->s.p : "[]";
	struct ix_cell *v;
	struct lm_err err;
	size_t n = 0, i = 0;
	int64_t x;

	for (const char *q = p; *q; q++)
		n += *q == ',' || *q == '[';
	v = ix_table_list(t, cell, n, &err);
	if (!v)
		ui_die(UI_FAILED, "%s", err.msg);
	for (p = strpbrk(p, "0123456789"); p && i < n; p = strpbrk(p, "0123456789")) {
		for (x = 0; *p >= '0' && *p <= '9' && x < UINT32_MAX; p++)
			x = x * 10 + (*p - '0');
		v[i++] = tokens ? ui_token_cell(c->s, t, (uint32_t)x) : ix_int(x);
	}
	cell->list.n = i;
}

bool
cmd_layers(struct ui_call *c)
{
	struct ui_neuron first = { 0, 0 };
	struct ix_cell side = ix_int(ui_side(&c->args, "side"));
	struct ix_table rows = { 0 }, *t = ui_put_table(c->out, "rows", c->cmd->rows);
	bool ok = ui_check_neuron(c->s, first, ui_side(&c->args, "side"), c->err) &&
	    ix_query(c->s->db, IX_Q_LAYERS, &side, &rows, c->err);

	for (size_t i = 0; ok && i < rows.n_rows; i++) {
		struct ix_cell *row = ui_row(t);

		for (size_t k = 0; k < 6; k++)
			row[k] = *ix_table_cell(&rows, i, k);
		put_json_list(c, t, &row[6], ix_table_cell(&rows, i, 6), false);
		put_json_list(c, t, &row[7], ix_table_cell(&rows, i, 7), true);
	}
	ix_table_free(&rows);
	return ok;
}

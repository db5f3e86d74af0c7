/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_clamp.c - overwriting neurons and what it does: clamp, clamps, unclamp, effect, sweep.
 */
#include "config.h"

#include "ui/session.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const points[] = { "up", "gate", "act" };
static const char *const modes[] = { "set", "add", "scale", "min", "max" };
static const char *const units[] = { "abs", "resid", "sd", "max" };

/* "all", "3", "2:5", "4:" */
static void
put_positions(struct lm_buf *out, const struct lm_clamp *c)
{
	if (c->from == 0 && c->to == LM_END)
		ui_buf_str(out, "all");
	else if (c->from == c->to)
		ui_buf_printf(out, "%" PRId32, c->from);
	else if (c->to == LM_END)
		ui_buf_printf(out, "%" PRId32 ":", c->from);
	else
		ui_buf_printf(out, "%" PRId32 ":%" PRId32, c->from, c->to);
}

void
ui_put_clamps(struct ui_session *s, struct ui_result *r, const char *name)
{
	struct ix_table *t = ui_put_table(r, name, "index:int layer:int neuron:int point:text mode:text "
	    "value:real at:text unit:text on:bool");
	struct lm_buf at = { 0 };

	for (size_t i = 0; i < s->n_clamps; i++) {
		const struct ui_clamp *k = &s->clamps[i];
		struct ix_cell *row = ui_row(t);

		at.len = 0;
		put_positions(&at, &k->c);
		row[0] = ix_int((int64_t)i);
		row[1] = ix_int(k->c.layer);
		row[2] = ix_int(k->c.neuron);
		row[3] = ui_cell_text(t, points[k->c.point]);
		row[4] = ui_cell_text(t, modes[k->c.mode]);
		row[5] = ix_real(k->given);
		row[6] = ui_cell_text(t, at.p);
		row[7] = ui_cell_text(t, units[k->unit]);
		row[8] = ix_bool(!k->off);
	}
	lm_buf_free(&at);
}

/* Point, mode and positions from the arguments that clamp and sweep share. */
static bool
read_clamp(struct ui_call *c, struct ui_neuron n, double value, struct lm_clamp *out)
{
	const struct ui_value *at = ui_arg(&c->args, "at");
	int64_t point = ui_arg(&c->args, "point")->i;

	*out = (struct lm_clamp){ .layer = n.layer, .neuron = n.neuron, .value = value,
	    .mode = (enum lm_mode)ui_arg(&c->args, "mode")->i,
	    .from = (int32_t)at->from, .to = (int32_t)at->to };
	if (n.layer >= c->s->info.layers)
		return lm_fail(c->err, LM_EARG, "layer %u does not exist: the model has layers 0 to %u", n.layer,
		    c->s->info.layers - 1);
	if (n.neuron >= c->s->info.hidden)
		return lm_fail(c->err, LM_EARG, "neuron %u.%u does not exist: layer %u has neurons 0 to %u",
		    n.layer, n.neuron, n.layer, c->s->info.hidden - 1);
	if (point == LM_POINT_GATE && !c->s->info.gated)
		return lm_fail(c->err, LM_EARG, "point gate: MLPs of family %s have no gate; up or act wanted",
		    c->s->info.family);
	if (point == 3 && c->s->info.gated)
		return lm_fail(c->err, LM_EARG,
		    "point pre: only MLPs without a gate have it; up, gate or act wanted");
	out->point = point == 3 ? LM_POINT_UP : (enum lm_point)point;
	return true;
}

/* What one unit of value is worth for this neuron at this point, from the reference prompts. */
static bool
unit_worth(struct ui_call *c, const struct lm_clamp *k, enum ui_unit unit, double *out)
{
	static const char *const names[3][2] = { { "up_sd", "up_max" }, { "gate_sd", "gate_max" },
	    { "act_sd", NULL } };
	struct ix_cell id = ix_int((int64_t)k->layer * c->s->info.hidden + k->neuron);
	const char *name = names[k->point][unit == UI_MAX];
	struct ix_table t = { 0 };
	bool ok;

	ok = ui_index_need(c->s, c->err) && ix_query(c->s->db, IX_Q_ACTIVATION, &id, &t, c->err);
	if (ok && t.n_rows == 0)
		ok = lm_fail(c->err, LM_EARG, "unit %s: the index holds no activations on reference prompts%s",
		    units[unit], c->s->vocab ? "" : ", since the model has no tokenizer");
	if (ok && name)
		*out = ix_table_cell(&t, 0, (size_t)ix_table_col(&t, name))->r;
	else if (ok)
		*out = fmax(fabs(ix_table_cell(&t, 0, 2)->r), fabs(ix_table_cell(&t, 0, 3)->r));
	ix_table_free(&t);
	return ok;
}

bool
cmd_clamp(struct ui_call *c)
{
	const struct ui_value *neurons = ui_arg(&c->args, "NEURONS");
	enum ui_unit unit = (enum ui_unit)ui_arg(&c->args, "unit")->i;
	double given = ui_arg(&c->args, "value")->r;
	struct ui_clamp *list = ui_xalloc(neurons->n, sizeof(*list));
	bool ok = true;

	for (size_t i = 0; ok && i < neurons->n; i++) {
		double worth = 1;

		ok = read_clamp(c, neurons->neurons[i], given, &list[i].c);
		if (ok && list[i].c.mode == LM_MODE_SCALE && unit != UI_ABS)
			ok = lm_fail(c->err, LM_EARG, "mode scale multiplies: unit %s does not apply", units[unit]);
		if (ok && (unit == UI_SD || unit == UI_MAX))
			ok = unit_worth(c, &list[i].c, unit, &worth);
		list[i].unit = unit;
		list[i].given = given;
		list[i].c.value = given * worth;
		list[i].c.per_resid = unit == UI_RESID;
	}
	if (ok) {
		struct ui_session *s = c->s;

		s->clamps = ui_xresize(s->clamps, s->n_clamps + neurons->n, sizeof(*s->clamps));
		memcpy(s->clamps + s->n_clamps, list, neurons->n * sizeof(*list));
		s->n_clamps += neurons->n;
		/* The engine has the last word: a neuron that writes nothing has no unit of its own. */
		ok = ui_run(s, true, c->err) != NULL;
		if (!ok)
			s->n_clamps -= neurons->n;
	}
	ui_free(list);
	if (ok)
		ui_put_clamps(c->s, c->out, "rows");
	return ok;
}

bool
cmd_clamps(struct ui_call *c)
{
	ui_put_clamps(c->s, c->out, "rows");
	return true;
}

/* The clamp that an argument names by its index. */
static bool
find_clamp(struct ui_call *c, size_t *i)
{
	const struct ui_word *w = ui_arg(&c->args, "INDEX")->word;
	char buf[24];
	size_t n;

	snprintf(buf, sizeof(buf), "%.*s", (int)(w->n > 20 ? 20 : w->n), w->p);
	n = strspn(buf, "0123456789");
	if (n == 0 || buf[n] || n > 9)
		return lm_fail(c->err, LM_EARG, "%s: the index of a clamp%s wanted, found \"%s\"", c->cmd->name,
		    strcmp(c->cmd->name, "unclamp") == 0 ? " or all" : "", buf);
	sscanf(buf, "%zu", i);
	if (*i < c->s->n_clamps)
		return true;
	if (c->s->n_clamps == 0)
		return lm_fail(c->err, LM_EARG, "clamp %zu does not exist: no clamp is in force", *i);
	return lm_fail(c->err, LM_EARG, "clamp %zu does not exist: there are 0 to %zu", *i,
	    c->s->n_clamps - 1);
}

bool
cmd_unclamp(struct ui_call *c)
{
	struct ui_session *s = c->s;
	size_t i;

	if (ui_word_is(ui_arg(&c->args, "INDEX")->word, "all")) {
		s->n_clamps = 0;
	} else {
		if (!find_clamp(c, &i))
			return false;
		memmove(&s->clamps[i], &s->clamps[i + 1], (s->n_clamps - i - 1) * sizeof(*s->clamps));
		s->n_clamps--;
	}
	ui_put_clamps(s, c->out, "rows");
	return true;
}

bool
cmd_adjust(struct ui_call *c)
{
	const struct ui_value *value = ui_arg(&c->args, "value"), *on = ui_arg(&c->args, "on");
	struct ui_clamp *k;
	double worth = 1;
	size_t i;

	if (!find_clamp(c, &i))
		return false;
	k = &c->s->clamps[i];
	if (value->given && (k->unit == UI_SD || k->unit == UI_MAX) &&
	    !unit_worth(c, &k->c, k->unit, &worth))
		return false;
	if (value->given) {
		k->given = value->r;
		k->c.value = value->r * worth;
	}
	if (on->given)
		k->off = ui_arg_is(&c->args, "on", "no");
	ui_put_clamps(c->s, c->out, "rows");
	return true;
}

/* ---- effect ---------------------------------------------------------------------------------------------- */

/* The k ids whose probability moved most, into out; where none moved, the most probable. */
static void
moved_most(const lm_real *z, const lm_real *base, size_t n, size_t k, struct lm_ids *out)
{
	double lse = lm_logsumexp(z, n), lse_base = lm_logsumexp(base, n);
	lm_real *move = ui_xalloc(n, sizeof(*move));
	uint32_t *order = ui_xalloc(k, sizeof(*order));
	bool moved = false;

	for (size_t i = 0; i < n; i++) {
		move[i] = (lm_real)fabs(exp((double)z[i] - lse) - exp((double)base[i] - lse_base));
		moved = moved || move[i] > 0;
	}
	lm_top(moved ? move : z, n, 1, k, order);
	for (size_t i = 0; i < k; i++)
		lm_ids_add(out, order[i], NULL);
	ui_free(order);
	ui_free(move);
}

static void
put_effect(struct ui_call *c, const lm_real *z, const lm_real *base, const struct lm_ids *ids)
{
	size_t n = c->s->info.vocab;
	double lse = lm_logsumexp(z, n), lse_base = lm_logsumexp(base, n);
	struct ix_table *t = ui_put_table(c->out, "rows", c->cmd->rows);

	for (size_t i = 0; i < ids->n; i++) {
		struct ix_cell *row = ui_row(t);
		uint32_t id = ids->v[i];

		row[0] = ix_int(id);
		row[1] = ui_token_cell(c->s, t, id);
		row[2] = ix_real(exp((double)z[id] - lse));
		row[3] = ix_real(exp((double)base[id] - lse_base));
		row[4] = ix_real((double)z[id]);
		row[5] = ix_real((double)base[id]);
	}
	ui_put_real(c->out, "kl", lm_kl(base, z, n));
}

bool
cmd_effect(struct ui_call *c)
{
	uint64_t k = (uint64_t)ui_arg(&c->args, "k")->i;
	size_t vocab = c->s->info.vocab, pos;
	lm_real *z = NULL, *base = NULL;
	struct lm_ids ids = { 0 };
	bool ok;

	ok = ui_pos(c->s, ui_arg(&c->args, "at")->i, &pos, c->err) &&
	    ui_token_ids(c->s, ui_arg(&c->args, "token"), &ids, c->err) &&
	    (base = ui_logits_at(c, false, pos)) && (z = ui_logits_at(c, true, pos));
	if (ok) {
		if (ids.n == 0)
			moved_most(z, base, vocab, k == 0 || k > vocab ? vocab : (size_t)k, &ids);
		put_effect(c, z, base, &ids);
	}
	lm_ids_free(&ids);
	ui_free(z);
	ui_free(base);
	return ok;
}

/* ---- sweep ----------------------------------------------------------------------------------------------- */

/* One value: the rows of its tokens. */
static bool
sweep_one(struct ui_call *c, struct ix_table *t, double value, const lm_real *base,
    const struct lm_ids *ids)
{
	size_t n = c->s->info.vocab;
	lm_real *z = ui_logits_at(c, true, c->s->prompt.n - 1);
	double lse;

	if (!z)
		return false;
	lse = lm_logsumexp(z, n);
	for (size_t i = 0; i < ids->n; i++) {
		struct ix_cell *row = ui_row(t);

		row[0] = ix_real(value);
		row[1] = ix_int(ids->v[i]);
		row[2] = ui_token_cell(c->s, t, ids->v[i]);
		row[3] = ix_real(exp((double)z[ids->v[i]] - lse));
		row[4] = ix_real((double)z[ids->v[i]]);
		row[5] = ix_real(lm_kl(base, z, n));
	}
	ui_free(z);
	return true;
}

bool
cmd_sweep(struct ui_call *c)
{
	double from = ui_arg(&c->args, "from")->r, to = ui_arg(&c->args, "to")->r;
	int64_t steps = ui_arg(&c->args, "steps")->i;
	struct ui_clamp extra = { .unit = UI_ABS };
	struct ui_session *s = c->s;
	struct lm_ids ids = { 0 };
	struct ix_table *t;
	lm_real *base = NULL;
	uint32_t best;
	bool ok;

	if (steps < 1)
		return lm_fail(c->err, LM_EARG, "steps: 1 or more wanted, found %lld", (long long)steps);
	ok = read_clamp(c, ui_arg(&c->args, "NEURON")->neurons[0], from, &extra.c) &&
	    ui_token_ids(s, ui_arg(&c->args, "token"), &ids, c->err) &&
	    (base = ui_logits_at(c, false, s->prompt.n - 1));
	if (ok && ids.n == 0) {
		lm_top(base, s->info.vocab, 1, 1, &best);
		ok = lm_ids_add(&ids, best, c->err);
	}
	t = ui_put_table(c->out, "rows", c->cmd->rows);
	/* The clamp of the sweep is in force for as long as it runs, behind those that are. */
	s->clamps = ui_xresize(s->clamps, s->n_clamps + 1, sizeof(*s->clamps));
	for (int64_t i = 0; ok && i < steps; i++) {
		double value = steps > 1 ? from + (to - from) * (double)i / (double)(steps - 1) : from;

		extra.c.value = extra.given = value;
		s->clamps[s->n_clamps++] = extra;
		ok = sweep_one(c, t, value, base, &ids);
		s->n_clamps--;
		ok = ok && ui_progress(s, (double)(i + 1) / (double)steps, "sweep", c->err);
		if (ok)
			ui_partial(s, c->out);
	}
	lm_ids_free(&ids);
	ui_free(base);
	return ok;
}

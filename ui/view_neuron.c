/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_neuron.c - one neuron's page: what it reads, gates and writes, its class, its kin, when it fires.
 */
#include "config.h"

#include "ui/app.h"
#include "ui/list.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RANKS = 16, BOTTOM = 4, SIMILAR = LM_NSIDES };	/* slots: the sides, then `similar` */

struct page {
	struct ui_neuron n;
	struct ui_result *side[LM_NSIDES];
	struct ui_result *similar;
	int top;			/* rows scrolled away */
};

static void
forget(struct page *p)
{
	for (int i = 0; i < LM_NSIDES; i++) {
		ui_result_unref(p->side[i]);
		p->side[i] = NULL;
	}
	ui_result_unref(p->similar);
	p->similar = NULL;
}

static void
ask(struct view *v)
{
	struct page *p = v->state;
	char line[64];

	forget(p);
	v->waiting = 0;
	snprintf(line, sizeof(line), "neuron %u.%u", p->n.layer, p->n.neuron);
	ui_free(v->line);
	v->line = ui_xstrdup(line);
	for (int i = LM_NSIDES; i-- > 0;)
		if (i != LM_SIDE_GATE || v->app->info.gated)
			view_ask(v, i, "%s side=%s k=%d", line, i == LM_SIDE_UP ? "up" : i == LM_SIDE_GATE ? "gate" :
			    "down", RANKS / 2);
	view_ask(v, SIMILAR, "similar %u.%u side=down limit=3", p->n.layer, p->n.neuron);
}

static bool
neuron_open(struct view *v, struct lm_err *err)
{
	struct page *p = v->state;
	struct ui_words words;
	struct ui_args a;
	bool ok;

	if (!view_args(v, &a, &words, err))
		return false;
	p->n = ui_arg(&a, "NEURON")->neurons[0];
	ui_args_free(&a);
	ui_words_free(&words);
	ok = p->n.layer < v->app->info.layers && p->n.neuron < v->app->info.hidden;
	if (!ok)
		return lm_fail(err, LM_EARG, "neuron %u.%u does not exist: layers 0 to %u have neurons 0 to %u",
		    p->n.layer, p->n.neuron, v->app->info.layers - 1, v->app->info.hidden - 1);
	ask(v);
	return true;
}

static void
neuron_close(struct view *v)
{
	forget(v->state);
}

static void
neuron_news(struct view *v, const struct ui_news *n)
{
	struct page *p = v->state;

	if (n->kind != UI_NEWS_ANSWER || !n->result)
		return;
	if (n->slot == SIMILAR) {
		ui_result_unref(p->similar);
		p->similar = ui_result_ref(n->result);
	} else if (n->slot >= 0 && n->slot < LM_NSIDES) {
		ui_result_unref(p->side[n->slot]);
		p->side[n->slot] = ui_result_ref(n->result);
	}
}

static double
real_of(const struct ui_result *r, const char *name)
{
	const struct ui_field *f = r ? ui_result_find(r, name) : NULL;

	return f && f->kind == UI_VALUE && f->value.type == IX_REAL ? f->value.r : NAN;
}

static const char *
text_of(const struct ui_result *r, const char *name)
{
	const struct ui_field *f = r ? ui_result_find(r, name) : NULL;

	return f && f->kind == UI_VALUE && f->value.type == IX_TEXT ? f->value.s.p : "-";
}

static void
neuron_title(const struct view *v, struct lm_buf *out)
{
	const struct page *p = v->state;

	ui_buf_printf(out, "neuron %u.%u    class %s", p->n.layer, p->n.neuron,
	    text_of(p->side[LM_SIDE_DOWN], "class"));
	for (int i = 0; i < LM_NSIDES; i++)
		if (p->side[i])
			ui_buf_printf(out, "  |w_%s| %.3g", i == LM_SIDE_UP ? "up" : i == LM_SIDE_GATE ? "gate" : "down",
			    real_of(p->side[i], "norm"));
}

/* ---- drawing ------------------------------------------------------------------------------------------- */

/* One rank of a side: token, bar of its probability, number. */
static void
draw_rank(const struct ui_canvas *c, int y, const struct ix_table *t, size_t i, double scale)
{
	const struct ix_cell *text = ix_table_cell(t, i, 2), *score = ix_table_cell(t, i, 3);
	int token = c->r.w / 2 - 2, number = 7, bar = c->r.w - token - number - 3;

	if (token < 6)
		return;
	if (text->type == IX_TOKEN)
		ui_put_token_text(c, y, 0, token, UI_R_TOKEN, text->s.p, text->s.n);
	if (bar >= 3)
		ui_bar(c, y, token + 1, bar, score->r < 0 ? UI_R_NEGATIVE : UI_R_BAR,
		    scale > 0 ? fabs(score->r) / scale : 0);
	ui_put_real_at(c, y, c->r.w - number - 1, number, UI_R_NORMAL, score->r, ui_text_decimals(scale));
}

static const struct ix_table *
table_of(const struct ui_result *r, const char *name)
{
	struct ui_field *f = r ? ui_result_find(r, name) : NULL;

	return f && f->kind == UI_TABLE ? &f->table : NULL;
}

static void
draw_side(const struct view *v, const struct ui_canvas *c, enum lm_side side, int tops, int bottoms)
{
	static const char *const titles[] = { "reads (up)", "gates (gate)", "writes (down)" };
	const struct page *p = v->state;
	const struct ix_table *top = table_of(p->side[side], "top");
	const struct ix_table *bottom = table_of(p->side[side], "bottom");
	double scale = 0;

	ui_puts(c, 0, 0, -1, UI_R_HEADER, titles[side]);
	if (side == LM_SIDE_GATE && !v->app->info.gated) {
		ui_puts(c, 1, 0, -1, UI_R_DIM, "this family has no gate");
		return;
	}
	if (!top || !bottom) {
		ui_puts(c, 1, 0, -1, UI_R_DIM, v->err.code == LM_OK ? "..." : "not known");
		return;
	}
	for (size_t i = 0; i < top->n_rows; i++)
		scale = fmax(scale, fabs(ix_table_cell(top, i, 3)->r));
	for (size_t i = 0; i < bottom->n_rows; i++)
		scale = fmax(scale, fabs(ix_table_cell(bottom, i, 3)->r));
	for (int i = 0; i < tops && (size_t)i < top->n_rows; i++)
		draw_rank(c, i + 1, top, (size_t)i, scale);
	for (int i = 0; i < bottoms && (size_t)i < bottom->n_rows; i++)
		draw_rank(c, tops + 1 + i, bottom, (size_t)i, scale);
}

static void
draw_cosines(const struct view *v, const struct ui_canvas *c, int y)
{
	const struct page *p = v->state;
	const struct ix_table *t = table_of(p->similar, "rows");
	const struct ui_result *r = p->side[LM_SIDE_DOWN];
	int x = ui_puts(c, y, 1, -1, UI_R_DIM, "cos ");

	if (!r)
		return;
	x = ui_printf(c, y, x, UI_R_NORMAL, " up.down %+.2f", real_of(r, "cos_up_down"));
	if (v->app->info.gated)
		x = ui_printf(c, y, x, UI_R_NORMAL, "  gate.down %+.2f  gate.up %+.2f",
		    real_of(r, "cos_gate_down"), real_of(r, "cos_gate_up"));
	x = ui_puts(c, y, x + 4, -1, UI_R_DIM, "similar ");
	for (size_t i = 0; t && i < t->n_rows; i++)
		x = ui_printf(c, y, x, UI_R_NORMAL, "%lld.%lld %.2f  ", (long long)ix_table_cell(t, i, 0)->i,
		    (long long)ix_table_cell(t, i, 1)->i, ix_table_cell(t, i, 2)->r);
}

static void
draw_shown(const struct view *v, const struct ui_canvas *c, int y)
{
	const struct page *p = v->state;
	const struct ui_field *f = p->side[LM_SIDE_DOWN] ? ui_result_find(p->side[LM_SIDE_DOWN], "shown") :
	    NULL;
	const struct ui_field *text;
	int x;

	if (!f)
		return;
	if (f->kind != UI_OBJECT) {
		ui_puts(c, y, 1, -1, UI_R_DIM, "fires on  no reference prompts in the index");
		return;
	}
	x = ui_puts(c, y, 1, -1, UI_R_DIM, "act on prompts  ");
	ui_printf(c, y, x, UI_R_NORMAL, "mean %+.3g  sd %.3g  lowest %+.3g  highest %+.3g",
	    real_of(f->object, "mean"), real_of(f->object, "sd"), real_of(f->object, "low"),
	    real_of(f->object, "high"));
	text = ui_result_find(f->object, "prompt");
	x = ui_puts(c, y + 1, 1, -1, UI_R_DIM, "highest on  ");
	if (text && text->value.type == IX_TOKEN)
		ui_put_token_text(c, y + 1, x, -1, UI_R_NORMAL, text->value.s.p, text->value.s.n);
}

static void
neuron_draw(struct view *v, const struct ui_canvas *c)
{
	int sides = LM_NSIDES, w = c->r.w / sides, rest = c->r.h - 7;
	int bottoms = rest > 8 ? BOTTOM : rest > 5 ? 2 : 0, tops = rest - bottoms - 1;

	tops = tops > RANKS / 2 ? RANKS / 2 : tops;
	if (v->err.code != LM_OK && !((struct page *)v->state)->side[LM_SIDE_DOWN]) {
		ui_puts(c, 1, 2, -1, UI_R_ERROR, v->err.msg);
		return;
	}
	draw_cosines(v, c, 0);
	for (int i = 0; i < sides; i++) {
		struct ui_canvas part = ui_part(c, 2, 1 + i * w, tops + bottoms + 1, w - 1);

		draw_side(v, &part, (enum lm_side)i, tops, bottoms);
	}
	draw_shown(v, c, 2 + tops + bottoms + 2);
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

/* The neighbour in the list below, when that is one of neurons, else by number. */
static void
step(struct view *v, int by)
{
	struct page *p = v->state;
	struct ui_list *l = v->below ? v->below->list : NULL;
	uint64_t f = v->app->info.hidden, all = f * v->app->info.layers, at;
	struct ui_neuron n;

	if (l && ui_list_neuron(l, l->cursor, &n)) {
		if ((by < 0 && l->cursor == 0) || (by > 0 && l->cursor + 1 >= l->n))
			return;
		ui_list_goto(l, (size_t)((long)l->cursor + by));
		ui_list_neuron(l, l->cursor, &p->n);
	} else {
		at = (p->n.layer * f + p->n.neuron + all + (uint64_t)by) % all;
		p->n = (struct ui_neuron){ (uint32_t)(at / f), (uint32_t)(at % f) };
	}
	ask(v);
}

static int
neuron_act(struct view *v, enum ui_action a)
{
	struct page *p = v->state;
	uint32_t layers = v->app->info.layers;
	const struct ix_table *t = table_of(p->similar, "rows");
	char line[64];

	switch (a) {
	case UI_A_next_item:
	case UI_A_down:		step(v, 1); return UI_HANDLED;
	case UI_A_prev_item:
	case UI_A_up:		step(v, -1); return UI_HANDLED;
	case UI_A_next_layer:
	case UI_A_prev_layer:
		p->n.layer = (p->n.layer + layers + (a == UI_A_next_layer ? 1u : layers - 1)) % layers;
		ask(v);
		return UI_HANDLED;
	case UI_A_open:
		if (!t || t->n_rows == 0)
			return UI_IGNORED;
		snprintf(line, sizeof(line), "neuron %lld.%lld", (long long)ix_table_cell(t, 0, 0)->i,
		    (long long)ix_table_cell(t, 0, 1)->i);
		app_open(v->app, line);
		return UI_HANDLED;
	default:
		return UI_IGNORED;
	}
}

static void
neuron_origin(const struct view *v, struct lm_buf *out)
{
	(void)v;
	ui_buf_str(out, "ranks         U Norm_f(w), logits: the weight vector read through the LM head\n"
	    "reads, gates  rows of the up and the gate projection\n"
	    "writes        column of the down projection\n"
	    "cos           of the weight vectors, the MLP norm's gain folded into up and gate\n"
	    "similar       largest cosine of down columns, all layers; Enter opens the first\n"
	    "act           input of the down projection on the index's reference prompts\n"
	    "index tables  decode, ranks, neuron, activation, prompt\n");
}

const struct view_ops view_neuron = {
	.name = "neuron",
	.help = "One neuron: what it reads, gates and writes, its class, its kin, when it fires.",
	.keys = "c clamp  J/K next/previous  [ ] layer  Enter most similar  i origin  y copy",
	.state_size = sizeof(struct page),
	.open = neuron_open,
	.close = neuron_close,
	.news = neuron_news,
	.title = neuron_title,
	.draw = neuron_draw,
	.act = neuron_act,
	.origin = neuron_origin,
};

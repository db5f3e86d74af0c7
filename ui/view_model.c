/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_model.c - where am I, what is there: the model's layers at a glance.
 */
#include "config.h"

#include "ui/app.h"
#include "ui/list.h"

#include <stdio.h>
#include <string.h>

static const struct ui_col cols[] = {
	{ "layer", "layer", UI_C_AUTO, 5, 5, 0 },
	{ "kurtosis", "specialised", UI_C_BAR, 16, 28, 4 },
	{ "histogram", "z 3..11", UI_C_SPARK, 16, 16, 1 },
	{ "enriching", "enrich", UI_C_PERCENT, 6, 6, 3 },
	{ "depleting", "deplete", UI_C_PERCENT, 7, 7, 5 },
	{ "zscore", "mean z", UI_C_AUTO, 6, 6, 6 },
	{ "top", "tokens that stand out", UI_C_TOKENS, 21, 120, 2 },
};

static bool
model_open(struct view *v, struct lm_err *err)
{
	const struct lm_info *i = &v->app->info;

	(void)err;
	if (!v->list)
		v->list = ui_list_new(cols, sizeof(cols) / sizeof(cols[0]));
	ui_list_clear(v->list);
	if (i->layers)
		view_ask(v, 0, "layers side=down");
	return true;
}

static void
model_news(struct view *v, const struct ui_news *n)
{
	if (n->kind == UI_NEWS_ANSWER && n->result) {
		ui_list_clear(v->list);
		ui_list_add(v->list, n->result);
	}
}

static void
model_title(const struct view *v, struct lm_buf *out)
{
	const struct lm_info *i = &v->app->info;

	ui_buf_printf(out, "lmscope  %s", v->app->name);
	if (!i->layers) {
		ui_buf_str(out, "  a tokenizer alone: tokens and detokenize work");
		return;
	}
	ui_buf_printf(out, "   %s %ux%u  %llu neurons  V %u  %s", i->family, i->layers, i->width,
	    (unsigned long long)i->layers * i->hidden, i->vocab, i->dtype);
	if (v->waiting)
		ui_buf_str(out, "     index being read or built");
	else if (v->list->n_parts)
		ui_buf_str(out, "     index complete");
}

static void
model_draw(struct view *v, const struct ui_canvas *c)
{
	struct ui_canvas list = ui_part(c, 0, 0, c->r.h - 3, c->r.w);

	ui_list_draw(v, &list);
	if (c->r.h > 6) {
		int y = 1 + (v->list->n < (size_t)list.r.h ? (int)v->list->n + 1 : list.r.h);

		if (v->list->n_parts)
			ui_puts(c, y, 2, -1, UI_R_DIM, "specialised: mean excess kurtosis of what each neuron "
			    "writes, decoded to tokens;");
		if (v->list->n_parts)
			ui_puts(c, y + 1, 2, -1, UI_R_DIM, "z: how far a decode's top token stands out, in standard "
			    "deviations");
		ui_puts(c, c->r.h - 1, 2, -1, UI_R_DIM, "Enter opens the layer's neurons; / searches every "
		    "neuron for a word; 3 prompt and clamps");
	}
}

static bool
model_detail(const struct view *v, struct lm_buf *out)
{
	const struct ix_cell *layer = ui_list_cell(v->list, v->list->cursor, "layer");

	if (layer->type != IX_INT)
		return false;
	ui_buf_printf(out, "neurons side=down layer=%lld", (long long)layer->i);
	return true;
}

static int
model_act(struct view *v, enum ui_action a)
{
	struct lm_buf line = { 0 };

	if (a != UI_A_open || !model_detail(v, &line))
		return UI_IGNORED;
	app_open(v->app, line.p);
	lm_buf_free(&line);
	return UI_HANDLED;
}

static void
model_origin(const struct view *v, struct lm_buf *out)
{
	(void)v;
	ui_buf_str(out, "answered by   layers side=down\n"
	    "index table   layer (made from decode, neuron)\n"
	    "decode        U Norm_f(w_down) over the vocabulary, for every neuron\n"
	    "specialised   mean over the layer of the scores' excess kurtosis\n"
	    "z 3..11       neurons by (top score - mean) / sd, steps of 0.5\n"
	    "enrich        share of neurons of the enrichment classes, cosines above 0.5\n");
}

const struct view_ops view_model = {
	.name = "model",
	.help = "The model's layers: how specialised their neurons are, which tokens stand out.",
	.keys = "Enter open  / search word  2 neurons  3 prompt",
	.open = model_open,
	.news = model_news,
	.title = model_title,
	.detail = model_detail,
	.draw = model_draw,
	.act = model_act,
	.origin = model_origin,
};

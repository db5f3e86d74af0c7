/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_neurons.c - neurons by a statistic of their decode, loaded as the cursor gets there; and those that a
 * search found.
 */
#include "config.h"

#include "ui/app.h"
#include "ui/list.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 2000, AHEAD = 500 };	/* rows loaded at once; how near to the end the next are asked for */

static const struct ui_col list_cols[] = {
	{ "layer", "neuron", UI_C_NEURON, 0, 0, 0 },
	{ "zscore", "z", UI_C_AUTO, 5, 5, 1 },
	{ "text", "top token", UI_C_AUTO, 14, 24, 0 },
	{ "score", "score", UI_C_BAR, 14, 30, 3 },
	{ "prob", "prob", UI_C_AUTO, 9, 9, 4 },
	{ "next", "next", UI_C_AUTO, 12, 20, 2 },
	{ "class", "class", UI_C_AUTO, 12, 27, 5 },
	{ "kurtosis", "kurtosis", UI_C_AUTO, 8, 8, 7 },
	{ "entropy", "entropy", UI_C_AUTO, 7, 7, 8 },
	{ "norm", "norm", UI_C_AUTO, 6, 6, 9 },
};

static const struct ui_col search_cols[] = {
	{ "layer", "neuron", UI_C_NEURON, 0, 0, 0 },
	{ "rank", "rank", UI_C_AUTO, 4, 4, 2 },
	{ "text", "token", UI_C_AUTO, 14, 24, 0 },
	{ "score", "score", UI_C_BAR, 16, 40, 1 },
	{ "prob", "prob", UI_C_AUTO, 10, 10, 3 },
	{ "side", "side", UI_C_AUTO, 4, 4, 4 },
};

static const char *const sorts[] = { "zscore", "score", "prob", "kurtosis", "entropy", "norm" };
enum { N_SORTS = sizeof(sorts) / sizeof(sorts[0]) };

struct neurons {
	enum lm_side side;
	int64_t layer;			/* -1: all */
	char class[40];
	unsigned sort;
	bool asked;			/* for more rows */
};

/* The line that the state says, which is what `y` copies. */
static void
write_line(const struct view *v, struct lm_buf *out)
{
	const struct neurons *s = v->state;
	static const char *const sides[] = { "up", "gate", "down" };

	ui_buf_printf(out, "neurons side=%s sort=%s", sides[s->side], sorts[s->sort]);
	if (s->layer >= 0)
		ui_buf_printf(out, " layer=%lld", (long long)s->layer);
	if (*s->class)
		ui_buf_printf(out, " class=%s", s->class);
}

static void
load(struct view *v)
{
	struct neurons *s = v->state;
	struct lm_buf line = { 0 };

	write_line(v, &line);
	view_ask(v, 0, "%s limit=%d offset=%zu", line.p, PAGE, v->list->loaded);
	s->asked = true;
	lm_buf_free(&line);
}

/* Starts over with what the state says. */
static void
change(struct view *v)
{
	struct lm_buf line = { 0 };

	write_line(v, &line);
	ui_list_clear(v->list);
	v->list->cursor = v->list->top = 0;
	ui_free(v->line);
	v->line = ui_xmemdup(line.p, line.len);
	v->waiting = 0;
	load(v);
	lm_buf_free(&line);
}

static bool
neurons_open(struct view *v, struct lm_err *err)
{
	struct neurons *s = v->state;
	struct ui_words words;
	struct ui_args a;
	const struct ui_value *x;

	if (!view_args(v, &a, &words, err))
		return false;
	s->side = (enum lm_side)ui_arg(&a, "side")->i;
	/* What a neuron writes is what people look for; the command's own default is what it reads. */
	if (!ui_arg(&a, "side")->given)
		s->side = LM_SIDE_DOWN;
	x = ui_arg(&a, "layer");
	s->layer = x->given ? x->i : -1;
	x = ui_arg(&a, "class");
	*s->class = '\0';
	if (x->given)
		snprintf(s->class, sizeof(s->class), "%.*s", (int)x->word->n, x->word->p);
	for (s->sort = N_SORTS - 1; s->sort && !ui_arg_is(&a, "sort", sorts[s->sort]); s->sort--)
		;
	ui_args_free(&a);
	ui_words_free(&words);
	if (!v->list)
		v->list = ui_list_new(list_cols, sizeof(list_cols) / sizeof(list_cols[0]));
	change(v);
	return true;
}

static void
neurons_news(struct view *v, const struct ui_news *n)
{
	struct neurons *s = v->state;

	if (n->kind != UI_NEWS_ANSWER)
		return;
	s->asked = false;
	if (n->result)
		ui_list_add(v->list, n->result);
}

static void
neurons_title(const struct view *v, struct lm_buf *out)
{
	const struct neurons *s = v->state;
	static const char *const sides[] = { "up (reads)", "gate", "down (writes)" };

	ui_buf_printf(out, "neurons  %s", s->layer >= 0 ? "layer " : "all layers");
	if (s->layer >= 0)
		ui_buf_printf(out, "%lld", (long long)s->layer);
	ui_buf_printf(out, "  side %s  by %s v", sides[s->side], sorts[s->sort]);
	if (*s->class)
		ui_buf_printf(out, "  class %s", s->class);
	ui_buf_printf(out, "    %llu of %llu", (unsigned long long)v->list->total,
	    (unsigned long long)v->app->info.layers * v->app->info.hidden);
}

static bool
neurons_detail(const struct view *v, struct lm_buf *out)
{
	struct ui_neuron n;

	if (!ui_list_neuron(v->list, v->list->cursor, &n))
		return false;
	ui_buf_printf(out, "neuron %u.%u", n.layer, n.neuron);
	return true;
}

static void
neurons_draw(struct view *v, const struct ui_canvas *c)
{
	struct neurons *s = v->state;
	struct ui_list *l = v->list;

	if (!s->asked && l->loaded < l->total && l->cursor + AHEAD > l->n && !l->filter)
		load(v);
	ui_list_draw(v, c);
}

static void
next_side(struct view *v)
{
	struct neurons *s = v->state;

	s->side = (enum lm_side)((s->side + 1) % LM_NSIDES);
	if (s->side == LM_SIDE_GATE && !v->app->info.gated)
		s->side = LM_SIDE_DOWN;
	change(v);
}

static void
next_layer(struct view *v, int step)
{
	struct neurons *s = v->state;
	int64_t layers = v->app->info.layers;

	/* All layers stand before the first and behind the last. */
	s->layer += step;
	if (s->layer >= layers)
		s->layer = -1;
	else if (s->layer < -1)
		s->layer = layers - 1;
	change(v);
}

static int
open_page(struct view *v)
{
	struct lm_buf line = { 0 };

	if (!neurons_detail(v, &line))
		return UI_IGNORED;
	app_open(v->app, line.p);
	lm_buf_free(&line);
	return UI_HANDLED;
}

static int
neurons_act(struct view *v, enum ui_action a)
{
	struct neurons *s = v->state;

	switch (a) {
	case UI_A_open:		return open_page(v);
	case UI_A_side:		next_side(v); return UI_HANDLED;
	case UI_A_next_layer:	next_layer(v, 1); return UI_HANDLED;
	case UI_A_prev_layer:	next_layer(v, -1); return UI_HANDLED;
	case UI_A_sort:
		s->sort = (s->sort + 1) % N_SORTS;
		change(v);
		return UI_HANDLED;
	case UI_A_last:
		/* The end of all rows, not of those loaded so far. */
		if (v->list->loaded < v->list->total) {
			struct lm_buf line = { 0 };

			write_line(v, &line);
			view_ask(v, 0, "%s limit=0 offset=%zu", line.p, v->list->loaded);
			s->asked = true;
			lm_buf_free(&line);
		}
		return UI_IGNORED;
	default:
		return UI_IGNORED;
	}
}

static void
neurons_origin(const struct view *v, struct lm_buf *out)
{
	(void)v;
	ui_buf_str(out, "index tables  decode, neuron, ranks\n"
	    "score         largest entry of U Norm_f(w), logits; w the weight vector of the side\n"
	    "prob          its share of a softmax over the vocabulary\n"
	    "z             (score - mean) / sd of all scores\n"
	    "next          token of rank 2\n"
	    "class         by the cosines of up, gate and down, threshold 0.5\n");
}

const struct view_ops view_neurons = {
	.name = "neurons",
	.help = "Neurons with the top token of their decode, sorted by a statistic.",
	.keys = "Enter page  s sort  Tab side  [ ] layer  c clamp  / find  \\ filter",
	.state_size = sizeof(struct neurons),
	.open = neurons_open,
	.news = neurons_news,
	.title = neurons_title,
	.detail = neurons_detail,
	.draw = neurons_draw,
	.act = neurons_act,
	.origin = neurons_origin,
};

/* ---- search -------------------------------------------------------------------------------------------- */

static bool
search_open(struct view *v, struct lm_err *err)
{
	(void)err;
	if (!v->list)
		v->list = ui_list_new(search_cols, sizeof(search_cols) / sizeof(search_cols[0]));
	ui_list_clear(v->list);
	view_ask(v, 0, "%s", v->line);
	return true;
}

static void
search_news(struct view *v, const struct ui_news *n)
{
	if (n->kind == UI_NEWS_ANSWER && n->result)
		ui_list_add(v->list, n->result);
}

static int
search_act(struct view *v, enum ui_action a)
{
	return a == UI_A_open ? open_page(v) : UI_IGNORED;
}

static void
search_origin(const struct view *v, struct lm_buf *out)
{
	(void)v;
	ui_buf_str(out, "index table   posting: for each token the neurons that rank it, best first\n"
	    "rank          place of the token in the neuron's decode, from 1\n"
	    "score         its entry of U Norm_f(w), logits\n"
	    "prob          its share of a softmax over the vocabulary\n");
}

const struct view_ops view_search = {
	.name = "search",
	.help = "Neurons whose decode ranks a word, best score first.",
	.keys = "Enter page  s sort  c clamp  / find  \\ filter  * new search",
	.open = search_open,
	.news = search_news,
	.detail = neurons_detail,
	.draw = ui_list_draw,
	.act = search_act,
	.origin = search_origin,
};

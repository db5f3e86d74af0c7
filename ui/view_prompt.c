/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_prompt.c - the place where people play: a prompt, clamps on neurons, the next token clean beside
 * clamped, and what the model writes either way.
 */
#include "config.h"

#include "ui/app.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum slot { ASK_PROMPT, ASK_EFFECT, ASK_TEXT, ASK_NEURON };

struct play {
	size_t clamp;			/* the one under the cursor */
	size_t at;			/* position whose next token is shown */
	struct ui_result *effect, *text, *base;	/* text: generated, base: the same without clamps */
	double ms;			/* of the effect */
	bool stale;			/* the texts are older than the clamps */
	bool generating;
	double seen;			/* largest activation of the clamped neuron that prompts show; NaN */
};

static void
set(struct ui_result **to, struct ui_result *r)
{
	ui_result_unref(*to);
	*to = r ? ui_result_ref(r) : NULL;
}

static size_t
n_tokens(const struct view *v)
{
	const struct ix_table *t = app_table(v->app, "prompt");

	return t ? t->n_rows : 0;
}

static const struct ix_table *
clamps(const struct view *v)
{
	const struct ix_table *t = app_table(v->app, "clamps");

	return t && t->n_rows ? t : NULL;
}

static void
ask_effect(struct view *v)
{
	struct play *p = v->state;
	size_t n = n_tokens(v);

	if (n == 0)
		return;
	if (p->at >= n)
		p->at = n - 1;
	view_ask(v, ASK_EFFECT, "effect k=24 at=%zu", p->at);
}

/* The clamped neuron's range on the reference prompts; only an index that is there can tell. */
static void
ask_neuron(struct view *v)
{
	struct play *p = v->state;
	const struct ix_table *t = clamps(v);
	const struct ui_field *index = v->app->state ? ui_result_find(v->app->state, "complete") : NULL;

	p->seen = NAN;
	if (t && p->clamp < t->n_rows && index && index->value.i)
		view_ask(v, ASK_NEURON, "neuron %lld.%lld side=down k=1",
		    (long long)ix_table_cell(t, p->clamp, 1)->i, (long long)ix_table_cell(t, p->clamp, 2)->i);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void
prompt_state(struct view *v)
{
	struct play *p = v->state;
	const struct ix_table *t = clamps(v);

	if (t && p->clamp >= t->n_rows)
		p->clamp = t->n_rows - 1;
	p->stale = true;
	ask_effect(v);
	ask_neuron(v);
}

static bool
prompt_open(struct view *v, struct lm_err *err)
{
	struct play *p = v->state;

	(void)err;
	p->at = n_tokens(v) ? n_tokens(v) - 1 : 0;
	p->seen = NAN;
	if (v->line[strcspn(v->line, " ")]) {
		p->at = SIZE_MAX;
		view_ask(v, ASK_PROMPT, "%s", v->line);
	} else {
		prompt_state(v);
	}
	return true;
}

static void
prompt_close(struct view *v)
{
	struct play *p = v->state;

	set(&p->effect, NULL);
	set(&p->text, NULL);
	set(&p->base, NULL);
}

static void
take_text(struct play *p, const struct ui_news *n)
{
	struct ui_field *base = ui_result_find(n->result, "baseline");

	if (base && base->kind == UI_OBJECT)
		set(&p->base, base->object);
	if (ui_result_find(n->result, "text"))
		set(&p->text, n->result);
	p->generating = n->kind == UI_NEWS_PARTIAL;
}

static void
prompt_news(struct view *v, const struct ui_news *n)
{
	struct play *p = v->state;
	const struct ui_field *shown;

	if (!n->result) {
		p->generating = p->generating && n->slot != ASK_TEXT;
		return;
	}
	switch (n->slot) {
	case ASK_PROMPT:
		set(&p->text, NULL);
		set(&p->base, NULL);
		p->at = n_tokens(v) ? n_tokens(v) - 1 : 0;
		break;
	case ASK_EFFECT:
		set(&p->effect, n->result);
		p->ms = n->ms;
		break;
	case ASK_TEXT:
		take_text(p, n);
		break;
	case ASK_NEURON:
		shown = ui_result_find(n->result, "shown");
		if (shown && shown->kind == UI_OBJECT && ui_result_find(shown->object, "high"))
			p->seen = ui_result_find(shown->object, "high")->value.r;
	}
}

static void
prompt_title(const struct view *v, struct lm_buf *out)
{
	const struct ui_field *text = v->app->state ? ui_result_find(v->app->state, "text") : NULL;

	ui_buf_str(out, "prompt  ");
	if (text) {
		ui_buf_str(out, "\"");
		ui_buf_escape(out, text->value.s.p, text->value.s.n, v->app->ascii);
		ui_buf_str(out, "\"");
	}
	ui_buf_printf(out, "   %zu tokens", n_tokens(v));
}

/* ---- drawing ------------------------------------------------------------------------------------------- */

/* The prompt's tokens, the one whose next token is shown in reverse; those that fit before the end. */
static int
draw_tokens(const struct view *v, const struct ui_canvas *c)
{
	const struct play *p = v->state;
	const struct ix_table *t = app_table(v->app, "prompt");
	size_t n = n_tokens(v), first = 0;
	int x = 1, y = 0, rows = c->r.h > 16 ? 3 : 1;

	if (n == 0) {
		ui_puts(c, 0, 1, -1, UI_R_DIM, "no prompt yet: e types one");
		return 1;
	}
	/* Long prompts are shown from so far back that the position at hand is in sight. */
	if (p->at > 8 && n > 12)
		first = p->at > 40 ? p->at - 40 : 0;
	if (first)
		x = ui_puts(c, y, x, 1, UI_R_DIM, c->ascii ? "~" : "\u2026") + 1;
	for (size_t i = first; i < n; i++) {
		const struct ix_cell *text = ix_table_cell(t, i, 2);
		struct ui_canvas one = *c;
		int start = x;

		one.extra = i == p->at ? ui_attr(UI_R_SELECTED) : 0;
		if (x + 8 > c->r.w && y + 1 < rows)
			y++, x = start = 1;
		if (text->type == IX_TOKEN)
			x = ui_put_token_text(&one, y, x, -1, UI_R_TOKEN, text->s.p, text->s.n);
		else
			x = ui_printf(&one, y, x, UI_R_TOKEN, "#%lld", (long long)ix_table_cell(t, i, 1)->i);
		if (x == start)
			break;
		x = ui_puts(c, y, x, 1, UI_R_DIM, c->ascii ? "|" : "\u2502");
	}
	return y + 1;
}

/* Half of the slider's range: twice the value, or what the neuron shows, whichever is more. */
static double
slider_range(const struct play *p, double value)
{
	double r = fmax(1, fmax(1.5 * fabs(value), isnan(p->seen) ? 0 : 3 * fabs(p->seen)));

	return exp2(ceil(log2(r)));
}

static void
draw_slider(const struct view *v, const struct ui_canvas *c, int y, int x, int w, double value)
{
	const struct play *p = v->state;
	double share = (value / slider_range(p, value) + 1) / 2;
	int at = (int)(share * (w - 3) + 0.5) + 1;

	if (w < 8)
		return;
	ui_puts(c, y, x, 1, UI_R_DIM, c->ascii ? "<" : "\u25c0");
	for (int i = 1; i < w - 1; i++)
		ui_puts(c, y, x + i, 1, UI_R_DIM, c->ascii ? "-" : "\u2501");
	ui_puts(c, y, x + w - 1, 1, UI_R_DIM, c->ascii ? ">" : "\u25b6");
	ui_puts(c, y, x + at, 1, UI_R_CLAMPED, c->ascii ? "O" : "\u25cf");
}

static int
draw_clamps(const struct view *v, const struct ui_canvas *c, int y)
{
	const struct play *p = v->state;
	const struct ix_table *t = clamps(v);
	int rows = c->r.h > 20 ? 6 : 3;
	size_t first = p->clamp >= (size_t)rows ? p->clamp - (size_t)rows + 1 : 0;

	ui_puts(c, y, 1, -1, UI_R_HEADER, "clamps");
	if (!t) {
		ui_puts(c, y, 9, -1, UI_R_DIM, "none: a adds one");
		return y + 1;
	}
	for (size_t i = first; i < t->n_rows && i < first + (size_t)rows; i++, y++) {
		const struct ix_cell *row = ix_table_cell(t, i, 0);
		bool here = i == p->clamp, on = row[8].i != 0;
		struct ui_canvas line = *c;
		int x = 8;

		line.extra = here ? ui_attr(UI_R_SELECTED) : 0;
		x = ui_printf(&line, y, x, on ? UI_R_NORMAL : UI_R_DIM, "%s[%s] %lld.%lld  %s %s %+.4g",
		    here ? ">" : " ", on ? "x" : " ", (long long)row[1].i, (long long)row[2].i, row[3].s.p,
		    row[4].s.p, row[5].r);
		if (strcmp(row[7].s.p, "abs") != 0)
			x = ui_printf(&line, y, x, UI_R_DIM, " %s", row[7].s.p);
		if (here && c->r.w - x > 36) {
			int w = c->r.w > 120 ? 40 : 16;

			draw_slider(v, c, y, x + 2, w, row[5].r);
			x += w + 2;
		}
		x = ui_printf(c, y, x + 2, UI_R_DIM, "at %s", row[6].s.p);
		if (here && !isnan(p->seen))
			ui_printf(c, y, x + 2, UI_R_DIM, "(max seen %.3g)", p->seen);
	}
	if (t->n_rows > first + (size_t)rows)
		ui_printf(c, y++, 9, UI_R_DIM, "+%zu more", t->n_rows - first - (size_t)rows);
	return y;
}

static int
draw_effect(const struct view *v, const struct ui_canvas *c, int y, int rows)
{
	const struct play *p = v->state;
	const struct ix_table *t = p->effect ? ui_result_table(p->effect) : NULL;
	bool any = clamps(v) != NULL;
	int token = 16, col = (c->r.w - token - 14) / 2, bar;

	col = col > 60 ? 60 : col;
	bar = col - 11;
	ui_puts(c, y, 1, -1, UI_R_HEADER, "next token");
	ui_puts(c, y, token + 2, -1, UI_R_HEADER, "clean");
	if (any) {
		ui_puts(c, y, token + 2 + col, -1, UI_R_HEADER, "clamped");
		ui_puts(c, y, token + 2 + 2 * col, -1, UI_R_HEADER, "change");
	}
	if (!t) {
		ui_puts(c, y + 1, 1, -1, UI_R_DIM, n_tokens(v) ? "..." : "");
		return y + 2;
	}
	for (size_t i = 0; i < t->n_rows && (int)i < rows - 2; i++) {
		const struct ix_cell *row = ix_table_cell(t, i, 0);
		double prob = row[2].r, base = row[3].r, d = prob - base;

		y++;
		if (row[1].type == IX_TOKEN)
			ui_put_token_text(c, y, 2, token - 2, UI_R_TOKEN, row[1].s.p, row[1].s.n);
		else
			ui_printf(c, y, 2, UI_R_TOKEN, "#%lld", (long long)row[0].i);
		ui_bar(c, y, token + 2, bar, UI_R_CLEAN, base);
		ui_printf(c, y, token + 2 + bar + 1, UI_R_NORMAL, "%7.4f", base);
		if (!any)
			continue;
		ui_bar(c, y, token + 2 + col, bar, UI_R_CLAMPED, prob);
		ui_printf(c, y, token + 2 + col + bar + 1, UI_R_NORMAL, "%7.4f", prob);
		ui_printf(c, y, token + 2 + 2 * col, d < 0 ? UI_R_NEGATIVE : UI_R_POSITIVE, "%+.4f %s", d,
		    fabs(d) < 0.00005 ? "" : c->ascii ? (d < 0 ? "v" : "^") : d < 0 ? "\u25bc" : "\u25b2");
	}
	if (ui_result_find(p->effect, "kl"))
		ui_printf(c, ++y, 2, UI_R_DIM, "KL %.4g nats (clean to clamped)   after token %zu   %.0f ms",
		    ui_result_find(p->effect, "kl")->value.r, p->at, p->ms);
	return y + 1;
}

static int
draw_text(const struct ui_canvas *c, int y, int x, int w, int h, const char *label, enum ui_role role,
    const struct ui_result *r)
{
	const struct ui_field *f = r ? ui_result_find(r, "text") : NULL;

	ui_puts(c, y, x, -1, UI_R_HEADER, label);
	if (!f || f->value.type != IX_TOKEN)
		return 1;
	return ui_wrap(c, y, x + 9, w - 9, h, role, f->value.s.p, f->value.s.n);
}

static void
draw_texts(const struct view *v, const struct ui_canvas *c, int y)
{
	const struct play *p = v->state;
	enum ui_role dim = p->stale && !p->generating ? UI_R_DIM : UI_R_NORMAL;
	int h = c->r.h - y, w = c->r.w - 2;

	if (h < 1)
		return;
	if (!p->text && !p->generating) {
		ui_puts(c, y, 1, -1, UI_R_DIM, n_tokens(v) ? "Enter generates" : "");
		return;
	}
	if (!p->base) {
		draw_text(c, y, 1, w, h, clamps(v) ? "clamped" : "clean", dim, p->text);
	} else if (w > 110) {
		draw_text(c, y, 1, w / 2 - 1, h, "clean", dim, p->base);
		draw_text(c, y, 1 + w / 2, w / 2 - 1, h, "clamped", dim, p->text);
	} else {
		int used = draw_text(c, y, 1, w, h / 2 ? h / 2 : 1, "clean", dim, p->base);

		draw_text(c, y + used, 1, w, h - used, "clamped", dim, p->text);
	}
}

static void
prompt_draw(struct view *v, const struct ui_canvas *c)
{
	int y = draw_tokens(v, c), texts = c->r.h > 30 ? 8 : c->r.h > 18 ? 4 : 2;

	y = draw_clamps(v, c, y + (c->r.h > 16)) + (c->r.h > 16);
	y = draw_effect(v, c, y, c->r.h - y - texts);
	draw_texts(v, c, y + (c->r.h > 24));
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

static int
move_clamp(struct view *v, int by)
{
	struct play *p = v->state;
	const struct ix_table *t = clamps(v);

	if (t && (by > 0 ? p->clamp + 1 < t->n_rows : p->clamp > 0)) {
		p->clamp += (size_t)by;
		ask_neuron(v);
	}
	return UI_HANDLED;
}

/* A fortieth of the slider, rounded to two digits so that values stay readable. */
static int
slide(struct view *v, int by)
{
	struct play *p = v->state;
	const struct ix_table *t = clamps(v);
	double value, step;

	if (!t)
		return UI_HANDLED;
	value = ix_table_cell(t, p->clamp, 5)->r;
	step = slider_range(p, value) / 20;
	value = round((value + by * step) / step) * step;
	app_run(v->app, "adjust %zu value=%.6g", p->clamp, value);
	return UI_HANDLED;
}

static int
toggle(struct view *v)
{
	struct play *p = v->state;
	const struct ix_table *t = clamps(v);

	if (t)
		app_run(v->app, "adjust %zu on=%s", p->clamp, ix_table_cell(t, p->clamp, 8)->i ? "no" : "yes");
	return UI_HANDLED;
}

static int
generate(struct view *v)
{
	struct play *p = v->state;

	if (n_tokens(v) == 0) {
		app_error(v->app, "no prompt yet: e types one");
		return UI_HANDLED;
	}
	set(&p->text, NULL);
	set(&p->base, NULL);
	p->stale = false;
	p->generating = true;
	view_ask(v, ASK_TEXT, "generate n=48 compare=%s", clamps(v) ? "yes" : "no");
	return UI_HANDLED;
}

static int
edit(struct view *v)
{
	const struct ui_field *text = v->app->state ? ui_result_find(v->app->state, "text") : NULL;
	struct lm_buf line = { 0 };

	ui_buf_str(&line, "prompt ");
	ui_quote(&line, text ? text->value.s.p : "", text ? text->value.s.n : 0);
	app_ask(v->app, ":", line.p, UI_P_COMMAND);
	v->app->prompt.at = v->app->prompt.text.len - 1;	/* before the closing quote */
	lm_buf_free(&line);
	return UI_HANDLED;
}

static int
sweep(struct view *v)
{
	struct play *p = v->state;
	const struct ix_table *t = clamps(v);
	const struct ix_cell *row = t ? ix_table_cell(t, p->clamp, 0) : NULL;
	struct lm_buf line = { 0 };
	double r;

	if (!row) {
		app_error(v->app, "no clamp to sweep: a adds one");
		return UI_HANDLED;
	}
	r = slider_range(p, row[5].r);
	ui_buf_printf(&line, "sweep %lld.%lld from=%.4g to=%.4g point=%s", (long long)row[1].i,
	    (long long)row[2].i, -r, r, row[3].s.p);
	app_open(v->app, line.p);
	lm_buf_free(&line);
	return UI_HANDLED;
}

static int
move_token(struct view *v, int by)
{
	struct play *p = v->state;

	if (by > 0 ? p->at + 1 < n_tokens(v) : p->at > 0) {
		p->at += (size_t)by;
		ask_effect(v);
	}
	return UI_HANDLED;
}

static int
prompt_act(struct view *v, enum ui_action a)
{
	struct play *p = v->state;

	switch (a) {
	case UI_A_down:		return move_clamp(v, 1);
	case UI_A_up:		return move_clamp(v, -1);
	case UI_A_left:		return slide(v, -1);
	case UI_A_right:	return slide(v, 1);
	case UI_A_toggle:	return toggle(v);
	case UI_A_generate:	return generate(v);
	case UI_A_edit:		return edit(v);
	case UI_A_sweep:	return sweep(v);
	case UI_A_next_token:	return move_token(v, 1);
	case UI_A_prev_token:	return move_token(v, -1);
	case UI_A_unclamp:
		if (!clamps(v))
			return UI_IGNORED;
		app_run(v->app, "unclamp %zu", p->clamp);
		return UI_HANDLED;
	default:
		return UI_IGNORED;
	}
}

static void
prompt_origin(const struct view *v, struct lm_buf *out)
{
	const struct play *p = v->state;

	ui_buf_printf(out, "answered by   effect at=%zu, generate\n", p->at);
	ui_buf_str(out, "run           live, on the prompt's tokens; nothing of it is stored\n"
	    "clean         softmax of the logits without clamps\n"
	    "clamped       the same run with the clamps in force, from the first layer they touch\n"
	    "KL            sum over tokens of p_clean log(p_clean / p_clamped), nats\n");
}

const struct view_ops view_prompt = {
	.name = "prompt",
	.help = "A prompt, clamps on neurons, the next token and the text, clean beside clamped.",
	.keys = "e edit  Enter generate  a add  Left/Right value  Space on/off  u undo  s sweep  {} token",
	.state_size = sizeof(struct play),
	.changes = true,
	.single = true,
	.open = prompt_open,
	.close = prompt_close,
	.news = prompt_news,
	.state = prompt_state,
	.title = prompt_title,
	.draw = prompt_draw,
	.act = prompt_act,
	.origin = prompt_origin,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_run.c - the model running: next, generate, lens, attention.
 */
#include "config.h"

#include "ui/session.h"

#include <math.h>
#include <string.h>

/* Logits [V] after a position of the prompt, to free; NULL with c->err filled. */
lm_real *
ui_logits_at(struct ui_call *c, bool clamped, size_t pos)
{
	lm_run *r = ui_run(c->s, clamped, c->err);
	lm_real *logits;

	if (!r)
		return NULL;
	logits = ui_xalloc(c->s->info.vocab, sizeof(*logits));
	if (lm_run_logits(r, pos, 1, logits, c->err))
		return logits;
	ui_free(logits);
	return NULL;
}

bool
cmd_next(struct ui_call *c)
{
	uint64_t k = (uint64_t)ui_arg(&c->args, "k")->i;
	uint32_t vocab = c->s->info.vocab, *order;
	struct ix_table *t;
	lm_real *logits;
	double lse;
	size_t pos;

	if (!ui_pos(c->s, ui_arg(&c->args, "at")->i, &pos, c->err) ||
	    !(logits = ui_logits_at(c, true, pos)))
		return false;
	k = k == 0 || k > vocab ? vocab : k;
	order = ui_xalloc(k, sizeof(*order));
	lm_top(logits, vocab, 1, k, order);
	lse = lm_logsumexp(logits, vocab);
	t = ui_put_table(c->out, "rows", c->cmd->rows);
	for (size_t i = 0; i < k; i++) {
		struct ix_cell *row = ui_row(t);
		double z = logits[order[i]];

		row[0] = ix_int((int64_t)i + 1);
		row[1] = ix_int(order[i]);
		row[2] = ui_token_cell(c->s, t, order[i]);
		row[3] = ix_real(z);
		row[4] = ix_real(exp(z - lse));
	}
	ui_free(order);
	ui_free(logits);
	return true;
}

/* ---- generate ---------------------------------------------------------------------------------------------- */

struct generation {
	struct lm_ids ids;
	const char *stop;
};

/*
 * The text of a continuation.  Behind nothing but special tokens it begins a text, and a tokenizer may
 * drop the space that its first token carries; elsewhere every piece counts as it is.
 */
static void
put_continuation(struct ui_session *s, struct ui_result *r, const struct generation *g)
{
	struct lm_buf text = { 0 };
	bool begins = true;

	ui_put_ids(r, "ids", g->ids.v, g->ids.n);
	if (!s->vocab) {
		ui_put_null(r, "text");
		return;
	}
	for (size_t i = 0; i < s->prompt.n; i++)
		begins = begins && lm_vocab_is_special(s->vocab, s->prompt.v[i]);
	ui_buf_add(&text, "", 0);
	if (!begins || !lm_vocab_decode(s->vocab, g->ids.v, g->ids.n, true, &text, NULL, NULL)) {
		text.len = 0;
		for (size_t i = 0; i < g->ids.n; i++) {
			size_t n = 0;
			const char *p = lm_vocab_piece(s->vocab, g->ids.v[i], &n);

			ui_buf_add(&text, p ? p : "", n);
		}
	}
	ui_put_token(r, "text", text.p, text.len);
	lm_buf_free(&text);
}

/* What is there so far, for the screen; a continuation is short enough to be put together each time. */
static void
show_partial(struct ui_call *c, const struct generation *g, bool baseline)
{
	struct ui_result *r;

	if (!c->s->events.partial)
		return;
	r = ui_result_new();
	put_continuation(c->s, baseline ? ui_put_object(r, "baseline") : r, g);
	ui_partial(c->s, r);
	ui_result_unref(r);
}

static bool
ends(const struct ui_session *s, uint32_t id)
{
	for (unsigned i = 0; i < s->info.n_eos; i++)
		if (s->info.eos[i] == id)
			return true;
	return false;
}

static bool
generate(struct ui_call *c, bool baseline, struct generation *g)
{
	struct lm_sampling how = { ui_arg(&c->args, "temp")->r, ui_arg(&c->args, "top_p")->r,
	    (uint32_t)ui_arg(&c->args, "top_k")->i };
	uint64_t n = (uint64_t)ui_arg(&c->args, "n")->i;
	bool until_eos = ui_arg_is(&c->args, "stop", "eos"), ok;
	lm_run *r = ui_run(c->s, !baseline, c->err);
	lm_real *logits;
	struct lm_rng rng;
	uint32_t id = 0;

	*g = (struct generation){ .stop = "n" };
	if (!r)
		return false;
	lm_rng_seed(&rng, (uint64_t)ui_arg(&c->args, "seed")->i);
	logits = ui_xalloc(c->s->info.vocab, sizeof(*logits));
	ok = n == 0 || lm_run_logits(r, c->s->prompt.n - 1, 1, logits, c->err);
	for (uint64_t i = 0; ok && i < n; i++) {
		if (c->s->prompt.n + i >= c->s->info.context) {
			g->stop = "length";
			break;
		}
		if (i && !(ok = lm_run_step(r, id, logits, c->err)))
			break;
		ok = lm_sample(logits, c->s->info.vocab, &how, &rng, &id, c->err);
		if (ok && until_eos && ends(c->s, id)) {
			g->stop = "eos";
			break;
		}
		ok = ok && lm_ids_add(&g->ids, id, c->err) &&
		    ui_progress(c->s, (double)(i + 1) / (double)n, baseline ? "generating, without clamps" :
		    "generating", c->err);
		show_partial(c, g, baseline);
	}
	lm_run_rewind(r);
	ui_free(logits);
	if (!ok)
		lm_ids_free(&g->ids);
	return ok;
}

bool
cmd_generate(struct ui_call *c)
{
	const struct ui_args *a = &c->args;
	struct generation g;
	struct ui_result *base;

	if (ui_arg(a, "temp")->r < 0)
		return lm_fail(c->err, LM_EARG, "temp: 0 or more wanted, found %g", ui_arg(a, "temp")->r);
	if (!(ui_arg(a, "top_p")->r > 0 && ui_arg(a, "top_p")->r <= 1))
		return lm_fail(c->err, LM_EARG, "top_p: above 0 and at most 1 wanted, found %g",
		    ui_arg(a, "top_p")->r);
	if (ui_arg(a, "top_k")->i > UINT32_MAX)
		return lm_fail(c->err, LM_EARG, "top_k: found %lld", (long long)ui_arg(a, "top_k")->i);
	if (!generate(c, false, &g))
		return false;
	put_continuation(c->s, c->out, &g);
	ui_put_text(c->out, "stop", g.stop);
	lm_ids_free(&g.ids);
	if (!ui_arg_is(a, "compare", "yes"))
		return true;
	if (!generate(c, true, &g))
		return false;
	base = ui_put_object(c->out, "baseline");
	put_continuation(c->s, base, &g);
	ui_put_text(base, "stop", g.stop);
	lm_ids_free(&g.ids);
	return true;
}

/* ---- lens -------------------------------------------------------------------------------------------------- */

struct lens {
	struct ui_call *c;
	struct ix_table *t;
	lm_run *run;
	size_t from, to, pos;
	uint64_t k;
	struct lm_ids tokens;
	lm_real *streams;		/* [2 * layers, D]: after attention and after the MLP of each */
	lm_real *y, *logits;
};

static bool
collect(void *ctx, enum lm_site site, uint32_t layer, size_t pos, size_t n, size_t width,
    const lm_real *rows, struct lm_err *err)
{
	struct lens *l = ctx;
	size_t at;

	(void)pos;
	(void)n;
	(void)err;
	/* The stream that enters a layer is what the one before left. */
	if (site == LM_SITE_RESID && (layer <= l->from || layer > l->to + 1))
		return true;
	if (site == LM_SITE_MID && layer > l->to)
		return true;
	at = site == LM_SITE_MID ? 2 * (layer - l->from) : 2 * (layer - 1 - l->from) + 1;
	memcpy(l->streams + at * width, rows, width * sizeof(*rows));
	return true;
}

static void
lens_row(struct lens *l, size_t i, size_t rank, uint32_t id, double lse)
{
	struct ix_cell *row = ui_row(l->t);

	row[0] = ix_int((int64_t)(l->from + i / 2));
	row[1] = ui_cell_text(l->t, i % 2 ? "mlp" : "attn");
	row[2] = ix_int((int64_t)l->pos);
	row[3] = ix_int((int64_t)rank);
	row[4] = ix_int(id);
	row[5] = ui_token_cell(l->c->s, l->t, id);
	row[6] = ix_real(exp((double)l->logits[id] - lse));
}

/* One more than the tokens that come before id. */
static size_t
rank_of(const lm_real *logits, size_t n, uint32_t id)
{
	size_t rank = 1;

	for (size_t i = 0; i < n; i++)
		rank += logits[i] > logits[id] || (logits[i] == logits[id] && i < id);
	return rank;
}

static bool
read_stream(struct lens *l, size_t i)
{
	size_t d = l->c->s->info.width, vocab = l->c->s->info.vocab;
	uint32_t *order;
	double lse;

	if (!lm_final_norm(l->c->s->model, l->streams + i * d, 1, l->y, l->c->err) ||
	    !lm_unembed(l->run, l->y, 1, l->logits, l->c->err))
		return false;
	lse = lm_logsumexp(l->logits, vocab);
	for (size_t k = 0; k < l->tokens.n; k++)
		lens_row(l, i, rank_of(l->logits, vocab, l->tokens.v[k]), l->tokens.v[k], lse);
	if (l->tokens.n)
		return true;
	order = ui_xalloc(l->k, sizeof(*order));
	lm_top(l->logits, vocab, 1, l->k, order);
	for (size_t k = 0; k < l->k; k++)
		lens_row(l, i, k + 1, order[k], lse);
	ui_free(order);
	return true;
}

bool
cmd_lens(struct ui_call *c)
{
	struct lens l = { .c = c, .k = (uint64_t)ui_arg(&c->args, "k")->i };
	size_t d = c->s->info.width, n;
	struct lm_tap tap = { .sites = 1u << LM_SITE_MID | 1u << LM_SITE_RESID, .fn = collect, .ctx = &l };
	bool ok;

	l.k = l.k == 0 || l.k > c->s->info.vocab ? c->s->info.vocab : l.k;
	if (!ui_range(ui_arg(&c->args, "layer"), c->s->info.layers, "layer", &l.from, &l.to, c->err) ||
	    !ui_pos(c->s, ui_arg(&c->args, "at")->i, &l.pos, c->err) ||
	    !ui_token_ids(c->s, ui_arg(&c->args, "token"), &l.tokens, c->err) ||
	    !(l.run = ui_run(c->s, true, c->err))) {
		lm_ids_free(&l.tokens);
		return false;
	}
	n = 2 * (l.to - l.from + 1);
	l.t = ui_put_table(c->out, "rows", c->cmd->rows);
	l.streams = ui_xalloc(n * d, sizeof(*l.streams));
	l.y = ui_xalloc(d, sizeof(*l.y));
	l.logits = ui_xalloc(c->s->info.vocab, sizeof(*l.logits));
	tap.layer_from = (uint32_t)l.from;
	tap.layer_to = (uint32_t)l.to + 1;
	tap.pos_from = tap.pos_to = l.pos;
	ok = lm_run_tap(l.run, &tap, c->err);
	for (size_t i = 0; ok && i < n; i++)
		ok = read_stream(&l, i) && ui_progress(c->s, (double)(i + 1) / (double)n, "logit lens", c->err);
	ui_free(l.streams);
	ui_free(l.y);
	ui_free(l.logits);
	lm_ids_free(&l.tokens);
	return ok;
}

/* ---- attention --------------------------------------------------------------------------------------------- */

struct watch_heads {
	struct ui_call *c;
	struct ix_table *t;
	size_t from, to;		/* heads */
};

static bool
put_pattern(void *ctx, enum lm_site site, uint32_t layer, size_t pos, size_t n, size_t width,
    const lm_real *rows, struct lm_err *err)
{
	struct watch_heads *w = ctx;
	size_t seen = width / w->c->s->info.heads;

	(void)site;
	(void)n;
	(void)err;
	for (size_t h = w->from; h <= w->to; h++)
		for (size_t p = 0; p <= pos; p++) {
			struct ix_cell *row = ui_row(w->t);
			uint32_t id = w->c->s->prompt.v[p];

			row[0] = ix_int(layer);
			row[1] = ix_int((int64_t)h);
			row[2] = ix_int((int64_t)p);
			row[3] = ix_int(id);
			row[4] = ui_token_cell(w->c->s, w->t, id);
			row[5] = ix_real((double)rows[h * seen + p]);
		}
	return true;
}

bool
cmd_attention(struct ui_call *c)
{
	struct watch_heads w = { .c = c };
	struct lm_tap tap = { .sites = 1u << LM_SITE_PATTERN, .fn = put_pattern, .ctx = &w };
	size_t from, to;
	lm_run *r;

	if (!ui_range(ui_arg(&c->args, "layer"), c->s->info.layers, "layer", &from, &to, c->err) ||
	    !ui_range(ui_arg(&c->args, "head"), c->s->info.heads, "head", &w.from, &w.to, c->err) ||
	    !ui_pos(c->s, ui_arg(&c->args, "at")->i, &tap.pos_from, c->err) ||
	    !(r = ui_run(c->s, true, c->err)))
		return false;
	tap.pos_to = tap.pos_from;
	tap.layer_from = (uint32_t)from;
	tap.layer_to = (uint32_t)to;
	w.t = ui_put_table(c->out, "rows", c->cmd->rows);
	return lm_run_tap(r, &tap, c->err);
}

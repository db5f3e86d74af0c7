/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_dump.c - dump: values at a site, as numbers or as a NumPy file.
 */
#include "config.h"

#include "ui/npy.h"
#include "ui/session.h"

#include <string.h>
#include <unistd.h>

/* Sites that are no taps of the pass. */
enum special { NONE, LOGITS, FINAL };

struct dump {
	struct ui_call *c;
	enum special special;
	enum lm_site site;
	size_t l0, l1, t0, t1;		/* layers and positions, both ends included */
	size_t width;			/* numbers of one layer and position */
	lm_real *v;
};

static bool
find_site(struct dump *d)
{
	const struct ui_word *w = ui_arg(&d->c->args, "SITE")->word;
	struct lm_buf names = { 0 };

	if (ui_word_is(w, "logits") || ui_word_is(w, "final")) {
		d->special = ui_word_is(w, "logits") ? LOGITS : FINAL;
		return true;
	}
	if (lm_site_find(w->p, &d->site) && strlen(w->p) == w->n)
		return true;
	for (int i = 0; i < LM_NSITES; i++)
		ui_buf_printf(&names, " %s", lm_site_name((enum lm_site)i));
	lm_fail(d->c->err, LM_EARG, "dump: site logits final%s wanted, found \"%.*s\"", names.p,
	    (int)(w->n > 60 ? 60 : w->n), w->p);
	lm_buf_free(&names);
	return false;
}

static bool
find_extent(struct dump *d)
{
	const struct ui_value *layer = ui_arg(&d->c->args, "layer"), *at = ui_arg(&d->c->args, "at");
	const struct lm_info *i = &d->c->s->info;
	bool mlp = d->site == LM_SITE_UP || d->site == LM_SITE_GATE || d->site == LM_SITE_ACT;

	if (!ui_range(at, d->c->s->prompt.n, "position", &d->t0, &d->t1, d->c->err))
		return false;
	if (d->special) {
		d->width = d->special == LOGITS ? i->vocab : i->width;
		return !layer->given || layer->all || lm_fail(d->c->err, LM_EARG,
		    "dump: there is only one %s; layer= does not apply",
		    d->special == LOGITS ? "logits" : "final");
	}
	if (d->site == LM_SITE_GATE && !i->gated)
		return lm_fail(d->c->err, LM_EARG, "dump: MLPs of family %s have no gate", i->family);
	d->width = mlp ? i->hidden : i->width;
	if (d->site == LM_SITE_PATTERN)
		d->width = (size_t)i->heads * d->c->s->prompt.n;
	return ui_range(layer, i->layers + (d->site == LM_SITE_RESID), "layer", &d->l0, &d->l1, d->c->err);
}

/* Shape with the axes that one index names left out. */
static unsigned
shape_of(const struct dump *d, size_t shape[UI_MAX_DIMS])
{
	const struct lm_info *i = &d->c->s->info;
	bool one_layer = ui_arg(&d->c->args, "layer")->single, one_pos = ui_arg(&d->c->args, "at")->single;
	unsigned n = 0;

	if (!d->special && !one_layer)
		shape[n++] = d->l1 - d->l0 + 1;
	if (d->site == LM_SITE_PATTERN && !d->special)
		shape[n++] = i->heads;
	if (!one_pos)
		shape[n++] = d->t1 - d->t0 + 1;
	shape[n++] = d->site == LM_SITE_PATTERN && !d->special ? d->c->s->prompt.n : d->width;
	return n;
}

/* What the values take must stay within the option; 0 is a quarter of the machine's memory. */
static bool
check_memory(const struct dump *d, unsigned dims, const size_t *shape)
{
	double bytes = sizeof(lm_real), limit = (double)d->c->s->opts.number[UI_OPT_tape_limit];

	if (limit == 0)
		limit = 0.25 * (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
	for (unsigned i = 0; i < dims; i++)
		bytes *= (double)shape[i];
	return bytes <= limit || lm_fail(d->c->err, LM_ELIMIT,
	    "dump: the values take %.3g MB, tape_limit is %.3g MB; layer= and at= take fewer", bytes / 1e6,
	    limit / 1e6);
}

static bool
collect(void *ctx, enum lm_site site, uint32_t layer, size_t pos, size_t n, size_t width,
    const lm_real *rows, struct lm_err *err)
{
	struct dump *d = ctx;
	size_t nt = d->t1 - d->t0 + 1, heads = d->c->s->info.heads, all = d->c->s->prompt.n;

	(void)err;
	for (size_t t = 0; t < n; t++, rows += width) {
		size_t at = (layer - d->l0) * nt + pos + t - d->t0;

		if (site != LM_SITE_PATTERN) {
			memcpy(d->v + at * width, rows, width * sizeof(*rows));
			continue;
		}
		/* [H, seen] of a query to [layer, H, query, T] */
		for (size_t h = 0; h < heads; h++)
			memcpy(d->v + (((layer - d->l0) * heads + h) * nt + pos + t - d->t0) * all,
			    rows + h * (width / heads), width / heads * sizeof(*rows));
	}
	return true;
}

static bool
collect_final(struct dump *d, lm_run *r)
{
	uint32_t layers = d->c->s->info.layers;
	struct lm_tap tap = { 1u << LM_SITE_RESID, layers, layers, d->t0, d->t1, collect, d };

	d->l0 = layers;
	return lm_run_tap(r, &tap, d->c->err) &&
	    lm_final_norm(d->c->s->model, d->v, d->t1 - d->t0 + 1, d->v, d->c->err);
}

static bool
fill(struct dump *d)
{
	struct lm_tap tap = { 1u << d->site, (uint32_t)d->l0, (uint32_t)d->l1, d->t0, d->t1, collect, d };
	lm_run *r = ui_run(d->c->s, true, d->c->err);

	if (!r)
		return false;
	if (d->special == LOGITS)
		return lm_run_logits(r, d->t0, d->t1 - d->t0 + 1, d->v, d->c->err);
	return d->special == FINAL ? collect_final(d, r) : lm_run_tap(r, &tap, d->c->err);
}

bool
cmd_dump(struct ui_call *c)
{
	const struct ui_value *file = ui_arg(&c->args, "file");
	struct dump d = { .c = c };
	struct ix_cell dims[UI_MAX_DIMS];
	size_t shape[UI_MAX_DIMS];
	struct ui_result *scratch;
	unsigned n;
	bool ok;

	if (!find_site(&d) || !find_extent(&d))
		return false;
	n = shape_of(&d, shape);
	if (!check_memory(&d, n, shape))
		return false;
	ui_put_text(c->out, "site", ui_arg(&c->args, "SITE")->word->p);
	if (!file->given) {
		d.v = ui_put_array(c->out, "values", n, shape);
		return fill(&d);
	}
	scratch = ui_result_new();
	d.v = ui_put_array(scratch, "values", n, shape);
	ok = fill(&d);
	if (ok) {
		char *path = ui_xmemdup(file->word->p, file->word->n);

		for (unsigned i = 0; i < n; i++)
			dims[i] = ix_int((int64_t)shape[i]);
		ok = ui_npy_write(path, n, shape, d.v, sizeof(lm_real), c->err);
		ui_put_list(c->out, "shape", dims, n);
		ui_put_text(c->out, "file", path);
		ui_free(path);
	}
	ui_result_unref(scratch);
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c - opening a model or an index, the runs, the prompt, tokens by name.
 */
#include "config.h"

#include "ui/session.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- events -------------------------------------------------------------------------------------------- */

bool
ui_progress(struct ui_session *s, double share, const char *what, struct lm_err *err)
{
	if (s->events.progress)
		s->events.progress(s->events.ctx, share, what);
	return lm_watch_go(&s->watch, err);
}

void
ui_partial(struct ui_session *s, const struct ui_result *r)
{
	if (s->events.partial)
		s->events.partial(s->events.ctx, r);
}

void
ui_notice(struct ui_session *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (s->events.notice)
		s->events.notice(s->events.ctx, text);
}

static void
report(void *ctx, uint64_t done, uint64_t total)
{
	struct ui_session *s = ctx;

	if (s->events.progress)
		s->events.progress(s->events.ctx, total ? (double)done / (double)total : 1,
		    s->watched ? s->watched : "running");
}

/* ---- opening --------------------------------------------------------------------------------------------- */

/* The demo model: beside a program that lies in a build folder, else where it was installed. */
static char *
demo_path(void)
{
	static const char rest[] = "/../share/demo/base";
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - sizeof(rest));

	if (n > 0) {
		char *slash;

		exe[n] = '\0';
		slash = strrchr(exe, '/');
		memcpy(slash ? slash : exe, rest, sizeof(rest));
		if (access(exe, F_OK) == 0)
			return ui_xstrdup(exe);
	}
	return ui_xstrdup(PKGDATADIR "/demo/base");
}

static bool
open_model(struct ui_session *s, int *status, struct lm_err *err)
{
	*status = UI_BAD_MODEL;
	if (!lm_model_open(&s->model, s->path, err))
		return false;
	s->vocab = lm_model_vocab(s->model);
	s->info = *lm_model_info(s->model);
	*status = UI_BAD_INDEX;
	if (*s->opts.text[UI_OPT_index]) {
		bool found;

		s->db_path = ui_xstrdup(s->opts.text[UI_OPT_index]);
		return ui_index_find(s, &found, err);
	}
	return true;
}

static bool
open_index(struct ui_session *s, int *status, struct lm_err *err)
{
	*status = UI_BAD_INDEX;
	s->db_path = ui_xstrdup(s->path);
	if (!ix_open(&s->db, s->path, IX_READ, err) || !ix_info(s->db, &s->ix, err))
		return false;
	ix_watch(s->db, &s->watch);
	s->info = s->ix.model;
	return true;
}

bool
ui_session_open(struct ui_session *s, const char *path, int *status, struct lm_err *err)
{
	bool ok, demo = !path;

	s->path = path ? ui_xstrdup(path) : demo_path();
	s->watch = (struct lm_watch){ &s->cancel, report, s };
	ok = ix_is_index(s->path) ? open_index(s, status, err) : open_model(s, status, err);
	if (!ok && demo && *status == UI_BAD_MODEL)
		return lm_fail_in(err, "no MODEL given, and the demo model cannot be opened");
	return ok;
}

static void
free_runs(struct ui_session *s)
{
	lm_run_free(s->clean);
	lm_run_free(s->clamped);
	s->clean = s->clamped = NULL;
}

void
ui_session_close(struct ui_session *s)
{
	free_runs(s);
	ix_close(s->db);
	lm_pool_free(s->pool);
	lm_model_close(s->model);
	lm_ids_free(&s->prompt);
	lm_buf_free(&s->changes);
	ui_result_unref(s->last);
	ui_free(s->prompt_text);
	ui_free(s->clamps);
	ui_free(s->journal);
	ui_free(s->db_path);
	ui_free(s->path);
	ui_opts_free(&s->opts);
}

/* ---- runs -------------------------------------------------------------------------------------------------- */

bool
ui_pool(struct ui_session *s, struct lm_err *err)
{
	int64_t want = s->opts.number[UI_OPT_threads];

	if (want == 0)
		want = sysconf(_SC_NPROCESSORS_ONLN);
	if (want < 1)
		want = 1;
	if (s->pool && lm_pool_threads(s->pool) == want)
		return true;
	free_runs(s);
	lm_pool_free(s->pool);
	return lm_pool_new(&s->pool, (int)want, err);
}

/* The clamps that are switched on, as the engine takes them; *n of them. */
static struct lm_clamp *
active_clamps(const struct ui_session *s, size_t *n)
{
	struct lm_clamp *list = ui_xalloc(s->n_clamps, sizeof(*list));

	*n = 0;
	for (size_t i = 0; i < s->n_clamps; i++)
		if (!s->clamps[i].off)
			list[(*n)++] = s->clamps[i].c;
	return list;
}

lm_run *
ui_run(struct ui_session *s, bool clamped, struct lm_err *err)
{
	struct lm_clamp *list;
	lm_run **r;
	size_t n = 0;
	bool ok;

	if (!ui_pool(s, err))
		return NULL;
	list = active_clamps(s, &n);
	if (!clamped)
		n = 0;
	r = n ? &s->clamped : &s->clean;
	ok = *r || lm_run_new(r, s->model, s->pool, err);
	if (ok)
		lm_run_watch(*r, &s->watch);
	s->watched = "running the prompt";
	ok = ok && (s->prompt.n == 0 || lm_run_set_prompt(*r, s->prompt.v, s->prompt.n, err)) &&
	    lm_run_set_clamps(*r, list, n, err);
	ui_free(list);
	return ok ? *r : NULL;
}

bool
ui_prompt_set(struct ui_session *s, const uint32_t *ids, size_t n, struct lm_err *err)
{
	if (n > s->info.context)
		return lm_fail(err, LM_ELIMIT, "the prompt has %zu tokens, the model's context holds %u", n,
		    s->info.context);
	for (size_t i = 0; i < n; i++)
		if (ids[i] >= s->info.vocab)
			return lm_fail(err, LM_EARG, "id %u does not exist: the vocabulary has ids 0 to %u",
			    ids[i], s->info.vocab - 1);
	s->prompt.n = 0;
	for (size_t i = 0; i < n; i++)
		if (!lm_ids_add(&s->prompt, ids[i], err))
			return false;
	return true;
}

bool
ui_pos(const struct ui_session *s, int64_t at, size_t *pos, struct lm_err *err)
{
	int64_t n = (int64_t)s->prompt.n, p = at < 0 ? n + at : at;

	if (p < 0 || p >= n)
		return lm_fail(err, LM_EARG, "position %lld does not exist: the prompt has positions 0 to %lld",
		    (long long)at, (long long)n - 1);
	*pos = (size_t)p;
	return true;
}

bool
ui_range(const struct ui_value *v, size_t n, const char *what, size_t *from, size_t *to,
    struct lm_err *err)
{
	int64_t size = (int64_t)n, a = v->from < 0 ? size + v->from : v->from;
	int64_t b = v->to == LM_END ? size - 1 : v->to < 0 ? size + v->to : v->to;

	if (a < 0 || b >= size || b < a)
		return lm_fail(err, LM_EARG, "%s %.*s does not exist: there are 0 to %lld", what,
		    (int)(v->word->n > 40 ? 40 : v->word->n), v->word->p, (long long)size - 1);
	*from = (size_t)a;
	*to = (size_t)b;
	return true;
}

struct ui_result *
ui_session_state(struct ui_session *s)
{
	struct ui_result *r = ui_result_new();
	struct ix_table *t = ui_put_table(r, "prompt", "pos:int id:int text:token");

	for (size_t i = 0; i < s->prompt.n; i++) {
		struct ix_cell *row = ui_row(t);

		row[0] = ix_int((int64_t)i);
		row[1] = ix_int(s->prompt.v[i]);
		row[2] = ui_token_cell(s, t, s->prompt.v[i]);
	}
	if (s->prompt_text)
		ui_put_token(r, "text", s->prompt_text, s->prompt_len);
	ui_put_clamps(s, r, "clamps");
	ui_put_bool(r, "index", s->db != NULL);
	ui_put_bool(r, "complete", s->db && s->ix.complete);
	ui_put_bool(r, "quit", s->quit);
	return r;
}

/* ---- tokens ---------------------------------------------------------------------------------------------- */

struct ix_cell
ui_token_cell(struct ui_session *s, struct ix_table *t, uint32_t id)
{
	struct ix_cell none = { .type = IX_NULL }, param = ix_int(id), out = none;
	struct ix_table row = { 0 };
	const char *p;
	size_t n;

	if (s->vocab) {
		p = id < lm_vocab_size(s->vocab) ? lm_vocab_piece(s->vocab, id, &n) : NULL;
		return p ? ui_cell_token(t, p, n) : none;
	}
	if (s->db && ix_query(s->db, IX_Q_TOKEN, &param, &row, NULL) && row.n_rows == 1) {
		const struct ix_cell *c = ix_table_cell(&row, 0, 0);

		if (c->type == IX_TOKEN)
			out = ui_cell_token(t, c->s.p, c->s.n);
	}
	ix_table_free(&row);
	return out;
}

/* A message that shows what the text is instead of one token. */
static bool
no_token(struct ui_session *s, const struct ui_word *w, struct lm_err *err)
{
	struct lm_ids ids = { 0 };
	struct lm_buf parts = { 0 };

	ui_quote(&parts, w->p, w->n);
	if (s->vocab && lm_vocab_encode(s->vocab, w->p, w->n, false, &ids, err)) {
		ui_buf_printf(&parts, " is no single token but");
		for (size_t i = 0; i < ids.n && i < 12; i++) {
			size_t n = 0;
			const char *p = lm_vocab_piece(s->vocab, ids.v[i], &n);

			ui_buf_str(&parts, " ");
			ui_quote(&parts, p ? p : "", n);
		}
		if (ids.n > 12)
			ui_buf_printf(&parts, " and %zu more", ids.n - 12);
	} else {
		ui_buf_str(&parts, " is no token of the vocabulary");
	}
	lm_fail(err, LM_EARG, "%.400s", parts.p);
	lm_buf_free(&parts);
	lm_ids_free(&ids);
	return false;
}

bool
ui_token_id(struct ui_session *s, const struct ui_word *w, uint32_t *id, struct lm_err *err)
{
	if (w->n > 1 && w->p[0] == '#' && !w->quoted[0]) {
		char buf[16], *end;
		unsigned long v;

		snprintf(buf, sizeof(buf), "%.*s", (int)(w->n > 12 ? 12 : w->n) - 1, w->p + 1);
		errno = 0;
		v = strtoul(buf, &end, 10);
		if (*end || buf[0] == '-' || buf[0] == '+' || w->n > 12)
			return lm_fail(err, LM_EARG, "token #ID wanted, found \"%.*s\"", (int)w->n, w->p);
		if (v >= s->info.vocab)
			return lm_fail(err, LM_EARG, "id %lu does not exist: the vocabulary has ids 0 to %u", v,
			    s->info.vocab - 1);
		*id = (uint32_t)v;
		return true;
	}
	if (s->vocab ? lm_vocab_find(s->vocab, w->p, w->n, id) :
	    s->db && ix_find_token(s->db, w->p, w->n, id, err))
		return true;
	if (!s->vocab && !s->db)
		return lm_fail(err, LM_EARG, "the model has no tokenizer: tokens are given as #ID");
	return no_token(s, w, err);
}

bool
ui_token_ids(struct ui_session *s, const struct ui_value *v, struct lm_ids *out, struct lm_err *err)
{
	struct ui_word part;
	uint32_t id;

	for (size_t at = 0; v->given && ui_word_part(v->word, &at, &part);)
		if (!ui_token_id(s, &part, &id, err) || !lm_ids_add(out, id, err))
			return false;
	return true;
}

const char *
ui_side_name(enum lm_side side)
{
	return side == LM_SIDE_UP ? "up" : side == LM_SIDE_GATE ? "gate" : "down";
}

enum lm_side
ui_side(const struct ui_args *a, const char *name)
{
	return (enum lm_side)ui_arg(a, name)->i;	/* the choices stand in the order of lm_side */
}

/* ---- journal ---------------------------------------------------------------------------------------------- */

bool
ui_changed(struct ui_session *s, const char *line, size_t n, struct lm_err *err)
{
	bool ok = true;
	FILE *f;

	ui_buf_add(&s->changes, line, n);
	ui_buf_str(&s->changes, "\n");
	s->n_changes++;
	if (!s->journal)
		return true;
	f = fopen(s->journal, "ab");
	if (!f || fwrite(line, 1, n, f) != n || putc('\n', f) == EOF)
		ok = false;
	if ((f && fclose(f) != 0) || !ok)
		return lm_fail(err, LM_EIO, "journal %s: %s", s->journal, strerror(errno));
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.c - the stack of views, what actions do to it, and where answers go.
 */
#include "config.h"

#include "ui/app.h"

#include "ui/keys.h"
#include "ui/list.h"
#include "ui/term.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

void
app_log(struct ui_app *a, char kind, const char *text)
{
	a->log = ui_xresize(a->log, a->n_log + 1, sizeof(*a->log));
	if (a->start == 0)
		a->start = now();
	a->log[a->n_log++] = (struct ui_message){ ui_xstrdup(text), kind, now() - a->start };
}

static char *
format(const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	return ui_xstrdup(text);
}

void
app_error(struct ui_app *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ui_free(a->error);
	a->error = format(fmt, ap);
	va_end(ap);
	app_log(a, '!', a->error);
}

void
app_notice(struct ui_app *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ui_free(a->notice);
	a->notice = format(fmt, ap);
	va_end(ap);
	app_log(a, ' ', a->notice);
}

/* ---- views --------------------------------------------------------------------------------------------- */

struct view *
app_focus(struct ui_app *a)
{
	return a->focus_detail && a->detail ? a->detail : a->top;
}

static struct view *
view_new(struct ui_app *a, const struct view_ops *ops, const char *line)
{
	struct view *v = ui_xalloc(1, sizeof(*v));

	v->ops = ops;
	v->app = a;
	v->number = ++a->views;
	v->line = ui_xstrdup(line);
	if (ops->state_size)
		v->state = ui_xalloc(1, ops->state_size);
	return v;
}

static void
view_free(struct view *v)
{
	if (!v)
		return;
	ui_worker_stop(v->app->worker, v->number);
	if (v->ops->close)
		v->ops->close(v);
	ui_list_free(v->list);
	ui_free(v->state);
	ui_free(v->line);
	ui_free(v);
}

void
view_reopen(struct view *v, const char *line)
{
	char *copy = ui_xstrdup(line);

	ui_worker_stop(v->app->worker, v->number);
	ui_free(v->line);
	v->line = copy;
	v->waiting = 0;
	v->err.code = LM_OK;
	if (!v->ops->open(v, &v->err))
		app_error(v->app, "%s", v->err.msg);
}

void
view_ask(struct view *v, int slot, const char *fmt, ...)
{
	char stack[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(stack, sizeof(stack), fmt, ap);
	va_end(ap);
	v->waiting++;
	if (n < (int)sizeof(stack)) {
		ui_worker_ask(v->app->worker, v->number, slot, stack);
	} else {
		char *line = ui_xalloc((size_t)n + 1, 1);

		va_start(ap, fmt);
		vsnprintf(line, (size_t)n + 1, fmt, ap);
		va_end(ap);
		ui_worker_ask(v->app->worker, v->number, slot, line);
		ui_free(line);
	}
}

bool
view_args(struct view *v, struct ui_args *a, struct ui_words *words, struct lm_err *err)
{
	const struct ui_cmd *cmd;

	if (!ui_words_split(v->line, strlen(v->line), words, err))
		return false;
	cmd = words->n ? ui_cmd_find(words->v[0].p, words->v[0].n, err) : NULL;
	if (cmd) {
		ui_spec_read(cmd->args, a);
		if (ui_args_read(a, words, v->line, strlen(v->line), err))
			return true;
		ui_args_free(a);
	}
	ui_words_free(words);
	return false;
}

/* The view for a line: of the same name as its command, else the one that shows any answer. */
static const struct view_ops *
ops_for(const char *line, const struct ui_cmd **cmd, struct lm_err *err)
{
	size_t n = strcspn(line, " ");
	const struct view_ops *ops = view_find(line, n);

	*cmd = ui_cmd_find(line, n, err);
	if (*cmd)
		ops = view_find((*cmd)->name, strlen((*cmd)->name));
	if (!ops && *cmd)
		ops = &view_result;
	return ops;
}

void
app_open(struct ui_app *a, const char *line)
{
	struct lm_err err = { .code = LM_OK };
	const struct ui_cmd *cmd;
	const struct view_ops *ops = ops_for(line, &cmd, &err);
	struct view *v;

	if (!ops) {
		app_error(a, "%s", err.msg);
		return;
	}
	for (v = a->top; v && ops->single; v = v->below)
		if (v->ops == ops) {
			while (a->top != v)
				app_close_view(a);
			view_reopen(v, line);
			return;
		}
	v = view_new(a, ops, line);
	if (!ops->open(v, &err)) {
		app_error(a, "%s", err.msg);
		view_free(v);
		return;
	}
	v->below = a->top;
	a->top = v;
	app_detail(a, NULL);
}

void
app_detail(struct ui_app *a, const char *line)
{
	struct lm_err err = { .code = LM_OK };
	const struct ui_cmd *cmd;
	const struct view_ops *ops = line ? ops_for(line, &cmd, &err) : NULL;

	if (line && a->detail && a->detail->ops == ops) {
		view_reopen(a->detail, line);
	} else {
		view_free(a->detail);
		a->detail = NULL;
		a->focus_detail = false;
		if (ops) {
			a->detail = view_new(a, ops, line);
			ops->open(a->detail, &a->detail->err);
		}
	}
	ui_free(a->detail_line);
	a->detail_line = line ? ui_xstrdup(line) : NULL;
}

void
app_close_view(struct ui_app *a)
{
	struct view *v = a->top;

	if (a->focus_detail) {
		a->focus_detail = false;
		return;
	}
	if (!v->below) {
		a->quit = true;
		return;
	}
	a->top = v->below;
	view_free(v);
	app_detail(a, NULL);
}

void
app_free_views(struct ui_app *a)
{
	app_detail(a, NULL);
	while (a->top) {
		struct view *below = a->top->below;

		view_free(a->top);
		a->top = below;
	}
}

/* One of the main views: back to it when it is on the stack, else opened. */
static void
main_view(struct ui_app *a, const char *name)
{
	struct view *v;

	for (v = a->top; v; v = v->below)
		if (strcmp(v->ops->name, name) == 0)
			break;
	if (!v) {
		app_open(a, name);
		return;
	}
	while (a->top != v)
		app_close_view(a);
	if (v->ops->state)
		v->ops->state(v);
}

/* ---- prompt -------------------------------------------------------------------------------------------- */

void
app_ask(struct ui_app *a, const char *label, const char *text, enum ui_prompt_kind kind)
{
	ui_prompt_start(&a->prompt, kind, label, text);
}

void
app_run(struct ui_app *a, const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	app_log(a, '>', line);
	ui_worker_ask(a->worker, 0, -1, line);
}

/* set changes the screen's options as well as the session's. */
static bool
own_setting(struct ui_app *a, const char *line)
{
	const char *p = line + strcspn(line, " "), *eq;
	struct lm_err err;

	p += strspn(p, " ");
	eq = strchr(p, '=');
	if (!eq)
		return true;
	if (!ui_opts_set(&a->opts, p, (size_t)(eq - p), eq + 1, strlen(eq + 1), O_SET, &err)) {
		app_error(a, "%s", err.msg);
		return false;
	}
	a->ascii = ui_term_ascii(&a->opts);
	a->redraw = true;
	return true;
}

void
app_command(struct ui_app *a, const char *line)
{
	const struct ui_cmd *cmd;
	struct lm_err err;
	enum ui_action act;
	size_t n;

	line += strspn(line, " ");
	n = strcspn(line, " ");
	if (n == 0)
		return;
	/* A number is a row. */
	if (strspn(line, "0123456789") == strlen(line) && app_focus(a)->list && n < 10) {
		size_t row = 0;

		sscanf(line, "%zu", &row);
		ui_list_goto(app_focus(a)->list, row ? row - 1 : 0);
		return;
	}
	act = ui_action_find(line);
	cmd = ui_cmd_find(line, n, &err);
	if (act != UI_A_none && (!cmd || strlen(cmd->name) != n)) {
		app_act(a, act);
		return;
	}
	if (!cmd && !view_find(line, n)) {
		app_error(a, "%s", err.msg);
		return;
	}
	if (cmd && strcmp(cmd->name, "quit") == 0) {
		a->quit = true;
	} else if (cmd && strcmp(cmd->name, "set") == 0 && strchr(line, '=')) {
		if (own_setting(a, line))
			app_run(a, "%s", line);
	} else if (cmd && (cmd->flags & C_CHANGES) && !view_find(cmd->name, strlen(cmd->name)) &&
	    line[n]) {
		app_run(a, "%s", line);
	} else {
		app_log(a, '>', line);
		app_open(a, line);
	}
}

/* ---- actions ------------------------------------------------------------------------------------------- */

static void
interrupt(struct ui_app *a)
{
	if (ui_worker_busy(a->worker)) {
		ui_worker_stop(a->worker, 0);
		app_notice(a, "stopping the job");
	} else if (now() - a->interrupted < 1) {
		a->quit = true;
		a->status = UI_INTERRUPTED;
	} else {
		a->interrupted = now();
		app_notice(a, "nothing runs; Ctrl-C again within a second quits, q closes the view");
	}
}

static void
copy_line(struct ui_app *a)
{
	struct view *v = app_focus(a);

	ui_term_copy(v->line);
	app_notice(a, "copied: %s", v->line);
}

static void
show_origin(struct ui_app *a)
{
	struct view *v = app_focus(a);
	struct lm_buf b = { 0 };

	ui_buf_printf(&b, "command   %s\n", v->line);
	if (v->ops->origin)
		v->ops->origin(v, &b);
	ui_free(a->popup);
	a->popup = ui_xmemdup(b.p, b.len);
	lm_buf_free(&b);
}

static void
ask_clamp(struct ui_app *a)
{
	struct view *v = app_focus(a);
	struct ui_neuron n;
	char text[80] = "clamp ";

	if (v->list && ui_list_neuron(v->list, v->list->cursor, &n))
		snprintf(text, sizeof(text), "clamp %u.%u point=act value=", n.layer, n.neuron);
	else if (strncmp(v->line, "neuron ", 7) == 0)
		snprintf(text, sizeof(text), "clamp %.40s point=act value=", v->line + 7);
	app_ask(a, ":", text, UI_P_COMMAND);
}

static void
undo_clamp(struct ui_app *a)
{
	const struct ix_table *t = app_table(a, "clamps");

	if (!t || t->n_rows == 0)
		app_error(a, "no clamp is in force");
	else
		app_run(a, "unclamp %zu", t->n_rows - 1);
}

static void
next_pane(struct ui_app *a)
{
	if (a->detail)
		a->focus_detail = !a->focus_detail;
	else
		app_act(a, UI_A_side);
}

/* What every view does alike, after the view itself had its chance. */
static void
common(struct ui_app *a, enum ui_action act)
{
	struct view *v = app_focus(a);

	switch (act) {
	case UI_A_back:
	case UI_A_close:	app_close_view(a); break;
	case UI_A_quit:		a->quit = true; break;
	case UI_A_next_pane:
	case UI_A_prev_pane:	next_pane(a); break;
	case UI_A_view_model:	main_view(a, "model"); break;
	case UI_A_view_neurons:	main_view(a, "neurons"); break;
	case UI_A_view_prompt:	main_view(a, "prompt"); break;
	case UI_A_view_log:	main_view(a, "log"); break;
	case UI_A_help:		app_open(a, "help"); break;
	case UI_A_options:	app_open(a, "set"); break;
	case UI_A_command:	app_ask(a, ":", "", UI_P_COMMAND); break;
	case UI_A_search:	app_ask(a, "search neurons for: ", "", UI_P_SEARCH); break;
	case UI_A_clamp:
	case UI_A_add:		ask_clamp(a); break;
	case UI_A_unclamp:	undo_clamp(a); break;
	case UI_A_edit:		main_view(a, "prompt"); app_act(a, UI_A_edit); break;
	case UI_A_origin:	show_origin(a); break;
	case UI_A_copy:		copy_line(a); break;
	case UI_A_redraw:	a->redraw = true; break;
	case UI_A_interrupt:	interrupt(a); break;
	case UI_A_suspend:	ui_term_suspend(); a->redraw = true; break;
	case UI_A_escape:	a->focus_detail = false; break;
	case UI_A_refresh: {
		char *line = ui_xstrdup(v->line);

		view_reopen(v, line);
		ui_free(line);
		break;
	}
	case UI_A_find:
	case UI_A_filter:
		if (v->list)
			app_ask(a, act == UI_A_find ? "/" : "\\", "", act == UI_A_find ? UI_P_FIND : UI_P_FILTER);
		break;
	default:
		break;
	}
}

void
app_act(struct ui_app *a, enum ui_action act)
{
	static int depth;
	struct view *v = app_focus(a);

	if (depth > 2)			/* an action that asks for another that asks for it */
		return;
	depth++;
	if ((!v->ops->act || v->ops->act(v, act) == UI_IGNORED) &&
	    (!v->list || ui_list_act(v, act) == UI_IGNORED))
		common(a, act);
	depth--;
}

/* ---- answers ------------------------------------------------------------------------------------------- */

const struct ix_table *
app_table(const struct ui_app *a, const char *name)
{
	struct ui_field *f = a->state ? ui_result_find(a->state, name) : NULL;

	return f && f->kind == UI_TABLE ? &f->table : NULL;
}

static void
new_state(struct ui_app *a, struct ui_result *state)
{
	ui_result_unref(a->state);
	a->state = ui_result_ref(state);
}

/* Every view on the stack that prompt and clamps matter to. */
static void
tell_views(struct ui_app *a)
{
	for (struct view *v = a->top; v; v = v->below)
		if (v->ops->changes && v->ops->state)
			v->ops->state(v);
}

static bool
changes(const char *line)
{
	struct lm_err err;
	const struct ui_cmd *cmd = ui_cmd_find(line, strcspn(line, " "), &err);

	return cmd && (cmd->flags & C_CHANGES || strcmp(cmd->name, "source") == 0);
}

static void
answer(struct ui_app *a, struct view *v, const struct ui_news *n)
{
	bool stopped = !n->result && n->err.code == LM_ECANCEL;

	a->share = -1;
	if (n->state)
		new_state(a, n->state);
	if (v && v->waiting)
		v->waiting--;
	if (!n->result && !stopped) {
		app_error(a, "%s", n->err.msg);
		if (v)
			v->err = n->err;
	}
	if (v && v->ops->news && !stopped)
		v->ops->news(v, n);
	if (n->result && n->line && changes(n->line)) {
		if (!v)
			app_notice(a, "%s", n->line);
		tell_views(a);
	}
}

void
app_news(struct ui_app *a, struct ui_news *n)
{
	struct view *v = a->detail && a->detail->number == n->owner ? a->detail : a->top;

	while (v && v->number != n->owner)
		v = v->below;
	switch (n->kind) {
	case UI_NEWS_PROGRESS:
		a->share = n->share;
		snprintf(a->what, sizeof(a->what), "%s", n->text);
		break;
	case UI_NEWS_NOTICE:
		app_notice(a, "%s", n->text);
		break;
	case UI_NEWS_PARTIAL:
		if (v && v->ops->news)
			v->ops->news(v, n);
		break;
	case UI_NEWS_ANSWER:
		answer(a, v, n);
	}
	ui_news_free(n);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen.c - the loop: events in, actions, answers, one drawing.
 */
#include "config.h"

#include "ui/app.h"
#include "ui/keys.h"
#include "ui/list.h"
#include "ui/main.h"
#include "ui/term.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct view_ops *const views[] = {
#define VIEW(name) &view_##name,
#include "ui/views.def"
#undef VIEW
};

enum { N_VIEWS = sizeof(views) / sizeof(views[0]) };

const struct view_ops *
view_nth(size_t i)
{
	return i < N_VIEWS ? views[i] : NULL;
}

const struct view_ops *
view_find(const char *name, size_t n)
{
	for (size_t i = 0; i < N_VIEWS; i++)
		if (strlen(views[i]->name) == n && memcmp(views[i]->name, name, n) == 0)
			return views[i];
	return NULL;
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

/* What was typed at one of the prompts. */
static void
prompt_done(struct ui_app *a, enum ui_prompt_kind kind, const char *text)
{
	struct view *v = app_focus(a);
	struct lm_buf line = { 0 };

	switch (kind) {
	case UI_P_COMMAND:
		app_command(a, text);
		break;
	case UI_P_FIND:
		if (v->list)
			ui_list_find(v, *text ? text : NULL, *text ? 0 : 1);
		break;
	case UI_P_FILTER:
		if (v->list)
			ui_list_filter(v, text);
		break;
	case UI_P_SEARCH:
		if (!*text)
			break;
		ui_buf_str(&line, "search ");
		ui_quote(&line, text, strlen(text));
		ui_buf_str(&line, " match=variants side=down limit=0");
		app_open(a, line.p);
		lm_buf_free(&line);
		break;
	default:
		break;
	}
}

static void
prompt_key(struct ui_app *a, const struct ui_event *e)
{
	enum ui_prompt_result r = ui_prompt_key(&a->prompt, e->name, e->kind == UI_E_TEXT);
	struct view *v = app_focus(a);
	enum ui_prompt_kind kind = a->prompt.kind;
	char *text;

	/* Searches and filters act while they are typed. */
	if (r == UI_P_EDITING) {
		if (kind == UI_P_FIND && v->list && a->prompt.text.len)
			ui_list_find(v, a->prompt.text.p, 0);
		else if (kind == UI_P_FILTER && v->list)
			ui_list_filter(v, a->prompt.text.p);
		return;
	}
	text = ui_xmemdup(a->prompt.text.p, a->prompt.text.len);
	ui_prompt_stop(&a->prompt);
	if (r == UI_P_DONE)
		prompt_done(a, kind, text);
	else if (kind == UI_P_FILTER && v->list)
		ui_list_filter(v, NULL);
	ui_free(text);
}

static void
key(struct ui_app *a, const struct ui_event *e)
{
	const char *name = e->kind == UI_E_TEXT && strcmp(e->name, " ") == 0 ? "Space" : e->name;
	enum ui_action act;
	bool message = a->error || a->popup;

	if (a->prompt.active) {
		prompt_key(a, e);
		return;
	}
	/* A message goes with the next key, which Esc is spent on. */
	ui_free(a->error);
	ui_free(a->notice);
	ui_free(a->popup);
	a->error = a->notice = a->popup = NULL;
	act = ui_key_action(app_focus(a)->ops->name, name);
	if (act == UI_A_none)
		app_notice(a, "%s is not bound; ? lists the keys", name);
	else if (!(message && act == UI_A_escape))
		app_act(a, act);
}

static void
handle(struct ui_app *a, const struct ui_event *e)
{
	switch (e->kind) {
	case UI_E_KEY:
	case UI_E_TEXT:
		key(a, e);
		break;
	case UI_E_CLICK:
		app_click(a, e->y, e->x, e->twice);
		break;
	case UI_E_WHEEL:
		for (int i = 0; i < (e->step < 0 ? -e->step : e->step); i++)
			app_act(a, e->step < 0 ? UI_A_up : UI_A_down);
		break;
	case UI_E_RESIZE:
		a->redraw = true;
		break;
	case UI_E_NONE:
		break;
	}
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

static void
read_caught(struct ui_app *a)
{
	char *line;

	while ((line = ui_term_caught())) {
		app_log(a, '!', line);
		ui_free(line);
	}
}

static void
loop(struct ui_app *a)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
	    { .fd = ui_worker_fd(a->worker), .events = POLLIN } };
	struct ui_event e;
	struct ui_news *n;

	while (!a->quit) {
		app_draw(a);
		if (poll(fds, 2, ui_worker_busy(a->worker) ? 250 : -1) < 0 && errno != EINTR)
			ui_die(UI_FAILED, "poll: %s", strerror(errno));
		if (ui_caught()) {
			a->status = 128 + ui_caught();
			break;
		}
		if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			a->status = 128 + 1;
			break;
		}
		while (!a->quit && (e = ui_event_get()).kind != UI_E_NONE)
			handle(a, &e);
		while ((n = ui_worker_news(a->worker)))
			app_news(a, n);
		read_caught(a);
	}
}

/* "demo/base" of a long path. */
static char *
short_name(const char *path)
{
	const char *p = path + strlen(path);
	int slashes = 0;

	while (p > path && (p[-1] != '/' || ++slashes < 2))
		p--;
	return ui_xstrdup(p);
}

static void
finish(struct ui_app *a)
{
	app_free_views(a);
	ui_worker_free(a->worker);
	ui_result_unref(a->state);
	ui_prompt_free(&a->prompt);
	ui_opts_free(&a->opts);
	for (size_t i = 0; i < a->n_log; i++)
		ui_free(a->log[i].text);
	ui_free(a->log);
	ui_free(a->name);
	ui_free(a->error);
	ui_free(a->notice);
	ui_free(a->popup);
}

/* A copy of the options: the session's belong to its thread. */
static struct ui_opts
copy_options(const struct ui_opts *from)
{
	struct ui_opts o = *from;

	for (int i = 0; i < UI_NOPTS; i++)
		o.text[i] = ui_xstrdup(from->text[i]);
	return o;
}

int
ui_screen(struct ui_start *start)
{
	static atomic_bool stopped;	/* nobody reads it: the loop looks at the signal itself */
	struct ui_session *s = ui_xalloc(1, sizeof(*s));
	struct ui_app a = { .share = -1, .status = UI_OK };
	struct lm_err err = { .code = LM_OK };
	int status;

	if (start->n_words > 1)
		ui_die(UI_USAGE, "one MODEL wanted, found %s as well", start->words[1]);
	s->opts = start->opts;
	start->opts = (struct ui_opts){ 0 };
	a.opts = copy_options(&s->opts);
	if (!ui_session_open(s, start->n_words ? start->words[0] : NULL, &status, &err) ||
	    !(status = UI_USAGE, ui_term_start(&a.opts, &err))) {
		ui_warn("%s", err.msg);
		ui_session_close(s);
		ui_opts_free(&a.opts);
		ui_free(s);
		return status;
	}
	ui_catch_signals(&stopped);
	a.info = s->info;
	a.name = short_name(s->path);
	a.ascii = ui_term_ascii(&a.opts);
	a.worker = ui_worker_new(s);
	app_open(&a, "model");
	if (a.top)
		loop(&a);
	finish(&a);
	ui_term_stop();
	ui_free(s);
	return a.status;
}

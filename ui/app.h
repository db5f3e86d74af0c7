/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.h - the state of the screen: the stack of views, the prompt line, messages.
 */
#ifndef UI_APP_H
#define UI_APP_H

#include "ui/prompt.h"
#include "ui/view.h"

enum { UI_WIDE = 150, UI_MIN_W = 40, UI_MIN_H = 8 };

struct ui_message {
	char *text;
	char kind;			/* '!' an error, ' ' a notice, '>' a command */
	double at;			/* seconds since the first */
};

struct ui_app {
	ui_worker *worker;
	struct lm_info info;		/* of the model */
	char *name;			/* of it, short */
	struct ui_opts opts;		/* of the screen; the session has its own */
	struct view *top;		/* the view on top of the stack */
	struct view *detail;		/* in the second pane, or NULL */
	char *detail_line;		/* what it was opened with */
	bool focus_detail;
	unsigned views;			/* numbered so far */
	struct ui_result *state;	/* prompt and clamps as the session last said */
	struct ui_prompt prompt;
	char *error;			/* shown until a key comes; NULL: none */
	char *notice;			/* shown until the next */
	char *popup;			/* lines of a window on top of the view, closed by any key */
	struct ui_message *log;
	size_t n_log;
	double share;			/* of the job that runs; negative: none */
	char what[200];
	bool redraw, quit, ascii;
	int status;			/* exit status */
	double interrupted;		/* when Ctrl-C came last with nothing to stop */
	double start;
};

/* Opens a view for a command line, on top of the stack; commands without a view get view_result. */
void app_open(struct ui_app *a, const char *line);
/* What was typed at the prompt: an action, a command that changes something, or one that is shown. */
void app_command(struct ui_app *a, const char *line);
void app_close_view(struct ui_app *a);
/* All of them, at the end. */
void app_free_views(struct ui_app *a);
/* Shows a view in the second pane, or with NULL none. */
void app_detail(struct ui_app *a, const char *line);
void app_act(struct ui_app *a, enum ui_action act);
void app_news(struct ui_app *a, struct ui_news *n);
void app_draw(struct ui_app *a);
void app_click(struct ui_app *a, int y, int x, bool twice);
/* The view that has the keys. */
struct view *app_focus(struct ui_app *a);

void app_error(struct ui_app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void app_notice(struct ui_app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void app_log(struct ui_app *a, char kind, const char *text);
/* Starts the prompt line with a text in it; done gets what was typed. */
void app_ask(struct ui_app *a, const char *label, const char *text, enum ui_prompt_kind kind);

/* Table of the session's state by name ("prompt", "clamps"); NULL before the first. */
const struct ix_table *app_table(const struct ui_app *a, const char *name);
/* Runs something that changes the session; its answer comes as new state. */
void app_run(struct ui_app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

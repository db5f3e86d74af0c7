/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - the frame of the screen: views as records, the stack they lie on, and what they may ask.
 *
 * A view is one file and one const record.  It asks the worker for command lines, gets the answers as
 * values, and draws them; it never computes and never waits.  Adding one: a file, a line in views.def.
 */
#ifndef UI_VIEW_H
#define UI_VIEW_H

#include "ui/draw.h"
#include "ui/job.h"

struct ui_app;
struct view;

enum ui_action {
	UI_A_none,
#define ACTION(name, help) UI_A_##name,
#include "ui/actions.def"
#undef ACTION
	UI_NACTIONS
};

enum { UI_IGNORED = 0, UI_HANDLED = 1 };

struct view_ops {
	const char *name;		/* as typed at the prompt, and the command that fills it */
	const char *help;		/* one sentence */
	const char *keys;		/* of the key bar: "Enter open  s sort" */
	size_t state_size;		/* private state: zeroed and freed by the frame */
	bool changes;			/* what prompt and clamps are matters to it */
	bool single;			/* there is one of it: opened again, it gets the new line */

	/* Reads the arguments of v->line and asks for what it shows. */
	bool (*open)(struct view *v, struct lm_err *err);
	void (*close)(struct view *v);
	/* An answer, or part of one, to what this view asked. */
	void (*news)(struct view *v, const struct ui_news *n);
	/* The session's prompt or clamps changed. */
	void (*state)(struct view *v);
	void (*title)(const struct view *v, struct lm_buf *out);
	/* The line of the view that shows what the cursor names, in a second pane; false: nothing. */
	bool (*detail)(const struct view *v, struct lm_buf *out);
	void (*draw)(struct view *v, const struct ui_canvas *c);
	int (*act)(struct view *v, enum ui_action a);
	/* Where the numbers come from. */
	void (*origin)(const struct view *v, struct lm_buf *out);
	/* A click on a place of the view's own; absent: rows of the list. */
	int (*click)(struct view *v, int y, int x, bool twice);
};

struct ui_list;

struct view {
	const struct view_ops *ops;
	struct ui_app *app;
	struct view *below;
	unsigned number;		/* owner of its jobs */
	char *line;			/* the batch command that rebuilds it */
	void *state;
	struct ui_list *list;		/* of views that are one; owned */
	unsigned waiting;		/* answers still to come */
	struct lm_err err;		/* of the last job that failed; code LM_OK: none */
	int height;			/* rows it was last drawn with */
};

/* The views, NULL after the last; by name. */
const struct view_ops *view_nth(size_t i);
const struct view_ops *view_find(const char *name, size_t n);
#define VIEW(name) extern const struct view_ops view_##name;
#include "ui/views.def"
#undef VIEW
/* What every command without a view of its own is shown by. */
extern const struct view_ops view_result;

/* Replaces the view's command and fills it again; line is copied. */
void view_reopen(struct view *v, const char *line);
/* Asks the worker for a command line on behalf of the view. */
void view_ask(struct view *v, int slot, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Value of an argument of the view's line, by the specification of its command; NULL: not given. */
bool view_args(struct view *v, struct ui_args *a, struct ui_words *words, struct lm_err *err);

#endif

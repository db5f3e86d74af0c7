/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_help.c - the keys as they are bound, the views and the commands, from their tables; and the log.
 */
#include "config.h"

#include "ui/app.h"
#include "ui/keys.h"
#include "ui/list.h"

#include <stdio.h>
#include <string.h>

static const struct ui_col help_cols[] = {
	{ "what", "", UI_C_AUTO, 18, 40, 0 },
	{ "help", "", UI_C_AUTO, 30, 160, 0 },
};

static void
add(struct ix_table *t, const char *what, const char *help)
{
	struct ix_cell *row = ui_row(t);

	row[0] = ui_cell_text(t, what);
	row[1] = ui_cell_text(t, help);
}

/* One row for each action, with all its keys. */
static void
add_keys(struct ix_table *t, const char *where)
{
	struct lm_buf keys = { 0 };

	for (int a = 1; a < UI_NACTIONS; a++) {
		const char *view, *key;
		enum ui_action act;

		keys.len = 0;
		for (size_t i = 0; ui_key_nth(i, &view, &key, &act); i++)
			if ((int)act == a && strcmp(view, where) == 0)
				ui_buf_printf(&keys, "%s%s", keys.len ? " " : "",
				    strcmp(key, "\\") == 0 ? "backslash" : key);
		if (keys.len)
			add(t, keys.p, ui_action_help((enum ui_action)a));
	}
	lm_buf_free(&keys);
}

static bool
help_open(struct view *v, struct lm_err *err)
{
	const char *line = v->line + strcspn(v->line, " ");
	struct ui_result *r;
	struct ix_table *t;
	const struct view *below = v->app->top;
	const struct ui_cmd *cmd;
	struct lm_buf usage = { 0 };
	char buf[80];

	(void)err;
	if (v->list)
		return true;
	r = ui_result_new();
	t = ui_put_table(r, "rows", "what:text help:text");
	line += strspn(line, " ");
	cmd = *line ? ui_cmd_find(line, strlen(line), err) : NULL;
	if (*line && !cmd) {
		ui_result_unref(r);
		return false;
	}
	if (below && !cmd) {
		snprintf(buf, sizeof(buf), "the view %s", below->ops->name);
		add(t, buf, below->ops->help);
		add_keys(t, below->ops->name);
		add(t, "", "");
		add(t, "every view", "Keys:");
		add_keys(t, "all");
		add(t, "", "");
		add(t, "views", "Typed after :");
		for (size_t i = 0; view_nth(i); i++)
			add(t, view_nth(i)->name, view_nth(i)->help);
		add(t, "", "");
		add(t, "commands", "Typed after :, the same as in --batch; lmscope-commands(7) says more");
	}
	for (size_t i = 0; ui_cmd_nth(i); i++) {
		if (cmd && ui_cmd_nth(i) != cmd)
			continue;
		usage.len = 0;
		ui_spec_usage(ui_cmd_nth(i)->name, ui_cmd_nth(i)->args, &usage);
		add(t, ui_cmd_nth(i)->name, ui_cmd_nth(i)->help);
		add(t, "", usage.p);
	}
	lm_buf_free(&usage);
	v->list = ui_list_new(help_cols, 2);
	ui_list_add(v->list, r);
	ui_result_unref(r);
	return true;
}

static void
help_title(const struct view *v, struct lm_buf *out)
{
	ui_buf_printf(out, "help  %s", v->below ? v->below->ops->name : "");
}

const struct view_ops view_help = {
	.name = "help",
	.help = "Keys and commands; / searches in it.",
	.keys = "/ find  \\ filter  q back",
	.open = help_open,
	.title = help_title,
	.draw = ui_list_draw,
};

/* ---- log ----------------------------------------------------------------------------------------------- */

static const struct ui_col log_cols[] = {
	{ "at", "seconds", UI_C_AUTO, 8, 8, 1 },
	{ "kind", "", UI_C_AUTO, 7, 7, 2 },
	{ "text", "message", UI_C_AUTO, 30, 200, 0 },
};

static void
fill_log(struct view *v)
{
	struct ui_result *r = ui_result_new();
	struct ix_table *t = ui_put_table(r, "rows", "at:real kind:text text:text");

	for (size_t i = 0; i < v->app->n_log; i++) {
		const struct ui_message *m = &v->app->log[i];
		struct ix_cell *row = ui_row(t);

		row[0] = ix_real(m->at);
		row[1] = ui_cell_text(t, m->kind == '!' ? "error" : m->kind == '>' ? "command" : "notice");
		row[2] = ui_cell_text(t, m->text);
	}
	ui_list_clear(v->list);
	ui_list_add(v->list, r);
	ui_result_unref(r);
}

static bool
log_open(struct view *v, struct lm_err *err)
{
	(void)err;
	if (!v->list)
		v->list = ui_list_new(log_cols, 3);
	fill_log(v);
	ui_list_goto(v->list, SIZE_MAX - 1);
	return true;
}

static void
log_draw(struct view *v, const struct ui_canvas *c)
{
	if (v->list->loaded != v->app->n_log)
		fill_log(v);
	ui_list_draw(v, c);
}

static void
log_title(const struct view *v, struct lm_buf *out)
{
	ui_buf_printf(out, "log  %zu messages: commands, notices, errors, and what libraries wrote",
	    v->app->n_log);
}

const struct view_ops view_log = {
	.name = "log",
	.help = "Commands that ran, notices, errors, and what libraries wrote to standard error.",
	.keys = "/ find  \\ filter  q back",
	.open = log_open,
	.title = log_title,
	.draw = log_draw,
};

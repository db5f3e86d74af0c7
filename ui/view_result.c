/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_result.c - the answer of any command: its fields as lines, its rows as a list.
 */
#include "config.h"

#include "ui/app.h"
#include "ui/list.h"
#include "ui/out.h"

#include <string.h>

struct result {
	struct ui_result *r;
	char *fields;			/* what is no table, as lines of text */
};

static bool
result_open(struct view *v, struct lm_err *err)
{
	(void)err;
	if (!v->list)
		v->list = ui_list_new(NULL, 0);
	ui_list_clear(v->list);
	view_ask(v, 0, "%s", v->line);
	return true;
}

static void
result_close(struct view *v)
{
	struct result *s = v->state;

	ui_result_unref(s->r);
	ui_free(s->fields);
}

/* The fields without the main table, written as --batch writes them. */
static void
take_fields(struct result *s, bool ascii)
{
	struct ui_result rest = { 0 };
	struct lm_buf text = { 0 };
	struct ix_table *t = ui_result_table(s->r);

	rest.fields = ui_xalloc(s->r->n, sizeof(*rest.fields));
	for (size_t i = 0; i < s->r->n; i++)
		if (s->r->fields[i]->kind != UI_TABLE || &s->r->fields[i]->table != t)
			rest.fields[rest.n++] = s->r->fields[i];
	ui_free(s->fields);
	ui_buf_add(&text, "", 0);
	ui_out_text(&text, &rest, ascii);
	s->fields = ui_xmemdup(text.p, text.len);
	lm_buf_free(&text);
	ui_free(rest.fields);
}

static void
result_news(struct view *v, const struct ui_news *n)
{
	struct result *s = v->state;

	if (!n->result)
		return;
	ui_result_unref(s->r);
	s->r = ui_result_ref(n->result);
	ui_list_clear(v->list);
	ui_list_add(v->list, s->r);
	take_fields(s, v->app->ascii);
}

static void
result_draw(struct view *v, const struct ui_canvas *c)
{
	const struct result *s = v->state;
	struct ui_canvas rest;
	int y = 0;

	for (const char *p = s->fields; p && *p && y < c->r.h - (v->list->n_parts ? 4 : 0); y++) {
		size_t n = strcspn(p, "\n");
		char *line = ui_xmemdup(p, n);

		ui_puts(c, y, 1, -1, UI_R_NORMAL, line);
		ui_free(line);
		p += n + (p[n] == '\n');
	}
	rest = ui_part(c, y, 0, c->r.h - y, c->r.w);
	if (v->list->n_parts || !s->r)
		ui_list_draw(v, &rest);
}

static int
result_act(struct view *v, enum ui_action a)
{
	struct lm_buf line = { 0 };
	struct ui_neuron n;

	if (a != UI_A_open || !v->list->n_parts || !ui_list_neuron(v->list, v->list->cursor, &n))
		return UI_IGNORED;
	ui_buf_printf(&line, "neuron %u.%u", n.layer, n.neuron);
	app_open(v->app, line.p);
	lm_buf_free(&line);
	return UI_HANDLED;
}

static void
result_origin(const struct view *v, struct lm_buf *out)
{
	const struct ix_table *t = v->list->n_parts ? ui_result_table(v->list->parts[0]) : NULL;
	struct lm_err err;
	const struct ui_cmd *cmd = ui_cmd_find(v->line, strcspn(v->line, " "), &err);

	if (cmd)
		ui_buf_printf(out, "answered     %s\n", cmd->flags & C_PROMPT ? "by a live run on the prompt" :
		    cmd->flags & C_INDEX ? "from the index" : "by the session");
	for (size_t i = 0; t && i < t->n_cols; i++)
		if (*t->cols[i].unit)
			ui_buf_printf(out, "%-12s in %s\n", t->cols[i].name, t->cols[i].unit);
}

const struct view_ops view_result = {
	.name = "answer",
	.help = "The answer of a command.",
	.keys = "s sort  / find  \\ filter  Enter neuron  y copy",
	.state_size = sizeof(struct result),
	.open = result_open,
	.close = result_close,
	.news = result_news,
	.draw = result_draw,
	.act = result_act,
	.origin = result_origin,
};

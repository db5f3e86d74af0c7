/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_session.c - the session itself: set, help, source, journal, save, sql, quit.
 */
#include "config.h"

#include "ui/npy.h"
#include "ui/out.h"
#include "ui/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A file argument as a string, to free. */
static char *
file_of(struct ui_call *c)
{
	const struct ui_word *w = ui_arg(&c->args, "FILE")->word;

	return ui_xmemdup(w->p, w->n);
}

bool
cmd_set(struct ui_call *c)
{
	const struct ui_value *v = ui_arg(&c->args, "OPTION");
	struct ix_table *t;

	c->unchanged = !v->given;
	if (v->given) {
		const struct ui_word *w = v->word;
		size_t eq = ui_word_find(w, 0, '=');

		if (eq == w->n)
			return lm_fail(c->err, LM_EARG, "set: OPTION=VALUE wanted, found \"%.*s\"",
			    (int)(w->n > 60 ? 60 : w->n), w->p);
		if (!ui_opts_set(&c->s->opts, w->p, eq, w->p + eq + 1, w->n - eq - 1, O_SET, c->err))
			return false;
	}
	t = ui_put_table(c->out, "rows", c->cmd->rows);
	for (int i = 0; i < UI_NOPTS; i++) {
		const struct ui_opt_row *o = ui_opt_row((enum ui_opt)i);
		struct ix_cell *row = ui_row(t);

		row[0] = ui_cell_text(t, o->name);
		row[1] = ui_cell_text(t, c->s->opts.text[i]);
		row[2] = ui_cell_text(t, o->values);
		row[3] = ui_cell_text(t, o->help);
	}
	return true;
}

bool
cmd_help(struct ui_call *c)
{
	const struct ui_value *v = ui_arg(&c->args, "COMMAND");
	struct lm_buf usage = { 0 };
	const struct ui_cmd *cmd;
	struct ix_table *t;

	if (v->given) {
		cmd = ui_cmd_find(v->word->p, v->word->n, c->err);
		if (!cmd)
			return false;
		ui_spec_usage(cmd->name, cmd->args, &usage);
		ui_put_text(c->out, "usage", usage.p);
		ui_put_text(c->out, "help", cmd->help);
		ui_put_text(c->out, "fields", cmd->fields);
		ui_put_text(c->out, "columns", cmd->rows);
		lm_buf_free(&usage);
		return true;
	}
	t = ui_put_table(c->out, "rows", c->cmd->rows);
	for (size_t i = 0; (cmd = ui_cmd_nth(i)); i++) {
		struct ix_cell *row = ui_row(t);
		const char *end = strstr(cmd->help, ". ");

		usage.len = 0;
		ui_spec_usage(cmd->name, cmd->args, &usage);
		row[0] = ui_cell_text(t, cmd->name);
		row[1] = ui_cell_text(t, usage.p);
		/* The first sentence; help NAME gives the rest. */
		usage.len = 0;
		ui_buf_add(&usage, cmd->help, end ? (size_t)(end - cmd->help) + 1 : strlen(cmd->help));
		row[2] = ui_cell_text(t, usage.p);
	}
	lm_buf_free(&usage);
	return true;
}

bool
cmd_source(struct ui_call *c)
{
	char *path = file_of(c);
	size_t n = 0;
	bool ok = ui_source(c->s, path, &n, c->err);

	ui_put_int(c->out, "commands", (int64_t)n);
	ui_free(path);
	return ok;
}

bool
cmd_journal(struct ui_call *c)
{
	static const char head[] = "# lmscope journal: replay with lmscope --batch MODEL FILE\n";
	char *path = file_of(c);

	if (!ui_write_file(path, head, sizeof(head) - 1, c->s->changes.p, c->s->changes.len, c->err)) {
		ui_free(path);
		return false;
	}
	ui_free(c->s->journal);
	c->s->journal = path;
	ui_put_text(c->out, "path", path);
	ui_put_int(c->out, "commands", (int64_t)c->s->n_changes);
	return true;
}

/* ---- save -------------------------------------------------------------------------------------------------- */

static bool
numeric(const struct ix_column *col)
{
	return col->type == IX_INT || col->type == IX_REAL || col->type == IX_BOOL;
}

/* The numeric columns of a table as an array of doubles [rows, columns]. */
static bool
save_numbers(const char *path, const struct ix_table *t, struct lm_err *err)
{
	size_t shape[2] = { t->n_rows, 0 }, k = 0;
	double *v;
	bool ok;

	for (size_t c = 0; c < t->n_cols; c++)
		shape[1] += numeric(&t->cols[c]);
	if (shape[1] == 0)
		return lm_fail(err, LM_EARG, "save: the last table has no column of numbers");
	v = ui_xalloc(shape[0] * shape[1], sizeof(*v));
	for (size_t r = 0; r < t->n_rows; r++)
		for (size_t c = 0; c < t->n_cols; c++) {
			const struct ix_cell *cell = ix_table_cell(t, r, c);

			if (numeric(&t->cols[c]))
				v[k++] = cell->type == IX_REAL ? cell->r : cell->type == IX_NULL ? __builtin_nan("") :
				    (double)cell->i;
		}
	ok = ui_npy_write(path, 2, shape, v, sizeof(*v), err);
	ui_free(v);
	return ok;
}

static const struct ui_field *
array_of(const struct ui_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->fields[i]->kind == UI_ARRAY)
			return r->fields[i];
	return NULL;
}

static bool
save_npy(const char *path, const struct ui_result *r, struct lm_err *err)
{
	const struct ui_field *f = array_of(r);

	if (f)
		return ui_npy_write(path, f->dims, f->shape, f->numbers, sizeof(*f->numbers), err);
	return save_numbers(path, ui_result_table(r), err);
}

static bool
save_text(struct ui_call *c, const char *path, const struct ui_result *r, bool json)
{
	struct ui_envelope e = { "save", c->s->info.digest, 0 };
	struct lm_buf out = { 0 };
	bool ok;

	if (json)
		ui_out_json(&out, &e, r, NULL);
	else
		ui_out_tsv(&out, r);
	ok = ui_write_file(path, out.p, out.len, NULL, 0, c->err);
	lm_buf_free(&out);
	return ok;
}

bool
cmd_save(struct ui_call *c)
{
	const struct ui_result *r = c->s->last;
	char *path = file_of(c);
	const char *dot = strrchr(path, '.');
	const struct ix_table *t;
	bool ok;

	if (!r)
		ok = lm_fail(c->err, LM_EARG, "save: there is no table yet");
	else if (dot && strcmp(dot, ".npy") == 0)
		ok = save_npy(path, r, c->err);
	else if (dot && (strcmp(dot, ".tsv") == 0 || strcmp(dot, ".json") == 0))
		ok = save_text(c, path, r, dot[1] == 'j');
	else
		ok = lm_fail(c->err, LM_EARG, "save: a name that ends in .tsv, .json or .npy wanted, found \"%s\"",
		    path);
	if (ok) {
		t = ui_result_table(r);
		ui_put_text(c->out, "path", path);
		ui_put_int(c->out, "rows", t ? (int64_t)t->n_rows : (int64_t)array_of(r)->shape[0]);
	}
	ui_free(path);
	return ok;
}

/* ---- sql --------------------------------------------------------------------------------------------------- */

bool
cmd_sql(struct ui_call *c)
{
	const struct ui_word *w = ui_arg(&c->args, "QUERY")->word;
	struct ix_table *t = ui_put_table(c->out, "rows", "");

	return ix_sql(c->s->db, w->p, w->n, t, c->err);
}

bool
cmd_quit(struct ui_call *c)
{
	c->s->quit = true;
	return true;
}

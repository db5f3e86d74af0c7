/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_tsv.c - answers as tab separated values: the rows with a header line; an answer without rows is one
 * row of its fields.  Token text is escaped as on the screen, so that no tab or line end is in a cell.
 */
#include "config.h"

#include "ui/out.h"

#include <string.h>

static void
put_cell(struct lm_buf *out, const struct ix_cell *c)
{
	if (c->type == IX_NULL)
		return;
	if (c->type == IX_TEXT || c->type == IX_TOKEN)
		ui_buf_escape(out, c->s.p, c->s.n, false);
	else
		ui_json_cell(out, c);
}

static void
put_table(struct lm_buf *out, const struct ix_table *t)
{
	for (size_t c = 0; c < t->n_cols; c++) {
		ui_buf_str(out, c ? "\t" : "");
		ui_buf_escape(out, t->cols[c].name, strlen(t->cols[c].name), false);
	}
	ui_buf_str(out, "\n");
	for (size_t r = 0; r < t->n_rows; r++) {
		for (size_t c = 0; c < t->n_cols; c++) {
			ui_buf_str(out, c ? "\t" : "");
			put_cell(out, ix_table_cell(t, r, c));
		}
		ui_buf_str(out, "\n");
	}
}

void
ui_out_tsv(struct lm_buf *out, const struct ui_result *r)
{
	const struct ui_field *rows = ui_result_find(r, "rows");

	if (rows && rows->kind == UI_TABLE) {
		put_table(out, &rows->table);
		return;
	}
	for (size_t i = 0; i < r->n; i++) {
		ui_buf_str(out, i ? "\t" : "");
		if (r->fields[i]->kind == UI_ARRAY)
			ui_buf_str(out, "shape\t");
		ui_buf_str(out, r->fields[i]->name);
	}
	ui_buf_str(out, "\n");
	for (size_t i = 0; i < r->n; i++) {
		const struct ui_field *f = r->fields[i];

		ui_buf_str(out, i ? "\t" : "");
		if (f->kind == UI_ARRAY) {
			ui_json_shape(out, f);
			ui_buf_str(out, "\t");
		}
		if (f->kind == UI_VALUE)
			put_cell(out, &f->value);
		else
			ui_json_value(out, f);
	}
	ui_buf_str(out, "\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text.c - answers for people: "name  value" lines, and tables with aligned columns, numbers lined up
 * at the decimal point.
 */
#include "config.h"

#include "ui/out.h"
#include "ui/text.h"

#include <string.h>

enum { ARRAY_SHOWN = 64 };		/* numbers of an array before "+N more" */

static void
pad(struct lm_buf *out, size_t n)
{
	while (n--)
		ui_buf_str(out, " ");
}

/* ---- tables ------------------------------------------------------------------------------------------------ */

/* Where the digits before the decimal point end. */
static size_t
point(const char *s, size_t n)
{
	size_t i = strcspn(s, ".e");

	return i < n ? i : n;
}

/* Widths that a column needs: of its cells left and right of the point, and in all. */
struct widths {
	size_t left, right, all;
};

static void
measure(const struct ix_table *t, size_t col, bool ascii, struct widths *w)
{
	struct lm_buf cell = { 0 };

	*w = (struct widths){ 0 };
	for (size_t r = 0; r < t->n_rows; r++) {
		const struct ix_cell *c = ix_table_cell(t, r, col);
		size_t n;

		cell.len = 0;
		ui_text_cell(&cell, c, true, ascii);
		n = ui_text_width(cell.p, cell.len);
		if (c->type == IX_REAL) {
			size_t left = point(cell.p, cell.len), right = cell.len - left;

			w->left = left > w->left ? left : w->left;
			w->right = right > w->right ? right : w->right;
			n = w->left + w->right;
		}
		w->all = n > w->all ? n : w->all;
	}
	w->all = w->left + w->right > w->all ? w->left + w->right : w->all;
	if (strlen(t->cols[col].name) > w->all)
		w->all = strlen(t->cols[col].name);
	lm_buf_free(&cell);
}

static bool
right_justified(const struct ix_column *c)
{
	return c->type == IX_INT || c->type == IX_REAL;
}

static void
put_cell(struct lm_buf *out, const struct ix_table *t, size_t row, size_t col, const struct widths *w,
    bool ascii, bool last)
{
	const struct ix_cell *c = ix_table_cell(t, row, col);
	struct lm_buf cell = { 0 };
	size_t n, after = 0;

	ui_text_cell(&cell, c, true, ascii);
	n = ui_text_width(cell.p, cell.len);
	if (c->type == IX_REAL)
		after = w->right - (cell.len - point(cell.p, cell.len));
	if (right_justified(&t->cols[col]))
		pad(out, w->all - n - after);
	ui_buf_add(out, cell.p, cell.len);
	if (!last)
		pad(out, right_justified(&t->cols[col]) ? after : w->all - n);
	lm_buf_free(&cell);
}

static void
put_table(struct lm_buf *out, const struct ix_table *t, bool ascii)
{
	struct widths *w = ui_xalloc(t->n_cols, sizeof(*w));

	for (size_t c = 0; c < t->n_cols; c++) {
		size_t n = strlen(t->cols[c].name);

		measure(t, c, ascii, &w[c]);
		ui_buf_str(out, c ? "  " : "");
		if (right_justified(&t->cols[c]))
			pad(out, w[c].all - n);
		ui_buf_str(out, t->cols[c].name);
		if (!right_justified(&t->cols[c]) && c + 1 < t->n_cols)
			pad(out, w[c].all - n);
	}
	ui_buf_str(out, "\n");
	for (size_t r = 0; r < t->n_rows; r++) {
		for (size_t c = 0; c < t->n_cols; c++) {
			ui_buf_str(out, c ? "  " : "");
			put_cell(out, t, r, c, &w[c], ascii, c + 1 == t->n_cols);
		}
		ui_buf_str(out, "\n");
	}
	if (t->more)
		ui_buf_printf(out, "+%llu more\n", (unsigned long long)t->more);
	ui_free(w);
}

/* ---- fields ------------------------------------------------------------------------------------------------ */

/* Running text keeps its line ends; what follows one stands below the first line. */
static void
put_running(struct lm_buf *out, const char *p, size_t n, size_t indent, bool ascii)
{
	for (size_t i = 0, k; i <= n; i += k + 1) {
		const char *end = i < n ? memchr(p + i, '\n', n - i) : NULL;

		k = end ? (size_t)(end - p) - i : n - i;
		if (i)
			pad(out, indent);
		ui_buf_escape(out, p + i, k, ascii);
		ui_buf_str(out, "\n");
	}
}

static void
put_array(struct lm_buf *out, const struct ui_field *f)
{
	size_t n = 1;

	for (unsigned i = 0; i < f->dims; i++) {
		ui_buf_printf(out, "%s%zu", i ? " x " : "", f->shape[i]);
		n *= f->shape[i];
	}
	ui_buf_str(out, ":");
	for (size_t i = 0; i < n && i < ARRAY_SHOWN; i++) {
		ui_buf_str(out, " ");
		ui_text_real(out, (double)f->numbers[i]);
	}
	if (n > ARRAY_SHOWN)
		ui_buf_printf(out, " +%zu more", n - ARRAY_SHOWN);
	ui_buf_str(out, "\n");
}

static void
put_fields(struct lm_buf *out, const struct ui_result *r, size_t indent, bool ascii)
{
	size_t width = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->fields[i]->kind != UI_TABLE && strlen(r->fields[i]->name) > width)
			width = strlen(r->fields[i]->name);
	for (size_t i = 0; i < r->n; i++) {
		const struct ui_field *f = r->fields[i];

		if (f->kind == UI_TABLE) {
			if (strcmp(f->name, "rows") != 0)
				ui_buf_printf(out, "%s:\n", f->name);
			put_table(out, &f->table, ascii);
			continue;
		}
		pad(out, indent);
		ui_buf_printf(out, "%-*s", (int)width + 2, f->name);
		if (f->kind == UI_OBJECT) {
			ui_buf_str(out, "\n");
			put_fields(out, f->object, indent + 2, ascii);
		} else if (f->kind == UI_ARRAY) {
			put_array(out, f);
		} else if (f->value.type == IX_TOKEN && strcmp(f->name, "text") == 0) {
			put_running(out, f->value.s.p, f->value.s.n, indent + width + 2, ascii);
		} else {
			ui_text_cell(out, &f->value, true, ascii);
			ui_buf_str(out, "\n");
		}
	}
}

void
ui_out_text(struct lm_buf *out, const struct ui_result *r, bool ascii)
{
	put_fields(out, r, 0, ascii);
}

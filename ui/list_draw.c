/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_draw.c - a list on the screen: which columns fit, and their cells.
 */
#include "config.h"

#include "ui/app.h"
#include "ui/list.h"

#include <math.h>
#include <string.h>

enum { MAX_COLS = 24, MEASURED = 200, GAP = 2, NARROW = 16 };

/* A column as it is laid out. */
struct laid {
	struct ui_col col;
	int index;			/* in the answer; of the layer for UI_C_NEURON */
	int x, w;			/* w 0: dropped */
	enum ix_type type;
	double scale;			/* largest magnitude loaded */
	int decimals;
};

static const struct ix_cell *
cell(const struct ui_list *l, size_t i, int col)
{
	static const struct ix_cell none = { .type = IX_NULL };
	size_t row = l->shown[i];

	for (size_t k = 0; k < l->n_parts; k++) {
		const struct ix_table *t = ui_result_table(l->parts[k]);

		if (row < t->n_rows)
			return ix_table_cell(t, row, (size_t)col);
		row -= t->n_rows;
	}
	return &none;
}

static void
neuron_text(const struct ui_list *l, size_t i, struct lm_buf *out)
{
	struct ui_neuron n;

	if (ui_list_neuron(l, i, &n))
		ui_buf_printf(out, "%u.%u", n.layer, n.neuron);
}

/* A cell as text: neurons by their number, numbers with the decimals of their column. */
static void
cell_text(const struct ui_list *l, size_t i, const struct laid *c, struct lm_buf *out)
{
	const struct ix_cell *v = cell(l, i, c->index);

	if (c->col.kind == UI_C_NEURON)
		neuron_text(l, i, out);
	else if (v->type == IX_REAL)
		ui_text_fixed(out, v->r, c->decimals);
	else
		ui_text_cell(out, v, false, false);
}

/* Cells that the values of a column take, of the rows loaded first. */
static int
measure(const struct ui_list *l, const struct laid *c)
{
	struct lm_buf text = { 0 };
	size_t w = strlen(c->col.title);

	for (size_t i = 0; i < l->n && i < MEASURED; i++) {
		size_t n;

		text.len = 0;
		cell_text(l, i, c, &text);
		n = ui_text_width(text.p ? text.p : "", text.len);
		w = n > w ? n : w;
	}
	lm_buf_free(&text);
	return (int)(w > 60 ? 60 : w);
}

static double
largest(const struct ui_list *l, int col)
{
	double max = 0;

	/* Of the rows loaded first: they are the largest where order matters, and drawing must not wait. */
	for (size_t i = 0; i < l->n && i < 10 * MEASURED; i++) {
		const struct ix_cell *c = cell(l, i, col);

		if (c->type == IX_REAL && isfinite(c->r) && fabs(c->r) > max)
			max = fabs(c->r);
	}
	return max;
}

static bool
right(const struct laid *c)
{
	return (c->col.kind == UI_C_AUTO || c->col.kind == UI_C_PERCENT || c->col.kind == UI_C_SIGN) &&
	    (c->type == IX_INT || c->type == IX_REAL);
}

/* The columns to show: those of the view, else all of the answer. */
static size_t
choose(const struct ui_list *l, struct laid *out)
{
	const struct ix_table *t = ui_result_table(l->parts[0]);
	size_t n = l->cols ? l->n_cols : t->n_cols, k = 0;

	for (size_t i = 0; i < n && k < MAX_COLS; i++) {
		struct laid *c = &out[k];

		*c = (struct laid){ 0 };
		if (l->cols)
			c->col = l->cols[i];
		else
			c->col = (struct ui_col){ t->cols[i].name, t->cols[i].name, UI_C_AUTO, 0, 0, (int)i };
		c->index = ix_table_col(t, c->col.name);
		if (c->index < 0)
			continue;
		c->type = t->cols[c->index].type;
		if (c->type == IX_REAL)
			c->scale = largest(l, c->index);
		c->decimals = ui_text_decimals(c->scale);
		c->w = c->col.min ? c->col.min : measure(l, c);
		k++;
	}
	return k;
}

static int
total_width(const struct laid *c, size_t n)
{
	int w = -GAP;

	for (size_t i = 0; i < n; i++)
		w += c[i].w ? c[i].w + GAP : 0;
	return w;
}

/* The widest column of text that can still give, or NULL. */
static struct laid *
widest(struct laid *c, size_t n)
{
	struct laid *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (c[i].col.min == 0 && c[i].w > NARROW && (c[i].type == IX_TEXT || c[i].type == IX_TOKEN) &&
		    (!found || c[i].w > found->w))
			found = &c[i];
	return found;
}

/* Narrows and drops columns until the rest fits, then gives what is left to those that can use it. */
static void
fit(struct laid *c, size_t n, int width)
{
	while (total_width(c, n) > width) {
		struct laid *wide = widest(c, n);
		size_t worst = 0, left = 0;

		if (wide) {
			wide->w--;
			continue;
		}

		for (size_t i = 0; i < n; i++) {
			left += c[i].w > 0;
			if (c[i].w && (!c[worst].w || c[i].col.drop >= c[worst].col.drop))
				worst = i;
		}
		if (left <= 1)
			break;
		c[worst].w = 0;
	}
	for (bool more = true; more && total_width(c, n) < width;) {
		more = false;
		for (size_t i = 0; i < n && total_width(c, n) < width; i++)
			if (c[i].w && c[i].w < c[i].col.max) {
				c[i].w++;
				more = true;
			}
	}
	for (size_t i = 0, x = 0; i < n; i++) {
		c[i].x = (int)x;
		x += c[i].w ? (size_t)c[i].w + GAP : 0;
	}
}

/* ---- cells ----------------------------------------------------------------------------------------------- */

static void
draw_spark(const struct ui_canvas *cv, int y, const struct laid *c, const struct ix_cell *list)
{
	double v[64], max = 0;
	size_t n = list->list.n < 64 ? list->list.n : 64;

	for (size_t i = 0; i < n; i++)
		max = fmax(max, (double)list->list.v[i].i);
	for (size_t i = 0; i < n; i++)
		v[i] = max > 0 ? (double)list->list.v[i].i / max : 0;
	ui_spark(cv, y, c->x, UI_R_BAR, v, n < (size_t)c->w ? n : (size_t)c->w);
}

static void
draw_bar(const struct ui_canvas *cv, int y, const struct laid *c, double v, enum ui_role role)
{
	int number = 9, bar = c->w - number;

	if (bar >= 4)
		ui_bar(cv, y, c->x, bar, v < 0 ? UI_R_NEGATIVE : UI_R_BAR, c->scale > 0 ? fabs(v) / c->scale : 0);
	else
		bar = 0;
	ui_put_real_at(cv, y, c->x + bar, c->w - bar < number ? c->w - bar : number, role, v,
	    c->decimals);
}

static void
draw_tokens(const struct ui_canvas *cv, int y, const struct laid *c, const struct ix_cell *list)
{
	int x = c->x, end = c->x + c->w;

	for (size_t i = 0; i < list->list.n && x + 3 < end; i++) {
		const struct ix_cell *t = &list->list.v[i];
		const char *p = t->s.p;
		size_t n = t->s.n;

		if (t->type != IX_TOKEN)
			continue;
		/* In a row of words the leading space says nothing. */
		if (n > 1 && *p == ' ')
			p++, n--;
		x = ui_put_token_text(cv, y, x, end - x, UI_R_TOKEN, p, n) + 2;
	}
}

static void
draw_cell(const struct ui_list *l, const struct ui_canvas *cv, int y, size_t i, const struct laid *c,
    enum ui_role role)
{
	const struct ix_cell *v = cell(l, i, c->index);
	struct lm_buf text = { 0 };
	int w;

	switch (c->col.kind) {
	case UI_C_NEURON:
		neuron_text(l, i, &text);
		ui_puts(cv, y, c->x, c->w, role, text.p ? text.p : "");
		break;
	case UI_C_BAR:
		if (v->type == IX_REAL)
			draw_bar(cv, y, c, v->r, role);
		break;
	case UI_C_SPARK:
		if (v->type == IX_LIST)
			draw_spark(cv, y, c, v);
		break;
	case UI_C_TOKENS:
		if (v->type == IX_LIST)
			draw_tokens(cv, y, c, v);
		break;
	case UI_C_PERCENT:
		ui_buf_printf(&text, "%.0f%%", v->type == IX_REAL ? v->r * 100 : 0);
		ui_puts(cv, y, c->x + c->w - (int)text.len, c->w, role, text.p);
		break;
	case UI_C_SIGN:
		if (v->type != IX_REAL)
			break;
		ui_buf_printf(&text, v->r < 0 ? "-%.4f" : "+%.4f", fabs(v->r));
		w = (int)text.len < c->w ? c->w - (int)text.len : 0;
		ui_puts(cv, y, c->x + w, c->w, v->r < 0 ? UI_R_NEGATIVE : UI_R_POSITIVE, text.p);
		break;
	case UI_C_AUTO:
		if (v->type == IX_TOKEN) {
			ui_put_token_text(cv, y, c->x, c->w, role == UI_R_NORMAL ? UI_R_TOKEN : role, v->s.p, v->s.n);
			break;
		}
		if (v->type == IX_REAL)
			ui_text_fixed(&text, v->r, c->decimals);
		else
			ui_text_cell(&text, v, false, cv->ascii);
		w = (int)ui_text_width(text.p, text.len);
		ui_puts(cv, y, right(c) && w < c->w ? c->x + c->w - w : c->x,
		    right(c) && w < c->w ? w : c->w, role, text.p);
	}
	lm_buf_free(&text);
}

/* True when the cell's own text holds what is searched for: it is lit. */
static bool
lit(const struct ui_list *l, size_t i, const struct laid *c)
{
	struct lm_buf text = { 0 };
	bool hit;

	if (!l->find || c->col.kind == UI_C_SPARK)
		return false;
	cell_text(l, i, c, &text);
	hit = text.p && strcasestr(text.p, l->find);
	lm_buf_free(&text);
	return hit;
}

/* ---- the list -------------------------------------------------------------------------------------------- */

static void
draw_row(const struct ui_list *l, const struct ui_canvas *c, int y, size_t i, const struct laid *cols,
    size_t n)
{
	struct ui_canvas row = *c;
	bool here = i == l->cursor, tagged = l->tagged[l->shown[i]];
	enum ui_role role = tagged ? UI_R_TAGGED : UI_R_NORMAL;

	row.extra = here ? ui_attr(UI_R_SELECTED) : 0;
	if (here)
		ui_blank(&row, y, 0, -1, UI_R_NORMAL);
	ui_puts(&row, y, 0, 1, role, here ? ">" : tagged ? "*" : " ");
	row = ui_part(&row, 0, 2, row.r.h, row.r.w - 2);
	for (size_t k = 0; k < n; k++)
		if (cols[k].w)
			draw_cell(l, &row, y, i, &cols[k], lit(l, i, &cols[k]) ? UI_R_MATCH : role);
}

static void
draw_header(const struct ui_list *l, const struct ui_canvas *c, const struct laid *cols, size_t n)
{
	struct ui_canvas head = ui_part(c, 0, 2, 1, c->r.w - 2);

	for (size_t k = 0; k < n; k++) {
		int w = (int)strlen(cols[k].col.title), x = cols[k].x;

		if (!cols[k].w)
			continue;
		if (right(&cols[k]) && w < cols[k].w)
			x += cols[k].w - w;
		x = ui_puts(&head, 0, x, cols[k].w, UI_R_HEADER, cols[k].col.title);
		if (cols[k].index == l->sort)
			ui_puts(&head, 0, x, 1, UI_R_KEY, l->reverse ? "^" : "v");
	}
}

static void
scroll(struct ui_list *l, size_t rows)
{
	if (l->cursor < l->top)
		l->top = l->cursor;
	if (rows && l->cursor >= l->top + rows)
		l->top = l->cursor - rows + 1;
	if (l->top + rows > l->n)
		l->top = l->n > rows ? l->n - rows : 0;
}

void
ui_list_draw(struct view *v, const struct ui_canvas *c)
{
	struct ui_list *l = v->list;
	struct laid cols[MAX_COLS];
	size_t n, rows = c->r.h > 1 ? (size_t)c->r.h - 1 : 0;

	v->height = c->r.h;
	if (l->n_parts == 0) {
		if (v->err.code != LM_OK)
			ui_puts(c, 1, 2, -1, UI_R_ERROR, v->err.msg);
		else
			ui_puts(c, 1, 2, -1, UI_R_DIM, v->waiting ? "working..." : "nothing to show");
		return;
	}
	n = choose(l, cols);
	/* Scrolled columns: the first ones go away, but what names the row stays. */
	if (l->xoff >= (int)n)
		l->xoff = n ? (int)n - 1 : 0;
	for (int k = 1; k <= l->xoff && k < (int)n; k++)
		cols[k].w = 0;
	fit(cols, n, c->r.w - 3);
	draw_header(l, c, cols, n);
	scroll(l, rows);
	for (size_t i = 0; i < rows && l->top + i < l->n; i++)
		draw_row(l, c, (int)i + 1, l->top + i, cols, n);
	if (l->n == 0)
		ui_puts(c, 1, 2, -1, UI_R_DIM, l->filter ? "no row passes the filter; Esc clears it" : "no rows");
}

int
ui_list_click(struct view *v, int y, int x, bool twice)
{
	struct ui_list *l = v->list;

	(void)x;
	if (y == 0)
		return ui_list_act(v, UI_A_sort);
	if (l->top + (size_t)y - 1 >= l->n)
		return UI_IGNORED;
	l->cursor = l->top + (size_t)y - 1;
	if (twice)
		app_act(v->app, UI_A_open);
	return UI_HANDLED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.c - the rows of a list: loading, order, filter, search, movement.  list_draw.c draws them.
 */
#include "config.h"

#include "ui/app.h"
#include "ui/list.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS_UP_TO = 20000 };		/* rows up to which a search looks at numbers, too */

struct ui_list *
ui_list_new(const struct ui_col *cols, size_t n_cols)
{
	struct ui_list *l = ui_xalloc(1, sizeof(*l));

	l->cols = cols;
	l->n_cols = n_cols;
	l->sort = -1;
	return l;
}

void
ui_list_clear(struct ui_list *l)
{
	for (size_t i = 0; i < l->n_parts; i++)
		ui_result_unref(l->parts[i]);
	ui_free(l->parts);
	ui_free(l->shown);
	ui_free(l->tagged);
	l->parts = NULL;
	l->shown = NULL;
	l->tagged = NULL;
	l->n_parts = l->loaded = l->n = 0;
	l->total = 0;
}

void
ui_list_free(struct ui_list *l)
{
	if (!l)
		return;
	ui_list_clear(l);
	ui_free(l->find);
	ui_free(l->filter);
	ui_free(l);
}

/* ---- cells ----------------------------------------------------------------------------------------------- */

/* The part that holds a row, and its number in it. */
static const struct ix_table *
part_of(const struct ui_list *l, size_t row, size_t *at)
{
	for (size_t i = 0; i < l->n_parts; i++) {
		const struct ix_table *t = ui_result_table(l->parts[i]);

		if (row < t->n_rows) {
			*at = row;
			return t;
		}
		row -= t->n_rows;
	}
	return NULL;
}

static const struct ix_cell none = { .type = IX_NULL };

static const struct ix_cell *
cell_at(const struct ui_list *l, size_t row, int col)
{
	size_t at;
	const struct ix_table *t = part_of(l, row, &at);

	return t && col >= 0 ? ix_table_cell(t, at, (size_t)col) : &none;
}

const struct ix_cell *
ui_list_cell(const struct ui_list *l, size_t i, const char *name)
{
	if (i >= l->n)
		return &none;
	return cell_at(l, l->shown[i], ix_table_col(ui_result_table(l->parts[0]), name));
}

bool
ui_list_neuron(const struct ui_list *l, size_t i, struct ui_neuron *out)
{
	const struct ix_cell *layer = ui_list_cell(l, i, "layer"), *neuron = ui_list_cell(l, i, "neuron");

	if (layer->type != IX_INT || neuron->type != IX_INT)
		return false;
	*out = (struct ui_neuron){ (uint32_t)layer->i, (uint32_t)neuron->i };
	return true;
}

/* ---- order and filter ------------------------------------------------------------------------------------ */

/* Smart case: capitals in the pattern count, otherwise none do. */
static bool
contains(const char *s, size_t n, const char *pattern)
{
	size_t m = strlen(pattern);
	bool exact = false;

	for (const char *p = pattern; *p; p++)
		exact = exact || isupper((unsigned char)*p);
	for (size_t i = 0; i + m <= n; i++) {
		size_t k = 0;

		while (k < m && (exact ? s[i + k] == pattern[k] :
		    tolower((unsigned char)s[i + k]) == (unsigned char)pattern[k]))
			k++;
		if (k == m)
			return true;
	}
	return false;
}

/* A row matches where the text of one of its cells, or its neuron, does. */
static bool
row_matches(const struct ui_list *l, size_t row, const char *pattern)
{
	size_t at;
	const struct ix_table *t = part_of(l, row, &at);
	int layer = ix_table_col(t, "layer"), neuron = ix_table_col(t, "neuron");
	struct lm_buf text = { 0 };
	bool hit = false;

	for (size_t c = 0; c < t->n_cols && !hit; c++) {
		enum ix_type type = ix_table_cell(t, at, c)->type;

		/* In long lists only words are looked at: formatting every number would take too long. */
		if (l->loaded > NUMBERS_UP_TO && type != IX_TEXT && type != IX_TOKEN)
			continue;
		text.len = 0;
		ui_text_cell(&text, ix_table_cell(t, at, c), false, false);
		hit = contains(text.p, text.len, pattern);
	}
	if (!hit && layer >= 0 && neuron >= 0) {
		text.len = 0;
		ui_buf_printf(&text, "%lld.%lld", (long long)ix_table_cell(t, at, (size_t)layer)->i,
		    (long long)ix_table_cell(t, at, (size_t)neuron)->i);
		hit = contains(text.p, text.len, pattern);
	}
	lm_buf_free(&text);
	return hit;
}

/* Numbers first, largest first; then text, in the order of its bytes; then nothing. */
static int
order(const struct ix_cell *a, const struct ix_cell *b)
{
	bool na = a->type == IX_INT || a->type == IX_REAL || a->type == IX_BOOL;
	bool nb = b->type == IX_INT || b->type == IX_REAL || b->type == IX_BOOL;
	bool ta = a->type == IX_TEXT || a->type == IX_TOKEN, tb = b->type == IX_TEXT || b->type == IX_TOKEN;

	if (na && nb) {
		double x = a->type == IX_REAL ? a->r : (double)a->i, y = b->type == IX_REAL ? b->r : (double)b->i;

		if (isnan(x) || isnan(y))
			return isnan(x) - isnan(y);
		return x > y ? -1 : x < y;
	}
	if (ta && tb) {
		size_t n = a->s.n < b->s.n ? a->s.n : b->s.n;
		int c = n ? memcmp(a->s.p, b->s.p, n) : 0;

		return c ? c : a->s.n < b->s.n ? -1 : a->s.n > b->s.n;
	}
	return na != nb ? (na ? -1 : 1) : ta != tb ? (ta ? -1 : 1) : 0;
}


static int
by_order(const void *a, const void *b, void *ctx)
{
	const struct ui_list *l = ctx;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int c = l->sort >= 0 ? order(cell_at(l, x, l->sort), cell_at(l, y, l->sort)) : 0;

	if (l->reverse)
		c = -c;
	if (c == 0)
		return x < y ? -1 : x > y;
	return c;
}

/* Makes shown[] anew; the cursor stays on its row when that is still there. */
static void
arrange(struct ui_list *l)
{
	size_t row = l->n && l->cursor < l->n ? l->shown[l->cursor] : SIZE_MAX, place = l->cursor;

	l->shown = ui_xresize(l->shown, l->loaded + 1, sizeof(*l->shown));
	l->n = 0;
	for (size_t i = 0; i < l->loaded; i++)
		if (!l->filter || row_matches(l, i, l->filter))
			l->shown[l->n++] = i;
	if (l->sort >= 0 || l->reverse)
		qsort_r(l->shown, l->n, sizeof(*l->shown), by_order, l);
	for (size_t i = 0; i < l->n; i++)
		if (l->shown[i] == row)
			place = i;
	ui_list_goto(l, place);
}

bool
ui_list_add(struct ui_list *l, struct ui_result *r)
{
	const struct ix_table *t = ui_result_table(r);
	bool first = l->n_parts == 0;

	if (!t)
		return false;
	l->parts = ui_xresize(l->parts, l->n_parts + 1, sizeof(*l->parts));
	l->parts[l->n_parts++] = ui_result_ref(r);
	l->tagged = ui_xresize(l->tagged, l->loaded + t->n_rows + 1, sizeof(*l->tagged));
	memset(l->tagged + l->loaded, 0, t->n_rows + 1);
	l->loaded += t->n_rows;
	l->total = l->loaded + t->more;
	if (first && l->sort >= (int)t->n_cols)
		l->sort = -1;
	arrange(l);
	return true;
}

void
ui_list_goto(struct ui_list *l, size_t i)
{
	l->cursor = l->n == 0 ? 0 : i < l->n ? i : l->n - 1;
}

/* ---- searching ------------------------------------------------------------------------------------------- */

void
ui_list_find(struct view *v, const char *text, int step)
{
	struct ui_list *l = v->list;
	size_t i = l->cursor;

	if (text) {
		char *copy = *text ? ui_xstrdup(text) : NULL;

		ui_free(l->find);
		l->find = copy;
	}
	l->matches = l->place = 0;
	l->wrapped = false;
	if (!l->find || l->n == 0)
		return;
	for (size_t k = 0; k < l->n; k++)
		l->matches += row_matches(l, l->shown[k], l->find);
	if (l->matches == 0) {
		app_error(v->app, "no row matches %s%s", l->find, l->loaded < l->total ?
		    " among those loaded; G loads all" : "");
		return;
	}
	if (step == 0 && row_matches(l, l->shown[i], l->find))
		step = 0;
	else
		do {
			size_t next = (i + l->n + (size_t)(step < 0 ? -1 : 1)) % l->n;

			l->wrapped = l->wrapped || (step < 0 ? next > i : next < i);
			i = next;
		} while (!row_matches(l, l->shown[i], l->find));
	l->cursor = i;
	for (size_t k = 0; k <= i; k++)
		l->place += row_matches(l, l->shown[k], l->find);
}

void
ui_list_filter(struct view *v, const char *text)
{
	struct ui_list *l = v->list;

	ui_free(l->filter);
	l->filter = text && *text ? ui_xstrdup(text) : NULL;
	arrange(l);
	if (l->filter && l->n == 0)
		app_error(v->app, "no row matches the filter %s", l->filter);
}

/* ---- movement -------------------------------------------------------------------------------------------- */

static void
move(struct ui_list *l, long by)
{
	long to = (long)l->cursor + by, last = (long)l->n - 1;

	l->cursor = to < 0 || last < 0 ? 0 : (size_t)(to > last ? last : to);
}

static void
tag(struct ui_list *l)
{
	if (l->n)
		l->tagged[l->shown[l->cursor]] = !l->tagged[l->shown[l->cursor]];
	move(l, 1);
}

/* Sorting goes through the columns of the answer, then back to how it came. */
static void
next_sort(struct ui_list *l)
{
	int n = l->n_parts ? (int)ui_result_table(l->parts[0])->n_cols : 0;

	l->sort = l->sort + 1 < n ? l->sort + 1 : -1;
	arrange(l);
}

int
ui_list_act(struct view *v, enum ui_action a)
{
	struct ui_list *l = v->list;
	long page = v->height > 2 ? v->height - 2 : 1;

	switch (a) {
	case UI_A_down:		move(l, 1); break;
	case UI_A_up:		move(l, -1); break;
	case UI_A_page_down:	move(l, page); break;
	case UI_A_page_up:	move(l, -page); break;
	case UI_A_half_down:	move(l, page / 2); break;
	case UI_A_half_up:	move(l, -page / 2); break;
	case UI_A_first:	l->cursor = 0; break;
	case UI_A_last:		move(l, (long)l->n); break;
	case UI_A_left:		l->xoff -= l->xoff > 0; break;
	case UI_A_right:	l->xoff++; break;
	case UI_A_tag:		tag(l); break;
	case UI_A_untag:
		memset(l->tagged, 0, l->loaded);
		break;
	case UI_A_find_next:	ui_list_find(v, NULL, 1); break;
	case UI_A_find_prev:	ui_list_find(v, NULL, -1); break;
	case UI_A_sort:		next_sort(l); break;
	case UI_A_reverse:
		l->reverse = !l->reverse;
		arrange(l);
		break;
	case UI_A_escape:
		if (!l->find && !l->filter)
			return UI_IGNORED;
		if (l->filter)
			ui_list_filter(v, NULL);
		else
			ui_list_find(v, "", 0);
		break;
	default:
		return UI_IGNORED;
	}
	return UI_HANDLED;
}

void
ui_list_status(const struct ui_list *l, struct lm_buf *out)
{
	size_t tags = 0;

	for (size_t i = 0; i < l->loaded; i++)
		tags += l->tagged[i];
	if (l->n)
		ui_buf_printf(out, "row %zu/%zu %zu%%", l->cursor + 1, l->n, (l->cursor + 1) * 100 / l->n);
	else
		ui_buf_str(out, "no rows");
	if (l->loaded < l->total)
		ui_buf_printf(out, " +%llu more", (unsigned long long)(l->total - l->loaded));
	if (l->filter)
		ui_buf_printf(out, "  filter \\%s (of %zu)", l->filter, l->loaded);
	if (l->find && l->matches)
		ui_buf_printf(out, "  /%s %zu/%zu%s", l->find, l->place, l->matches,
		    l->wrapped ? ", wrapped" : "");
	if (tags)
		ui_buf_printf(out, "  %zu tagged", tags);
}

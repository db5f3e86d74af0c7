/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result.c - building answers.
 */
#include "config.h"

#include "ui/result.h"

#include <string.h>

struct ui_result *
ui_result_new(void)
{
	struct ui_result *r = ui_xalloc(1, sizeof(*r));

	atomic_init(&r->refs, 1);
	return r;
}

struct ui_result *
ui_result_ref(struct ui_result *r)
{
	atomic_fetch_add(&r->refs, 1);
	return r;
}

void
ui_result_unref(struct ui_result *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	for (size_t i = 0; i < r->n; i++) {
		struct ui_field *f = r->fields[i];

		ui_free(f->numbers);
		ix_table_free(&f->table);
		ui_result_unref(f->object);
		ui_free(f);
	}
	ui_free(r->fields);
	ix_arena_free(&r->arena);
	ui_free(r);
}

static struct ui_field *
add(struct ui_result *r, const char *name, enum ui_kind kind)
{
	struct ui_field *f = ui_xalloc(1, sizeof(*f));

	if ((r->n & (r->n - 1)) == 0)
		r->fields = ui_xresize(r->fields, r->n ? r->n * 2 : 1, sizeof(*r->fields));
	f->name = name;
	f->kind = kind;
	r->fields[r->n++] = f;
	return f;
}

/* A copy of bytes that lives as long as the arena. */
static const char *
keep(struct ix_arena *a, const char *p, size_t n)
{
	struct lm_err err;
	char *copy = ix_arena_copy(a, p, n, &err);

	if (!copy)
		ui_die(UI_FAILED, "%s", err.msg);
	return copy;
}

static struct ix_cell
copy_cell(struct ix_arena *a, const struct ix_cell *c)
{
	struct ix_cell out = *c;
	struct lm_err err;
	struct ix_cell *v;

	if (c->type == IX_TEXT || c->type == IX_TOKEN)
		out.s.p = keep(a, c->s.p, c->s.n);
	if (c->type == IX_LIST) {
		v = ix_arena_get(a, (c->list.n + 1) * sizeof(*v), &err);
		if (!v)
			ui_die(UI_FAILED, "%s", err.msg);
		for (size_t i = 0; i < c->list.n; i++)
			v[i] = copy_cell(a, &c->list.v[i]);
		out.list.v = v;
	}
	return out;
}

static void
copy_table(struct ix_table *to, const struct ix_table *from)
{
	to->cols = ui_xalloc(from->n_cols, sizeof(*to->cols));
	if (from->n_cols)
		memcpy(to->cols, from->cols, from->n_cols * sizeof(*to->cols));
	to->n_cols = from->n_cols;
	to->more = from->more;
	for (size_t r = 0; r < from->n_rows; r++) {
		struct ix_cell *row = ui_row(to);

		for (size_t c = 0; c < from->n_cols; c++)
			row[c] = copy_cell(&to->arena, ix_table_cell(from, r, c));
	}
}

struct ui_result *
ui_result_copy(const struct ui_result *r)
{
	struct ui_result *out = ui_result_new();

	for (size_t i = 0; i < r->n; i++) {
		const struct ui_field *f = r->fields[i];
		struct ui_field *g = add(out, f->name, f->kind);
		size_t n = 1;

		switch (f->kind) {
		case UI_VALUE:
			g->value = copy_cell(&out->arena, &f->value);
			break;
		case UI_TABLE:
			copy_table(&g->table, &f->table);
			break;
		case UI_OBJECT:
			g->object = ui_result_copy(f->object);
			break;
		case UI_ARRAY:
			for (unsigned k = 0; k < f->dims; k++)
				n *= g->shape[k] = f->shape[k];
			g->dims = f->dims;
			g->numbers = ui_xalloc(n, sizeof(*g->numbers));
			memcpy(g->numbers, f->numbers, n * sizeof(*g->numbers));
		}
	}
	return out;
}

struct ui_field *
ui_result_find(const struct ui_result *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->fields[i]->name, name) == 0)
			return r->fields[i];
	return NULL;
}

struct ix_table *
ui_result_table(const struct ui_result *r)
{
	struct ui_field *f = ui_result_find(r, "rows");

	if (f && f->kind == UI_TABLE)
		return &f->table;
	for (size_t i = 0; i < r->n; i++)
		if (r->fields[i]->kind == UI_TABLE)
			return &r->fields[i]->table;
	return NULL;
}

void
ui_put(struct ui_result *r, const char *name, struct ix_cell value)
{
	if (value.type == IX_TEXT || value.type == IX_TOKEN)
		value.s.p = keep(&r->arena, value.s.p, value.s.n);
	add(r, name, UI_VALUE)->value = value;
}

void
ui_put_int(struct ui_result *r, const char *name, int64_t v)
{
	ui_put(r, name, ix_int(v));
}

void
ui_put_real(struct ui_result *r, const char *name, double v)
{
	ui_put(r, name, ix_real(v));
}

void
ui_put_bool(struct ui_result *r, const char *name, bool v)
{
	ui_put(r, name, ix_bool(v));
}

void
ui_put_text(struct ui_result *r, const char *name, const char *s)
{
	if (s)
		ui_put(r, name, ix_text(s, strlen(s)));
	else
		ui_put_null(r, name);
}

void
ui_put_token(struct ui_result *r, const char *name, const char *p, size_t n)
{
	ui_put(r, name, (struct ix_cell){ .type = IX_TOKEN, .s = { p, n } });
}

void
ui_put_null(struct ui_result *r, const char *name)
{
	ui_put(r, name, (struct ix_cell){ .type = IX_NULL });
}

void
ui_put_list(struct ui_result *r, const char *name, const struct ix_cell *v, size_t n)
{
	struct lm_err err;
	struct ix_cell *copy = ix_arena_get(&r->arena, (n + 1) * sizeof(*copy), &err);

	if (!copy)
		ui_die(UI_FAILED, "%s", err.msg);
	if (n)
		memcpy(copy, v, n * sizeof(*copy));
	ui_put(r, name, (struct ix_cell){ .type = IX_LIST, .list = { copy, n } });
}

void
ui_put_ids(struct ui_result *r, const char *name, const uint32_t *ids, size_t n)
{
	struct ix_cell *v = ui_xalloc(n, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = ix_int(ids[i]);
	ui_put_list(r, name, v, n);
	ui_free(v);
}

lm_real *
ui_put_array(struct ui_result *r, const char *name, unsigned dims, const size_t *shape)
{
	struct ui_field *f = add(r, name, UI_ARRAY);
	size_t n = 1;

	f->dims = dims;
	for (unsigned i = 0; i < dims; i++)
		n *= f->shape[i] = shape[i];
	f->numbers = ui_xalloc(n, sizeof(*f->numbers));
	return f->numbers;
}

struct ix_table *
ui_put_table(struct ui_result *r, const char *name, const char *columns)
{
	struct ui_field *f = add(r, name, UI_TABLE);
	struct lm_err err;

	if (!ix_table_init(&f->table, columns, &err))
		ui_die(UI_FAILED, "%s", err.msg);
	return &f->table;
}

struct ui_result *
ui_put_object(struct ui_result *r, const char *name)
{
	struct ui_field *f = add(r, name, UI_OBJECT);

	return f->object = ui_result_new();
}

struct ix_cell *
ui_row(struct ix_table *t)
{
	struct lm_err err;
	struct ix_cell *row = ix_table_add(t, &err);

	if (!row)
		ui_die(UI_FAILED, "%s", err.msg);
	return row;
}

struct ix_cell
ui_cell_token(struct ix_table *t, const char *p, size_t n)
{
	return (struct ix_cell){ .type = IX_TOKEN, .s = { keep(&t->arena, p, n), n } };
}

struct ix_cell
ui_cell_text(struct ix_table *t, const char *s)
{
	return ix_text(keep(&t->arena, s, strlen(s)), strlen(s));
}

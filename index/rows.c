/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.c - tables of typed, named cells: what views, TSV and JSON read, whether a query or a live run
 * filled them.
 */
#include "config.h"

#include "index/ix.h"

#include <string.h>

enum { BLOCK_BYTES = 64 << 10 };

/* Text and lists of the cells, handed out from blocks that never move. */
struct ix_block {
	struct ix_block *next;
	size_t used, size;
	max_align_t data[];
};

void *
ix_arena_get(struct ix_arena *a, size_t n, struct lm_err *err)
{
	size_t unit = sizeof(max_align_t), need = (n + unit - 1) / unit * unit;
	struct ix_block *b = a->blocks;
	void *p;

	if (!b || b->size - b->used < need) {
		size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;

		b = lm_alloc(1, sizeof(*b) + size, err);
		if (!b)
			return NULL;
		*b = (struct ix_block){ .next = a->blocks, .size = size };
		a->blocks = b;
	}
	p = (char *)b->data + b->used;
	b->used += need;
	return p;
}

char *
ix_arena_copy(struct ix_arena *a, const char *p, size_t n, struct lm_err *err)
{
	char *copy = ix_arena_get(a, n + 1, err);

	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

void
ix_arena_free(struct ix_arena *a)
{
	for (struct ix_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		lm_free(b);
	}
	a->blocks = NULL;
}

static const char *const type_names[] = {
	[IX_NULL] = "null", [IX_INT] = "int", [IX_REAL] = "real", [IX_BOOL] = "bool",
	[IX_TEXT] = "text", [IX_TOKEN] = "token", [IX_LIST] = "list",
};

const char *
ix_type_name(enum ix_type type)
{
	return type_names[type];
}

/* One "name:type:unit" of n bytes. */
static bool
parse_column(const char *p, size_t n, struct ix_column *c, struct lm_err *err)
{
	const char *colon = memchr(p, ':', n), *end = p + n, *unit;
	size_t name = colon ? (size_t)(colon - p) : n, type, k;

	if (!colon || name >= sizeof(c->name))
		return lm_fail(err, LM_EARG, "column %.*s: name:type wanted", (int)n, p);
	unit = memchr(colon + 1, ':', (size_t)(end - colon - 1));
	type = (size_t)((unit ? unit : end) - colon - 1);
	for (k = IX_INT; k <= IX_LIST; k++)
		if (strlen(type_names[k]) == type && memcmp(type_names[k], colon + 1, type) == 0)
			break;
	if (k > IX_LIST || (unit && (size_t)(end - unit - 1) >= sizeof(c->unit)))
		return lm_fail(err, LM_EARG, "column %.*s: no such type", (int)n, p);
	memset(c, 0, sizeof(*c));
	memcpy(c->name, p, name);
	c->type = (enum ix_type)k;
	if (unit)
		memcpy(c->unit, unit + 1, (size_t)(end - unit - 1));
	return true;
}

bool
ix_table_init(struct ix_table *t, const char *columns, struct lm_err *err)
{
	size_t n = 0;

	ix_table_free(t);
	for (const char *p = columns; *p; p += strspn(p, " "), n++)
		p += strcspn(p, " ");
	t->cols = lm_zalloc(n, sizeof(*t->cols), err);
	if (!t->cols)
		return false;
	for (const char *p = columns; *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		if (!parse_column(p, len, &t->cols[t->n_cols++], err))
			return false;
		p += len;
	}
	return true;
}

void
ix_table_free(struct ix_table *t)
{
	ix_arena_free(&t->arena);
	lm_free(t->cols);
	lm_free(t->cells);
	*t = (struct ix_table){ 0 };
}

struct ix_cell *
ix_table_add(struct ix_table *t, struct lm_err *err)
{
	struct ix_cell *row;

	if (t->n_rows == t->cap_rows) {
		size_t cap = t->cap_rows ? t->cap_rows * 2 : 16;

		if (!lm_resize(&t->cells, cap * t->n_cols, sizeof(*t->cells), err))
			return NULL;
		t->cap_rows = cap;
	}
	row = t->cells + t->n_rows++ * t->n_cols;
	for (size_t i = 0; i < t->n_cols; i++)
		row[i] = (struct ix_cell){ .type = IX_NULL };
	return row;
}

bool
ix_table_bytes(struct ix_table *t, struct ix_cell *cell, enum ix_type type, const char *p, size_t n,
    struct lm_err *err)
{
	char *copy = ix_arena_copy(&t->arena, p, n, err);

	if (!copy)
		return false;
	*cell = (struct ix_cell){ .type = type, .s = { copy, n } };
	return true;
}

struct ix_cell *
ix_table_list(struct ix_table *t, struct ix_cell *cell, size_t n, struct lm_err *err)
{
	struct ix_cell *v = ix_arena_get(&t->arena, (n + 1) * sizeof(*v), err);

	if (!v)
		return NULL;
	for (size_t i = 0; i <= n; i++)
		v[i] = (struct ix_cell){ .type = IX_NULL };
	*cell = (struct ix_cell){ .type = IX_LIST, .list = { v, n } };
	return v;
}

const struct ix_cell *
ix_table_cell(const struct ix_table *t, size_t row, size_t col)
{
	return &t->cells[row * t->n_cols + col];
}

int
ix_table_col(const struct ix_table *t, const char *name)
{
	for (size_t i = 0; i < t->n_cols; i++)
		if (strcmp(t->cols[i].name, name) == 0)
			return (int)i;
	return -1;
}

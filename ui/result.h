/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result.h - what a command answers: named fields in order, each a value, an array of numbers, a table or
 * an object of its own.  Written by out.h, drawn by the views.
 */
#ifndef UI_RESULT_H
#define UI_RESULT_H

#include "ui/base.h"

enum { UI_MAX_DIMS = 4 };

enum ui_kind { UI_VALUE, UI_ARRAY, UI_TABLE, UI_OBJECT };

struct ui_field {
	const char *name;
	enum ui_kind kind;
	struct ix_cell value;		/* UI_VALUE */
	size_t shape[UI_MAX_DIMS];	/* UI_ARRAY, row-major */
	unsigned dims;
	lm_real *numbers;
	struct ix_table table;		/* UI_TABLE */
	struct ui_result *object;	/* UI_OBJECT */
};

/* Shared by counted references; not changed any more once a second thread has one. */
struct ui_result {
	struct ui_field **fields;	/* of their own, so that pointers to them last */
	size_t n;
	struct ix_arena arena;		/* bytes of the values */
	atomic_int refs;
};

struct ui_result *ui_result_new(void);
struct ui_result *ui_result_ref(struct ui_result *r);
/* Frees with the last reference; accepts NULL. */
void ui_result_unref(struct ui_result *r);
/* A copy that shares nothing with r. */
struct ui_result *ui_result_copy(const struct ui_result *r);
/* NULL when there is none of that name. */
struct ui_field *ui_result_find(const struct ui_result *r, const char *name);
/* The table called "rows", or the first; NULL when there is none. */
struct ix_table *ui_result_table(const struct ui_result *r);

/* Names are static strings; text is copied. */
void ui_put(struct ui_result *r, const char *name, struct ix_cell value);
void ui_put_int(struct ui_result *r, const char *name, int64_t v);
void ui_put_real(struct ui_result *r, const char *name, double v);
void ui_put_bool(struct ui_result *r, const char *name, bool v);
void ui_put_text(struct ui_result *r, const char *name, const char *s);	/* NULL: null */
void ui_put_token(struct ui_result *r, const char *name, const char *p, size_t n);
void ui_put_null(struct ui_result *r, const char *name);
void ui_put_list(struct ui_result *r, const char *name, const struct ix_cell *v, size_t n);
void ui_put_ids(struct ui_result *r, const char *name, const uint32_t *ids, size_t n);
/* A field of the array's numbers, zeroed, to fill. */
lm_real *ui_put_array(struct ui_result *r, const char *name, unsigned dims, const size_t *shape);
struct ix_table *ui_put_table(struct ui_result *r, const char *name, const char *columns);
struct ui_result *ui_put_object(struct ui_result *r, const char *name);

/* The next row of a table of a result. */
struct ix_cell *ui_row(struct ix_table *t);
struct ix_cell ui_cell_token(struct ix_table *t, const char *p, size_t n);
struct ix_cell ui_cell_text(struct ix_table *t, const char *s);

#endif

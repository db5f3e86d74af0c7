/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.c - questions of queries.def, and free SQL, to tables.
 */
#include "config.h"

#include "index/db.h"

#include <string.h>

static const struct {
	const char *params, *columns, *sql, *what;
} queries[IX_NQUERIES] = {
#define QUERY(id, params, columns, sql, what) [IX_Q_##id] = { params, columns, sql, what },
#include "index/queries.def"
#undef QUERY
};

static void
bind(sqlite3_stmt *s, int i, const struct ix_cell *c)
{
	switch (c->type) {
	case IX_INT:
	case IX_BOOL:
		sqlite3_bind_int64(s, i, c->i);
		break;
	case IX_REAL:
		sqlite3_bind_double(s, i, c->r);
		break;
	case IX_TEXT:
		sqlite3_bind_text64(s, i, c->s.p, c->s.n, SQLITE_STATIC, SQLITE_UTF8);
		break;
	case IX_TOKEN:
		sqlite3_bind_blob64(s, i, c->s.n ? c->s.p : "", c->s.n, SQLITE_STATIC);
		break;
	default:
		sqlite3_bind_null(s, i);
	}
}

/* A value of the statement's row as the column's type says; a wrong one in the file becomes IX_NULL. */
static bool
fetch(struct ix_table *t, struct ix_cell *cell, sqlite3_stmt *s, int i, enum ix_type want,
    struct lm_err *err)
{
	int have = sqlite3_column_type(s, i);
	const void *bytes;

	if (have == SQLITE_NULL)
		return true;
	switch (want) {
	case IX_INT:
	case IX_BOOL:
		*cell = (struct ix_cell){ .type = want, .i = sqlite3_column_int64(s, i) };
		return true;
	case IX_REAL:
		*cell = ix_real(sqlite3_column_double(s, i));
		return true;
	case IX_TEXT:
	case IX_TOKEN:
		bytes = sqlite3_column_blob(s, i);
		return ix_table_bytes(t, cell, want, bytes, (size_t)sqlite3_column_bytes(s, i), err);
	default:
		return true;
	}
}

static bool
collect(ix_db *db, sqlite3_stmt *s, struct ix_table *out, bool typed, struct lm_err *err)
{
	bool row = true, ok;

	while ((ok = ix_step(db, s, &row, err)) && row) {
		struct ix_cell *cells = ix_table_add(out, err);

		if (!cells)
			return false;
		for (size_t i = 0; i < out->n_cols; i++) {
			enum ix_type type = out->cols[i].type;
			int have = sqlite3_column_type(s, (int)i);

			if (!typed)
				type = have == SQLITE_INTEGER ? IX_INT : have == SQLITE_FLOAT ? IX_REAL : IX_TOKEN;
			if (!fetch(out, &cells[i], s, (int)i, type, err))
				return false;
		}
	}
	return ok;
}

bool
ix_query(ix_db *db, enum ix_query q, const struct ix_cell *params, struct ix_table *out,
    struct lm_err *err)
{
	const char *p = queries[q].params;
	sqlite3_stmt *s = NULL;
	bool ok;

	if (!ix_table_init(out, queries[q].columns, err) || !ix_prepare(db, queries[q].sql, &s, err))
		return false;
	for (int i = 1; *p; p += strspn(p, " "), i++) {
		bind(s, i, &params[i - 1]);
		p += strcspn(p, " ");
	}
	ok = collect(db, s, out, true, err);
	sqlite3_finalize(s);
	return ok;
}

/* Columns as the statement names them, cut and without blanks, typed cell by cell. */
static bool
name_columns(sqlite3_stmt *s, struct ix_table *out, struct lm_err *err)
{
	int n = sqlite3_column_count(s);

	ix_table_free(out);
	out->cols = lm_zalloc((size_t)n, sizeof(*out->cols), err);
	if (!out->cols)
		return false;
	out->n_cols = (size_t)n;
	for (int i = 0; i < n; i++) {
		const char *name = sqlite3_column_name(s, i);

		strncpy(out->cols[i].name, name ? name : "", sizeof(out->cols[i].name) - 1);
		out->cols[i].type = IX_TOKEN;
	}
	return true;
}

bool
ix_sql(ix_db *db, const char *sql, size_t n, struct ix_table *out, struct lm_err *err)
{
	const char *tail = NULL;
	sqlite3_stmt *s = NULL;
	bool ok;

	if (n > INT32_MAX)
		return lm_fail(err, LM_ELIMIT, "sql: a statement of %zu bytes", n);
	if (sqlite3_prepare_v2(db->h, sql, (int)n, &s, &tail) != SQLITE_OK)
		return lm_fail(err, LM_EARG, "sql: %s", sqlite3_errmsg(db->h));
	if (!s)
		return lm_fail(err, LM_EARG, "sql: a statement wanted, nothing found");
	tail += strspn(tail, " \t\n;");
	if (tail < sql + n && *tail)
		ok = lm_fail(err, LM_EARG, "sql: one statement at a time");
	else if (!sqlite3_stmt_readonly(s) || sqlite3_column_count(s) == 0)
		ok = lm_fail(err, LM_EARG, "sql: only statements that read are run");
	else
		ok = name_columns(s, out, err) && collect(db, s, out, false, err);
	sqlite3_finalize(s);
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.c - the facts that an index states of its model and of itself.
 */
#include "config.h"

#include "index/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Facts of struct lm_info that are one number each. */
#define NUMBERS(X) \
	X(layers) X(width) X(heads) X(kv_heads) X(head_width) X(hidden) X(vocab) X(context) X(params) \
	X(tied) X(gated)

/* lm_info limits what it can hold: numbers of a forged file are cut to it. */
static int64_t
non_negative(sqlite3_stmt *s)
{
	int64_t v = sqlite3_column_int64(s, 1);

	return v < 0 ? 0 : v;
}

static void
read_fact(struct lm_info *m, const char *key, sqlite3_stmt *s)
{
	const char *text = (const char *)sqlite3_column_text(s, 1);
	int64_t v = non_negative(s);

#define X(name) \
	if (strcmp(key, #name) == 0) \
		m->name = (__typeof__(m->name))((uint64_t)v > UINT32_MAX && sizeof(m->name) <= 4 ? 0 : v);
	NUMBERS(X)
#undef X
	if (strcmp(key, "family") == 0)
		snprintf(m->family, sizeof(m->family), "%s", text ? text : "");
	if (strcmp(key, "dtype") == 0)
		snprintf(m->dtype, sizeof(m->dtype), "%s", text ? text : "");
	if (strcmp(key, "digest") == 0)
		snprintf(m->digest, sizeof(m->digest), "%s", text ? text : "");
}

bool
ix_meta_read(ix_db *db, struct lm_err *err)
{
	sqlite3_stmt *s;
	bool row = true, ok;

	memset(&db->model, 0, sizeof(db->model));
	if (!ix_prepare(db, "SELECT key, value FROM meta", &s, err))
		return false;
	while ((ok = ix_step(db, s, &row, err)) && row) {
		const char *key = (const char *)sqlite3_column_text(s, 0);

		if (key)
			read_fact(&db->model, key, s);
	}
	sqlite3_finalize(s);
	/* Neurons are numbered layer * hidden + neuron: those sizes have to make sense. */
	if (ok && *db->model.digest && (db->model.layers == 0 || db->model.hidden == 0 ||
	    (uint64_t)db->model.layers * db->model.hidden > INT32_MAX))
		return lm_fail(err, LM_EFORMAT, "%s: its meta table gives %u layers of %u neurons", db->path,
		    db->model.layers, db->model.hidden);
	return ok;
}

static bool
put(ix_db *db, sqlite3_stmt *s, const char *key, struct lm_err *err)
{
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	return ix_run(db, s, err);
}

static bool
put_text(ix_db *db, sqlite3_stmt *s, const char *key, const char *text, struct lm_err *err)
{
	sqlite3_bind_text(s, 2, text, -1, SQLITE_STATIC);
	return put(db, s, key, err);
}

static bool
put_int(ix_db *db, sqlite3_stmt *s, const char *key, int64_t v, struct lm_err *err)
{
	sqlite3_bind_int64(s, 2, v);
	return put(db, s, key, err);
}

bool
ix_meta_write(ix_db *db, const struct lm_info *m, const char *model_path, struct lm_err *err)
{
	sqlite3_stmt *s;
	bool ok;

	if (!ix_prepare(db, "INSERT OR REPLACE INTO meta VALUES (?1, ?2)", &s, err))
		return false;
	ok = put_text(db, s, "digest", m->digest, err) && put_text(db, s, "family", m->family, err) &&
	    put_text(db, s, "dtype", m->dtype, err) && put_text(db, s, "path", model_path, err)
#define X(name) && put_int(db, s, #name, (int64_t)m->name, err)
	    NUMBERS(X)
#undef X
	    && put_int(db, s, "k_top", IX_TOP, err) && put_int(db, s, "k_bottom", IX_BOTTOM, err) &&
	    put_text(db, s, "prep", "final_norm", err) &&
	    put_text(db, s, "arithmetic", sizeof(lm_real) == 4 ? "float" : "double", err);
	sqlite3_finalize(s);
	if (ok)
		db->model = *m;
	return ok;
}

bool
ix_meta_int(ix_db *db, const char *key, int64_t *out, struct lm_err *err)
{
	sqlite3_stmt *s;
	bool row, ok;

	if (!ix_prepare(db, "SELECT value FROM meta WHERE key = ?1", &s, err))
		return false;
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	ok = ix_step(db, s, &row, err);
	if (ok && row)
		*out = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return ok;
}

bool
ix_info(ix_db *db, struct ix_info *out, struct lm_err *err)
{
	int64_t top = 0, bottom = 0, layers = 0, postings = 0, activations = 0;
	sqlite3_stmt *s;
	bool row, ok;

	*out = (struct ix_info){ 0 };
	if (!ix_meta_read(db, err) || !ix_meta_int(db, "k_top", &top, err) ||
	    !ix_meta_int(db, "k_bottom", &bottom, err) ||
	    !ix_int_of(db, "SELECT count(*) FROM progress WHERE work = 'decode'", &layers, err) ||
	    !ix_int_of(db, "SELECT count(*) FROM progress WHERE work = 'posting'", &postings, err) ||
	    !ix_int_of(db, "SELECT count(*) FROM progress WHERE work = 'activation'", &activations, err) ||
	    !ix_prepare(db, "SELECT value FROM meta WHERE key = 'path'", &s, err))
		return false;
	ok = ix_step(db, s, &row, err);
	if (ok && row && sqlite3_column_text(s, 0))
		snprintf(out->model_path, sizeof(out->model_path), "%s",
		    (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	out->model = db->model;
	out->k_top = top > 0 && top <= 4096 ? (uint32_t)top : 0;
	out->k_bottom = bottom > 0 && bottom <= 4096 ? (uint32_t)bottom : 0;
	out->layers_done = (uint32_t)layers;
	out->neurons = (uint64_t)layers * db->model.hidden;
	out->postings = postings > 0;
	out->activations = activations > 0;
	out->complete = out->postings && *db->model.digest && out->layers_done == db->model.layers;
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.c - joins indexes of different layers of one model into one.
 */
#include "config.h"

#include "index/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a finished layer of an attached part consists of; ?1 is the layer, ?2 and ?3 its neurons' ids. */
static const char *const copies[] = {
	"INSERT INTO main.neuron SELECT * FROM part.neuron WHERE id BETWEEN ?2 AND ?3",
	"INSERT INTO main.decode SELECT * FROM part.decode WHERE neuron BETWEEN ?2 AND ?3",
	"INSERT INTO main.ranks SELECT * FROM part.ranks WHERE neuron BETWEEN ?2 AND ?3",
	"INSERT INTO main.activation SELECT * FROM part.activation WHERE neuron BETWEEN ?2 AND ?3",
	"INSERT INTO main.progress SELECT * FROM part.progress WHERE layer = ?1 "
	    "AND work IN ('decode', 'activation')",
};

/* From the first part: what all parts share. */
static const char shared[] =
	"INSERT INTO main.meta SELECT * FROM part.meta;"
	"INSERT INTO main.token SELECT * FROM part.token;"
	"INSERT INTO main.prompt SELECT * FROM part.prompt;"
	"INSERT INTO main.progress SELECT * FROM part.progress WHERE work = 'vocabulary';";

static bool
attach(ix_db *db, const char *path, struct lm_err *err)
{
	sqlite3_stmt *s;
	bool ok;

	if (!ix_prepare(db, "ATTACH ?1 AS part", &s, err))
		return false;
	sqlite3_bind_text(s, 1, path, -1, SQLITE_STATIC);
	ok = ix_run(db, s, err);
	sqlite3_finalize(s);
	return ok;
}

static bool
copy_layer(ix_db *db, uint32_t layer, struct lm_err *err)
{
	int64_t first = (int64_t)layer * db->model.hidden;

	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		sqlite3_stmt *s;
		bool ok;

		if (!ix_prepare(db, copies[i], &s, err))
			return false;
		/* Not every statement has every parameter; binding one it lacks is an error to ignore. */
		sqlite3_bind_int64(s, 1, layer);
		sqlite3_bind_int64(s, 2, first);
		sqlite3_bind_int64(s, 3, first + db->model.hidden - 1);
		ok = ix_run(db, s, err);
		sqlite3_finalize(s);
		if (!ok)
			return false;
	}
	return true;
}

/* Reads the part on its own first: it must be an index, and of the same model as those before. */
static bool
check_part(const char *path, struct lm_info *model, struct lm_err *err)
{
	ix_db *part;
	bool ok;

	if (!ix_open(&part, path, IX_READ, err))
		return false;
	ok = *part->model.digest != '\0' || lm_fail(err, LM_EFORMAT, "%s: an empty index", path);
	if (ok && *model->digest && strcmp(model->digest, part->model.digest) != 0)
		ok = lm_fail(err, LM_EARG, "%s: the index of model %s, the parts before are of %s", path,
		    part->model.digest, model->digest);
	*model = part->model;
	ix_close(part);
	return ok;
}

static bool
copy_part(ix_db *db, const char *path, bool first, struct lm_err *err)
{
	bool ok, done;

	if (!attach(db, path, err))
		return false;
	ok = ix_exec(db, "BEGIN IMMEDIATE", err);
	if (ok && first)
		ok = ix_exec(db, shared, err) && ix_meta_read(db, err);
	for (uint32_t l = 0; ok && l < db->model.layers; l++) {
		int64_t there = 0;
		char sql[120];

		snprintf(sql, sizeof(sql),
		    "SELECT 1 FROM part.progress WHERE work = 'decode' AND layer = %u", l);
		ok = ix_int_of(db, sql, &there, err) && ix_done(db, "decode", l, &done, err);
		if (ok && there && !done)
			ok = copy_layer(db, l, err);
	}
	ok = ok && ix_exec(db, "COMMIT", err);
	if (!ok)
		ix_exec(db, "ROLLBACK", NULL);
	ix_exec(db, "DETACH part", NULL);
	return ok;
}

bool
ix_merge(const char *path, const char *const *parts, size_t n, const struct ix_observer *o,
    struct lm_err *err)
{
	struct lm_watch w = { o ? (atomic_bool *)(uintptr_t)o->cancel : NULL, NULL, NULL };
	struct lm_info model = { 0 };
	struct ix_lock lock;
	ix_db *db = NULL;
	bool ok = true;

	if (n == 0)
		return lm_fail(err, LM_EARG, "no parts to merge");
	if (access(path, F_OK) == 0)
		return lm_fail(err, LM_EARG, "%s exists; a new file wanted", path);
	for (size_t i = 0; i < n; i++)
		if (!check_part(parts[i], &model, err))
			return false;
	if (!ix_lock_take(&lock, path, o, err))
		return false;
	ok = ix_open(&db, path, IX_WRITE, err);
	if (ok)
		ix_watch(db, &w);
	for (size_t i = 0; ok && i < n; i++) {
		struct ix_progress p = { "joining", (double)i / (double)(n + 1), 0, 0 };

		if (o && o->progress)
			o->progress(o->ctx, &p);
		ok = copy_part(db, parts[i], i == 0, err);
	}
	ok = ok && ix_finish(db, &w, err);
	ix_close(db);
	if (!ok)
		unlink(path);
	ix_lock_drop(&lock);
	return ok;
}

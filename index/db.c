/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.c - opening the index file, and the few calls of SQLite that the others share.
 */
#include "config.h"

#include "index/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 10000 };

bool
ix_fail_db(ix_db *db, const char *what, struct lm_err *err)
{
	int rc = sqlite3_errcode(db->h);
	enum lm_code code = LM_EIO;

	if (rc == SQLITE_NOMEM)
		code = LM_ENOMEM;
	else if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_ERROR)
		code = LM_EFORMAT;
	else if (rc == SQLITE_INTERRUPT)
		return lm_fail(err, LM_ECANCEL, "stopped");
	return lm_fail(err, code, "%s: %s: %s", db->path, what, sqlite3_errmsg(db->h));
}

bool
ix_exec(ix_db *db, const char *sql, struct lm_err *err)
{
	if (sqlite3_exec(db->h, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	return ix_fail_db(db, "cannot be written", err);
}

bool
ix_prepare(ix_db *db, const char *sql, sqlite3_stmt **out, struct lm_err *err)
{
	if (sqlite3_prepare_v2(db->h, sql, -1, out, NULL) == SQLITE_OK)
		return true;
	return ix_fail_db(db, "is no index of this version", err);
}

bool
ix_run(ix_db *db, sqlite3_stmt *s, struct lm_err *err)
{
	bool ok = sqlite3_step(s) == SQLITE_DONE || ix_fail_db(db, "cannot be written", err);

	sqlite3_reset(s);
	return ok;
}

bool
ix_step(ix_db *db, sqlite3_stmt *s, bool *row, struct lm_err *err)
{
	int rc = sqlite3_step(s);

	*row = rc == SQLITE_ROW;
	return *row || rc == SQLITE_DONE || ix_fail_db(db, "cannot be read", err);
}

bool
ix_int_of(ix_db *db, const char *sql, int64_t *out, struct lm_err *err)
{
	sqlite3_stmt *s;
	bool row, ok;

	if (!ix_prepare(db, sql, &s, err))
		return false;
	ok = ix_step(db, s, &row, err);
	if (ok && row)
		*out = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return ok;
}

/* ---- opening ------------------------------------------------------------------------------------- */

bool
ix_is_index(const char *path)
{
	static const char magic[] = "SQLite format 3";
	char head[sizeof(magic)];
	FILE *f = fopen(path, "rb");
	bool ok;

	if (!f)
		return false;
	ok = fread(head, 1, sizeof(head), f) == sizeof(head) && memcmp(head, magic, sizeof(head)) == 0;
	fclose(f);
	return ok;
}

static int
progress(void *ctx)
{
	const ix_db *db = ctx;

	return !lm_watch_go(db->watch, NULL);
}

static bool
check_header(ix_db *db, bool *empty, struct lm_err *err)
{
	int64_t id = 0, version = 0, tables = 0;

	*empty = false;
	if (!ix_int_of(db, "PRAGMA application_id", &id, err) ||
	    !ix_int_of(db, "PRAGMA user_version", &version, err) ||
	    !ix_int_of(db, "SELECT count(*) FROM sqlite_master", &tables, err))
		return false;
	if (id == 0 && tables == 0 && db->write) {
		*empty = true;
		return true;
	}
	if (id != IX_APPLICATION_ID)
		return lm_fail(err, LM_EFORMAT, "%s: a SQLite file, but no index of this program", db->path);
	if (version != IX_SCHEMA)
		return lm_fail(err, LM_EUNSUPPORTED,
		    "%s: schema %lld found, this program reads schema %d; build the index anew", db->path,
		    (long long)version, IX_SCHEMA);
	return true;
}

bool
ix_open(ix_db **out, const char *path, enum ix_mode mode, struct lm_err *err)
{
	int flags = mode == IX_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	ix_db *db = lm_zalloc(1, sizeof(*db), err);
	bool empty;

	*out = NULL;
	if (!db || !(db->path = lm_strdup(path, err)))
		goto fail;
	db->write = mode == IX_WRITE;
	if (!db->write && access(path, R_OK) != 0) {
		lm_fail(err, LM_EIO, "%s: %s", path, strerror(errno));
		goto fail;
	}
	if (sqlite3_open_v2(path, &db->h, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		ix_fail_db(db, "cannot be opened", err);
		goto fail;
	}
	sqlite3_busy_timeout(db->h, BUSY_MS);
	sqlite3_progress_handler(db->h, 10000, progress, db);
	/* A hostile file must not run code through its schema. */
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (!check_header(db, &empty, err))
		goto fail;
	if (db->write && !ix_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", err))
		goto fail;
	if (empty ? !ix_schema_create(db, err) : !ix_meta_read(db, err))
		goto fail;
	*out = db;
	return true;
fail:
	ix_close(db);
	return false;
}

void
ix_close(ix_db *db)
{
	if (!db)
		return;
	sqlite3_finalize(db->ranks);
	sqlite3_close(db->h);
	lm_free(db->path);
	lm_free(db);
}

const char *
ix_path(const ix_db *db)
{
	return db->path;
}

void
ix_watch(ix_db *db, const struct lm_watch *w)
{
	db->watch = w;
}

/* ---- progress ------------------------------------------------------------------------------------ */

bool
ix_done(ix_db *db, const char *work, int64_t layer, bool *out, struct lm_err *err)
{
	sqlite3_stmt *s;
	bool ok;

	if (!ix_prepare(db, "SELECT 1 FROM progress WHERE work = ?1 AND layer = ?2", &s, err))
		return false;
	sqlite3_bind_text(s, 1, work, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, layer);
	ok = ix_step(db, s, out, err);
	sqlite3_finalize(s);
	return ok;
}

bool
ix_set_done(ix_db *db, const char *work, int64_t layer, struct lm_err *err)
{
	sqlite3_stmt *s;
	bool ok;

	if (!ix_prepare(db, "INSERT OR IGNORE INTO progress VALUES (?1, ?2)", &s, err))
		return false;
	sqlite3_bind_text(s, 1, work, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, layer);
	ok = ix_run(db, s, err);
	sqlite3_finalize(s);
	return ok;
}

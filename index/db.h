/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h - the SQLite file, as the files of the index see it.
 */
#ifndef IX_DB_H
#define IX_DB_H

#include <sqlite3.h>

#include "index/ix.h"

enum { IX_APPLICATION_ID = 0x6c6d7363, IX_SCHEMA = 1 };	/* "lmsc" */

struct ix_db {
	sqlite3 *h;
	char *path;
	bool write;
	struct lm_info model;		/* of the meta table, as far as it is filled */
	const struct lm_watch *watch;
	sqlite3_stmt *ranks;		/* kept prepared: lists ask it once a row */
};

/* Fills err from the connection's last error: what was being done, and SQLite's words.  Returns false. */
bool ix_fail_db(ix_db *db, const char *what, struct lm_err *err);
/* Statements without a result. */
bool ix_exec(ix_db *db, const char *sql, struct lm_err *err);
bool ix_prepare(ix_db *db, const char *sql, sqlite3_stmt **out, struct lm_err *err);
/* Steps a statement that gives no row, and resets it. */
bool ix_run(ix_db *db, sqlite3_stmt *s, struct lm_err *err);
/* Steps: *row says whether there is one. */
bool ix_step(ix_db *db, sqlite3_stmt *s, bool *row, struct lm_err *err);
/* The first column of the first row as an integer; missing leaves *out alone. */
bool ix_int_of(ix_db *db, const char *sql, int64_t *out, struct lm_err *err);

/* schema.c: creates the tables in an empty file. */
bool ix_schema_create(ix_db *db, struct lm_err *err);
/* meta.c: reads db->model; writes what describes model m. */
bool ix_meta_read(ix_db *db, struct lm_err *err);
bool ix_meta_write(ix_db *db, const struct lm_info *m, const char *model_path, struct lm_err *err);
bool ix_meta_int(ix_db *db, const char *key, int64_t *out, struct lm_err *err);

/* progress table. */
bool ix_done(ix_db *db, const char *work, int64_t layer, bool *out, struct lm_err *err);
bool ix_set_done(ix_db *db, const char *work, int64_t layer, struct lm_err *err);

/* lock.c: one builder at a time. */
struct ix_lock {
	int fd;
	char *path;
};
bool ix_lock_take(struct ix_lock *l, const char *db_path, const struct ix_observer *o,
    struct lm_err *err);
void ix_lock_drop(struct ix_lock *l);

/* Ingest: each is one transaction and sets its progress row. */
bool ix_ingest_vocab(ix_db *db, const lm_model *m, struct lm_err *err);
bool ix_ingest_layer(ix_db *db, const lm_model *m, lm_pool *pool, uint32_t layer,
    const struct lm_watch *w, struct lm_err *err);
bool ix_ingest_prompts(ix_db *db, const lm_model *m, lm_pool *pool, const struct ix_plan *plan,
    const struct lm_watch *w, struct lm_err *err);
/* Several transactions, one for a range of tokens; starts over when it was interrupted. */
bool ix_ingest_postings(ix_db *db, const struct lm_watch *w, struct lm_err *err);
/* The layers' summaries, of what is decoded. */
bool ix_ingest_layers(ix_db *db, struct lm_err *err);
/* Layers changed: search tables and completeness no longer hold. */
bool ix_unfinish(ix_db *db, struct lm_err *err);
/* Postings of what is there, then back to a plain file without a journal. */
bool ix_finish(ix_db *db, const struct lm_watch *w, struct lm_err *err);

#endif

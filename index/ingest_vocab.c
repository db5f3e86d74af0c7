/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest_vocab.c - the vocabulary into the token table, so that the index can be read without the model.
 */
#include "config.h"

#include "index/db.h"

static bool
add_token(ix_db *db, sqlite3_stmt *s, const lm_vocab *v, uint32_t id, struct lm_buf *shown,
    struct lm_err *err)
{
	const char *piece = NULL;
	size_t n = 0;

	if (v && id < lm_vocab_size(v))
		piece = lm_vocab_piece(v, id, &n);
	sqlite3_bind_int64(s, 1, id);
	if (!piece) {
		sqlite3_bind_null(s, 2);
		sqlite3_bind_null(s, 3);
	} else {
		shown->len = 0;
		if (!lm_escape(piece, n, false, shown, err))
			return false;
		sqlite3_bind_blob64(s, 2, n ? piece : "", n, SQLITE_STATIC);
		sqlite3_bind_text64(s, 3, shown->p, shown->len, SQLITE_STATIC, SQLITE_UTF8);
	}
	sqlite3_bind_int(s, 4, piece && lm_vocab_is_special(v, id));
	return ix_run(db, s, err);
}

bool
ix_ingest_vocab(ix_db *db, const lm_model *m, struct lm_err *err)
{
	const lm_vocab *v = lm_model_vocab(m);
	uint32_t n = lm_model_info(m)->vocab;
	struct lm_buf shown = { 0 };
	sqlite3_stmt *s;
	bool ok;

	if (!ix_exec(db, "BEGIN IMMEDIATE; DELETE FROM token", err))
		return false;
	ok = ix_prepare(db, "INSERT INTO token VALUES (?1, ?2, ?3, ?4)", &s, err);
	for (uint32_t id = 0; ok && id < n; id++)
		ok = add_token(db, s, v, id, &shown, err);
	sqlite3_finalize(s);
	lm_buf_free(&shown);
	ok = ok && ix_set_done(db, "vocabulary", -1, err) && ix_exec(db, "COMMIT", err);
	if (!ok)
		ix_exec(db, "ROLLBACK", NULL);
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest_layers.c - a row for each layer and side: how concentrated its decodes are, which classes its
 * neurons have, which tokens stand out.
 */
#include "config.h"

#include "index/db.h"

/* Appends "[a,b,...]" of the query's first column, which ?1 (side) and ?2 (layer) restrict. */
static bool
json_list(ix_db *db, const char *sql, int side, int64_t layer, struct lm_buf *out, struct lm_err *err)
{
	sqlite3_stmt *s;
	bool row = true, ok;
	const char *comma = "";

	out->len = 0;
	if (!lm_buf_str(out, "[", err) || !ix_prepare(db, sql, &s, err))
		return false;
	sqlite3_bind_int(s, 1, side);
	sqlite3_bind_int64(s, 2, layer);
	while ((ok = ix_step(db, s, &row, err)) && row && ok) {
		ok = lm_buf_printf(out, err, "%s%lld", comma, (long long)sqlite3_column_int64(s, 0));
		comma = ",";
	}
	sqlite3_finalize(s);
	return ok && lm_buf_str(out, "]", err);
}

static bool
put_lists(ix_db *db, int side, int64_t layer, struct lm_err *err)
{
	/* Bins of half a unit from 3 on; every bin gives a row, also when it is empty. */
	static const char histogram[] =
	    "WITH RECURSIVE bin(b) AS (SELECT 0 UNION ALL SELECT b + 1 FROM bin WHERE b < 15)"
	    " SELECT ifnull(h.n, 0) FROM bin LEFT JOIN (SELECT"
	    " max(0, min(15, CAST((d.zscore - 3) * 2 AS INTEGER))) AS b, count(*) AS n"
	    " FROM neuron n JOIN decode d ON d.neuron = n.id AND d.side = ?1 WHERE n.layer = ?2 GROUP BY 1)"
	    " h ON h.b = bin.b ORDER BY bin.b";
	static const char top[] =
	    "SELECT d.token FROM neuron n JOIN decode d ON d.neuron = n.id AND d.side = ?1"
	    " JOIN token t ON t.id = d.token WHERE n.layer = ?2 AND NOT t.special"
	    " GROUP BY d.token ORDER BY max(d.zscore) DESC, d.token LIMIT 8";
	struct lm_buf a = { 0 }, b = { 0 };
	sqlite3_stmt *s = NULL;
	bool ok;

	ok = json_list(db, histogram, side, layer, &a, err) && json_list(db, top, side, layer, &b, err) &&
	    ix_prepare(db, "UPDATE layer SET histogram = ?3, top = ?4 WHERE side = ?1 AND layer = ?2", &s, err);
	if (ok) {
		sqlite3_bind_int(s, 1, side);
		sqlite3_bind_int64(s, 2, layer);
		sqlite3_bind_text64(s, 3, a.p, a.len, SQLITE_STATIC, SQLITE_UTF8);
		sqlite3_bind_text64(s, 4, b.p, b.len, SQLITE_STATIC, SQLITE_UTF8);
		ok = ix_run(db, s, err);
	}
	sqlite3_finalize(s);
	lm_buf_free(&a);
	lm_buf_free(&b);
	return ok;
}

bool
ix_ingest_layers(ix_db *db, struct lm_err *err)
{
	static const char means[] =
	    "INSERT INTO layer SELECT d.side, n.layer, count(*), avg(d.kurtosis), avg(d.zscore),"
	    " avg(c.name LIKE '%enrichment'), avg(c.name LIKE '%depletion'), NULL, NULL"
	    " FROM decode d JOIN neuron n ON n.id = d.neuron JOIN class c ON c.id = n.class"
	    " GROUP BY d.side, n.layer";
	bool ok = ix_exec(db, "BEGIN IMMEDIATE; DELETE FROM layer", err) && ix_exec(db, means, err), done;

	for (int side = 0; ok && side < LM_NSIDES; side++)
		for (uint32_t l = 0; ok && l < db->model.layers; l++) {
			ok = ix_done(db, "decode", l, &done, err);
			if (ok && done && (side != LM_SIDE_GATE || db->model.gated))
				ok = put_lists(db, side, l, err);
		}
	ok = ok && ix_exec(db, "COMMIT", err);
	if (!ok)
		ix_exec(db, "ROLLBACK", NULL);
	return ok;
}

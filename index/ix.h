/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ix.h - the index's public surface: one SQLite file per model, and typed rows.
 *
 *	ix_db *db;
 *	struct ix_table rows = { 0 };
 *
 *	if (ix_open(&db, "model.db", IX_READ, &err) &&
 *	    ix_query(db, IX_Q_NEURONS, params, &rows, &err))
 *		show(&rows);
 *	ix_table_free(&rows);
 *	ix_close(db);
 *
 * As in src/lm.h: bool and struct lm_err, nothing printed, no global state.
 */
#ifndef IX_H
#define IX_H

#include "src/lm.h"

/* ---- rows --------------------------------------------------------------------------------------- */

enum ix_type {
	IX_NULL,
	IX_INT,
	IX_REAL,
	IX_BOOL,
	IX_TEXT,			/* UTF-8 of our own: names */
	IX_TOKEN,			/* bytes of a token or text: untrusted, any bytes */
	IX_LIST,			/* of cells */
};

struct ix_cell {
	enum ix_type type;
	union {
		int64_t i;		/* IX_INT, IX_BOOL */
		double r;
		struct {
			const char *p;
			size_t n;
		} s;			/* IX_TEXT, IX_TOKEN */
		struct {
			const struct ix_cell *v;
			size_t n;
		} list;
	};
};

struct ix_column {
	char name[32];
	enum ix_type type;		/* of its cells, unless they are IX_NULL */
	char unit[16];			/* "" when it has none */
};

/* Memory that is handed out piece by piece, never moves and is freed at once.  Zero-initialised is empty. */
struct ix_arena {
	struct ix_block *blocks;
};
/* n bytes, aligned for anything; NULL on failure. */
void *ix_arena_get(struct ix_arena *a, size_t n, struct lm_err *err);
/* A copy of p[0..n) with a zero byte behind it. */
char *ix_arena_copy(struct ix_arena *a, const char *p, size_t n, struct lm_err *err);
void ix_arena_free(struct ix_arena *a);

/* Rows of cells, with what the cells point to.  Zero-initialised is empty and has no columns. */
struct ix_table {
	struct ix_column *cols;
	size_t n_cols, n_rows;
	struct ix_cell *cells;		/* [n_rows, n_cols] */
	size_t cap_rows;
	struct ix_arena arena;		/* text of the cells */
	uint64_t more;			/* rows that exist beyond those held, when known */
};

/*
 * Gives t its columns: "layer:int score:real:logits text:token"; types are int, real, bool, text, token
 * and list.  What t held is freed.
 */
bool ix_table_init(struct ix_table *t, const char *columns, struct lm_err *err);
void ix_table_free(struct ix_table *t);
/* A new row of IX_NULL cells, valid until the next; NULL on failure. */
struct ix_cell *ix_table_add(struct ix_table *t, struct lm_err *err);
/* Cells whose bytes t keeps a copy of. */
bool ix_table_bytes(struct ix_table *t, struct ix_cell *cell, enum ix_type type, const char *p,
    size_t n, struct lm_err *err);
/* A list cell of n IX_NULL cells to fill, or NULL. */
struct ix_cell *ix_table_list(struct ix_table *t, struct ix_cell *cell, size_t n, struct lm_err *err);
const struct ix_cell *ix_table_cell(const struct ix_table *t, size_t row, size_t col);
/* Column number by name, or -1. */
int ix_table_col(const struct ix_table *t, const char *name);
const char *ix_type_name(enum ix_type type);

static inline struct ix_cell
ix_int(int64_t i)
{
	return (struct ix_cell){ .type = IX_INT, .i = i };
}

static inline struct ix_cell
ix_real(double r)
{
	return (struct ix_cell){ .type = IX_REAL, .r = r };
}

static inline struct ix_cell
ix_bool(bool b)
{
	return (struct ix_cell){ .type = IX_BOOL, .i = b };
}

/* Borrowed text. */
static inline struct ix_cell
ix_text(const char *s, size_t n)
{
	return (struct ix_cell){ .type = IX_TEXT, .s = { s, n } };
}

/* ---- the file ----------------------------------------------------------------------------------- */

typedef struct ix_db ix_db;

enum ix_mode { IX_READ, IX_WRITE };

/* True when the file begins as an index does. */
bool ix_is_index(const char *path);
/*
 * IX_READ: the file must exist, be an index, of this schema.  IX_WRITE: as well, or it is created, empty.
 */
bool ix_open(ix_db **out, const char *path, enum ix_mode mode, struct lm_err *err);
void ix_close(ix_db *db);
const char *ix_path(const ix_db *db);
/* Cancels queries when w says so; borrowed, NULL for none. */
void ix_watch(ix_db *db, const struct lm_watch *w);

/* What the file says of itself. */
struct ix_info {
	struct lm_info model;		/* digest "" in a new file */
	char model_path[1024];
	uint32_t k_top, k_bottom;
	uint64_t neurons;		/* decoded so far */
	uint32_t layers_done;
	bool complete;			/* all layers, with postings */
	bool postings;			/* search works on what there is */
	bool activations;
};

bool ix_info(ix_db *db, struct ix_info *out, struct lm_err *err);

/* ---- building ------------------------------------------------------------------------------------ */

enum { IX_TOP = 16, IX_BOTTOM = 8 };	/* ranks stored of a decode */

struct ix_plan {
	uint32_t layer_from, layer_to;	/* both included */
	const char *const *prompts;	/* reference prompts; NULL: the default ones */
	size_t n_prompts;
};

/* What is done, in units that a progress bar can show. */
struct ix_progress {
	const char *work;		/* "layer 3", "search table" */
	double share;			/* of the whole build, 0 to 1 */
	uint64_t neurons, neurons_total;
};

struct ix_observer {
	const atomic_bool *cancel;
	void (*progress)(void *ctx, const struct ix_progress *p);
	void (*waiting)(void *ctx);	/* another process builds this file: called once, then it waits */
	void *ctx;
};

/*
 * Builds what plan asks for and the file lacks.  One transaction for each layer and kind of work: stopped
 * at any point, also by force, the next call goes on and ends with the same content.  One process builds
 * at a time; others wait.  Fails with LM_EARG when the file is another model's.
 */
bool ix_build(const char *path, const lm_model *m, lm_pool *pool, const struct ix_plan *plan,
    const struct ix_observer *o, struct lm_err *err);

/* Seconds and bytes that a build would take: measured on a few neurons, about a tenth of a second. */
struct ix_estimate {
	double seconds;
	uint64_t bytes, bytes_free;	/* bytes_free: of the file system that path lies on */
};
bool ix_estimate(const char *path, const lm_model *m, lm_pool *pool, struct ix_estimate *out,
    struct lm_err *err);

/* Joins the finished layers of the parts, indexes of one model, into path, which must not exist. */
bool ix_merge(const char *path, const char *const *parts, size_t n, const struct ix_observer *o,
    struct lm_err *err);

/* ---- asking ------------------------------------------------------------------------------------- */

enum ix_query {
#define QUERY(id, params, columns, sql, what) IX_Q_##id,
#include "index/queries.def"
#undef QUERY
	IX_NQUERIES
};

/*
 * Runs a query of queries.def; params in its order, IX_NULL where one is left out.  The table is given the
 * query's columns.
 */
bool ix_query(ix_db *db, enum ix_query q, const struct ix_cell *params, struct ix_table *out,
    struct lm_err *err);
/* Any statement that only reads. */
bool ix_sql(ix_db *db, const char *sql, size_t n, struct ix_table *out, struct lm_err *err);

/* The id of the token with exactly these bytes; false (and no error) when there is none. */
bool ix_find_token(ix_db *db, const char *text, size_t n, uint32_t *id, struct lm_err *err);

/* Stored ranks of a neuron; k is cut to what is stored.  Either array may be NULL. */
bool ix_ranks(ix_db *db, enum lm_side side, uint32_t layer, uint32_t neuron, struct lm_hit *top,
    uint32_t *k_top, struct lm_hit *bottom, uint32_t *k_bottom, struct lm_err *err);

enum ix_match { IX_EXACT, IX_VARIANTS, IX_SUBSTRING, IX_REGEX };
/* Ids of tokens that match; IX_REGEX in PCRE2's syntax. */
bool ix_match_tokens(ix_db *db, const char *text, size_t n, enum ix_match match, struct lm_ids *out,
    struct lm_err *err);

struct ix_search {
	const uint32_t *ids;
	size_t n_ids;
	enum lm_side side;
	int64_t layer;			/* -1: all */
	uint32_t rank;			/* 0: all stored ranks, else the best so many */
	uint64_t limit;			/* 0: all */
};
/* layer neuron side rank id text score prob, best score first. */
bool ix_search(ix_db *db, const struct ix_search *s, struct ix_table *out, struct lm_err *err);

#endif

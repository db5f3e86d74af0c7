/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.c - what an index still lacks, and the order in which it is made.
 *
 *	vocabulary | decode of each layer | activations on reference prompts | postings | a plain file
 *
 * Each step is a transaction that ends with its progress row, so a build can be stopped anywhere.
 */
#include "config.h"

#include "index/db.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

/* Bytes of a neuron's rows on one side, and of its own; measured on finished indexes. */
enum { SIDE_BYTES = 700, NEURON_BYTES = 140, TOKEN_BYTES = 60 };

/* A build in progress, and how far each kind of work takes it. */
struct build {
	ix_db *db;
	const lm_model *m;
	lm_pool *pool;
	struct ix_plan plan;
	const struct ix_observer *o;
	struct lm_watch watch;
	char work[48];
	double from, to;		/* share of the whole that this work covers */
	uint64_t neurons, neurons_total;	/* before the layer at hand; in all */
};

static void
tell(const struct build *b, double part, uint64_t neurons)
{
	struct ix_progress p = { b->work, b->from + part * (b->to - b->from), neurons, b->neurons_total };

	if (b->o && b->o->progress)
		b->o->progress(b->o->ctx, &p);
}

static void
report(void *ctx, uint64_t done, uint64_t total)
{
	const struct build *b = ctx;
	double part = total ? (double)done / (double)total : 1;
	bool decoding = strncmp(b->work, "layer", 5) == 0;

	tell(b, part, b->neurons +
	    (decoding ? (uint64_t)(part * lm_model_info(b->m)->hidden) : 0));
}

static void
begin(struct build *b, const char *work, double from, double to)
{
	snprintf(b->work, sizeof(b->work), "%s", work);
	b->from = from;
	b->to = to;
	tell(b, 0, b->neurons);
}

bool
ix_unfinish(ix_db *db, struct lm_err *err)
{
	return ix_exec(db, "BEGIN IMMEDIATE; DELETE FROM progress WHERE work = 'posting'; COMMIT", err);
}

bool
ix_finish(ix_db *db, const struct lm_watch *w, struct lm_err *err)
{
	bool done;

	if (!ix_done(db, "posting", -1, &done, err))
		return false;
	/* The postings' progress row comes last and stands for both. */
	if (!done && (!ix_ingest_layers(db, err) || !ix_ingest_postings(db, w, err)))
		return false;
	/* A finished file stands alone; with readers on it, it stays as it is until the next time. */
	sqlite3_busy_timeout(db->h, 0);
	sqlite3_exec(db->h, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE", NULL, NULL,
	    NULL);
	return true;
}

/* An empty file becomes this model's; another model's is refused. */
static bool
claim(struct build *b, struct lm_err *err)
{
	const struct lm_info *info = lm_model_info(b->m);
	bool done, ok;

	if (*b->db->model.digest && strcmp(b->db->model.digest, info->digest) != 0)
		return lm_fail(err, LM_EARG, "%s: the index of another model, %s; this one is %s", b->db->path,
		    b->db->model.digest, info->digest);
	if (!*b->db->model.digest) {
		if (!ix_exec(b->db, "BEGIN IMMEDIATE", err))
			return false;
		ok = ix_meta_write(b->db, info, lm_model_path(b->m), err) && ix_exec(b->db, "COMMIT", err);
		if (!ok) {
			ix_exec(b->db, "ROLLBACK", NULL);
			return false;
		}
	}
	if (!ix_done(b->db, "vocabulary", -1, &done, err))
		return false;
	return done || ix_ingest_vocab(b->db, b->m, err);
}

static bool
decode_layers(struct build *b, double share, struct lm_err *err)
{
	const struct lm_info *info = lm_model_info(b->m);
	uint32_t n = b->plan.layer_to - b->plan.layer_from + 1;
	bool fresh = true;

	b->neurons_total = (uint64_t)n * info->hidden;
	for (uint32_t l = b->plan.layer_from; l <= b->plan.layer_to; l++) {
		double at = (double)(l - b->plan.layer_from) / n;
		char work[48];
		bool done;

		if (!ix_done(b->db, "decode", l, &done, err))
			return false;
		if (!done) {
			snprintf(work, sizeof(work), "layer %u", l);
			begin(b, work, share * at, share * (at + 1.0 / n));
			if ((fresh && !ix_unfinish(b->db, err)) ||
			    !ix_ingest_layer(b->db, b->m, b->pool, l, &b->watch, err))
				return false;
			fresh = false;
		}
		b->neurons += info->hidden;
	}
	return true;
}

/* True when the stored reference prompts are those of the plan. */
static bool
same_prompts(struct build *b, bool *same, struct lm_err *err)
{
	sqlite3_stmt *s;
	size_t i = 0;
	bool row = true, ok;

	*same = true;
	if (!b->plan.prompts)
		return true;
	if (!ix_prepare(b->db, "SELECT text FROM prompt ORDER BY id", &s, err))
		return false;
	while ((ok = ix_step(b->db, s, &row, err)) && row) {
		const void *text = sqlite3_column_blob(s, 0);
		size_t n = (size_t)sqlite3_column_bytes(s, 0);

		if (i >= b->plan.n_prompts || strlen(b->plan.prompts[i]) != n ||
		    (n && memcmp(text, b->plan.prompts[i], n) != 0))
			*same = false;
		i++;
	}
	*same = *same && i == b->plan.n_prompts;
	sqlite3_finalize(s);
	return ok;
}

/* Layers that are decoded but whose activations are missing or were seen on other prompts. */
static bool
show_prompts(struct build *b, double from, double to, struct lm_err *err)
{
	struct ix_plan plan = b->plan;
	bool same, done, missing = false;

	if (!lm_model_vocab(b->m))
		return true;
	if (!same_prompts(b, &same, err))
		return false;
	if (!same) {
		if (!ix_exec(b->db, "BEGIN IMMEDIATE; DELETE FROM activation; "
		    "DELETE FROM progress WHERE work = 'activation'; COMMIT", err))
			return false;
	}
	for (uint32_t l = plan.layer_from; l <= plan.layer_to && !missing; l++) {
		if (!ix_done(b->db, "activation", l, &done, err))
			return false;
		missing = !done;
	}
	if (!missing)
		return true;
	begin(b, "reference prompts", from, to);
	return ix_ingest_prompts(b->db, b->m, b->pool, &plan, &b->watch, err);
}

static bool
run(struct build *b, struct lm_err *err)
{
	if (!claim(b, err) || !decode_layers(b, 0.95, err) || !show_prompts(b, 0.95, 0.97, err))
		return false;
	begin(b, "search table", 0.97, 1);
	if (!ix_finish(b->db, &b->watch, err))
		return false;
	begin(b, "done", 1, 1);
	return true;
}

bool
ix_build(const char *path, const lm_model *m, lm_pool *pool, const struct ix_plan *plan,
    const struct ix_observer *o, struct lm_err *err)
{
	const struct lm_info *info = lm_model_info(m);
	struct build b = { .m = m, .pool = pool, .plan = *plan, .o = o };
	struct ix_lock lock;
	bool ok;

	if (!lm_model_has_weights(m))
		return lm_fail(err, LM_EARG, "%s: has no weights to index", lm_model_path(m));
	if (plan->layer_from > plan->layer_to || plan->layer_to >= info->layers)
		return lm_fail(err, LM_EARG, "layers %u:%u do not exist: the model has layers 0:%u",
		    plan->layer_from, plan->layer_to, info->layers - 1);
	if (!ix_lock_take(&lock, path, o, err))
		return false;
	b.watch = (struct lm_watch){ o ? (atomic_bool *)(uintptr_t)o->cancel : NULL, report, &b };
	ok = ix_open(&b.db, path, IX_WRITE, err);
	if (ok) {
		ix_watch(b.db, &b.watch);
		ok = run(&b, err);
	}
	ix_close(b.db);
	ix_lock_drop(&lock);
	return ok;
}

bool
ix_estimate(const char *path, const lm_model *m, lm_pool *pool, struct ix_estimate *out,
    struct lm_err *err)
{
	const struct lm_info *info = lm_model_info(m);
	uint64_t neurons = (uint64_t)info->layers * info->hidden, sides = info->gated ? 3 : 2;
	const char *slash = strrchr(path, '/');
	struct lm_buf dir = { 0 };
	struct statvfs fs;
	bool ok;

	*out = (struct ix_estimate){ 0 };
	ok = lm_decode_seconds(m, pool, sides * neurons, &out->seconds, err) &&
	    lm_buf_add(&dir, path, slash ? (size_t)(slash - path) : 0, err);
	if (ok) {
		out->seconds += (double)(sides * neurons) * 1.5e-5;	/* writing the rows */
		out->bytes = neurons * (sides * SIDE_BYTES + NEURON_BYTES) + (uint64_t)info->vocab * TOKEN_BYTES;
		out->bytes_free = statvfs(slash ? (dir.len ? dir.p : "/") : ".", &fs) == 0 ?
		    (uint64_t)fs.f_bavail * fs.f_frsize : UINT64_MAX;
	}
	lm_buf_free(&dir);
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_index.c - where a model's index lies, and building it when something needs it.
 */
#include "config.h"

#include "ui/session.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* mkdir -p of the folders before the last slash. */
static bool
make_folders(char *path, struct lm_err *err)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST) {
			lm_fail(err, LM_EIO, "%s: %s", path, strerror(errno));
			*p = '/';
			return false;
		}
		*p = '/';
	}
	return true;
}

/* $XDG_CACHE_HOME/lmscope/NAME-DIGEST.db */
static bool
default_path(struct ui_session *s, struct lm_err *err)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *name;
	char real[PATH_MAX];
	struct lm_buf b = { 0 };
	size_t n;

	if (cache && *cache == '/')
		ui_buf_printf(&b, "%s/lmscope/", cache);
	else if (home && *home == '/')
		ui_buf_printf(&b, "%s/.cache/lmscope/", home);
	else
		return lm_fail(err, LM_EIO, "neither XDG_CACHE_HOME nor HOME names a folder: give --index=FILE");
	name = realpath(s->path, real) ? real : s->path;
	name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	n = strlen(name);
	if (n > 5 && strcmp(name + n - 5, ".gguf") == 0)
		n -= 5;
	for (size_t i = 0; i < n && i < 80; i++) {
		unsigned char c = (unsigned char)name[i];

		ui_buf_printf(&b, "%c", c < 0x21 || c == 0x7f ? '_' : c);
	}
	ui_buf_printf(&b, "-%s.db", s->info.digest);
	s->db_path = ui_xmemdup(b.p, b.len);
	lm_buf_free(&b);
	return true;
}

static bool
read_info(struct ui_session *s, struct lm_err *err)
{
	if (!ix_info(s->db, &s->ix, err))
		return false;
	if (s->model && strcmp(s->ix.model.digest, s->info.digest) != 0)
		return lm_fail(err, LM_EFORMAT, "%s: the index of another model, %s; this one is %s", s->db_path,
		    *s->ix.model.digest ? s->ix.model.digest : "none", s->info.digest);
	return true;
}

bool
ui_index_find(struct ui_session *s, bool *found, struct lm_err *err)
{
	*found = s->db != NULL;
	if (s->db)
		return read_info(s, err);
	if (!s->model || !lm_model_has_weights(s->model))
		return true;
	if (!s->db_path && !default_path(s, err))
		return false;
	if (access(s->db_path, F_OK) != 0)
		return true;
	if (!ix_open(&s->db, s->db_path, IX_READ, err) || !read_info(s, err)) {
		ix_close(s->db);
		s->db = NULL;
		s->db_bad = true;
		return false;
	}
	ix_watch(s->db, &s->watch);
	*found = true;
	return true;
}

static void
build_progress(void *ctx, const struct ix_progress *p)
{
	struct ui_session *s = ctx;
	char what[160];

	if (p->neurons_total && p->share < 0.95)
		snprintf(what, sizeof(what), "%s, neuron %llu of %llu", p->work,
		    (unsigned long long)p->neurons, (unsigned long long)p->neurons_total);
	else
		snprintf(what, sizeof(what), "%s", p->work);
	if (s->events.progress)
		s->events.progress(s->events.ctx, p->share, what);
}

static void
build_waiting(void *ctx)
{
	struct ui_session *s = ctx;

	ui_notice(s, "another process builds %s: waiting for it", s->db_path);
}

bool
ui_index_build(struct ui_session *s, uint32_t from, uint32_t to, const char *const *prompts,
    size_t n_prompts, struct lm_err *err)
{
	struct ix_observer o = { &s->cancel, build_progress, build_waiting, s };
	struct ix_plan plan = { from, to, prompts, n_prompts };

	if (!s->model || !lm_model_has_weights(s->model))
		return lm_fail(err, LM_EARG, "%s: has no weights to index", s->path);
	if (plan.layer_to == UINT32_MAX)
		plan.layer_to = s->info.layers - 1;
	if (!s->db_path && !default_path(s, err))
		return false;
	if (!ui_pool(s, err) || !make_folders(s->db_path, err))
		return false;
	ix_close(s->db);
	s->db = NULL;
	return ix_build(s->db_path, s->model, s->pool, &plan, &o, err);
}

/* One line before an automatic build: what it will take. */
static bool
announce(struct ui_session *s, struct lm_err *err)
{
	struct ix_estimate e;

	if (!ui_pool(s, err) || !make_folders(s->db_path, err) ||
	    !ix_estimate(s->db_path, s->model, s->pool, &e, err))
		return false;
	if (e.bytes > e.bytes_free)
		return lm_fail(err, LM_ELIMIT, "the index needs about %.3g MB, the disk of %s has %.3g MB free",
		    (double)e.bytes / 1e6, s->db_path, (double)e.bytes_free / 1e6);
	if (e.seconds < 100)
		ui_notice(s, "building the index, about %.2g s and %.2g MB: %s", e.seconds,
		    (double)e.bytes / 1e6, s->db_path);
	else
		ui_notice(s, "building the index, about %.0f min and %.3g MB: %s", e.seconds / 60,
		    (double)e.bytes / 1e6, s->db_path);
	return true;
}

bool
ui_index_need(struct ui_session *s, struct lm_err *err)
{
	bool found;

	if (!ui_index_find(s, &found, err))
		return false;
	if (found && (s->ix.complete || !s->model))
		return true;
	if (!s->model || !lm_model_has_weights(s->model))
		return lm_fail(err, LM_EARG, "%s: has no weights to index", s->path);
	if (!ui_opt_on(&s->opts, UI_OPT_build)) {
		if (found && s->ix.postings)
			return true;
		return lm_fail(err, LM_EARG, "%s: %s, and --no-build forbids building it", s->db_path,
		    found ? "the index is not complete" : "there is no index");
	}
	if (!announce(s, err) || !ui_index_build(s, 0, UINT32_MAX, NULL, 0, err) ||
	    !ui_index_find(s, &found, err))
		return false;
	return found || lm_fail(err, LM_EIO, "%s: cannot be opened after it was built", s->db_path);
}

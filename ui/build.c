/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.c - `lmscope index` and `lmscope merge`.
 */
#include "config.h"

#include "ui/main.h"
#include "ui/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


static void
progress(void *ctx, double share, const char *what)
{
	(void)ctx;
	ui_meter(share, what);
}

static void
notice(void *ctx, const char *text)
{
	(void)ctx;
	ui_meter_clear();
	ui_warn("%s", text);
}

/* A:B or one layer. */
static bool
read_layers(const char *text, const struct lm_info *info, uint32_t *from, uint32_t *to,
    struct lm_err *err)
{
	char *end;
	unsigned long a, b;

	errno = 0;
	a = strtoul(text, &end, 10);
	b = *end == ':' ? strtoul(end + 1, &end, 10) : a;
	if (!isdigit((unsigned char)*text) || *end || errno || a > b || b >= info->layers)
		return lm_fail(err, LM_EARG, "--layers: A:B within 0:%u wanted, found %s", info->layers - 1,
		    text);
	*from = (uint32_t)a;
	*to = (uint32_t)b;
	return true;
}

/* The lines of a file, empty ones left out; each to free, and the list. */
static const char **
read_lines(const char *path, size_t *n, struct lm_err *err)
{
	const char **list = NULL;
	FILE *f = fopen(path, "rb");
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	*n = 0;
	if (!f) {
		lm_fail(err, LM_EIO, "%s: %s", path, strerror(errno));
		return NULL;
	}
	while ((len = getline(&line, &cap, f)) >= 0) {
		while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			len--;
		if (len == 0)
			continue;
		list = ui_xresize(list, *n + 1, sizeof(*list));
		list[(*n)++] = ui_xmemdup(line, (size_t)len);
	}
	free(line);
	fclose(f);
	if (!list)
		lm_fail(err, LM_EARG, "%s: no prompt in it", path);
	return list;
}

static void
free_lines(const char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ui_free((void *)(uintptr_t)list[i]);
	ui_free(list);
}

static bool
build(struct ui_session *s, const struct ui_start *start, struct lm_err *err)
{
	uint32_t from = 0, to = UINT32_MAX;
	const char **prompts = NULL;
	size_t n = 0;
	bool ok;

	if (!s->model || !lm_model_has_weights(s->model))
		return lm_fail(err, LM_EARG, "%s: has no weights to index", s->path);
	if (start->layers && !read_layers(start->layers, &s->info, &from, &to, err))
		return false;
	if (start->prompts && !(prompts = read_lines(start->prompts, &n, err)))
		return false;
	ok = ui_index_build(s, from, to, prompts, n, err);
	free_lines(prompts, n);
	return ok;
}

/* What was built, in one line. */
static void
report(struct ui_session *s, double seconds)
{
	struct lm_err err;
	FILE *f;
	long size = 0;
	bool found;

	if (!ui_index_find(s, &found, &err) || !found)
		return;
	f = fopen(s->db_path, "rb");
	if (f) {
		fseek(f, 0, SEEK_END);
		size = ftell(f);
		fclose(f);
	}
	printf("%s: %llu of %llu neurons in %u of %u layers, %.1f MB, %.1f s\n", s->db_path,
	    (unsigned long long)s->ix.neurons,
	    (unsigned long long)s->info.layers * s->info.hidden, s->ix.layers_done, s->info.layers,
	    (double)size / 1e6, seconds);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int
ui_index(struct ui_start *start)
{
	struct ui_session s = { .opts = start->opts };
	struct lm_err err = { .code = LM_OK };
	double begun = now();
	int status = UI_OK;
	const char *core;

	start->opts = (struct ui_opts){ 0 };
	if (start->n_words != 2) {
		ui_warn("index: one MODEL wanted, found %zu words", start->n_words - 1);
		ui_opts_free(&s.opts);
		return UI_USAGE;
	}
	if (start->output && !ui_opts_set(&s.opts, "index", 5, start->output, strlen(start->output), O_CLI,
	    &err))
		ui_die(UI_USAGE, "%s", err.msg);
	s.events = (struct ui_events){ .progress = progress, .notice = notice, .ctx = &s };
	ui_catch_signals(&s.cancel);
	if (!ui_session_open(&s, start->words[1], &status, &err)) {
		ui_warn("%s", err.msg);
	} else {
		status = UI_OK;
		if (lm_blas_held_back(&core))
			ui_warn("OpenBLAS runs its %s kernels, older than this processor: is OPENBLAS_CORETYPE "
			    "set?", core);
		if (!build(&s, start, &err)) {
			ui_meter_clear();
			ui_warn(err.code == LM_ECANCEL ? "%s; the same command goes on from here" : "%s", err.msg);
			status = UI_FAILED;
		} else {
			ui_meter_clear();
			report(&s, now() - begun);
		}
	}
	if (ui_caught())
		status = 128 + ui_caught();
	ui_session_close(&s);
	return status;
}

static void
merge_progress(void *ctx, const struct ix_progress *p)
{
	(void)ctx;
	ui_meter(p->share, p->work);
}

int
ui_merge(struct ui_start *start)
{
	static atomic_bool cancel;
	struct ix_observer o = { .cancel = &cancel, .progress = merge_progress };
	struct lm_err err = { .code = LM_OK };
	struct ix_info info;
	ix_db *db;
	int status = UI_OK;

	if (!start->output || start->n_words < 2) {
		ui_warn("merge: -o FILE and the parts wanted");
		return UI_USAGE;
	}
	ui_catch_signals(&cancel);
	if (!ix_merge(start->output, start->words + 1, start->n_words - 1, &o, &err)) {
		ui_meter_clear();
		ui_warn("%s", err.msg);
		status = err.code == LM_EFORMAT || err.code == LM_EUNSUPPORTED ? UI_BAD_INDEX : UI_FAILED;
	} else {
		ui_meter_clear();
		if (ix_open(&db, start->output, IX_READ, &err)) {
			if (ix_info(db, &info, &err))
				printf("%s: %u of %u layers\n", start->output, info.layers_done, info.model.layers);
			ix_close(db);
		}
	}
	return ui_caught() ? 128 + ui_caught() : status;
}

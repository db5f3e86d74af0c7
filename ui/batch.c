/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.c - scripts: commands in, answers out, one after the other.
 */
#include "config.h"

#include "ui/main.h"
#include "ui/out.h"
#include "ui/script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct batch {
	struct ui_session s;
	bool broken;			/* stdout cannot be written */
};

static void
answer(void *ctx, const char *name, const struct ui_result *r, const struct lm_err *err, double ms)
{
	struct batch *b = ctx;
	struct ui_envelope e = { name, b->s.info.digest, ms };
	const struct ui_opts *o = &b->s.opts;
	struct lm_buf out = { 0 };

	ui_meter_clear();
	if (ui_opt_is(o, UI_OPT_format, "json"))
		ui_out_json(&out, &e, r, err);
	else if (r && ui_opt_is(o, UI_OPT_format, "tsv"))
		ui_out_tsv(&out, r);
	else if (r)
		ui_out_text(&out, r, ui_opt_on(o, UI_OPT_ascii));
	if (out.len && (fwrite(out.p, 1, out.len, stdout) != out.len || fflush(stdout) != 0))
		b->broken = true;
	lm_buf_free(&out);
}

static void
failed(void *ctx, const char *script, size_t line, const struct lm_err *err)
{
	(void)ctx;
	ui_meter_clear();
	ui_warn("%s:%zu: %s", script, line, err->msg);
}

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

/* The commands of -c, each a script of one line. */
static bool
run_commands(struct batch *b, const struct ui_start *start, struct lm_err *err)
{
	bool all = true;

	for (size_t i = 0; i < start->n_commands && !b->s.quit; i++) {
		bool ran, ok = ui_line(&b->s, start->commands[i], strlen(start->commands[i]), &ran, err);

		all = all && ok;
		if (!ok)
			failed(b, "-c", i + 1, err);
		if (!ok && (err->code == LM_ECANCEL || !ui_opt_on(&b->s.opts, UI_OPT_keep_going)))
			break;
	}
	return all;
}

static bool
run_script(struct batch *b, const char *path, struct lm_err *err)
{
	bool in = !path || strcmp(path, "-") == 0;
	FILE *f = in ? stdin : fopen(path, "rb");
	size_t count = 0;
	bool ok;

	if (!f) {
		lm_fail(err, LM_EIO, "%s: %s", path, strerror(errno));
		ui_warn("%s", err->msg);
		return false;
	}
	ok = ui_stream(&b->s, f, in ? "stdin" : path, &count, err);
	if (!in)
		fclose(f);
	return ok;
}

int
ui_batch(struct ui_start *start)
{
	struct batch b = { .s = { .opts = start->opts } };
	struct lm_err err = { .code = LM_OK };
	int status;
	bool ok;

	start->opts = (struct ui_opts){ 0 };
	if (start->n_words > (start->n_commands ? 1u : 2u)) {
		ui_warn("--batch: %s is one argument too many", start->words[start->n_words - 1]);
		ui_opts_free(&b.s.opts);
		return UI_USAGE;
	}
	b.s.events = (struct ui_events){ .progress = progress, .notice = notice, .answer = answer,
	    .failed = failed, .ctx = &b };
	ui_catch_signals(&b.s.cancel);
	ok = ui_session_open(&b.s, start->n_words ? start->words[0] : NULL, &status, &err);
	if (!ok) {
		ui_warn("%s", err.msg);
	} else {
		ok = start->n_commands ? run_commands(&b, start, &err) :
		    run_script(&b, start->n_words > 1 ? start->words[1] : NULL, &err);
		status = ok ? UI_OK : b.s.db_bad ? UI_BAD_INDEX : UI_FAILED;
	}
	ui_meter_clear();
	if (ui_caught())
		status = 128 + ui_caught();
	if (b.broken) {
		ui_warn("standard output: %s", strerror(errno));
		status = status ? status : UI_FAILED;
	}
	ui_session_close(&b.s);
	return status;
}

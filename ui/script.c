/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.c - lines of commands from a file, a stream or the command line, answered one by one.
 */
#include "config.h"

#include "ui/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_DEPTH = 16 };		/* of scripts that source scripts */

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* The first word of a line, for the answer of a command that there is not. */
static const char *
first_word(const char *line, size_t n, char *buf, size_t size)
{
	size_t k = 0;

	while (n && (*line == ' ' || *line == '\t'))
		line++, n--;
	while (k < n && k + 1 < size && !strchr(" \t\r\n", line[k]))
		k++;
	memcpy(buf, line, k);
	buf[k] = '\0';
	return buf;
}

bool
ui_line(struct ui_session *s, const char *line, size_t n, bool *ran, struct lm_err *err)
{
	double start = now_ms();
	char word[80];
	const char *name = NULL;
	struct ui_result *r = ui_exec(s, line, n, &name, err);
	bool ok = r || err->code == LM_OK;

	*ran = r || !ok;
	if (!name)
		name = first_word(line, n, word, sizeof(word));
	if (*ran && s->events.answer)
		s->events.answer(s->events.ctx, name, r, err, now_ms() - start);
	ui_result_unref(r);
	return ok;
}

bool
ui_stream(struct ui_session *s, FILE *f, const char *name, size_t *count, struct lm_err *err)
{
	bool going = ui_opt_on(&s->opts, UI_OPT_keep_going), ok = true, ran;
	struct lm_err first = { .code = LM_OK };
	size_t cap = 0, number = 0;
	char *line = NULL;
	ssize_t n;

	while (!s->quit && (ok || going) && (n = getline(&line, &cap, f)) >= 0) {
		number++;
		ok = ui_line(s, line, (size_t)n, &ran, err);
		*count += ran;
		if (ok)
			continue;
		if (err->code == LM_ECANCEL)
			going = false;
		if (s->events.failed)
			s->events.failed(s->events.ctx, name, number, err);
		if (first.code == LM_OK)
			first = *err;
		going = going && ui_opt_on(&s->opts, UI_OPT_keep_going);
	}
	if (ferror(f) && first.code == LM_OK) {
		lm_fail(&first, LM_EIO, "%s: %s", name, strerror(errno));
		if (s->events.failed)
			s->events.failed(s->events.ctx, name, number + 1, &first);
	}
	free(line);
	if (first.code == LM_OK)
		return true;
	*err = first;
	return false;
}

bool
ui_source(struct ui_session *s, const char *path, size_t *count, struct lm_err *err)
{
	FILE *f;
	bool ok;

	if (s->depth == MAX_DEPTH)
		return lm_fail(err, LM_ELIMIT, "source: scripts nested deeper than %d", MAX_DEPTH);
	f = fopen(path, "rb");
	if (!f)
		return lm_fail(err, LM_EIO, "%s: %s", path, strerror(errno));
	s->depth++;
	ok = ui_stream(s, f, path, count, err);
	s->depth--;
	fclose(f);
	return ok || lm_fail(err, err->code, "source: a command in %s failed", path);
}

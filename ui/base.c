/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.c - see base.h.
 */
#include "config.h"

#include "ui/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void (*restore_terminal)(void);

void
ui_die_hook(void (*restore)(void))
{
	restore_terminal = restore;
}

static void
say(const char *fmt, va_list ap)
{
	struct lm_buf line = { 0 };
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (lm_escape(text, strlen(text), false, &line, NULL))
		fprintf(stderr, "lmscope: %s\n", line.p);
	lm_buf_free(&line);
}

void
ui_die(int status, const char *fmt, ...)
{
	va_list ap;

	if (restore_terminal)
		restore_terminal();
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(status);
}

void
ui_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

static void *
need(void *p, const struct lm_err *err)
{
	if (!p)
		ui_die(UI_FAILED, "%s", err->msg);
	return p;
}

void *
ui_xalloc(size_t n, size_t size)
{
	struct lm_err err;

	return need(lm_zalloc(n, size, &err), &err);
}

void *
ui_xresize(void *p, size_t n, size_t size)
{
	struct lm_err err;

	if (!lm_resize(&p, n, size, &err))
		ui_die(UI_FAILED, "%s", err.msg);
	return p;
}

char *
ui_xmemdup(const void *p, size_t n)
{
	char *copy = ui_xalloc(n + 1, 1);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *
ui_xstrdup(const char *s)
{
	return ui_xmemdup(s, strlen(s));
}

void
ui_free(void *p)
{
	lm_free(p);
}

void
ui_buf_add(struct lm_buf *b, const void *bytes, size_t n)
{
	struct lm_err err;

	if (!lm_buf_add(b, bytes, n, &err))
		ui_die(UI_FAILED, "%s", err.msg);
}

void
ui_buf_str(struct lm_buf *b, const char *s)
{
	ui_buf_add(b, s, strlen(s));
}

void
ui_buf_printf(struct lm_buf *b, const char *fmt, ...)
{
	char stack[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(stack, sizeof(stack), fmt, ap);
	va_end(ap);
	if (n < (int)sizeof(stack)) {
		ui_buf_add(b, stack, n > 0 ? (size_t)n : 0);
	} else {
		char *s = ui_xalloc((size_t)n + 1, 1);

		va_start(ap, fmt);
		vsnprintf(s, (size_t)n + 1, fmt, ap);
		va_end(ap);
		ui_buf_add(b, s, (size_t)n);
		ui_free(s);
	}
}

void
ui_buf_escape(struct lm_buf *b, const char *s, size_t n, bool ascii)
{
	struct lm_err err;

	if (!lm_escape(s, n, ascii, b, &err))
		ui_die(UI_FAILED, "%s", err.msg);
}

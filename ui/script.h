/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.h - running lines of the command language in a row.
 */
#ifndef UI_SCRIPT_H
#define UI_SCRIPT_H

#include <stdio.h>

#include "ui/session.h"

/* Runs one line and hands the answer to events.answer.  ran: it was a command, not a comment. */
bool ui_line(struct ui_session *s, const char *line, size_t n, bool *ran, struct lm_err *err);
/*
 * Runs the lines of a stream up to its end, quit, or the first failure (all of them with keep_going).
 * Each failure goes to events.failed; false with the first of them in err.
 */
bool ui_stream(struct ui_session *s, FILE *f, const char *name, size_t *count, struct lm_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * term.h - taking the terminal and giving it back.
 */
#ifndef UI_TERM_H
#define UI_TERM_H

#include "ui/opts.h"

/* Starts curses; standard error is caught from now on.  Fails when this is no terminal. */
bool ui_term_start(const struct ui_opts *o, struct lm_err *err);
/* Gives the terminal back; what was caught is written out. */
void ui_term_stop(void);
/* Stops the process as the shell's Ctrl-Z does, and takes the terminal again when it goes on. */
void ui_term_suspend(void);
/* The next line that something wrote to standard error, to free; NULL when there is none. */
char *ui_term_caught(void);
/* Puts text into the terminal's clipboard, where it has one. */
void ui_term_copy(const char *text);
/* True when only ASCII can be drawn. */
bool ui_term_ascii(const struct ui_opts *o);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.h - the program's ways to run, as main.c picks them.
 */
#ifndef UI_MAIN_H
#define UI_MAIN_H

#include "ui/session.h"

/* What the command line says. */
struct ui_start {
	struct ui_opts opts;
	bool batch;
	const char **commands;		/* of -c */
	size_t n_commands;
	const char *output;		/* -o */
	const char *layers, *prompts;	/* of index */
	const char **words;		/* what is no option */
	size_t n_words;
};

/* Each returns the exit status. */
int ui_batch(struct ui_start *start);
int ui_index(struct ui_start *start);
int ui_merge(struct ui_start *start);
int ui_screen(struct ui_start *start);

/* SIGINT, SIGTERM and SIGHUP set *cancel from now on; a second one ends the program. */
void ui_catch_signals(atomic_bool *cancel);
/* The signal that came, or 0. */
int ui_caught(void);

/* A line on stderr that says how far a long command is; nothing when stderr is no terminal. */
void ui_meter(double share, const char *what);
void ui_meter_clear(void);

#endif

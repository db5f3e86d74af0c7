/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmds.h - the table of commands, and what a handler gets.
 */
#ifndef UI_CMDS_H
#define UI_CMDS_H

#include "ui/args.h"
#include "ui/result.h"

struct ui_session;

enum {
	C_VOCAB = 1,			/* needs a tokenizer */
	C_WEIGHTS = 2,			/* needs weights */
	C_PROMPT = 4,			/* needs a current prompt */
	C_INDEX = 8,			/* reads the index: builds it when it is missing */
	C_CHANGES = 16,			/* changes the session: goes into the journal */
};

struct ui_call {
	struct ui_session *s;
	const struct ui_cmd *cmd;
	struct ui_args args;
	struct ui_result *out;
	bool unchanged;			/* set by a handler that changed nothing after all */
	struct lm_err *err;
};

/* Fills c->out; false with c->err filled. */
typedef bool ui_cmd_fn(struct ui_call *c);

struct ui_cmd {
	const char *name, *args, *fields, *rows;
	unsigned flags;
	const char *help;
	ui_cmd_fn *fn;
};

#define CMD(name, args, fields, rows, flags, help) ui_cmd_fn cmd_##name;
#include "ui/cmds.def"
#undef CMD

/* The i-th command, NULL after the last. */
const struct ui_cmd *ui_cmd_nth(size_t i);
/* By name or unique prefix; NULL with the candidates in err. */
const struct ui_cmd *ui_cmd_find(const char *name, size_t n, struct lm_err *err);

/*
 * Runs one command line.  Returns the answer, the caller's reference, or NULL with err filled.  *name is
 * the command's name as far as it is known.  A line that is empty or a comment has no answer: NULL with
 * err->code LM_OK.
 */
struct ui_result *ui_exec(struct ui_session *s, const char *line, size_t n, const char **name,
    struct lm_err *err);

#endif

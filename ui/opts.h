/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opts.h - options of the program and of the session.
 */
#ifndef UI_OPTS_H
#define UI_OPTS_H

#include "ui/base.h"

enum { O_CLI = 1, O_SET = 2 };
enum ui_opt_kind { UI_O_WORD, UI_O_SWITCH, UI_O_NUMBER, UI_O_BYTES, UI_O_TEXT };

enum ui_opt {
#define OPT(name, kind, where, def, values, help) UI_OPT_##name,
#include "ui/opts.def"
#undef OPT
	UI_NOPTS
};

struct ui_opt_row {
	const char *name;		/* as `set` spells it; the command line writes - for _ */
	enum ui_opt_kind kind;
	unsigned where;
	const char *def, *values, *help;
};

struct ui_opts {
	char *text[UI_NOPTS];		/* as given or defaulted; owned */
	int64_t number[UI_NOPTS];	/* index of the word, 0 or 1, the number, bytes */
};

void ui_opts_init(struct ui_opts *o);
void ui_opts_free(struct ui_opts *o);
const struct ui_opt_row *ui_opt_row(enum ui_opt i);
/* By name, - and _ alike; NULL when there is none. */
const struct ui_opt_row *ui_opt_find(const char *name, size_t n);
/* where: O_CLI or O_SET, that the option has to allow. */
bool ui_opts_set(struct ui_opts *o, const char *name, size_t name_len, const char *value, size_t len,
    unsigned where, struct lm_err *err);
bool ui_opt_on(const struct ui_opts *o, enum ui_opt i);
/* True when a WORD option has this word. */
bool ui_opt_is(const struct ui_opts *o, enum ui_opt i, const char *word);

#endif

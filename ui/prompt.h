/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prompt.h - the line at the bottom that is typed into: editing, history, completion.
 */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include "ui/draw.h"

enum ui_prompt_kind { UI_P_COMMAND, UI_P_FIND, UI_P_FILTER, UI_P_SEARCH, UI_P_NKINDS };

struct ui_history {
	char **v;
	size_t n;
};

struct ui_prompt {
	bool active;
	enum ui_prompt_kind kind;
	char label[24];
	struct lm_buf text;
	size_t at;			/* cursor, in bytes */
	struct ui_history history[UI_P_NKINDS];
	size_t recall;			/* place in the history; n: what is being typed */
	char *draft;			/* that, while the history is shown */
	char *candidates;		/* shown above the line after Tab, or NULL */
};

enum ui_prompt_result { UI_P_EDITING, UI_P_DONE, UI_P_ABANDONED };

void ui_prompt_start(struct ui_prompt *p, enum ui_prompt_kind kind, const char *label,
    const char *text);
/* One key; text keys as UTF-8 in name. */
enum ui_prompt_result ui_prompt_key(struct ui_prompt *p, const char *name, bool is_text);
/* Draws the line; *cursor is the column of the cursor. */
void ui_prompt_draw(const struct ui_prompt *p, const struct ui_canvas *c, int y, int *cursor);
void ui_prompt_stop(struct ui_prompt *p);
void ui_prompt_free(struct ui_prompt *p);

/* complete.c: what could stand at the end of text[0..at): the longest common part is inserted by the prompt. */
size_t ui_complete(const char *text, size_t at, struct lm_buf *candidates, struct lm_buf *insert);

#endif

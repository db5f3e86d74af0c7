/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - rows of an answer as a list to work in: cursor, columns that fit, search, filter, sort, tags.
 */
#ifndef UI_LIST_H
#define UI_LIST_H

#include "ui/view.h"

enum ui_col_kind {
	UI_C_AUTO,			/* by the type of the column */
	UI_C_NEURON,			/* layer and neuron: "3.17" */
	UI_C_BAR,			/* a number with a bar, scaled to the largest loaded */
	UI_C_SPARK,			/* a list of counts as a small chart */
	UI_C_PERCENT,
	UI_C_TOKENS,			/* a list of tokens */
	UI_C_SIGN,			/* a number with its sign, coloured */
};

/* How a column of the answer is shown.  Columns with the largest drop go first when width is short. */
struct ui_col {
	const char *name;		/* of the answer's column */
	const char *title;
	enum ui_col_kind kind;
	int min, max;			/* cells; 0: what its values need */
	int drop;
};

/* Rows may come in several answers, one behind the other; memory of cells stays theirs. */
struct ui_list {
	const struct ui_col *cols;	/* NULL: all columns of the answer, as they are */
	size_t n_cols;
	struct ui_result **parts;
	size_t n_parts;
	size_t loaded;			/* rows in the parts */
	uint64_t total;			/* rows there are, loaded or not */
	size_t *shown;			/* numbers of rows, filtered and sorted */
	size_t n;
	size_t cursor, top;
	int xoff;			/* columns scrolled away, when they do not fit */
	bool *tagged;			/* [loaded] */
	char *find, *filter;
	int sort;			/* column of the answer, -1: as it came */
	bool reverse;
	size_t place, matches;		/* of the last search, counted from 1 */
	bool wrapped;
};

struct ui_list *ui_list_new(const struct ui_col *cols, size_t n_cols);
void ui_list_free(struct ui_list *l);
/* Forgets all rows; cursor, search and filter stay for the rows to come. */
void ui_list_clear(struct ui_list *l);
/* Adds the rows of an answer; false when it has no table. */
bool ui_list_add(struct ui_list *l, struct ui_result *r);
/* Cell of the i-th shown row by the name of its column; an IX_NULL cell when there is none. */
const struct ix_cell *ui_list_cell(const struct ui_list *l, size_t i, const char *name);
/* The neuron that a row is about; false when it is about none. */
bool ui_list_neuron(const struct ui_list *l, size_t i, struct ui_neuron *out);
/* Moves the cursor to a row, if it is there. */
void ui_list_goto(struct ui_list *l, size_t i);

void ui_list_draw(struct view *v, const struct ui_canvas *c);
/* Movement, tags, sorting, searching on. */
int ui_list_act(struct view *v, enum ui_action a);
int ui_list_click(struct view *v, int y, int x, bool twice);
/* Searches from the cursor; step 1 or -1, 0 to stay on a match under the cursor. */
void ui_list_find(struct view *v, const char *text, int step);
void ui_list_filter(struct view *v, const char *text);
/* "row 83/134 61%" and what is filtered and tagged. */
void ui_list_status(const struct ui_list *l, struct lm_buf *out);

#endif

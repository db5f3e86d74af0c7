/* SPDX-License-Identifier: Apache-2.0 */
/*
 * colour.h - how things look: roles, which schemes give attributes.  Meaning is never by colour alone.
 */
#ifndef UI_COLOUR_H
#define UI_COLOUR_H

#include "ui/base.h"

/* Role, its colour of 256 and of 8 (-1: the terminal's own), attributes. */
#define UI_ROLES(X) \
	X(NORMAL, -1, -1, A_NORMAL) \
	X(DIM, 244, -1, A_DIM)			/* less important, or not yet computed */ \
	X(TITLE, 117, COLOR_CYAN, A_BOLD)	/* the line on top */ \
	X(HEADER, 250, -1, A_UNDERLINE)		/* of columns */ \
	X(STATUS, -1, -1, A_REVERSE) \
	X(ERROR, 203, COLOR_RED, A_BOLD) \
	X(KEY, 117, COLOR_CYAN, A_BOLD)		/* a key's name in the bar and in help */ \
	X(SELECTED, -1, -1, A_REVERSE) \
	X(TAGGED, 221, COLOR_YELLOW, A_BOLD) \
	X(MATCH, 221, COLOR_YELLOW, A_UNDERLINE | A_BOLD) \
	X(POSITIVE, 209, COLOR_RED, A_NORMAL)	/* sign of a number, which is written as well */ \
	X(NEGATIVE, 75, COLOR_BLUE, A_NORMAL) \
	X(BAR, 108, COLOR_GREEN, A_NORMAL) \
	X(CLEAN, 110, COLOR_CYAN, A_NORMAL)	/* without clamps */ \
	X(CLAMPED, 215, COLOR_YELLOW, A_NORMAL)	/* under clamps */ \
	X(TOKEN, 223, -1, A_NORMAL)

enum ui_role {
#define X(id, rich, plain, attr) UI_R_##id,
	UI_ROLES(X)
#undef X
	UI_NROLES
};

/* Sets the schemes up; colour false leaves bold, reverse and underline.  After curses has started. */
void ui_colour_init(bool colour);
/* Attributes of a role, for curses. */
unsigned long ui_attr(enum ui_role role);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * colour.c - roles to attributes, for 256 colours, 8 and none.
 */
#include "config.h"

#include "ui/colour.h"

#include <curses.h>

static unsigned long attrs[UI_NROLES];

void
ui_colour_init(bool colour)
{
	static const struct {
		short rich, plain;
		unsigned long attr;
	} roles[UI_NROLES] = {
#define X(id, rich, plain, attr) [UI_R_##id] = { rich, plain, attr },
		UI_ROLES(X)
#undef X
	};
	short pair = 1;

	if (colour && (!has_colors() || start_color() == ERR || use_default_colors() == ERR))
		colour = false;
	for (int i = 0; i < UI_NROLES; i++) {
		short c = COLORS >= 256 ? roles[i].rich : roles[i].plain;

		attrs[i] = roles[i].attr;
		if (!colour || c < 0)
			continue;
		init_pair(pair, c, -1);
		/* Where colour says it, the weaker attributes would only disturb. */
		attrs[i] = (roles[i].attr & ~(unsigned long)A_DIM) | COLOR_PAIR(pair);
		pair++;
	}
}

unsigned long
ui_attr(enum ui_role role)
{
	return attrs[role];
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draw.h - drawing into rectangles of the screen; everything is clipped to its rectangle.
 */
#ifndef UI_DRAW_H
#define UI_DRAW_H

#include "ui/colour.h"
#include "ui/text.h"

struct ui_rect {
	int y, x, h, w;
};

/* What a drawing function needs to know of the terminal. */
struct ui_canvas {
	struct ui_rect r;
	bool ascii;
	unsigned long extra;		/* attributes added to everything: the cursor's row */
};

/* All of these count y and x from the rectangle and return the x behind what they drew. */

/* Fills the rest of a row with blanks. */
int ui_blank(const struct ui_canvas *c, int y, int x, int w, enum ui_role role);
/* Our own text, cut with an ellipsis to w cells (w < 0: to the rectangle). */
int ui_puts(const struct ui_canvas *c, int y, int x, int w, enum ui_role role, const char *s);
int ui_printf(const struct ui_canvas *c, int y, int x, enum ui_role role, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Untrusted text: escaped, edge spaces as a dim mark, cut to w cells. */
int ui_put_token_text(const struct ui_canvas *c, int y, int x, int w, enum ui_role role, const char *p,
    size_t n);
/* Untrusted text over several rows, broken at blanks and line ends; returns the rows used, at most h. */
int ui_wrap(const struct ui_canvas *c, int y, int x, int w, int h, enum ui_role role, const char *p,
    size_t n);
/* A number, right justified in w cells, with so many decimals. */
int ui_put_real_at(const struct ui_canvas *c, int y, int x, int w, enum ui_role role, double v,
    int decimals);
/* A bar of share (0 to 1) of w cells. */
int ui_bar(const struct ui_canvas *c, int y, int x, int w, enum ui_role role, double share);
/* Columns of a small chart: n values of 0 to 1. */
int ui_spark(const struct ui_canvas *c, int y, int x, enum ui_role role, const double *v, size_t n);
/* A part of the canvas, clipped to it. */
struct ui_canvas ui_part(const struct ui_canvas *c, int y, int x, int h, int w);

#endif

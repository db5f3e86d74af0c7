/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draw.c - text, bars and small charts through curses.
 *
 * Widths are counted with our own table and every piece is placed by its column, so that a terminal that
 * disagrees about one character does not move the rest of the row.
 */
#include "config.h"

#include "ui/draw.h"

#include <curses.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cells from x to the right edge, or w of them when that is less. */
static int
room(const struct ui_canvas *c, int y, int x, int w)
{
	int left = c->r.w - x;

	if (y < 0 || y >= c->r.h || x < 0 || left <= 0)
		return 0;
	return w < 0 || w > left ? left : w;
}

/* Escaped text that is known to fit. */
static void
put(const struct ui_canvas *c, int y, int x, enum ui_role role, const char *s, size_t n)
{
	attrset((attr_t)(ui_attr(role) | c->extra));
	mvaddnstr(c->r.y + y, c->r.x + x, s, (int)n);
	attrset(A_NORMAL);
}

int
ui_blank(const struct ui_canvas *c, int y, int x, int w, enum ui_role role)
{
	int n = room(c, y, x, w);

	if (n > 0) {
		attrset((attr_t)(ui_attr(role) | c->extra));
		mvhline(c->r.y + y, c->r.x + x, ' ', n);
		attrset(A_NORMAL);
	}
	return x + n;
}

/* Escaped text, cut to w cells with a mark. */
static int
put_cut(const struct ui_canvas *c, int y, int x, int w, enum ui_role role, const char *s, size_t n)
{
	size_t used, fit;

	w = room(c, y, x, w);
	if (w <= 0)
		return x;
	fit = ui_text_fit(s, n, (size_t)w, &used);
	if (fit == n) {
		put(c, y, x, role, s, n);
		return x + (int)used;
	}
	fit = ui_text_fit(s, n, (size_t)w - 1, &used);
	put(c, y, x, role, s, fit);
	put(c, y, x + (int)used, role, c->ascii ? "~" : "\u2026", c->ascii ? 1 : 3);
	return x + (int)used + 1;
}

int
ui_puts(const struct ui_canvas *c, int y, int x, int w, enum ui_role role, const char *s)
{
	return put_cut(c, y, x, w, role, s, strlen(s));
}

int
ui_printf(const struct ui_canvas *c, int y, int x, enum ui_role role, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return ui_puts(c, y, x, -1, role, text);
}

int
ui_put_token_text(const struct ui_canvas *c, int y, int x, int w, enum ui_role role, const char *p,
    size_t n)
{
	const char *mark = c->ascii ? "_" : "\u2423";
	struct lm_buf text = { 0 };
	size_t before = 0, after = 0;
	int end;

	while (before < n && p[before] == ' ')
		before++;
	while (after < n - before && p[n - 1 - after] == ' ')
		after++;
	w = room(c, y, x, w);
	end = x + w;
	for (size_t i = 0; i < before && x < end; i++)
		x = ui_puts(c, y, x, 1, UI_R_DIM, mark);
	ui_buf_escape(&text, p + before, n - before - after, c->ascii);
	if (x < end)
		x = put_cut(c, y, x, end - x, role, text.p, text.len);
	for (size_t i = 0; i < after && x < end; i++)
		x = ui_puts(c, y, x, 1, UI_R_DIM, mark);
	lm_buf_free(&text);
	return x;
}

/* Bytes of escaped text s[0..n) for one row of w cells: up to a blank if one is near, else what fits. */
static size_t
break_at(const char *s, size_t n, int w)
{
	size_t used, fit = ui_text_fit(s, n, (size_t)w, &used), k = fit;

	if (fit == n)
		return n;
	while (k > fit / 2 && s[k - 1] != ' ')
		k--;
	return k > fit / 2 ? k : fit ? fit : 1;
}

int
ui_wrap(const struct ui_canvas *c, int y, int x, int w, int h, enum ui_role role, const char *p,
    size_t n)
{
	struct lm_buf line = { 0 };
	int rows = 0;

	w = room(c, y, x, w);
	for (size_t i = 0; w > 0 && i <= n && rows < h;) {
		const char *end = i < n ? memchr(p + i, '\n', n - i) : NULL;
		size_t k = end ? (size_t)(end - p) - i : n - i, at = 0;

		line.len = 0;
		ui_buf_escape(&line, p + i, k, c->ascii);
		do {
			size_t part = break_at(line.p + at, line.len - at, w);
			bool more = rows + 1 == h && (at + part < line.len || i + k < n);
			char *row = ui_xmemdup(line.p + at, part);

			/* What does not fit into the last row is not cut in silence. */
			ui_puts(c, y + rows, x, more ? w - 1 : w, role, row);
			if (more)
				ui_puts(c, y + rows, x + w - 1, 1, UI_R_DIM, c->ascii ? "~" : "\u2026");
			ui_free(row);
			at += part;
			rows++;
		} while (at < line.len && rows < h);
		i += k + 1;
	}
	lm_buf_free(&line);
	return rows;
}

int
ui_put_real_at(const struct ui_canvas *c, int y, int x, int w, enum ui_role role, double v,
    int decimals)
{
	struct lm_buf text = { 0 };
	int n;

	ui_text_fixed(&text, v, decimals);
	n = (int)text.len;
	put_cut(c, y, n < w ? x + w - n : x, w, role, text.p, text.len);
	lm_buf_free(&text);
	return x + w;
}

int
ui_bar(const struct ui_canvas *c, int y, int x, int w, enum ui_role role, double share)
{
	static const char *const eighths[] = { "", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a",
	    "\u2589" };
	int full, part;

	w = room(c, y, x, w);
	share = share > 0 ? (share < 1 ? share : 1) : 0;	/* NaN is 0 */
	full = (int)(share * w * 8 + 0.5);
	part = full % 8;
	full /= 8;
	for (int i = 0; i < full; i++)
		ui_puts(c, y, x + i, 1, role, c->ascii ? "#" : "\u2588");
	if (part && !c->ascii)
		ui_puts(c, y, x + full, 1, role, eighths[part]);
	return x + w;
}

int
ui_spark(const struct ui_canvas *c, int y, int x, enum ui_role role, const double *v, size_t n)
{
	static const char *const levels[] = { " ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586",
	    "\u2587", "\u2588" };
	static const char *const plain[] = { " ", ".", ":", "-", "=", "+", "*", "%", "@" };

	for (size_t i = 0; i < n && room(c, y, x, 1) > 0; i++, x++) {
		double share = v[i] > 0 ? (v[i] < 1 ? v[i] : 1) : 0;
		int level = share > 0 ? 1 + (int)(share * 7 + 0.5) : 0;

		ui_puts(c, y, x, 1, role, c->ascii ? plain[level] : levels[level]);
	}
	return x;
}

struct ui_canvas
ui_part(const struct ui_canvas *c, int y, int x, int h, int w)
{
	struct ui_canvas p = *c;

	p.r.y += y;
	p.r.x += x;
	p.r.h = h > c->r.h - y ? c->r.h - y : h;
	p.r.w = w > c->r.w - x ? c->r.w - x : w;
	if (p.r.h < 0)
		p.r.h = 0;
	if (p.r.w < 0)
		p.r.w = 0;
	return p;
}

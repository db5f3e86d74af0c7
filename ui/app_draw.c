/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_draw.c - the frame: title, the view or two of them, status line, key bar, windows on top.
 */
#include "config.h"

#include "ui/app.h"
#include "ui/list.h"

#include <curses.h>
#include <string.h>

/* Cells of the first pane when there are two. */
static int
first_pane(const struct ui_app *a)
{
	return a->detail ? COLS / 2 : COLS;
}

static void
draw_title(const struct ui_app *a, const struct view *v, const struct ui_canvas *c)
{
	struct lm_buf text = { 0 };

	(void)a;
	ui_buf_str(&text, " ");
	if (v->ops->title)
		v->ops->title(v, &text);
	else
		ui_buf_str(&text, v->line);
	ui_blank(c, 0, 0, -1, UI_R_TITLE);
	ui_puts(c, 0, 0, -1, UI_R_TITLE, text.p);
	lm_buf_free(&text);
}

/* The names of the views below, innermost last. */
static void
crumbs(const struct view *v, struct lm_buf *out, int depth)
{
	if (!v || depth == 0)
		return;
	crumbs(v->below, out, depth - 1);
	ui_buf_printf(out, "%s%s", out->len ? " < " : "", v->ops->name);
}

static void
draw_status(const struct ui_app *a, const struct ui_canvas *c, int y)
{
	const struct view *v = a->focus_detail && a->detail ? a->detail : a->top;
	struct lm_buf left = { 0 }, right = { 0 };
	int w;

	ui_blank(c, y, 0, -1, UI_R_STATUS);
	if (a->share >= 0) {
		ui_buf_printf(&right, "%s %3.0f%% ", a->what, a->share * 100);
	} else if (ui_worker_busy(a->worker)) {
		ui_buf_str(&right, "working ");
	}
	ui_buf_str(&right, a->name);
	ui_buf_printf(&left, "[%s] ", v->ops->name);
	if (v->list)
		ui_list_status(v->list, &left);
	if (v->below) {
		struct lm_buf trail = { 0 };

		crumbs(v->below, &trail, 3);
		ui_buf_printf(&left, "  < %s", trail.p);
		lm_buf_free(&trail);
	}
	w = (int)ui_text_width(right.p, right.len);
	if (a->error) {
		struct lm_buf shown = { 0 };

		ui_buf_str(&shown, "! ");
		ui_buf_escape(&shown, a->error, strlen(a->error), a->ascii);
		ui_blank(c, y, 0, -1, UI_R_ERROR);
		ui_puts(c, y, 0, -1, UI_R_ERROR, shown.p);
		lm_buf_free(&shown);
	} else if (a->notice) {
		struct lm_buf shown = { 0 };

		ui_buf_escape(&shown, a->notice, strlen(a->notice), a->ascii);
		ui_puts(c, y, 0, c->r.w - w - 1, UI_R_STATUS, shown.p);
		lm_buf_free(&shown);
	} else {
		ui_puts(c, y, 0, c->r.w - w - 1, UI_R_STATUS, left.p);
	}
	if (!a->error && w < c->r.w)
		ui_puts(c, y, c->r.w - w, -1, UI_R_STATUS, right.p);
	lm_buf_free(&left);
	lm_buf_free(&right);
}

/* "Enter open  s sort": the first word of each pair is the key. */
static int
draw_keys(const struct ui_canvas *c, int y, int x, const char *keys)
{
	for (const char *p = keys; *p;) {
		size_t word = strcspn(p, " "), rest = 0;
		const char *what = p + word;
		char buf[48];

		while (what[rest] && strncmp(what + rest, "  ", 2) != 0)
			rest++;
		if (x + (int)(word + rest) + 2 > c->r.w || word + rest >= sizeof(buf))
			return x;
		memcpy(buf, p, word);
		buf[word] = '\0';
		x = ui_puts(c, y, x, -1, UI_R_KEY, buf);
		memcpy(buf, what, rest);
		buf[rest] = '\0';
		x = ui_puts(c, y, x, -1, UI_R_DIM, buf) + 2;
		p = what + rest;
		p += strspn(p, " ");
	}
	return x;
}

static void
draw_bar(const struct ui_app *a, const struct ui_canvas *c, int y)
{
	const struct view *v = a->focus_detail && a->detail ? a->detail : a->top;
	int x;

	ui_blank(c, y, 0, -1, UI_R_NORMAL);
	x = draw_keys(c, y, 1, v->ops->keys ? v->ops->keys : "");
	draw_keys(c, y, x, "? help  : command  q back");
}

/* Lines in a box in the middle. */
static void
draw_popup(const struct ui_app *a, const struct ui_canvas *c)
{
	int h = 2, w = 0, y = 0;
	struct ui_canvas box;

	for (const char *p = a->popup; *p; p += strspn(p, "\n")) {
		size_t n = strcspn(p, "\n");
		int cells = (int)ui_text_width(p, n) + 4;

		w = cells > w ? cells : w;
		h++;
		p += n;
	}
	w = w > c->r.w - 2 ? c->r.w - 2 : w;
	h = h > c->r.h - 2 ? c->r.h - 2 : h;
	box = ui_part(c, (c->r.h - h) / 2, (c->r.w - w) / 2, h, w);
	for (int i = 0; i < h; i++)
		ui_blank(&box, i, 0, -1, UI_R_STATUS);
	for (const char *p = a->popup; *p; p += strspn(p, "\n")) {
		size_t n = strcspn(p, "\n");
		char *line = ui_xmemdup(p, n);

		if (++y < h - 1)
			ui_puts(&box, y, 2, w - 4, UI_R_STATUS, line);
		ui_free(line);
		p += n;
	}
}

/* Opens, changes or closes the second pane by what the cursor of the first names. */
static void
follow(struct ui_app *a)
{
	struct lm_buf line = { 0 };
	bool want = COLS >= UI_WIDE && a->top->ops->detail && a->top->ops->detail(a->top, &line);

	if (want && (!a->detail || strcmp(a->detail_line, line.p) != 0))
		app_detail(a, line.p);
	else if (!want && a->detail)
		app_detail(a, NULL);
	lm_buf_free(&line);
}

static void
draw_views(struct ui_app *a, const struct ui_canvas *screen)
{
	struct ui_canvas c;

	follow(a);
	c = ui_part(screen, 0, 0, screen->r.h - 2, first_pane(a) - (a->detail ? 1 : 0));
	draw_title(a, a->top, &c);
	c = ui_part(&c, 1, 0, c.r.h - 1, c.r.w);
	a->top->ops->draw(a->top, &c);
	if (!a->detail)
		return;
	for (int y = 0; y < screen->r.h - 2; y++)
		ui_puts(screen, y, first_pane(a) - 1, 1, a->focus_detail ? UI_R_KEY : UI_R_DIM,
		    a->ascii ? "|" : "\u2502");
	c = ui_part(screen, 0, first_pane(a), screen->r.h - 2, screen->r.w - first_pane(a));
	draw_title(a, a->detail, &c);
	c = ui_part(&c, 1, 0, c.r.h - 1, c.r.w);
	a->detail->ops->draw(a->detail, &c);
}

void
app_draw(struct ui_app *a)
{
	struct ui_canvas screen = { .r = { 0, 0, LINES, COLS }, .ascii = a->ascii };
	int cursor = 0;

	if (a->redraw)
		clearok(curscr, TRUE);
	a->redraw = false;
	erase();
	if (LINES < UI_MIN_H || COLS < UI_MIN_W) {
		ui_puts(&screen, LINES / 2, 0, -1, UI_R_NORMAL, "lmscope needs 40x8");
		refresh();
		return;
	}
	draw_views(a, &screen);
	draw_status(a, &screen, LINES - 2);
	if (a->prompt.active) {
		ui_prompt_draw(&a->prompt, &screen, LINES - 1, &cursor);
	} else {
		draw_bar(a, &screen, LINES - 1);
	}
	if (a->popup)
		draw_popup(a, &screen);
	curs_set(a->prompt.active);
	if (a->prompt.active)
		move(LINES - 1, cursor);
	refresh();
}

void
app_click(struct ui_app *a, int y, int x, bool twice)
{
	bool second = a->detail && x >= first_pane(a);
	struct view *v = second ? a->detail : a->top;

	if (y < 1 || y >= LINES - 2)
		return;
	a->focus_detail = second;
	if (second)
		x -= first_pane(a);
	if (v->ops->click)
		v->ops->click(v, y - 1, x, twice);
	else if (v->list)
		ui_list_click(v, y - 1, x, twice);
}

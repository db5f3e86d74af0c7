/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prompt.c - a line editor: the usual keys, a history for each kind of question, Tab for completion.
 */
#include "config.h"

#include "ui/prompt.h"

#include <stdio.h>
#include <string.h>

void
ui_prompt_start(struct ui_prompt *p, enum ui_prompt_kind kind, const char *label, const char *text)
{
	p->active = true;
	p->kind = kind;
	snprintf(p->label, sizeof(p->label), "%s", label);
	p->text.len = 0;
	ui_buf_str(&p->text, text);
	p->at = p->text.len;
	p->recall = p->history[kind].n;
}

void
ui_prompt_stop(struct ui_prompt *p)
{
	p->active = false;
	ui_free(p->draft);
	ui_free(p->candidates);
	p->draft = p->candidates = NULL;
}

void
ui_prompt_free(struct ui_prompt *p)
{
	ui_prompt_stop(p);
	lm_buf_free(&p->text);
	for (int k = 0; k < UI_P_NKINDS; k++) {
		for (size_t i = 0; i < p->history[k].n; i++)
			ui_free(p->history[k].v[i]);
		ui_free(p->history[k].v);
	}
}

/* ---- editing ------------------------------------------------------------------------------------------- */

static size_t
before(const struct ui_prompt *p, size_t at)
{
	while (at > 0 && ((unsigned char)p->text.p[--at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t
after(const struct ui_prompt *p, size_t at)
{
	if (at < p->text.len)
		at++;
	while (at < p->text.len && ((unsigned char)p->text.p[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static void
cut(struct ui_prompt *p, size_t from, size_t to)
{
	memmove(p->text.p + from, p->text.p + to, p->text.len - to + 1);
	p->text.len -= to - from;
	p->at = from;
}

static void
insert(struct ui_prompt *p, const char *s, size_t n)
{
	ui_buf_add(&p->text, s, n);	/* room for it; then moved into its place */
	memmove(p->text.p + p->at + n, p->text.p + p->at, p->text.len - n - p->at);
	memcpy(p->text.p + p->at, s, n);
	p->at += n;
}

static size_t
word_start(const struct ui_prompt *p)
{
	size_t at = p->at;

	while (at > 0 && p->text.p[at - 1] == ' ')
		at--;
	while (at > 0 && p->text.p[at - 1] != ' ')
		at--;
	return at;
}

static void
show(struct ui_prompt *p, const char *text)
{
	p->text.len = 0;
	ui_buf_str(&p->text, text);
	p->at = p->text.len;
}

static void
recall(struct ui_prompt *p, int step)
{
	const struct ui_history *h = &p->history[p->kind];

	if ((step < 0 && p->recall == 0) || (step > 0 && p->recall == h->n))
		return;
	if (p->recall == h->n) {
		ui_free(p->draft);
		p->draft = ui_xmemdup(p->text.p, p->text.len);
	}
	p->recall = (size_t)((long)p->recall + step);
	show(p, p->recall == h->n ? p->draft : h->v[p->recall]);
}

static void
complete(struct ui_prompt *p)
{
	struct lm_buf names = { 0 }, more = { 0 };
	size_t hits;

	if (p->kind != UI_P_COMMAND)
		return;
	hits = ui_complete(p->text.p, p->at, &names, &more);
	if (more.len)
		insert(p, more.p, more.len);
	if (hits > 1)
		p->candidates = ui_xmemdup(names.p, names.len);
	lm_buf_free(&names);
	lm_buf_free(&more);
}

static enum ui_prompt_result
finish(struct ui_prompt *p)
{
	struct ui_history *h = &p->history[p->kind];

	if (p->text.len && (h->n == 0 || strcmp(h->v[h->n - 1], p->text.p) != 0)) {
		h->v = ui_xresize(h->v, h->n + 1, sizeof(*h->v));
		h->v[h->n++] = ui_xmemdup(p->text.p, p->text.len);
	}
	return UI_P_DONE;
}

enum ui_prompt_result
ui_prompt_key(struct ui_prompt *p, const char *k, bool is_text)
{
	ui_free(p->candidates);
	p->candidates = NULL;
	if (is_text)
		insert(p, k, strlen(k));
	else if (strcmp(k, "Enter") == 0)
		return finish(p);
	else if (strcmp(k, "Esc") == 0 || strcmp(k, "Ctrl-C") == 0 || strcmp(k, "Ctrl-G") == 0)
		return UI_P_ABANDONED;
	else if (strcmp(k, "Backspace") == 0 && p->text.len == 0)
		return UI_P_ABANDONED;
	else if (strcmp(k, "Backspace") == 0)
		cut(p, before(p, p->at), p->at);
	else if (strcmp(k, "Delete") == 0 || strcmp(k, "Ctrl-D") == 0)
		cut(p, p->at, after(p, p->at));
	else if (strcmp(k, "Left") == 0 || strcmp(k, "Ctrl-B") == 0)
		p->at = before(p, p->at);
	else if (strcmp(k, "Right") == 0 || strcmp(k, "Ctrl-F") == 0)
		p->at = after(p, p->at);
	else if (strcmp(k, "Home") == 0 || strcmp(k, "Ctrl-A") == 0)
		p->at = 0;
	else if (strcmp(k, "End") == 0 || strcmp(k, "Ctrl-E") == 0)
		p->at = p->text.len;
	else if (strcmp(k, "Ctrl-U") == 0)
		cut(p, 0, p->at);
	else if (strcmp(k, "Ctrl-K") == 0)
		cut(p, p->at, p->text.len);
	else if (strcmp(k, "Ctrl-W") == 0)
		cut(p, word_start(p), p->at);
	else if (strcmp(k, "Up") == 0 || strcmp(k, "Ctrl-P") == 0)
		recall(p, -1);
	else if (strcmp(k, "Down") == 0 || strcmp(k, "Ctrl-N") == 0)
		recall(p, 1);
	else if (strcmp(k, "Tab") == 0)
		complete(p);
	return UI_P_EDITING;
}

void
ui_prompt_draw(const struct ui_prompt *p, const struct ui_canvas *c, int y, int *cursor)
{
	int x = ui_puts(c, y, 0, -1, UI_R_KEY, p->label);
	size_t from = 0, width;

	/* A line that is too long is shown from where its cursor still fits. */
	while (ui_text_width(p->text.p + from, p->at - from) + (size_t)x + 1 > (size_t)c->r.w)
		from = after(p, from);
	width = ui_text_width(p->text.p + from, p->at - from);
	ui_blank(c, y, x, -1, UI_R_NORMAL);
	ui_puts(c, y, x, -1, UI_R_NORMAL, p->text.p + from);
	*cursor = x + (int)width;
	if (p->candidates && y > 0) {
		ui_blank(c, y - 1, 0, -1, UI_R_STATUS);
		ui_puts(c, y - 1, 0, -1, UI_R_STATUS, p->candidates);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.c - curses' key codes to names, and the table of bindings.
 */
#include "config.h"

#include "ui/keys.h"

#include <curses.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *help;
} actions[UI_NACTIONS] = {
	[UI_A_none] = { "", "" },
#define ACTION(name, help) [UI_A_##name] = { #name, help },
#include "ui/actions.def"
#undef ACTION
};

static const struct {
	const char *view, *key;
	enum ui_action action;
} bindings[] = {
#define KEY(view, key, action) { #view, key, UI_A_##action },
#include "ui/keys.def"
#undef KEY
};

enum { N_BINDINGS = sizeof(bindings) / sizeof(bindings[0]) };

enum ui_action
ui_key_action(const char *view, const char *key)
{
	enum ui_action found = UI_A_none;

	for (size_t i = 0; i < N_BINDINGS; i++) {
		if (strcmp(bindings[i].key, key) != 0)
			continue;
		if (strcmp(bindings[i].view, view) == 0)
			return bindings[i].action;
		if (strcmp(bindings[i].view, "all") == 0)
			found = bindings[i].action;
	}
	return found;
}

bool
ui_key_nth(size_t i, const char **view, const char **key, enum ui_action *action)
{
	if (i >= N_BINDINGS)
		return false;
	*view = bindings[i].view;
	*key = bindings[i].key;
	*action = bindings[i].action;
	return true;
}

const char *
ui_action_name(enum ui_action a)
{
	return actions[a].name;
}

const char *
ui_action_help(enum ui_action a)
{
	return actions[a].help;
}

enum ui_action
ui_action_find(const char *name)
{
	for (int a = 1; a < UI_NACTIONS; a++) {
		const char *p = actions[a].name, *q = name;

		while (*p && (*p == *q || (*p == '_' && *q == '-')))
			p++, q++;
		if (!*p && !*q)
			return (enum ui_action)a;
	}
	return UI_A_none;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static const struct {
	int code;
	const char *name;
} named[] = {
	{ KEY_DOWN, "Down" }, { KEY_UP, "Up" }, { KEY_LEFT, "Left" }, { KEY_RIGHT, "Right" },
	{ KEY_NPAGE, "PgDn" }, { KEY_PPAGE, "PgUp" }, { KEY_HOME, "Home" }, { KEY_END, "End" },
	{ KEY_BACKSPACE, "Backspace" }, { KEY_DC, "Delete" }, { KEY_BTAB, "Shift-Tab" },
	{ KEY_ENTER, "Enter" }, { KEY_SLEFT, "Shift-Left" }, { KEY_SRIGHT, "Shift-Right" },
};

static void
read_mouse(struct ui_event *e)
{
	MEVENT m;

	if (getmouse(&m) != OK)
		return;
	e->y = m.y;
	e->x = m.x;
#ifdef BUTTON5_PRESSED
	if (m.bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED)) {
		e->kind = UI_E_WHEEL;
		e->step = m.bstate & BUTTON4_PRESSED ? -3 : 3;
		return;
	}
#endif
	if (m.bstate & (BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON1_DOUBLE_CLICKED)) {
		e->kind = UI_E_CLICK;
		e->twice = (m.bstate & BUTTON1_DOUBLE_CLICKED) != 0;
	}
}

static void
name_code(int code, struct ui_event *e)
{
	if (code == KEY_RESIZE) {
		e->kind = UI_E_RESIZE;
		return;
	}
	if (code == KEY_MOUSE) {
		read_mouse(e);
		return;
	}
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i].code == code) {
			e->kind = UI_E_KEY;
			strcpy(e->name, named[i].name);
			return;
		}
	if (code > KEY_F0 && code <= KEY_F(12)) {
		e->kind = UI_E_KEY;
		snprintf(e->name, sizeof(e->name), "F%d", code - KEY_F0);
	}
}

static void
name_char(wint_t wc, struct ui_event *e)
{
	static const struct {
		char c;
		const char *name;
	} controls[] = { { '\r', "Enter" }, { '\n', "Enter" }, { '\t', "Tab" }, { 27, "Esc" },
	    { 127, "Backspace" }, { 8, "Backspace" } };

	e->kind = UI_E_KEY;
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if ((char)wc == controls[i].c && wc < 128) {
			strcpy(e->name, controls[i].name);
			return;
		}
	if (wc < 32) {
		snprintf(e->name, sizeof(e->name), "Ctrl-%c", (char)(wc + 64));
	} else if (lm_char_width((int32_t)wc) < 0) {
		e->kind = UI_E_NONE;
	} else {
		e->kind = UI_E_TEXT;
		e->name[lm_utf8_put((uint32_t)wc, e->name)] = '\0';
	}
}

struct ui_event
ui_event_get(void)
{
	struct ui_event e = { .kind = UI_E_NONE };
	wint_t wc;
	int rc = get_wch(&wc);

	if (rc == KEY_CODE_YES)
		name_code((int)wc, &e);
	else if (rc == OK)
		name_char(wc, &e);
	return e;
}

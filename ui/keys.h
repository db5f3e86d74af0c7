/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h - key presses by name, and what they are bound to.
 */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include "ui/view.h"

enum ui_event_kind { UI_E_NONE, UI_E_KEY, UI_E_TEXT, UI_E_CLICK, UI_E_WHEEL, UI_E_RESIZE };

struct ui_event {
	enum ui_event_kind kind;
	char name[16];			/* "g", "Ctrl-F", "PgDn", "F1"; for text its UTF-8 */
	int y, x;			/* of a click or the wheel */
	int step;			/* of the wheel */
	bool twice;			/* a double click */
};

/* The next event that is there; UI_E_NONE when there is none.  Never waits. */
struct ui_event ui_event_get(void);
/* The action that a key is bound to in a view: its own bindings first. */
enum ui_action ui_key_action(const char *view, const char *key);
/* The i-th binding; false after the last.  view is "all" for those of every view. */
bool ui_key_nth(size_t i, const char **view, const char **key, enum ui_action *action);
const char *ui_action_name(enum ui_action a);
const char *ui_action_help(enum ui_action a);
/* By name, - and _ alike; UI_A_none when there is none. */
enum ui_action ui_action_find(const char *name);

#endif

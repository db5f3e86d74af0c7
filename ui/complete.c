/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complete.c - what Tab offers: commands, then arguments and their words, from the tables.
 */
#include "config.h"

#include "ui/cmds.h"
#include "ui/opts.h"
#include "ui/prompt.h"

#include <string.h>

/* Candidates for a part of a word, as they are found. */
struct finder {
	const char *part;
	size_t n, hits;
	struct lm_buf *names;
	char common[96];		/* what all of them begin with */
};

static void
offer(struct finder *f, const char *name, size_t len, const char *suffix)
{
	char whole[96];
	size_t n = len + strlen(suffix), k = 0;

	if (len < f->n || memcmp(name, f->part, f->n) != 0 || n >= sizeof(whole))
		return;
	memcpy(whole, name, len);
	strcpy(whole + len, suffix);
	if (f->hits++ == 0) {
		strcpy(f->common, whole);
	} else {
		while (f->common[k] && f->common[k] == whole[k])
			k++;
		f->common[k] = '\0';
	}
	ui_buf_printf(f->names, "%s%s", f->names->len ? "  " : "", whole);
}

static void
offer_words(struct finder *f, const char *choices, const char *suffix)
{
	for (const char *p = choices; *p; p += *p == '|') {
		size_t n = strcspn(p, "|");

		offer(f, p, n, suffix);
		p += n;
	}
}

/* name= of arguments, or behind name= its words. */
static void
offer_arguments(struct finder *f, const struct ui_cmd *cmd)
{
	const char *eq = memchr(f->part, '=', f->n);
	struct ui_args a;

	ui_spec_read(cmd->args, &a);
	for (size_t i = 0; i < a.n; i++) {
		const struct ui_spec *s = &a.spec[i];
		size_t len = strlen(s->name);

		if (s->type == UI_T_COMMAND)
			for (size_t k = 0; ui_cmd_nth(k); k++)
				offer(f, ui_cmd_nth(k)->name, strlen(ui_cmd_nth(k)->name), "");
		else if (s->type == UI_T_SITE)
			for (int k = 0; k < LM_NSITES; k++)
				offer(f, lm_site_name((enum lm_site)k), strlen(lm_site_name((enum lm_site)k)), "");
		else if (s->type == UI_T_SETTING)
			for (int k = 0; k < UI_NOPTS; k++)
				if (ui_opt_row((enum ui_opt)k)->where & O_SET)
					offer(f, ui_opt_row((enum ui_opt)k)->name,
					    strlen(ui_opt_row((enum ui_opt)k)->name), "=");
		if (s->positional)
			continue;
		if (!eq) {
			offer(f, s->name, len, "=");
		} else if ((size_t)(eq - f->part) == len && memcmp(s->name, f->part, len) == 0 &&
		    s->type == UI_T_ENUM) {
			f->part += len + 1;
			f->n -= len + 1;
			offer_words(f, s->choices, " ");
			return;
		}
	}
}

size_t
ui_complete(const char *text, size_t at, struct lm_buf *candidates, struct lm_buf *insert)
{
	struct finder f = { .names = candidates };
	size_t first = 0, end, start = at;
	struct lm_err err;
	const struct ui_cmd *cmd;

	while (first < at && text[first] == ' ')
		first++;
	end = first + strcspn(text + first, " ");
	while (start > first && text[start - 1] != ' ')
		start--;
	f.part = text + start;
	f.n = at - start;
	if (at <= end) {
		for (size_t i = 0; (cmd = ui_cmd_nth(i)); i++)
			offer(&f, cmd->name, strlen(cmd->name), " ");
	} else {
		cmd = ui_cmd_find(text + first, end - first, &err);
		if (cmd)
			offer_arguments(&f, cmd);
	}
	ui_buf_add(insert, "", 0);
	if (f.hits && strlen(f.common) > f.n)
		ui_buf_str(insert, f.common + f.n);
	return f.hits;
}

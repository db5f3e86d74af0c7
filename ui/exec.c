/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c - one line of the command language: look it up, read its arguments, see to what it needs, run it.
 */
#include "config.h"

#include "ui/session.h"

#include <string.h>

static const struct ui_cmd table[] = {
#define CMD(name, args, fields, rows, flags, help) \
	{ #name, args, fields, rows, flags, help, cmd_##name },
#include "ui/cmds.def"
#undef CMD
};

enum { N = sizeof(table) / sizeof(table[0]) };

const struct ui_cmd *
ui_cmd_nth(size_t i)
{
	return i < N ? &table[i] : NULL;
}

const struct ui_cmd *
ui_cmd_find(const char *name, size_t n, struct lm_err *err)
{
	const struct ui_cmd *found = NULL;
	struct lm_buf names = { 0 };
	size_t hits = 0;

	for (size_t i = 0; i < N; i++) {
		if (strlen(table[i].name) == n && memcmp(table[i].name, name, n) == 0) {
			lm_buf_free(&names);
			return &table[i];
		}
		if (n && strncmp(table[i].name, name, n) == 0) {
			found = &table[i];
			ui_buf_printf(&names, "%s%s", hits++ ? ", " : "", table[i].name);
		}
	}
	if (hits > 1)
		lm_fail(err, LM_EARG, "command %.*s is ambiguous: %s", (int)(n > 60 ? 60 : n), name, names.p);
	else if (hits == 0)
		lm_fail(err, LM_EARG, "there is no command %.*s; help lists them", (int)(n > 60 ? 60 : n), name);
	lm_buf_free(&names);
	return hits == 1 ? found : NULL;
}

/* What the command's flags ask for. */
static bool
provide(struct ui_session *s, const struct ui_cmd *cmd, struct lm_err *err)
{
	if (cmd->flags & C_VOCAB && !s->vocab)
		return lm_fail(err, LM_EARG, "%s: the model has no tokenizer", cmd->name);
	if (cmd->flags & C_WEIGHTS && (!s->model || !lm_model_has_weights(s->model)))
		return lm_fail(err, LM_EARG, "%s: needs the weights, and %s is %s", cmd->name, s->path,
		    s->model ? "a tokenizer alone" : "an index alone");
	if (cmd->flags & C_PROMPT && s->prompt.n == 0)
		return lm_fail(err, LM_EARG, "%s: there is no prompt; the command prompt sets one", cmd->name);
	return !(cmd->flags & C_INDEX) || ui_index_need(s, err);
}

static bool
has_table(const struct ui_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->fields[i]->kind == UI_TABLE || r->fields[i]->kind == UI_ARRAY)
			return true;
	return false;
}

static bool
run(struct ui_session *s, struct ui_call *c, const struct ui_words *words, const char *line,
    size_t n)
{
	struct lm_buf usage = { 0 };

	ui_spec_read(c->cmd->args, &c->args);
	if (!ui_args_read(&c->args, words, line, n, c->err)) {
		char found[sizeof(c->err->msg)];

		memcpy(found, c->err->msg, sizeof(found));
		ui_spec_usage(c->cmd->name, c->cmd->args, &usage);
		lm_fail(c->err, LM_EARG, "%s: %.300s (usage: %.180s)", c->cmd->name, found, usage.p);
		lm_buf_free(&usage);
		return false;
	}
	return provide(s, c->cmd, c->err) && c->cmd->fn(c) &&
	    (!(c->cmd->flags & C_CHANGES) || c->unchanged || ui_changed(s, line, n, c->err));
}

struct ui_result *
ui_exec(struct ui_session *s, const char *line, size_t n, const char **name, struct lm_err *err)
{
	struct ui_call c = { .s = s, .err = err };
	struct ui_words words;
	bool ok = false;

	*name = NULL;
	err->code = LM_OK;
	while (n && (line[0] == ' ' || line[0] == '\t'))
		line++, n--;
	while (n && (line[n - 1] == '\r' || line[n - 1] == '\n'))
		n--;
	if (n == 0 || line[0] == '#')
		return NULL;
	if (!ui_words_split(line, n, &words, err))
		return NULL;
	c.cmd = ui_cmd_find(words.v[0].p, words.v[0].n, err);
	if (c.cmd) {
		*name = c.cmd->name;
		c.out = ui_result_new();
		ok = run(s, &c, &words, line, n);
		ui_args_free(&c.args);
	}
	ui_words_free(&words);
	if (!ok) {
		ui_result_unref(c.out);
		return NULL;
	}
	if (has_table(c.out)) {
		ui_result_unref(s->last);
		s->last = ui_result_ref(c.out);
	}
	return c.out;
}

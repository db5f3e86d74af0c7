/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_model.c - the model, its tokenizer and the prompt: model, tokens, detokenize, prompt.
 */
#include "config.h"

#include "ui/session.h"

#include <string.h>

bool
cmd_model(struct ui_call *c)
{
	const struct lm_info *i = &c->s->info;
	struct ui_result *r = c->out, *index;
	bool found;

	if (!ui_index_find(c->s, &found, c->err))
		return false;
	ui_put_text(r, "family", *i->family ? i->family : NULL);
	ui_put_int(r, "layers", i->layers);
	ui_put_int(r, "width", i->width);
	ui_put_int(r, "heads", i->heads);
	ui_put_int(r, "kv_heads", i->kv_heads);
	ui_put_int(r, "hidden", i->hidden);
	ui_put_int(r, "vocab", i->layers || !c->s->vocab ? i->vocab : lm_vocab_size(c->s->vocab));
	ui_put_int(r, "context", i->context);
	ui_put_int(r, "params", (int64_t)i->params);
	ui_put_text(r, "dtype", *i->dtype ? i->dtype : NULL);
	ui_put_bool(r, "tied", i->tied);
	ui_put_text(r, "digest", *i->digest ? i->digest : NULL);
	ui_put_text(r, "path", c->s->model ? c->s->path : c->s->ix.model_path);
	index = ui_put_object(r, "index");
	ui_put_text(index, "path", c->s->db_path);
	ui_put_bool(index, "complete", found && c->s->ix.complete);
	ui_put_int(index, "neurons", found ? (int64_t)c->s->ix.neurons : 0);
	return true;
}

static void
put_tokens(struct ui_call *c, const uint32_t *ids, size_t n)
{
	struct ix_table *t = ui_put_table(c->out, "rows", c->cmd->rows);

	for (size_t i = 0; i < n; i++) {
		struct ix_cell *row = ui_row(t);

		row[0] = ix_int((int64_t)i);
		row[1] = ix_int(ids[i]);
		row[2] = ui_token_cell(c->s, t, ids[i]);
	}
}

bool
cmd_tokens(struct ui_call *c)
{
	const struct ui_word *text = ui_arg(&c->args, "TEXT")->word;
	struct lm_ids ids = { 0 };
	bool ok = lm_vocab_encode(c->s->vocab, text->p, text->n, ui_arg_is(&c->args, "special", "yes"), &ids,
	    c->err);

	if (ok)
		put_tokens(c, ids.v, ids.n);
	lm_ids_free(&ids);
	return ok;
}

bool
cmd_detokenize(struct ui_call *c)
{
	const struct ui_value *ids = ui_arg(&c->args, "IDS");
	struct lm_buf bytes = { 0 };
	bool ok = lm_vocab_decode(c->s->vocab, ids->ids, ids->n, ui_arg_is(&c->args, "special", "yes"),
	    &bytes, NULL, c->err);

	if (ok)
		ui_put_token(c->out, "text", bytes.p ? bytes.p : "", bytes.len);
	lm_buf_free(&bytes);
	return ok;
}

/* The ids that the arguments of `prompt` describe. */
static bool
prompt_ids(struct ui_call *c, struct lm_ids *ids)
{
	const struct ui_value *text = ui_arg(&c->args, "TEXT"), *list = ui_arg(&c->args, "ids");
	bool special = ui_arg_is(&c->args, "special", "yes");

	if (text->given == list->given)
		return lm_fail(c->err, LM_EARG, "prompt: either TEXT or ids= wanted");
	for (size_t i = 0; i < list->n; i++)
		if (!lm_ids_add(ids, list->ids[i], c->err))
			return false;
	if (list->given)
		return true;
	if (!c->s->vocab)
		return lm_fail(c->err, LM_EARG, "prompt: the model has no tokenizer; ids= works without one");
	return lm_vocab_encode(c->s->vocab, text->word->p, text->word->n, special, ids, c->err);
}

bool
cmd_prompt(struct ui_call *c)
{
	const struct ui_value *text = ui_arg(&c->args, "TEXT");
	struct lm_ids ids = { 0 };
	bool ok = prompt_ids(c, &ids) && ui_prompt_set(c->s, ids.v, ids.n, c->err);

	if (ok) {
		ui_free(c->s->prompt_text);
		c->s->prompt_text = text->given ? ui_xmemdup(text->word->p, text->word->n) : NULL;
		c->s->prompt_len = text->given ? text->word->n : 0;
		put_tokens(c, ids.v, ids.n);
	}
	lm_ids_free(&ids);
	return ok;
}

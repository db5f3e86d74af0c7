/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab_config.c - what stands beside a tokenizer.json: which tokens begin and end a text, and how
 * a conversation is written.
 *
 * tokenizer_config.json has both; special_tokens_map.json has the tokens in older folders, and
 * chat_template.jinja the template in newer ones.  All are optional.
 */
#include "config.h"

#include "src/vocab.h"

#include <unistd.h>

static const char *const role_keys[] = {
	[LM_BOS] = "bos_token", [LM_EOS] = "eos_token", [LM_UNK] = "unk_token",
	[LM_PAD] = "pad_token", [LM_EOT] = "eot_token",
};

/* Sets roles that are still open: "TOKEN" or {"content":"TOKEN"}. */
static bool
load_roles(struct lm_vocab *v, const struct lm_json_val *top, struct lm_err *err)
{
	for (int i = 0; i <= LM_EOT; i++) {
		struct lm_str name = { NULL, 0 };
		struct lm_json_val val;
		bool ok = true;

		if (v->role[i] >= 0 || !lm_json_find(top, role_keys[i], &val))
			continue;
		if (lm_json_val_kind(&val) == LM_JSON_OBJECT)
			ok = lm_json_find_str(&val, "content", &v->arena, &name, err);
		else if (lm_json_val_kind(&val) == LM_JSON_STRING)
			ok = lm_json_find_str(top, role_keys[i], &v->arena, &name, err);
		if (!ok)
			return false;
		if (name.p)
			v->role[i] = lm_vocab_id(v, name);
	}
	return true;
}

/* "TEMPLATE", or [{"name":"NAME","template":"TEMPLATE"},..]. */
static bool
load_templates(struct lm_vocab *v, const struct lm_json_val *top, struct lm_err *err)
{
	struct lm_str name = { "default", 7 }, text = { NULL, 0 };
	struct lm_json_val val, one;
	struct lm_json j;

	if (!lm_json_find(top, "chat_template", &val))
		return true;
	lm_json_at(&j, &val, err);
	if (lm_json_val_kind(&val) == LM_JSON_STRING)
		return lm_json_str(&j, &v->arena, &text) && lm_vocab_add_template(v, name, text,
		    err);
	for (lm_json_enter(&j, LM_JSON_ARRAY); lm_json_more(&j);) {
		name = text = (struct lm_str){ NULL, 0 };
		if (!lm_json_take(&j, &one) ||
		    !lm_json_find_str(&one, "name", &v->arena, &name, err) ||
		    !lm_json_find_str(&one, "template", &v->arena, &text, err) ||
		    (name.p && text.p && !lm_vocab_add_template(v, name, text, err)))
			return false;
	}
	return !j.failed;
}

/* Maps dir/name when it is there.  *found: it is. */
static bool
open_beside(struct lm_map *map, const char *dir, const char *name, bool *found, struct lm_err *err)
{
	struct lm_buf path = { 0 };
	bool ok = lm_buf_printf(&path, err, "%s/%s", dir, name);

	*found = ok && access(path.p, F_OK) == 0;
	ok = ok && (!*found || lm_map_open(map, path.p, err));
	lm_buf_free(&path);
	return ok;
}

static bool
read_top(const struct lm_map *map, struct lm_json_val *top, struct lm_err *err)
{
	struct lm_json j;

	lm_json_init(&j, map->path, map->data, map->len, err);
	return lm_json_take(&j, top) && lm_json_end(&j);
}

/* The roles of special_tokens_map.json; names are looked up, so the map need not stay. */
static bool
load_map_file(struct lm_vocab *v, const char *dir, struct lm_err *err)
{
	struct lm_map map = { 0 };
	struct lm_json_val top;
	bool found, ok;

	ok = open_beside(&map, dir, "special_tokens_map.json", &found, err) &&
	    (!found || (read_top(&map, &top, err) && load_roles(v, &top, err)));
	lm_map_close(&map);
	return ok;
}

bool
lm_vocab_load_config(struct lm_vocab *v, const char *dir, struct lm_err *err)
{
	struct lm_json_val top;
	bool found;

	if (!open_beside(&v->config, dir, "tokenizer_config.json", &found, err))
		return false;
	if (found && (!read_top(&v->config, &top, err) || !load_roles(v, &top, err) ||
	    !load_templates(v, &top, err)))
		return false;
	if (!load_map_file(v, dir, err) ||
	    !open_beside(&v->jinja, dir, "chat_template.jinja", &found, err))
		return false;
	if (v->role[LM_UNK] < 0)
		v->role[LM_UNK] = v->model == LM_MODEL_UNIGRAM ? v->unigram.unk : v->bpe.unk;
	if (v->role[LM_UNK] < 0)
		v->role[LM_UNK] = -1;
	return !found || lm_vocab_add_template(v, (struct lm_str){ "default", 7 },
	    (struct lm_str){ v->jinja.data ? (const char *)v->jinja.data : "", v->jinja.len }, err);
}

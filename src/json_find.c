/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_find.c - values of a JSON text that are read after the text was walked, by key.
 *
 * Each look-up walks its object anew: the objects that are read this way are small.
 */
#include "config.h"

#include "src/json.h"

bool
lm_json_take(struct lm_json *j, struct lm_json_val *out)
{
	size_t from;

	lm_json_peek(j);
	from = j->off;
	if (!lm_json_skip(j))
		return false;
	*out = (struct lm_json_val){ j->p, from, j->off, j->what };
	return true;
}

void
lm_json_at(struct lm_json *j, const struct lm_json_val *v, struct lm_err *err)
{
	lm_json_init(j, v->what, v->p, v->end, err);
	j->off = v->off;
}

enum lm_json_kind
lm_json_val_kind(const struct lm_json_val *v)
{
	struct lm_json j;

	if (!v->p)
		return LM_JSON_END;
	lm_json_at(&j, v, NULL);
	return lm_json_peek(&j);
}

bool
lm_json_find(const struct lm_json_val *v, const char *key, struct lm_json_val *out)
{
	struct lm_json j;

	*out = (struct lm_json_val){ 0 };
	if (lm_json_val_kind(v) != LM_JSON_OBJECT)
		return false;
	lm_json_at(&j, v, NULL);
	for (lm_json_enter(&j, LM_JSON_OBJECT); lm_json_more(&j);) {
		struct lm_json_val val;
		bool same = lm_json_key_is(&j, key);

		if (lm_json_take(&j, &val) && same)
			*out = val;		/* of several the last counts */
	}
	if (lm_json_val_kind(out) == LM_JSON_NULL)
		*out = (struct lm_json_val){ 0 };
	return out->p != NULL;
}

/* Puts j before the value under key; false when there is none. */
static bool
find_at(const struct lm_json_val *v, const char *key, struct lm_json *j, struct lm_err *err)
{
	struct lm_json_val val;

	if (!lm_json_find(v, key, &val))
		return false;
	lm_json_at(j, &val, err);
	return true;
}

bool
lm_json_find_str(const struct lm_json_val *v, const char *key, struct lm_arena *arena,
    struct lm_str *out, struct lm_err *err)
{
	struct lm_json j;

	return !find_at(v, key, &j, err) || lm_json_str(&j, arena, out);
}

bool
lm_json_find_bool(const struct lm_json_val *v, const char *key, bool *out, struct lm_err *err)
{
	struct lm_json j;

	return !find_at(v, key, &j, err) || lm_json_bool(&j, out);
}

bool
lm_json_find_int(const struct lm_json_val *v, const char *key, int64_t *out, struct lm_err *err)
{
	struct lm_json j;

	return !find_at(v, key, &j, err) || lm_json_int(&j, out);
}

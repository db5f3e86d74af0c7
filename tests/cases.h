/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cases.h - reads the JSON lines in which the tokenizers' expected values are kept; for tests.
 */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include "src/json.h"
#include "src/map.h"

/* One line; what a line does not have is empty. */
struct tok_case {
	struct lm_str text, decoded, decoded_skip;
	struct lm_ids ids, ids_special;
	bool has_decoded_skip;
};

struct tok_cases {
	struct lm_map map;
	size_t off;
	int line;
	struct lm_arena arena;		/* of the case at hand */
};

static bool
cases_ids(struct lm_json *j, struct lm_ids *out)
{
	int64_t id;

	out->n = 0;
	for (lm_json_enter(j, LM_JSON_ARRAY); lm_json_more(j);)
		if (!lm_json_int(j, &id) || id < 0 || !lm_ids_add(out, (uint32_t)id, j->err))
			return false;
	return !j->failed;
}

static bool
cases_member(struct lm_json *j, struct lm_str key, struct tok_cases *cs, struct tok_case *c)
{
	if (lm_str_is(key, "text"))
		return lm_json_str(j, &cs->arena, &c->text);
	if (lm_str_is(key, "decoded"))
		return lm_json_str(j, &cs->arena, &c->decoded);
	if (lm_str_is(key, "decoded_skip_special")) {
		c->has_decoded_skip = true;
		return lm_json_str(j, &cs->arena, &c->decoded_skip);
	}
	if (lm_str_is(key, "ids"))
		return cases_ids(j, &c->ids);
	if (lm_str_is(key, "ids_special"))
		return cases_ids(j, &c->ids_special);
	return lm_json_skip(j);
}

/* The next case; false at the end of the file, or with *err filled at a line that is no case. */
static bool
cases_next(struct tok_cases *cs, struct tok_case *c, struct lm_err *err)
{
	const char *p = (const char *)cs->map.data, *end;
	struct lm_json j;
	struct lm_str key;

	err->code = LM_OK;
	lm_arena_free(&cs->arena);
	if (cs->off >= cs->map.len)
		return false;
	end = memchr(p + cs->off, '\n', cs->map.len - cs->off);
	if (!end)
		end = p + cs->map.len;
	lm_json_init(&j, cs->map.path, p, (size_t)(end - p), err);
	j.off = cs->off;
	cs->off = (size_t)(end - p) + 1;
	cs->line++;
	c->text = c->decoded = c->decoded_skip = (struct lm_str){ "", 0 };
	c->ids.n = c->ids_special.n = 0;
	c->has_decoded_skip = false;
	for (lm_json_enter(&j, LM_JSON_OBJECT); lm_json_more(&j);)
		if (!lm_json_key(&j, &cs->arena, &key) || !cases_member(&j, key, cs, c))
			return false;
	return lm_json_end(&j);
}

static void
cases_close(struct tok_cases *cs, struct tok_case *c)
{
	lm_arena_free(&cs->arena);
	lm_ids_free(&c->ids);
	lm_ids_free(&c->ids_special);
	lm_map_close(&cs->map);
}

#endif

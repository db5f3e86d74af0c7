/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postproc.c - the post-processor: which ids stand around those of a text.
 *
 * Whatever a file describes comes to one list of ids with the text's own in it, so that is all that
 * is kept.
 */
#include "config.h"

#include "src/vocab.h"

enum { TEXT = LM_AROUND_TEXT };

struct items {
	int64_t *v;
	size_t n, cap;
};

static bool
add(struct items *it, int64_t id, struct lm_err *err)
{
	if (it->n == LM_MAX_TEMPLATE)
		return lm_fail(err, LM_ELIMIT, "a post-processor that puts more than %d ids",
		    LM_MAX_TEMPLATE);
	if (it->n == it->cap) {
		size_t want = it->cap ? it->cap * 2 : 8;

		if (!lm_resize(&it->v, want, sizeof(*it->v), err))
			return false;
		it->cap = want;
	}
	it->v[it->n++] = id;
	return true;
}

/* What the steps so far gave stands where the text stood. */
static bool
add_text(const struct lm_vocab *v, struct items *it, struct lm_err *err)
{
	for (size_t i = 0; i < v->n_around; i++)
		if (!add(it, v->around[i], err))
			return false;
	return true;
}

static bool
check_id(const struct lm_json *j, int64_t id, struct lm_err *err)
{
	if (id < 0 || id >= LM_MAX_IDS)
		return lm_fail(err, LM_EFORMAT, "%s: offset %zu: id %lld of the post-processor",
		    j->what, j->off, (long long)id);
	return true;
}

/* The ids under special_tokens.NAME.ids. */
static bool
add_special(const struct lm_json_val *specials, struct lm_str name, struct items *it,
    struct lm_err *err)
{
	struct lm_arena arena = { 0 };
	struct lm_json_val val, ids;
	struct lm_json j, k;
	struct lm_str key;
	bool found = false;

	lm_json_at(&j, specials, err);
	for (lm_json_enter(&j, LM_JSON_OBJECT); lm_json_more(&j);) {
		if (!lm_json_key(&j, &arena, &key) || !lm_json_take(&j, &val) || key.n != name.n ||
		    memcmp(key.p, name.p, name.n) != 0 || !lm_json_find(&val, "ids", &ids))
			continue;
		lm_json_at(&k, &ids, err);
		found = true;
		for (lm_json_enter(&k, LM_JSON_ARRAY); lm_json_more(&k);) {
			int64_t id;

			if (!lm_json_int(&k, &id) || !check_id(&k, id, err) || !add(it, id, err))
				j.failed = k.failed = true;
		}
		j.failed |= k.failed;
	}
	lm_arena_free(&arena);
	if (j.failed)
		return false;
	return found || lm_fail(err, LM_EFORMAT, "the post-processor's %.*s has no ids",
	    (int)(name.n > 80 ? 80 : name.n), name.p);
}

static bool
load_template(struct lm_vocab *v, const struct lm_json_val *val, struct items *it,
    struct lm_err *err)
{
	struct lm_json_val single, specials, one, part;
	struct lm_str name = { "", 0 };
	struct lm_json j;

	lm_json_find(val, "special_tokens", &specials);
	if (!lm_json_find(val, "single", &single))
		return lm_fail(err, LM_EFORMAT,
		    "TemplateProcessing without a template for single texts");
	lm_json_at(&j, &single, err);
	for (lm_json_enter(&j, LM_JSON_ARRAY); lm_json_more(&j);) {
		if (!lm_json_take(&j, &one))
			return false;
		name.n = 0;
		if (lm_json_find(&one, "SpecialToken", &part)) {
			if (!lm_json_find_str(&part, "id", &v->arena, &name, err) ||
			    (!specials.p &&
			    !lm_fail(err, LM_EFORMAT, "a template without special_tokens")) ||
			    !add_special(&specials, name, it, err))
				return false;
		} else if (lm_json_find(&one, "Sequence", &part)) {
			if (!lm_json_find_str(&part, "id", &v->arena, &name, err))
				return false;
			if (!lm_str_is(name, "A"))
				return lm_fail(err, LM_EFORMAT,
				    "a template for single texts that uses %.*s",
				    (int)(name.n > 80 ? 80 : name.n), name.p);
			if (!add_text(v, it, err))
				return false;
		} else {
			return lm_fail(err, LM_EFORMAT,
			    "%s: offset %zu: neither SpecialToken nor Sequence", one.what, one.off);
		}
	}
	return !j.failed;
}

/* The id of ["NAME",ID] under key. */
static bool
load_pair(struct lm_vocab *v, const struct lm_json_val *val, const char *key, int64_t *id,
    struct lm_err *err)
{
	struct lm_json_val pair;
	struct lm_str name;
	struct lm_json j;

	if (!lm_json_find(val, key, &pair))
		return lm_fail(err, LM_EFORMAT, "a post-processor without %s", key);
	lm_json_at(&j, &pair, err);
	lm_json_enter(&j, LM_JSON_ARRAY);
	if (!lm_json_more(&j) || !lm_json_str(&j, &v->arena, &name) || !lm_json_more(&j) ||
	    !lm_json_int(&j, id) || lm_json_more(&j))
		return lm_json_fail(&j, j.off, "a name and an id wanted");
	return !j.failed && check_id(&j, *id, err);
}

static bool
load_cls_sep(struct lm_vocab *v, const struct lm_json_val *val, struct items *it,
    struct lm_err *err)
{
	int64_t cls, sep;

	return load_pair(v, val, "cls", &cls, err) && load_pair(v, val, "sep", &sep, err) &&
	    add(it, cls, err) && add_text(v, it, err) && add(it, sep, err);
}

static bool
load_sequence(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err)
{
	struct lm_json_val list, one;
	struct lm_json j;

	if (!lm_json_find(val, "processors", &list))
		return lm_fail(err, LM_EFORMAT, "a post-processor Sequence without processors");
	lm_json_at(&j, &list, err);
	for (lm_json_enter(&j, LM_JSON_ARRAY); lm_json_more(&j);)
		if (lm_json_take(&j, &one) && !lm_postproc_load(v, &one, err))
			return false;
	return !j.failed;
}

bool
lm_around_set(struct lm_vocab *v, const int64_t *ids, size_t n, struct lm_err *err)
{
	int64_t *copy = lm_alloc(n ? n : 1, sizeof(*copy), err);

	if (!copy)
		return false;
	if (n)
		memcpy(copy, ids, n * sizeof(*copy));
	lm_free(v->around);
	v->around = copy;
	v->n_around = n;
	return true;
}

bool
lm_postproc_load(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err)
{
	struct lm_str type = { "", 0 };
	const int64_t text = TEXT;
	struct items it = { 0 };
	bool ok;

	if (!v->around && !lm_around_set(v, &text, 1, err))
		return false;
	if (!val->p || lm_json_val_kind(val) == LM_JSON_NULL)
		return true;
	if (!lm_json_find_str(val, "type", &v->arena, &type, err))
		return false;
	if (lm_str_is(type, "Sequence"))
		return load_sequence(v, val, err);
	if (lm_str_is(type, "ByteLevel"))	/* it only moves offsets */
		return true;
	if (lm_str_is(type, "TemplateProcessing"))
		ok = load_template(v, val, &it, err);
	else if (lm_str_is(type, "RobertaProcessing") || lm_str_is(type, "BertProcessing"))
		ok = load_cls_sep(v, val, &it, err);
	else
		ok = lm_fail(err, LM_EUNSUPPORTED, "post-processor %.*s is not supported",
		    (int)(type.n > 80 ? 80 : type.n), type.p);
	ok = ok && lm_around_set(v, it.v, it.n, err);
	lm_free(it.v);
	return ok;
}

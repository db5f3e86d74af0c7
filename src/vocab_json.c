/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab_json.c - loads a tokenizer.json of Hugging Face's tokenizers library.
 *
 * The file is walked once.  Tokens stay where they are in the map unless they have escapes; the
 * parts that describe stages, and the merges, which need the tokens, are remembered and read
 * afterwards.
 */
#include "config.h"

#include "src/vocab.h"

/* What is read after the walk. */
struct parts {
	struct lm_json_val added, normalizer, pre_tokenizer, post_processor, decoder, merges;
	struct lm_str type;
	bool has_vocab, has_prefix;	/* these were met */
	bool merged;			/* and then the merges, which were read at once */
};

/* ---- the model ------------------------------------------------------------------------------ */

static bool
load_token_map(struct lm_vocab *v, struct lm_json *j)
{
	size_t guess = (j->end - j->off) / 64;
	struct lm_str key;
	int64_t id;

	/* A token and its merges take some 64 bytes of a file. */
	if (guess > LM_MAX_IDS)
		guess = LM_MAX_IDS;
	if (!lm_strtab_reserve(&v->by_raw, (uint32_t)guess, j->err) ||
	    !lm_vocab_reserve(v, (uint32_t)guess, j->err))
		return false;
	for (lm_json_enter(j, LM_JSON_OBJECT); lm_json_more(j);) {
		int64_t old;

		if (!lm_json_key(j, &v->arena, &key) || !lm_json_int(j, &id))
			return false;
		if (id < 0)
			return lm_json_fail(j, j->off, "token id %lld", (long long)id);
		if (!lm_vocab_add(v, key, (uint64_t)id, &old, j->err))
			return false;
		if (old >= 0 && old != id)
			v->flags[old] = 0;
	}
	v->n_model = v->by_raw.n;
	return !j->failed;
}

/* The vocabulary of a Unigram model: [["TOKEN",SCORE],..], ids are positions. */
static bool
load_token_list(struct lm_vocab *v, struct lm_json *j)
{
	size_t cap = 0;
	uint32_t id = 0;

	for (lm_json_enter(j, LM_JSON_ARRAY); lm_json_more(j); id++) {
		struct lm_str token;
		double score;
		int64_t old;

		lm_json_enter(j, LM_JSON_ARRAY);
		if (!lm_json_more(j) || !lm_json_str(j, &v->arena, &token) || !lm_json_more(j) ||
		    !lm_json_real(j, &score) || lm_json_more(j))
			return lm_json_fail(j, j->off, "a token and its score wanted");
		if (id >= cap) {
			cap = cap ? cap * 2 : 1024;
			if (!lm_resize(&v->unigram_score, cap, sizeof(*v->unigram_score), j->err))
				return false;
		}
		v->unigram_score[id] = score;
		if (j->failed || !lm_vocab_add(v, token, id, &old, j->err))
			return false;
	}
	v->n_model = id;
	return !j->failed;
}

static bool
load_vocab(struct lm_vocab *v, struct lm_json *j, struct parts *p)
{
	if (p->has_vocab)
		return lm_json_fail(j, j->off, "a second vocab");
	p->has_vocab = true;
	if (lm_json_peek(j) == LM_JSON_ARRAY) {
		v->model = LM_MODEL_UNIGRAM;
		return load_token_list(v, j);
	}
	v->model = LM_MODEL_BPE;
	return load_token_map(v, j);
}

/* "A B"; *comment: a line of the kind that files of merges begin with. */
static bool
split_merge(struct lm_json *j, struct lm_arena *arena, struct lm_str *a, struct lm_str *b,
    bool *comment)
{
	struct lm_str s;
	const char *blank;

	if (!lm_json_str(j, arena, &s))
		return false;
	*comment = s.n >= 8 && memcmp(s.p, "#version", 8) == 0;
	if (*comment)
		return true;
	blank = memchr(s.p, ' ', s.n);
	if (!blank || memchr(blank + 1, ' ', s.n - (size_t)(blank + 1 - s.p)))
		return lm_json_fail(j, j->off, "a merge of two tokens with one blank between "
		    "wanted");
	*a = (struct lm_str){ s.p, (size_t)(blank - s.p) };
	*b = (struct lm_str){ blank + 1, s.n - a->n - 1 };
	return true;
}

static bool
pair_merge(struct lm_json *j, struct lm_arena *arena, struct lm_str *a, struct lm_str *b)
{
	lm_json_enter(j, LM_JSON_ARRAY);
	if (!lm_json_more(j) || !lm_json_str(j, arena, a) || !lm_json_more(j) ||
	    !lm_json_str(j, arena, b) || lm_json_more(j))
		return lm_json_fail(j, j->off, "a merge of two tokens wanted");
	return !j->failed;
}

static bool
load_merges(struct lm_vocab *v, struct lm_json *j)
{
	struct lm_arena arena = { 0 };
	struct lm_str a, b;
	uint32_t rank = 0;
	bool ok;

	lm_pairtab_free(&v->bpe.merges);
	v->bpe.n_pending = 0;
	ok = lm_pairtab_reserve(&v->bpe.merges, v->n_model, j->err);
	for (lm_json_enter(j, LM_JSON_ARRAY); ok && lm_json_more(j);) {
		bool comment = false;

		ok = lm_json_peek(j) == LM_JSON_ARRAY ? pair_merge(j, &arena, &a, &b) :
		    split_merge(j, &arena, &a, &b, &comment);
		if (ok && !comment)
			ok = lm_bpe_merge(v, a, b, rank++, j->err);
	}
	ok = ok && !j->failed && lm_bpe_flush(v, j->err);
	lm_arena_free(&arena);
	return ok;
}

/* Merges are read where they stand if that is after all that they depend on: in most files. */
static bool
meet_merges(struct lm_vocab *v, struct lm_json *j, struct parts *p)
{
	lm_json_peek(j);
	p->merges = (struct lm_json_val){ j->p, j->off, j->end, j->what };
	p->merged = p->has_vocab && p->has_prefix && v->model == LM_MODEL_BPE;
	return p->merged ? load_merges(v, j) : lm_json_take(j, &p->merges);
}

/* Reads a string or null. */
static bool
maybe_str(struct lm_vocab *v, struct lm_json *j, struct lm_str *out)
{
	*out = (struct lm_str){ NULL, 0 };
	return lm_json_null(j) || (!j->failed && lm_json_str(j, &v->arena, out));
}

static bool
maybe_bool(struct lm_json *j, bool *out)
{
	return lm_json_null(j) || (!j->failed && lm_json_bool(j, out));
}

static bool
load_unk_id(struct lm_vocab *v, struct lm_json *j)
{
	return lm_json_null(j) || (!j->failed && lm_json_int(j, &v->unigram.unk));
}

static bool
model_member(struct lm_vocab *v, struct lm_json *j, struct lm_str key, struct parts *p)
{
	struct lm_bpe *b = &v->bpe;

	if (lm_str_is(key, "type"))
		return lm_json_str(j, &v->arena, &p->type);
	if (lm_str_is(key, "vocab"))
		return load_vocab(v, j, p);
	if (lm_str_is(key, "merges"))
		return meet_merges(v, j, p);
	if (lm_str_is(key, "unk_token"))
		return maybe_str(v, j, &b->unk_name);
	if (lm_str_is(key, "unk_id"))
		return load_unk_id(v, j);
	if (lm_str_is(key, "fuse_unk"))
		return maybe_bool(j, &b->fuse_unk);
	if (lm_str_is(key, "byte_fallback"))
		return maybe_bool(j, &b->byte_fallback);
	if (lm_str_is(key, "ignore_merges"))
		return maybe_bool(j, &b->ignore_merges);
	if (lm_str_is(key, "continuing_subword_prefix")) {
		p->has_prefix = true;
		p->merged = false;
		return maybe_str(v, j, &b->prefix);
	}
	if (lm_str_is(key, "end_of_word_suffix"))
		return maybe_str(v, j, &b->suffix);
	return lm_json_skip(j);
}

static bool
load_model(struct lm_vocab *v, struct lm_json *j, struct parts *p)
{
	struct lm_str key;

	for (lm_json_enter(j, LM_JSON_OBJECT); lm_json_more(j);) {
		if (!lm_json_key(j, &v->arena, &key) || !model_member(v, j, key, p))
			return false;
		/* Known before the tokens are read in every file that is written by the library. */
		if (p->type.p && !lm_str_is(p->type, "BPE") && !lm_str_is(p->type, "Unigram"))
			return lm_fail(j->err, LM_EUNSUPPORTED, "model %.*s is not supported",
			    (int)(p->type.n > 80 ? 80 : p->type.n), p->type.p);
	}
	return !j->failed;
}

static bool
check_model(struct lm_vocab *v, const struct parts *p, struct lm_err *err)
{
	bool unigram = v->model == LM_MODEL_UNIGRAM;
	struct lm_json j;

	if (!p->has_vocab)
		return lm_fail(err, LM_EFORMAT, "no model with a vocab");
	if (p->type.p && lm_str_is(p->type, "Unigram") != unigram)
		return lm_fail(err, LM_EFORMAT, "a %.*s model whose vocab is %s", (int)p->type.n,
		    p->type.p, unigram ? "a list" : "an object");
	if (!unigram && !p->merges.p)
		return lm_fail(err, LM_EFORMAT, "a model without merges");
	if (unigram && v->unigram.unk >= (int64_t)v->n_model)
		return lm_fail(err, LM_EFORMAT, "unk_id %lld, the vocabulary has %u tokens",
		    (long long)v->unigram.unk, v->n_model);
	v->unigram.byte_fallback = v->bpe.byte_fallback;
	if (unigram && v->unigram.unk < 0)
		v->unigram.unk = LM_UNK_NONE;
	if (unigram || p->merged)
		return true;
	lm_json_at(&j, &p->merges, err);
	return load_merges(v, &j);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static bool
load_added(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err)
{
	struct lm_json_val one;
	struct lm_json j;

	if (!val->p || lm_json_val_kind(val) == LM_JSON_NULL)
		return true;
	lm_json_at(&j, val, err);
	for (lm_json_enter(&j, LM_JSON_ARRAY); lm_json_more(&j);) {
		struct lm_added_token t = { .content = { "", 0 } };

		if (!lm_json_take(&j, &one) ||
		    !lm_json_find_bool(&one, "special", &t.special, err))
			return false;
		t.normalized = !t.special;
		if (!lm_json_find_str(&one, "content", &v->arena, &t.content, err) ||
		    !lm_json_find_bool(&one, "normalized", &t.normalized, err) ||
		    !lm_json_find_bool(&one, "single_word", &t.single_word, err) ||
		    !lm_json_find_bool(&one, "lstrip", &t.lstrip, err) ||
		    !lm_json_find_bool(&one, "rstrip", &t.rstrip, err) ||
		    !lm_added_put(v, t, err))
			return false;
	}
	return !j.failed;
}

static bool
walk(struct lm_vocab *v, struct parts *p, struct lm_err *err)
{
	struct lm_json j;
	struct lm_str key;
	bool ok = true;

	lm_json_init(&j, v->map.path, v->map.data, v->map.len, err);
	for (lm_json_enter(&j, LM_JSON_OBJECT); ok && lm_json_more(&j);) {
		if (!lm_json_key(&j, &v->arena, &key))
			return false;
		if (lm_str_is(key, "model"))
			ok = load_model(v, &j, p);
		else if (lm_str_is(key, "added_tokens"))
			ok = lm_json_take(&j, &p->added);
		else if (lm_str_is(key, "normalizer"))
			ok = lm_json_take(&j, &p->normalizer);
		else if (lm_str_is(key, "pre_tokenizer"))
			ok = lm_json_take(&j, &p->pre_tokenizer);
		else if (lm_str_is(key, "post_processor"))
			ok = lm_json_take(&j, &p->post_processor);
		else if (lm_str_is(key, "decoder"))
			ok = lm_json_take(&j, &p->decoder);
		else	/* version; truncation and padding, which would change a text's ids */
			ok = lm_json_skip(&j);
	}
	return ok && lm_json_end(&j);
}

bool
lm_vocab_load_json(struct lm_vocab *v, const char *dir, struct lm_err *err)
{
	struct lm_buf path = { 0 };
	struct parts p = { 0 };
	bool ok;

	ok = lm_buf_printf(&path, err, "%s/tokenizer.json", dir) &&
	    lm_map_open(&v->map, path.p, err) && walk(v, &p, err) && check_model(v, &p, err) &&
	    lm_norm_load(v, &p.normalizer, err) && lm_pre_load(v, &p.pre_tokenizer, err) &&
	    lm_dec_load(v, &p.decoder, err) && lm_postproc_load(v, &p.post_processor, err) &&
	    load_added(v, &p.added, err);
	v->no_decoder = v->n_dec == 0;
	lm_buf_free(&path);
	return ok;
}

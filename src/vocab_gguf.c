/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab_gguf.c - loads the vocabulary of a GGUF file, the keys that begin with tokenizer.
 *
 * The file names a kind of tokenizer and, for byte-level ones, a way to split; the stages that
 * stand behind those names are set up here.  Keys that are absent have the values that the format's
 * own program gives them: bos 1, eos 2, unk 0, a bos in front and a blank before the text for kind
 * llama, none of that for gpt2.
 */
#include "config.h"

#include "src/vocab.h"

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define TAIL "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define NO_WORD "[^\\r\\n\\p{L}\\p{N}]?"
#define SLASH_TAIL "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define CJK "[\\x{4e00}-\\x{9fa5}\\x{0800}-\\x{4e00}\\x{ac00}-\\x{d7ff}]+"

/* Ways to split, each pattern within what the one before left. */
static const char *const gpt2[] = { LM_GPT2_PATTERN, NULL };
static const char *const digits_gpt2[] = { "\\p{N}", LM_GPT2_PATTERN, NULL };
static const char *const llama3[] = {
	CONTRACTIONS "|" NO_WORD "\\p{L}+|\\p{N}{1,3}" TAIL, NULL
};
static const char *const qwen2[] = { CONTRACTIONS "|" NO_WORD "\\p{L}+|\\p{N}" TAIL, NULL };
static const char *const falcon[] = {
	"[\\p{P}\\$\\+<=>\\^~\\|`]+", LM_GPT2_PATTERN, "[0-9][0-9][0-9]", NULL
};
static const char *const deepseek_llm[] = {
	"[\\r\\n]", "\\s?[\\p{Lu}\\p{Ll}\\p{Lt}&&[^\\x{1d400}-\\x{1d7ff}]]+",
	"\\s?[!-/:-~\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff5e}\\x{2018}-\\x{201f}\\x{3000}-\\x{3002}]+",
	"\\s+$", CJK, "\\p{N}+", NULL
};
static const char *const deepseek_coder[] = {
	"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "\\p{N}", NULL
};
static const char *const deepseek3[] = {
	"\\p{N}{1,3}", "[\\x{4e00}-\\x{9fa5}\\x{3040}-\\x{309f}\\x{30a0}-\\x{30ff}]+",
	"[!-/:-@\\[-`{-~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
	"| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", NULL
};
#define BLOOM \
	" ?[^(\\s|.,!?\\x{2026}\\x{3002}\\x{ff0c}\\x{3001}\\x{964}\\x{6d4}\\x{60c})]+"
static const char *const bloom[] = { BLOOM, NULL };
static const char *const viking[] = { BLOOM, "\\p{N}", NULL };
static const char *const tekken[] = {
	NO_WORD UPPER "*" LOWER "+|" NO_WORD UPPER "+" LOWER "*|\\p{N}" SLASH_TAIL, NULL
};
static const char *const gpt4o[] = {
	NO_WORD UPPER "*" LOWER "+" CONTRACTIONS "?|" NO_WORD UPPER "+" LOWER "*" CONTRACTIONS
	"?|\\p{N}{1,3}" SLASH_TAIL, NULL
};

/* Normalize; whole pieces before merges; a bos unless a key says otherwise. */
enum { NFC = 1, WHOLE = 2, BOS = 4 };

static const struct pre {
	const char *name;
	const char *const *patterns;
	unsigned flags;
} pres[] = {
	{ "default", gpt2, 0 }, { "gpt-2", gpt2, 0 }, { "phi-2", gpt2, 0 }, { "jais", gpt2, 0 },
	{ "exaone4", gpt2, 0 }, { "trillion", gpt2, 0 }, { "mellum", gpt2, 0 },
	{ "gigachat", gpt2, 0 }, { "a.x-4.0", gpt2, 0 }, { "granite-docling", gpt2, 0 },
	{ "roberta-bpe", gpt2, 0 }, { "mpt", gpt2, NFC }, { "olmo", gpt2, NFC },
	{ "starcoder", digits_gpt2, 0 }, { "refact", digits_gpt2, 0 },
	{ "command-r", digits_gpt2, NFC }, { "smollm", digits_gpt2, 0 },
	{ "codeshell", digits_gpt2, 0 }, { "exaone", digits_gpt2, 0 },
	{ "minerva-7b", digits_gpt2, 0 },
	{ "llama3", llama3, WHOLE | BOS }, { "llama-v3", llama3, WHOLE | BOS },
	{ "llama-bpe", llama3, WHOLE | BOS }, { "falcon3", llama3, WHOLE | BOS },
	{ "falcon-h1", llama3, WHOLE | BOS }, { "pixtral", llama3, WHOLE | BOS },
	{ "midm-2.0", llama3, WHOLE | BOS }, { "lfm2", llama3, WHOLE | BOS },
	{ "dbrx", llama3, 0 }, { "smaug-bpe", llama3, 0 }, { "glm4", llama3, 0 },
	{ "chatglm-bpe", llama3, 0 },
	{ "qwen2", qwen2, NFC }, { "deepseek-r1-qwen", qwen2, NFC }, { "stablelm2", qwen2, NFC },
	{ "megrez", qwen2, NFC }, { "hunyuan", qwen2, 0 },
	{ "falcon", falcon, 0 }, { "deepseek-llm", deepseek_llm, 0 },
	{ "deepseek-coder", deepseek_coder, 0 }, { "deepseek-v3", deepseek3, 0 },
	{ "bloom", bloom, 0 }, { "poro-chat", bloom, 0 }, { "gpt3-finnish", bloom, 0 },
	{ "viking", viking, 0 }, { "tekken", tekken, WHOLE | BOS },
	{ "gpt-4o", gpt4o, 0 }, { "llama4", gpt4o, 0 },
};

/* Kinds of tokens as the format numbers them. */
enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, BYTE = 6 };

/* ---- tokens --------------------------------------------------------------------------------- */

/* An array under a key; NULL when absent.  Fails when it has not n elements of that kind. */
static bool
find_array(const struct lm_gguf *g, const char *key, bool strings, uint64_t n,
    const struct lm_gguf_kv **out, struct lm_err *err)
{
	const struct lm_gguf_kv *kv = lm_gguf_find(g, key);

	*out = kv;
	if (!kv)
		return true;
	if (kv->type != LM_GGUF_ARR || (kv->elem == LM_GGUF_STR) != strings ||
	    kv->elem == LM_GGUF_ARR)
		return lm_fail(err, LM_EFORMAT, "%s: an array of %s wanted", key,
		    strings ? "strings" : "numbers");
	if (n != UINT64_MAX && kv->count != n)
		return lm_fail(err, LM_EFORMAT, "%s has %llu elements, there are %llu tokens", key,
		    (unsigned long long)kv->count, (unsigned long long)n);
	return true;
}

static bool
load_tokens(struct lm_vocab *v, struct lm_err *err)
{
	const struct lm_gguf_kv *tokens;
	struct lm_cursor c;
	struct lm_str s;
	int64_t old;

	if (!find_array(&v->gguf, "tokenizer.ggml.tokens", true, UINT64_MAX, &tokens, err))
		return false;
	if (!tokens)
		return lm_fail(err, LM_EFORMAT, "no tokenizer.ggml.tokens in it");
	if (tokens->count >= LM_MAX_IDS)
		return lm_fail(err, LM_ELIMIT, "%llu tokens, fewer than %d wanted",
		    (unsigned long long)tokens->count, LM_MAX_IDS);
	if (!lm_vocab_reserve(v, (uint32_t)tokens->count, err) ||
	    !lm_strtab_reserve(&v->by_raw, (uint32_t)tokens->count, err))
		return false;
	c = tokens->val;
	for (uint64_t id = 0; id < tokens->count; id++)
		if (!lm_gguf_next_str(&c, &s.p, &s.n, err) || !lm_vocab_add(v, s, id, &old, err))
			return false;
	v->n_model = v->n;
	return true;
}

static bool
load_scores(struct lm_vocab *v, struct lm_err *err)
{
	const struct lm_gguf_kv *scores;
	struct lm_cursor c;
	double score = 0;

	if (!find_array(&v->gguf, "tokenizer.ggml.scores", false, v->n, &scores, err))
		return false;
	v->score = lm_zalloc(v->n, sizeof(*v->score), err);
	if (!v->score)
		return false;
	if (!scores)
		return true;
	c = scores->val;
	for (uint32_t id = 0; id < v->n; id++) {
		if (!lm_gguf_next_real(&c, scores->elem, &score, err))
			return false;
		if (score != score)
			return lm_fail(err, LM_EFORMAT, "the score of token %u is no number", id);
		/* Zero has one sign, so that equal scores are equal bits. */
		v->score[id] = score == 0 ? 0 : (float)score;
	}
	return true;
}

/* What a token is when the file does not say: what its place and name tell. */
static int64_t
guess_type(const struct lm_vocab *v, uint32_t id)
{
	if ((int64_t)id == v->role[LM_UNK])
		return UNKNOWN;
	if ((int64_t)id == v->role[LM_BOS] || (int64_t)id == v->role[LM_EOS])
		return CONTROL;
	return v->model == LM_MODEL_SPM && lm_byte_token(v->raw[id]) >= 0 ? BYTE : NORMAL;
}

static bool
load_types(struct lm_vocab *v, struct lm_err *err)
{
	const struct lm_gguf_kv *types;
	struct lm_cursor c = { 0 };

	if (!find_array(&v->gguf, "tokenizer.ggml.token_type", false, v->n, &types, err))
		return false;
	if (types)
		c = types->val;
	for (uint32_t id = 0; id < v->n; id++) {
		struct lm_added_token t = { .content = v->raw[id] };
		int64_t type = types ? 0 : guess_type(v, id);

		if (types && !lm_gguf_next_int(&c, types->elem, &type, err))
			return false;
		if (type == UNKNOWN || type == CONTROL || type == BYTE)
			v->flags[id] |= LM_ID_NO_MERGE;
		t.special = type == UNKNOWN || type == CONTROL;
		if ((t.special || type == USER_DEFINED) && !lm_added_put(v, t, err))
			return false;
	}
	return true;
}

/* An id under a key; numbers that are no id, such as -1, mean none. */
static bool
load_role(struct lm_vocab *v, enum lm_vocab_role role, const char *key, int64_t absent,
    struct lm_err *err)
{
	const struct lm_gguf_kv *kv = lm_gguf_find(&v->gguf, key);
	struct lm_cursor c;
	int64_t id = absent;

	if (kv) {
		c = kv->val;
		if (kv->type == LM_GGUF_ARR || kv->type == LM_GGUF_STR ||
		    !lm_gguf_next_int(&c, kv->type, &id, NULL))
			return lm_fail(err, LM_EFORMAT, "%s: an integer wanted", key);
	}
	v->role[role] = id >= 0 && id < v->n ? id : -1;
	return true;
}

static bool
load_roles(struct lm_vocab *v, struct lm_err *err)
{
	bool spm = v->model == LM_MODEL_SPM;

	return load_role(v, LM_BOS, "tokenizer.ggml.bos_token_id", spm ? 1 : -1, err) &&
	    load_role(v, LM_EOS, "tokenizer.ggml.eos_token_id", spm ? 2 : -1, err) &&
	    load_role(v, LM_UNK, "tokenizer.ggml.unknown_token_id", spm ? 0 : -1, err) &&
	    load_role(v, LM_PAD, "tokenizer.ggml.padding_token_id", -1, err) &&
	    load_role(v, LM_EOT, "tokenizer.ggml.eot_token_id", -1, err);
}

/* ---- stages --------------------------------------------------------------------------------- */

static bool
set_around(struct lm_vocab *v, bool bos, bool eos, struct lm_err *err)
{
	int64_t ids[3];
	size_t n = 0;

	if (!lm_gguf_bool(&v->gguf, "tokenizer.ggml.add_bos_token", &bos, err) ||
	    !lm_gguf_bool(&v->gguf, "tokenizer.ggml.add_eos_token", &eos, err))
		return false;
	if (bos && v->role[LM_BOS] >= 0)
		ids[n++] = v->role[LM_BOS];
	ids[n++] = LM_AROUND_TEXT;
	if (eos && v->role[LM_EOS] >= 0)
		ids[n++] = v->role[LM_EOS];
	return lm_around_set(v, ids, n, err);
}

static bool
replace_norm(struct lm_vocab *v, struct lm_str from, struct lm_str to, struct lm_err *err)
{
	struct lm_norm *s = lm_norm_step(v, err);

	if (!s)
		return false;
	s->kind = LM_NORM_REPLACE;
	s->text = to;
	return lm_regex_new(&s->re, from, true, err);
}

static bool
replace_dec(struct lm_vocab *v, struct lm_str from, struct lm_str to, struct lm_err *err)
{
	struct lm_dec *s = lm_dec_step(v, err);

	if (!s)
		return false;
	s->kind = LM_DEC_REPLACE;
	s->text = to;
	return lm_regex_new(&s->re, from, true, err);
}

static bool
plain_dec(struct lm_vocab *v, int kind, struct lm_err *err)
{
	struct lm_dec *s = lm_dec_step(v, err);

	if (!s)
		return false;
	s->kind = kind;
	s->text = (struct lm_str){ " ", 1 };
	s->start = 1;
	return true;
}

/* SentencePiece: a blank before the text, U+2581 for blanks, merges by score. */
static bool
set_up_spm(struct lm_vocab *v, struct lm_err *err)
{
	const struct lm_str blank = { " ", 1 }, mark = { "\xe2\x96\x81", 3 };
	bool prefix = true;

	if (!lm_gguf_bool(&v->gguf, "tokenizer.ggml.add_space_prefix", &prefix, err))
		return false;
	if (prefix) {
		struct lm_norm *s = lm_norm_step(v, err);

		if (!s)
			return false;
		s->kind = LM_NORM_PREPEND;
		s->text = mark;
	}
	v->bpe.byte_fallback = true;
	v->bpe.unk = v->role[LM_UNK];
	return load_scores(v, err) && replace_norm(v, blank, mark, err) &&
	    replace_dec(v, mark, blank, err) && plain_dec(v, LM_DEC_BYTE_FALLBACK, err) &&
	    plain_dec(v, LM_DEC_FUSE, err) && (!prefix || plain_dec(v, LM_DEC_STRIP, err)) &&
	    set_around(v, true, false, err);
}

static bool
load_merges(struct lm_vocab *v, struct lm_err *err)
{
	const struct lm_gguf_kv *merges;
	struct lm_cursor c;
	struct lm_str s;

	if (!find_array(&v->gguf, "tokenizer.ggml.merges", true, UINT64_MAX, &merges, err))
		return false;
	if (!merges || merges->count > UINT32_MAX)
		return lm_fail(err, LM_EFORMAT, "no tokenizer.ggml.merges in it");
	if (!lm_pairtab_reserve(&v->bpe.merges, v->n_model, err))
		return false;
	c = merges->val;
	for (uint32_t rank = 0; rank < merges->count; rank++) {
		const char *blank;
		size_t left;

		if (!lm_gguf_next_str(&c, &s.p, &s.n, err))
			return false;
		/* The first character may be a blank itself. */
		blank = s.n > 1 ? memchr(s.p + 1, ' ', s.n - 1) : NULL;
		if (!blank)
			return lm_fail(err, LM_EFORMAT, "tokenizer.ggml.merges: merge %u has no "
			    "blank", rank);
		left = (size_t)(blank - s.p);
		if (!lm_bpe_merge(v, (struct lm_str){ s.p, left },
		    (struct lm_str){ blank + 1, s.n - left - 1 }, rank, err))
			return false;
	}
	return lm_bpe_flush(v, err);
}

static bool
add_split(struct lm_vocab *v, const char *pattern, struct lm_err *err)
{
	struct lm_pre *s = lm_pre_step(v, err);

	if (!s)
		return false;
	s->kind = LM_PRE_SPLIT;
	return lm_regex_new(&s->re, (struct lm_str){ pattern, strlen(pattern) }, false, err);
}

/* Byte-level BPE, split in the way that has that name. */
static bool
set_up_bpe(struct lm_vocab *v, struct lm_err *err)
{
	struct lm_str name = { "default", 7 };
	const struct pre *pre = NULL;
	bool prefix = false;
	struct lm_pre *s;

	if (!lm_gguf_str(&v->gguf, "tokenizer.ggml.pre", &name.p, &name.n, err) ||
	    !lm_gguf_bool(&v->gguf, "tokenizer.ggml.add_space_prefix", &prefix, err))
		return false;
	for (size_t i = 0; i < sizeof(pres) / sizeof(pres[0]); i++)
		if (lm_str_is(name, pres[i].name))
			pre = &pres[i];
	if (!pre)
		return lm_fail(err, LM_EUNSUPPORTED, "tokenizer.ggml.pre %.*s is not supported",
		    (int)(name.n > 80 ? 80 : name.n), name.p);
	if (pre->flags & NFC) {
		struct lm_norm *nfc = lm_norm_step(v, err);

		if (!nfc)
			return false;
		nfc->kind = LM_NORM_NFC;
	}
	if (prefix) {
		struct lm_norm *blank = lm_norm_step(v, err);

		if (!blank)
			return false;
		blank->kind = LM_NORM_PREPEND;
		blank->text = (struct lm_str){ " ", 1 };
	}
	for (int i = 0; pre->patterns[i]; i++)
		if (!add_split(v, pre->patterns[i], err))
			return false;
	s = lm_pre_step(v, err);
	if (!s)
		return false;
	s->kind = LM_PRE_BYTE_LEVEL;
	s->prepend = LM_PREPEND_NEVER;
	v->bpe.ignore_merges = pre->flags & WHOLE;
	return load_merges(v, err) && plain_dec(v, LM_DEC_BYTE_LEVEL, err) &&
	    set_around(v, pre->flags & BOS, false, err);
}

/* ---- the file ------------------------------------------------------------------------------- */

static bool
load_templates(struct lm_vocab *v, struct lm_err *err)
{
	static const char prefix[] = "tokenizer.chat_template.";
	const size_t n = sizeof(prefix) - 1;
	struct lm_str text = { NULL, 0 };

	if (!lm_gguf_str(&v->gguf, "tokenizer.chat_template", &text.p, &text.n, err))
		return false;
	if (text.p && !lm_vocab_add_template(v, (struct lm_str){ "default", 7 }, text, err))
		return false;
	for (size_t i = 0; i < v->gguf.n_kv; i++) {
		const struct lm_gguf_kv *kv = &v->gguf.kv[i];
		struct lm_cursor c = kv->val;

		if (kv->type != LM_GGUF_STR || kv->key_len <= n || memcmp(kv->key, prefix, n) != 0)
			continue;
		if (!lm_gguf_next_str(&c, &text.p, &text.n, err) || !lm_vocab_add_template(v,
		    (struct lm_str){ kv->key + n, kv->key_len - n }, text, err))
			return false;
	}
	return true;
}

bool
lm_vocab_load_gguf(struct lm_vocab *v, const char *path, struct lm_err *err)
{
	struct lm_str model = { NULL, 0 };

	if (!lm_gguf_open(&v->gguf, path, err) ||
	    !lm_gguf_str(&v->gguf, "tokenizer.ggml.model", &model.p, &model.n, err))
		return false;
	if (!model.p)
		return lm_fail(err, LM_EFORMAT, "no tokenizer.ggml.model in it");
	if (lm_str_is(model, "llama"))
		v->model = LM_MODEL_SPM;
	else if (lm_str_is(model, "gpt2"))
		v->model = LM_MODEL_BPE;
	else
		return lm_fail(err, LM_EUNSUPPORTED, "tokenizer.ggml.model %.*s is not supported",
		    (int)(model.n > 80 ? 80 : model.n), model.p);
	return load_tokens(v, err) && load_roles(v, err) && load_types(v, err) &&
	    (v->model == LM_MODEL_SPM ? set_up_spm(v, err) : set_up_bpe(v, err)) &&
	    load_templates(v, err);
}

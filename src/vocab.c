/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab.c - a tokenizer as a whole: opening one, its tokens, and the way of a text through its
 * stages.
 */
#include "config.h"

#include "src/vocab.h"

#include <sys/stat.h>

/* ---- building ------------------------------------------------------------------------------- */

bool
lm_vocab_reserve(struct lm_vocab *v, uint32_t n, struct lm_err *err)
{
	if (n <= v->cap)
		return true;
	if (!lm_resize(&v->raw, n, sizeof(*v->raw), err) ||
	    !lm_resize(&v->flags, n, sizeof(*v->flags), err))
		return false;
	v->cap = n;
	return true;
}

bool
lm_vocab_grow(struct lm_vocab *v, uint64_t id, struct lm_err *err)
{
	uint32_t want = v->cap ? v->cap : 1024;

	if (id >= LM_MAX_IDS)
		return lm_fail(err, LM_ELIMIT, "token id %llu, below %d wanted",
		    (unsigned long long)id, LM_MAX_IDS);
	if (id < v->n)
		return true;
	while (want <= id)
		want *= 2;
	if (!lm_vocab_reserve(v, want, err))
		return false;
	for (; v->n <= id; v->n++) {
		v->raw[v->n] = (struct lm_str){ "", 0 };
		v->flags[v->n] = 0;
	}
	return true;
}

bool
lm_vocab_add(struct lm_vocab *v, struct lm_str raw, uint64_t id, int64_t *old, struct lm_err *err)
{
	if (!lm_vocab_grow(v, id, err))
		return false;
	v->raw[id] = raw;
	v->flags[id] |= LM_ID_USED | LM_ID_MODEL;
	return lm_strtab_put(&v->by_raw, v->raw, (uint32_t)id, true, old, err);
}

int64_t
lm_vocab_id(const struct lm_vocab *v, struct lm_str raw)
{
	int64_t at = lm_added_find(v, raw);

	return at >= 0 ? (int64_t)v->added.v[at].id : lm_strtab_get(&v->by_raw, v->raw, raw.p,
	    raw.n);
}

bool
lm_vocab_add_template(struct lm_vocab *v, struct lm_str name, struct lm_str text,
    struct lm_err *err)
{
	for (size_t i = 0; i < v->n_tmpl; i++)
		if (v->tmpl[i].name.n == name.n && memcmp(v->tmpl[i].name.p, name.p, name.n) == 0) {
			v->tmpl[i].text = text;
			return true;
		}
	if (v->n_tmpl == v->cap_tmpl) {
		size_t want = v->cap_tmpl ? v->cap_tmpl * 2 : 4;

		if (!lm_resize(&v->tmpl, want, sizeof(*v->tmpl), err))
			return false;
		v->cap_tmpl = want;
	}
	v->tmpl[v->n_tmpl++] = (struct lm_vocab_template){ name, text };
	return true;
}

/* How the tokens read, and the table to find them by that: first those that are not special. */
static bool
find_texts(struct lm_vocab *v, struct lm_err *err)
{
	enum { AHEAD = 8 };
	int64_t old;

	v->text = lm_zalloc(v->n, sizeof(*v->text), err);
	if (!v->text || !lm_dec_pieces(v, err))
		return false;
	/* Where bytes are spelt one by one and no name stands twice, names can be asked instead. */
	v->spelt = v->n_dec == 1 && v->dec[0].kind == LM_DEC_BYTE_LEVEL &&
	    v->by_raw.n == v->n_model;
	if (v->spelt)
		return true;
	if (!lm_strtab_reserve(&v->by_text, v->n, err))
		return false;
	for (int special = 0; special < 2; special++)
		for (uint32_t id = 0; id < v->n; id++) {
			if (id + AHEAD < v->n && v->text[id + AHEAD].p)
				lm_strtab_prefetch(&v->by_text, v->text[id + AHEAD].p,
				    v->text[id + AHEAD].n);
			if (v->flags[id] & LM_ID_USED &&
			    !!(v->flags[id] & LM_ID_SPECIAL) == special &&
			    !lm_strtab_put(&v->by_text, v->text, id, false, &old, err))
				return false;
		}
	return true;
}

static bool
finish(struct lm_vocab *v, struct lm_err *err)
{
	const int64_t text = LM_AROUND_TEXT;

	if (!v->around && !lm_around_set(v, &text, 1, err))
		return false;
	for (size_t i = 0; i < v->n_around; i++)
		if (v->around[i] != LM_AROUND_TEXT && (v->around[i] >= v->n ||
		    !(v->flags[v->around[i]] & LM_ID_USED)))
			return lm_fail(err, LM_EFORMAT,
			    "the post-processor puts id %lld, which is no token",
			    (long long)v->around[i]);
	v->byte_level = v->n_pre && v->pre[v->n_pre - 1].kind == LM_PRE_BYTE_LEVEL &&
	    v->model == LM_MODEL_BPE && v->bpe.prefix.n == 0 && v->bpe.suffix.n == 0;
	return lm_bpe_finish(v, err) &&
	    (v->model != LM_MODEL_UNIGRAM || lm_unigram_finish(v, err)) &&
	    lm_added_finish(v, err) && find_texts(v, err);
}

/* Puts the file's name before a message that does not begin with it. */
static bool
name_file(const char *path, struct lm_err *err)
{
	if (err && err->code != LM_ENOMEM && strncmp(err->msg, path, strlen(path)) != 0)
		return lm_fail_in(err, path);
	return false;
}

bool
lm_vocab_open(lm_vocab **out, const char *path, struct lm_err *err)
{
	struct lm_vocab *v = lm_zalloc(1, sizeof(*v), err);
	struct stat st;
	bool ok;

	*out = NULL;
	if (!v)
		return false;
	v->bpe.unk = v->unigram.unk = LM_UNK_NONE;
	for (int i = 0; i <= LM_EOT; i++)
		v->role[i] = -1;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		ok = lm_vocab_load_json(v, path, err) && finish(v, err) &&
		    lm_vocab_load_config(v, path, err);
	else
		ok = lm_vocab_load_gguf(v, path, err) && finish(v, err);
	if (!ok) {
		lm_vocab_close(v);
		return name_file(path, err);
	}
	*out = v;
	return true;
}

void
lm_vocab_close(lm_vocab *v)
{
	if (!v)
		return;
	for (unsigned i = 0; i < v->n_norm; i++)
		lm_regex_free(v->norm[i].re);
	for (unsigned i = 0; i < v->n_pre; i++)
		lm_regex_free(v->pre[i].re);
	for (unsigned i = 0; i < v->n_dec; i++)
		lm_regex_free(v->dec[i].re);
	lm_pairtab_free(&v->bpe.merges);
	lm_free(v->bpe.joined);
	lm_trie_free(&v->unigram.trie);
	lm_free(v->added.v);
	lm_trie_free(&v->added.names);
	lm_trie_free(&v->added.raw);
	lm_trie_free(&v->added.norm);
	lm_strtab_free(&v->by_raw);
	lm_strtab_free(&v->by_text);
	lm_free(v->raw);
	lm_free(v->text);
	lm_free(v->flags);
	lm_free(v->score);
	lm_free(v->unigram_score);
	lm_free(v->around);
	lm_free(v->tmpl);
	lm_arena_free(&v->arena);
	lm_map_close(&v->map);
	lm_map_close(&v->config);
	lm_map_close(&v->jinja);
	lm_gguf_close(&v->gguf);
	lm_free(v);
}

/* ---- asking --------------------------------------------------------------------------------- */

uint32_t
lm_vocab_size(const lm_vocab *v)
{
	return v->n;
}

static bool
used(const lm_vocab *v, uint32_t id)
{
	return id < v->n && v->flags[id] & LM_ID_USED;
}

const char *
lm_vocab_piece(const lm_vocab *v, uint32_t id, size_t *n)
{
	if (!used(v, id)) {
		*n = 0;
		return NULL;
	}
	*n = v->text[id].n;
	return v->text[id].p;
}

/* The better of two ids for the same text: one that is not special, then the lower. */
static int64_t
better(const lm_vocab *v, int64_t a, int64_t b, const char *bytes, size_t n)
{
	if (b < 0 || !v->text[b].p || v->text[b].n != n || memcmp(v->text[b].p, bytes, n) != 0)
		return a;
	if (a < 0 || (v->flags[a] & LM_ID_SPECIAL) > (v->flags[b] & LM_ID_SPECIAL))
		return b;
	return (v->flags[a] & LM_ID_SPECIAL) < (v->flags[b] & LM_ID_SPECIAL) || a < b ? a : b;
}

/* A token reads as its name spells, or, if it has characters that spell nothing, as its name. */
static int64_t
find_spelt(const lm_vocab *v, const char *bytes, size_t n)
{
	struct lm_str name[2] = { { bytes, n }, { NULL, 0 } };
	char spelt[1024];
	int64_t best = -1;

	if (n > sizeof(spelt) / 2) {
		for (uint32_t id = 0; id < v->n; id++)
			best = better(v, best, id, bytes, n);
		return best;
	}
	name[1].p = spelt;
	for (size_t i = 0; i < n; i++)
		name[1].n += lm_utf8_put(lm_byte_char((unsigned char)bytes[i]), spelt + name[1].n);
	for (int k = 0; k < 2; k++) {
		int64_t model = lm_strtab_get(&v->by_raw, v->raw, name[k].p, name[k].n);

		best = better(v, best, model, bytes, n);
		best = better(v, best, lm_vocab_id(v, name[k]), bytes, n);
	}
	return best;
}

bool
lm_vocab_find(const lm_vocab *v, const char *bytes, size_t n, uint32_t *id)
{
	int64_t got = v->spelt ? find_spelt(v, bytes, n) :
	    lm_strtab_get(&v->by_text, v->text, bytes, n);

	if (got >= 0)
		*id = (uint32_t)got;
	return got >= 0;
}

bool
lm_vocab_is_special(const lm_vocab *v, uint32_t id)
{
	return used(v, id) && v->flags[id] & LM_ID_SPECIAL;
}

int64_t
lm_vocab_role(const lm_vocab *v, enum lm_vocab_role role)
{
	return (unsigned)role <= LM_EOT ? v->role[role] : -1;
}

const char *
lm_vocab_chat_template(const lm_vocab *v, const char *name, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < v->n_tmpl; i++)
		if (lm_str_is(v->tmpl[i].name, name ? name : "default")) {
			*n = v->tmpl[i].text.n;
			return v->tmpl[i].text.p;
		}
	return NULL;
}

/* ---- encoding ------------------------------------------------------------------------------- */

/* A piece of normalized text: split, and each part given to the model. */
static bool
encode_piece(struct lm_encoder *e, struct lm_span piece)
{
	if (!lm_pretok(e, piece))
		return false;
	for (size_t i = 0; i < e->a.n; i++) {
		const struct lm_span *p = &e->a.v[i];

		if (!(e->v->model == LM_MODEL_UNIGRAM ? lm_unigram_encode(e, p->off, p->len) :
		    lm_bpe_encode(e, p->off, p->len)))
			return false;
	}
	return true;
}

/* A stretch of the text between added tokens; first: the text begins with it. */
static bool
encode_stretch(struct lm_encoder *e, const char *s, size_t n, bool first)
{
	const struct lm_vocab *v = e->v;
	size_t start = e->text.len;
	bool head;

	if (!lm_normalize(e, s, n, &head))
		return false;
	if (e->text.len > UINT32_MAX / 2)
		return lm_fail(e->err, LM_ELIMIT, "a text that grows beyond %u bytes",
		    UINT32_MAX / 2);
	e->norm_cuts.n = 0;
	if (e->text.len > start && !lm_added_split(v, &v->added.norm, e->text.p, start,
	    e->text.len - start, &e->norm_cuts, e->err))
		return false;
	for (size_t i = 0; i < e->norm_cuts.n; i++) {
		struct lm_span c = e->norm_cuts.v[i];

		if (c.flags) {
			if (!lm_ids_add(e->out, v->added.v[c.flags - 1].id, e->err))
				return false;
			continue;
		}
		c.flags = first && head && c.off == start ? LM_SPAN_FIRST : 0;
		if (!encode_piece(e, c))
			return false;
	}
	return true;
}

static bool
encode_text(struct lm_encoder *e, const char *s, size_t n)
{
	const struct lm_vocab *v = e->v;

	e->raw_cuts.n = 0;
	if (!lm_added_split(v, &v->added.raw, s, 0, n, &e->raw_cuts, e->err))
		return false;
	for (size_t i = 0; i < e->raw_cuts.n; i++) {
		const struct lm_span *c = &e->raw_cuts.v[i];

		if (!(c->flags ? lm_ids_add(e->out, v->added.v[c->flags - 1].id, e->err) :
		    encode_stretch(e, s + c->off, c->len, c->off == 0)))
			return false;
	}
	return true;
}

static void
encoder_fini(struct lm_encoder *e)
{
	lm_buf_free(&e->text);
	lm_buf_free(&e->tmp[0]);
	lm_buf_free(&e->tmp[1]);
	lm_spans_free(&e->raw_cuts);
	lm_spans_free(&e->norm_cuts);
	lm_spans_free(&e->cuts);
	lm_spans_free(&e->a);
	lm_spans_free(&e->b);
	lm_scan_fini(&e->scan);
	lm_free(e->sym);
	lm_free(e->heap);
	lm_free(e->words);
	lm_free(e->nodes);
}

bool
lm_vocab_encode(const lm_vocab *v, const char *text, size_t n, bool special, struct lm_ids *out,
    struct lm_err *err)
{
	struct lm_encoder e = { .v = v, .out = out, .err = err };
	size_t had = out->n;
	bool ok = true;

	if (n > UINT32_MAX / 4)
		return lm_fail(err, LM_ELIMIT, "a text of %zu bytes, at most %u wanted", n,
		    UINT32_MAX / 4);
	for (size_t i = 0; ok && i < (special ? v->n_around : 1); i++)
		ok = special && v->around[i] != LM_AROUND_TEXT ?
		    lm_ids_add(out, (uint32_t)v->around[i], err) : encode_text(&e, text, n);
	encoder_fini(&e);
	if (!ok)
		out->n = had;
	return ok;
}

/* ---- decoding ------------------------------------------------------------------------------- */

bool
lm_vocab_decode(const lm_vocab *v, const uint32_t *ids, size_t n, bool special,
    struct lm_buf *bytes, struct lm_buf *text, struct lm_err *err)
{
	struct lm_str *tokens = lm_alloc(n, sizeof(*tokens), err);
	size_t kept = 0;
	bool ok = tokens != NULL;

	for (size_t i = 0; ok && i < n; i++) {
		bool is_special;

		if (!used(v, ids[i])) {
			ok = lm_fail(err, LM_EARG,
			    "token id %u does not exist; the vocabulary has %u ids", ids[i], v->n);
			break;
		}
		tokens[kept] = lm_added_shown(v, ids[i], &is_special);
		kept += special || !is_special;
	}
	ok = ok && (!bytes || lm_dec_run(v, tokens, kept, true, bytes, err)) &&
	    (!text || lm_dec_run(v, tokens, kept, false, text, err));
	lm_free(tokens);
	return ok;
}

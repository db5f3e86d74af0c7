/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpe.c - byte-pair encoding of a piece, and SentencePiece's of the same kind: what symbols it
 * begins with, where it can be cut, and words that were met before.  The merging is in merge.c.
 */
#include "config.h"

#include "src/vocab.h"

enum {
	WORDS = 1 << 14,		/* remembered while one text is encoded; a power of two */
	WORD_MAX = 64,			/* bytes of a word worth remembering */
	BLANK = 0xff			/* U+2581 as a byte, for the table of what tokens join */
};

static const uint32_t NONE = UINT32_MAX;

/* ---- loading -------------------------------------------------------------------------------- */

static bool
is_joined(struct lm_str s, struct lm_str a, struct lm_str b)
{
	return s.n == a.n + b.n && memcmp(s.p, a.p, a.n) == 0 && memcmp(s.p + a.n, b.p, b.n) == 0;
}

/*
 * The token that two others make.  Files list merges in the order of the ids that they make, so it
 * is likely that of the merge before, or the next.
 */
static bool
find_made(struct lm_vocab *v, struct lm_str a, struct lm_str b, uint32_t *made, struct lm_err *err)
{
	char stack[256], *joined = stack;
	uint32_t guess = v->bpe.last_made;
	int64_t got;

	for (int k = 0; k < 2 && guess < v->n; k++, guess++)
		if (v->flags[guess] & LM_ID_MODEL && is_joined(v->raw[guess], a, b)) {
			*made = guess;
			return true;
		}
	if (a.n + b.n > sizeof(stack)) {
		joined = lm_alloc(a.n + b.n, 1, err);
		if (!joined)
			return false;
	}
	memcpy(joined, a.p, a.n);
	memcpy(joined + a.n, b.p, b.n);
	got = lm_strtab_get(&v->by_raw, v->raw, joined, a.n + b.n);
	if (got < 0)
		lm_fail(err, LM_EFORMAT, "a merge makes %.*s, which is not in the vocabulary",
		    (int)(a.n + b.n > 80 ? 80 : a.n + b.n), joined);
	if (joined != stack)
		lm_free(joined);
	*made = (uint32_t)got;
	return got >= 0;
}

/* The ids of one merge's tokens. */
static bool
resolve(struct lm_vocab *v, struct lm_pending *m, struct lm_err *err)
{
	const struct lm_str *prefix = &v->bpe.prefix;
	int64_t left = lm_strtab_get(&v->by_raw, v->raw, m->a.p, m->a.n);
	int64_t right = lm_strtab_get(&v->by_raw, v->raw, m->b.p, m->b.n);
	const struct lm_str *lost = left < 0 ? &m->a : &m->b;

	if (left < 0 || right < 0)
		return lm_fail(err, LM_EFORMAT, "merge %u: token %.*s is not in the vocabulary",
		    m->rank, (int)(lost->n > 80 ? 80 : lost->n), lost->p);
	/* The second part loses the prefix that marks what does not begin a word. */
	if (prefix->n && m->b.n >= prefix->n)
		m->b = (struct lm_str){ m->b.p + prefix->n, m->b.n - prefix->n };
	m->left = (uint32_t)left;
	m->right = (uint32_t)right;
	if (!find_made(v, m->a, m->b, &m->made, err))
		return false;
	v->bpe.last_made = m->made;
	lm_pairtab_prefetch(&v->bpe.merges, m->left, m->right);
	return true;
}

bool
lm_bpe_flush(struct lm_vocab *v, struct lm_err *err)
{
	struct lm_bpe *b = &v->bpe;

	for (unsigned i = 0; i < b->n_pending; i++)
		if (!resolve(v, &b->pending[i], err))
			return false;
	for (unsigned i = 0; i < b->n_pending; i++) {
		const struct lm_pending *m = &b->pending[i];

		if (!lm_pairtab_put(&b->merges, m->left, m->right, m->rank, m->made, err))
			return false;
	}
	b->n_pending = 0;
	return true;
}

/*
 * Hundreds of thousands of merges are looked up in tables larger than the cache, so they are done
 * by the dozen: memory is asked for when a merge is read, and used when the dozen is full.
 */
bool
lm_bpe_merge(struct lm_vocab *v, struct lm_str a, struct lm_str b, uint32_t rank,
    struct lm_err *err)
{
	lm_strtab_prefetch(&v->by_raw, a.p, a.n);
	lm_strtab_prefetch(&v->by_raw, b.p, b.n);
	v->bpe.pending[v->bpe.n_pending++] = (struct lm_pending){ .a = a, .b = b, .rank = rank };
	return v->bpe.n_pending < LM_PENDING || lm_bpe_flush(v, err);
}

static void
find_bytes(struct lm_vocab *v)
{
	struct lm_bpe *b = &v->bpe;
	char name[8];

	b->has_bytes = true;
	for (unsigned i = 0; i < 256; i++) {
		size_t n = lm_utf8_put(lm_byte_char((unsigned char)i), name);

		b->byte_id[i] = (int32_t)lm_strtab_get(&v->by_raw, v->raw, name, n);
		b->fallback[i] = -1;
		if (b->byte_fallback) {
			memcpy(name, "<0x", 3);
			name[3] = "0123456789ABCDEF"[i >> 4];
			name[4] = "0123456789ABCDEF"[i & 15];
			name[5] = '>';
			b->fallback[i] = (int32_t)lm_strtab_get(&v->by_raw, v->raw, name, 6);
		}
		b->has_bytes &= b->fallback[i] >= 0;
	}
}

/* The next character of s[0..n): its length, and the bytes that it begins and ends in. */
static inline size_t
edges(const char *s, size_t n, unsigned *first, unsigned *last)
{
	unsigned char c = (unsigned char)s[0];
	size_t k = 1;
	int32_t cp;

	*first = *last = c;
	if (c < 0x80)
		return 1;
	if (c == 0xe2 && n >= 3 && (unsigned char)s[1] == 0x96 && (unsigned char)s[2] == 0x81) {
		*first = *last = BLANK;
		return 3;
	}
	k = lm_utf8_next(s, n, &cp);
	*last = (unsigned char)s[k - 1];
	return k;
}

/*
 * A merge cannot reach across two characters that no token holds side by side, so a piece may be
 * cut between them.  That holds where symbols are the characters of the text: not where merges know
 * byte tokens or <unk> by their ids, nor where characters vanish or fuse for want of byte tokens.
 */
static bool
find_joined(struct lm_vocab *v, struct lm_err *err)
{
	const struct lm_bpe *b = &v->bpe;
	unsigned first, last, was;

	if (v->model == LM_MODEL_UNIGRAM || v->byte_level || b->prefix.n || b->suffix.n ||
	    !b->has_bytes)
		return true;
	for (uint32_t i = 0; i < b->merges.cap; i++) {
		const struct lm_pairtab_slot *m = &b->merges.slot[i];
		uint32_t side[2] = { (uint32_t)(m->key >> 32), (uint32_t)m->key };

		for (int k = 0; k < 2 && m->key != UINT64_MAX; k++)
			if (side[k] == b->unk || lm_byte_token(v->raw[side[k]]) >= 0)
				return true;
	}
	v->bpe.joined = lm_zalloc(256 * 256 / 8, 1, err);
	if (!v->bpe.joined)
		return false;
	for (uint32_t id = 0; id < v->n; id++) {
		const struct lm_str *r = &v->raw[id];

		if (!(v->flags[id] & LM_ID_MODEL))
			continue;
		was = 256;
		for (size_t i = 0; i < r->n; was = last) {
			i += edges(r->p + i, r->n - i, &first, &last);
			if (was < 256)
				v->bpe.joined[was * 32 + first / 8] |= (uint8_t)(1u << first % 8);
		}
	}
	return true;
}

bool
lm_bpe_finish(struct lm_vocab *v, struct lm_err *err)
{
	struct lm_bpe *b = &v->bpe;

	find_bytes(v);
	if (b->unk_name.p) {
		b->unk = lm_strtab_get(&v->by_raw, v->raw, b->unk_name.p, b->unk_name.n);
		if (b->unk < 0)
			b->unk = LM_UNK_MISSING;
	}
	return find_joined(v, err);
}

/* ---- the symbols of a piece ----------------------------------------------------------------- */

/* Unknown characters in waiting: they may fuse. */
struct unknown {
	bool any;
	size_t off, len;
};

static bool
flush(struct lm_encoder *e, struct unknown *u)
{
	if (!u->any)
		return true;
	u->any = false;
	return lm_sym_add(e, (uint32_t)e->v->bpe.unk, u->off, u->len);
}

/*
 * A character that no token has: its bytes' tokens when all of them exist, else <unk>, else
 * nothing. spelt is what the vocabulary would call it, of which the bytes are taken.
 */
static bool
unknown_char(struct lm_encoder *e, const char *spelt, size_t n, size_t off, size_t len,
    struct unknown *u)
{
	const struct lm_bpe *b = &e->v->bpe;
	bool bytes = b->byte_fallback;

	for (size_t i = 0; bytes && i < n; i++)
		bytes = b->fallback[(unsigned char)spelt[i]] >= 0;
	if (bytes) {
		for (size_t i = 0; i < n; i++)
			if (!lm_sym_add(e, (uint32_t)b->fallback[(unsigned char)spelt[i]], off, 1))
				return false;
		return true;
	}
	if (b->unk == LM_UNK_NONE)
		return true;
	if (b->unk == LM_UNK_MISSING)
		return lm_fail(e->err, LM_EFORMAT,
		    "the tokenizer's <unk>, %.*s, is not in its vocabulary",
		    (int)(b->unk_name.n > 80 ? 80 : b->unk_name.n), b->unk_name.p);
	if (u->any && b->fuse_unk) {
		u->len += len;
		return true;
	}
	if (!flush(e, u))
		return false;
	*u = (struct unknown){ true, off, len };
	return true;
}

/* Symbols of a piece whose vocabulary spells bytes, one a byte. */
static bool
byte_symbols(struct lm_encoder *e, const char *s, size_t n)
{
	const struct lm_bpe *b = &e->v->bpe;
	struct unknown u = { 0 };
	char spelt[4];

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (b->byte_id[c] >= 0) {
			if (!flush(e, &u) || !lm_sym_add(e, (uint32_t)b->byte_id[c], i, 1))
				return false;
		} else if (!unknown_char(e, spelt, lm_utf8_put(lm_byte_char(c), spelt), i, 1, &u)) {
			return false;
		}
	}
	return flush(e, &u);
}

/* The name of a character: with the prefix and suffix that its place in the word asks for. */
static bool
affixed(struct lm_encoder *e, const char *s, size_t n, size_t at, size_t k, struct lm_buf *name)
{
	const struct lm_bpe *b = &e->v->bpe;

	name->len = 0;
	return (at == 0 || lm_buf_add(name, b->prefix.p, b->prefix.n, e->err)) &&
	    lm_buf_add(name, s + at, k, e->err) &&
	    (at + k < n || lm_buf_add(name, b->suffix.p, b->suffix.n, e->err));
}

/* Symbols of a piece, one a character; bytes that are no UTF-8 are characters of their own. */
static bool
char_symbols(struct lm_encoder *e, const char *s, size_t n)
{
	const struct lm_vocab *v = e->v;
	bool plain = v->bpe.prefix.n == 0 && v->bpe.suffix.n == 0, ok = true;
	struct lm_buf name = { 0 };
	struct unknown u = { 0 };

	for (size_t i = 0, k; ok && i < n; i += k) {
		struct lm_str c = { s + i, 0 };
		int64_t id;
		int32_t cp;

		k = c.n = lm_utf8_next(s + i, n - i, &cp);
		if (cp < 0)
			k = c.n = 1;
		if (!plain) {
			ok = affixed(e, s, n, i, k, &name);
			c = (struct lm_str){ name.p, name.len };
		}
		if (!ok)
			break;
		id = lm_strtab_get(&v->by_raw, v->raw, c.p, c.n);
		if (id >= 0 && v->flags[id] & LM_ID_NO_MERGE)
			id = -1;
		if (v->model == LM_MODEL_SPM)	/* may still be part of a token that is known */
			ok = lm_sym_add(e, id < 0 ? NONE : (uint32_t)id, i, k);
		else if (id >= 0)
			ok = flush(e, &u) && lm_sym_add(e, (uint32_t)id, i, k);
		else
			ok = unknown_char(e, c.p, c.n, i, k, &u);
	}
	lm_buf_free(&name);
	return ok && flush(e, &u);
}

/* ---- a piece -------------------------------------------------------------------------------- */

/* SentencePiece: symbols that are still no token become bytes or <unk>, rows of <unk> one. */
static bool
spm_emit(struct lm_encoder *e, const char *s)
{
	const struct lm_bpe *b = &e->v->bpe;
	bool was_unknown = false;

	for (size_t i = 0; i < e->n_sym; i++) {
		const struct lm_sym *y = &e->sym[i];
		bool bytes = b->has_bytes;

		if (y->id != NONE) {
			if (!lm_ids_add(e->out, y->id, e->err))
				return false;
		} else if (bytes) {
			for (uint32_t k = 0; k < y->len; k++)
				if (!lm_ids_add(e->out,
				    (uint32_t)b->fallback[(unsigned char)s[y->off + k]], e->err))
					return false;
		} else if (b->unk >= 0 && !was_unknown &&
		    !lm_ids_add(e->out, (uint32_t)b->unk, e->err)) {
			return false;
		}
		was_unknown = y->id == NONE && !bytes;
	}
	return true;
}

/* Appends the ids of a word without looking whether it was met before. */
static bool
encode_word(struct lm_encoder *e, const char *s, size_t n)
{
	e->n_sym = 0;
	if (!(e->v->byte_level ? byte_symbols(e, s, n) : char_symbols(e, s, n)) ||
	    !lm_merge_all(e, s))
		return false;
	if (e->v->model == LM_MODEL_SPM)
		return spm_emit(e, s);
	for (size_t i = 0; i < e->n_sym; i++)
		if (!lm_ids_add(e->out, e->sym[i].id, e->err))
			return false;
	return true;
}

/* The whole piece as one token, for vocabularies that prefer that to what the merges give. */
static bool
whole_piece(struct lm_encoder *e, const char *s, size_t n, bool *done)
{
	const struct lm_vocab *v = e->v;
	int64_t id;

	*done = false;
	if (!v->bpe.ignore_merges)
		return true;
	if (v->byte_level) {
		struct lm_buf *spelt = &e->tmp[0];

		spelt->len = 0;
		if (!lm_byte_level(s, n, spelt, e->err))
			return false;
		id = lm_strtab_get(&v->by_raw, v->raw, spelt->p, spelt->len);
	} else {
		id = lm_strtab_get(&v->by_raw, v->raw, s, n);
	}
	*done = id >= 0;
	return id < 0 || lm_ids_add(e->out, (uint32_t)id, e->err);
}

/* A word at e->text[off..off+n): its ids from when it was met before, else anew. */
static bool
remembered_word(struct lm_encoder *e, size_t off, size_t n, bool whole)
{
	const char *s = e->text.p + off;
	size_t from = e->out->n;
	struct lm_word *w = NULL;
	uint32_t hash = 0;
	bool done = false;

	if (e->words && n <= WORD_MAX) {
		hash = (uint32_t)lm_hash(s, n);
		w = &e->words[hash & (WORDS - 1)];
		if (w->len == n && w->hash == hash && memcmp(e->text.p + w->off, s, n) == 0) {
			for (uint32_t i = 0; i < w->n; i++)
				if (!lm_ids_add(e->out, e->out->v[w->ids + i], e->err))
					return false;
			return true;
		}
	}
	if ((whole && !whole_piece(e, s, n, &done)) || (!done && !encode_word(e, s, n)))
		return false;
	if (w && e->out->n < UINT32_MAX)
		*w = (struct lm_word){ hash, (uint32_t)off, (uint32_t)n, (uint32_t)from,
		    (uint32_t)(e->out->n - from) };
	return true;
}

bool
lm_bpe_encode(struct lm_encoder *e, size_t off, size_t n)
{
	const uint8_t *joined = e->v->bpe.joined;
	size_t from = off, end = off + n, at = off;
	unsigned first, last, was = 256;
	bool done;

	if (!e->words && n + e->text.len > WORDS / 8) {
		e->words = lm_zalloc(WORDS, sizeof(*e->words), e->err);
		if (!e->words)
			return false;
	}
	if (!joined)
		return remembered_word(e, off, n, true);
	if (!whole_piece(e, e->text.p + off, n, &done) || done)
		return done;
	for (; at < end; was = last) {
		size_t k = edges(e->text.p + at, end - at, &first, &last);

		if (was < 256 && !(joined[was * 32 + first / 8] >> first % 8 & 1)) {
			if (!remembered_word(e, from, at - from, false))
				return false;
			from = at;
		}
		at += k;
	}
	return from == end || remembered_word(e, from, end - from, false);
}

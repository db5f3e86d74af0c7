/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unigram.c - the unigram language model: of all ways to write a piece as tokens, the one with the
 * highest sum of scores.
 */
#include "config.h"

#include "src/vocab.h"

/* The best way to write what ends here. */
struct lm_unigram_node {
	double score;
	uint32_t from;			/* where its last token begins; UINT32_MAX: no way yet */
	uint32_t id;			/* UINT32_MAX: a character that no token has */
};

static const uint32_t NONE = UINT32_MAX;

/* A character that no token is costs that much more than the least likely token. */
static const double UNKNOWN_PENALTY = 10;

bool
lm_unigram_finish(struct lm_vocab *v, struct lm_err *err)
{
	double least = 0;
	bool any = false;

	for (uint32_t id = 0; id < v->n; id++) {
		if (!(v->flags[id] & LM_ID_MODEL) || v->flags[id] & LM_ID_NO_MERGE)
			continue;
		if (!lm_trie_put(&v->unigram.trie, v->raw[id].p, v->raw[id].n, (int32_t)id, err))
			return false;
		if (!any || v->unigram_score[id] < least)
			least = v->unigram_score[id];
		any = true;
	}
	v->unigram.unk_score = least - UNKNOWN_PENALTY;
	return true;
}

static bool
room(struct lm_encoder *e, size_t n)
{
	if (e->cap_nodes >= n)
		return true;
	if (!lm_resize(&e->nodes, n, sizeof(*e->nodes), e->err))
		return false;
	e->cap_nodes = n;
	return true;
}

static void
relax(struct lm_unigram_node *to, size_t from, double score, uint32_t id)
{
	if (to->from == NONE || score > to->score)
		*to = (struct lm_unigram_node){ score, (uint32_t)from, id };
}

/* Fills e->nodes: the best way to write every prefix of s[0..n). */
static void
search(struct lm_encoder *e, const char *s, size_t n)
{
	const struct lm_vocab *v = e->v;
	const struct lm_trie *t = &v->unigram.trie;
	struct lm_unigram_node *node = e->nodes;
	int32_t cp;

	for (size_t i = 0; i <= n; i++)
		node[i] = (struct lm_unigram_node){ 0, NONE, NONE };
	for (size_t i = 0, k; i < n; i += k) {
		double here = node[i].score;
		bool single = false;
		uint32_t at = 0;

		k = lm_utf8_next(s + i, n - i, &cp);
		if (cp < 0)
			k = 1;
		for (size_t j = i; j < n; j++) {
			at = lm_trie_step(t, at, (unsigned char)s[j]);
			if (!at)
				break;
			if (t->value[at] < 0)
				continue;
			relax(&node[j + 1], i, here + v->unigram_score[t->value[at]],
			    (uint32_t)t->value[at]);
			single |= j + 1 - i == k;
		}
		if (!single)
			relax(&node[i + k], i, here + v->unigram.unk_score, NONE);
	}
}

/* A stretch of characters that no token has: one token after all, bytes, or <unk>. */
static bool
emit_unknown(struct lm_encoder *e, const char *s, size_t n)
{
	const struct lm_vocab *v = e->v;
	int64_t id = lm_strtab_get(&v->by_raw, v->raw, s, n);
	bool bytes = v->unigram.byte_fallback;

	if (id >= 0)
		return lm_ids_add(e->out, (uint32_t)id, e->err);
	for (size_t i = 0; bytes && i < n; i++)
		bytes = v->bpe.fallback[(unsigned char)s[i]] >= 0;
	for (size_t i = 0; bytes && i < n; i++)
		if (!lm_ids_add(e->out, (uint32_t)v->bpe.fallback[(unsigned char)s[i]], e->err))
			return false;
	if (bytes)
		return true;
	if (v->unigram.unk < 0)
		return lm_fail(e->err, LM_EFORMAT,
		    "a character is not in the vocabulary, which has no unk_id");
	return lm_ids_add(e->out, (uint32_t)v->unigram.unk, e->err);
}

bool
lm_unigram_encode(struct lm_encoder *e, size_t off, size_t n)
{
	const struct lm_vocab *v = e->v;
	const char *s = e->text.p + off;
	struct lm_unigram_node *node;
	size_t prev = NONE;

	if (!room(e, n + 1))
		return false;
	search(e, s, n);
	/*
	 * Walk back turning the links round: from then says where the token that begins here ends.
	 */
	node = e->nodes;
	for (size_t end = n, begin; end > 0; prev = end, end = begin) {
		begin = node[end].from;
		node[end].from = (uint32_t)prev;
	}
	node[0].from = (uint32_t)prev;
	for (size_t at = 0, end; at < n; at = end) {
		end = node[at].from;
		/* Unknown characters in a row are one; <unk> written in the text counts as one. */
		if (node[end].id == NONE || node[end].id == v->unigram.unk) {
			while (end < n && (node[node[end].from].id == NONE ||
			    node[node[end].from].id == v->unigram.unk))
				end = node[end].from;
			if (!emit_unknown(e, s + at, end - at))
				return false;
		} else if (!lm_ids_add(e->out, node[end].id, e->err)) {
			return false;
		}
	}
	return true;
}

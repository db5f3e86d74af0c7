/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.c - joins neighbouring symbols, the best pair first, until no pair can be joined.
 *
 * It is the same for byte-pair encoding, where the best pair has the lowest rank among the merges,
 * and for SentencePiece, where it makes the token of the highest score; of equal pairs the leftmost
 * is first.  A word of a few characters is scanned again after each merge; longer pieces use a
 * heap, so that a text of n characters takes n log n steps.
 */
#include "config.h"

#include "src/vocab.h"

enum { SMALL = 24 };

static const uint32_t NONE = UINT32_MAX;

bool
lm_sym_add(struct lm_encoder *e, uint32_t id, size_t off, size_t len)
{
	if (e->n_sym == e->cap_sym) {
		size_t want = e->cap_sym ? e->cap_sym * 2 : 256;

		if (!lm_resize(&e->sym, want, sizeof(*e->sym), e->err))
			return false;
		e->cap_sym = want;
	}
	e->sym[e->n_sym++] = (struct lm_sym){ id, (uint32_t)off, (uint32_t)len, NONE, NONE };
	return true;
}

/* Whether a and the b after it can be joined; then how early (lower is earlier) and to what. */
static inline bool
joins(const struct lm_vocab *v, const char *piece, const struct lm_sym *a, const struct lm_sym *b,
    uint32_t *prio, uint32_t *id)
{
	const struct lm_pairtab_slot *m;
	uint32_t bits;
	int64_t got;

	if (v->model == LM_MODEL_BPE) {
		m = lm_pairtab_get(&v->bpe.merges, a->id, b->id);
		if (!m)
			return false;
		*prio = m->rank;
		*id = m->id;
		return true;
	}
	got = lm_strtab_get(&v->by_raw, v->raw, piece + a->off, (size_t)a->len + b->len);
	if (got < 0 || v->flags[got] & LM_ID_NO_MERGE)
		return false;
	/* Floats as integers in the same order, then turned round: the highest score is first. */
	memcpy(&bits, &v->score[got], sizeof(bits));
	bits = bits >> 31 ? ~bits : bits | 0x80000000u;
	*prio = ~bits;
	*id = (uint32_t)got;
	return true;
}

/* What the symbol at an index and the next would give. */
struct pair {
	uint32_t prio, id;		/* no join: prio is NONE, and so is id */
};

static inline struct pair
pair_at(struct lm_encoder *e, const char *piece, size_t i)
{
	struct pair p;

	if (!joins(e->v, piece, &e->sym[i], &e->sym[i + 1], &p.prio, &p.id))
		p.prio = p.id = NONE;
	return p;
}

/* Few symbols: keep what each pair would give, and scan for the best. */
static void
merge_small(struct lm_encoder *e, const char *piece)
{
	struct lm_sym *s = e->sym;
	struct pair pair[SMALL];
	size_t n = e->n_sym;

	for (size_t i = 0; i + 1 < n; i++)
		pair[i] = pair_at(e, piece, i);
	while (n > 1) {
		size_t best = 0;

		for (size_t i = 1; i + 1 < n; i++)
			if (pair[i].prio < pair[best].prio)
				best = i;
		if (pair[best].id == NONE)
			break;
		s[best].id = pair[best].id;
		s[best].len += s[best + 1].len;
		n--;
		for (size_t i = best + 1; i < n; i++)
			s[i] = s[i + 1];
		for (size_t i = best + 1; i + 1 < n; i++)
			pair[i] = pair[i + 1];
		if (best)
			pair[best - 1] = pair_at(e, piece, best - 1);
		if (best + 1 < n)
			pair[best] = pair_at(e, piece, best);
	}
	e->n_sym = n;
}

/* ---- many symbols ---------------------------------------------------------------------------- */

static void
sift_down(struct lm_merge *h, size_t n, size_t i)
{
	struct lm_merge m = h[i];

	for (size_t kid; (kid = 2 * i + 1) < n; i = kid) {
		if (kid + 1 < n && h[kid + 1].key < h[kid].key)
			kid++;
		if (h[kid].key >= m.key)
			break;
		h[i] = h[kid];
	}
	h[i] = m;
}

static bool
heap_room(struct lm_encoder *e, size_t more)
{
	size_t want;

	if (e->cap_heap - e->n_heap >= more)
		return true;
	want = e->cap_heap * 2 > e->n_heap + more ? e->cap_heap * 2 : e->n_heap + more;
	if (!lm_resize(&e->heap, want, sizeof(*e->heap), e->err))
		return false;
	e->cap_heap = want;
	return true;
}

static void
heap_push(struct lm_encoder *e, struct lm_merge m)
{
	struct lm_merge *h = e->heap;
	size_t i = e->n_heap++, up;

	for (; i && h[up = (i - 1) / 2].key > m.key; i = up)
		h[i] = h[up];
	h[i] = m;
}

/* What joining the symbol at i with the next would be; false when they do not join. */
static bool
candidate(struct lm_encoder *e, const char *piece, uint32_t i, struct lm_merge *m)
{
	const struct lm_sym *a = &e->sym[i], *b;
	uint32_t prio;

	if (a->next == NONE)
		return false;
	b = &e->sym[a->next];
	if (!joins(e->v, piece, a, b, &prio, &m->id))
		return false;
	m->key = (uint64_t)prio << 32 | i;
	m->len = a->len + b->len;
	return true;
}

/* Joins the symbol at i with the next, and puts what it may become part of into the heap. */
static bool
join(struct lm_encoder *e, const char *piece, uint32_t i, uint32_t id)
{
	struct lm_sym *s = e->sym, *a = &s[i], *b = &s[a->next];
	struct lm_merge m;

	a->id = id;
	a->len += b->len;
	a->next = b->next;
	b->len = 0;
	if (a->next != NONE)
		s[a->next].prev = i;
	if (!heap_room(e, 2))
		return false;
	if (a->prev != NONE && candidate(e, piece, a->prev, &m))
		heap_push(e, m);
	if (candidate(e, piece, i, &m))
		heap_push(e, m);
	return true;
}

static bool
merge_large(struct lm_encoder *e, const char *piece)
{
	struct lm_sym *s = e->sym;
	size_t n = e->n_sym, kept = 0;
	struct lm_merge m;

	for (size_t i = 0; i < n; i++) {
		s[i].prev = i ? (uint32_t)i - 1 : NONE;
		s[i].next = i + 1 < n ? (uint32_t)i + 1 : NONE;
	}
	e->n_heap = 0;
	if (!heap_room(e, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (candidate(e, piece, (uint32_t)i, &m))
			e->heap[e->n_heap++] = m;
	for (size_t i = e->n_heap / 2; i-- > 0;)
		sift_down(e->heap, e->n_heap, i);
	while (e->n_heap) {
		uint32_t at = (uint32_t)e->heap[0].key;

		m = e->heap[0];
		e->heap[0] = e->heap[--e->n_heap];
		sift_down(e->heap, e->n_heap, 0);
		/* Symbols only grow: a pair of the length it had is the pair it was. */
		if (s[at].len && s[at].next != NONE && s[at].len + s[s[at].next].len == m.len &&
		    !join(e, piece, at, m.id))
			return false;
	}
	for (uint32_t i = n ? 0 : NONE; i != NONE; i = s[i].next)
		s[kept++] = s[i];
	e->n_sym = kept;
	return true;
}

bool
lm_merge_all(struct lm_encoder *e, const char *piece)
{
	if (e->n_sym > SMALL)
		return merge_large(e, piece);
	merge_small(e, piece);
	return true;
}

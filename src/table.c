/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c - the hash tables of a vocabulary.  They are built once while it is opened.
 */
#include "config.h"

#include "src/table.h"

/* In a table five eighths full of keys that no one chose, runs stay far below this. */
enum { MAX_PROBES = 2000, FIRST_CAP = 64 };

static bool
too_many(struct lm_err *err)
{
	return lm_fail(err, LM_ELIMIT, "more than %d keys of a table collide", MAX_PROBES);
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t
lm_hash(const char *p, size_t n)
{
	const uint64_t k0 = UINT64_C(0xa0761d6478bd642f), k1 = UINT64_C(0xe7037ed1a0b428db);
	uint64_t h = n * k1, a, b;

	while (n > 16) {
		memcpy(&a, p, 8);
		memcpy(&b, p + 8, 8);
		h = mix(a ^ k0 ^ h, b ^ k1);
		p += 16, n -= 16;
	}
	a = b = 0;
	if (n >= 8) {
		memcpy(&a, p, 8);
		memcpy(&b, p + n - 8, 8);
	} else if (n >= 4) {
		uint32_t lo, hi;

		memcpy(&lo, p, 4);
		memcpy(&hi, p + n - 4, 4);
		a = lo, b = hi;
	} else if (n) {
		a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 |
		    (unsigned char)p[n - 1];
	}
	return mix(mix(a ^ k0 ^ h, b ^ k1), k0);
}

/* ---- strings --------------------------------------------------------------------------------- */

enum { HEAD = 7, LONG = 0xff };

/* Up to seven bytes, and the length on top; LONG there when there is more to compare. */
static uint64_t
key_head(const char *p, size_t n)
{
	uint64_t head = 0;

	if (n > HEAD) {
		memcpy(&head, p, 8);
		return head | (uint64_t)LONG << 56;
	}
	for (size_t i = 0; i < n; i++)
		head |= (uint64_t)(unsigned char)p[i] << 8 * i;
	return head | (uint64_t)n << 56;
}

static inline bool
same_key(const struct lm_strtab_slot *slot, const struct lm_str *keys, uint64_t head, uint32_t hash,
    const char *p, size_t n)
{
	const struct lm_str *k;

	if (slot->head != head || slot->hash != hash)
		return false;
	if (n <= HEAD)
		return true;
	k = &keys[slot->id1 - 1];
	return k->n == n && memcmp(k->p, p, n) == 0;
}

static bool
strtab_grow(struct lm_strtab *t, uint32_t cap, struct lm_err *err)
{
	struct lm_strtab_slot *slot = lm_zalloc(cap, sizeof(*slot), err);

	if (!slot)
		return false;
	for (uint32_t i = 0; i < t->cap; i++) {
		uint32_t at = t->slot[i].hash & (cap - 1);

		if (!t->slot[i].id1)
			continue;
		for (int probes = 0; slot[at].id1; at = (at + 1) & (cap - 1))
			if (++probes > MAX_PROBES) {
				lm_free(slot);
				return too_many(err);
			}
		slot[at] = t->slot[i];
	}
	lm_free(t->slot);
	t->slot = slot;
	t->cap = cap;
	return true;
}

bool
lm_strtab_reserve(struct lm_strtab *t, uint32_t n, struct lm_err *err)
{
	uint32_t cap = FIRST_CAP;

	while (cap / 8 * 5 < n && cap < 1u << 30)
		cap *= 2;
	return cap <= t->cap || strtab_grow(t, cap, err);
}

bool
lm_strtab_put(struct lm_strtab *t, const struct lm_str *keys, uint32_t id, bool replace,
    int64_t *old, struct lm_err *err)
{
	uint32_t hash = (uint32_t)lm_hash(keys[id].p, keys[id].n), i;
	uint64_t head = key_head(keys[id].p, keys[id].n);
	int probes = 0;

	*old = -1;
	if (t->n >= t->cap / 8 * 5 && !strtab_grow(t, t->cap ? t->cap * 2 : FIRST_CAP, err))
		return false;
	for (i = hash & (t->cap - 1); t->slot[i].id1; i = (i + 1) & (t->cap - 1)) {
		if (same_key(&t->slot[i], keys, head, hash, keys[id].p, keys[id].n)) {
			*old = t->slot[i].id1 - 1;
			if (replace)
				t->slot[i].id1 = id + 1;
			return true;
		}
		if (++probes > MAX_PROBES)
			return too_many(err);
	}
	t->slot[i] = (struct lm_strtab_slot){ head, hash, id + 1 };
	t->n++;
	return true;
}

void
lm_strtab_prefetch(const struct lm_strtab *t, const char *p, size_t n)
{
	if (t->cap)
		__builtin_prefetch(&t->slot[(uint32_t)lm_hash(p, n) & (t->cap - 1)]);
}

int64_t
lm_strtab_get(const struct lm_strtab *t, const struct lm_str *keys, const char *p, size_t n)
{
	uint32_t hash, i;
	uint64_t head;

	if (t->n == 0)
		return -1;
	hash = (uint32_t)lm_hash(p, n);
	head = key_head(p, n);
	for (i = hash & (t->cap - 1); t->slot[i].id1; i = (i + 1) & (t->cap - 1))
		if (same_key(&t->slot[i], keys, head, hash, p, n))
			return t->slot[i].id1 - 1;
	return -1;
}

void
lm_strtab_free(struct lm_strtab *t)
{
	lm_free(t->slot);
	*t = (struct lm_strtab){ 0 };
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static bool
pairtab_grow(struct lm_pairtab *t, uint32_t cap, struct lm_err *err)
{
	struct lm_pairtab_slot *slot = lm_alloc(cap, sizeof(*slot), err);

	if (!slot)
		return false;
	memset(slot, 0xff, cap * sizeof(*slot));
	for (uint32_t i = 0; i < t->cap; i++) {
		uint32_t at = (uint32_t)lm_pair_hash(t->slot[i].key) & (cap - 1);

		if (t->slot[i].key == UINT64_MAX)
			continue;
		for (int probes = 0; slot[at].key != UINT64_MAX; at = (at + 1) & (cap - 1))
			if (++probes > MAX_PROBES) {
				lm_free(slot);
				return too_many(err);
			}
		slot[at] = t->slot[i];
	}
	lm_free(t->slot);
	t->slot = slot;
	t->cap = cap;
	return true;
}

bool
lm_pairtab_reserve(struct lm_pairtab *t, uint32_t n, struct lm_err *err)
{
	uint32_t cap = FIRST_CAP;

	while (cap / 8 * 5 < n && cap < 1u << 30)
		cap *= 2;
	return cap <= t->cap || pairtab_grow(t, cap, err);
}

bool
lm_pairtab_put(struct lm_pairtab *t, uint32_t left, uint32_t right, uint32_t rank, uint32_t id,
    struct lm_err *err)
{
	uint64_t key = (uint64_t)left << 32 | right;
	int probes = 0;
	uint32_t i;

	if (t->n >= t->cap / 8 * 5 && !pairtab_grow(t, t->cap ? t->cap * 2 : FIRST_CAP, err))
		return false;
	i = (uint32_t)lm_pair_hash(key) & (t->cap - 1);
	while (t->slot[i].key != UINT64_MAX && t->slot[i].key != key) {
		if (++probes > MAX_PROBES)
			return too_many(err);
		i = (i + 1) & (t->cap - 1);
	}
	t->n += t->slot[i].key != key;
	t->slot[i] = (struct lm_pairtab_slot){ key, rank, id };
	return true;
}

void
lm_pairtab_free(struct lm_pairtab *t)
{
	lm_free(t->slot);
	*t = (struct lm_pairtab){ 0 };
}

/* ---- prefixes -------------------------------------------------------------------------------- */

static bool
trie_grow(struct lm_trie *t, struct lm_err *err)
{
	uint32_t cap = t->cap ? t->cap * 2 : FIRST_CAP;
	struct lm_trie_slot *slot = lm_alloc(cap, sizeof(*slot), err);

	if (!slot)
		return false;
	memset(slot, 0xff, cap * sizeof(*slot));
	for (uint32_t i = 0; i < t->cap; i++) {
		uint32_t at = (uint32_t)lm_pair_hash(t->slot[i].key) & (cap - 1);

		if (t->slot[i].key == UINT64_MAX)
			continue;
		for (int probes = 0; slot[at].key != UINT64_MAX; at = (at + 1) & (cap - 1))
			if (++probes > MAX_PROBES) {
				lm_free(slot);
				return too_many(err);
			}
		slot[at] = t->slot[i];
	}
	lm_free(t->slot);
	t->slot = slot;
	t->cap = cap;
	return true;
}

static bool
add_child(struct lm_trie *t, uint32_t node, unsigned char byte, uint32_t *child, struct lm_err *err)
{
	uint64_t key = (uint64_t)node << 8 | byte;
	int probes = 0;
	uint32_t i;

	if (t->n >= t->cap / 2 && !trie_grow(t, err))
		return false;
	if (t->n + 2 > t->value_cap) {
		size_t want = t->value_cap ? t->value_cap * 2 : FIRST_CAP;

		if (!lm_resize(&t->value, want, sizeof(*t->value), err))
			return false;
		t->value_cap = want;
	}
	i = (uint32_t)lm_pair_hash(key) & (t->cap - 1);
	for (; t->slot[i].key != UINT64_MAX; i = (i + 1) & (t->cap - 1))
		if (++probes > MAX_PROBES)
			return too_many(err);
	*child = ++t->n;
	t->slot[i] = (struct lm_trie_slot){ key, *child };
	t->value[0] = -1;
	t->value[*child] = -1;
	if (node == 0)
		t->root[byte] = *child;
	return true;
}

bool
lm_trie_put(struct lm_trie *t, const char *p, size_t n, int32_t value, struct lm_err *err)
{
	uint32_t node = 0, child;

	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		child = lm_trie_step(t, node, (unsigned char)p[i]);
		if (!child && !add_child(t, node, (unsigned char)p[i], &child, err))
			return false;
		node = child;
	}
	t->value[node] = value;
	return true;
}

void
lm_trie_free(struct lm_trie *t)
{
	lm_free(t->slot);
	lm_free(t->value);
	*t = (struct lm_trie){ 0 };
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - the hash tables of a vocabulary: string to id, pair of ids to merge, prefix to node.
 *
 * All are open addressing with linear probing and only ever grow.  A run of probes has a limit, so
 * that keys chosen to collide are an error (LM_ELIMIT) rather than a program that does not end.
 */
#ifndef LM_TABLE_H
#define LM_TABLE_H

#include "src/arena.h"

uint64_t lm_hash(const char *p, size_t n);

/* ---- strings --------------------------------------------------------------------------------- */

/* Maps keys[id] to id; keys is an array that the caller owns and passes to every call. */
struct lm_strtab {
	struct lm_strtab_slot {
		uint64_t head;		/* the key's first bytes; all of a short one */
		uint32_t hash;
		uint32_t id1;		/* id + 1; 0 is empty */
	} *slot;
	uint32_t cap, n;		/* cap is a power of two, or 0 */
};

/*
 * Adds keys[id].  When an equal key is there already *old is set to its id, else to -1; with
 * replace the table then gives id instead.
 */
bool lm_strtab_put(struct lm_strtab *t, const struct lm_str *keys, uint32_t id, bool replace,
    int64_t *old, struct lm_err *err);
/* Makes room for n keys, so that the table need not grow on the way. */
bool lm_strtab_reserve(struct lm_strtab *t, uint32_t n, struct lm_err *err);
/* Asks the processor for what lm_strtab_get of that key will read. */
void lm_strtab_prefetch(const struct lm_strtab *t, const char *p, size_t n);
/* -1 when there is none. */
int64_t lm_strtab_get(const struct lm_strtab *t, const struct lm_str *keys, const char *p,
    size_t n);
void lm_strtab_free(struct lm_strtab *t);

/* ---- pairs ----------------------------------------------------------------------------------- */

/* Maps a pair of ids to the rank of their merge and the id that it makes. */
struct lm_pairtab {
	struct lm_pairtab_slot {
		uint64_t key;		/* left << 32 | right; all ones is empty */
		uint32_t rank, id;
	} *slot;
	uint32_t cap, n;
};

/* The last of several with the same pair counts. */
bool lm_pairtab_put(struct lm_pairtab *t, uint32_t left, uint32_t right, uint32_t rank, uint32_t id,
    struct lm_err *err);
/* Makes room for n pairs, so that the table need not grow on the way. */
bool lm_pairtab_reserve(struct lm_pairtab *t, uint32_t n, struct lm_err *err);
void lm_pairtab_free(struct lm_pairtab *t);

static inline uint64_t
lm_pair_hash(uint64_t key)
{
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return key ^ key >> 32;
}

static inline void
lm_pairtab_prefetch(const struct lm_pairtab *t, uint32_t left, uint32_t right)
{
	if (t->cap)
		__builtin_prefetch(&t->slot[(uint32_t)lm_pair_hash((uint64_t)left << 32 | right) &
		    (t->cap - 1)]);
}

/* NULL when there is none. */
static inline const struct lm_pairtab_slot *
lm_pairtab_get(const struct lm_pairtab *t, uint32_t left, uint32_t right)
{
	uint64_t key = (uint64_t)left << 32 | right;
	uint32_t i;

	if (t->n == 0)
		return NULL;
	for (i = (uint32_t)lm_pair_hash(key) & (t->cap - 1);; i = (i + 1) & (t->cap - 1)) {
		if (t->slot[i].key == key)
			return &t->slot[i];
		if (t->slot[i].key == UINT64_MAX)
			return NULL;
	}
}

/* ---- prefixes -------------------------------------------------------------------------------- */

/* A trie over bytes.  Node 0 is the root; lm_trie_step gives 0 where there is no such child. */
struct lm_trie {
	struct lm_trie_slot {
		uint64_t key;		/* node << 8 | byte; all ones is empty */
		uint32_t child;
	} *slot;
	uint32_t cap, n;		/* n children, so n + 1 nodes */
	int32_t *value;			/* of every node, -1 where no string ends */
	size_t value_cap;
	uint32_t root[256];		/* children of the root */
};

/* value replaces one given before; 0 or more. */
bool lm_trie_put(struct lm_trie *t, const char *p, size_t n, int32_t value, struct lm_err *err);
void lm_trie_free(struct lm_trie *t);

static inline uint32_t
lm_trie_step(const struct lm_trie *t, uint32_t node, unsigned char byte)
{
	uint64_t key = (uint64_t)node << 8 | byte;
	uint32_t i;

	if (node == 0)
		return t->root[byte];
	for (i = (uint32_t)lm_pair_hash(key) & (t->cap - 1);; i = (i + 1) & (t->cap - 1)) {
		if (t->slot[i].key == key)
			return t->slot[i].child;
		if (t->slot[i].key == UINT64_MAX)
			return 0;
	}
}

#endif

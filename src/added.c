/* SPDX-License-Identifier: Apache-2.0 */
/*
 * added.c - tokens that are cut out of a text before it is tokenized, such as <|endoftext|>.
 *
 * They follow the tokenizers library of Hugging Face: those that are not `normalized` are looked
 * for in the text as it is, the others in each normalized rest; the leftmost match counts, and the
 * longest of those; one that fails the test for single words is passed over as a whole.
 */
#include "config.h"

#include "src/vocab.h"

int64_t
lm_added_find(const struct lm_vocab *v, struct lm_str content)
{
	uint32_t node = 0;

	if (v->added.n == 0 || content.n == 0)
		return -1;
	for (size_t i = 0; i < content.n; i++) {
		node = lm_trie_step(&v->added.names, node, (unsigned char)content.p[i]);
		if (!node)
			return -1;
	}
	return v->added.names.value[node];
}

/*
 * The file states an id for each added token, but the library gives out ids by itself: that of the
 * model's token of the same name, else the next free one.  The two agree in any file that it wrote;
 * where they do not, it is the library's that the model was trained with.
 */
bool
lm_added_put(struct lm_vocab *v, struct lm_added_token t, struct lm_err *err)
{
	struct lm_added_token *had = NULL;
	int64_t known, at;
	uint64_t id;

	if (t.content.n == 0)
		return true;
	if (t.content.n > LM_MAX_ADDED_LEN)
		return lm_fail(err, LM_ELIMIT, "an added token of %zu bytes, at most %d wanted",
		    t.content.n, LM_MAX_ADDED_LEN);
	at = lm_added_find(v, t.content);
	if (at >= 0)
		had = &v->added.v[at];
	known = lm_strtab_get(&v->by_raw, v->raw, t.content.p, t.content.n);
	if (v->added.next < v->n_model)
		v->added.next = v->n_model;
	id = had ? had->id : known >= 0 ? (uint64_t)known : v->added.next;
	if (!lm_vocab_grow(v, id, err))
		return false;
	t.id = (uint32_t)id;
	if (had) {
		t.special |= had->special;
		*had = t;
	} else {
		if (v->added.n == v->added.cap) {
			size_t want = v->added.cap ? v->added.cap * 2 : 16;

			if (!lm_resize(&v->added.v, want, sizeof(*v->added.v), err))
				return false;
			v->added.cap = want;
		}
		if (!lm_trie_put(&v->added.names, t.content.p, t.content.n, (int32_t)v->added.n,
		    err))
			return false;
		v->added.v[v->added.n++] = t;
		if (id >= v->added.next)
			v->added.next = id + 1;
	}
	v->raw[id] = t.content;
	v->flags[id] |= LM_ID_USED | (t.special ? LM_ID_SPECIAL : 0);
	return true;
}

/*
 * Puts a token's content, normalized, into the trie of those that are looked for there.  In the
 * library the normalized content is what such a token decodes to, and what decides whether it is
 * special then.
 */
static bool
put_normalized(struct lm_vocab *v, struct lm_encoder *e, int32_t index)
{
	struct lm_added_token *t = &v->added.v[index];
	bool head;

	e->text.len = 0;
	if (!lm_normalize(e, t->content.p, t->content.n, &head) ||
	    !lm_trie_put(&v->added.norm, e->text.p, e->text.len, index, e->err))
		return false;
	if (e->text.len == t->content.n && memcmp(e->text.p, t->content.p, t->content.n) == 0)
		return true;
	v->flags[t->id] |= LM_ID_SHOWN;
	return lm_arena_copy(&v->arena, e->text.p ? e->text.p : "", e->text.len, &t->shown, e->err);
}

struct lm_str
lm_added_shown(const struct lm_vocab *v, uint32_t id, bool *special)
{
	const struct lm_added_token *t = NULL;
	int64_t other;

	*special = v->flags[id] & LM_ID_SPECIAL;
	for (size_t i = 0; v->flags[id] & LM_ID_SHOWN && i < v->added.n && !t; i++)
		if (v->added.v[i].id == id)
			t = &v->added.v[i];
	if (!t)
		return v->raw[id];
	other = lm_added_find(v, t->shown);
	*special = other >= 0 && v->added.v[other].special;
	return t->shown;
}

bool
lm_added_finish(struct lm_vocab *v, struct lm_err *err)
{
	struct lm_encoder e = { .v = v, .err = err };
	bool ok = true;

	/* Of tokens that become equal when normalized a special one counts, else the last. */
	for (int special = 0; special < 2; special++)
		for (size_t i = 0; ok && i < v->added.n; i++) {
			const struct lm_added_token *t = &v->added.v[i];

			if (t->special != special)
				continue;
			ok = t->normalized ? put_normalized(v, &e, (int32_t)i) :
			    lm_trie_put(&v->added.raw, t->content.p, t->content.n, (int32_t)i, err);
		}
	lm_scan_fini(&e.scan);
	lm_spans_free(&e.cuts);
	lm_buf_free(&e.text);
	lm_buf_free(&e.tmp[0]);
	lm_buf_free(&e.tmp[1]);
	return ok;
}

/* ---- cutting a text ------------------------------------------------------------------------- */

/* The character that ends at s[end), -1 when there is none. */
static int32_t
char_before(const char *s, size_t end, size_t *len)
{
	size_t k = 1;
	int32_t cp = -1;

	*len = 1;
	if (end == 0)
		return -1;
	while (k < 4 && k < end && ((unsigned char)s[end - k] & 0xc0) == 0x80)
		k++;
	if (lm_utf8_next(s + end - k, k, &cp) == k && cp >= 0)
		*len = k;
	else
		cp = -1;
	return cp;
}

static int32_t
char_after(const char *s, size_t at, size_t n, size_t *len)
{
	int32_t cp = -1;

	*len = at < n ? lm_utf8_next(s + at, n - at, &cp) : 0;
	return cp;
}

/* The longest token at s[0..n): its length and index in v->added; 0 when there is none. */
static size_t
longest(const struct lm_trie *trie, const char *s, size_t n, int32_t *index)
{
	uint32_t node = 0;
	size_t best = 0;

	for (size_t i = 0; i < n; i++) {
		node = lm_trie_step(trie, node, (unsigned char)s[i]);
		if (!node)
			break;
		if (trie->value[node] >= 0) {
			*index = trie->value[node];
			best = i + 1;
		}
	}
	return best;
}

static bool
is_single(const char *s, size_t start, size_t stop, size_t n)
{
	size_t len;

	return !lm_char_word(char_before(s, start, &len)) &&
	    !lm_char_word(char_after(s, stop, n, &len));
}

bool
lm_added_split(const struct lm_vocab *v, const struct lm_trie *trie, const char *text, size_t off,
    size_t n, struct lm_spans *out, struct lm_err *err)
{
	const char *s = text + off;
	size_t done = 0, start, stop, len, i = 0;
	int32_t index = 0;

	while (trie->n && i < n) {
		const struct lm_added_token *t;

		len = trie->root[(unsigned char)s[i]] ? longest(trie, s + i, n - i, &index) : 0;
		if (len == 0) {
			i++;
			continue;
		}
		t = &v->added.v[index];
		start = i;
		stop = i = i + len;
		if (t->single_word && !is_single(s, start, stop, n))
			continue;
		while (t->lstrip && start > done && lm_char_space(char_before(s, start, &len)))
			start -= len;
		if (start < done)
			start = done;
		while (t->rstrip && stop < n && lm_char_space(char_after(s, stop, n, &len)))
			stop += len;
		if (done < start && !lm_spans_add(out, off + done, start - done, 0, err))
			return false;
		if (!lm_spans_add(out, off + start, stop - start, (uint32_t)index + 1, err))
			return false;
		done = stop;
	}
	return done >= n || lm_spans_add(out, off + done, n - done, 0, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vocab.c - real tokenizers against the ids and texts that other implementations give, and
 * what a vocabulary answers about its tokens.
 *
 * The tokenizers are not part of the project: the tests are skipped where they are not to be found.
 */
#include "config.h"

#include "tests/tok.h"
#include "tests/cases.h"

#include <pthread.h>

/* A vocabulary, a file of cases for it, and the first id that the cases know nothing of. */
struct source {
	const char *vocab, *cases;
	uint32_t ids;
};

static lm_vocab *
open_shared(const char *name)
{
	const char *path = shared_path(name);
	struct lm_err err = { 0 };
	lm_vocab *v;

	if (!path)
		skip();
	if (!lm_vocab_open(&v, path, &err))
		fail_msg("%s", err.msg);
	return v;
}

/* ---- cases ---------------------------------------------------------------------------------- */

static bool
same_ids(const struct lm_ids *a, const struct lm_ids *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

static bool
same_text(const struct lm_buf *a, struct lm_str b)
{
	return a->len == b.n && (b.n == 0 || memcmp(a->p, b.p, b.n) == 0);
}

static bool
encodes(const lm_vocab *v, const struct tok_case *c, struct lm_err *err)
{
	struct lm_ids ids = { 0 }, special = { 0 };
	bool ok = lm_vocab_encode(v, c->text.p, c->text.n, false, &ids, err) &&
	    lm_vocab_encode(v, c->text.p, c->text.n, true, &special, err) &&
	    same_ids(&ids, &c->ids) && same_ids(&special, &c->ids_special);

	lm_ids_free(&ids);
	lm_ids_free(&special);
	return ok;
}

static bool
decodes(const lm_vocab *v, const struct tok_case *c, bool special, struct lm_str want,
    struct lm_err *err)
{
	struct lm_buf text = { 0 }, bytes = { 0 };
	bool ok = lm_vocab_decode(v, c->ids.v, c->ids.n, special, &bytes, &text, err) &&
	    same_text(&text, want) && lm_utf8_valid(text.p ? text.p : "", text.len);

	/* Where the bytes are a text, they are that text. */
	if (ok && lm_utf8_valid(bytes.p ? bytes.p : "", bytes.len) && !memmem(want.p, want.n,
	    "\xef\xbf\xbd", 3))
		ok = same_text(&bytes, want);
	lm_buf_free(&text);
	lm_buf_free(&bytes);
	return ok;
}

static bool
knows(const struct tok_case *c, uint32_t ids)
{
	for (size_t i = 0; i < c->ids.n; i++)
		if (c->ids.v[i] >= ids)
			return false;
	return true;
}

static void
test_cases(void **state)
{
	const struct source *src = *state;
	bool decode_only = strstr(src->cases, "decode_cases") != NULL;
	struct tok_cases cs = { 0 };
	struct lm_err err = { 0 };
	struct tok_case c = { 0 };
	lm_vocab *v = open_shared(src->vocab);
	int bad = 0, done = 0;

	assert_true(lm_map_open(&cs.map, shared_path(src->cases), &err));
	while (cases_next(&cs, &c, &err)) {
		if (!knows(&c, src->ids))
			continue;
		done++;
		if ((!decode_only && !encodes(v, &c, &err)) || !decodes(v, &c, true, c.decoded,
		    &err) ||
		    (c.has_decoded_skip && !decodes(v, &c, false, c.decoded_skip, &err))) {
			bad++;
			print_message("%s line %d: %.*s %s\n", src->cases, cs.line, (int)c.text.n,
			    c.text.p,
			    err.code ? err.msg : "");
		}
	}
	assert_int_equal(err.code, LM_OK);
	assert_true(done > 0);
	assert_int_equal(bad, 0);
	cases_close(&cs, &c);
	lm_vocab_close(v);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void
assert_piece(const lm_vocab *v, uint32_t id, const char *want)
{
	size_t n;
	const char *p = lm_vocab_piece(v, id, &n);
	uint32_t back;

	assert_non_null(p);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(p, want, n);
	assert_true(lm_vocab_find(v, p, n, &back));
	assert_int_equal(back, id);
}

static void
test_answers_gpt2(void **state)
{
	lm_vocab *v = open_shared("tokenizers/gpt2");
	uint32_t id;
	size_t n;

	(void)state;
	assert_int_equal(lm_vocab_size(v), 50257);
	assert_piece(v, 3290, " dog");
	assert_piece(v, 198, "\n");
	assert_piece(v, 50256, "<|endoftext|>");
	assert_true(lm_vocab_is_special(v, 50256));
	assert_false(lm_vocab_is_special(v, 3290));
	assert_false(lm_vocab_is_special(v, 50257));
	assert_null(lm_vocab_piece(v, 50257, &n));
	assert_false(lm_vocab_find(v, "no such token", 13, &id));
	/* A token that is no UTF-8 by itself: the byte 0xff. */
	assert_true(lm_vocab_find(v, "\xff", 1, &id));
	assert_int_equal(lm_vocab_role(v, LM_BOS), 50256);
	assert_int_equal(lm_vocab_role(v, LM_EOS), 50256);
	assert_int_equal(lm_vocab_role(v, LM_PAD), -1);
	assert_null(lm_vocab_chat_template(v, NULL, &n));
	lm_vocab_close(v);
}

static void
test_answers_llama2(void **state)
{
	lm_vocab *v = open_shared("tokenizers/llama2");
	const char *chat;
	size_t n;

	(void)state;
	assert_piece(v, 11203, " dog");
	assert_piece(v, 13, "\n");		/* <0x0A> */
	assert_piece(v, 1, "<s>");
	assert_true(lm_vocab_is_special(v, 1));
	assert_int_equal(lm_vocab_role(v, LM_BOS), 1);
	assert_int_equal(lm_vocab_role(v, LM_PAD), 2);
	chat = lm_vocab_chat_template(v, NULL, &n);
	assert_non_null(chat);
	assert_non_null(memmem(chat, n, "<|user|>", 8));
	assert_null(lm_vocab_chat_template(v, "tool_use", &n));
	lm_vocab_close(v);
}

static void
test_answers_gguf(void **state)
{
	lm_vocab *v = open_shared("tokenizers/llama2/phi-3-vocab.gguf");
	size_t n;

	(void)state;
	assert_int_equal(lm_vocab_size(v), 32064);
	assert_piece(v, 11203, " dog");
	assert_int_equal(lm_vocab_role(v, LM_EOS), 32000);
	assert_non_null(lm_vocab_chat_template(v, "default", &n));
	lm_vocab_close(v);
}

/* Every byte sequence goes through byte-level and byte-fallback vocabularies and comes back. */
static void
test_any_bytes(void **state)
{
	static const char *const names[] = { "tokenizers/gpt2", "tokenizers/llama3",
		"tokenizers/llama2", "models/stories260K.gguf" };
	struct lm_err err = { 0 };
	unsigned seed = 1;

	(void)state;
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		lm_vocab *v = open_shared(names[k]);

		for (int round = 0; round < 300; round++) {
			struct lm_ids ids = { 0 };
			struct lm_buf bytes = { 0 };
			char text[64];
			size_t n = (size_t)round % sizeof(text);

			for (size_t i = 0; i < n; i++) {
				seed = seed * 1664525u + 1013904223u;
				/* Half of them printable, so that words and bad bytes meet. */
				text[i] = (char)(seed >> 31 ? seed >> 16 & 255 :
				    32 + (seed >> 16) % 95);
			}
			if (n > 1 && text[0] == ' ')
				text[0] = 'x';
			assert_true(lm_vocab_encode(v, text, n, false, &ids, &err));
			assert_true(lm_vocab_decode(v, ids.v, ids.n, true, &bytes, NULL, &err));
			assert_int_equal(bytes.len, n);
			if (n)
				assert_memory_equal(bytes.p, text, n);
			lm_ids_free(&ids);
			lm_buf_free(&bytes);
		}
		lm_vocab_close(v);
	}
}

/* A long text without any blank is not split, and must not take the square of its length. */
static void
test_unsplit(void **state)
{
	static const char *const names[] = { "tokenizers/llama2", "tokenizers/gpt2" };
	enum { N = 300000 };
	static char text[N];
	struct lm_err err = { 0 };

	(void)state;
	for (int k = 0; k < N; k++)
		text[k] = "abracadabra"[(k * 7 + k / 11) % 11];
	for (size_t k = 0; k < 2; k++) {
		lm_vocab *v = open_shared(names[k]);
		struct lm_ids ids = { 0 };
		struct lm_buf back = { 0 };

		assert_true(lm_vocab_encode(v, text, N, false, &ids, &err));
		assert_true(lm_vocab_decode(v, ids.v, ids.n, true, &back, NULL, &err));
		assert_int_equal(back.len, N);
		assert_memory_equal(back.p, text, N);
		lm_ids_free(&ids);
		lm_buf_free(&back);
		lm_vocab_close(v);
	}
}

/*
 * What a text gives does not depend on what stands far from it: words met before, cuts, the heap.
 */
static void
test_long_as_short(void **state)
{
	static const char *const names[] = { "tokenizers/llama2", "tokenizers/gpt_neox",
		"tokenizers/qwen2" };
	static const char line[] = "The  quick brown f\xc3\xb6x, \xe4\xb8\xad\xe6\x96\x87 123 "
	    "<x>\tend.\n";
	struct lm_err err = { 0 };

	(void)state;
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		lm_vocab *v = open_shared(names[k]);
		struct lm_ids one = { 0 }, many = { 0 };
		struct lm_buf text = { 0 };

		for (int i = 0; i < 400; i++)
			assert_true(lm_buf_str(&text, line, &err));
		assert_true(lm_vocab_encode(v, line, sizeof(line) - 1, false, &one, &err));
		assert_true(lm_vocab_encode(v, text.p, text.len, false, &many, &err));
		/*
		 * Lines end in a newline before a letter, which nothing joins; only the first of
		 * Llama's has a blank before it.
		 */
		assert_int_equal((many.n - one.n) % 399, 0);
		for (size_t i = one.n; i < many.n; i++)
			assert_int_equal(many.v[i], many.v[many.n - (many.n - one.n) / 399 +
			    (i - one.n) % ((many.n - one.n) / 399)]);
		lm_ids_free(&one);
		lm_ids_free(&many);
		lm_buf_free(&text);
		lm_vocab_close(v);
	}
}

struct job {
	const lm_vocab *v;
	const struct lm_ids *want;
	int bad;
};

static const char shared_text[] = "Two threads, one vocabulary: l'\xc3\xa9t\xc3\xa9 123 "
    "\xf0\x9f\x98\x80";

static void *
encode_often(void *arg)
{
	struct job *job = arg;

	for (int i = 0; i < 300; i++) {
		struct lm_ids ids = { 0 };

		job->bad += !lm_vocab_encode(job->v, shared_text, sizeof(shared_text) - 1, true,
		    &ids, NULL) ||
		    !same_ids(&ids, job->want);
		lm_ids_free(&ids);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	lm_vocab *v = open_shared("tokenizers/qwen2");
	struct lm_ids want = { 0 };
	struct job job[3];
	pthread_t thread[3];

	(void)state;
	assert_true(lm_vocab_encode(v, shared_text, sizeof(shared_text) - 1, true, &want, NULL));
	for (int i = 0; i < 3; i++) {
		job[i] = (struct job){ v, &want, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, encode_often, &job[i]), 0);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(job[i].bad, 0);
	}
	lm_ids_free(&want);
	lm_vocab_close(v);
}

/* ---- all of them ---------------------------------------------------------------------------- */

#define ALL UINT32_MAX
#define CASES(vocab, folder, file, ids) \
	{ vocab " " file, test_cases, NULL, NULL, \
	    &(struct source){ vocab, "tokenizers/" folder "/" file, ids } }
#define FOLDER(name) \
	CASES("tokenizers/" name, name, "cases.jsonl", ALL), \
	CASES("tokenizers/" name, name, "decode_cases.jsonl", ALL)
#define REFERENCE(name) CASES("tokenizers/" name, name, "cases_reference_only.jsonl", ALL)
#define GGUF(path, name, ids) \
	CASES(path, name, "cases.jsonl", ids), CASES(path, name, "decode_cases.jsonl", ids)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER("gpt2"), REFERENCE("gpt2"),
		FOLDER("gpt2_digits"), REFERENCE("gpt2_digits"),
		FOLDER("gpt_neox"), REFERENCE("gpt_neox"),
		FOLDER("llama3"),
		FOLDER("qwen2"),
		FOLDER("llama2"),
		FOLDER("llama2_metaspace"),
		FOLDER("stories260k"),
		GGUF("tokenizers/gpt2/vocab.gguf", "gpt2", ALL),
		GGUF("tokenizers/llama2/phi-3-vocab.gguf", "llama2", 32000),
		GGUF("models/stories260K.gguf", "stories260k", ALL),
		cmocka_unit_test(test_answers_gpt2),
		cmocka_unit_test(test_answers_llama2),
		cmocka_unit_test(test_answers_gguf),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_unsplit),
		cmocka_unit_test(test_long_as_short),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

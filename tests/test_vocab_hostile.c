/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vocab_hostile.c - tokenizers that were cut, changed or made to harm, and memory that runs
 * out: an error or a sound result, each time.  Worth most in a build with sanitizers.
 */
#include "config.h"

#include "tests/tok.h"

#include <time.h>

/* A tokenizer that uses much of the format, and little space. */
static const char json[] =
    "{\"version\":\"1.0\",\"truncation\":null,\"added_tokens\":[{\"id\":9,\"content\":\"<s>\","
    "\"special\":true},"
    "{\"id\":10,\"content\":\"Q\",\"normalized\":true,\"lstrip\":true}],\"normalizer\":{\"type\":\""
    "Sequence\","
    "\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Lowercase\"},{\"type\":\"Replace\","
    "\"pattern\":{\"String\":"
    "\" \"},\"content\":\"\\u2581\"}]},\"pre_tokenizer\":{\"type\":\"Split\","
    "\"pattern\":{\"Regex\":\"\\\\s*[a-c&&"
    "[^x]]{1,3}+|.\"},\"behavior\":\"Isolated\",\"invert\":false},\"post_processor\":{\"type\":"
    "\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},"
    "{\"Sequence\":{\"id\":"
    "\"A\",\"type_id\":0}}],\"special_tokens\":{\"<s>\":{\"id\":\"<s>\",\"ids\":[9],"
    "\"tokens\":[\"<s>\"]}}},"
    "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\","
    "\"pattern\":{\"String\":\"\\u2581\"},"
    "\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]},\"model\":{\"type\":\"BPE"
    "\",\"unk_token\":"
    "\"u\",\"fuse_unk\":true,\"byte_fallback\":true,\"vocab\":{\"u\":0,\"a\":1,\"b\":2,\"c\":3,"
    "\"ab\":4,\"abc\":5,"
    "\"\\u2581\":6,\"<0xC3>\":7,\"<0xA9>\":8},\"merges\":[\"a b\",[\"ab\",\"c\"]]}}";

static const char config[] = "{\"bos_token\":\"<s>\",\"chat_template\":[{\"name\":\"default\","
    "\"template\":\"\\u00e9\"}]}";

static const char sample[] = "abc <s> Ab q\xc3\xa9 e\xcc\x81\xff \0zz";

/* Uses all of an open vocabulary; err is filled when something fails. */
static bool
use(const lm_vocab *v, struct lm_err *err)
{
	struct lm_buf bytes = { 0 }, text = { 0 };
	struct lm_ids ids = { 0 };
	uint32_t found;
	bool ok;
	size_t n;

	ok = lm_vocab_encode(v, sample, sizeof(sample) - 1, true, &ids, err) &&
	    lm_vocab_decode(v, ids.v, ids.n, true, &bytes, &text, err) &&
	    lm_vocab_decode(v, ids.v, ids.n, false, NULL, &text, err);
	if (ok)
		assert_true(lm_utf8_valid(text.p ? text.p : "", text.len));
	for (uint32_t id = 0; id < lm_vocab_size(v) && id < 5000; id++) {
		const char *p = lm_vocab_piece(v, id, &n);

		if (p)
			assert_true(lm_vocab_find(v, p, n, &found));
	}
	lm_vocab_chat_template(v, NULL, &n);
	lm_ids_free(&ids);
	lm_buf_free(&bytes);
	lm_buf_free(&text);
	return ok;
}

/* Opens and uses what lies there; true when both went well.  A failure must say so. */
static bool
try(const char *path)
{
	struct lm_err err = { 0 };
	lm_vocab *v;
	bool ok;

	if (!lm_vocab_open(&v, path, &err)) {
		assert_null(v);
		assert_int_not_equal(err.code, LM_OK);
		assert_int_not_equal(err.msg[0], '\0');
		return false;
	}
	ok = use(v, &err);
	if (!ok)
		assert_int_not_equal(err.code, LM_OK);
	lm_vocab_close(v);
	return ok;
}

static unsigned
next(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Writes every beginning of a file, and then copies with a few bytes changed. */
static void
maltreat(const char *name, const char *open, const char *whole, size_t n, int flips)
{
	char *copy = malloc(n);
	unsigned seed = 7;
	int sound = 0;

	for (size_t k = 0; k < n; k++) {
		temp_write(name, whole, k);
		try(open);
	}
	for (int k = 0; k < flips; k++) {
		memcpy(copy, whole, n);
		for (unsigned c = 1 + next(&seed) % 3; c > 0; c--)
			copy[next(&seed) % n] = next(&seed) & 1 ? (char)next(&seed) :
			    "0123456789{}[],:\"\\\0"[next(&seed) % 19];
		temp_write(name, copy, n);
		sound += try(open);
	}
	/* Some changes do no harm, as that of a letter in a token. */
	assert_true(sound > 0 && sound < flips);
	temp_write(name, whole, n);
	assert_true(try(open));
	free(copy);
}

static void
test_json_changed(void **state)
{
	(void)state;
	tok_write_str("tokenizer_config.json", config);
	maltreat("tokenizer.json", temp_path(""), json, sizeof(json) - 1, 2000);
	maltreat("tokenizer_config.json", temp_path(""), config, sizeof(config) - 1, 300);
	unlink(temp_path("tokenizer_config.json"));
}

/* ---- GGUF ----------------------------------------------------------------------------------- */

static void
put(struct lm_buf *b, const void *p, size_t n)
{
	assert_true(lm_buf_add(b, p, n, NULL));
}

static void
put_u32(struct lm_buf *b, uint32_t v)
{
	put(b, &v, 4);		/* tests run on little-endian machines */
}

static void
put_u64(struct lm_buf *b, uint64_t v)
{
	put(b, &v, 8);
}

static void
put_str(struct lm_buf *b, const char *s)
{
	put_u64(b, strlen(s));
	put(b, s, strlen(s));
}

static void
put_array(struct lm_buf *b, const char *key, uint32_t elem, uint64_t n)
{
	put_str(b, key);
	put_u32(b, 9);
	put_u32(b, elem);
	put_u64(b, n);
}

static void
put_text(struct lm_buf *b, const char *key, const char *value)
{
	put_str(b, key);
	put_u32(b, 8);
	put_str(b, value);
}

/* model: llama, with scores, or gpt2, with merges. */
static struct lm_buf
make_gguf(const char *model, bool types)
{
	static const char *const tokens[] = { "<unk>", "<s>", "</s>", "a", "b", "c", "ab", "abc",
		"\xe2\x96\x81", "\xe2\x96\x81" "ab", "x", "<0xC3>" };
	static const float scores[] = { 0, 0, 0, -9, -9, -9, -2, -1, -9, -3, -9, 0 };
	static const uint32_t kinds[] = { 2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 4, 6 };
	const unsigned n = sizeof(tokens) / sizeof(tokens[0]);
	bool spm = strcmp(model, "llama") == 0;
	struct lm_buf b = { 0 };

	put(&b, "GGUF", 4);
	put_u32(&b, 3);
	put_u64(&b, 0);
	put_u64(&b, 5u + types);
	put_text(&b, "general.architecture", "llama");
	put_text(&b, "tokenizer.ggml.model", model);
	put_array(&b, "tokenizer.ggml.tokens", 8, n);
	for (unsigned i = 0; i < n; i++)
		put_str(&b, tokens[i]);
	if (types) {
		put_array(&b, "tokenizer.ggml.token_type", 5, n);
		put(&b, kinds, sizeof(kinds));
	}
	if (spm) {
		put_array(&b, "tokenizer.ggml.scores", 6, n);
		put(&b, scores, sizeof(scores));
		put_text(&b, "tokenizer.chat_template", "{{ x }}");
	} else {
		put_array(&b, "tokenizer.ggml.merges", 8, 2);
		put_str(&b, "a b");
		put_str(&b, "ab c");
		put_text(&b, "tokenizer.ggml.pre", "llama-bpe");
	}
	return b;
}

static lm_vocab *
open_gguf(struct lm_buf b)
{
	struct lm_err err = { 0 };
	lm_vocab *v;

	temp_write("vocab.gguf", b.p, b.len);
	if (!lm_vocab_open(&v, temp_path("vocab.gguf"), &err))
		fail_msg("%s", err.msg);
	lm_buf_free(&b);
	return v;
}

/* By scores: abc (-1) is better than what its parts could be; _ab needs ab, then _. */
static void
test_gguf(void **state)
{
	struct lm_err err = { 0 };
	struct lm_buf b;
	lm_vocab *v;
	size_t n;

	(void)state;
	v = open_gguf(make_gguf("llama", true));
	assert_string_equal(tok_ids(v, "abc", 3, true), "1 8 7");
	assert_string_equal(tok_ids(v, "ab", 2, false), "9");
	assert_string_equal(tok_ids(v, "", 0, true), "1");
	/* Special and user-defined tokens in the text; each stretch gets its blank. */
	assert_string_equal(tok_ids(v, "<s>abx", 6, false), "1 9 10");
	/* Not all bytes have tokens: a row of unknown characters is one <unk>. */
	assert_string_equal(tok_ids(v, "a\xc3\xa9zb", 5, false), "8 3 0 4");
	assert_true(lm_vocab_is_special(v, 0) && lm_vocab_is_special(v, 1));
	assert_false(lm_vocab_is_special(v, 10));
	assert_memory_equal(lm_vocab_chat_template(v, NULL, &n), "{{ x }}", 7);
	assert_int_equal(lm_vocab_role(v, LM_BOS), 1);
	assert_int_equal(lm_vocab_role(v, LM_EOS), 2);
	lm_vocab_close(v);
	/* Without kinds of tokens the usual ids are the special ones. */
	v = open_gguf(make_gguf("llama", false));
	assert_string_equal(tok_ids(v, "<s>ab", 5, false), "1 9");
	lm_vocab_close(v);
	v = open_gguf(make_gguf("gpt2", true));
	assert_string_equal(tok_ids(v, "abcab", 5, true), "7 6");
	lm_vocab_close(v);

	b = make_gguf("bert", true);
	temp_write("vocab.gguf", b.p, b.len);
	assert_false(lm_vocab_open(&v, temp_path("vocab.gguf"), &err));
	assert_int_equal(err.code, LM_EUNSUPPORTED);
	assert_non_null(strstr(err.msg, "tokenizer.ggml.model bert"));
	lm_buf_free(&b);
	b = make_gguf("gpt2", true);
	memcpy((char *)memmem(b.p, b.len, "llama-bpe", 9), "llama-xyz", 9);
	temp_write("vocab.gguf", b.p, b.len);
	assert_false(lm_vocab_open(&v, temp_path("vocab.gguf"), &err));
	assert_non_null(strstr(err.msg, "tokenizer.ggml.pre llama-xyz"));
	lm_buf_free(&b);
}

static void
test_gguf_changed(void **state)
{
	static const char *const models[] = { "llama", "gpt2" };
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s", temp_path("vocab.gguf"));
	for (size_t k = 0; k < 2; k++) {
		struct lm_buf b = make_gguf(models[k], true);

		maltreat("vocab.gguf", path, b.p, b.len, 1000);
		lm_buf_free(&b);
	}
}

/* ---- memory and time ------------------------------------------------------------------------ */

/* The nth allocation fails, for every n that there is. */
static void
run_dry(const char *path)
{
	for (long n = 1;; n++) {
		struct lm_err err = { 0 };
		lm_vocab *v;
		bool ok;

		lm_alloc_fail_at(n);
		ok = lm_vocab_open(&v, path, &err) && use(v, &err);
		lm_alloc_fail_at(0);
		lm_vocab_close(v);
		if (ok)
			break;
		assert_int_equal(err.code, LM_ENOMEM);
		assert_true(n < 5000);
	}
}

static void
test_no_memory(void **state)
{
	struct lm_buf b = make_gguf("llama", true);
	char path[128];

	(void)state;
	tok_write_str("tokenizer.json", json);
	tok_write_str("tokenizer_config.json", config);
	run_dry(temp_path(""));
	unlink(temp_path("tokenizer_config.json"));
	tok_write_str("tokenizer.json", "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,"
	    "\"vocab\":[[\"<unk>\",0],"
	    "[\"a\",-1.5],[\"ab\",-2]]},\"pre_tokenizer\":{\"type\":\"Metaspace\","
	    "\"replacement\":\"_\"}}");
	run_dry(temp_path(""));
	temp_write("vocab.gguf", b.p, b.len);
	snprintf(path, sizeof(path), "%s", temp_path("vocab.gguf"));
	run_dry(path);
	lm_buf_free(&b);
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Patterns that explode, and texts that could: an error or an answer, but soon. */
static void
test_slow(void **state)
{
	static const char *const patterns[] = { "(a+)+$", "(a|a)*b", "(?:a*)*c",
	    "((a?){20}){20}b" };
	enum { N = 30000 };
	struct lm_err err = { 0 };
	struct lm_ids ids = { 0 };
	struct lm_buf text = { 0 };
	double start = seconds();
	lm_vocab *v;

	(void)state;
	for (int i = 0; i < N; i++)
		assert_true(lm_buf_add(&text, "a", 1, NULL));
	assert_true(lm_buf_str(&text, "!", NULL));
	for (size_t k = 0; k < sizeof(patterns) / sizeof(patterns[0]); k++) {
		struct lm_buf tok = { 0 };

		assert_true(lm_buf_printf(&tok, NULL, "{\"pre_tokenizer\":{\"type\":\"Split\","
		    "\"pattern\":"
		    "{\"Regex\":\"%s\"},\"behavior\":\"Isolated\"},\"model\":{\"vocab\":{\"a\":0},"
		    "\"merges\":[]}}",
		    patterns[k]));
		temp_write("tokenizer.json", tok.p, tok.len);
		lm_buf_free(&tok);
		if (!lm_vocab_open(&v, temp_path(""), &err)) {
			assert_int_not_equal(err.code, LM_OK);
			continue;
		}
		if (!lm_vocab_encode(v, text.p, text.len, false, &ids, &err))
			assert_int_equal(err.code, LM_ELIMIT);
		lm_vocab_close(v);
	}
	/*
	 * Marks in an order that must be sorted; utf8proc's own way takes the square of their
	 * number.
	 */
	text.len = 0;
	for (int i = 0; i < 60000; i++)
		assert_true(lm_buf_add(&text, i & 1 ? "\xcc\x81" : "\xcc\xa7", 2, NULL));
	v = tok_open("{\"normalizer\":{\"type\":\"NFD\"},\"model\":{\"vocab\":{\"a\":0},"
	    "\"merges\":[]}}");
	assert_true(lm_vocab_encode(v, text.p, text.len, false, &ids, &err));
	lm_vocab_close(v);
	lm_ids_free(&ids);
	lm_buf_free(&text);
	assert_true(seconds() - start < 120);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_changed),
		cmocka_unit_test(test_gguf),
		cmocka_unit_test(test_gguf_changed),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

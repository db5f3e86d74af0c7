/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_json.c - the JSON reader: what it takes, what it refuses, and where it says the fault lies.
 */
#include "config.h"

#include "src/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* A whole text read with lm_json_skip: NULL when it is sound, else the message. */
static const char *
check(const char *text, size_t n, struct lm_err *err)
{
	struct lm_json j;

	lm_json_init(&j, "t.json", text, n, err);
	return lm_json_skip(&j) && lm_json_end(&j) ? NULL : err->msg;
}

static void
assert_string(const char *text, size_t n, const char *want, size_t want_n)
{
	struct lm_arena arena = { 0 };
	struct lm_err err = { 0 };
	struct lm_json j;
	struct lm_str s;

	lm_json_init(&j, "t.json", text, n, &err);
	assert_true(lm_json_str(&j, &arena, &s));
	assert_true(lm_json_end(&j));
	assert_int_equal(s.n, want_n);
	assert_memory_equal(s.p, want, want_n);
	lm_arena_free(&arena);
}
#define ASSERT_STRING(text, want) assert_string(text, sizeof(text) - 1, want, sizeof(want) - 1)

static void
test_strings(void **state)
{
	(void)state;
	ASSERT_STRING("\"\"", "");
	ASSERT_STRING(" \"plain text, longer than a word\" ", "plain text, longer than a word");
	ASSERT_STRING("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	ASSERT_STRING("\"a\\u0000b\"", "a\0b");
	ASSERT_STRING("\"\\u0120dog\"", "\xc4\xa0" "dog");
	ASSERT_STRING("\"\\u2581\\u00e9\"", "\xe2\x96\x81\xc3\xa9");
	/* U+1F600 as a pair of surrogates, in both cases of the digits. */
	ASSERT_STRING("\"\\uD83D\\ude00\"", "\xf0\x9f\x98\x80");
	/* Half a pair is no character: before another, before text, at the end, the wrong half. */
	ASSERT_STRING("\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80");
	ASSERT_STRING("\"\\ud83dx\"", "\xef\xbf\xbdx");
	ASSERT_STRING("\"\\ud83d\"", "\xef\xbf\xbd");
	ASSERT_STRING("\"\\ude00\\u0041\"", "\xef\xbf\xbd" "A");
	/* DEL and bytes that are no UTF-8 are not this reader's business. */
	ASSERT_STRING("\"\x7f\xff\"", "\x7f\xff");
}

static void
test_numbers(void **state)
{
	static const char *const good[] = { "0", "-0", "7", "-12", "1234567890", "0.5", "-0.0e-0",
	    "1e5",
		"1E+05", "2.5e-3", "1e-400" };
	static const char *const bad[] = { "", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+",
	    "0x10",
		"1_000", "Infinity", "NaN", "1.e5", "--1" };
	struct lm_err err = { 0 };
	struct lm_json j;
	double real;
	int64_t i;

	(void)state;
	for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++)
		assert_null(check(good[k], strlen(good[k]), &err));
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
		assert_non_null(check(bad[k], strlen(bad[k]), &err));
	lm_json_init(&j, "t", "-9223372036854775808", 20, &err);
	assert_true(lm_json_int(&j, &i) && i == INT64_MIN);
	lm_json_init(&j, "t", "9223372036854775807", 19, &err);
	assert_true(lm_json_int(&j, &i) && i == INT64_MAX);
	lm_json_init(&j, "t", "9223372036854775808", 19, &err);
	assert_false(lm_json_int(&j, &i));
	lm_json_init(&j, "t", "1.0", 3, &err);
	assert_false(lm_json_int(&j, &i));
	lm_json_init(&j, "t", "-12.5e1", 7, &err);
	assert_true(lm_json_real(&j, &real) && real == -125);
	lm_json_init(&j, "t", "0.1", 3, &err);
	assert_true(lm_json_real(&j, &real) && real == 0.1);
	lm_json_init(&j, "t", "1e999", 5, &err);
	assert_false(lm_json_real(&j, &real));
}

static void
test_grammar(void **state)
{
	static const char *const good[] = { "null", "true", " false ", "[]", "{}", "[1,[2,{\"a\":[]"
	    "}]]",
		"{\"a\":1,\"a\":2,\"\":null}", "\t[\r\n1 , 2 ]\n",
		    "{ \"k\" : { } , \"l\" : [ ] }" };
	static const char *const bad[] = { "nul", "truex", "[", "]", "[1", "[1,", "[1,]", "[,1]",
	    "[1 2]",
		"{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\" 1}",
		    "{a:1}", "{1:2}",
		"{\"a\":1]", "[1}", "[] []", "\"abc", "\"a\nb\"", "\"\\x\"", "\"\\u12\"",
		    "\"\\u12g4\"",
		"\"\\", "'a'", "[1]x", "\xef\xbb\xbf{}", "/* */1", "{\"a\":}", "{,}", "{:1}" };
	struct lm_err err = { 0 };

	(void)state;
	for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++)
		assert_null(check(good[k], strlen(good[k]), &err));
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		err.code = LM_OK;
		if (!check(bad[k], strlen(bad[k]), &err))
			fail_msg("taken: %s", bad[k]);
		assert_int_equal(err.code, LM_EFORMAT);
		assert_non_null(strstr(err.msg, "t.json: offset "));
		assert_null(strchr(err.msg, '\n'));
	}
}

static void
test_depth(void **state)
{
	struct lm_err err = { 0 };
	char text[200];

	(void)state;
	memset(text, '[', LM_JSON_DEPTH);
	memset(text + LM_JSON_DEPTH, ']', LM_JSON_DEPTH);
	assert_null(check(text, 2 * LM_JSON_DEPTH, &err));
	memset(text, '[', 150);
	assert_non_null(check(text, 150, &err));
	assert_non_null(strstr(err.msg, "deeper"));
}

/* Every beginning of a text is an error, at an offset within it. */
static void
test_prefixes(void **state)
{
	static const char text[] = "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\n\"],\"b\":{\"c\":{}}}";
	struct lm_err err = { 0 };

	(void)state;
	assert_null(check(text, sizeof(text) - 1, &err));
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *copy = malloc(n + 1);	/* as long, so that a look too far is seen */

		memcpy(copy, text, n);
		if (!check(copy, n, &err))
			fail_msg("taken: %.*s", (int)n, text);
		free(copy);
	}
}

static void
test_reader(void **state)
{
	static const char text[] = "{\"n\":3,\"list\":[\"x\",[],null],\"last\":false}";
	struct lm_arena arena = { 0 };
	struct lm_err err = { 0 };
	struct lm_json j;
	struct lm_str key, s = { 0 };
	int64_t n = 0;
	bool b = true;

	(void)state;
	lm_json_init(&j, "t", text, sizeof(text) - 1, &err);
	assert_true(lm_json_enter(&j, LM_JSON_OBJECT));
	assert_true(lm_json_more(&j) && lm_json_key(&j, &arena, &key) && lm_str_is(key, "n"));
	assert_true(lm_json_int(&j, &n) && n == 3);
	assert_true(lm_json_more(&j) && lm_json_key_is(&j, "list"));
	assert_true(lm_json_enter(&j, LM_JSON_ARRAY));
	assert_true(lm_json_more(&j) && lm_json_str(&j, &arena, &s) && lm_str_is(s, "x"));
	assert_true(lm_json_more(&j) && lm_json_enter(&j, LM_JSON_ARRAY));
	assert_false(lm_json_more(&j));
	assert_true(lm_json_more(&j) && lm_json_null(&j));
	assert_false(lm_json_more(&j));
	assert_true(lm_json_more(&j) && !lm_json_key_is(&j, "lasting") && lm_json_bool(&j, &b) &&
	    !b);
	assert_false(lm_json_more(&j));
	assert_true(lm_json_end(&j));
	/* The first failure stays. */
	lm_json_init(&j, "t", text, sizeof(text) - 1, &err);
	assert_false(lm_json_int(&j, &n));
	assert_non_null(strstr(err.msg, "an object found, a number wanted"));
	err.msg[0] = '\0';
	assert_false(lm_json_enter(&j, LM_JSON_OBJECT) || lm_json_more(&j) || lm_json_end(&j));
	assert_int_equal(err.msg[0], '\0');
	lm_arena_free(&arena);
}

static void
test_find(void **state)
{
	static const char text[] = " {\"s\":\"a\\tb\",\"n\":-4,\"z\":null,\"o\":{\"b\":true},"
	    "\"\\u006e2\":5,\"n\":6} ";
	struct lm_arena arena = { 0 };
	struct lm_json_val top, val;
	struct lm_err err = { 0 };
	struct lm_str s = { "-", 1 };
	struct lm_json j;
	bool b = false;
	int64_t n = 0;

	(void)state;
	lm_json_init(&j, "t", text, sizeof(text) - 1, &err);
	assert_true(lm_json_take(&j, &top) && lm_json_end(&j));
	assert_int_equal(lm_json_val_kind(&top), LM_JSON_OBJECT);
	assert_true(lm_json_find_str(&top, "s", &arena, &s, &err) && lm_str_is(s, "a\tb"));
	assert_true(lm_json_find_int(&top, "n", &n, &err) && n == 6);	/* the last of two */
	assert_true(lm_json_find_int(&top, "n2", &n, &err) && n == 5);	/* its key has an escape */
	assert_true(lm_json_find_int(&top, "absent", &n, &err) && n == 5);
	assert_false(lm_json_find(&top, "z", &val));
	assert_true(lm_json_find(&top, "o", &val) && lm_json_find_bool(&val, "b", &b, &err) && b);
	assert_false(lm_json_find(&val, "c", &top));
	assert_false(lm_json_find_bool(&val, "b", &b, &err) && lm_json_find_int(&val, "b", &n,
	    &err));
	assert_int_equal(err.code, LM_EFORMAT);
	lm_arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

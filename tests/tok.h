/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok.h - tokenizers that a test writes for itself, in a folder of their own; for the tests of
 * them.
 */
#ifndef TESTS_TOK_H
#define TESTS_TOK_H

#include "src/lm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char tok_dir[] = "/tmp/lmscope-test-XXXXXX";

static inline const char *
tok_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", tok_dir, name);
	return path;
}

static inline int
tok_setup(void **state)
{
	(void)state;
	return mkdtemp(tok_dir) ? 0 : -1;
}

static inline int
tok_teardown(void **state)
{
	static const char *const names[] = { "tokenizer.json", "tokenizer_config.json",
		"special_tokens_map.json", "chat_template.jinja", "vocab.gguf" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(tok_path(names[i]));
	return rmdir(tok_dir);
}

static inline void
tok_write(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(tok_path(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static inline void
tok_write_str(const char *name, const char *text)
{
	tok_write(name, text, strlen(text));
}

/* Writes JSON that is given with ' for ". */
static inline void
tok_write_json(const char *name, const char *text)
{
	size_t n = strlen(text);
	char *copy = malloc(n + 1);

	for (size_t i = 0; i < n; i++)
		copy[i] = text[i] == '\'' ? '"' : text[i];
	tok_write(name, copy, n);
	free(copy);
}

/* Opens a tokenizer.json given in that way; fails the test with the message when it cannot be. */
static inline lm_vocab *
tok_open(const char *json)
{
	struct lm_err err = { 0 };
	lm_vocab *v;

	tok_write_json("tokenizer.json", json);
	if (!lm_vocab_open(&v, tok_dir, &err))
		fail_msg("%s in %s", err.msg, json);
	return v;
}

/* Ids as text: "1 2 3". */
static inline const char *
tok_ids(const lm_vocab *v, const char *text, size_t n, bool special)
{
	static char out[4096];
	struct lm_err err = { 0 };
	struct lm_ids ids = { 0 };
	size_t len = 0;

	if (!lm_vocab_encode(v, text, n, special, &ids, &err))
		fail_msg("%s", err.msg);
	out[0] = '\0';
	for (size_t i = 0; i < ids.n && len < sizeof(out) - 16; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%u", i ? " " : "",
		    ids.v[i]);
	lm_ids_free(&ids);
	return out;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok.h - tokenizers that a test writes for itself, in a folder of their own; for the tests of
 * them.
 */
#ifndef TESTS_TOK_H
#define TESTS_TOK_H

#include "tests/support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void
tok_write_str(const char *name, const char *text)
{
	temp_write(name, text, strlen(text));
}

/* Writes JSON that is given with ' for ". */
static inline void
tok_write_json(const char *name, const char *text)
{
	size_t n = strlen(text);
	char *copy = malloc(n + 1);

	for (size_t i = 0; i < n; i++)
		copy[i] = text[i] == '\'' ? '"' : text[i];
	temp_write(name, copy, n);
	free(copy);
}

/* Opens a tokenizer.json given in that way; fails the test with the message when it cannot be. */
static inline lm_vocab *
tok_open(const char *json)
{
	struct lm_err err = { 0 };
	lm_vocab *v;

	tok_write_json("tokenizer.json", json);
	if (!lm_vocab_open(&v, temp_path(""), &err))
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - reads JSON where it lies, one value at a time.
 *
 * A reader walks a text once.  The caller asks what comes next and takes it:
 *
 *	lm_json_init(&j, path, map.data, map.len, err);
 *	for (lm_json_enter(&j, LM_JSON_OBJECT); lm_json_more(&j);)
 *		if (lm_json_key(&j, &arena, &key) && lm_str_is(key, "n"))
 *			lm_json_int(&j, &n);
 *		else
 *			lm_json_skip(&j);
 *	return lm_json_end(&j);
 *
 * The first failure fills err and sticks: everything after it fails as well and loops end.
 */
#ifndef LM_JSON_H
#define LM_JSON_H

#include "src/arena.h"

/* ---- the reader ------------------------------------------------------------------------------ */

enum lm_json_kind {
	LM_JSON_END, LM_JSON_NULL, LM_JSON_BOOL, LM_JSON_NUMBER, LM_JSON_STRING, LM_JSON_ARRAY,
	LM_JSON_OBJECT
};

enum { LM_JSON_DEPTH = 64 };

struct lm_json {
	const char *p;
	size_t off, end;		/* where it stands; where the text ends */
	const char *what;		/* file name, for messages */
	struct lm_err *err;
	uint64_t arrays;		/* bit d: level d is an array, else an object */
	unsigned depth;
	bool fresh;			/* nothing read yet since the last bracket opened */
	bool failed;
};

void lm_json_init(struct lm_json *j, const char *what, const void *p, size_t len,
    struct lm_err *err);
/* What the next value is, by its first character; LM_JSON_END at the end, and after a failure. */
enum lm_json_kind lm_json_peek(struct lm_json *j);
/* Opens an array or object.  Then each lm_json_more that is true must be followed by one value. */
bool lm_json_enter(struct lm_json *j, enum lm_json_kind kind);
/* True when another element follows; false after the closing bracket was read. */
bool lm_json_more(struct lm_json *j);
/* The key of an object's element.  It lies in the text, or in arena where it has escapes. */
bool lm_json_key(struct lm_json *j, struct lm_arena *arena, struct lm_str *out);
/* Moves past a key, of which only this matters: whether it is name (below 60 bytes). */
bool lm_json_key_is(struct lm_json *j, const char *name);
bool lm_json_str(struct lm_json *j, struct lm_arena *arena, struct lm_str *out);
bool lm_json_bool(struct lm_json *j, bool *out);
bool lm_json_int(struct lm_json *j, int64_t *out);
bool lm_json_real(struct lm_json *j, double *out);
/* Reads null and is true, or leaves what else stands there and is false. */
bool lm_json_null(struct lm_json *j);
bool lm_json_skip(struct lm_json *j);
/* True when nothing has failed and only blanks remain. */
bool lm_json_end(struct lm_json *j);
/* Fails at offset off (usually j->off) with "FILE: offset N: " before the message. */
bool lm_json_fail(struct lm_json *j, size_t off, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- values to come back to ------------------------------------------------------------------ */

/* A value that was skipped, so that its syntax is sound.  p is NULL when there is none. */
struct lm_json_val {
	const char *p;			/* of the whole text */
	size_t off, end;
	const char *what;
};

/* Skips the next value and remembers it. */
bool lm_json_take(struct lm_json *j, struct lm_json_val *out);
/* A reader that stands before the value. */
void lm_json_at(struct lm_json *j, const struct lm_json_val *v, struct lm_err *err);
enum lm_json_kind lm_json_val_kind(const struct lm_json_val *v);
/* The member of an object; false, and *out empty, when it is absent, null, or v is no object. */
bool lm_json_find(const struct lm_json_val *v, const char *key, struct lm_json_val *out);
/*
 * Scalars under a key: true and *out set when there, true and *out left alone when absent or null,
 * false with LM_EFORMAT when of another kind.
 */
bool lm_json_find_str(const struct lm_json_val *v, const char *key, struct lm_arena *arena,
    struct lm_str *out, struct lm_err *err);
bool lm_json_find_bool(const struct lm_json_val *v, const char *key, bool *out, struct lm_err *err);
bool lm_json_find_int(const struct lm_json_val *v, const char *key, int64_t *out,
    struct lm_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c - a pull reader of JSON (RFC 8259).
 *
 * The tokenizer's files are read with it rather than with cJSON because those hold strings with
 * U+0000 in them, and megabytes of small strings, which need no copy where they have no escape.
 * Bytes of strings that are no UTF-8 are handed on as they are; a surrogate escape without its
 * partner becomes U+FFFD.
 */
#include "config.h"

#include "src/json.h"

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the reader ------------------------------------------------------------------------------ */

void
lm_json_init(struct lm_json *j, const char *what, const void *p, size_t len, struct lm_err *err)
{
	*j = (struct lm_json){ .p = p, .end = len, .what = what, .err = err };
}

bool
lm_json_fail(struct lm_json *j, size_t off, const char *fmt, ...)
{
	char msg[320];
	va_list ap;

	if (j->failed)
		return false;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	j->failed = true;
	return lm_fail(j->err, LM_EFORMAT, "%s: offset %zu: %s", j->what, off, msg);
}

/* For a failure that err already describes. */
static bool
stick(struct lm_json *j)
{
	j->failed = true;
	return false;
}

static const char *
kind_name(enum lm_json_kind kind)
{
	static const char *const names[] = {
		[LM_JSON_END] = "end of the text",	[LM_JSON_NULL] = "null",
		[LM_JSON_BOOL] = "true or false",	[LM_JSON_NUMBER] = "a number",
		[LM_JSON_STRING] = "a string",		[LM_JSON_ARRAY] = "an array",
		[LM_JSON_OBJECT] = "an object",
	};

	return names[kind];
}

static void
skip_blanks(struct lm_json *j)
{
	while (j->off < j->end && (j->p[j->off] == ' ' || j->p[j->off] == '\n' ||
	    j->p[j->off] == '\r' || j->p[j->off] == '\t'))
		j->off++;
}

enum lm_json_kind
lm_json_peek(struct lm_json *j)
{
	if (j->failed)
		return LM_JSON_END;
	skip_blanks(j);
	if (j->off == j->end)
		return LM_JSON_END;
	switch (j->p[j->off]) {
	case '{':
		return LM_JSON_OBJECT;
	case '[':
		return LM_JSON_ARRAY;
	case '"':
		return LM_JSON_STRING;
	case 't':
	case 'f':
		return LM_JSON_BOOL;
	case 'n':
		return LM_JSON_NULL;
	default:
		/* Whatever else it is, reading it as a number fails with what it is. */
		return LM_JSON_NUMBER;
	}
}

static bool
want(struct lm_json *j, enum lm_json_kind kind)
{
	enum lm_json_kind found = lm_json_peek(j);

	if (j->failed)
		return false;
	if (found == LM_JSON_NUMBER && !strchr("-0123456789", j->p[j->off]))
		return lm_json_fail(j, j->off, "%s wanted", kind_name(kind));
	if (found != kind)
		return lm_json_fail(j, j->off, "%s found, %s wanted", kind_name(found),
		    kind_name(kind));
	return true;
}

bool
lm_json_enter(struct lm_json *j, enum lm_json_kind kind)
{
	if (!want(j, kind))
		return false;
	if (j->depth == LM_JSON_DEPTH)
		return lm_json_fail(j, j->off, "nested deeper than %d", LM_JSON_DEPTH);
	j->arrays &= ~(UINT64_C(1) << j->depth);
	j->arrays |= (uint64_t)(kind == LM_JSON_ARRAY) << j->depth;
	j->depth++;
	j->off++;
	j->fresh = true;
	return true;
}

bool
lm_json_more(struct lm_json *j)
{
	bool array, fresh = j->fresh;
	char c;

	if (j->failed || j->depth == 0)
		return false;
	array = j->arrays >> (j->depth - 1) & 1;
	j->fresh = false;
	skip_blanks(j);
	if (j->off == j->end)
		return lm_json_fail(j, j->off, "the text ends within an %s",
		    array ? "array" : "object");
	c = j->p[j->off];
	if (c == (array ? ']' : '}')) {
		j->off++;
		j->depth--;
		return false;
	}
	if (fresh)
		return true;
	if (c != ',')
		return lm_json_fail(j, j->off, "comma or %s wanted", array ? "]" : "}");
	j->off++;
	skip_blanks(j);
	if (j->off < j->end && (j->p[j->off] == ']' || j->p[j->off] == '}'))
		return lm_json_fail(j, j->off, "a value wanted after the comma");
	return true;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* Moves over characters that end nothing: neither quote nor backslash nor control. */
static size_t
plain_run(const char *p, size_t off, size_t end)
{
	while (end - off >= 8) {
		const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
		uint64_t w, quote, slash, ctrl;

		/* A zero byte in quote or slash, or a byte below 0x20 in w, sets a high bit. */
		memcpy(&w, p + off, 8);
		quote = w ^ ones * '"';
		slash = w ^ ones * '\\';
		ctrl = (w - ones * 0x20) & ~w;
		if (((((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ctrl) & high) != 0)
			break;
		off += 8;
	}
	while (off < end && p[off] != '"' && p[off] != '\\' && (unsigned char)p[off] >= 0x20)
		off++;
	return off;
}

/* Finds the closing quote of the string whose first character is at j->off; checks escapes. */
static bool
scan_string(struct lm_json *j, size_t *close, bool *escapes)
{
	size_t off = j->off;

	*escapes = false;
	for (;;) {
		off = plain_run(j->p, off, j->end);
		if (off == j->end)
			return lm_json_fail(j, j->off - 1, "a string without its closing quote");
		if (j->p[off] == '"')
			break;
		if (j->p[off] != '\\')
			return lm_json_fail(j, off, "control character 0x%02x in a string",
			    (unsigned char)j->p[off]);
		*escapes = true;
		if (j->end - off < 2)
			return lm_json_fail(j, off, "a string without its closing quote");
		if (!strchr("\"\\/bfnrtu", j->p[off + 1]) || !j->p[off + 1])
			return lm_json_fail(j, off, "unknown escape in a string");
		if (j->p[off + 1] == 'u') {
			for (int i = 2; i < 6; i++)
				if (j->end - off <= (size_t)i || !strchr("0123456789abcdefABCDEF",
				    j->p[off + (size_t)i]) || !j->p[off + (size_t)i])
					return lm_json_fail(j, off,
					    "four hexadecimal digits wanted after \\u");
			off += 4;
		}
		off += 2;
	}
	*close = off;
	return true;
}

static uint32_t
hex4(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)p[i];

		v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return v;
}

/* Decodes the escape at p, which scan_string found sound; returns where the next character is. */
static const char *
unescape(const char *p, const char *close, char **out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *s;
	uint32_t u;

	if (p[1] != 'u') {
		s = strchr(from, p[1]);
		*(*out)++ = s ? to[s - from] : p[1];
		return p + 2;
	}
	u = hex4(p + 2);
	p += 6;
	if (u >= 0xd800 && u < 0xe000) {
		uint32_t low = close - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2) : 0;

		if (u < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
			u = 0x10000 + (u - 0xd800) * 0x400 + (low - 0xdc00);
			p += 6;
		} else {
			u = 0xfffd;
		}
	}
	*out += lm_utf8_put(u, *out);
	return p;
}

bool
lm_json_str(struct lm_json *j, struct lm_arena *arena, struct lm_str *out)
{
	const char *p, *end;
	char *copy, *to;
	size_t close;
	bool escapes;

	if (!want(j, LM_JSON_STRING))
		return false;
	j->off++;
	if (!scan_string(j, &close, &escapes))
		return false;
	*out = (struct lm_str){ j->p + j->off, close - j->off };
	j->off = close + 1;
	if (!escapes)
		return true;
	/* No escape is longer decoded than written: \u0800 takes six bytes and gives three. */
	p = out->p, end = out->p + out->n;
	to = copy = lm_arena_alloc(arena, out->n, j->err);
	if (!copy)
		return stick(j);
	while (p < end)
		if (*p == '\\')
			p = unescape(p, end, &to);
		else
			*to++ = *p++;
	*out = (struct lm_str){ copy, (size_t)(to - copy) };
	return true;
}

static bool
colon(struct lm_json *j)
{
	skip_blanks(j);
	if (j->off == j->end || j->p[j->off] != ':')
		return lm_json_fail(j, j->off, "colon wanted after a key");
	j->off++;
	return true;
}

bool
lm_json_key(struct lm_json *j, struct lm_arena *arena, struct lm_str *out)
{
	return lm_json_str(j, arena, out) && colon(j);
}

bool
lm_json_key_is(struct lm_json *j, const char *name)
{
	char plain[64], *to = plain;
	const char *p, *end;
	size_t close;
	bool escapes, same;

	if (!want(j, LM_JSON_STRING))
		return false;
	j->off++;
	if (!scan_string(j, &close, &escapes))
		return false;
	p = j->p + j->off, end = j->p + close;
	j->off = close + 1;
	if (!escapes)
		return colon(j) && lm_str_is((struct lm_str){ p, (size_t)(end - p) }, name);
	while (p < end && to < plain + sizeof(plain) - 4)
		if (*p == '\\')
			p = unescape(p, end, &to);
		else
			*to++ = *p++;
	same = p == end && lm_str_is((struct lm_str){ plain, (size_t)(to - plain) }, name);
	return colon(j) && same;
}

/* ---- the other values ------------------------------------------------------------------------ */

static bool
digits(struct lm_json *j)
{
	size_t from = j->off;

	while (j->off < j->end && j->p[j->off] >= '0' && j->p[j->off] <= '9')
		j->off++;
	return j->off > from;
}

/* Moves over a number.  *whole: it has neither a fraction nor an exponent. */
static bool
scan_number(struct lm_json *j, struct lm_str *out, bool *whole)
{
	size_t from = j->off;
	bool zero;

	*whole = true;
	if (j->off < j->end && j->p[j->off] == '-')
		j->off++;
	zero = j->off < j->end && j->p[j->off] == '0';
	if (!digits(j))
		return lm_json_fail(j, from, "a value wanted");
	if (zero && j->off - from > 1u + (j->p[from] == '-'))
		return lm_json_fail(j, from, "a number with leading zeros");
	if (j->off < j->end && j->p[j->off] == '.') {
		*whole = false;
		j->off++;
		if (!digits(j))
			return lm_json_fail(j, from, "a number without digits after its point");
	}
	if (j->off < j->end && (j->p[j->off] == 'e' || j->p[j->off] == 'E')) {
		*whole = false;
		j->off++;
		if (j->off < j->end && (j->p[j->off] == '+' || j->p[j->off] == '-'))
			j->off++;
		if (!digits(j))
			return lm_json_fail(j, from, "a number without digits in its exponent");
	}
	*out = (struct lm_str){ j->p + from, j->off - from };
	return true;
}

bool
lm_json_int(struct lm_json *j, int64_t *out)
{
	size_t from, i;
	struct lm_str s;
	int64_t v = 0;
	bool whole;

	if (!want(j, LM_JSON_NUMBER))
		return false;
	from = j->off;
	if (!scan_number(j, &s, &whole))
		return false;
	if (!whole)
		return lm_json_fail(j, from, "a whole number wanted");
	for (i = s.p[0] == '-'; i < s.n; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, s.p[i] - '0', &v))
			return lm_json_fail(j, from, "a number beyond 64 bits");
	if (s.p[0] != '-' && __builtin_sub_overflow(0, v, &v))
		return lm_json_fail(j, from, "a number beyond 64 bits");
	*out = v;
	return true;
}

/* strtod expects the point of the locale in force; the program around us may have set one. */
static double
to_real(const char *s, size_t n)
{
	const char *point = localeconv()->decimal_point;
	char text[400];
	size_t len = 0;

	for (size_t i = 0; i < n && len < sizeof(text) - 8; i++) {
		if (s[i] != '.') {
			text[len++] = s[i];
			continue;
		}
		for (const char *p = point; *p && p - point < 4; p++)
			text[len++] = *p;
	}
	text[len] = '\0';
	return strtod(text, NULL);
}

bool
lm_json_real(struct lm_json *j, double *out)
{
	struct lm_str s;
	size_t from;
	bool whole;

	if (!want(j, LM_JSON_NUMBER))
		return false;
	from = j->off;
	if (!scan_number(j, &s, &whole))
		return false;
	if (s.n > 380)
		return lm_json_fail(j, from, "a number of %zu characters", s.n);
	*out = to_real(s.p, s.n);
	if (!isfinite(*out))
		return lm_json_fail(j, from, "a number beyond what a double holds");
	return true;
}

static bool
word(struct lm_json *j, const char *text)
{
	size_t n = strlen(text);

	if (j->end - j->off < n || memcmp(j->p + j->off, text, n) != 0)
		return lm_json_fail(j, j->off, "a value wanted");
	j->off += n;
	return true;
}

bool
lm_json_bool(struct lm_json *j, bool *out)
{
	if (!want(j, LM_JSON_BOOL))
		return false;
	*out = j->p[j->off] == 't';
	return word(j, *out ? "true" : "false");
}

bool
lm_json_null(struct lm_json *j)
{
	return lm_json_peek(j) == LM_JSON_NULL && word(j, "null");
}

/* Moves over one value that is neither array nor object. */
static bool
skip_scalar(struct lm_json *j)
{
	struct lm_str s;
	size_t close;
	bool b;

	switch (lm_json_peek(j)) {
	case LM_JSON_STRING:
		j->off++;
		if (!scan_string(j, &close, &b))
			return false;
		j->off = close + 1;
		return true;
	case LM_JSON_BOOL:
		return lm_json_bool(j, &b);
	case LM_JSON_NULL:
		return word(j, "null");
	case LM_JSON_END:
		return lm_json_fail(j, j->off, "the text ends where a value is wanted");
	default:
		return scan_number(j, &s, &b);
	}
}

bool
lm_json_skip(struct lm_json *j)
{
	unsigned base = j->depth;

	for (;;) {
		enum lm_json_kind kind = lm_json_peek(j);
		bool ok = kind == LM_JSON_ARRAY || kind == LM_JSON_OBJECT ? lm_json_enter(j, kind) :
		    skip_scalar(j);

		if (!ok)
			return false;
		while (j->depth > base && !lm_json_more(j))
			if (j->failed)
				return false;
		if (j->depth == base)
			return true;
		/* A key of an object: a string and a colon. */
		if (!(j->arrays >> (j->depth - 1) & 1) &&
		    (!want(j, LM_JSON_STRING) || !skip_scalar(j) || !colon(j)))
			return false;
	}
}

bool
lm_json_end(struct lm_json *j)
{
	if (j->failed)
		return false;
	skip_blanks(j);
	if (j->off != j->end)
		return lm_json_fail(j, j->off, "the text goes on after its value");
	return true;
}

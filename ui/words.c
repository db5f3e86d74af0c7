/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.c - splitting and quoting of command lines.
 */
#include "config.h"

#include "ui/words.h"

#include <string.h>

/* One word while it is being read. */
struct reader {
	const char *s;
	size_t n, i;
	struct lm_buf bytes, marks;
};

static void
put(struct reader *r, const char *p, size_t n, bool quoted)
{
	const char mark = (char)quoted;

	ui_buf_add(&r->bytes, p, n);
	while (n--)
		ui_buf_add(&r->marks, &mark, 1);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \xHH: exactly two digits. */
static bool
read_byte(struct reader *r, struct lm_err *err)
{
	int hi = r->i + 1 < r->n ? hex_digit(r->s[r->i]) : -1;
	int lo = r->i + 1 < r->n ? hex_digit(r->s[r->i + 1]) : -1;
	char c;

	if (hi < 0 || lo < 0)
		return lm_fail(err, LM_EARG, "\\x in quotes: two hexadecimal digits wanted");
	c = (char)(hi << 4 | lo);
	put(r, &c, 1, true);
	r->i += 2;
	return true;
}

/* \u{H}: one to six digits, a character of Unicode. */
static bool
read_char(struct reader *r, struct lm_err *err)
{
	uint32_t cp = 0;
	size_t digits = 0, i = r->i;
	char out[4];

	if (i < r->n && r->s[i] == '{')
		for (i++; i < r->n && hex_digit(r->s[i]) >= 0 && digits < 7; i++, digits++)
			cp = cp << 4 | (uint32_t)hex_digit(r->s[i]);
	if (digits == 0 || i >= r->n || r->s[i] != '}' || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return lm_fail(err, LM_EARG, "\\u in quotes: {H}, a character in hexadecimal, wanted");
	put(r, out, lm_utf8_put(cp, out), true);
	r->i = i + 1;
	return true;
}

static bool
read_escape(struct reader *r, struct lm_err *err)
{
	static const char names[] = "nrt\\\"0", values[] = "\n\r\t\\\"";	/* the last is \0 itself */
	const char *known;
	char c;

	if (r->i == r->n)
		return lm_fail(err, LM_EARG, "quote is not closed");
	c = r->s[r->i++];
	if (c == 'x')
		return read_byte(r, err);
	if (c == 'u')
		return read_char(r, err);
	known = c ? strchr(names, c) : NULL;
	if (!known)
		return lm_fail(err, LM_EARG, "\\%c in quotes is not known; \\n \\r \\t \\\\ \\\" \\0 \\xHH and "
		    "\\u{H} are", c);
	put(r, &values[known - names], 1, true);
	return true;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
read_word(struct reader *r, struct ui_word *w, struct lm_err *err)
{
	bool quoted = false;

	r->bytes = r->marks = (struct lm_buf){ 0 };
	*w = (struct ui_word){ .at = r->i, .starts_quoted = r->s[r->i] == '"' };
	put(r, "", 0, false);
	ui_buf_add(&r->marks, "", 0);
	while (r->i < r->n && (quoted || !blank(r->s[r->i]))) {
		char c = r->s[r->i++];
		bool ok = true;

		if (c == '"')
			quoted = !quoted;
		else if (c == '\\' && quoted)
			ok = read_escape(r, err);
		else
			put(r, &c, 1, quoted);
		if (!ok)
			goto fail;
	}
	if (quoted) {
		lm_fail(err, LM_EARG, "quote is not closed");
		goto fail;
	}
	w->p = r->bytes.p;
	w->n = r->bytes.len;
	w->quoted = (unsigned char *)r->marks.p;
	w->end = r->i;
	return true;
fail:
	lm_buf_free(&r->bytes);
	lm_buf_free(&r->marks);
	return false;
}

bool
ui_words_split(const char *line, size_t n, struct ui_words *out, struct lm_err *err)
{
	struct reader r = { .s = line, .n = n };

	*out = (struct ui_words){ 0 };
	for (;;) {
		while (r.i < n && blank(line[r.i]))
			r.i++;
		if (r.i == n)
			return true;
		out->v = ui_xresize(out->v, out->n + 1, sizeof(*out->v));
		if (!read_word(&r, &out->v[out->n], err)) {
			ui_words_free(out);
			return false;
		}
		out->n++;
	}
}

void
ui_words_free(struct ui_words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		ui_free(w->v[i].p);
		ui_free(w->v[i].quoted);
	}
	ui_free(w->v);
	*w = (struct ui_words){ 0 };
}

void
ui_quote(struct lm_buf *out, const char *p, size_t n)
{
	ui_buf_str(out, "\"");
	for (size_t i = 0, k; i < n; i += k) {
		int32_t cp;

		k = lm_utf8_next(p + i, n - i, &cp);
		if (cp == '\n')
			ui_buf_str(out, "\\n");
		else if (cp == '\r')
			ui_buf_str(out, "\\r");
		else if (cp == '\t')
			ui_buf_str(out, "\\t");
		else if (cp == '"' || cp == '\\')
			ui_buf_printf(out, "\\%c", (char)cp);
		else if (cp < 0x20 || cp == 0x7f)
			for (size_t b = 0; b < k; b++)
				ui_buf_printf(out, "\\x%02X", (unsigned char)p[i + b]);
		else
			ui_buf_add(out, p + i, k);
	}
	ui_buf_str(out, "\"");
}

size_t
ui_word_find(const struct ui_word *w, size_t from, char c)
{
	while (from < w->n && (w->p[from] != c || w->quoted[from]))
		from++;
	return from;
}

bool
ui_word_part(const struct ui_word *w, size_t *at, struct ui_word *part)
{
	size_t end;

	if (*at > w->n)
		return false;
	end = ui_word_find(w, *at, ',');
	*part = (struct ui_word){ .p = w->p + *at, .n = end - *at, .quoted = w->quoted + *at };
	*at = end + 1;
	return true;
}

bool
ui_word_is(const struct ui_word *w, const char *s)
{
	return w->n == strlen(s) && memcmp(w->p, s, w->n) == 0;
}

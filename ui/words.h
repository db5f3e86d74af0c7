/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - a command line cut into words, with what quotes protect remembered byte by byte.
 */
#ifndef UI_WORDS_H
#define UI_WORDS_H

#include "ui/base.h"

struct ui_word {
	char *p;			/* bytes, escapes resolved; zero-terminated, may hold zeros */
	size_t n;
	unsigned char *quoted;		/* [n]: 1 where the byte stood in quotes */
	bool starts_quoted;		/* the word begins with a quote */
	size_t at, end;			/* where it stands in the line */
};

struct ui_words {
	struct ui_word *v;
	size_t n;
};

/*
 * Words split at blanks; double quotes group, may stand anywhere in a word and know
 * \n \r \t \\ \" \0 \xHH \u{H}.  Fails with LM_EARG on an open quote or a bad escape.
 */
bool ui_words_split(const char *line, size_t n, struct ui_words *out, struct lm_err *err);
void ui_words_free(struct ui_words *w);
/* The word as quotes have to write it, for the journal and for copied commands. */
void ui_quote(struct lm_buf *out, const char *p, size_t n);

/* The parts of a word between unquoted commas.  *at starts at 0; false after the last part. */
bool ui_word_part(const struct ui_word *w, size_t *at, struct ui_word *part);
/* Place of the first unquoted c from byte `from` on, or n. */
size_t ui_word_find(const struct ui_word *w, size_t from, char c);
bool ui_word_is(const struct ui_word *w, const char *s);

#endif

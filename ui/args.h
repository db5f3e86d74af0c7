/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args.h - arguments of commands: a specification that is data, and the values it reads from words.
 *
 * A specification is a list of `NAME:type[?][=default]`.  A name in capitals is positional, one in small
 * letters is given as name=value.  `?` makes it optional; so does a default.  The type is one of those
 * below, or the allowed words themselves: `special:no|yes=yes`.
 */
#ifndef UI_ARGS_H
#define UI_ARGS_H

#include "ui/words.h"

/* Name in specifications, and what the manual calls such a value. */
#define UI_TYPES(X) \
	X(TEXT, text, "text")			/* any bytes */ \
	X(NAME, name, "name")			/* a word of letters, digits and _ - . */ \
	X(REST, rest, "text")			/* the rest of the line as it stands, unless it is quoted */ \
	X(COUNT, count, "n")			/* 0 or more */ \
	X(INT, int, "n") \
	X(REAL, real, "x") \
	X(POS, pos, "position")			/* one position, negative from the end */ \
	X(RANGE, range, "range")		/* A, A:B, A: or all */ \
	X(LAYER, layer, "layer") \
	X(HEAD, head, "head") \
	X(NEURON, neuron, "layer.neuron") \
	X(NEURONS, neurons, "layer.neuron,...") \
	X(IDS, ids, "id,...") \
	X(TOKEN, token, "token") \
	X(TOKENS, tokens, "token,...") \
	X(SITE, site, "site") \
	X(CLASS, class, "class") \
	X(CLAMP, clamp, "index") \
	X(COMMAND, command, "command") \
	X(SETTING, setting, "option=value") \
	X(FILE, file, "file") \
	X(ENUM, enum, "word")			/* from the words in the specification */

enum ui_type {
#define X(id, spec, shown) UI_T_##id,
	UI_TYPES(X)
#undef X
	UI_NTYPES
};

struct ui_spec {			/* of one argument */
	char name[16];
	enum ui_type type;
	bool positional, optional;
	char choices[96];		/* UI_T_ENUM: "no|yes" */
	char def[24];			/* "" when there is none */
};

struct ui_neuron {
	uint32_t layer, neuron;
};

struct ui_value {
	bool given;			/* by the user, not by default */
	bool set;			/* given or defaulted */
	const struct ui_word *word;	/* what was given, without its name= */
	int64_t i;			/* count, int, pos, layer, head; index of the choice */
	double r;
	int64_t from, to;		/* range: LM_END as `to` when open; one position has single set */
	bool single, all;
	struct ui_neuron *neurons;
	uint32_t *ids;
	size_t n;			/* of neurons, ids */
};

enum { UI_MAX_ARGS = 12 };

struct ui_args {
	struct ui_spec spec[UI_MAX_ARGS];
	struct ui_value value[UI_MAX_ARGS];
	struct ui_word word[UI_MAX_ARGS];	/* storage of value.word */
	size_t n;
};

/* Reads a specification; it is ours, so a mistake in it ends the program. */
void ui_spec_read(const char *spec, struct ui_args *out);
/* "prompt TEXT [ids=id,...] [special=no|yes]" */
void ui_spec_usage(const char *command, const char *spec, struct lm_buf *out);
/* What the manual calls a value of the argument. */
const char *ui_spec_shown(const struct ui_spec *s);
/*
 * Reads the words after the command's name.  line is what they were cut from.  On failure the message
 * says what was found and what was wanted.
 */
bool ui_args_read(struct ui_args *a, const struct ui_words *words, const char *line, size_t len,
    struct lm_err *err);
void ui_args_free(struct ui_args *a);

/* The value of an argument that the specification has. */
const struct ui_value *ui_arg(const struct ui_args *a, const char *name);
/* True when the choice made is this word. */
bool ui_arg_is(const struct ui_args *a, const char *name, const char *choice);

#endif

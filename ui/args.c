/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args.c - specifications and words to typed values.
 */
#include "config.h"

#include "ui/args.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *spec, *shown;
} types[UI_NTYPES] = {
#define X(id, spec, shown) [UI_T_##id] = { #spec, shown },
	UI_TYPES(X)
#undef X
};

/* ---- specifications ---------------------------------------------------------------------------------- */

static void
copy(char *dst, size_t size, const char *src, size_t n)
{
	if (n >= size)
		ui_die(UI_FAILED, "specification part %.*s is too long", (int)n, src);
	memcpy(dst, src, n);
	dst[n] = '\0';
}

static void
read_one(const char *p, size_t n, struct ui_spec *s)
{
	const char *end = p + n, *colon = memchr(p, ':', n), *eq = memchr(p, '=', n), *type_end;
	size_t k;

	if (!colon)
		ui_die(UI_FAILED, "specification %.*s has no type", (int)n, p);
	*s = (struct ui_spec){ .positional = isupper((unsigned char)*p) != 0 };
	copy(s->name, sizeof(s->name), p, (size_t)(colon - p));
	type_end = eq ? eq : end;
	if (eq)
		copy(s->def, sizeof(s->def), eq + 1, (size_t)(end - eq - 1));
	s->optional = eq != NULL || type_end[-1] == '?';
	if (type_end[-1] == '?')
		type_end--;
	k = (size_t)(type_end - colon - 1);
	if (memchr(colon, '|', k + 1)) {
		s->type = UI_T_ENUM;
		copy(s->choices, sizeof(s->choices), colon + 1, k);
		return;
	}
	for (int t = 0; t < UI_NTYPES; t++)
		if (strlen(types[t].spec) == k && memcmp(types[t].spec, colon + 1, k) == 0) {
			s->type = (enum ui_type)t;
			return;
		}
	ui_die(UI_FAILED, "specification %.*s: no such type", (int)n, p);
}

void
ui_spec_read(const char *spec, struct ui_args *out)
{
	*out = (struct ui_args){ 0 };
	for (const char *p = spec; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (out->n == UI_MAX_ARGS)
			ui_die(UI_FAILED, "specification %s has too many arguments", spec);
		read_one(p, n, &out->spec[out->n++]);
		p += n;
	}
}

const char *
ui_spec_shown(const struct ui_spec *s)
{
	return s->type == UI_T_ENUM ? s->choices : types[s->type].shown;
}

void
ui_spec_usage(const char *command, const char *spec, struct lm_buf *out)
{
	struct ui_args a;

	ui_spec_read(spec, &a);
	ui_buf_str(out, command);
	for (size_t i = 0; i < a.n; i++) {
		const struct ui_spec *s = &a.spec[i];

		ui_buf_printf(out, s->optional ? " [%s" : " %s", s->name);
		if (!s->positional)
			ui_buf_printf(out, "=%s", ui_spec_shown(s));
		if (s->optional)
			ui_buf_str(out, "]");
	}
}

/* ---- values ------------------------------------------------------------------------------------------- */

/* "NAME: WANTED wanted, found \"x\"" */
static bool
unfit(const struct ui_spec *s, const struct ui_word *w, const char *wanted, struct lm_err *err)
{
	return lm_fail(err, LM_EARG, "%s: %s wanted, found \"%.*s\"", s->name, wanted,
	    (int)(w->n > 80 ? 80 : w->n), w->p);
}

/* A whole number that fills the word; a word with a zero byte in it is none. */
static bool
read_int(const struct ui_word *w, int64_t *out)
{
	char buf[32], *end;

	if (w->n == 0 || w->n >= sizeof(buf) || memchr(w->p, '\0', w->n))
		return false;
	memcpy(buf, w->p, w->n);
	buf[w->n] = '\0';
	if (!isdigit((unsigned char)buf[buf[0] == '-' || buf[0] == '+']))
		return false;
	errno = 0;
	*out = strtoll(buf, &end, 10);
	return !*end && errno == 0;
}

static bool
read_real(const struct ui_word *w, double *out)
{
	char buf[64], *end;

	if (w->n == 0 || w->n >= sizeof(buf) || isspace((unsigned char)*w->p) ||
	    memchr(w->p, '\0', w->n))
		return false;
	memcpy(buf, w->p, w->n);
	buf[w->n] = '\0';
	*out = strtod(buf, &end);
	return !*end && isfinite(*out);
}

static struct ui_word
part_of(const struct ui_word *w, size_t from, size_t to)
{
	return (struct ui_word){ .p = w->p + from, .n = to - from, .quoted = w->quoted + from };
}

static bool
read_neuron(const struct ui_word *w, struct ui_neuron *out)
{
	size_t dot = ui_word_find(w, 0, '.');
	struct ui_word a = part_of(w, 0, dot), b;
	int64_t layer, neuron;

	if (dot == w->n)
		return false;
	b = part_of(w, dot + 1, w->n);
	if (!read_int(&a, &layer) || !read_int(&b, &neuron) || layer < 0 || neuron < 0 ||
	    layer > INT32_MAX || neuron > INT32_MAX)
		return false;
	*out = (struct ui_neuron){ (uint32_t)layer, (uint32_t)neuron };
	return true;
}

static bool
read_neurons(const struct ui_spec *s, struct ui_value *v, struct lm_err *err)
{
	struct ui_word part;

	for (size_t at = 0; ui_word_part(v->word, &at, &part);) {
		v->neurons = ui_xresize(v->neurons, v->n + 1, sizeof(*v->neurons));
		if (!read_neuron(&part, &v->neurons[v->n++]))
			return unfit(s, &part, "LAYER.NEURON", err);
	}
	if (s->type == UI_T_NEURON && v->n != 1)
		return unfit(s, v->word, "one LAYER.NEURON", err);
	return true;
}

static bool
read_ids(const struct ui_spec *s, struct ui_value *v, struct lm_err *err)
{
	struct ui_word part;
	int64_t id;

	for (size_t at = 0; v->word->n && ui_word_part(v->word, &at, &part);) {
		size_t skip = part.n && part.p[0] == '#';
		struct ui_word number = part_of(&part, skip, part.n);

		if (!read_int(&number, &id) || id < 0 || id > UINT32_MAX)
			return unfit(s, &part, "ids, comma separated,", err);
		if ((v->n & (v->n - 1)) == 0)
			v->ids = ui_xresize(v->ids, v->n ? v->n * 2 : 1, sizeof(*v->ids));
		v->ids[v->n++] = (uint32_t)id;
	}
	return true;
}

/* A, A:B, A: and all. */
static bool
read_range(const struct ui_spec *s, struct ui_value *v, struct lm_err *err)
{
	size_t colon = ui_word_find(v->word, 0, ':');
	struct ui_word a = part_of(v->word, 0, colon), b;

	v->all = ui_word_is(v->word, "all") || ui_word_is(v->word, "ALL");
	v->from = 0;
	v->to = LM_END;
	if (v->all)
		return true;
	v->single = colon == v->word->n;
	if (!read_int(&a, &v->from))
		return unfit(s, v->word, "A, A:B, A: or all", err);
	if (v->single) {
		v->to = v->from;
	} else if (colon + 1 < v->word->n) {
		b = part_of(v->word, colon + 1, v->word->n);
		if (!read_int(&b, &v->to))
			return unfit(s, v->word, "A, A:B, A: or all", err);
	}
	if (v->from < INT32_MIN || v->from > INT32_MAX || v->to < INT32_MIN || v->to > LM_END)
		return unfit(s, v->word, "positions that exist", err);
	/* With one end counted from each side, only the prompt's length tells. */
	if ((v->from < 0) == (v->to < 0) && v->to < v->from)
		return unfit(s, v->word, "a range that rises", err);
	return true;
}

static bool
read_enum(const struct ui_spec *s, struct ui_value *v, struct lm_err *err)
{
	char wanted[128];
	const char *p = s->choices;

	for (v->i = 0; *p; v->i++, p += *p == '|') {
		size_t n = strcspn(p, "|");

		if (n == v->word->n && memcmp(p, v->word->p, n) == 0)
			return true;
		p += n;
	}
	snprintf(wanted, sizeof(wanted), "one of %s", s->choices);
	return unfit(s, v->word, wanted, err);
}

static bool
read_value(const struct ui_spec *s, struct ui_value *v, struct lm_err *err)
{
	switch (s->type) {
	case UI_T_COUNT:
	case UI_T_LAYER:
	case UI_T_HEAD:
		if (read_int(v->word, &v->i) && v->i >= 0)
			return true;
		return unfit(s, v->word, "a whole number of 0 or more", err);
	case UI_T_INT:
	case UI_T_POS:
		return read_int(v->word, &v->i) || unfit(s, v->word, "a whole number", err);
	case UI_T_REAL:
		return read_real(v->word, &v->r) || unfit(s, v->word, "a number", err);
	case UI_T_RANGE:
		return read_range(s, v, err);
	case UI_T_NEURON:
	case UI_T_NEURONS:
		return read_neurons(s, v, err);
	case UI_T_IDS:
		return read_ids(s, v, err);
	case UI_T_ENUM:
		return read_enum(s, v, err);
	case UI_T_FILE:
		return (v->word->n && !memchr(v->word->p, '\0', v->word->n)) ||
		    unfit(s, v->word, "the name of a file", err);
	default:
		return true;
	}
}

/* ---- words to arguments --------------------------------------------------------------------------------- */

/* The argument that the word names before an unquoted '=', or -1. */
static int
keyed(const struct ui_args *a, const struct ui_word *w)
{
	size_t eq = ui_word_find(w, 0, '=');

	if (w->starts_quoted || eq == w->n)
		return -1;
	for (size_t i = 0; i < a->n; i++)
		if (!a->spec[i].positional && strlen(a->spec[i].name) == eq &&
		    memcmp(a->spec[i].name, w->p, eq) == 0 && !memchr(w->quoted, 1, eq))
			return (int)i;
	return -1;
}

static int
next_positional(const struct ui_args *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->spec[i].positional && !a->value[i].given)
			return (int)i;
	return -1;
}

static bool
take_word(struct ui_args *a, const struct ui_word *w, const char *line, size_t len, bool *rest,
    struct lm_err *err)
{
	int i = keyed(a, w);
	size_t skip = i >= 0 ? strlen(a->spec[i].name) + 1 : 0;

	if (i < 0)
		i = next_positional(a);
	if (i < 0)
		return lm_fail(err, LM_EARG, "\"%.*s\" is one argument too many%s",
		    (int)(w->n > 80 ? 80 : w->n), w->p,
		    memchr(w->p, '=', w->n) ? ": there is no option of that name" :
		    "; a text with blanks needs quotes");
	if (a->value[i].given)
		return lm_fail(err, LM_EARG, "%s is given twice", a->spec[i].name);
	a->word[i] = part_of(w, skip, w->n);
	*rest = a->spec[i].type == UI_T_REST && !w->starts_quoted;
	if (*rest) {
		a->word[i].p = (char *)(uintptr_t)line + w->at;
		a->word[i].n = len - w->at;
	}
	a->value[i].word = &a->word[i];
	a->value[i].given = a->value[i].set = true;
	return read_value(&a->spec[i], &a->value[i], err);
}

static bool
take_defaults(struct ui_args *a, struct lm_err *err)
{
	static unsigned char unquoted[sizeof(a->spec[0].def)];

	for (size_t i = 0; i < a->n; i++) {
		struct ui_spec *s = &a->spec[i];

		if (a->value[i].given)
			continue;
		if (!s->optional)
			return lm_fail(err, LM_EARG, "%s is missing", s->name);
		if (!*s->def)
			continue;
		a->word[i] = (struct ui_word){ .p = s->def, .n = strlen(s->def), .quoted = unquoted };
		a->value[i].word = &a->word[i];
		a->value[i].set = true;
		if (!read_value(s, &a->value[i], err))
			return false;
	}
	return true;
}

bool
ui_args_read(struct ui_args *a, const struct ui_words *words, const char *line, size_t len,
    struct lm_err *err)
{
	bool rest = false;

	for (size_t i = 1; i < words->n && !rest; i++)
		if (!take_word(a, &words->v[i], line, len, &rest, err))
			return false;
	return take_defaults(a, err);
}

void
ui_args_free(struct ui_args *a)
{
	for (size_t i = 0; i < a->n; i++) {
		ui_free(a->value[i].neurons);
		ui_free(a->value[i].ids);
	}
	a->n = 0;
}

const struct ui_value *
ui_arg(const struct ui_args *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->spec[i].name, name) == 0)
			return &a->value[i];
	ui_die(UI_FAILED, "no argument %s", name);
}

bool
ui_arg_is(const struct ui_args *a, const char *name, const char *choice)
{
	return ui_word_is(ui_arg(a, name)->word, choice);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opts.c - the option table and its values.
 */
#include "config.h"

#include "ui/opts.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct ui_opt_row rows[UI_NOPTS] = {
#define OPT(name, kind, where, def, values, help) \
	[UI_OPT_##name] = { #name, UI_O_##kind, where, def, values, help },
#include "ui/opts.def"
#undef OPT
};

const struct ui_opt_row *
ui_opt_row(enum ui_opt i)
{
	return &rows[i];
}

static bool
read_word(const char *values, const char *value, int64_t *out)
{
	size_t n = strlen(value);

	*out = 0;
	for (const char *p = values; *p; p += *p == '|', (*out)++) {
		size_t k = strcspn(p, "|");

		if (k == n && memcmp(p, value, n) == 0)
			return true;
		p += k;
	}
	return false;
}

static bool
read_number(const char *value, bool bytes, int64_t *out)
{
	char *end;
	int shift = 0;

	if (!isdigit((unsigned char)*value))
		return false;
	errno = 0;
	*out = strtoll(value, &end, 10);
	if (bytes && *end) {
		const char *suffix = strchr("KMGT", toupper((unsigned char)*end));

		if (!suffix)
			return false;
		shift = 10 * (int)(suffix - "KMGT" + 1);
		end++;
	}
	if (*end || errno || *out > INT64_MAX >> shift)
		return false;
	*out <<= shift;
	return true;
}

static bool
store(struct ui_opts *o, enum ui_opt i, const char *value, struct lm_err *err)
{
	const struct ui_opt_row *r = &rows[i];
	int64_t n = 0;
	bool ok = true;

	if (r->kind == UI_O_WORD || r->kind == UI_O_SWITCH)
		ok = read_word(r->values, value, &n);
	else if (r->kind == UI_O_NUMBER || r->kind == UI_O_BYTES)
		ok = read_number(value, r->kind == UI_O_BYTES, &n);
	if (!ok || (i == UI_OPT_threads && n > 1024))
		return lm_fail(err, LM_EARG, "%s: %s wanted, found \"%.80s\"", r->name, r->values, value);
	ui_free(o->text[i]);
	o->text[i] = ui_xstrdup(value);
	o->number[i] = n;
	return true;
}

void
ui_opts_init(struct ui_opts *o)
{
	struct lm_err err;

	*o = (struct ui_opts){ 0 };
	for (int i = 0; i < UI_NOPTS; i++)
		if (!store(o, (enum ui_opt)i, rows[i].def, &err))
			ui_die(UI_FAILED, "%s", err.msg);
}

void
ui_opts_free(struct ui_opts *o)
{
	for (int i = 0; i < UI_NOPTS; i++)
		ui_free(o->text[i]);
	*o = (struct ui_opts){ 0 };
}

static bool
same_name(const char *row, const char *name, size_t n)
{
	if (strlen(row) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (row[i] != (name[i] == '-' ? '_' : name[i]))
			return false;
	return true;
}

const struct ui_opt_row *
ui_opt_find(const char *name, size_t n)
{
	for (int i = 0; i < UI_NOPTS; i++)
		if (same_name(rows[i].name, name, n))
			return &rows[i];
	return NULL;
}

bool
ui_opts_set(struct ui_opts *o, const char *name, size_t name_len, const char *value, size_t len,
    unsigned where, struct lm_err *err)
{
	const struct ui_opt_row *r = ui_opt_find(name, name_len);
	char *copy;
	bool ok;

	if (!r)
		return lm_fail(err, LM_EARG, "there is no option %.*s", (int)(name_len > 60 ? 60 : name_len),
		    name);
	if (!(r->where & where))
		return lm_fail(err, LM_EARG, "%s can only be set %s", r->name,
		    where == O_SET ? "on the command line" : "by the command set");
	copy = ui_xmemdup(value, len);
	ok = store(o, (enum ui_opt)(r - rows), copy, err);
	ui_free(copy);
	return ok;
}

bool
ui_opt_on(const struct ui_opts *o, enum ui_opt i)
{
	return o->number[i] != 0;
}

bool
ui_opt_is(const struct ui_opts *o, enum ui_opt i, const char *word)
{
	return strcmp(o->text[i], word) == 0;
}

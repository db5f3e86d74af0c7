/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_json.c - answers as JSON, one object a line; numbers have the digits to give the same bits back.
 */
#include "config.h"

#include "ui/out.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { DIGITS = sizeof(lm_real) == sizeof(double) ? 17 : 9 };

bool
ui_json_real(struct lm_buf *out, double v)
{
	if (!isfinite(v)) {
		ui_buf_str(out, "null");
		return false;
	}
	ui_buf_printf(out, "%.*g", (int)DIGITS, v);
	return true;
}

/* Controls and the line ends that JSON readers of old stumble over are written as escapes. */
static bool
needs_escape(int32_t cp)
{
	return cp < 0x20 || cp == '"' || cp == '\\' || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 ||
	    cp == 0x2029;
}

/* p must be UTF-8. */
static void
put_string(struct lm_buf *out, const char *p, size_t n)
{
	ui_buf_str(out, "\"");
	for (size_t i = 0, k; i < n; i += k) {
		int32_t cp;

		k = lm_utf8_next(p + i, n - i, &cp);
		if (!needs_escape(cp))
			ui_buf_add(out, p + i, k);
		else if (cp == '"' || cp == '\\')
			ui_buf_printf(out, "\\%c", (char)cp);
		else if (cp == '\n')
			ui_buf_str(out, "\\n");
		else if (cp == '\t')
			ui_buf_str(out, "\\t");
		else
			ui_buf_printf(out, "\\u%04x", (unsigned)cp);
	}
	ui_buf_str(out, "\"");
}

static bool
put_mended(struct lm_buf *out, const char *p, size_t n)
{
	struct lm_buf mended = { 0 };
	struct lm_err err;
	bool exact;

	if (!lm_utf8_mend(p, n, &mended, &exact, &err))
		ui_die(UI_FAILED, "%s", err.msg);
	put_string(out, mended.p, mended.len);
	lm_buf_free(&mended);
	return exact;
}

void
ui_json_string(struct lm_buf *out, const char *p, size_t n)
{
	put_mended(out, p, n);
}

bool
ui_json_cell(struct lm_buf *out, const struct ix_cell *c)
{
	bool finite = true;

	switch (c->type) {
	case IX_INT:
		ui_buf_printf(out, "%" PRId64, c->i);
		break;
	case IX_BOOL:
		ui_buf_str(out, c->i ? "true" : "false");
		break;
	case IX_REAL:
		return ui_json_real(out, c->r);
	case IX_TEXT:
	case IX_TOKEN:
		ui_json_string(out, c->s.p, c->s.n);
		break;
	case IX_LIST:
		ui_buf_str(out, "[");
		for (size_t i = 0; i < c->list.n; i++) {
			ui_buf_str(out, i ? "," : "");
			finite &= ui_json_cell(out, &c->list.v[i]);
		}
		ui_buf_str(out, "]");
		break;
	case IX_NULL:
		ui_buf_str(out, "null");
	}
	return finite;
}

/* The numbers of an array, flat. */
static bool
put_numbers(struct lm_buf *out, const struct ui_field *f)
{
	size_t n = 1;
	bool finite = true;

	for (unsigned i = 0; i < f->dims; i++)
		n *= f->shape[i];
	ui_buf_str(out, "[");
	for (size_t i = 0; i < n; i++) {
		ui_buf_str(out, i ? "," : "");
		finite &= ui_json_real(out, (double)f->numbers[i]);
	}
	ui_buf_str(out, "]");
	return finite;
}

/* ---- objects --------------------------------------------------------------------------------------------- */

/* ,"name":value, and the exact bytes as ,"hex" where the text shows them changed. */
static bool
put_member(struct lm_buf *out, const char *name, const struct ix_cell *c, bool first)
{
	bool exact;

	ui_buf_printf(out, "%s\"%s\":", first ? "" : ",", name);
	if (c->type != IX_TOKEN)
		return ui_json_cell(out, c);
	exact = put_mended(out, c->s.p, c->s.n);
	if (!exact) {
		size_t n = strlen(name);

		/* "text" has "hex", "other_text" has "other_hex". */
		if (n >= 4 && strcmp(name + n - 4, "text") == 0)
			n -= 4;
		ui_buf_printf(out, ",\"%.*shex\":\"", (int)n, name);
		for (size_t i = 0; i < c->s.n; i++)
			ui_buf_printf(out, "%02x", (unsigned char)c->s.p[i]);
		ui_buf_str(out, "\"");
	}
	return true;
}

static bool
put_table(struct lm_buf *out, const struct ix_table *t)
{
	bool finite = true;

	ui_buf_str(out, "[");
	for (size_t r = 0; r < t->n_rows; r++) {
		bool row_finite = true;

		ui_buf_str(out, r ? ",{" : "{");
		for (size_t c = 0; c < t->n_cols; c++)
			row_finite &= put_member(out, t->cols[c].name, ix_table_cell(t, r, c), c == 0);
		ui_buf_str(out, row_finite ? "}" : ",\"nonfinite\":true}");
		finite &= row_finite;
	}
	ui_buf_str(out, "]");
	return finite;
}

static bool put_fields(struct lm_buf *out, const struct ui_result *r, bool first);

bool
ui_json_value(struct lm_buf *out, const struct ui_field *f)
{
	bool finite;

	switch (f->kind) {
	case UI_VALUE:
		return ui_json_cell(out, &f->value);
	case UI_ARRAY:
		return put_numbers(out, f);
	case UI_TABLE:
		return put_table(out, &f->table);
	case UI_OBJECT:
		ui_buf_str(out, "{");
		finite = put_fields(out, f->object, true);
		ui_buf_str(out, finite ? "}" : ",\"nonfinite\":true}");
		return finite;
	}
	return true;
}

void
ui_json_shape(struct lm_buf *out, const struct ui_field *f)
{
	ui_buf_str(out, "[");
	for (unsigned i = 0; i < f->dims; i++)
		ui_buf_printf(out, "%s%zu", i ? "," : "", f->shape[i]);
	ui_buf_str(out, "]");
}

static bool
put_field(struct lm_buf *out, const struct ui_field *f, bool first)
{
	if (f->kind == UI_VALUE)
		return put_member(out, f->name, &f->value, first);
	ui_buf_str(out, first ? "" : ",");
	if (f->kind == UI_ARRAY) {
		ui_buf_str(out, "\"shape\":");
		ui_json_shape(out, f);
		ui_buf_str(out, ",");
	}
	ui_buf_printf(out, "\"%s\":", f->name);
	return ui_json_value(out, f);
}

static bool
put_fields(struct lm_buf *out, const struct ui_result *r, bool first)
{
	bool finite = true;

	for (size_t i = 0; i < r->n; i++)
		finite &= put_field(out, r->fields[i], first && i == 0);
	return finite;
}

void
ui_out_json(struct lm_buf *out, const struct ui_envelope *e, const struct ui_result *r,
    const struct lm_err *err)
{
	bool finite = true;

	ui_buf_str(out, "{\"v\":1,\"command\":");
	ui_json_string(out, e->command, strlen(e->command));
	ui_buf_str(out, ",\"model\":");
	if (*e->digest)
		ui_json_string(out, e->digest, strlen(e->digest));
	else
		ui_buf_str(out, "null");
	ui_buf_printf(out, ",\"ms\":%.3f", e->ms);
	if (r) {
		finite = put_fields(out, r, false);
	} else {
		ui_buf_printf(out, ",\"error\":{\"code\":\"%s\",\"message\":", lm_code_name(err->code));
		ui_json_string(out, err->msg, strlen(err->msg));
		ui_buf_str(out, "}");
	}
	ui_buf_str(out, finite ? "}\n" : ",\"nonfinite\":true}\n");
}

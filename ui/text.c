/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - strings measured in terminal cells, and values as text.
 */
#include "config.h"

#include "ui/text.h"

#include <inttypes.h>
#include <math.h>

static size_t
char_cells(const char *s, size_t n, size_t *bytes)
{
	int32_t cp;
	int w;

	*bytes = lm_utf8_next(s, n, &cp);
	w = cp < 0 ? 1 : lm_char_width(cp);
	return w > 0 ? (size_t)w : 0;
}

size_t
ui_text_width(const char *s, size_t n)
{
	size_t w = 0;

	for (size_t i = 0, k; i < n; i += k)
		w += char_cells(s + i, n - i, &k);
	return w;
}

size_t
ui_text_fit(const char *s, size_t n, size_t w, size_t *used)
{
	size_t i = 0, k;

	*used = 0;
	while (i < n) {
		size_t cells = char_cells(s + i, n - i, &k);

		if (*used + cells > w)
			break;
		*used += cells;
		i += k;
	}
	return i;
}

void
ui_text_real(struct lm_buf *out, double v)
{
	if (isnan(v))
		ui_buf_str(out, "nan");
	else if (isinf(v))
		ui_buf_str(out, v > 0 ? "inf" : "-inf");
	else if (fabs(v) >= 1e6 || (v != 0 && fabs(v) < 1e-4))
		ui_buf_printf(out, "%.3e", v);
	else if (v == 0)
		ui_buf_str(out, "0");
	else
		ui_buf_printf(out, "%.*f", (int)fmax(0, 3 - floor(log10(fabs(v)))), v);
}

int
ui_text_decimals(double max)
{
	double d;

	if (!isfinite(max) || max <= 0)
		return 3;
	d = 3 - floor(log10(max));
	return d < 0 ? 0 : d > 4 ? 4 : (int)d;
}

void
ui_text_fixed(struct lm_buf *out, double v, int decimals)
{
	/* What would show as nothing but zeros, or run out of its column, is written with an exponent. */
	if (!isfinite(v) || (v != 0 && fabs(v) < 0.5 * pow(10, -decimals)) || fabs(v) >= 1e6) {
		if (isfinite(v))
			ui_buf_printf(out, "%.0e", v);
		else
			ui_text_real(out, v);
		return;
	}
	ui_buf_printf(out, "%.*f", decimals, v);
}

void
ui_text_cell(struct lm_buf *out, const struct ix_cell *c, bool quoted, bool ascii)
{
	switch (c->type) {
	case IX_NULL:
		ui_buf_str(out, "-");
		break;
	case IX_INT:
		ui_buf_printf(out, "%" PRId64, c->i);
		break;
	case IX_BOOL:
		ui_buf_str(out, c->i ? "yes" : "no");
		break;
	case IX_REAL:
		ui_text_real(out, c->r);
		break;
	case IX_TEXT:
		ui_buf_escape(out, c->s.p, c->s.n, ascii);
		break;
	case IX_TOKEN:
		/* Quotes, so that its spaces are seen. */
		ui_buf_str(out, quoted ? "\"" : "");
		ui_buf_escape(out, c->s.p, c->s.n, ascii);
		ui_buf_str(out, quoted ? "\"" : "");
		break;
	case IX_LIST:
		for (size_t i = 0; i < c->list.n; i++) {
			ui_buf_str(out, i ? " " : "");
			ui_text_cell(out, &c->list.v[i], quoted, ascii);
		}
	}
}

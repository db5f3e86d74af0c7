/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out.h - answers as text, TSV or JSON.
 */
#ifndef UI_OUT_H
#define UI_OUT_H

#include "ui/result.h"

/* Aligned tables and "name  value" lines for people; ascii: nothing above 0x7E. */
void ui_out_text(struct lm_buf *out, const struct ui_result *r, bool ascii);
/* A header line, then rows; fields without rows are one row; arrays in a cell are JSON. */
void ui_out_tsv(struct lm_buf *out, const struct ui_result *r);

/* What surrounds an answer in JSON. */
struct ui_envelope {
	const char *command;
	const char *digest;		/* of the model; "" for none */
	double ms;
};
/* One object on one line; r NULL: the error that err holds. */
void ui_out_json(struct lm_buf *out, const struct ui_envelope *e, const struct ui_result *r,
    const struct lm_err *err);

/* Parts of it, without a name; false when a number is not finite, which is written as null. */
bool ui_json_real(struct lm_buf *out, double v);
void ui_json_string(struct lm_buf *out, const char *p, size_t n);
bool ui_json_cell(struct lm_buf *out, const struct ix_cell *c);
bool ui_json_value(struct lm_buf *out, const struct ui_field *f);
void ui_json_shape(struct lm_buf *out, const struct ui_field *f);

#endif

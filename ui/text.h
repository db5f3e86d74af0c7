/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - strings measured in terminal cells.
 */
#ifndef UI_TEXT_H
#define UI_TEXT_H

#include "ui/base.h"

/* Cells that escaped text takes. */
size_t ui_text_width(const char *s, size_t n);
/* Bytes of the longest part of s that fits into w cells; *used: the cells it takes. */
size_t ui_text_fit(const char *s, size_t n, size_t w, size_t *used);
/* A number for people: four significant digits. */
void ui_text_real(struct lm_buf *out, double v);
/* Decimals that give the largest magnitude of a column four digits; and a number with so many of them. */
int ui_text_decimals(double max);
void ui_text_fixed(struct lm_buf *out, double v, int decimals);
/* A cell of a table as escaped text; tokens in quotes when quoted is set. */
void ui_text_cell(struct lm_buf *out, const struct ix_cell *c, bool quoted, bool ascii);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rope.h - rotary position embedding (Su et al. 2021, "RoFormer").
 */
#ifndef LM_ROPE_H
#define LM_ROPE_H

#include "src/model.h"

/* Cosines and sines of positions [pos, pos + n): each [n, dims / 2]. */
void lm_rope_table(const struct lm_model *m, size_t pos, size_t n, lm_real *cosine, lm_real *sine);
/*
 * Turns `heads` heads of x [n, heads * head_width] in place, row i by the row i of the tables.
 */
void lm_rope_turn(const struct lm_model *m, lm_real *x, size_t n, size_t heads, const lm_real *cosine,
    const lm_real *sine);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * act.h - activation functions phi of the MLPs (methods.md section 1).
 */
#ifndef LM_ACT_H
#define LM_ACT_H

#include "src/kern.h"

enum lm_act {
#define ACT(id, names, f, df, ratio) LM_ACT_##id,
#include "src/act.def"
#undef ACT
	LM_NACTS
};

/* Finds the function that a configuration names; false when none has that name. */
bool lm_act_by_name(const char *name, enum lm_act *out);
/* The first of its names. */
const char *lm_act_name(enum lm_act act, char *buf, size_t size);
/* The known names, blank separated, for messages. */
const char *lm_act_names(void);

/* phi(x), phi'(x), and phi(x)/x with its limit at 0 (the frozen gate of methods.md section 4.2). */
double lm_act_value(enum lm_act act, double x);
double lm_act_slope(enum lm_act act, double x);
double lm_act_ratio(enum lm_act act, double x);
/* x[k] = phi(x[k]) */
void lm_act_apply(enum lm_act act, const struct lm_kern *kern, lm_real *x, size_t n);

#endif

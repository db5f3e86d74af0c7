/* SPDX-License-Identifier: Apache-2.0 */
/*
 * act.c - activation functions, from the rows of act.def.
 */
#include "config.h"

#include "src/act.h"

#include <math.h>
#include <string.h>

#define QUICK 1.702			/* of quick_gelu */
#define TANH_A 1.5957691216057308	/* 2 sqrt(2/pi): (1 + tanh(y))/2 = sigma(2y) */
#define TANH_B 0.044715			/* both of GELU's tanh form */

static double
sigma(double x)
{
	return 1 / (1 + exp(-x));
}

/* log(1 + exp(x)) */
static double
soft(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* The normal distribution function and its density. */
static double
phi(double x)
{
	return 0.5 * erfc(-x * 0.7071067811865476);
}

static double
phi_slope(double x)
{
	return 0.3989422804014327 * exp(-0.5 * x * x);
}

static double
tanh_gate(double x)
{
	return sigma(TANH_A * (x + TANH_B * x * x * x));
}

static double
tanh_gate_slope(double x)
{
	double s = tanh_gate(x);

	return s * (1 - s) * TANH_A * (1 + 3 * TANH_B * x * x);
}

#define ACT(id, names, f, df, ratio) \
static double act_##id(double x) { return f; } \
static double slope_##id(double x) { (void)x; return df; } \
static double ratio_##id(double x) { (void)x; return ratio; }
#include "src/act.def"
#undef ACT

static const struct {
	const char *names;
	double (*f)(double), (*df)(double), (*ratio)(double);
} table[LM_NACTS] = {
#define ACT(id, names, f, df, ratio) [LM_ACT_##id] = { names, act_##id, slope_##id, ratio_##id },
#include "src/act.def"
#undef ACT
};

bool
lm_act_by_name(const char *name, enum lm_act *out)
{
	size_t n = strlen(name);

	for (int i = 0; i < LM_NACTS; i++)
		for (const char *p = table[i].names; *p; p += *p == ' ') {
			size_t len = strcspn(p, " ");

			if (len == n && memcmp(p, name, n) == 0) {
				*out = (enum lm_act)i;
				return true;
			}
			p += len;
		}
	return false;
}

const char *
lm_act_name(enum lm_act act, char *buf, size_t size)
{
	size_t n = strcspn(table[act].names, " ");

	n = n < size ? n : size - 1;
	memcpy(buf, table[act].names, n);
	buf[n] = '\0';
	return buf;
}

const char *
lm_act_names(void)
{
	return
#define ACT(id, names, f, df, ratio) names " "
#include "src/act.def"
#undef ACT
	    "";
}

double
lm_act_value(enum lm_act act, double x)
{
	return table[act].f(x);
}

double
lm_act_slope(enum lm_act act, double x)
{
	return table[act].df(x);
}

double
lm_act_ratio(enum lm_act act, double x)
{
	return table[act].ratio(x);
}

void
lm_act_apply(enum lm_act act, const struct lm_kern *kern, lm_real *x, size_t n)
{
	switch (act) {
	case LM_ACT_SILU:
		kern->swish(1, 0, x, n);
		return;
	case LM_ACT_QUICK_GELU:
		kern->swish((lm_real)QUICK, 0, x, n);
		return;
	case LM_ACT_GELU_TANH:
		kern->swish((lm_real)TANH_A, (lm_real)TANH_B, x, n);
		return;
	default:
		for (size_t k = 0; k < n; k++)
			x[k] = (lm_real)table[act].f(x[k]);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kern.h - the inner loops that BLAS has no call for, or is slower at: products with one vector from
 * weights in their stored type, and exponentials over rows.
 *
 * One source (kern_impl.h) is compiled for each instruction set of interest; lm_kern_get picks at run
 * time.  The table named "reference" is the plain version: tests compare the others with it.
 */
#ifndef LM_KERN_H
#define LM_KERN_H

#include "src/dtype.h"

/* Running sums over scores s of a decode: see lm_kern.moments. */
struct lm_moments {
	double n1, n2, n3, n4;		/* sums of (s - pivot)^1..4 */
	double z0, z1;			/* sums of exp(s - max) and of exp(s - max) * (s - max) */
};

struct lm_kern {
	const char *name;		/* "avx512", "avx2", "base", "reference" */

	/*
	 * y[r] = sum over k of w[r][k] * x[k], for `rows` stored rows that lie `stride` bytes apart, each
	 * of n elements; the order of the sum depends on n alone.  NULL: the type has no kernel.
	 */
	void (*dots[LM_NDTYPES])(const unsigned char *w, size_t stride, size_t rows, const lm_real *x,
	    size_t n, lm_real *y);
	/* The same for rows of lm_real, ld elements apart. */
	void (*dots_real)(const lm_real *w, size_t ld, size_t rows, const lm_real *x, size_t n,
	    lm_real *y);
	/* y[k] += a * x[k] */
	void (*axpy)(lm_real a, const lm_real *x, lm_real *y, size_t n);
	/* Stored elements to lm_real; NULL: use lm_dtype_info.row. */
	void (*widen[LM_NDTYPES])(const unsigned char *src, lm_real *dst, size_t n);

	/* x[k] = exp(x[k] - max) / sum, over n > 0 elements. */
	void (*softmax)(lm_real *x, size_t n);
	void (*minmax)(const lm_real *s, size_t n, lm_real *min, lm_real *max);
	/* Adds s[0..n) to *m, with exponentials relative to max. */
	void (*moments)(const lm_real *s, size_t n, lm_real pivot, lm_real max, struct lm_moments *m);
	/* x = x / (1 + exp(-a (x + b x^3))), each: SiLU at a = 1, b = 0; GELU's tanh form as well. */
	void (*swish)(lm_real a, lm_real b, lm_real *x, size_t n);
};

/* The fastest table that this processor runs. */
const struct lm_kern *lm_kern_get(void);
/* The i-th table that this processor runs, the reference first; NULL after the last. */
const struct lm_kern *lm_kern_nth(unsigned i);

#endif

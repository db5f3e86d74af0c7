/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mat.h - a weight matrix as it lies on disk, and products with it.
 *
 * A matrix [out,in] acts as y = W x.  Stored are either its rows ([out,in]) or, in files of the Conv1D
 * kind, its columns ([in,out]).  Nothing is copied: what a product needs is widened in blocks.
 */
#ifndef LM_MAT_H
#define LM_MAT_H

#include "src/kern.h"

struct lm_mat {
	const unsigned char *data;	/* NULL: there is no such matrix */
	enum lm_dtype type;
	bool columns;			/* stored rows are columns of W; then the type has blocks of 1 */
	size_t out, in;
	size_t stride;			/* bytes from one stored row to the next ... */
	size_t group, group_stride;	/* ... within groups of this many rows, that lie so far apart */
};

/* Rows [r0, r0 + n) of W, widened to dst [n,in]. */
void lm_mat_rows(const struct lm_mat *w, const struct lm_kern *kern, size_t r0, size_t n, lm_real *dst);
/* Columns [c0, c0 + n) of W, each a row of dst [n,out]. */
void lm_mat_cols(const struct lm_mat *w, const struct lm_kern *kern, size_t c0, size_t n, lm_real *dst);

/* What a product needs beside its operands. */
struct lm_ctx {
	lm_pool *pool;
	const struct lm_kern *kern;
	lm_real **scratch;		/* [threads], LM_SCRATCH elements each */
};

/* Elements of a block of widened weights, 2 MiB of floats; no matrix has longer rows (hparams.c). */
enum { LM_SCRATCH = 1 << 19 };

bool lm_ctx_init(struct lm_ctx *c, lm_pool *pool, struct lm_err *err);
void lm_ctx_fini(struct lm_ctx *c);

/*
 * y [n,out] = x [n,in] W' + bias, rows of x and y being ldx and ldy apart; bias [out] or NULL.
 * A few rows go through the kernels, more through BLAS; which, and how the work is cut, depends on the
 * shapes alone, so that the same shapes give the same bits whatever the number of threads.
 */
void lm_mat_apply(const struct lm_ctx *c, const struct lm_mat *w, const lm_real *bias,
    const lm_real *x, size_t ldx, size_t n, lm_real *y, size_t ldy);
/* The plain version of lm_mat_apply, for tests. */
void lm_mat_apply_ref(const struct lm_mat *w, const lm_real *bias, const lm_real *x, size_t ldx,
    size_t n, lm_real *y, size_t ldy);
/* y [in] = W' x, x [out]: every column of W times x. */
void lm_mat_apply_t(const struct lm_ctx *c, const struct lm_mat *w, const lm_real *x, lm_real *y);

/* BLAS is called from our threads, with one thread of its own: to be said before the first call. */
void lm_blas_init(void);
/* C [m,n] = A [m,k] B', B [n,k]; and C [m,n] = A [m,k] B, B [k,n].  On the calling thread. */
void lm_gemm_nt(size_t m, size_t n, size_t k, const lm_real *a, size_t lda, const lm_real *b,
    size_t ldb, lm_real *c, size_t ldc);
void lm_gemm_nn(size_t m, size_t n, size_t k, const lm_real *a, size_t lda, const lm_real *b,
    size_t ldb, lm_real *c, size_t ldc);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mat.c - blocks of a stored matrix, and the products of the forward pass.
 */
#include "config.h"

#include "src/mat.h"

#include <string.h>

enum {
	FEW = 4,			/* rows of x up to which the kernels beat BLAS */
	KERN_ROWS = 64,			/* rows of W in a piece of work for the kernels */
	MAX_ROWS = 512,			/* ... and for BLAS, when rows are short */
};

static const unsigned char *
stored_row(const struct lm_mat *w, size_t r)
{
	return w->data + r / w->group * w->group_stride + r % w->group * w->stride;
}

/* n elements of a stored row from element k on; k and n are whole blocks. */
static void
widen(const struct lm_mat *w, const struct lm_kern *kern, size_t row, size_t k, size_t n,
    lm_real *dst)
{
	const struct lm_dtype_info *t = lm_dtype_get(w->type);
	const unsigned char *p = stored_row(w, row) + k / t->block * t->bytes;

	if (kern->widen[w->type])
		kern->widen[w->type](p, dst, n);
	else
		t->row(p, dst, n);
}

/* Stored rows [r0, r0 + n), elements [k0, k0 + len), transposed into dst [len,n]. */
static void
transposed(const struct lm_mat *w, const struct lm_kern *kern, size_t r0, size_t n, size_t k0,
    size_t len, lm_real *dst)
{
	enum { TILE = 256 };
	const unsigned block = lm_dtype_get(w->type)->block;
	lm_real buf[TILE + 256];	/* a tile, and the blocks that its ends cut */

	for (size_t k = 0; k < len; k += TILE) {
		size_t m = len - k < TILE ? len - k : TILE;
		size_t a = (k0 + k) / block * block, b = (k0 + k + m + block - 1) / block * block;

		for (size_t r = 0; r < n; r++) {
			widen(w, kern, r0 + r, a, b - a, buf);
			for (size_t i = 0; i < m; i++)
				dst[(k + i) * n + r] = buf[k0 + k - a + i];
		}
	}
}

void
lm_mat_rows(const struct lm_mat *w, const struct lm_kern *kern, size_t r0, size_t n, lm_real *dst)
{
	if (w->columns) {
		transposed(w, kern, 0, w->in, r0, n, dst);
		return;
	}
	for (size_t r = 0; r < n; r++)
		widen(w, kern, r0 + r, 0, w->in, dst + r * w->in);
}

void
lm_mat_cols(const struct lm_mat *w, const struct lm_kern *kern, size_t c0, size_t n, lm_real *dst)
{
	if (!w->columns) {
		transposed(w, kern, 0, w->out, c0, n, dst);
		return;
	}
	for (size_t r = 0; r < n; r++)
		widen(w, kern, c0 + r, 0, w->out, dst + r * w->out);
}

/* ---- products -------------------------------------------------------------------------------------- */

bool
lm_ctx_init(struct lm_ctx *c, lm_pool *pool, struct lm_err *err)
{
	int n = lm_pool_threads(pool);

	lm_blas_init();
	*c = (struct lm_ctx){ .pool = pool, .kern = lm_kern_get() };
	c->scratch = lm_zalloc((size_t)n, sizeof(*c->scratch), err);
	if (!c->scratch)
		return false;
	for (int i = 0; i < n; i++)
		if (!(c->scratch[i] = lm_alloc(LM_SCRATCH, sizeof(lm_real), err)))
			return false;
	return true;
}

void
lm_ctx_fini(struct lm_ctx *c)
{
	for (int i = 0; c->scratch && i < lm_pool_threads(c->pool); i++)
		lm_free(c->scratch[i]);
	lm_free(c->scratch);
	*c = (struct lm_ctx){ 0 };
}

/* One call of lm_mat_apply, for the workers. */
struct apply {
	const struct lm_ctx *c;
	const struct lm_mat *w;
	const lm_real *bias, *x;
	lm_real *y;
	size_t ldx, ldy, n;
	size_t rows;			/* of W in a piece */
};

static void
add_bias(const struct apply *a, size_t r0, size_t rows)
{
	if (!a->bias)
		return;
	for (size_t t = 0; t < a->n; t++)
		a->c->kern->axpy(1, a->bias + r0, a->y + t * a->ldy + r0, rows);
}

/* Stored rows are what a kernel multiplies with; groups of them are cut where they end. */
static void
dots_rows(const struct apply *a, size_t r0, size_t rows, lm_real *scratch)
{
	const struct lm_mat *w = a->w;
	const struct lm_kern *kern = a->c->kern;

	for (size_t r = r0, m; r < r0 + rows; r += m) {
		m = w->group - r % w->group;
		m = m < r0 + rows - r ? m : r0 + rows - r;
		if (kern->dots[w->type]) {
			for (size_t t = 0; t < a->n; t++)
				kern->dots[w->type](stored_row(w, r), w->stride, m, a->x + t * a->ldx, w->in,
				    a->y + t * a->ldy + r);
			continue;
		}
		m = 1;
		widen(w, kern, r, 0, w->in, scratch);
		for (size_t t = 0; t < a->n; t++)
			kern->dots_real(scratch, w->in, 1, a->x + t * a->ldx, w->in, a->y + t * a->ldy + r);
	}
}

/* y[r0..] = sum over k of x[k] times stored row k, restricted to these outputs. */
static void
axpy_columns(const struct apply *a, size_t r0, size_t rows, lm_real *scratch)
{
	for (size_t t = 0; t < a->n; t++)
		memset(a->y + t * a->ldy + r0, 0, rows * sizeof(lm_real));
	for (size_t k = 0; k < a->w->in; k++) {
		widen(a->w, a->c->kern, k, r0, rows, scratch);
		for (size_t t = 0; t < a->n; t++)
			a->c->kern->axpy(a->x[t * a->ldx + k], scratch, a->y + t * a->ldy + r0, rows);
	}
}

static void
apply_few(void *ctx, size_t i, int worker)
{
	const struct apply *a = ctx;
	size_t r0 = i * a->rows, rows = a->w->out - r0 < a->rows ? a->w->out - r0 : a->rows;

	if (a->w->columns)
		axpy_columns(a, r0, rows, a->c->scratch[worker]);
	else
		dots_rows(a, r0, rows, a->c->scratch[worker]);
	add_bias(a, r0, rows);
}

/* True when BLAS can read the stored rows as they are. */
static bool
blas_ready(const struct lm_mat *w)
{
	return w->type == (sizeof(lm_real) == sizeof(float) ? LM_F32 : LM_F64) &&
	    w->group >= (w->columns ? w->in : w->out) && (uintptr_t)w->data % sizeof(lm_real) == 0 && w->stride % sizeof(lm_real) == 0;
}

static void
apply_many(void *ctx, size_t i, int worker)
{
	const struct apply *a = ctx;
	const struct lm_mat *w = a->w;
	size_t r0 = i * a->rows, rows = w->out - r0 < a->rows ? w->out - r0 : a->rows;
	lm_real *block = a->c->scratch[worker];

	if (blas_ready(w) && !w->columns) {
		lm_gemm_nt(a->n, rows, w->in, a->x, a->ldx, (const lm_real *)stored_row(w, r0),
		    w->stride / sizeof(lm_real), a->y + r0, a->ldy);
	} else if (blas_ready(w)) {
		lm_gemm_nn(a->n, rows, w->in, a->x, a->ldx, (const lm_real *)w->data + r0,
		    w->stride / sizeof(lm_real), a->y + r0, a->ldy);
	} else if (w->columns) {
		for (size_t k = 0; k < w->in; k++)
			widen(w, a->c->kern, k, r0, rows, block + k * rows);
		lm_gemm_nn(a->n, rows, w->in, a->x, a->ldx, block, rows, a->y + r0, a->ldy);
	} else {
		for (size_t r = 0; r < rows; r++)
			widen(w, a->c->kern, r0 + r, 0, w->in, block + r * w->in);
		lm_gemm_nt(a->n, rows, w->in, a->x, a->ldx, block, w->in, a->y + r0, a->ldy);
	}
	add_bias(a, r0, rows);
}

void
lm_mat_apply(const struct lm_ctx *c, const struct lm_mat *w, const lm_real *bias, const lm_real *x,
    size_t ldx, size_t n, lm_real *y, size_t ldy)
{
	struct apply a = { c, w, bias, x, y, ldx, ldy, n, KERN_ROWS };
	bool few = n <= FEW;

	if (!few) {
		a.rows = LM_SCRATCH / w->in;
		if (a.rows > 16)
			a.rows = a.rows / 16 * 16;
		a.rows = a.rows > MAX_ROWS ? MAX_ROWS : a.rows;
	}
	lm_pool_run(c->pool, (w->out + a.rows - 1) / a.rows, few ? apply_few : apply_many, &a);
}

void
lm_mat_apply_ref(const struct lm_mat *w, const lm_real *bias, const lm_real *x, size_t ldx, size_t n,
    lm_real *y, size_t ldy)
{
	const struct lm_dtype_info *t = lm_dtype_get(w->type);
	lm_real block[256];

	for (size_t i = 0; i < n; i++)
		for (size_t r = 0; r < w->out; r++) {
			lm_real s = 0;

			for (size_t k = 0; k < w->in; k++) {
				size_t row = w->columns ? k : r, at = w->columns ? r : k;

				t->row(stored_row(w, row) + at / t->block * t->bytes, block, t->block);
				s += block[at % t->block] * x[i * ldx + k];
			}
			y[i * ldy + r] = s + (bias ? bias[r] : 0);
		}
}

/* ---- transposed ------------------------------------------------------------------------------------ */

struct apply_t {
	const struct lm_ctx *c;
	const struct lm_mat *w;
	const lm_real *x;
	lm_real *y;
	size_t cols;			/* of W in a piece: whole blocks */
};

static void
apply_t_piece(void *ctx, size_t i, int worker)
{
	const struct apply_t *a = ctx;
	const struct lm_mat *w = a->w;
	size_t c0 = i * a->cols, cols = w->in - c0 < a->cols ? w->in - c0 : a->cols;
	lm_real *row = a->c->scratch[worker];

	memset(a->y + c0, 0, cols * sizeof(*a->y));
	for (size_t r = 0; r < w->out; r++) {
		widen(w, a->c->kern, r, c0, cols, row);
		a->c->kern->axpy(a->x[r], row, a->y + c0, cols);
	}
}

void
lm_mat_apply_t(const struct lm_ctx *c, const struct lm_mat *w, const lm_real *x, lm_real *y)
{
	struct apply_t a = { c, w, x, y, 1024 };

	if (w->columns) {
		struct lm_mat t = *w;

		t.columns = false;
		t.out = w->in;
		t.in = w->out;
		lm_mat_apply(c, &t, NULL, x, t.in, 1, y, t.out);
		return;
	}
	lm_pool_run(c->pool, (w->in + a.cols - 1) / a.cols, apply_t_piece, &a);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm.c - products through BLAS, in the precision of lm_real.
 */
#include "config.h"

#include "src/mat.h"

#include <cblas.h>

#ifdef LM_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif

void
lm_blas_init(void)
{
	openblas_set_num_threads(1);
}

void
lm_gemm_nt(size_t m, size_t n, size_t k, const lm_real *a, size_t lda, const lm_real *b, size_t ldb,
    lm_real *c, size_t ldc)
{
	GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n, (blasint)k, 1, a,
	    (blasint)lda, b, (blasint)ldb, 0, c, (blasint)ldc);
}

void
lm_gemm_nn(size_t m, size_t n, size_t k, const lm_real *a, size_t lda, const lm_real *b, size_t ldb,
    lm_real *c, size_t ldc)
{
	GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1, a,
	    (blasint)lda, b, (blasint)ldb, 0, c, (blasint)ldc);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm.c - products through BLAS, in the precision of lm_real.
 */
#include "config.h"

#include "src/mat.h"

#include <cblas.h>
#include <string.h>

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

bool
lm_blas_held_back(const char **core)
{
	static const char *const old[] = { "Prescott", "Core2", "Penryn", "Dunnington", "Nehalem",
	    "Sandybridge", "Barcelona", "Bulldozer", "Piledriver", "Haswell", "Zen" };
	bool avx512 = strcmp(lm_kern_get()->name, "avx512") == 0;
	bool avx2 = avx512 || strcmp(lm_kern_get()->name, "avx2") == 0;

	*core = openblas_get_corename();
	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (strcmp(*core, old[i]) == 0)
			return strcmp(*core, "Haswell") == 0 || strcmp(*core, "Zen") == 0 ? avx512 : avx2;
	return false;
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

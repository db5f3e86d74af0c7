/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kern.c - the kernel tables: a plain reference, and kern_impl.h for each instruction set.
 */
#include "config.h"

#include "src/kern.h"

#include <math.h>
#include <string.h>

/* ---- reference --------------------------------------------------------------------------------- */

static lm_real
get_f32(const unsigned char *p)
{
	uint32_t u = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

/*
 * A block's scale, a half float: by table-free arithmetic for the normal numbers that scales are, so
 * that the inner loop makes no call.
 */
static inline lm_real
half_scale(const unsigned char *p)
{
	unsigned h = p[0] | (unsigned)p[1] << 8;
	uint32_t bits = (uint32_t)(h & 0x8000) << 16 | ((h & 0x7fff) + (112u << 10)) << 13;
	float f;

	if ((h & 0x7c00) == 0 || (h & 0x7c00) == 0x7c00)
		return lm_f16_get(p);
	memcpy(&f, &bits, sizeof(f));
	return f;
}

#define REF_DOTS(name, block, bytes, expr) \
static void \
ref_dots_##name(const unsigned char *w, size_t stride, size_t rows, const lm_real *x, size_t n, \
    lm_real *y) \
{ \
	for (size_t r = 0; r < rows; r++) { \
		lm_real s = 0; \
\
		for (size_t k = 0; k < n; k++) { \
			const unsigned char *p = w + r * stride + k / block * bytes; \
\
			s += (lm_real)(expr) * x[k]; \
		} \
		y[r] = s; \
	} \
}

REF_DOTS(f32, 1, 4, get_f32(p))
REF_DOTS(f16, 1, 2, lm_f16_get(p))
REF_DOTS(bf16, 1, 2, lm_bf16_get(p))
REF_DOTS(q8_0, 32, 34, lm_f16_get(p) * (lm_real)(signed char)p[2 + k % 32])

static void
ref_dots_real(const lm_real *w, size_t ld, size_t rows, const lm_real *x, size_t n, lm_real *y)
{
	for (size_t r = 0; r < rows; r++) {
		lm_real s = 0;

		for (size_t k = 0; k < n; k++)
			s += w[r * ld + k] * x[k];
		y[r] = s;
	}
}

static void
ref_axpy(lm_real a, const lm_real *x, lm_real *y, size_t n)
{
	for (size_t k = 0; k < n; k++)
		y[k] += a * x[k];
}

static void
ref_minmax(const lm_real *s, size_t n, lm_real *min, lm_real *max)
{
	*min = *max = s[0];
	for (size_t k = 1; k < n; k++) {
		if (s[k] < *min)
			*min = s[k];
		if (s[k] > *max)
			*max = s[k];
	}
}

static void
ref_softmax(lm_real *x, size_t n)
{
	lm_real lo, hi, sum = 0;

	ref_minmax(x, n, &lo, &hi);
	for (size_t k = 0; k < n; k++)
		sum += x[k] = (lm_real)exp((double)(x[k] - hi));
	for (size_t k = 0; k < n; k++)
		x[k] /= sum;
}

static void
ref_moments(const lm_real *s, size_t n, lm_real pivot, lm_real max, struct lm_moments *m)
{
	for (size_t k = 0; k < n; k++) {
		double d = (double)s[k] - (double)pivot, t = (double)s[k] - (double)max, e = exp(t);

		m->n1 += d;
		m->n2 += d * d;
		m->n3 += d * d * d;
		m->n4 += d * d * d * d;
		m->z0 += e;
		m->z1 += e * t;
	}
}

static void
ref_swish(lm_real a, lm_real b, lm_real *x, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		double v = x[k];

		x[k] = (lm_real)(v / (1 + exp(-(double)a * (v + (double)b * v * v * v))));
	}
}

static const struct lm_kern reference = {
	.name = "reference",
	.dots = {
		[LM_F32] = ref_dots_f32, [LM_F16] = ref_dots_f16, [LM_BF16] = ref_dots_bf16,
		[LM_Q8_0] = ref_dots_q8_0,
	},
	.dots_real = ref_dots_real,
	.axpy = ref_axpy,
	.softmax = ref_softmax,
	.minmax = ref_minmax,
	.moments = ref_moments,
	.swish = ref_swish,
};

/* ---- vectors ----------------------------------------------------------------------------------- */

enum { NL = 64 / sizeof(lm_real) };

typedef lm_real vr __attribute__((vector_size(64)));
typedef float vf __attribute__((vector_size(NL * 4)));
typedef uint32_t vu __attribute__((vector_size(NL * 4)));
typedef int32_t vi __attribute__((vector_size(NL * 4)));
typedef uint16_t vh __attribute__((vector_size(NL * 2)));
typedef int8_t vb __attribute__((vector_size(NL)));
#ifdef LM_DOUBLE
typedef int64_t vm __attribute__((vector_size(64)));
#else
typedef int32_t vm __attribute__((vector_size(64)));
#endif

#define KERN(x) x##_base
#define KERN_NAME "base"
#include "src/kern_impl.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define KERN(x) x##_avx2
#define KERN_NAME "avx2"
#include "src/kern_impl.h"
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#define KERN(x) x##_avx512
#define KERN_NAME "avx512"
#include "src/kern_impl.h"
#pragma GCC pop_options

#define HAVE_X86 1
#endif

const struct lm_kern *
lm_kern_nth(unsigned i)
{
	const struct lm_kern *all[4];
	unsigned n = 0;

	all[n++] = &reference;
	all[n++] = &table_base;
#ifdef HAVE_X86
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		all[n++] = &table_avx2;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		all[n++] = &table_avx512;
#endif
	return i < n ? all[i] : NULL;
}

const struct lm_kern *
lm_kern_get(void)
{
	unsigned i = 1;

	while (lm_kern_nth(i + 1))
		i++;
	return lm_kern_nth(i);
}

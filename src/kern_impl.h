/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kern_impl.h - the vector kernels, compiled by kern.c once for each instruction set, with KERN(x)
 * giving the names.  Written in the compiler's vector types of one 64-byte width, so that every
 * instruction set adds in the same order; results differ between them only where a processor fuses
 * multiply and add.
 */

/* Vector types and loads.  NL lanes of lm_real fill 64 bytes. */

static inline __attribute__((always_inline)) vr
KERN(load)(const lm_real *p)
{
	vr v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline __attribute__((always_inline)) void
KERN(store)(lm_real *p, vr v)
{
	memcpy(p, &v, sizeof(v));
}

static inline __attribute__((always_inline)) vr
KERN(all)(lm_real x)
{
	return x - (vr){ 0 };
}

/* The lanes added pairwise, always in this order. */
static inline __attribute__((always_inline)) lm_real
KERN(sum)(vr v)
{
	lm_real a[NL];

	memcpy(a, &v, sizeof(a));
	for (unsigned w = NL / 2; w; w /= 2)
		for (unsigned i = 0; i < w; i++)
			a[i] += a[i + w];
	return a[0];
}

static inline __attribute__((always_inline)) vr
KERN(load_f32)(const unsigned char *p)
{
	vf v;

	memcpy(&v, p, sizeof(v));
	return __builtin_convertvector(v, vr);
}

static inline __attribute__((always_inline)) vr
KERN(load_bf16)(const unsigned char *p)
{
	vh h;
	vu u;

	memcpy(&h, p, sizeof(h));
	u = __builtin_convertvector(h, vu) << 16;
	return __builtin_convertvector((vf)u, vr);
}

/*
 * Shifting a half float's bits into a float's places leaves an exponent too small by 112, which a
 * product mends, subnormals included; infinities and NaNs get their exponent by hand.
 */
static inline __attribute__((always_inline)) vr
KERN(load_f16)(const unsigned char *p)
{
	vh h;
	vu u, mag, bits;
	vf f;

	memcpy(&h, p, sizeof(h));
	u = __builtin_convertvector(h, vu);
	mag = (u & 0x7fff) << 13;
	f = (vf)mag * 0x1p112f;
	bits = (vu)f | ((vu)((u & 0x7c00) == 0x7c00) & 0x7f800000) | (u & 0x8000) << 16;
	return __builtin_convertvector((vf)bits, vr);
}

/* NL signed bytes. */
static inline __attribute__((always_inline)) vr
KERN(load_i8)(const unsigned char *p)
{
	vb b;

	memcpy(&b, p, sizeof(b));
	return __builtin_convertvector(__builtin_convertvector(b, vi), vr);
}

/* ---- products with one vector ------------------------------------------------------------------ */

/*
 * Four rows at a time, two sums each: enough independent chains to hide the latency of an addition,
 * and few enough streams for the prefetcher.
 */
#define KERN_DOTS(name, size, scalar) \
static inline __attribute__((always_inline)) void \
KERN(name##_some)(const unsigned char *w, size_t stride, unsigned rows, const lm_real *x, size_t n, \
    lm_real *y) \
{ \
	vr a[4] = { { 0 } }, b[4] = { { 0 } }; \
	size_t k = 0; \
\
	for (; k + 2 * NL <= n; k += 2 * NL) { \
		vr x0 = KERN(load)(x + k), x1 = KERN(load)(x + k + NL); \
\
		for (unsigned r = 0; r < rows; r++) { \
			a[r] += KERN(load_##name)(w + r * stride + k * size) * x0; \
			b[r] += KERN(load_##name)(w + r * stride + (k + NL) * size) * x1; \
		} \
	} \
	if (k + NL <= n) { \
		vr x0 = KERN(load)(x + k); \
\
		for (unsigned r = 0; r < rows; r++) \
			a[r] += KERN(load_##name)(w + r * stride + k * size) * x0; \
		k += NL; \
	} \
	for (unsigned r = 0; r < rows; r++) { \
		lm_real s = KERN(sum)(a[r] + b[r]); \
\
		for (size_t i = k; i < n; i++) \
			s += (lm_real)scalar(w + r * stride + i * size) * x[i]; \
		y[r] = s; \
	} \
} \
\
static void \
KERN(dots_##name)(const unsigned char *w, size_t stride, size_t rows, const lm_real *x, size_t n, \
    lm_real *y) \
{ \
	size_t r = 0; \
\
	for (; r + 4 <= rows; r += 4) \
		KERN(name##_some)(w + r * stride, stride, 4, x, n, y + r); \
	for (; r < rows; r++) \
		KERN(name##_some)(w + r * stride, stride, 1, x, n, y + r); \
}

KERN_DOTS(f32, 4, get_f32)
KERN_DOTS(bf16, 2, lm_bf16_get)
KERN_DOTS(f16, 2, lm_f16_get)

static void
KERN(dots_real)(const lm_real *w, size_t ld, size_t rows, const lm_real *x, size_t n, lm_real *y)
{
	for (size_t r = 0; r < rows; r++, w += ld) {
		vr a = { 0 }, b = { 0 };
		size_t k = 0;
		lm_real s;

		for (; k + 2 * NL <= n; k += 2 * NL) {
			a += KERN(load)(w + k) * KERN(load)(x + k);
			b += KERN(load)(w + k + NL) * KERN(load)(x + k + NL);
		}
		if (k + NL <= n) {
			a += KERN(load)(w + k) * KERN(load)(x + k);
			k += NL;
		}
		s = KERN(sum)(a + b);
		for (; k < n; k++)
			s += w[k] * x[k];
		y[r] = s;
	}
}

/* A block is a half float and 32 signed bytes. */
static inline __attribute__((always_inline)) void
KERN(q8_0_some)(const unsigned char *w, size_t stride, unsigned rows, const lm_real *x, size_t n,
    lm_real *y)
{
	vr a[4] = { { 0 } };

	for (size_t k = 0; k < n; k += 32, w += 34) {
		for (unsigned r = 0; r < rows; r++) {
			const unsigned char *b = w + r * stride;
			vr s = { 0 };

			for (unsigned i = 0; i < 32; i += NL)
				s += KERN(load_i8)(b + 2 + i) * KERN(load)(x + k + i);
			a[r] += s * KERN(all)(half_scale(b));
		}
	}
	for (unsigned r = 0; r < rows; r++)
		y[r] = KERN(sum)(a[r]);
}

static void
KERN(dots_q8_0)(const unsigned char *w, size_t stride, size_t rows, const lm_real *x, size_t n,
    lm_real *y)
{
	size_t r = 0;

	for (; r + 4 <= rows; r += 4)
		KERN(q8_0_some)(w + r * stride, stride, 4, x, n, y + r);
	for (; r < rows; r++)
		KERN(q8_0_some)(w + r * stride, stride, 1, x, n, y + r);
}

static void
KERN(axpy)(lm_real a, const lm_real *x, lm_real *y, size_t n)
{
	vr va = KERN(all)(a);
	size_t k = 0;

	for (; k + NL <= n; k += NL)
		KERN(store)(y + k, KERN(load)(y + k) + va * KERN(load)(x + k));
	for (; k < n; k++)
		y[k] += a * x[k];
}

/* ---- widening ---------------------------------------------------------------------------------- */

#define KERN_WIDEN(name, size, scalar) \
static void \
KERN(widen_##name)(const unsigned char *src, lm_real *dst, size_t n) \
{ \
	size_t k = 0; \
\
	for (; k + NL <= n; k += NL) \
		KERN(store)(dst + k, KERN(load_##name)(src + k * size)); \
	for (; k < n; k++) \
		dst[k] = (lm_real)scalar(src + k * size); \
}

KERN_WIDEN(f32, 4, get_f32)
KERN_WIDEN(bf16, 2, lm_bf16_get)
KERN_WIDEN(f16, 2, lm_f16_get)

static void
KERN(widen_q8_0)(const unsigned char *src, lm_real *dst, size_t n)
{
	for (size_t k = 0; k < n; k += 32, src += 34) {
		vr s = KERN(all)(half_scale(src));

		for (unsigned i = 0; i < 32; i += NL)
			KERN(store)(dst + k + i, s * KERN(load_i8)(src + 2 + i));
	}
}

/* ---- exponentials ------------------------------------------------------------------------------ */

#ifdef LM_DOUBLE

static inline __attribute__((always_inline)) vr
KERN(vexp)(vr x)
{
	for (unsigned i = 0; i < NL; i++)
		x[i] = exp(x[i]);
	return x;
}

#else

/*
 * exp to two units in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, the Taylor series of exp(r)
 * to r^7, and n put into the exponent in two steps so that subnormal results come out right.  Outside
 * [-104, 89] the result is 0 or infinity, as in libm; NaN stays NaN.
 */
static inline __attribute__((always_inline)) vr
KERN(vexp)(vr x)
{
	vr c = (vr)(((vi)x & ~((x > 89.0f) | (x < -104.0f))) |
	    ((vi)KERN(all)(89.0f) & (x > 89.0f)) | ((vi)KERN(all)(-104.0f) & (x < -104.0f)));
	vr t = c * 1.44269504f + 12582912.0f;	/* 1.5 * 2^23: rounds to an integer */
	vi n = (vi)t - 0x4b400000;
	vr fn = t - 12582912.0f;
	vr r = c - fn * 0.693359375f + fn * 2.12194440e-4f;	/* ln 2 in two parts */
	vr p = KERN(all)(1.0f / 5040);
	vi half = n >> 1;

	p = p * r + 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r + 1.0f;
	p = p * r + 1.0f;
	return p * (vr)((half + 127) << 23) * (vr)((n - half + 127) << 23);
}

#endif

/* exp of one number, by the same steps as in a vector, so that a row's tail has no other rounding. */
static inline __attribute__((always_inline)) lm_real
KERN(exp1)(lm_real x)
{
	return KERN(vexp)(KERN(all)(x))[0];
}

static void
KERN(minmax)(const lm_real *s, size_t n, lm_real *min, lm_real *max)
{
	lm_real lo = s[0], hi = s[0];
	size_t k = 0;

	if (n >= NL) {
		vr vlo = KERN(load)(s), vhi = vlo;

		for (; k + NL <= n; k += NL) {
			vr v = KERN(load)(s + k);
			vm less = v < vlo, more = v > vhi;

			vlo = (vr)(((vm)v & less) | ((vm)vlo & ~less));
			vhi = (vr)(((vm)v & more) | ((vm)vhi & ~more));
		}
		for (unsigned i = 0; i < NL; i++) {
			lo = vlo[i] < lo ? vlo[i] : lo;
			hi = vhi[i] > hi ? vhi[i] : hi;
		}
	}
	for (; k < n; k++) {
		lo = s[k] < lo ? s[k] : lo;
		hi = s[k] > hi ? s[k] : hi;
	}
	*min = lo;
	*max = hi;
}

static void
KERN(softmax)(lm_real *x, size_t n)
{
	lm_real lo, hi, sum, inv;
	vr acc = { 0 }, vhi;
	size_t k = 0;

	KERN(minmax)(x, n, &lo, &hi);
	vhi = KERN(all)(hi);
	for (; k + NL <= n; k += NL) {
		vr e = KERN(vexp)(KERN(load)(x + k) - vhi);

		KERN(store)(x + k, e);
		acc += e;
	}
	sum = KERN(sum)(acc);
	for (; k < n; k++) {
		x[k] = KERN(exp1)(x[k] - hi);
		sum += x[k];
	}
	inv = 1 / sum;
	for (k = 0; k + NL <= n; k += NL)
		KERN(store)(x + k, KERN(load)(x + k) * KERN(all)(inv));
	for (; k < n; k++)
		x[k] *= inv;
}

/* Lanes add up a block of the caller's size only; what is long-lived is added in double. */
static void
KERN(moments)(const lm_real *s, size_t n, lm_real pivot, lm_real max, struct lm_moments *m)
{
	vr n1 = { 0 }, n2 = { 0 }, n3 = { 0 }, n4 = { 0 }, z0 = { 0 }, z1 = { 0 };
	size_t k = 0;

	for (; k + NL <= n; k += NL) {
		vr v = KERN(load)(s + k), d = v - pivot, t = v - max, d2 = d * d, e = KERN(vexp)(t);

		n1 += d;
		n2 += d2;
		n3 += d2 * d;
		n4 += d2 * d2;
		z0 += e;
		z1 += e * t;
	}
	m->n1 += KERN(sum)(n1);
	m->n2 += KERN(sum)(n2);
	m->n3 += KERN(sum)(n3);
	m->n4 += KERN(sum)(n4);
	m->z0 += KERN(sum)(z0);
	m->z1 += KERN(sum)(z1);
	for (; k < n; k++) {
		double d = s[k] - pivot, t = s[k] - max, e = KERN(exp1)((lm_real)t);

		m->n1 += d;
		m->n2 += d * d;
		m->n3 += d * d * d;
		m->n4 += d * d * d * d;
		m->z0 += e;
		m->z1 += e * t;
	}
}

static void
KERN(swish)(lm_real a, lm_real b, lm_real *x, size_t n)
{
	size_t k = 0;

	for (; k + NL <= n; k += NL) {
		vr v = KERN(load)(x + k);

		KERN(store)(x + k, v / (KERN(vexp)((v + v * v * v * b) * -a) + 1));
	}
	for (; k < n; k++)
		x[k] = x[k] / (KERN(exp1)((x[k] + x[k] * x[k] * x[k] * b) * -a) + 1);
}

static const struct lm_kern KERN(table) = {
	.name = KERN_NAME,
	.dots = {
		[LM_F32] = KERN(dots_f32), [LM_F16] = KERN(dots_f16), [LM_BF16] = KERN(dots_bf16),
		[LM_Q8_0] = KERN(dots_q8_0),
	},
	.dots_real = KERN(dots_real),
	.axpy = KERN(axpy),
	.widen = {
		[LM_F32] = KERN(widen_f32), [LM_F16] = KERN(widen_f16), [LM_BF16] = KERN(widen_bf16),
		[LM_Q8_0] = KERN(widen_q8_0),
	},
	.softmax = KERN(softmax),
	.minmax = KERN(minmax),
	.moments = KERN(moments),
	.swish = KERN(swish),
};

#undef KERN_DOTS
#undef KERN_WIDEN
#undef KERN
#undef KERN_NAME

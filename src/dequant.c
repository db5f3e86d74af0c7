/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dequant.c - stored rows to numbers: one decoder for each readable row of dtype.def.
 *
 * These are the plain versions that everything falls back to and tests compare with; the vector
 * kernels of kern.c read the common types on their own.  Source bytes may have any alignment.
 */
#include "config.h"

#include "src/dtype.h"

#include <math.h>
#include <string.h>

static uint16_t
le16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t
le32(const unsigned char *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static float
bits_float(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

float
lm_bf16_get(const unsigned char *p)
{
	return bits_float((uint32_t)le16(p) << 16);
}

float
lm_f16_get(const unsigned char *p)
{
	uint16_t h = le16(p);
	unsigned e = h >> 10 & 31, m = h & 1023;
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	float f;

	if (e == 0)
		f = ldexpf((float)m, -24);		/* subnormal: exact in float */
	else
		f = bits_float((e == 31 ? 255u : e + 112u) << 23 | m << 13);
	return sign ? -f : f;
}

static void
row_f32(const unsigned char *src, lm_real *dst, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = bits_float(le32(src + 4 * i));
}

static void
row_f64(const unsigned char *src, lm_real *dst, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t u = le32(src + 8 * i) | (uint64_t)le32(src + 8 * i + 4) << 32;
		double d;

		memcpy(&d, &u, sizeof(d));
		dst[i] = (lm_real)d;
	}
}

static void
row_f16(const unsigned char *src, lm_real *dst, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = lm_f16_get(src + 2 * i);
}

static void
row_bf16(const unsigned char *src, lm_real *dst, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = lm_bf16_get(src + 2 * i);
}

/* Block: F16 scale, 32 signed bytes. */
static void
row_q8_0(const unsigned char *src, lm_real *dst, size_t n)
{
	for (size_t b = 0; b < n / 32; b++, src += 34) {
		lm_real scale = lm_f16_get(src);

		for (unsigned i = 0; i < 32; i++)
			dst[b * 32 + i] = scale * (lm_real)(signed char)src[2 + i];
	}
}

static const struct lm_dtype_info table[LM_NDTYPES] = {
#define DTYPE(id, st, ggml, block, bytes, row) [LM_##id] = { #id, st, ggml, block, bytes, row },
#include "src/dtype.def"
#undef DTYPE
};

const struct lm_dtype_info *
lm_dtype_get(enum lm_dtype t)
{
	return &table[t];
}

bool
lm_dtype_by_safetensors(const char *name, enum lm_dtype *out)
{
	for (int i = 0; i < LM_NDTYPES; i++)
		if (table[i].safetensors && strcmp(table[i].safetensors, name) == 0) {
			*out = (enum lm_dtype)i;
			return true;
		}
	return false;
}

bool
lm_dtype_by_ggml(uint32_t type, enum lm_dtype *out)
{
	for (int i = 0; i < LM_NDTYPES; i++)
		if (table[i].ggml >= 0 && (uint32_t)table[i].ggml == type) {
			*out = (enum lm_dtype)i;
			return true;
		}
	return false;
}

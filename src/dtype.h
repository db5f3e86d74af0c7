/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dtype.h - the element types that weights are stored in.
 */
#ifndef LM_DTYPE_H
#define LM_DTYPE_H

#include "src/lm.h"

enum lm_dtype {
#define DTYPE(id, st, ggml, block, bytes, row) LM_##id,
#include "src/dtype.def"
#undef DTYPE
	LM_NDTYPES
};

struct lm_dtype_info {
	const char *name;		/* "BF16", "Q8_0" */
	const char *safetensors;	/* NULL: not in that format */
	int ggml;			/* -1: not in that format */
	unsigned block;			/* elements of a block */
	unsigned bytes;			/* of a block, packed */
	/* Decodes n elements (whole blocks) of src, at any alignment, to dst; cannot fail. */
	void (*row)(const unsigned char *src, lm_real *dst, size_t n);
};

const struct lm_dtype_info *lm_dtype_get(enum lm_dtype t);
/* False when the type has no row in the table. */
bool lm_dtype_by_safetensors(const char *name, enum lm_dtype *out);
bool lm_dtype_by_ggml(uint32_t type, enum lm_dtype *out);

/* Half and brain floats to float, exactly. */
float lm_f16_get(const unsigned char *p);
float lm_bf16_get(const unsigned char *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - an open checkpoint: the description of its family with weights bound to it.
 */
#ifndef LM_MODEL_H
#define LM_MODEL_H

#include "src/hparams.h"
#include "src/mat.h"

/* gain NULL: there is no such norm; bias NULL: none. */
struct lm_norm {
	const lm_real *gain, *bias;
};

/* bias [out] or NULL. */
struct lm_linear {
	struct lm_mat w;
	const lm_real *bias;
};

struct lm_layer {
	struct lm_norm attn_norm, mlp_norm;	/* before each branch; mlp_norm is attn_norm when shared */
	struct lm_norm attn_post, mlp_post;	/* after it */
	struct lm_norm q_norm, k_norm;
	struct lm_linear q, k, v, o;
	struct lm_linear gate, up, down;	/* gate.w.data NULL: ungated */
	bool rotary;
	uint32_t window;			/* 0: all positions are seen */
};

struct lm_model {
	struct lm_info info;
	struct lm_hparams hp;
	char *path;
	struct lm_tensors tensors;		/* owns the maps, unless gguf does */
	struct lm_gguf gguf;
	lm_vocab *vocab;

	struct lm_linear embed;			/* [V,D] */
	struct lm_linear position;		/* [context,D] or NULL data */
	struct lm_norm final_norm;
	struct lm_linear head;			/* [V,D], the embedding when tied */
	struct lm_layer *layer;			/* [L] */
	double *rope_freq;			/* [rope.dims / 2]: radians a position */

	lm_real **vectors;			/* what gains and biases were widened to; owned */
	size_t n_vectors;
};

/* bind.c: fills everything from embed on from the tensors, with shapes checked. */
bool lm_bind(struct lm_model *m, const struct lm_tensors *ts, struct lm_err *err);
/* rope.c: fills rope_freq. */
bool lm_rope_init(struct lm_model *m, struct lm_err *err);
/* Row id of the embedding times its scale, dst [D]. */
void lm_embed(const struct lm_model *m, const struct lm_kern *kern, uint32_t id, lm_real *dst);

#endif

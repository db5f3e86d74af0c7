/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hparams.h - sizes and constants of a model, from config.json or from GGUF metadata, validated.
 */
#ifndef LM_HPARAMS_H
#define LM_HPARAMS_H

#include "src/arch.h"
#include "src/gguf.h"

enum lm_rope_kind { LM_ROPE_PLAIN, LM_ROPE_LINEAR, LM_ROPE_LLAMA3 };

struct lm_rope {
	enum lm_rope_kind kind;
	uint32_t dims;			/* of a head that turn; even */
	bool pairs;			/* neighbours turn together, not i and i + dims / 2 */
	double base, factor;
	double low_freq, high_freq;	/* llama3 */
	double original;		/* llama3: context the model was first trained on */
};

struct lm_hparams {
	const struct lm_arch *arch;
	uint32_t layers, width, heads, kv_heads, head_width, hidden, vocab, context;
	double norm_eps;
	double attn_scale;		/* of scores, usually 1/sqrt(head_width) */
	double attn_cap, final_cap;	/* 0: none */
	double embed_scale;
	struct lm_rope rope;
	uint32_t window;		/* positions that a windowed layer sees, its own included; 0: all */
	unsigned char *windowed;	/* [L]; owned */
	enum lm_act act;
	enum lm_flow flow;
	unsigned bias;			/* LM_B_* that must be there */
	bool bias_optional;		/* GGUF: others are taken where they are */
	bool tied;			/* GGUF: by the absence of a head */
	bool gguf;			/* where it comes from */
	uint32_t eos[LM_MAX_EOS];
	unsigned n_eos;
};

/* dir holds config.json and perhaps generation_config.json. */
bool lm_hparams_read_dir(struct lm_hparams *hp, const char *dir, struct lm_err *err);
/* Includes what only the tensors tell: vocabulary size, a tied head. */
bool lm_hparams_read_gguf(struct lm_hparams *hp, const struct lm_gguf *g, struct lm_err *err);
void lm_hparams_free(struct lm_hparams *hp);

/* For the two readers: checks sizes against each other and fills what follows from them. */
bool lm_hparams_finish(struct lm_hparams *hp, const char *where, struct lm_err *err);
void lm_hparams_add_eos(struct lm_hparams *hp, uint32_t id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arch.h - what distinguishes model families: one row of arch.def each, read by hparams.c, bind.c and
 * the one forward pass.
 */
#ifndef LM_ARCH_H
#define LM_ARCH_H

#include "src/act.h"

/* Modules with weights: id, and the name in GGUF files (%u: the layer), which families share. */
#define LM_MODULES(X) \
	X(EMBED, "token_embd")		/* [V,D] */ \
	X(POSITION, "position_embd")	/* [context,D], learned positions */ \
	X(FINAL_NORM, "output_norm")	/* [D] */ \
	X(HEAD, "output")		/* [V,D], the unembedding; absent when tied */ \
	X(ATTN_NORM, "blk.%u.attn_norm")	/* [D] */ \
	X(Q, "blk.%u.attn_q")		/* [H*K,D] */ \
	X(K, "blk.%u.attn_k")		/* [KV*K,D] */ \
	X(V, "blk.%u.attn_v") \
	X(QKV, "blk.%u.attn_qkv")	/* the three in one */ \
	X(O, "blk.%u.attn_output")	/* [D,H*K] */ \
	X(Q_NORM, "blk.%u.attn_q_norm")	/* [K], or [H*K] */ \
	X(K_NORM, "blk.%u.attn_k_norm") \
	X(ATTN_POST, "blk.%u.post_attention_norm")	/* [D], after attention */ \
	X(MLP_NORM, "blk.%u.ffn_norm")	/* [D] */ \
	X(GATE, "blk.%u.ffn_gate")	/* [F,D] */ \
	X(UP, "blk.%u.ffn_up")		/* [F,D]; with the gate first where the two are one */ \
	X(DOWN, "blk.%u.ffn_down")	/* [D,F] */ \
	X(MLP_POST, "blk.%u.post_ffw_norm")	/* [D], after the MLP */

enum lm_module {
#define X(id, gguf) LM_M_##id,
	LM_MODULES(X)
#undef X
	LM_NMODULES
};

const char *lm_module_gguf(enum lm_module m);

enum lm_qkv {
	LM_QKV_SPLIT,			/* three matrices */
	LM_QKV_CONCAT,			/* rows of q, then k, then v */
	LM_QKV_PER_HEAD,		/* head by head q, k, v (in GGUF: CONCAT) */
};

enum lm_flow {
	LM_SEQUENTIAL,			/* the MLP reads what attention left */
	LM_PARALLEL,			/* both read the layer's input, each through its own norm */
	LM_PARALLEL_SHARED,		/* both read it through one norm */
};

enum lm_qk_norm { LM_QK_NONE, LM_QK_PER_HEAD, LM_QK_WHOLE };

enum lm_window {
	LM_WINDOW_NONE,
	LM_WINDOW_ALL,			/* sliding_window holds in every layer */
	LM_WINDOW_SWITCHED,		/* ... only if use_sliding_window, from max_window_layers on */
	LM_WINDOW_EVEN,			/* ... in layers 0, 2, 4, ... */
	LM_WINDOW_LISTED,		/* ... in the layers that the configuration lists */
};

enum {
	LM_B_QKV = 1, LM_B_O = 2, LM_B_MLP = 4, LM_B_HEAD = 8,	/* which linear maps have a bias */
};

struct lm_arch {
	const char *name;		/* model_type of config.json */
	const char *gguf;		/* general.architecture, and the prefix of its keys */
	const char *module[LM_NMODULES];	/* names in safetensors, without .weight */
	enum lm_act act;		/* when the configuration names none */
	bool layer_norm;		/* LayerNorm instead of RMSNorm */
	bool gain_plus_one;		/* safetensors hold the norms' gains less 1 */
	bool no_pre_norm;		/* the branches read the residual stream as it is */
	bool post_norm;			/* each branch's output is normed before it is added */
	bool ungated;
	bool gate_up_fused;		/* UP holds the rows of the gate, then those of up */
	bool learned_positions;		/* instead of rotary ones */
	bool conv1d;			/* safetensors hold linear weights as [in,out] */
	bool embed_scaled;		/* embeddings are multiplied by sqrt(D) */
	bool scores_unscaled;		/* attention scores are not divided by sqrt(K) */
	bool tied;			/* when the configuration does not say */
	bool rope_pairs_gguf;		/* GGUF files have Q and K permuted for neighbouring pairs */
	enum lm_qkv qkv;
	enum lm_flow flow;
	enum lm_qk_norm qk_norm;
	enum lm_window window;
	unsigned bias;			/* LM_B_*: always there */
	double rope_share;		/* of a head's width that turns, when not said; 0: all */
	double norm_eps, rope_base;	/* when not said; 0: 1e-5 and 10000 */
};

/* NULL when there is no such row. */
const struct lm_arch *lm_arch_by_name(const char *model_type);
const struct lm_arch *lm_arch_by_gguf(const char *name, size_t len);
/* Names of all rows, comma separated, into buf; for messages. */
const char *lm_arch_names(char *buf, size_t size);

#endif

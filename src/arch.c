/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arch.c - the table of model families and the names of their tensors.
 */
#include "config.h"

#include "src/arch.h"

#include <stdio.h>
#include <string.h>

#define names_decoder \
	[LM_M_EMBED] = "model.embed_tokens", \
	[LM_M_HEAD] = "lm_head", \
	[LM_M_ATTN_NORM] = "model.layers.%u.input_layernorm", \
	[LM_M_Q] = "model.layers.%u.self_attn.q_proj", \
	[LM_M_K] = "model.layers.%u.self_attn.k_proj", \
	[LM_M_V] = "model.layers.%u.self_attn.v_proj"

#define names_gated \
	names_decoder, \
	[LM_M_FINAL_NORM] = "model.norm", \
	[LM_M_O] = "model.layers.%u.self_attn.o_proj", \
	[LM_M_Q_NORM] = "model.layers.%u.self_attn.q_norm", \
	[LM_M_K_NORM] = "model.layers.%u.self_attn.k_norm", \
	[LM_M_GATE] = "model.layers.%u.mlp.gate_proj", \
	[LM_M_UP] = "model.layers.%u.mlp.up_proj", \
	[LM_M_DOWN] = "model.layers.%u.mlp.down_proj"

#define names_llama { \
	names_gated, \
	[LM_M_MLP_NORM] = "model.layers.%u.post_attention_layernorm", \
}

#define names_gemma2 { \
	names_gated, \
	[LM_M_ATTN_POST] = "model.layers.%u.post_attention_layernorm", \
	[LM_M_MLP_NORM] = "model.layers.%u.pre_feedforward_layernorm", \
	[LM_M_MLP_POST] = "model.layers.%u.post_feedforward_layernorm", \
}

#define names_phi { \
	names_decoder, \
	[LM_M_FINAL_NORM] = "model.final_layernorm", \
	[LM_M_O] = "model.layers.%u.self_attn.dense", \
	[LM_M_UP] = "model.layers.%u.mlp.fc1", \
	[LM_M_DOWN] = "model.layers.%u.mlp.fc2", \
}

#define names_gpt \
	[LM_M_EMBED] = "transformer.wte", \
	[LM_M_POSITION] = "transformer.wpe", \
	[LM_M_FINAL_NORM] = "transformer.ln_f", \
	[LM_M_HEAD] = "lm_head", \
	[LM_M_ATTN_NORM] = "transformer.h.%u.ln_1", \
	[LM_M_MLP_NORM] = "transformer.h.%u.ln_2", \
	[LM_M_UP] = "transformer.h.%u.mlp.c_fc", \
	[LM_M_DOWN] = "transformer.h.%u.mlp.c_proj"

#define names_gpt2 { \
	names_gpt, \
	[LM_M_QKV] = "transformer.h.%u.attn.c_attn", \
	[LM_M_O] = "transformer.h.%u.attn.c_proj", \
}

#define names_gpt_neo { \
	names_gpt, \
	[LM_M_Q] = "transformer.h.%u.attn.attention.q_proj", \
	[LM_M_K] = "transformer.h.%u.attn.attention.k_proj", \
	[LM_M_V] = "transformer.h.%u.attn.attention.v_proj", \
	[LM_M_O] = "transformer.h.%u.attn.attention.out_proj", \
}

#define names_gpt_neox { \
	[LM_M_EMBED] = "gpt_neox.embed_in", \
	[LM_M_FINAL_NORM] = "gpt_neox.final_layer_norm", \
	[LM_M_HEAD] = "embed_out", \
	[LM_M_ATTN_NORM] = "gpt_neox.layers.%u.input_layernorm", \
	[LM_M_QKV] = "gpt_neox.layers.%u.attention.query_key_value", \
	[LM_M_O] = "gpt_neox.layers.%u.attention.dense", \
	[LM_M_MLP_NORM] = "gpt_neox.layers.%u.post_attention_layernorm", \
	[LM_M_UP] = "gpt_neox.layers.%u.mlp.dense_h_to_4h", \
	[LM_M_DOWN] = "gpt_neox.layers.%u.mlp.dense_4h_to_h", \
}

static const struct lm_arch table[] = {
#define ARCH(id, gguf_name, names, ...) \
	{ .name = #id, .gguf = gguf_name, .module = names, __VA_ARGS__ },
#include "src/arch.def"
#undef ARCH
};

enum { N = sizeof(table) / sizeof(table[0]) };

static const char *const gguf_names[LM_NMODULES] = {
#define X(id, gguf) [LM_M_##id] = gguf,
	LM_MODULES(X)
#undef X
};

const char *
lm_module_gguf(enum lm_module m)
{
	return gguf_names[m];
}

const struct lm_arch *
lm_arch_by_name(const char *model_type)
{
	for (int i = 0; i < N; i++)
		if (strcmp(table[i].name, model_type) == 0)
			return &table[i];
	return NULL;
}

const struct lm_arch *
lm_arch_by_gguf(const char *name, size_t len)
{
	for (int i = 0; i < N; i++)
		if (table[i].gguf && strlen(table[i].gguf) == len && memcmp(table[i].gguf, name, len) == 0)
			return &table[i];
	return NULL;
}

const char *
lm_arch_names(char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (int i = 0; i < N && n + 1 < size; i++)
		n += (size_t)snprintf(buf + n, size - n, i ? ", %s" : "%s", table[i].name);
	return buf;
}

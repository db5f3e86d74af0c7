/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hparams_gguf.c - GGUF metadata to sizes.
 *
 * Keys that are absent take the defaults that the format documents; what only the tensors tell (size
 * of the vocabulary, a tied head) is read off them.
 */
#include "config.h"

#include "src/hparams.h"

#include <stdio.h>
#include <string.h>

/* FAMILY.name */
struct key {
	char text[96];
};

static struct key
key_of(const struct lm_hparams *hp, const char *name)
{
	struct key k;

	snprintf(k.text, sizeof(k.text), "%s.%s", hp->arch->gguf, name);
	return k;
}

/* A number, or an array of one number a layer, which must then all be the same. */
static bool
get_u32(const struct lm_hparams *hp, const struct lm_gguf *g, const char *name, uint32_t *out,
    struct lm_err *err)
{
	struct key k = key_of(hp, name);
	const struct lm_gguf_kv *kv = lm_gguf_find(g, k.text);
	struct lm_cursor c;
	int64_t v, first = 0;

	if (!kv || kv->type != LM_GGUF_ARR)
		return lm_gguf_u32(g, k.text, out, err);
	c = kv->val;
	for (uint64_t i = 0; i < kv->count; i++) {
		if (!lm_gguf_next_int(&c, kv->elem, &v, err))
			return lm_fail(err, LM_EFORMAT, "%s: %s: integers wanted", g->path, k.text);
		if (i == 0)
			first = v;
		if (v != first || v < 0 || v > UINT32_MAX)
			return lm_fail(err, LM_EUNSUPPORTED, "%s: %s differs from layer to layer", g->path,
			    k.text);
		*out = (uint32_t)v;
	}
	return true;
}

static bool
get_real(const struct lm_hparams *hp, const struct lm_gguf *g, const char *name, double *out,
    struct lm_err *err)
{
	return lm_gguf_real(g, key_of(hp, name).text, out, err);
}

static bool
read_sizes(struct lm_hparams *hp, const struct lm_gguf *g, struct lm_err *err)
{
	uint32_t value_width = 0;

	if (!get_u32(hp, g, "block_count", &hp->layers, err) ||
	    !get_u32(hp, g, "embedding_length", &hp->width, err) ||
	    !get_u32(hp, g, "attention.head_count", &hp->heads, err) ||
	    !get_u32(hp, g, "attention.head_count_kv", &hp->kv_heads, err) ||
	    !get_u32(hp, g, "attention.key_length", &hp->head_width, err) ||
	    !get_u32(hp, g, "attention.value_length", &value_width, err) ||
	    !get_u32(hp, g, "feed_forward_length", &hp->hidden, err) ||
	    !get_u32(hp, g, "context_length", &hp->context, err) ||
	    !get_real(hp, g, hp->arch->layer_norm ? "attention.layer_norm_epsilon" :
	    "attention.layer_norm_rms_epsilon", &hp->norm_eps, err))
		return false;
	if (value_width && hp->head_width && value_width != hp->head_width)
		return lm_fail(err, LM_EUNSUPPORTED, "%s: keys of %u and values of %u are not supported",
		    g->path, hp->head_width, value_width);
	return true;
}

static bool
read_rope(struct lm_hparams *hp, const struct lm_gguf *g, struct lm_err *err)
{
	struct lm_rope *r = &hp->rope;
	double linear = 0;
	const char *kind = "none";
	size_t n = 4;

	r->pairs = hp->arch->rope_pairs_gguf;
	if (!get_u32(hp, g, "rope.dimension_count", &r->dims, err) ||
	    !get_real(hp, g, "rope.freq_base", &r->base, err) ||
	    !get_real(hp, g, "rope.scale_linear", &linear, err) ||
	    !get_real(hp, g, "rope.scaling.factor", &r->factor, err) ||
	    !lm_gguf_str(g, key_of(hp, "rope.scaling.type").text, &kind, &n, err))
		return false;
	if (linear > 0) {
		r->kind = LM_ROPE_LINEAR;
		r->factor = linear;
	} else if (n == 6 && memcmp(kind, "linear", 6) == 0) {
		r->kind = LM_ROPE_LINEAR;
	} else if (n != 4 || memcmp(kind, "none", 4) != 0) {
		return lm_fail(err, LM_EUNSUPPORTED,
		    "%s: rope scaling %.*s is not known; none and linear are", g->path,
		    (int)(n > 32 ? 32 : n), kind);
	}
	return true;
}

/* The family's row, and Mistral's when it is a Llama with a window. */
static bool
read_family(struct lm_hparams *hp, const struct lm_gguf *g, struct lm_err *err)
{
	const char *name = NULL;
	char names[256];
	size_t n = 0;

	if (!lm_gguf_str(g, "general.architecture", &name, &n, err))
		return false;
	if (!name)
		return lm_fail(err, LM_EFORMAT, "%s: general.architecture is missing", g->path);
	hp->arch = lm_arch_by_gguf(name, n);
	if (!hp->arch)
		return lm_fail(err, LM_EUNSUPPORTED,
		    "%s: model family %.*s is not supported; supported are %s", g->path,
		    (int)(n > 60 ? 60 : n), name, lm_arch_names(names, sizeof(names)));
	return true;
}

static bool
read_rest(struct lm_hparams *hp, const struct lm_gguf *g, struct lm_err *err)
{
	char act[64];
	const char *name = NULL;
	uint32_t experts = 0;
	bool parallel = hp->flow != LM_SEQUENTIAL;
	size_t n = 0;

	if (!get_u32(hp, g, "expert_count", &experts, err) ||
	    !get_u32(hp, g, "attention.sliding_window", &hp->window, err) ||
	    !get_real(hp, g, "attn_logit_softcapping", &hp->attn_cap, err) ||
	    !get_real(hp, g, "final_logit_softcapping", &hp->final_cap, err) ||
	    !lm_gguf_bool(g, key_of(hp, "use_parallel_residual").text, &parallel, err) ||
	    !lm_gguf_str(g, key_of(hp, "hidden_activation").text, &name, &n, err))
		return false;
	if (experts)
		return lm_fail(err, LM_EUNSUPPORTED, "%s: %u experts: mixtures are not supported", g->path,
		    experts);
	if (hp->flow == LM_PARALLEL && !parallel)
		hp->flow = LM_SEQUENTIAL;
	if (name) {
		snprintf(act, sizeof(act), "%.*s", (int)(n > 60 ? 60 : n), name);
		if (!lm_act_by_name(act, &hp->act))
			return lm_fail(err, LM_EUNSUPPORTED, "%s: activation %s is not known; known are %s",
			    g->path, act, lm_act_names());
	}
	for (uint32_t l = 0; hp->window && l < hp->layers; l++)
		hp->windowed[l] = hp->arch->window != LM_WINDOW_EVEN || l % 2 == 0;
	return true;
}

bool
lm_hparams_read_gguf(struct lm_hparams *hp, const struct lm_gguf *g, struct lm_err *err)
{
	const struct lm_tensor *embed = lm_tensors_find(&g->tensors, "token_embd.weight");

	*hp = (struct lm_hparams){ .gguf = true, .bias_optional = true, .norm_eps = -1 };
	if (!read_family(hp, g, err))
		return false;
	if (!embed || embed->n_dims != 2)
		return lm_fail(err, LM_EFORMAT, "%s: no matrix token_embd.weight", g->path);
	hp->vocab = embed->dim[0] > UINT32_MAX ? UINT32_MAX : (uint32_t)embed->dim[0];
	hp->tied = !lm_tensors_find(&g->tensors, "output.weight");
	hp->act = hp->arch->act;
	hp->flow = hp->arch->flow;
	hp->bias = hp->arch->bias;
	if (!read_sizes(hp, g, err) || !lm_hparams_finish(hp, g->path, err) || !read_rope(hp, g, err) ||
	    !read_rest(hp, g, err) || !lm_hparams_finish(hp, g->path, err)) {
		lm_hparams_free(hp);
		return false;
	}
	return true;
}

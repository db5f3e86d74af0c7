/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hparams.c - config.json to sizes, and the checks that both readers share.
 *
 * Knows both dialects: transformers 4 (rope_scaling, rope_theta) and 5 (rope_parameters).
 */
#include "config.h"

#include "src/hparams.h"
#include "src/mat.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- looking into a JSON object ---------------------------------------------------------------- */

/* The first of the blank separated names that is there and not null. */
static const cJSON *
json_find(const cJSON *obj, const char *names)
{
	char name[64];

	for (const char *p = names; *p; p += *p == ' ') {
		size_t n = strcspn(p, " ");
		const cJSON *j;

		snprintf(name, sizeof(name), "%.*s", (int)n, p);
		j = cJSON_GetObjectItemCaseSensitive(obj, name);
		if (j && !cJSON_IsNull(j))
			return j;
		p += n;
	}
	return NULL;
}

/* As the GGUF readers: absent leaves *out alone and is true. */
static bool
json_u32(const cJSON *obj, const char *names, uint32_t *out, struct lm_err *err)
{
	const cJSON *j = json_find(obj, names);

	if (!j)
		return true;
	if (!cJSON_IsNumber(j) || !(j->valuedouble >= 0) || j->valuedouble > UINT32_MAX ||
	    floor(j->valuedouble) != j->valuedouble)
		return lm_fail(err, LM_EFORMAT, "config.json: %s: a whole number of 0 or more wanted",
		    j->string);
	*out = (uint32_t)j->valuedouble;
	return true;
}

static bool
json_real(const cJSON *obj, const char *names, double *out, struct lm_err *err)
{
	const cJSON *j = json_find(obj, names);

	if (!j)
		return true;
	if (!cJSON_IsNumber(j) || !isfinite(j->valuedouble))
		return lm_fail(err, LM_EFORMAT, "config.json: %s: a number wanted", j->string);
	*out = j->valuedouble;
	return true;
}

static bool
json_bool(const cJSON *obj, const char *names, bool *out, struct lm_err *err)
{
	const cJSON *j = json_find(obj, names);

	if (!j)
		return true;
	if (!cJSON_IsBool(j))
		return lm_fail(err, LM_EFORMAT, "config.json: %s: true or false wanted", j->string);
	*out = cJSON_IsTrue(j);
	return true;
}

/* ---- config.json --------------------------------------------------------------------------------- */

static bool
read_sizes(struct lm_hparams *hp, const cJSON *c, struct lm_err *err)
{
	return json_u32(c, "num_hidden_layers n_layer num_layers", &hp->layers, err) &&
	    json_u32(c, "hidden_size n_embd", &hp->width, err) &&
	    json_u32(c, "num_attention_heads n_head num_heads", &hp->heads, err) &&
	    json_u32(c, "num_key_value_heads", &hp->kv_heads, err) &&
	    json_u32(c, "head_dim", &hp->head_width, err) &&
	    json_u32(c, "intermediate_size n_inner", &hp->hidden, err) &&
	    json_u32(c, "vocab_size", &hp->vocab, err) &&
	    json_u32(c, "max_position_embeddings n_positions", &hp->context, err) &&
	    json_real(c, "rms_norm_eps layer_norm_eps layer_norm_epsilon", &hp->norm_eps, err);
}

static bool
read_rope(struct lm_hparams *hp, const cJSON *c, struct lm_err *err)
{
	const cJSON *s = json_find(c, "rope_parameters rope_scaling"), *type;
	const char *kind = "default";
	struct lm_rope *r = &hp->rope;
	double share = hp->arch->rope_share;

	if (!json_real(c, "rope_theta rotary_emb_base", &r->base, err) ||
	    !json_real(s, "rope_theta", &r->base, err) ||
	    !json_real(c, "partial_rotary_factor rotary_pct", &share, err) ||
	    !json_real(s, "partial_rotary_factor", &share, err))
		return false;
	if (share < 0 || share > 1)
		return lm_fail(err, LM_EFORMAT, "config.json: share of a head that turns is %g, 0 to 1 wanted",
		    share);
	if (share > 0)
		r->dims = (uint32_t)(share * hp->head_width);
	if (!s)
		return true;
	type = json_find(s, "rope_type type");
	if (cJSON_IsString(type))
		kind = type->valuestring;
	r->original = hp->context;
	if (!json_real(s, "factor", &r->factor, err) ||
	    !json_real(s, "low_freq_factor", &r->low_freq, err) ||
	    !json_real(s, "high_freq_factor", &r->high_freq, err) ||
	    !json_real(s, "original_max_position_embeddings", &r->original, err))
		return false;
	/* Within the context that the configuration states, dynamic scaling changes nothing. */
	if (strcmp(kind, "default") == 0 || strcmp(kind, "dynamic") == 0)
		r->kind = LM_ROPE_PLAIN;
	else if (strcmp(kind, "linear") == 0)
		r->kind = LM_ROPE_LINEAR;
	else if (strcmp(kind, "llama3") == 0)
		r->kind = LM_ROPE_LLAMA3;
	else
		return lm_fail(err, LM_EUNSUPPORTED,
		    "config.json: rope_type %s is not known; default, linear, llama3 and dynamic are", kind);
	return true;
}

/* Marks the layers that a list of names gives a window: "local" or "sliding_attention". */
static bool
read_window_list(struct lm_hparams *hp, const cJSON *list, struct lm_err *err)
{
	const cJSON *e;
	uint32_t l = 0;

	cJSON_ArrayForEach(e, list) {
		const char *kind = cJSON_GetStringValue(e);

		if (!kind || l == hp->layers)
			break;
		hp->windowed[l++] = strcmp(kind, "local") == 0 || strcmp(kind, "sliding_attention") == 0;
	}
	if (e || l != hp->layers)
		return lm_fail(err, LM_EFORMAT, "config.json: %s: a name for each of %u layers wanted",
		    list->string, hp->layers);
	return true;
}

/* GPT-Neo's [[["global","local"],12]]: the names of a group in turn, so many times. */
static bool
read_window_types(struct lm_hparams *hp, const cJSON *types, struct lm_err *err)
{
	uint32_t l = 0;
	const cJSON *e;

	cJSON_ArrayForEach(e, types) {
		const cJSON *names = cJSON_GetArrayItem(e, 0), *times = cJSON_GetArrayItem(e, 1);
		int n = cJSON_GetArraySize(names);

		for (int i = 0; n && cJSON_IsNumber(times) && i < times->valueint && l < hp->layers; i++)
			for (int k = 0; k < n && l < hp->layers; k++) {
				const char *kind = cJSON_GetStringValue(cJSON_GetArrayItem(names, k));

				hp->windowed[l++] = kind && strcmp(kind, "local") == 0;
			}
	}
	if (l != hp->layers)
		return lm_fail(err, LM_EFORMAT, "config.json: attention_types covers %u layers of %u", l,
		    hp->layers);
	return true;
}

static bool
read_window(struct lm_hparams *hp, const cJSON *c, struct lm_err *err)
{
	const cJSON *list = json_find(c, "layer_types attention_layers");
	const cJSON *types = json_find(c, "attention_types");
	enum lm_window kind = hp->arch->window;
	uint32_t from = 0;
	bool use = true;

	if (kind == LM_WINDOW_NONE)
		return true;
	hp->window = kind == LM_WINDOW_LISTED ? 256 : 0;
	if (!json_u32(c, "sliding_window window_size", &hp->window, err))
		return false;
	if (kind == LM_WINDOW_SWITCHED) {
		use = false;
		if (!json_bool(c, "use_sliding_window", &use, err) ||
		    !json_u32(c, "max_window_layers", &from, err))
			return false;
	}
	if (!use || hp->window == 0)
		return true;
	if (list)
		return read_window_list(hp, list, err);
	if (types)
		return read_window_types(hp, types, err);
	for (uint32_t l = 0; l < hp->layers; l++)
		hp->windowed[l] = kind == LM_WINDOW_EVEN || kind == LM_WINDOW_LISTED ?
		    l % 2 == (kind == LM_WINDOW_LISTED) : l >= from;
	return true;
}

/* What the configuration may switch on and no pass of ours computes. */
static bool
refuse(const cJSON *c, struct lm_err *err)
{
	static const char *const flags[] = { "qk_layernorm", "scale_attn_by_inverse_layer_idx", "alibi" };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool on = false;

		if (!json_bool(c, flags[i], &on, err))
			return false;
		if (on)
			return lm_fail(err, LM_EUNSUPPORTED, "config.json: %s is not supported", flags[i]);
	}
	return true;
}

static bool
read_act(struct lm_hparams *hp, const cJSON *c, struct lm_err *err)
{
	const cJSON *act = json_find(c, "hidden_activation hidden_act activation_function");

	hp->act = hp->arch->act;
	if (!act)
		return true;
	if (!cJSON_IsString(act))
		return lm_fail(err, LM_EFORMAT, "config.json: %s: a name wanted", act->string);
	if (!lm_act_by_name(act->valuestring, &hp->act))
		return lm_fail(err, LM_EUNSUPPORTED, "config.json: %s %s is not known; known are %s",
		    act->string, act->valuestring, lm_act_names());
	/* Gemma's first configurations say gelu and mean its tanh form, as its authors' code does. */
	if (hp->arch->act == LM_ACT_GELU_TANH && hp->act == LM_ACT_GELU && hp->arch->gain_plus_one)
		hp->act = LM_ACT_GELU_TANH;
	return true;
}

static bool
read_rest(struct lm_hparams *hp, const cJSON *c, struct lm_err *err)
{
	bool qkvo = (hp->arch->bias & LM_B_O) != 0, mlp = (hp->arch->bias & LM_B_MLP) != 0;
	bool parallel = hp->arch->flow != LM_SEQUENTIAL;
	double scalar = 0;

	hp->tied = hp->arch->tied;
	hp->flow = hp->arch->flow;
	hp->bias = hp->arch->bias;
	if (!refuse(c, err) || !read_act(hp, c, err) ||
	    !json_bool(c, "tie_word_embeddings", &hp->tied, err) ||
	    !json_bool(c, "attention_bias", &qkvo, err) || !json_bool(c, "mlp_bias", &mlp, err) ||
	    !json_bool(c, "use_parallel_residual", &parallel, err) ||
	    !json_real(c, "query_pre_attn_scalar", &scalar, err) ||
	    !json_real(c, "attn_logit_softcapping", &hp->attn_cap, err) ||
	    !json_real(c, "final_logit_softcapping", &hp->final_cap, err))
		return false;
	if (json_find(c, "attention_bias"))
		hp->bias = qkvo ? hp->bias | LM_B_QKV | LM_B_O : hp->bias & ~(unsigned)(LM_B_QKV | LM_B_O);
	hp->bias |= mlp ? LM_B_MLP : 0u;
	if (hp->flow == LM_PARALLEL && !parallel)
		hp->flow = LM_SEQUENTIAL;
	if (scalar > 0)
		hp->attn_scale = 1 / sqrt(scalar);
	return true;
}

static void
read_eos(struct lm_hparams *hp, const cJSON *c)
{
	const cJSON *j = json_find(c, "eos_token_id"), *e;

	if (cJSON_IsNumber(j) && j->valuedouble >= 0 && j->valuedouble < UINT32_MAX)
		lm_hparams_add_eos(hp, (uint32_t)j->valuedouble);
	cJSON_ArrayForEach(e, j)
		if (cJSON_IsNumber(e) && e->valuedouble >= 0 && e->valuedouble < UINT32_MAX)
			lm_hparams_add_eos(hp, (uint32_t)e->valuedouble);
}

static bool
read_config(struct lm_hparams *hp, const cJSON *c, struct lm_err *err)
{
	const cJSON *type = json_find(c, "model_type");
	char names[256];

	if (!cJSON_IsString(type))
		return lm_fail(err, LM_EFORMAT, "config.json: model_type is missing");
	hp->arch = lm_arch_by_name(type->valuestring);
	if (!hp->arch)
		return lm_fail(err, LM_EUNSUPPORTED, "model family %s is not supported; supported are %s",
		    type->valuestring, lm_arch_names(names, sizeof(names)));
	if (!read_sizes(hp, c, err) || !lm_hparams_finish(hp, "config.json", err))
		return false;
	read_eos(hp, c);
	return read_rest(hp, c, err) && read_rope(hp, c, err) && read_window(hp, c, err) &&
	    lm_hparams_finish(hp, "config.json", err);
}

/* Parses DIR/NAME; *out is NULL when there is no such file. */
static bool
parse_file(const char *dir, const char *name, cJSON **out, struct lm_err *err)
{
	struct lm_buf path = { 0 };
	struct lm_map map = { 0 };
	bool ok = false;

	*out = NULL;
	if (!lm_buf_printf(&path, err, "%s/%s", dir, name))
		return false;
	if (access(path.p, F_OK) != 0) {
		ok = true;
	} else if (lm_map_open(&map, path.p, err)) {
		*out = cJSON_ParseWithLength((const char *)map.data, map.len);
		ok = cJSON_IsObject(*out);
		if (!ok)
			lm_fail(err, LM_EFORMAT, "%s is no JSON object", name);
	}
	if (!ok) {
		cJSON_Delete(*out);
		*out = NULL;
	}
	lm_map_close(&map);
	lm_buf_free(&path);
	return ok;
}

bool
lm_hparams_read_dir(struct lm_hparams *hp, const char *dir, struct lm_err *err)
{
	cJSON *config = NULL, *generation = NULL;
	bool ok = false;

	*hp = (struct lm_hparams){ .norm_eps = -1 };
	if (!parse_file(dir, "config.json", &config, err))
		return lm_fail_in(err, dir);
	if (!config)
		return lm_fail(err, LM_EFORMAT, "%s: no config.json in it", dir);
	if (read_config(hp, config, err) && parse_file(dir, "generation_config.json", &generation, err)) {
		if (generation)
			read_eos(hp, generation);
		ok = true;
	}
	cJSON_Delete(config);
	cJSON_Delete(generation);
	if (!ok) {
		lm_hparams_free(hp);
		return lm_fail_in(err, dir);
	}
	return true;
}

/* ---- shared ---------------------------------------------------------------------------------------- */

void
lm_hparams_add_eos(struct lm_hparams *hp, uint32_t id)
{
	for (unsigned i = 0; i < hp->n_eos; i++)
		if (hp->eos[i] == id)
			return;
	if (hp->n_eos < LM_MAX_EOS)
		hp->eos[hp->n_eos++] = id;
}

void
lm_hparams_free(struct lm_hparams *hp)
{
	lm_free(hp->windowed);
	hp->windowed = NULL;
}

static bool
in_range(const char *where, const char *what, double v, double min, double max, struct lm_err *err)
{
	if (v >= min && v <= max)
		return true;
	return lm_fail(err, LM_EFORMAT, "%s: %s is %.9g, %.9g to %.9g wanted", where, what, v, min, max);
}

static bool
check_sizes(const struct lm_hparams *hp, const char *where, struct lm_err *err)
{
	return in_range(where, "number of layers", hp->layers, 1, 4096, err) &&
	    in_range(where, "width", hp->width, 1, LM_SCRATCH, err) &&
	    in_range(where, "number of attention heads", hp->heads, 1, 1 << 14, err) &&
	    in_range(where, "number of key-value heads", hp->kv_heads, 1, hp->heads, err) &&
	    in_range(where, "width of a head", hp->head_width, 1, 1 << 14, err) &&
	    in_range(where, "width of all heads", (double)hp->heads * hp->head_width, 1, LM_SCRATCH,
	    err) &&
	    in_range(where, "hidden size of the MLP", hp->hidden, 1, LM_SCRATCH, err) &&
	    in_range(where, "vocabulary size", hp->vocab, 1, 1 << 24, err) &&
	    in_range(where, "context length", hp->context, 1, 1 << 28, err) &&
	    in_range(where, "epsilon of the norms", hp->norm_eps, 0, 1e3, err);
}

/* May run twice: once for what other entries build on, once after all of them. */
bool
lm_hparams_finish(struct lm_hparams *hp, const char *where, struct lm_err *err)
{
	struct lm_rope *r = &hp->rope;

	if (hp->kv_heads == 0)
		hp->kv_heads = hp->heads;
	if (hp->head_width == 0 && hp->heads != 0)
		hp->head_width = hp->width / hp->heads;
	if (hp->hidden == 0)
		hp->hidden = 4 * hp->width;
	if (hp->context == 0)
		hp->context = 2048;
	if (hp->norm_eps < 0)
		hp->norm_eps = hp->arch->norm_eps > 0 ? hp->arch->norm_eps : 1e-5;
	if (!check_sizes(hp, where, err))
		return false;
	if (hp->heads % hp->kv_heads != 0)
		return lm_fail(err, LM_EFORMAT, "%s: %u attention heads cannot share %u key-value heads",
		    where, hp->heads, hp->kv_heads);
	if (r->base == 0)
		r->base = hp->arch->rope_base > 0 ? hp->arch->rope_base : 10000;
	if (r->dims == 0)
		r->dims = hp->head_width;
	if (r->factor == 0)
		r->factor = 1;
	if (!in_range(where, "rotary base", r->base, 1e-3, 1e12, err) ||
	    !in_range(where, "rotary factor", r->factor, 1e-6, 1e6, err) ||
	    !in_range(where, "rotary width", r->dims, 1, hp->head_width, err))
		return false;
	if (!hp->arch->learned_positions && r->dims % 2 != 0)
		return lm_fail(err, LM_EFORMAT, "%s: rotary width is %u, an even number wanted", where,
		    r->dims);
	if (r->kind == LM_ROPE_LLAMA3 && !(r->low_freq > 0 && r->high_freq > r->low_freq &&
	    r->original > 0))
		return lm_fail(err, LM_EFORMAT, "%s: rope_type llama3 with low_freq_factor %g and "
		    "high_freq_factor %g, the first above 0 and below the second wanted", where,
		    r->low_freq, r->high_freq);
	if (hp->attn_scale == 0)
		hp->attn_scale = hp->arch->scores_unscaled ? 1 : 1 / sqrt(hp->head_width);
	if (hp->embed_scale == 0)
		hp->embed_scale = hp->arch->embed_scaled ? sqrt(hp->width) : 1;
	if (!hp->windowed && !(hp->windowed = lm_zalloc(hp->layers, 1, err)))
		return false;
	return true;
}

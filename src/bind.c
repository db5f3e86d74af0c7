/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind.c - tensors of a checkpoint to the places of the model, by the names of its family's row, with
 * every shape checked against the configuration.
 *
 * Matrices stay where they are mapped.  Gains and biases are widened once: they are small.
 */
#include "config.h"

#include "src/model.h"

#include <stdio.h>
#include <string.h>

struct binder {
	struct lm_model *m;
	const struct lm_tensors *ts;
	const char *drop;		/* prefix that the family's names have and this file's lack */
	struct lm_err *err;
};

/* A module's tensor, named as the container names it; NULL when it is not there. */
static const struct lm_tensor *
find(const struct binder *b, enum lm_module mod, uint32_t layer, const char *part, char *name,
    size_t size)
{
	const struct lm_hparams *hp = &b->m->hp;
	const char *form = hp->gguf ? lm_module_gguf(mod) : hp->arch->module[mod], *p;
	size_t n;

	name[0] = '\0';
	if (!form)
		return NULL;
	if (b->drop && strncmp(form, b->drop, strlen(b->drop)) == 0)
		form += strlen(b->drop);
	p = strstr(form, "%u");
	if (p)
		n = (size_t)snprintf(name, size, "%.*s%u%s", (int)(p - form), form, layer, p + 2);
	else
		n = (size_t)snprintf(name, size, "%s", form);
	if (n < size)
		snprintf(name + n, size - n, ".%s", part);
	return lm_tensors_find(b->ts, name);
}

static bool
missing(const struct binder *b, const char *name)
{
	return lm_fail(b->err, LM_EFORMAT, "%s: tensor %s is missing", b->m->path, name);
}

static bool
check_shape(const struct binder *b, const struct lm_tensor *t, size_t rows, size_t cols)
{
	char shape[LM_SHAPE_TEXT];

	if (cols == 0 ? t->n_dims == 1 && t->dim[0] == rows :
	    t->n_dims == 2 && t->dim[0] == rows && t->dim[1] == cols)
		return true;
	if (cols == 0)
		return lm_fail(b->err, LM_EFORMAT, "%s: tensor %s has shape %s, [%zu] wanted", b->m->path,
		    t->name, lm_tensor_shape(t, shape), rows);
	return lm_fail(b->err, LM_EFORMAT, "%s: tensor %s has shape %s, [%zu,%zu] wanted", b->m->path,
	    t->name, lm_tensor_shape(t, shape), rows, cols);
}

static bool
check_type(const struct binder *b, const struct lm_tensor *t)
{
	if (lm_dtype_get(t->type)->row)
		return true;
	return lm_fail(b->err, LM_EUNSUPPORTED, "%s: tensor %s is of type %s, which cannot be read",
	    b->m->path, t->name, lm_dtype_get(t->type)->name);
}

/* Widens n elements of t from element k on into a vector that the model owns. */
static bool
bind_vector(const struct binder *b, const struct lm_tensor *t, size_t k, size_t n, double add,
    const lm_real **out)
{
	const struct lm_dtype_info *info = lm_dtype_get(t->type);
	struct lm_model *m = b->m;
	lm_real *v;

	if (!check_type(b, t))
		return false;
	if (info->block != 1)
		return lm_fail(b->err, LM_EUNSUPPORTED, "%s: tensor %s: a vector of type %s", m->path, t->name,
		    info->name);
	if (!lm_resize(&m->vectors, m->n_vectors + 1, sizeof(*m->vectors), b->err) ||
	    !(v = lm_alloc(n, sizeof(*v), b->err)))
		return false;
	m->vectors[m->n_vectors++] = v;
	info->row(t->data + k * info->bytes, v, n);
	for (size_t i = 0; i < n && add != 0; i++)
		v[i] += (lm_real)add;
	*out = v;
	return true;
}

static bool
bind_norm(const struct binder *b, enum lm_module mod, uint32_t layer, size_t n, struct lm_norm *out)
{
	const struct lm_arch *a = b->m->hp.arch;
	const struct lm_tensor *t;
	char name[128];

	t = find(b, mod, layer, "weight", name, sizeof(name));
	if (!t)
		return missing(b, name);
	if (!check_shape(b, t, n, 0) ||
	    !bind_vector(b, t, 0, n, a->gain_plus_one && !b->m->hp.gguf ? 1 : 0, &out->gain))
		return false;
	if (!a->layer_norm)
		return true;
	t = find(b, mod, layer, "bias", name, sizeof(name));
	if (!t)
		return missing(b, name);
	return check_shape(b, t, n, 0) && bind_vector(b, t, 0, n, 0, &out->bias);
}

/*
 * Where the rows of one linear map lie in a tensor that may hold several: total rows, the first one,
 * and, when they come in groups, the size of a group and the distance between two.
 */
struct part {
	size_t total, first, group, distance;
};

static bool
bind_matrix(const struct binder *b, enum lm_module mod, uint32_t layer, size_t out, size_t in,
    struct part part, struct lm_mat *w)
{
	const struct lm_hparams *hp = &b->m->hp;
	bool columns = hp->arch->conv1d && !hp->gguf && mod != LM_M_EMBED && mod != LM_M_POSITION &&
	    mod != LM_M_HEAD;
	const struct lm_dtype_info *info;
	const struct lm_tensor *t;
	char name[128];

	t = find(b, mod, layer, "weight", name, sizeof(name));
	if (!t)
		return missing(b, name);
	if (!check_type(b, t) || !check_shape(b, t, columns ? in : part.total, columns ? part.total : in))
		return false;
	info = lm_dtype_get(t->type);
	*w = (struct lm_mat){ .type = t->type, .columns = columns, .out = out, .in = in };
	w->stride = (columns ? part.total : in) / info->block * info->bytes;
	w->group = part.group ? part.group : columns ? in : out;
	w->group_stride = part.distance * w->stride;
	w->data = t->data + (columns ? part.first * info->bytes : part.first * w->stride);
	return true;
}

static bool
bind_bias(const struct binder *b, enum lm_module mod, uint32_t layer, size_t out, unsigned which,
    struct part part, const lm_real **bias)
{
	const struct lm_hparams *hp = &b->m->hp;
	bool wanted = (hp->bias & which) != 0;
	const struct lm_tensor *t;
	char name[128];
	lm_real *v;

	if (!wanted && !hp->bias_optional)
		return true;
	t = find(b, mod, layer, "bias", name, sizeof(name));
	if (!t)
		return wanted ? missing(b, name) : true;
	if (!check_shape(b, t, part.total, 0))
		return false;
	if (!part.group)
		return bind_vector(b, t, part.first, out, 0, bias);
	/* In groups: widen all of it, then move the groups together. */
	if (!bind_vector(b, t, part.first, part.total - part.first, 0, bias))
		return false;
	v = b->m->vectors[b->m->n_vectors - 1];
	for (size_t r = 0; r < out; r++)
		v[r] = v[r / part.group * part.distance + r % part.group];
	return true;
}

static bool
bind_linear(const struct binder *b, enum lm_module mod, uint32_t layer, size_t out, size_t in,
    unsigned bias, struct part part, struct lm_linear *l)
{
	if (part.total == 0)
		part.total = out;
	return bind_matrix(b, mod, layer, out, in, part, &l->w) &&
	    bind_bias(b, mod, layer, out, bias, part, &l->bias);
}

static bool
bind_qkv(const struct binder *b, uint32_t i, struct lm_layer *l)
{
	const struct lm_hparams *hp = &b->m->hp;
	size_t d = hp->width, k = hp->head_width, nq = hp->heads * k, nkv = hp->kv_heads * k;
	size_t total = nq + 2 * nkv;
	enum lm_qkv kind = hp->arch->qkv;
	char name[128];

	if (hp->gguf)			/* a matter of the file, not of the family */
		kind = find(b, LM_M_QKV, i, "weight", name, sizeof(name)) ? LM_QKV_CONCAT : LM_QKV_SPLIT;
	switch (kind) {
	case LM_QKV_SPLIT:
		return bind_linear(b, LM_M_Q, i, nq, d, LM_B_QKV, (struct part){ 0 }, &l->q) &&
		    bind_linear(b, LM_M_K, i, nkv, d, LM_B_QKV, (struct part){ 0 }, &l->k) &&
		    bind_linear(b, LM_M_V, i, nkv, d, LM_B_QKV, (struct part){ 0 }, &l->v);
	case LM_QKV_CONCAT:
		return bind_linear(b, LM_M_QKV, i, nq, d, LM_B_QKV, (struct part){ total, 0, 0, 0 }, &l->q) &&
		    bind_linear(b, LM_M_QKV, i, nkv, d, LM_B_QKV, (struct part){ total, nq, 0, 0 }, &l->k) &&
		    bind_linear(b, LM_M_QKV, i, nkv, d, LM_B_QKV, (struct part){ total, nq + nkv, 0, 0 },
		    &l->v);
	case LM_QKV_PER_HEAD:
		return bind_linear(b, LM_M_QKV, i, nq, d, LM_B_QKV, (struct part){ total, 0, k, 3 * k },
		    &l->q) &&
		    bind_linear(b, LM_M_QKV, i, nkv, d, LM_B_QKV, (struct part){ total, k, k, 3 * k }, &l->k) &&
		    bind_linear(b, LM_M_QKV, i, nkv, d, LM_B_QKV, (struct part){ total, 2 * k, k, 3 * k },
		    &l->v);
	}
	return false;
}

static bool
bind_mlp(const struct binder *b, uint32_t i, struct lm_layer *l)
{
	const struct lm_hparams *hp = &b->m->hp;
	size_t d = hp->width, f = hp->hidden;
	struct part lower = { 0 }, upper = { 0 };

	if (hp->arch->gate_up_fused) {
		lower = (struct part){ 2 * f, 0, 0, 0 };
		upper = (struct part){ 2 * f, f, 0, 0 };
	}
	if (!hp->arch->ungated && !bind_linear(b, hp->arch->gate_up_fused ? LM_M_UP : LM_M_GATE, i, f, d,
	    LM_B_MLP, lower, &l->gate))
		return false;
	return bind_linear(b, LM_M_UP, i, f, d, LM_B_MLP, upper, &l->up) &&
	    bind_linear(b, LM_M_DOWN, i, d, f, LM_B_MLP, (struct part){ 0 }, &l->down);
}

static bool
bind_layer(const struct binder *b, uint32_t i)
{
	const struct lm_hparams *hp = &b->m->hp;
	const struct lm_arch *a = hp->arch;
	struct lm_layer *l = &b->m->layer[i];
	size_t d = hp->width, whole = a->qk_norm == LM_QK_WHOLE, k = hp->head_width;

	l->rotary = !a->learned_positions;
	l->window = hp->windowed[i] ? hp->window : 0;
	if (!a->no_pre_norm && !bind_norm(b, LM_M_ATTN_NORM, i, d, &l->attn_norm))
		return false;
	if (hp->flow == LM_PARALLEL_SHARED)
		l->mlp_norm = l->attn_norm;
	else if (!a->no_pre_norm && !bind_norm(b, LM_M_MLP_NORM, i, d, &l->mlp_norm))
		return false;
	if (a->post_norm && (!bind_norm(b, LM_M_ATTN_POST, i, d, &l->attn_post) ||
	    !bind_norm(b, LM_M_MLP_POST, i, d, &l->mlp_post)))
		return false;
	if (a->qk_norm != LM_QK_NONE &&
	    (!bind_norm(b, LM_M_Q_NORM, i, whole ? hp->heads * k : k, &l->q_norm) ||
	    !bind_norm(b, LM_M_K_NORM, i, whole ? hp->kv_heads * k : k, &l->k_norm)))
		return false;
	return bind_qkv(b, i, l) &&
	    bind_linear(b, LM_M_O, i, d, hp->heads * k, LM_B_O, (struct part){ 0 }, &l->o) &&
	    bind_mlp(b, i, l);
}

bool
lm_bind(struct lm_model *m, const struct lm_tensors *ts, struct lm_err *err)
{
	const struct lm_hparams *hp = &m->hp;
	struct binder b = { m, ts, NULL, err };
	char name[128], prefix[32] = "";
	const char *embed = hp->arch->module[LM_M_EMBED], *dot = strchr(embed, '.');

	/* Checkpoints of the bare model lack the first part of the names. */
	if (!hp->gguf && dot && !find(&b, LM_M_EMBED, 0, "weight", name, sizeof(name))) {
		snprintf(prefix, sizeof(prefix), "%.*s", (int)(dot + 1 - embed), embed);
		b.drop = prefix;
		if (!find(&b, LM_M_EMBED, 0, "weight", name, sizeof(name)))
			b.drop = NULL;
	}
	if (!bind_linear(&b, LM_M_EMBED, 0, hp->vocab, hp->width, 0, (struct part){ 0 }, &m->embed) ||
	    !bind_norm(&b, LM_M_FINAL_NORM, 0, hp->width, &m->final_norm))
		return false;
	m->embed.bias = NULL;
	if (hp->arch->learned_positions && !bind_linear(&b, LM_M_POSITION, 0, hp->context, hp->width, 0,
	    (struct part){ 0 }, &m->position))
		return false;
	m->head = m->embed;
	if (!hp->tied && !bind_linear(&b, LM_M_HEAD, 0, hp->vocab, hp->width, LM_B_HEAD,
	    (struct part){ 0 }, &m->head))
		return false;
	m->layer = lm_zalloc(hp->layers, sizeof(*m->layer), err);
	if (!m->layer)
		return false;
	for (uint32_t i = 0; i < hp->layers; i++)
		if (!bind_layer(&b, i))
			return false;
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.c - opens a checkpoint, whatever its container, and says what it is.
 */
#include "config.h"

#include "src/model.h"
#include "src/sha256.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAMPLES = 512, SAMPLE_BYTES = 64 };	/* of the weights, in the digest */

/* What a folder holds. */
struct contents {
	bool config, safetensors, tokenizer;
	struct lm_buf gguf;		/* name of the one GGUF file, when it is the only one or first part */
	unsigned n_gguf;
};

static bool
ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && strcmp(s + n - k, suffix) == 0;
}

/* Later parts of split files do not count: NAME-00002-of-00003.gguf. */
static bool
first_gguf(const char *name)
{
	const char *of = strstr(name, "-of-");

	return ends_with(name, ".gguf") && (!of || of - name < 6 || strncmp(of - 6, "-00001", 6) == 0);
}

static bool
look_into(const char *dir, struct contents *c, struct lm_err *err)
{
	struct dirent *de;
	bool ok = true;
	DIR *d = opendir(dir);

	if (!d)
		return lm_fail(err, LM_EIO, "%s: %s", dir, strerror(errno));
	while (ok && (de = readdir(d))) {
		const char *name = de->d_name;

		c->config |= strcmp(name, "config.json") == 0;
		c->tokenizer |= strcmp(name, "tokenizer.json") == 0;
		c->safetensors |= ends_with(name, ".safetensors") ||
		    strcmp(name, "model.safetensors.index.json") == 0;
		if (first_gguf(name) && c->n_gguf++ == 0)
			ok = lm_buf_printf(&c->gguf, err, "%s/%s", dir, name);
	}
	closedir(d);
	return ok;
}

/* ---- digest ---------------------------------------------------------------------------------------- */

/*
 * Blocks of weights are taken evenly over each tensor, so many from each that the whole model gives
 * about SAMPLES of them: milliseconds whatever its size, since each touches a page.
 */
static void
add_samples(struct lm_sha256 *s, const struct lm_tensors *ts)
{
	uint64_t total = 0;

	for (size_t i = 0; i < ts->n; i++)
		total += ts->v[i].bytes;
	for (size_t i = 0; i < ts->n; i++) {
		const struct lm_tensor *t = &ts->v[i];
		uint64_t n = 1 + (uint64_t)((double)SAMPLES * (double)t->bytes / (double)(total + 1));

		for (uint64_t k = 0; k < n && t->bytes; k++) {
			uint64_t at = (uint64_t)(((double)k + 0.5) / (double)n * (double)t->bytes);

			at = at < t->bytes ? at : t->bytes - 1;
			lm_sha256_add(s, t->data + at, t->bytes - at < SAMPLE_BYTES ? t->bytes - at :
			    SAMPLE_BYTES);
		}
	}
}

static void
digest(struct lm_model *m, const unsigned char *config, size_t config_len, const struct lm_tensors *ts)
{
	unsigned char hash[32];
	struct lm_sha256 s;

	lm_sha256_init(&s);
	lm_sha256_add(&s, config, config_len);
	for (size_t i = 0; i < ts->n; i++) {
		const struct lm_tensor *t = &ts->v[i];
		char shape[LM_SHAPE_TEXT];

		lm_sha256_add(&s, t->name, strlen(t->name) + 1);
		lm_tensor_shape(t, shape);
		lm_sha256_add(&s, shape, strlen(shape) + 1);
		lm_sha256_add(&s, lm_dtype_get(t->type)->name, strlen(lm_dtype_get(t->type)->name) + 1);
	}
	add_samples(&s, ts);
	lm_sha256_end(&s, hash);
	for (unsigned i = 0; i < 8; i++)
		snprintf(m->info.digest + 2 * i, 3, "%02x", hash[i]);
}

/* ---- opening --------------------------------------------------------------------------------------- */

static void
fill_info(struct lm_model *m, const struct lm_tensors *ts)
{
	const struct lm_hparams *hp = &m->hp;
	struct lm_info *i = &m->info;

	snprintf(i->family, sizeof(i->family), "%s", hp->arch->name);
	snprintf(i->dtype, sizeof(i->dtype), "%s", lm_dtype_get(m->layer[0].up.w.type)->name);
	i->layers = hp->layers;
	i->width = hp->width;
	i->heads = hp->heads;
	i->kv_heads = hp->kv_heads;
	i->head_width = hp->head_width;
	i->hidden = hp->hidden;
	i->vocab = hp->vocab;
	i->context = hp->context;
	i->tied = hp->tied;
	i->gated = !hp->arch->ungated;
	memcpy(i->eos, hp->eos, sizeof(i->eos));
	i->n_eos = hp->n_eos;
	for (size_t k = 0; k < ts->n; k++) {
		const struct lm_tensor *t = &ts->v[k];

		/* Mask buffers of old checkpoints and tables of frequencies are no parameters. */
		if (t->n_dims && lm_dtype_get(t->type)->row && !strstr(t->name, "rope_freqs") &&
		    !strstr(t->name, "inv_freq") && !ends_with(t->name, "attn.bias"))
			i->params += t->dim[0] * t->dim[1] * t->dim[2] * t->dim[3];
	}
}

static bool
finish(struct lm_model *m, const struct lm_tensors *ts, struct lm_err *err)
{
	if (!lm_bind(m, ts, err) || !lm_rope_init(m, err))
		return false;
	for (int r = LM_EOS; r <= LM_EOT && m->vocab && m->hp.gguf; r++) {
		int64_t id = lm_vocab_role(m->vocab, (enum lm_vocab_role)r);

		if (id >= 0 && (r == LM_EOS || r == LM_EOT))
			lm_hparams_add_eos(&m->hp, (uint32_t)id);
	}
	fill_info(m, ts);
	return true;
}

static bool
open_gguf(struct lm_model *m, const char *path, struct lm_err *err)
{
	if (!lm_gguf_open(&m->gguf, path, err))
		return false;
	if (lm_gguf_find(&m->gguf, "tokenizer.ggml.tokens") && !lm_vocab_open(&m->vocab, path, err))
		return false;
	if (m->gguf.tensors.n == 0 && m->vocab)
		return true;
	if (!lm_hparams_read_gguf(&m->hp, &m->gguf, err) || !finish(m, &m->gguf.tensors, err))
		return false;
	digest(m, m->gguf.head, m->gguf.head_len, &m->gguf.tensors);
	return true;
}

static bool
open_dir(struct lm_model *m, const char *dir, const struct contents *c, struct lm_err *err)
{
	struct lm_buf path = { 0 };
	struct lm_map config = { 0 };
	bool ok = false;

	if (c->tokenizer && !lm_vocab_open(&m->vocab, dir, err))
		return false;
	if (!c->safetensors)
		return true;
	if (!lm_hparams_read_dir(&m->hp, dir, err) || !lm_safetensors_open_dir(&m->tensors, dir, err) ||
	    !finish(m, &m->tensors, err))
		return false;
	if (lm_buf_printf(&path, err, "%s/config.json", dir) && lm_map_open(&config, path.p, err)) {
		digest(m, config.data, config.len, &m->tensors);
		ok = true;
	}
	lm_map_close(&config);
	lm_buf_free(&path);
	return ok;
}

/* A folder with safetensors or tokenizer.json is a Hugging Face folder, whatever lies beside. */
static bool
open_folder(struct lm_model *m, const char *path, struct lm_err *err)
{
	struct contents c = { 0 };
	bool ok = look_into(path, &c, err);

	if (ok && (c.safetensors || c.tokenizer))
		ok = open_dir(m, path, &c, err);
	else if (ok && c.n_gguf == 1)
		ok = open_gguf(m, c.gguf.p, err);
	else if (ok && c.n_gguf > 1)
		ok = lm_fail(err, LM_EARG, "%s: a folder with %u GGUF models; name one of them", path,
		    c.n_gguf);
	else if (ok)
		ok = lm_fail(err, LM_EFORMAT, "%s: no model in this folder; config.json with *.safetensors, "
		    "a tokenizer.json or a .gguf file wanted", path);
	lm_buf_free(&c.gguf);
	return ok;
}

bool
lm_model_open(lm_model **out, const char *path, struct lm_err *err)
{
	struct lm_model *m;
	struct stat st;
	bool ok;

	*out = NULL;
	if (stat(path, &st) != 0)
		return lm_fail(err, LM_EIO, "%s: %s", path, strerror(errno));
	m = lm_zalloc(1, sizeof(*m), err);
	if (!m || !(m->path = lm_strdup(path, err))) {
		lm_model_close(m);
		return false;
	}
	if (S_ISDIR(st.st_mode))
		ok = open_folder(m, path, err);
	else if (ends_with(path, ".safetensors"))
		ok = lm_fail(err, LM_EARG, "%s: name the folder that holds it and its config.json", path);
	else
		ok = open_gguf(m, path, err);
	if (!ok) {
		lm_model_close(m);
		return false;
	}
	*out = m;
	return true;
}

void
lm_model_close(lm_model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_vectors; i++)
		lm_free(m->vectors[i]);
	lm_free(m->vectors);
	lm_free(m->layer);
	lm_free(m->rope_freq);
	lm_vocab_close(m->vocab);
	lm_tensors_close(&m->tensors);
	lm_gguf_close(&m->gguf);
	lm_hparams_free(&m->hp);
	lm_free(m->path);
	lm_free(m);
}

const struct lm_info *
lm_model_info(const lm_model *m)
{
	return &m->info;
}

bool
lm_model_has_weights(const lm_model *m)
{
	return m->layer != NULL;
}

const lm_vocab *
lm_model_vocab(const lm_model *m)
{
	return m->vocab;
}

const char *
lm_model_path(const lm_model *m)
{
	return m->path;
}

void
lm_embed(const struct lm_model *m, const struct lm_kern *kern, uint32_t id, lm_real *dst)
{
	lm_mat_rows(&m->embed.w, kern, id, 1, dst);
	for (size_t i = 0; m->hp.embed_scale != 1 && i < m->hp.width; i++)
		dst[i] *= (lm_real)m->hp.embed_scale;
}

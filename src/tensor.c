/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tensor.c - the directory of tensors that safetensors.c and gguf.c fill and bind.c reads.
 */
#include "config.h"

#include "src/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
lm_tensors_add_map(struct lm_tensors *ts, struct lm_map *map, struct lm_err *err)
{
	if (!lm_resize(&ts->maps, ts->n_maps + 1, sizeof(*ts->maps), err)) {
		lm_map_close(map);
		return false;
	}
	ts->maps[ts->n_maps++] = *map;
	return true;
}

/* Bytes of t from its shape and type; false when that overflows or rows are no whole blocks. */
static bool
tensor_bytes(const struct lm_tensor *t, uint64_t *out)
{
	const struct lm_dtype_info *info = lm_dtype_get(t->type);
	uint64_t n = 1, last = t->n_dims ? t->dim[t->n_dims - 1] : 1;

	for (unsigned i = 0; i < t->n_dims; i++)
		if (__builtin_mul_overflow(n, t->dim[i], &n))
			return false;
	if (last % info->block != 0 || __builtin_mul_overflow(n / info->block, info->bytes, out))
		return false;
	return n <= INT64_MAX;
}

bool
lm_tensors_add(struct lm_tensors *ts, const char *file, const char *name, size_t name_len,
    struct lm_tensor t, uint64_t avail, struct lm_err *err)
{
	char shape[LM_SHAPE_TEXT];

	for (unsigned i = t.n_dims; i < LM_MAX_DIMS; i++)
		t.dim[i] = 1;
	if (!tensor_bytes(&t, &t.bytes))
		return lm_fail(err, LM_EFORMAT, "%s: %.*s: shape %s does not fit type %s", file,
		    (int)name_len, name, lm_tensor_shape(&t, shape), lm_dtype_get(t.type)->name);
	if (t.bytes > avail)
		return lm_fail(err, LM_EFORMAT, "%s: %.*s needs %llu bytes, the file has %llu", file,
		    (int)name_len, name, (unsigned long long)t.bytes, (unsigned long long)avail);
	if (ts->n == ts->cap) {
		size_t cap = ts->cap ? ts->cap * 2 : 64;

		if (!lm_resize(&ts->v, cap, sizeof(*ts->v), err))
			return false;
		ts->cap = cap;
	}
	t.name = lm_alloc(name_len + 1, 1, err);
	if (!t.name)
		return false;
	memcpy(t.name, name, name_len);
	t.name[name_len] = '\0';
	ts->v[ts->n++] = t;
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct lm_tensor *)a)->name, ((const struct lm_tensor *)b)->name);
}

bool
lm_tensors_finish(struct lm_tensors *ts, const char *file, struct lm_err *err)
{
	if (ts->n)
		qsort(ts->v, ts->n, sizeof(*ts->v), by_name);
	for (size_t i = 1; i < ts->n; i++)
		if (strcmp(ts->v[i - 1].name, ts->v[i].name) == 0)
			return lm_fail(err, LM_EFORMAT, "%s: tensor %s stands twice", file, ts->v[i].name);
	return true;
}

const struct lm_tensor *
lm_tensors_find(const struct lm_tensors *ts, const char *name)
{
	struct lm_tensor key = { .name = (char *)(uintptr_t)name };

	return ts->n ? bsearch(&key, ts->v, ts->n, sizeof(*ts->v), by_name) : NULL;
}

void
lm_tensors_close(struct lm_tensors *ts)
{
	for (size_t i = 0; i < ts->n; i++)
		lm_free(ts->v[i].name);
	for (size_t i = 0; i < ts->n_maps; i++)
		lm_map_close(&ts->maps[i]);
	lm_free(ts->v);
	lm_free(ts->maps);
	*ts = (struct lm_tensors){ 0 };
}

const char *
lm_tensor_shape(const struct lm_tensor *t, char *buf)
{
	size_t n = 0;

	buf[n++] = '[';
	for (unsigned i = 0; i < t->n_dims && i < LM_MAX_DIMS; i++)
		n += (size_t)snprintf(buf + n, LM_SHAPE_TEXT - n, i ? ",%llu" : "%llu",
		    (unsigned long long)t->dim[i]);
	buf[n++] = ']';
	buf[n] = '\0';
	return buf;
}

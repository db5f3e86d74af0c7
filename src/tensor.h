/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tensor.h - named tensors in mapped files, whichever the container.
 */
#ifndef LM_TENSOR_H
#define LM_TENSOR_H

#include "src/dtype.h"
#include "src/map.h"

enum { LM_MAX_DIMS = 4 };

struct lm_tensor {
	char *name;
	enum lm_dtype type;
	unsigned n_dims;		/* 0: a scalar */
	uint64_t dim[LM_MAX_DIMS];	/* slowest first; the rest 1 */
	uint64_t bytes;
	const unsigned char *data;	/* in the map; any alignment */
};

/* A directory of tensors over the maps they lie in.  Zero-initialised is empty. */
struct lm_tensors {
	struct lm_tensor *v;		/* by name, once sorted */
	size_t n, cap;
	struct lm_map *maps;		/* owned */
	size_t n_maps;
};

/* Takes over *map, also on failure. */
bool lm_tensors_add_map(struct lm_tensors *ts, struct lm_map *map, struct lm_err *err);
/*
 * Adds a tensor whose shape and type are set; name is copied.  avail is what the file holds from
 * data on; fails with LM_EFORMAT when the tensor needs more.
 */
bool lm_tensors_add(struct lm_tensors *ts, const char *file, const char *name, size_t name_len,
    struct lm_tensor t, uint64_t avail, struct lm_err *err);
/* Sorts; fails when a name stands twice. */
bool lm_tensors_finish(struct lm_tensors *ts, const char *file, struct lm_err *err);
const struct lm_tensor *lm_tensors_find(const struct lm_tensors *ts, const char *name);
void lm_tensors_close(struct lm_tensors *ts);
/* "[512,64]"; buf holds LM_SHAPE_TEXT bytes. */
enum { LM_SHAPE_TEXT = 96 };
const char *lm_tensor_shape(const struct lm_tensor *t, char *buf);

/*
 * Adds the tensors of one safetensors file.  The map is taken over.  Duplicate names between shards
 * are found by lm_tensors_finish.
 */
bool lm_safetensors_add(struct lm_tensors *ts, const char *path, struct lm_err *err);
/*
 * The safetensors files of a folder: model.safetensors, else the shards that its .index.json names,
 * else the only one there is.  Fails with LM_EFORMAT when that leaves none or several.
 */
bool lm_safetensors_open_dir(struct lm_tensors *ts, const char *dir, struct lm_err *err);

#endif

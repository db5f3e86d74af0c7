/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gguf.h - metadata and tensor directory of GGUF files, versions 2 and 3, single or split.
 */
#ifndef LM_GGUF_H
#define LM_GGUF_H

#include "src/tensor.h"

/* Numbers as the format defines them. */
enum lm_gguf_type {
	LM_GGUF_U8, LM_GGUF_I8, LM_GGUF_U16, LM_GGUF_I16, LM_GGUF_U32, LM_GGUF_I32, LM_GGUF_F32,
	LM_GGUF_BOOL, LM_GGUF_STR, LM_GGUF_ARR, LM_GGUF_U64, LM_GGUF_I64, LM_GGUF_F64, LM_GGUF_NTYPES
};

/* One metadata entry; everything points into the map.  Arrays were walked once, so they are sound. */
struct lm_gguf_kv {
	const char *key;		/* not zero-terminated */
	size_t key_len;
	enum lm_gguf_type type;
	enum lm_gguf_type elem;		/* of an array */
	uint64_t count;			/* elements of an array, else 1 */
	struct lm_cursor val;		/* at the first element */
};

struct lm_gguf {
	char *path;
	struct lm_gguf_kv *kv;		/* in file order */
	size_t n_kv;
	struct lm_tensors tensors;	/* of all parts of a split file; owns the maps */
	const unsigned char *head;	/* metadata and directory of the first part, for the digest */
	size_t head_len;
};

/* path is the only file or the first part of a split one. */
bool lm_gguf_open(struct lm_gguf *g, const char *path, struct lm_err *err);
void lm_gguf_close(struct lm_gguf *g);

/* NULL when the key is absent. */
const struct lm_gguf_kv *lm_gguf_find(const struct lm_gguf *g, const char *key);
/*
 * The scalar under a key.  True and *out set when it is there and of that kind; true and *out left
 * alone when it is absent; false (LM_EFORMAT) when it has another type or is out of range.
 */
bool lm_gguf_u32(const struct lm_gguf *g, const char *key, uint32_t *out, struct lm_err *err);
bool lm_gguf_real(const struct lm_gguf *g, const char *key, double *out, struct lm_err *err);
bool lm_gguf_bool(const struct lm_gguf *g, const char *key, bool *out, struct lm_err *err);
bool lm_gguf_str(const struct lm_gguf *g, const char *key, const char **out, size_t *len,
    struct lm_err *err);
/* The next element of an array, at kv->val: a string, or any integer. */
bool lm_gguf_next_str(struct lm_cursor *c, const char **out, size_t *len, struct lm_err *err);
bool lm_gguf_next_int(struct lm_cursor *c, enum lm_gguf_type elem, int64_t *out, struct lm_err *err);
bool lm_gguf_next_real(struct lm_cursor *c, enum lm_gguf_type elem, double *out,
    struct lm_err *err);

#endif

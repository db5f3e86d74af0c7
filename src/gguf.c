/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gguf.c - metadata and tensor directory of GGUF files.
 *
 *	"GGUF" | u32 version | u64 tensors | u64 entries
 *	entry:  string key | u32 type | value       string: u64 length | bytes
 *	array:  u32 type | u64 count | values
 *	tensor: string name | u32 dims | u64 dim[] (fastest first) | u32 type | u64 offset
 *	padding to general.alignment | data, which the offsets count from
 *
 * Everything is checked on the way in; what is kept are cursors into the map.
 */
#include "config.h"

#include "src/gguf.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_ALIGN = 32, MAX_NESTING = 4, MAX_PARTS = 1000 };

static const struct {
	const char *name;
	unsigned bytes;			/* 0: not of fixed size */
} types[LM_GGUF_NTYPES] = {
	[LM_GGUF_U8] = { "u8", 1 },	[LM_GGUF_I8] = { "i8", 1 },
	[LM_GGUF_U16] = { "u16", 2 },	[LM_GGUF_I16] = { "i16", 2 },
	[LM_GGUF_U32] = { "u32", 4 },	[LM_GGUF_I32] = { "i32", 4 },
	[LM_GGUF_F32] = { "f32", 4 },	[LM_GGUF_BOOL] = { "bool", 1 },
	[LM_GGUF_STR] = { "string", 0 },	[LM_GGUF_ARR] = { "array", 0 },
	[LM_GGUF_U64] = { "u64", 8 },	[LM_GGUF_I64] = { "i64", 8 },
	[LM_GGUF_F64] = { "f64", 8 },
};

static bool
get_type(struct lm_cursor *c, enum lm_gguf_type *out, struct lm_err *err)
{
	uint32_t t;

	if (!lm_get_u32(c, &t, err))
		return false;
	if (t >= LM_GGUF_NTYPES)
		return lm_fail(err, LM_EFORMAT, "%s: value type %u at offset %zu, 0 to %d wanted", c->what,
		    t, c->off - 4, LM_GGUF_NTYPES - 1);
	*out = (enum lm_gguf_type)t;
	return true;
}

bool
lm_gguf_next_str(struct lm_cursor *c, const char **out, size_t *len, struct lm_err *err)
{
	const unsigned char *p;
	uint64_t n;

	if (!lm_get_u64(c, &n, err) || !lm_get_bytes(c, &p, n, err))
		return false;
	*out = (const char *)p;
	*len = (size_t)n;
	return true;
}

/* ---- reading the head ------------------------------------------------------------------------- */

static bool skip_array(struct lm_cursor *c, enum lm_gguf_type elem, uint64_t count, int depth,
    struct lm_err *err);

static bool
skip_value(struct lm_cursor *c, enum lm_gguf_type type, int depth, struct lm_err *err)
{
	const unsigned char *p;
	enum lm_gguf_type elem;
	const char *s;
	uint64_t count;
	size_t len;

	if (type == LM_GGUF_STR)
		return lm_gguf_next_str(c, &s, &len, err);
	if (type != LM_GGUF_ARR)
		return lm_get_bytes(c, &p, types[type].bytes, err);
	if (depth == MAX_NESTING)
		return lm_fail(err, LM_EFORMAT, "%s: arrays nested deeper than %d", c->what, MAX_NESTING);
	return get_type(c, &elem, err) && lm_get_u64(c, &count, err) &&
	    skip_array(c, elem, count, depth + 1, err);
}

static bool
skip_array(struct lm_cursor *c, enum lm_gguf_type elem, uint64_t count, int depth,
    struct lm_err *err)
{
	const unsigned char *p;
	uint64_t n;

	if (types[elem].bytes) {
		if (__builtin_mul_overflow(count, types[elem].bytes, &n))
			n = UINT64_MAX;
		return lm_get_bytes(c, &p, n, err);
	}
	while (count--)
		if (!skip_value(c, elem, depth, err))
			return false;
	return true;
}

static bool
read_kv(struct lm_cursor *c, struct lm_gguf_kv *kv, struct lm_err *err)
{
	if (!lm_gguf_next_str(c, &kv->key, &kv->key_len, err) || !get_type(c, &kv->type, err))
		return false;
	kv->count = 1;
	if (kv->type != LM_GGUF_ARR) {
		kv->val = *c;
		return skip_value(c, kv->type, 0, err);
	}
	if (!get_type(c, &kv->elem, err) || !lm_get_u64(c, &kv->count, err))
		return false;
	kv->val = *c;
	return skip_array(c, kv->elem, kv->count, 1, err);
}

/* One directory entry; the offset goes to *off and the data pointer is set by the caller. */
static bool
read_info(struct lm_cursor *c, const char **name, size_t *len, struct lm_tensor *t, uint64_t *off,
    struct lm_err *err)
{
	uint32_t n, type;

	if (!lm_gguf_next_str(c, name, len, err) || !lm_get_u32(c, &n, err))
		return false;
	if (n > LM_MAX_DIMS)
		return lm_fail(err, LM_EFORMAT, "%s: tensor %.*s has %u dimensions, at most %d wanted",
		    c->what, (int)(*len > 100 ? 100 : *len), *name, n, LM_MAX_DIMS);
	t->n_dims = n;
	while (n--)
		if (!lm_get_u64(c, &t->dim[n], err))
			return false;
	if (!lm_get_u32(c, &type, err) || !lm_get_u64(c, off, err))
		return false;
	if (!lm_dtype_by_ggml(type, &t->type))
		return lm_fail(err, LM_EUNSUPPORTED, "%s: tensor %.*s: element type number %u is not known",
		    c->what, (int)(*len > 100 ? 100 : *len), *name, type);
	return true;
}

/* What the head of one part says, in the order it is read. */
struct head {
	struct lm_cursor c;
	uint64_t n_tensors, n_kv;
};

static bool
read_start(struct head *h, struct lm_err *err)
{
	const unsigned char *magic;
	uint32_t version;

	if (h->c.len < 4 || memcmp(h->c.p, "GGUF", 4) != 0)
		return lm_fail(err, LM_EFORMAT, "%s: not a GGUF file: its first bytes are not \"GGUF\"",
		    h->c.what);
	if (!lm_get_bytes(&h->c, &magic, 4, err) || !lm_get_u32(&h->c, &version, err))
		return false;
	if (version != 2 && version != 3)
		return lm_fail(err, LM_EUNSUPPORTED, "%s: GGUF version %u found, 2 or 3 wanted%s", h->c.what,
		    version, version & 0xffff ? "" : " (a big-endian file?)");
	if (!lm_get_u64(&h->c, &h->n_tensors, err) || !lm_get_u64(&h->c, &h->n_kv, err))
		return false;
	/* The smallest entry takes 13 bytes, the smallest tensor 24: larger counts are false. */
	if (h->n_kv > (h->c.len - h->c.off) / 13 || h->n_tensors > (h->c.len - h->c.off) / 24)
		return lm_fail(err, LM_EFORMAT,
		    "%s: %llu entries and %llu tensors do not fit into the %zu bytes of the file", h->c.what,
		    (unsigned long long)h->n_kv, (unsigned long long)h->n_tensors, h->c.len);
	return true;
}

static bool
read_entries(struct lm_gguf *g, struct head *h, struct lm_err *err)
{
	g->kv = lm_zalloc((size_t)h->n_kv, sizeof(*g->kv), err);
	if (!g->kv)
		return false;
	for (uint64_t i = 0; i < h->n_kv; i++) {
		if (!read_kv(&h->c, &g->kv[i], err))
			return false;
		g->n_kv++;
	}
	return true;
}

static bool
read_tensors(struct lm_gguf *g, struct head *h, struct lm_err *err)
{
	uint32_t align = DEFAULT_ALIGN;
	struct lm_cursor dir = h->c;
	size_t data = 0;

	if (!lm_gguf_u32(g, "general.alignment", &align, err))
		return false;
	if (align == 0 || align % 8 != 0 || align > 1u << 20)
		return lm_fail(err, LM_EFORMAT, "%s: general.alignment %u found, a multiple of 8 wanted",
		    h->c.what, align);
	/* Once to find where the data begin, once more to place the tensors in them. */
	for (int pass = 0; pass < 2; pass++) {
		struct lm_cursor c = dir;

		for (uint64_t i = 0; i < h->n_tensors; i++) {
			struct lm_tensor t = { 0 };
			const char *name;
			uint64_t off;
			size_t len;

			if (!read_info(&c, &name, &len, &t, &off, err))
				return false;
			if (pass == 0)
				continue;
			if (off % align != 0 || off > c.len - data)
				return lm_fail(err, LM_EFORMAT,
				    "%s: tensor %.*s at offset %llu, the file has %zu bytes of data in steps of %u",
				    c.what, (int)(len > 100 ? 100 : len), name, (unsigned long long)off,
				    c.len - data, align);
			t.data = c.p + data + off;
			if (!lm_tensors_add(&g->tensors, c.what, name, len, t, c.len - data - off, err))
				return false;
		}
		data = (c.off + align - 1) / align * align;
		if (data > c.len) {
			if (h->n_tensors != 0 && c.off != c.len)
				return lm_fail(err, LM_EFORMAT, "%s: ends before its data", c.what);
			data = c.len;
		}
		h->c = c;
	}
	return true;
}

/* Part no of count: PREFIX-00001-of-00003.gguf with the first number changed. */
static bool
add_part(struct lm_gguf *g, uint32_t no, uint32_t count, struct lm_err *err)
{
	static const char suffix[] = "-00001-of-00001.gguf";
	size_t n = strlen(g->path), cut = sizeof(suffix) - 1;
	struct lm_gguf part = { .tensors = g->tensors };
	struct lm_buf path = { 0 };
	struct lm_map map;
	struct head h;
	bool ok;

	if (n < cut || !lm_buf_add(&path, g->path, n - cut, err) ||
	    !lm_buf_printf(&path, err, "-%05u-of-%05u.gguf", no + 1, count) ||
	    !lm_map_open(&map, path.p, err)) {
		lm_buf_free(&path);
		return n >= cut ? false : lm_fail(err, LM_EFORMAT,
		    "%s: one of %u parts; a name that ends in -00001-of-%05u.gguf wanted", g->path, count,
		    count);
	}
	lm_buf_free(&path);
	ok = lm_tensors_add_map(&part.tensors, &map, err);
	if (ok) {
		h = (struct head){ .c = { map.data, map.len, 0, map.path } };
		ok = read_start(&h, err) && read_entries(&part, &h, err) && read_tensors(&part, &h, err);
	}
	g->tensors = part.tensors;
	lm_free(part.kv);
	return ok;
}

static bool
check_keys(const struct lm_gguf *g, struct lm_err *err)
{
	/* Quadratic in a number that is a few dozen in any real file; limit what a forged one costs. */
	if (g->n_kv > 4096)
		return lm_fail(err, LM_ELIMIT, "%s: %zu metadata entries, at most 4096 wanted", g->path,
		    g->n_kv);
	for (size_t i = 0; i < g->n_kv; i++)
		for (size_t j = 0; j < i; j++)
			if (g->kv[i].key_len == g->kv[j].key_len &&
			    memcmp(g->kv[i].key, g->kv[j].key, g->kv[i].key_len) == 0)
				return lm_fail(err, LM_EFORMAT, "%s: key %.*s stands twice", g->path,
				    (int)(g->kv[i].key_len > 100 ? 100 : g->kv[i].key_len), g->kv[i].key);
	return true;
}

static bool
open_parts(struct lm_gguf *g, struct lm_err *err)
{
	uint32_t no = 0, count = 1;

	if (!lm_gguf_u32(g, "split.no", &no, err) || !lm_gguf_u32(g, "split.count", &count, err))
		return false;
	if (no != 0)
		return lm_fail(err, LM_EARG, "%s: part %u of %u; give the first part", g->path, no + 1,
		    count);
	if (count > MAX_PARTS)
		return lm_fail(err, LM_ELIMIT, "%s: split.count %u, at most %d wanted", g->path, count,
		    MAX_PARTS);
	for (no = 1; no < count; no++)
		if (!add_part(g, no, count, err))
			return false;
	return lm_tensors_finish(&g->tensors, g->path, err);
}

bool
lm_gguf_open(struct lm_gguf *g, const char *path, struct lm_err *err)
{
	struct lm_map map;
	struct head h;

	*g = (struct lm_gguf){ 0 };
	if (!lm_map_open(&map, path, err) || !lm_tensors_add_map(&g->tensors, &map, err))
		return false;
	h = (struct head){ .c = { map.data, map.len, 0, map.path } };
	g->path = map.path;
	if (!read_start(&h, err) || !read_entries(g, &h, err) || !check_keys(g, err) ||
	    !read_tensors(g, &h, err) || !open_parts(g, err)) {
		lm_gguf_close(g);
		return false;
	}
	g->head = map.data;
	g->head_len = h.c.off;
	return true;
}

void
lm_gguf_close(struct lm_gguf *g)
{
	lm_tensors_close(&g->tensors);
	lm_free(g->kv);
	*g = (struct lm_gguf){ 0 };
}

/* ---- looking things up ------------------------------------------------------------------------ */

const struct lm_gguf_kv *
lm_gguf_find(const struct lm_gguf *g, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < g->n_kv; i++)
		if (g->kv[i].key_len == n && memcmp(g->kv[i].key, key, n) == 0)
			return &g->kv[i];
	return NULL;
}

static bool
wrong_type(const struct lm_gguf *g, const struct lm_gguf_kv *kv, const char *want,
    struct lm_err *err)
{
	return lm_fail(err, LM_EFORMAT, "%s: %.*s is of type %s, %s wanted", g->path, (int)kv->key_len,
	    kv->key, types[kv->type].name, want);
}

bool
lm_gguf_next_int(struct lm_cursor *c, enum lm_gguf_type elem, int64_t *out, struct lm_err *err)
{
	const unsigned char *p;
	uint64_t v = 0;
	unsigned n = types[elem].bytes;

	if (!lm_get_bytes(c, &p, n, err))
		return false;
	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	switch (elem) {
	case LM_GGUF_I8:
		*out = (int8_t)v;
		return true;
	case LM_GGUF_I16:
		*out = (int16_t)v;
		return true;
	case LM_GGUF_I32:
		*out = (int32_t)v;
		return true;
	case LM_GGUF_U64:
		if (v > INT64_MAX)
			return lm_fail(err, LM_EFORMAT, "%s: a number above 2^63", c->what);
		*out = (int64_t)v;
		return true;
	case LM_GGUF_U8:
	case LM_GGUF_U16:
	case LM_GGUF_U32:
	case LM_GGUF_BOOL:
	case LM_GGUF_I64:
		*out = (int64_t)v;
		return true;
	default:
		return lm_fail(err, LM_EFORMAT, "%s: %s found, an integer wanted", c->what,
		    types[elem].name);
	}
}

bool
lm_gguf_next_real(struct lm_cursor *c, enum lm_gguf_type elem, double *out, struct lm_err *err)
{
	uint64_t v;
	uint32_t u;
	int64_t i;
	float f;

	if (elem == LM_GGUF_F32) {
		if (!lm_get_u32(c, &u, err))
			return false;
		memcpy(&f, &u, sizeof(f));
		*out = f;
		return true;
	}
	if (elem == LM_GGUF_F64) {
		if (!lm_get_u64(c, &v, err))
			return false;
		memcpy(out, &v, sizeof(v));
		return true;
	}
	if (!lm_gguf_next_int(c, elem, &i, err))
		return false;
	*out = (double)i;
	return true;
}

bool
lm_gguf_u32(const struct lm_gguf *g, const char *key, uint32_t *out, struct lm_err *err)
{
	const struct lm_gguf_kv *kv = lm_gguf_find(g, key);
	struct lm_cursor c;
	int64_t v;

	if (!kv)
		return true;
	c = kv->val;
	if (kv->type == LM_GGUF_ARR || !lm_gguf_next_int(&c, kv->type, &v, NULL))
		return wrong_type(g, kv, "an integer", err);
	if (v < 0 || v > UINT32_MAX)
		return lm_fail(err, LM_EFORMAT, "%s: %s is %lld, 0 to %u wanted", g->path, key, (long long)v,
		    UINT32_MAX);
	*out = (uint32_t)v;
	return true;
}

bool
lm_gguf_real(const struct lm_gguf *g, const char *key, double *out, struct lm_err *err)
{
	const struct lm_gguf_kv *kv = lm_gguf_find(g, key);
	struct lm_cursor c;

	if (!kv)
		return true;
	c = kv->val;
	if (kv->type == LM_GGUF_ARR || !lm_gguf_next_real(&c, kv->type, out, NULL))
		return wrong_type(g, kv, "a number", err);
	if (!isfinite(*out))
		return lm_fail(err, LM_EFORMAT, "%s: %s is not finite", g->path, key);
	return true;
}

bool
lm_gguf_bool(const struct lm_gguf *g, const char *key, bool *out, struct lm_err *err)
{
	const struct lm_gguf_kv *kv = lm_gguf_find(g, key);

	if (!kv)
		return true;
	if (kv->type != LM_GGUF_BOOL)
		return wrong_type(g, kv, "bool", err);
	*out = kv->val.p[kv->val.off] != 0;
	return true;
}

bool
lm_gguf_str(const struct lm_gguf *g, const char *key, const char **out, size_t *len,
    struct lm_err *err)
{
	const struct lm_gguf_kv *kv = lm_gguf_find(g, key);
	struct lm_cursor c;

	if (!kv)
		return true;
	if (kv->type != LM_GGUF_STR)
		return wrong_type(g, kv, "a string", err);
	c = kv->val;
	return lm_gguf_next_str(&c, out, len, err);
}

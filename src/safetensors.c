/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors.c - the header of safetensors files, single or in shards.
 *
 *	u64 N | N bytes of JSON {"name":{"dtype":"F32","shape":[..],"data_offsets":[a,b]},..} | data
 */
#include "config.h"

#include "src/tensor.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A JSON number as a count; false when it is none or not exact. */
static bool
json_u64(const cJSON *j, uint64_t *out)
{
	if (!cJSON_IsNumber(j) || !(j->valuedouble >= 0) || j->valuedouble > 9007199254740992.0)
		return false;
	*out = (uint64_t)j->valuedouble;
	return (double)*out == j->valuedouble;
}

static bool
add_entry(struct lm_tensors *ts, const struct lm_map *map, size_t data_off, const cJSON *e,
    struct lm_err *err)
{
	const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(e, "dtype");
	const cJSON *shape = cJSON_GetObjectItemCaseSensitive(e, "shape");
	const cJSON *offs = cJSON_GetObjectItemCaseSensitive(e, "data_offsets"), *dim;
	struct lm_tensor t = { 0 };
	uint64_t a, b, have = map->len - data_off;

	if (!cJSON_IsString(dtype) || !cJSON_IsArray(shape) || cJSON_GetArraySize(offs) != 2 ||
	    !json_u64(cJSON_GetArrayItem(offs, 0), &a) || !json_u64(cJSON_GetArrayItem(offs, 1), &b))
		return lm_fail(err, LM_EFORMAT,
		    "%s: tensor %s: dtype, shape and data_offsets wanted", map->path, e->string);
	if (!lm_dtype_by_safetensors(dtype->valuestring, &t.type))
		return lm_fail(err, LM_EUNSUPPORTED, "%s: tensor %s: type %s is not known", map->path,
		    e->string, dtype->valuestring);
	cJSON_ArrayForEach(dim, shape) {
		if (t.n_dims == LM_MAX_DIMS || !json_u64(dim, &t.dim[t.n_dims]))
			return lm_fail(err, LM_EFORMAT, "%s: tensor %s: shape of at most %d sizes wanted",
			    map->path, e->string, LM_MAX_DIMS);
		t.n_dims++;
	}
	if (a > b || b > have)
		return lm_fail(err, LM_EFORMAT,
		    "%s: tensor %s: data at %llu to %llu, the file holds %llu bytes of data", map->path,
		    e->string, (unsigned long long)a, (unsigned long long)b, (unsigned long long)have);
	t.data = map->data + data_off + a;
	if (!lm_tensors_add(ts, map->path, e->string, strlen(e->string), t, b - a, err))
		return false;
	if (ts->v[ts->n - 1].bytes != b - a)
		return lm_fail(err, LM_EFORMAT, "%s: tensor %s needs %llu bytes, data_offsets give %llu",
		    map->path, e->string, (unsigned long long)ts->v[ts->n - 1].bytes,
		    (unsigned long long)(b - a));
	return true;
}

bool
lm_safetensors_add(struct lm_tensors *ts, const char *path, struct lm_err *err)
{
	struct lm_cursor c = { 0 };
	const unsigned char *head;
	struct lm_map map;
	cJSON *json = NULL;
	const cJSON *e;
	bool ok = false;
	uint64_t n;

	if (!lm_map_open(&map, path, err) || !lm_tensors_add_map(ts, &map, err))
		return false;
	c = (struct lm_cursor){ map.data, map.len, 0, map.path };
	if (!lm_get_u64(&c, &n, err) || !lm_get_bytes(&c, &head, n, err))
		return false;
	json = cJSON_ParseWithLength((const char *)head, (size_t)n);
	if (!cJSON_IsObject(json)) {
		lm_fail(err, LM_EFORMAT, "%s: its header is no JSON object", path);
		goto out;
	}
	cJSON_ArrayForEach(e, json) {
		if (strcmp(e->string, "__metadata__") == 0)
			continue;
		if (!add_entry(ts, &map, c.off, e, err))
			goto out;
	}
	ok = true;
out:
	cJSON_Delete(json);
	return ok;
}

/* ---- folders -------------------------------------------------------------------------------- */

static bool
add_named(struct lm_tensors *ts, const char *dir, const char *name, struct lm_err *err)
{
	struct lm_buf path = { 0 };
	bool ok;

	ok = lm_buf_printf(&path, err, "%s/%s", dir, name) && lm_safetensors_add(ts, path.p, err);
	lm_buf_free(&path);
	return ok;
}

/* Adds every shard that the index names, each once. */
static bool
add_shards(struct lm_tensors *ts, const char *dir, const struct lm_map *index, struct lm_err *err)
{
	cJSON *json = cJSON_ParseWithLength((const char *)index->data, index->len);
	const cJSON *map = cJSON_GetObjectItemCaseSensitive(json, "weight_map"), *e, *f;
	bool ok = false;

	if (!cJSON_IsObject(map) || !map->child) {
		lm_fail(err, LM_EFORMAT, "%s: no weight_map in it", index->path);
		goto out;
	}
	cJSON_ArrayForEach(e, map) {
		const char *name = cJSON_GetStringValue(e);

		if (!name || !*name || strchr(name, '/') || name[0] == '.') {
			lm_fail(err, LM_EFORMAT, "%s: %s: name of a file in this folder wanted",
			    index->path, e->string);
			goto out;
		}
		for (f = map->child; f != e; f = f->next)
			if (strcmp(f->valuestring, name) == 0)
				break;
		if (f == e && !add_named(ts, dir, name, err))
			goto out;
	}
	ok = true;
out:
	cJSON_Delete(json);
	return ok;
}

/* The one file of dir that ends in .safetensors. */
static bool
add_only(struct lm_tensors *ts, const char *dir, struct lm_err *err)
{
	struct lm_buf name = { 0 };
	struct dirent *de;
	bool ok = false;
	size_t found = 0;
	DIR *d = opendir(dir);

	if (!d)
		return lm_fail(err, LM_EIO, "%s: %s", dir, strerror(errno));
	while ((de = readdir(d))) {
		size_t n = strlen(de->d_name);

		if (n > 12 && de->d_name[0] != '.' && strcmp(de->d_name + n - 12, ".safetensors") == 0 &&
		    found++ == 0 && !lm_buf_str(&name, de->d_name, err))
			goto out;
	}
	if (found == 1)
		ok = add_named(ts, dir, name.p, err);
	else
		lm_fail(err, LM_EFORMAT, "%s: %zu safetensors files found, one wanted, or shards with a "
		    "model.safetensors.index.json", dir, found);
out:
	closedir(d);
	lm_buf_free(&name);
	return ok;
}

bool
lm_safetensors_open_dir(struct lm_tensors *ts, const char *dir, struct lm_err *err)
{
	struct lm_buf path = { 0 };
	struct lm_map index = { 0 };
	bool ok = false;

	if (!lm_buf_printf(&path, err, "%s/model.safetensors", dir))
		goto out;
	if (access(path.p, F_OK) == 0) {
		ok = lm_safetensors_add(ts, path.p, err);
		goto out;
	}
	if (!lm_buf_str(&path, ".index.json", err))
		goto out;
	if (access(path.p, F_OK) == 0)
		ok = lm_map_open(&index, path.p, err) && add_shards(ts, dir, &index, err);
	else
		ok = add_only(ts, dir, err);
out:
	lm_map_close(&index);
	lm_buf_free(&path);
	return ok && lm_tensors_finish(ts, dir, err);
}

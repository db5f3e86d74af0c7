/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support.c - see support.h.
 */
#include "config.h"

#include "tests/support.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
next_buffer(void)
{
	static char buf[4][4096];
	static unsigned at;

	return buf[at++ % 4];
}

static const char *
env_or(const char *name, const char *otherwise)
{
	const char *s = getenv(name);

	return s && *s ? s : otherwise;
}

const char *
shared_path(const char *name)
{
	const char *top = env_or("top_srcdir", ".");
	char *p = next_buffer();

	if (getenv("LMSCOPE_SHARED"))
		snprintf(p, 4096, "%s/%s", getenv("LMSCOPE_SHARED"), name);
	else
		snprintf(p, 4096, "%s/../shared/%s", top, name);
	if (access(p, R_OK) == 0)
		return p;
	snprintf(p, 4096, "%s/tests/%s", top, name);
	return strncmp(name, "fixtures/", 9) == 0 && access(p, R_OK) == 0 ? p : NULL;
}

/* ---- temporary files ----------------------------------------------------------------------------------- */

static char temp_dir[256];

static void
remove_temp(void)
{
	char path[600];
	struct dirent *de;
	DIR *d = opendir(temp_dir);

	while (d && (de = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", temp_dir, de->d_name);
		if (de->d_name[0] != '.')
			unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(temp_dir);
}

const char *
temp_path(const char *name)
{
	char *p;

	if (!*temp_dir) {
		snprintf(temp_dir, sizeof(temp_dir), "%s/lmscope-test-XXXXXX", env_or("TMPDIR", "/tmp"));
		assert_non_null(mkdtemp(temp_dir));
		atexit(remove_temp);
	}
	if (!*name)
		return temp_dir;
	p = next_buffer();
	snprintf(p, 4096, "%s/%s", temp_dir, name);
	return p;
}

void
temp_write(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(temp_path(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

char *
slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	char *p;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	p = malloc((size_t)st.st_size + 1);
	assert_non_null(p);
	*n = fread(p, 1, (size_t)st.st_size, f);
	p[*n] = '\0';
	fclose(f);
	return p;
}

/* ---- references ---------------------------------------------------------------------------------------- */

double *
tensor_values(const struct lm_tensors *ts, const char *name, size_t *n)
{
	const struct lm_tensor *t = lm_tensors_find(ts, name);
	double *v;

	if (!t)
		fail_msg("no reference tensor %s", name);
	*n = (size_t)(t->dim[0] * t->dim[1] * t->dim[2] * t->dim[3]);
	v = malloc((*n + 1) * sizeof(*v));
	assert_non_null(v);
	for (size_t i = 0; i < *n; i++) {
		float f;
		int32_t k;

		switch (t->type) {
		case LM_F64:
			memcpy(&v[i], t->data + 8 * i, 8);
			break;
		case LM_F32:
			memcpy(&f, t->data + 4 * i, 4);
			v[i] = f;
			break;
		case LM_I32:
			memcpy(&k, t->data + 4 * i, 4);
			v[i] = k;
			break;
		default:
			fail_msg("%s: unexpected type", name);
		}
	}
	return v;
}

void
expect_near(const struct lm_tensors *ts, const char *name, const lm_real *got, size_t n,
    enum bound kind)
{
	const bool dbl = sizeof(lm_real) == sizeof(double);
	size_t have, worst = 0;
	double *want = tensor_values(ts, name, &have), max = 0, off = 0, limit = 0;

	if (have != n)
		fail_msg("%s: %zu values, reference has %zu", name, n, have);
	for (size_t i = 0; i < n; i++) {
		double e = fabs((double)got[i] - want[i]);

		max = fabs(want[i]) > max ? fabs(want[i]) : max;
		if (!(e <= off)) {
			off = e;
			worst = i;
		}
	}
	switch (kind) {
	case BOUND_LOGITS:
		limit = dbl ? 1e-6 : 2e-4;
		break;
	case BOUND_STATE:
		limit = dbl ? 1e-6 * (max > 1 ? max : 1) : 1e-4 * max;
		break;
	case BOUND_GRADIENT:
		limit = (dbl ? 1e-9 : 1e-4) * max;
		break;
	}
	if (!(off <= limit))
		fail_msg("%s: off by %.3g at %zu (%.9g, reference %.9g), %.3g allowed", name, off, worst,
		    (double)got[worst], want[worst], limit);
	free(want);
}

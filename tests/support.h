/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support.h - what the unit tests share: where the data lie, temporary files, and comparisons with the
 * reference tensors of the fixtures.
 */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "src/tensor.h"

/*
 * Path of NAME below the shared data, in a buffer that the next call but three overwrites; NULL when it
 * is not there.  fixtures/X is looked for beside the tests as well, where a selection is kept.
 */
const char *shared_path(const char *name);
/* Path of NAME in a temporary folder of this process, removed at exit; "" is the folder itself. */
const char *temp_path(const char *name);
void temp_write(const char *name, const void *bytes, size_t n);
/* The whole file, to free with free(). */
char *slurp(const char *path, size_t *n);

/* assert that a call worked, printing what err says if not. */
#define must(call) \
	do { \
		if (!(call)) \
			fail_msg("%s: %s", #call, err.msg); \
	} while (0)

/* A tensor as doubles; asserts that it is there.  Free with free(). */
double *tensor_values(const struct lm_tensors *ts, const char *name, size_t *n);
/*
 * Asserts that got equals the reference within the bound of its kind (fixtures/README.md): `absolute`, or
 * `relative` to its largest magnitude.  In double builds the bounds are the rounding of the storage.
 */
enum bound { BOUND_LOGITS, BOUND_STATE, BOUND_GRADIENT };
void expect_near(const struct lm_tensors *ts, const char *name, const lm_real *got, size_t n,
    enum bound kind);

#endif

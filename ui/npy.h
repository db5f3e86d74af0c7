/* SPDX-License-Identifier: Apache-2.0 */
/*
 * npy.h - arrays as NumPy files.
 */
#ifndef UI_NPY_H
#define UI_NPY_H

#include "ui/base.h"

/* Writes a row-major array; size is 4 (float) or 8 (double) bytes a number.  The file appears whole. */
bool ui_npy_write(const char *path, unsigned dims, const size_t *shape, const void *numbers,
    size_t size, struct lm_err *err);
/* Writes bytes to path by way of a file beside it, so that what was there stays until all is written. */
bool ui_write_file(const char *path, const void *head, size_t head_len, const void *body,
    size_t body_len, struct lm_err *err);

#endif

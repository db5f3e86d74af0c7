/* SPDX-License-Identifier: Apache-2.0 */
/*
 * npy.c - the .npy format, version 1.0: magic, a header in the syntax of a Python dictionary, the numbers.
 */
#include "config.h"

#include "ui/npy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
ui_write_file(const char *path, const void *head, size_t head_len, const void *body, size_t body_len,
    struct lm_err *err)
{
	struct lm_buf temp = { 0 };
	bool ok = false;
	FILE *f;

	ui_buf_printf(&temp, "%s.%ld.tmp", path, (long)getpid());
	f = fopen(temp.p, "wb");
	if (f) {
		ok = fwrite(head, 1, head_len, f) == head_len && fwrite(body, 1, body_len, f) == body_len;
		ok = fclose(f) == 0 && ok;
		ok = ok && rename(temp.p, path) == 0;
	}
	if (!ok) {
		lm_fail(err, LM_EIO, "%s: cannot be written: %s", path, strerror(errno));
		if (f)
			unlink(temp.p);
	}
	lm_buf_free(&temp);
	return ok;
}

bool
ui_npy_write(const char *path, unsigned dims, const size_t *shape, const void *numbers, size_t size,
    struct lm_err *err)
{
	static const char magic[] = "\x93NUMPY\x01";	/* and the minor version 0 that ends it */
	struct lm_buf head = { 0 };
	size_t bytes = size, n;
	char len[2];
	bool ok;

	ui_buf_add(&head, magic, sizeof(magic));
	ui_buf_add(&head, "\0\0", 2);
	ui_buf_printf(&head, "{'descr': '<f%zu', 'fortran_order': False, 'shape': (", size);
	for (unsigned i = 0; i < dims; i++) {
		ui_buf_printf(&head, dims == 1 ? "%zu," : i ? ", %zu" : "%zu", shape[i]);
		bytes *= shape[i];
	}
	ui_buf_str(&head, "), }");
	while ((head.len + 1) % 64 != 0)
		ui_buf_str(&head, " ");
	ui_buf_str(&head, "\n");
	n = head.len - sizeof(magic) - 2;
	len[0] = (char)(n & 0xff);
	len[1] = (char)(n >> 8);
	memcpy(head.p + sizeof(magic), len, 2);
	ok = ui_write_file(path, head.p, head.len, numbers, bytes, err);
	lm_buf_free(&head);
	return ok;
}

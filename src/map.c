/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.c - read-only file maps and the bounds-checked cursor over them.
 */
#include "config.h"

#include "src/map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool
lm_map_open(struct lm_map *m, const char *path, struct lm_err *err)
{
	struct stat st;
	void *p;
	int fd;

	*m = (struct lm_map){ 0 };
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return lm_fail(err, LM_EIO, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0) {
		int saved = errno;

		close(fd);
		return lm_fail(err, LM_EIO, "%s: %s", path, strerror(saved));
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return lm_fail(err, LM_EIO, "%s: not a regular file", path);
	}
	m->path = lm_strdup(path, err);
	if (!m->path) {
		close(fd);
		return false;
	}
	if (st.st_size > 0) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED) {
			int saved = errno;

			close(fd);
			lm_map_close(m);
			return lm_fail(err, LM_EIO, "%s: cannot be mapped: %s", path, strerror(saved));
		}
		m->data = p;
		m->len = (size_t)st.st_size;
	}
	close(fd);
	return true;
}

void
lm_map_close(struct lm_map *m)
{
	if (m->data)
		munmap((void *)(uintptr_t)m->data, m->len);
	lm_free(m->path);
	*m = (struct lm_map){ 0 };
}

bool
lm_get_bytes(struct lm_cursor *c, const unsigned char **out, uint64_t n, struct lm_err *err)
{
	if (n > c->len - c->off)
		return lm_fail(err, LM_EFORMAT, "%s: %llu bytes wanted at offset %zu, the file has %zu",
		    c->what, (unsigned long long)n, c->off, c->len - c->off);
	*out = c->p + c->off;
	c->off += (size_t)n;
	return true;
}

static bool
get_le(struct lm_cursor *c, unsigned bytes, uint64_t *out, struct lm_err *err)
{
	const unsigned char *p;

	if (!lm_get_bytes(c, &p, bytes, err))
		return false;
	*out = 0;
	for (unsigned i = 0; i < bytes; i++)
		*out |= (uint64_t)p[i] << (8 * i);
	return true;
}

bool
lm_get_u8(struct lm_cursor *c, uint8_t *out, struct lm_err *err)
{
	uint64_t v;

	if (!get_le(c, 1, &v, err))
		return false;
	*out = (uint8_t)v;
	return true;
}

bool
lm_get_u16(struct lm_cursor *c, uint16_t *out, struct lm_err *err)
{
	uint64_t v;

	if (!get_le(c, 2, &v, err))
		return false;
	*out = (uint16_t)v;
	return true;
}

bool
lm_get_u32(struct lm_cursor *c, uint32_t *out, struct lm_err *err)
{
	uint64_t v;

	if (!get_le(c, 4, &v, err))
		return false;
	*out = (uint32_t)v;
	return true;
}

bool
lm_get_u64(struct lm_cursor *c, uint64_t *out, struct lm_err *err)
{
	return get_le(c, 8, out, err);
}

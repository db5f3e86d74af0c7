/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - a file as bytes, and a cursor that cannot leave them.
 */
#ifndef LM_MAP_H
#define LM_MAP_H

#include "src/lm.h"

struct lm_map {
	const unsigned char *data;	/* read-only; NULL when len is 0 */
	size_t len;
	char *path;			/* as given */
};

/* Maps a regular file.  Fails with LM_EIO when it cannot be opened or is no regular file. */
bool lm_map_open(struct lm_map *m, const char *path, struct lm_err *err);
/* Accepts a zeroed or closed map. */
void lm_map_close(struct lm_map *m);

/*
 * Reads little-endian values from p[0..len).  Each read checks what remains; the first that does not
 * fit fails with LM_EFORMAT naming `what`.
 */
struct lm_cursor {
	const unsigned char *p;
	size_t len, off;
	const char *what;		/* file name, for messages */
};

bool lm_get_bytes(struct lm_cursor *c, const unsigned char **out, uint64_t n, struct lm_err *err);
bool lm_get_u8(struct lm_cursor *c, uint8_t *out, struct lm_err *err);
bool lm_get_u16(struct lm_cursor *c, uint16_t *out, struct lm_err *err);
bool lm_get_u32(struct lm_cursor *c, uint32_t *out, struct lm_err *err);
bool lm_get_u64(struct lm_cursor *c, uint64_t *out, struct lm_err *err);

#endif

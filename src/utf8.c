/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.c - reads and writes UTF-8 as Unicode defines it: no overlong forms, no surrogates.
 */
#include "config.h"

#include "src/lm.h"

size_t
lm_utf8_next(const char *s, size_t n, int32_t *cp)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned lo = 0x80, hi = 0xbf;		/* what the second byte may be */
	size_t len, i;
	int32_t c;

	*cp = -1;
	if (u[0] < 0x80) {
		*cp = u[0];
		return 1;
	}
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 1;
	if (u[0] < 0xe0) {
		len = 2, c = u[0] & 0x1f;
	} else if (u[0] < 0xf0) {
		len = 3, c = u[0] & 0x0f;
		lo = u[0] == 0xe0 ? 0xa0 : 0x80;
		hi = u[0] == 0xed ? 0x9f : 0xbf;
	} else {
		len = 4, c = u[0] & 0x07;
		lo = u[0] == 0xf0 ? 0x90 : 0x80;
		hi = u[0] == 0xf4 ? 0x8f : 0xbf;
	}
	for (i = 1; i < len; i++) {
		if (i >= n || u[i] < lo || u[i] > hi)
			return i;
		c = c << 6 | (u[i] & 0x3f);
		lo = 0x80, hi = 0xbf;
	}
	*cp = c;
	return len;
}

size_t
lm_utf8_put(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

bool
lm_utf8_valid(const char *s, size_t n)
{
	while (n) {
		int32_t cp;
		size_t k = lm_utf8_next(s, n, &cp);

		if (cp < 0)
			return false;
		s += k, n -= k;
	}
	return true;
}

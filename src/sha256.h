/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256.h - the hash of FIPS 180-4, for digests of models.
 */
#ifndef LM_SHA256_H
#define LM_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct lm_sha256 {
	uint32_t h[8];
	uint64_t len;
	unsigned char block[64];
};

void lm_sha256_init(struct lm_sha256 *s);
void lm_sha256_add(struct lm_sha256 *s, const void *bytes, size_t n);
void lm_sha256_end(struct lm_sha256 *s, unsigned char out[32]);

#endif

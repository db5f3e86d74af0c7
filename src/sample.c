/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.c - the random generator and the choice of the next token.
 */
#include "config.h"

#include "src/lm.h"

#include <math.h>

/* ---- numbers: xoshiro256** of Blackman and Vigna, seeded by splitmix64 ------------------------------------ */

static uint64_t
rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

void
lm_rng_seed(struct lm_rng *g, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		g->s[i] = z ^ z >> 31;
	}
}

uint64_t
lm_rng_next(struct lm_rng *g)
{
	uint64_t *s = g->s, out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

double
lm_rng_unit(struct lm_rng *g)
{
	return (double)(lm_rng_next(g) >> 11) * 0x1p-53;
}

double
lm_rng_normal(struct lm_rng *g)
{
	double u = 1 - lm_rng_unit(g), v = lm_rng_unit(g);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* ---- the next token --------------------------------------------------------------------------------------- */

bool
lm_sample(const lm_real *logits, size_t n, const struct lm_sampling *how, struct lm_rng *g,
    uint32_t *out, struct lm_err *err)
{
	size_t k = how->top_k && how->top_k < n ? how->top_k : n, keep;
	double *p, sum = 0, part = 0, u;
	uint32_t *order;

	if (n == 0)
		return lm_fail(err, LM_EARG, "no logits to choose from");
	if (how->temp <= 0) {
		lm_top(logits, n, 1, 1, out);
		return true;
	}
	p = lm_alloc(k, sizeof(*p), err);
	order = lm_alloc(k, sizeof(*order), err);
	if (!p || !order) {
		lm_free(p);
		lm_free(order);
		return false;
	}
	lm_top(logits, n, 1, k, order);
	for (size_t i = 0; i < k; i++)
		sum += p[i] = exp(((double)logits[order[i]] - (double)logits[order[0]]) / how->temp);
	/* The smallest head of the order that holds top_p of the mass; at least one. */
	for (keep = 0; keep < k && (keep == 0 || part < how->top_p * sum); keep++)
		part += p[keep];
	u = lm_rng_unit(g) * part;
	for (size_t i = 0; i < keep; i++) {
		*out = order[i];
		u -= p[i];
		if (u < 0)
			break;
	}
	lm_free(p);
	lm_free(order);
	return true;
}

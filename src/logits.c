/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logits.c - distributions over the vocabulary: the largest, normalisation, divergence.
 */
#include "config.h"

#include "src/lm.h"

#include <math.h>

double
lm_logsumexp(const lm_real *logits, size_t n)
{
	double max = -INFINITY, sum = 0;

	for (size_t i = 0; i < n; i++)
		max = (double)logits[i] > max ? (double)logits[i] : max;
	if (isinf(max))
		return max;
	for (size_t i = 0; i < n; i++)
		sum += exp((double)logits[i] - max);
	return max + log(sum);
}

double
lm_kl(const lm_real *p, const lm_real *q, size_t n)
{
	double zp = lm_logsumexp(p, n), zq = lm_logsumexp(q, n), kl = 0;

	for (size_t i = 0; i < n; i++) {
		double lp = (double)p[i] - zp, lq = (double)q[i] - zq;

		if (p[i] != q[i] || zp != zq)
			kl += exp(lp) * (lp - lq);
	}
	return kl;
}

/* ---- the k largest ------------------------------------------------------------------------------------- */

struct order {
	const lm_real *x;
	int sign;
};

/* True when index a comes before b in the result. */
static bool
before(const struct order *o, uint32_t a, uint32_t b)
{
	double x = (double)o->x[a] * o->sign, y = (double)o->x[b] * o->sign;

	if (x > y || (isnan(y) && !isnan(x)))
		return true;
	if (x < y || (isnan(x) && !isnan(y)))
		return false;
	return a < b;
}

/* Restores the heap, whose top is the last of the kept, from place i down. */
static void
sift(const struct order *o, uint32_t *heap, size_t n, size_t i)
{
	for (;;) {
		size_t worst = i, c = 2 * i + 1;

		if (c < n && before(o, heap[worst], heap[c]))
			worst = c;
		if (c + 1 < n && before(o, heap[worst], heap[c + 1]))
			worst = c + 1;
		if (worst == i)
			return;
		uint32_t t = heap[i];
		heap[i] = heap[worst];
		heap[worst] = t;
		i = worst;
	}
}

void
lm_top(const lm_real *x, size_t n, int sign, size_t k, uint32_t *out)
{
	struct order o = { x, sign };

	k = k < n ? k : n;
	if (k == 0)
		return;
	for (size_t i = 0; i < k; i++)
		out[i] = (uint32_t)i;
	for (size_t i = k / 2; i-- > 0;)
		sift(&o, out, k, i);
	for (size_t i = k; i < n; i++)
		if (before(&o, (uint32_t)i, out[0])) {
			out[0] = (uint32_t)i;
			sift(&o, out, k, 0);
		}
	for (size_t m = k; m-- > 1;) {
		uint32_t t = out[0];

		out[0] = out[m];
		out[m] = t;
		sift(&o, out, m, 0);
	}
}

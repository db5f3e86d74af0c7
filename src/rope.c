/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rope.c - rotary positions: frequencies with their scalings, and the turning of heads.
 *
 * Frequencies and angles are computed in double whatever lm_real is: at position 100,000 a float angle
 * is off by hundredths of a radian.
 */
#include "config.h"

#include "src/rope.h"

#include <math.h>

/*
 * The scaling of Llama 3.1: wavelengths above what the first training saw are stretched by factor,
 * short ones kept, those between interpolated.
 */
static double
llama3_freq(const struct lm_rope *r, double freq)
{
	double wave = 2 * 3.14159265358979323846 / freq;
	double s;

	if (wave < r->original / r->high_freq)
		return freq;
	if (wave > r->original / r->low_freq)
		return freq / r->factor;
	s = (r->original / wave - r->low_freq) / (r->high_freq - r->low_freq);
	return (1 - s) * freq / r->factor + s * freq;
}

/* GGUF files state such scalings as one divisor for each frequency. */
static bool
apply_factors(struct lm_model *m, size_t half, struct lm_err *err)
{
	const struct lm_tensor *t = lm_tensors_find(&m->gguf.tensors, "rope_freqs.weight");
	const struct lm_dtype_info *info;
	char shape[LM_SHAPE_TEXT];
	lm_real f;

	if (!t)
		return true;
	info = lm_dtype_get(t->type);
	if (t->n_dims != 1 || t->dim[0] != half || info->block != 1 || !info->row)
		return lm_fail(err, LM_EFORMAT, "%s: tensor %s has shape %s, [%zu] wanted", m->path, t->name,
		    lm_tensor_shape(t, shape), half);
	for (size_t i = 0; i < half; i++) {
		info->row(t->data + i * info->bytes, &f, 1);
		if (!(f > 0))
			return lm_fail(err, LM_EFORMAT, "%s: tensor %s holds %g, a number above 0 wanted",
			    m->path, t->name, (double)f);
		m->rope_freq[i] /= (double)f;
	}
	return true;
}

bool
lm_rope_init(struct lm_model *m, struct lm_err *err)
{
	const struct lm_rope *r = &m->hp.rope;
	size_t half = r->dims / 2;

	m->rope_freq = lm_zalloc(half + 1, sizeof(*m->rope_freq), err);
	if (!m->rope_freq)
		return false;
	for (size_t i = 0; i < half; i++) {
		double freq = pow(r->base, -2.0 * (double)i / r->dims);

		if (r->kind == LM_ROPE_LINEAR)
			freq /= r->factor;
		else if (r->kind == LM_ROPE_LLAMA3)
			freq = llama3_freq(r, freq);
		m->rope_freq[i] = freq;
	}
	return apply_factors(m, half, err);
}

void
lm_rope_table(const struct lm_model *m, size_t pos, size_t n, lm_real *cosine, lm_real *sine)
{
	size_t half = m->hp.rope.dims / 2;

	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < half; i++) {
			double angle = (double)(pos + t) * m->rope_freq[i];

			cosine[t * half + i] = (lm_real)cos(angle);
			sine[t * half + i] = (lm_real)sin(angle);
		}
}

void
lm_rope_turn(const struct lm_model *m, lm_real *x, size_t n, size_t heads, const lm_real *cosine,
    const lm_real *sine)
{
	size_t width = m->hp.head_width, half = m->hp.rope.dims / 2;
	size_t step = m->hp.rope.pairs ? 2 : 1, apart = m->hp.rope.pairs ? 1 : half;

	for (size_t t = 0; t < n; t++) {
		const lm_real *c = cosine + t * half, *s = sine + t * half;

		for (size_t h = 0; h < heads; h++, x += width)
			for (size_t i = 0; i < half; i++) {
				lm_real *p = x + i * step, a = p[0], b = p[apart];

				p[0] = a * c[i] - b * s[i];
				p[apart] = b * c[i] + a * s[i];
			}
	}
}

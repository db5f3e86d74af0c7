/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.c - timings of the engine on a model; no verdict, not part of the checks.
 *
 *	bench m1 MODEL [THREADS]	decoding neurons, beside plain OpenBLAS sgemm of the same shape
 *	bench run MODEL [THREADS]	prompt and generation, beside the memory's streaming rate
 *
 * Each figure alternates with its peer (A B A B ...) and is the best of its runs, since other work on the
 * machine only ever slows it down.
 */
#include "config.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/lm.h"

enum { RUNS = 5 };

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
must(bool ok, const struct lm_err *err)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s\n", err->msg);
	exit(1);
}

static void *
need(size_t n)
{
	void *p = malloc(n);

	if (!p)
		exit(1);
	memset(p, 1, n);
	return p;
}

/* ---- m1 ------------------------------------------------------------------------------------------------ */

/* Seconds of one square product through BLAS with its own threads: the peer at its best. */
static double
sgemm_rate(int threads)
{
	enum { N = 3072 };
	static lm_real *a, *b, *c;
	double t;

	if (!a) {
		a = need((size_t)N * N * sizeof(*a));
		b = need((size_t)N * N * sizeof(*b));
		c = need((size_t)N * N * sizeof(*c));
		for (size_t i = 0; i < (size_t)N * N; i++)
			a[i] = b[i] = (lm_real)((double)(i % 251) / 251 - 0.5);
	}
	openblas_set_num_threads(threads);
	t = now();
#ifdef LM_DOUBLE
	cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, N, N, 1, a, N, b, N, 0, c, N);
#else
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, N, N, 1, a, N, b, N, 0, c, N);
#endif
	t = now() - t;
	return 2.0 * N * N * N / t;
}

static void
bench_m1(const lm_model *m, lm_pool *pool)
{
	const struct lm_info *info = lm_model_info(m);
	int threads = lm_pool_threads(pool);
	uint32_t n = info->hidden < 2048 ? info->hidden : 2048, k = 16, kb = 8;
	struct lm_neurons range = { info->layers / 2, LM_SIDE_UP, 0, n };
	struct lm_hit *top = need(n * k * sizeof(*top)), *bottom = need(n * kb * sizeof(*bottom));
	struct lm_decode_stat *stat = need(n * sizeof(*stat));
	double flop = 2.0 * n * info->vocab * info->width, best = 0, peer = 0;
	struct lm_err err;

	for (int i = 0; i < RUNS; i++) {
		double rate = sgemm_rate(threads), t = now();

		peer = rate > peer ? rate : peer;
		must(lm_decode(m, pool, LM_PREP_FINAL_NORM, &range, 1, k, kb, top, bottom, stat, NULL, &err),
		    &err);
		rate = flop / (now() - t);
		best = rate > best ? rate : best;
		printf("  run %d: decode %.1f GF/s, sgemm %.1f GF/s\n", i, rate / 1e9, peer / 1e9);
	}
	printf("m1: %u neurons x %u tokens x %u: %.1f GF/s, %.0f neurons/s; sgemm %.1f GF/s (%s); share %.2f\n",
	    n, info->vocab, info->width, best / 1e9, best / flop * n, peer / 1e9,
	    openblas_get_corename(), best / peer);
	free(top);
	free(bottom);
	free(stat);
}

/* ---- run ----------------------------------------------------------------------------------------------- */

struct sum_job {
	const unsigned char *p;
	size_t len;
	uint64_t sums[64];
};

enum { PIECE = 1 << 20 };

static void
sum_piece(void *ctx, size_t i, int worker)
{
	struct sum_job *j = ctx;
	const uint64_t *p = (const uint64_t *)(const void *)(j->p + i * PIECE);
	uint64_t s[8] = { 0 };

	for (size_t k = 0; k < PIECE / 8; k += 8)
		for (int u = 0; u < 8; u++)
			s[u] += p[k + u];
	for (int u = 0; u < 8; u++)
		j->sums[worker % 64] += s[u];
}

/* Bytes a second that all threads read from memory. */
static double
stream_rate(lm_pool *pool)
{
	static struct sum_job j;
	double t;

	if (!j.p) {
		j.len = (size_t)256 << 20;
		j.p = need(j.len);
	}
	t = now();
	lm_pool_run(pool, j.len / PIECE, sum_piece, &j);
	return (double)j.len / (now() - t);
}

static void
bench_run(const lm_model *m, lm_pool *pool)
{
	enum { PROMPT = 128, STEPS = 24 };
	const struct lm_info *info = lm_model_info(m);
	lm_real *logits = need(info->vocab * sizeof(*logits));
	uint32_t ids[PROMPT];
	double fill = 1e9, step = 1e9, stream = 0;
	struct lm_err err;
	lm_run *r;

	must(lm_run_new(&r, m, pool, &err), &err);
	for (int i = 0; i < RUNS; i++) {
		double rate = stream_rate(pool), t;

		stream = rate > stream ? rate : stream;
		for (int k = 0; k < PROMPT; k++)
			ids[k] = (uint32_t)(k * 37 + i) % info->vocab;
		must(lm_run_set_prompt(r, ids, PROMPT, &err), &err);
		t = now();
		must(lm_run_logits(r, PROMPT - 1, 1, logits, &err), &err);
		t = now() - t;
		fill = t < fill ? t : fill;
		t = now();
		for (int k = 0; k < STEPS; k++)
			must(lm_run_step(r, (uint32_t)k % info->vocab, logits, &err), &err);
		t = (now() - t) / STEPS;
		step = t < step ? t : step;
	}
	printf("prompt: %.1f tokens/s (%d tokens)\n", PROMPT / fill, PROMPT);
	printf("generation: %.1f tokens/s; memory %.1f GB/s\n", 1 / step, stream / 1e9);
	lm_run_free(r);
	free(logits);
}

int
main(int argc, char **argv)
{
	struct lm_err err;
	lm_model *m;
	lm_pool *pool;

	if (argc < 3 || (strcmp(argv[1], "m1") != 0 && strcmp(argv[1], "run") != 0)) {
		fprintf(stderr, "usage: bench m1|run MODEL [THREADS]\n");
		return 2;
	}
	unsetenv("OPENBLAS_CORETYPE");
	must(lm_model_open(&m, argv[2], &err), &err);
	must(lm_pool_new(&pool, argc > 3 ? atoi(argv[3]) : 2, &err), &err);
	if (strcmp(argv[1], "m1") == 0)
		bench_m1(m, pool);
	else
		bench_run(m, pool);
	lm_pool_free(pool);
	lm_model_close(m);
	return 0;
}

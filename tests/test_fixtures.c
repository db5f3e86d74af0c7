/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fixtures.c - the forward pass, clamps and greedy continuations against the reference values of
 * tests/fixtures (see its README for their origin and the bounds).
 */
#include "config.h"

#include "tests/support.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "src/lm.h"

enum { GREEDY = 16 };

static const char *const names[] = {
	"llama-mha", "llama-gqa-tied", "llama3-rope", "llama-bias", "mistral-full", "mistral-window",
	"qwen2", "qwen3", "gemma", "gemma2", "gpt2", "gpt2-hub", "gpt_neo", "gpt_neox",
	"gpt_neox-sequential", "phi",
};

/* One open fixture. */
struct fixture {
	lm_model *model;
	lm_pool *pool;
	lm_run *run;
	struct lm_tensors expected;
	cJSON *json;
	const struct lm_info *info;
	uint32_t tokens[64];
	size_t n_tokens;
	int seq;
};

static const char *
key(const struct fixture *f, const char *rest)
{
	static char buf[128];

	snprintf(buf, sizeof(buf), "s%d.%s", f->seq, rest);
	return buf;
}

static void
use_sequence(struct fixture *f, int seq)
{
	struct lm_err err;
	double *v;

	f->seq = seq;
	v = tensor_values(&f->expected, key(f, "tokens"), &f->n_tokens);
	assert_true(f->n_tokens <= 64);
	for (size_t i = 0; i < f->n_tokens; i++)
		f->tokens[i] = (uint32_t)v[i];
	free(v);
	must(lm_run_set_clamps(f->run, NULL, 0, &err));
	must(lm_run_set_prompt(f->run, f->tokens, f->n_tokens, &err));
}

static void
open_fixture(struct fixture *f, const char *name)
{
	struct lm_err err;
	char path[256];
	size_t n;
	char *text;
	const char *dir;

	memset(f, 0, sizeof(*f));
	snprintf(path, sizeof(path), "fixtures/%s", name);
	dir = shared_path(path);
	if (!dir)
		skip();
	must(lm_model_open(&f->model, dir, &err));
	must(lm_pool_new(&f->pool, 2, &err));
	must(lm_run_new(&f->run, f->model, f->pool, &err));
	f->info = lm_model_info(f->model);
	snprintf(path, sizeof(path), "%s/expected.safetensors", dir);
	must(lm_safetensors_add(&f->expected, path, &err));
	must(lm_tensors_finish(&f->expected, path, &err));
	snprintf(path, sizeof(path), "%s/expected.json", dir);
	text = slurp(path, &n);
	f->json = cJSON_ParseWithLength(text, n);
	assert_non_null(f->json);
	free(text);
}

static void
close_fixture(struct fixture *f)
{
	cJSON_Delete(f->json);
	lm_tensors_close(&f->expected);
	lm_run_free(f->run);
	lm_pool_free(f->pool);
	lm_model_close(f->model);
}

/* ---- forward ------------------------------------------------------------------------------------------- */

/* Collects a site into [layers, T, width]. */
struct sink {
	lm_real *v;
	size_t layers, t, width;
};

static bool
collect(void *ctx, enum lm_site site, uint32_t layer, size_t pos, size_t n, size_t width,
    const lm_real *rows, struct lm_err *err)
{
	struct sink *s = ctx;

	(void)err;
	for (size_t t = 0; t < n; t++) {
		if (site == LM_SITE_PATTERN) {
			/* [H, width] of one query to [L,H,T,T] */
			size_t heads = s->width, seen = width / heads;

			for (size_t h = 0; h < heads; h++)
				memcpy(s->v + ((layer * heads + h) * s->t + pos + t) * s->t,
				    rows + t * width + h * seen, seen * sizeof(*rows));
		} else {
			assert_int_equal(width, s->width);
			memcpy(s->v + (layer * s->t + pos + t) * width, rows + t * width,
			    width * sizeof(*rows));
		}
	}
	return true;
}

static void
check_site(struct fixture *f, enum lm_site site, size_t width, const char *name)
{
	struct sink s = { NULL, f->info->layers + (site == LM_SITE_RESID), f->n_tokens, width };
	struct lm_tap tap = { 1u << site, 0, (uint32_t)s.layers - 1, 0, f->n_tokens - 1, collect, &s };
	size_t n = s.layers * s.t * width;
	struct lm_err err;

	if (site == LM_SITE_PATTERN)
		n *= s.t;
	s.v = calloc(n, sizeof(*s.v));
	must(lm_run_tap(f->run, &tap, &err));
	expect_near(&f->expected, key(f, name), s.v, n, BOUND_STATE);
	free(s.v);
}

static void
check_forward(struct fixture *f)
{
	size_t d = f->info->width, v = f->info->vocab, t = f->n_tokens;
	lm_real *logits = calloc(t * v, sizeof(*logits)), *y = calloc(t * d, sizeof(*y));
	struct sink s = { calloc(t * d, sizeof(lm_real)), 1, t, d };
	struct lm_err err;

	must(lm_run_logits(f->run, 0, t, logits, &err));
	expect_near(&f->expected, key(f, "logits"), logits, t * v, BOUND_LOGITS);
	check_site(f, LM_SITE_RESID, d, "hidden");
	check_site(f, LM_SITE_UP, f->info->hidden, "mlp.up");
	if (f->info->gated)
		check_site(f, LM_SITE_GATE, f->info->hidden, "mlp.gate");
	check_site(f, LM_SITE_ACT, f->info->hidden, "mlp.act");
	if (f->seq == 0) {
		check_site(f, LM_SITE_ATTN_OUT, d, "attn_out");
		check_site(f, LM_SITE_PATTERN, f->info->heads, "attn");
	}
	free(s.v);
	free(y);
	free(logits);
}

static void
check_greedy(struct fixture *f, const char *name, const char *last_logits)
{
	lm_real *logits = calloc(f->info->vocab, sizeof(*logits));
	struct lm_err err;
	uint32_t id;
	size_t n;
	double *want = tensor_values(&f->expected, key(f, name), &n);

	assert_int_equal(n, GREEDY);
	must(lm_run_logits(f->run, f->n_tokens - 1, 1, logits, &err));
	if (last_logits)
		expect_near(&f->expected, key(f, last_logits), logits, f->info->vocab, BOUND_LOGITS);
	for (size_t i = 0; i < GREEDY; i++) {
		lm_top(logits, f->info->vocab, 1, 1, &id);
		assert_int_equal(id, (uint32_t)want[i]);
		if (i + 1 < GREEDY)
			must(lm_run_step(f->run, id, logits, &err));
	}
	lm_run_rewind(f->run);
	free(want);
	free(logits);
}

static void
check_clamps(struct fixture *f)
{
	static const char *const cases[] = { "up", "act", "ablate", "all" };
	const cJSON *seq = cJSON_GetArrayItem(cJSON_GetObjectItem(f->json, "sequences"), f->seq);
	const cJSON *clamps = cJSON_GetObjectItem(seq, "clamp");
	char greedy[64], logits[64];
	struct lm_err err;

	for (size_t i = 0; i < 4; i++) {
		const cJSON *what = cJSON_GetObjectItem(cJSON_GetObjectItem(clamps, cases[i]), "what"), *c;
		struct lm_clamp list[4];
		size_t n = 0;

		cJSON_ArrayForEach(c, what) {
			const char *kind = cJSON_GetObjectItem(c, "kind")->valuestring;

			list[n++] = (struct lm_clamp){
				.layer = (uint32_t)cJSON_GetObjectItem(c, "layer")->valueint,
				.neuron = (uint32_t)cJSON_GetObjectItem(c, "neuron")->valueint,
				.value = cJSON_GetObjectItem(c, "value")->valuedouble,
				.point = strcmp(kind, "up") == 0 ? LM_POINT_UP : LM_POINT_ACT,
				.mode = strcmp(kind, "scale") == 0 ? LM_MODE_SCALE : LM_MODE_SET,
				.to = LM_END,
			};
		}
		assert_true(n > 0);
		must(lm_run_set_clamps(f->run, list, n, &err));
		snprintf(greedy, sizeof(greedy), "clamp.%s.greedy", cases[i]);
		snprintf(logits, sizeof(logits), "clamp.%s.logits", cases[i]);
		check_greedy(f, greedy, logits);
	}
}

static void
run_fixture(void **state)
{
	struct fixture f;

	open_fixture(&f, *state);
	for (int seq = 0; seq < 2; seq++) {
		use_sequence(&f, seq);
		check_forward(&f);
		check_greedy(&f, "greedy", NULL);
		check_clamps(&f);
	}
	close_fixture(&f);
}

int
main(void)
{
	enum { N = sizeof(names) / sizeof(names[0]) };
	struct CMUnitTest tests[N];

	for (size_t i = 0; i < N; i++)
		tests[i] = (struct CMUnitTest){ names[i], run_fixture, NULL, NULL,
		    (void *)(uintptr_t)names[i] };
	return cmocka_run_group_tests_name("fixtures", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_vocab.c - how long a tokenizer takes to open, what memory that costs, and how fast it
 * encodes.
 *
 *	make tests/bench_vocab && tests/bench_vocab TOKENIZER [TEXT]
 *
 * Without a text it makes a megabyte of English-like words, one of mixed scripts, and one without
 * any blank.  Timings only, no verdict.
 */
#include "config.h"

#include "src/lm.h"
#include "src/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BYTES = 1000000, ROUNDS = 5 };

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double
peak_mb(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)ru.ru_maxrss / 1024;
}

static unsigned
next(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

/* Words of 1 to 9 letters, some thousands of them by rank, with the marks of prose between. */
static void
make_words(struct lm_buf *b, const char *const *letters, size_t n_letters, bool blanks)
{
	unsigned state = 1;

	while (b->len < BYTES) {
		unsigned rank = next(&state) % 64, word;

		rank *= next(&state) % 64;
		word = rank * 2654435761u + 12345;
		for (unsigned k = 0; k < 1 + rank % 9; k++)
			lm_buf_str(b, letters[next(&word) % n_letters], NULL);
		if (!blanks)
			continue;
		rank = next(&state) % 40;
		lm_buf_str(b, rank == 0 ? ".\n\n" : rank == 1 ? ". The " : rank < 4 ? ", " : " ",
		    NULL);
	}
}

static void
measure(const lm_vocab *v, const char *name, const char *text, size_t n)
{
	struct lm_err err = { 0 };
	struct lm_ids ids = { 0 };
	struct lm_buf out = { 0 };
	double best = 1e9, back;

	for (int k = 0; k < ROUNDS; k++) {
		double t = now();

		ids.n = 0;
		if (!lm_vocab_encode(v, text, n, false, &ids, &err)) {
			fprintf(stderr, "bench_vocab: %s\n", err.msg);
			break;
		}
		t = now() - t;
		best = t < best ? t : best;
	}
	back = now();
	lm_vocab_decode(v, ids.v, ids.n, true, NULL, &out, &err);
	back = now() - back;
	printf("%-12s %8zu bytes %8zu ids %7.2f MB/s encoded %7.2f MB/s decoded  peak %.1f MB\n",
	    name, n,
	    ids.n, (double)n / best * 1e-6, (double)n / back * 1e-6, peak_mb());
	lm_ids_free(&ids);
	lm_buf_free(&out);
}

int
main(int argc, char **argv)
{
	static const char *const latin[] = { "e", "t", "a", "o", "i", "n", "s", "h", "r", "d", "l",
	    "u",
		"c", "m", "w", "f", "g", "y", "p", "b", "v", "k", "e", "a", "i", "s", "t", "n" };
	static const char *const mixed[] = { "\xd0\xb0", "\xd0\xbe", "\xe4\xb8\xad", "\xe6\x96\x87",
	    "e",
		"\xc3\xa9", "\xe3\x81\x82", "\xf0\x9f\x98\x80", "7", "\xce\xb1", "n", "-",
		    "\xd7\x90" };
	struct lm_err err = { 0 };
	double t = now(), before = peak_mb();
	struct lm_buf text = { 0 };
	lm_vocab *v;

	if (argc < 2) {
		fprintf(stderr, "usage: bench_vocab TOKENIZER [TEXT]\n");
		return 2;
	}
	if (!lm_vocab_open(&v, argv[1], &err)) {
		fprintf(stderr, "bench_vocab: %s\n", err.msg);
		return 1;
	}
	t = now() - t;
	printf("%s: %u ids, opened in %.1f ms, peak memory %.1f MB (%.1f MB before)\n", argv[1],
	    lm_vocab_size(v), t * 1e3, peak_mb(), before);
	if (argc > 2) {
		struct lm_map map;

		if (!lm_map_open(&map, argv[2], &err)) {
			fprintf(stderr, "bench_vocab: %s\n", err.msg);
			return 1;
		}
		measure(v, "file", (const char *)map.data, map.len);
		lm_map_close(&map);
	} else {
		make_words(&text, latin, sizeof(latin) / sizeof(latin[0]), true);
		measure(v, "words", text.p, text.len);
		text.len = 0;
		make_words(&text, mixed, sizeof(mixed) / sizeof(mixed[0]), true);
		measure(v, "mixed", text.p, text.len);
		text.len = 0;
		make_words(&text, latin, sizeof(latin) / sizeof(latin[0]), false);
		measure(v, "no blanks", text.p, text.len);
	}
	lm_buf_free(&text);
	lm_vocab_close(v);
	return 0;
}

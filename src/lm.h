/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lm.h - the engine's public surface.
 *
 * The engine reads a checkpoint, tokenizes, runs the model and looks inside it.  It never prints,
 * never exits and keeps no state outside the objects declared here.
 *
 * Conventions: a function that can fail returns bool and takes a struct lm_err, which it fills
 * before it returns false.  open/close and new/free pair up and accept NULL and half-built objects;
 * get borrows, find may return NULL.  Arrays are row-major and their shapes are written [rows,cols]:
 * T positions, D residual width, H heads, K head size, F hidden neurons, V vocabulary, L layers.
 * Layers, heads, neurons and positions count from 0.  Logits and divergences are in nats.
 */
#ifndef LM_H
#define LM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the engine computes in: float, or double after ./configure --enable-double. */
#ifdef LM_DOUBLE
typedef double lm_real;
#else
typedef float lm_real;
#endif

/* ---- errors --------------------------------------------------------------------------------- */

/* Code and the name that JSON shows for it. */
#define LM_CODES(X) \
	X(OK, "ok") \
	X(ENOMEM, "memory")		/* an allocation failed */ \
	X(EIO, "io")			/* the system refused a file operation */ \
	X(EFORMAT, "format")		/* a file is not what it claims to be */ \
	X(EUNSUPPORTED, "unsupported")	/* sound, but this program cannot use it */ \
	X(EARG, "argument")		/* the caller asked for something that does not exist */ \
	X(ELIMIT, "limit")		/* a stated limit would be passed */ \
	X(ECANCEL, "cancelled")		/* the caller's cancel flag was seen */

enum lm_code {
#define X(name, text) LM_##name,
	LM_CODES(X)
#undef X
};

struct lm_err {
	enum lm_code code;
	char msg[496];			/* one sentence; may hold bytes of a file: escape to show */
};

/*
 * lm_fail(err, code, fmt, ...) fills err, which may be NULL, and is false, so that a caller can
 * return it; a macro, so that the compiler knows that it is.  lm_fail_in(err, name) puts "NAME: "
 * before the message already in err and is false as well.
 */
void lm_err_set(struct lm_err *err, enum lm_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void lm_err_prefix(struct lm_err *err, const char *name);
static inline bool
lm_false(void)
{
	return false;
}
#define lm_fail(err, code, ...) (lm_err_set(err, code, __VA_ARGS__), lm_false())
#define lm_fail_in(err, name) (lm_err_prefix(err, name), lm_false())
const char *lm_code_name(enum lm_code code);

/* ---- memory --------------------------------------------------------------------------------- */

/* NULL and err filled when memory is out or n * size overflows; size 0 gives a pointer to free. */
void *lm_alloc(size_t n, size_t size, struct lm_err *err);
void *lm_zalloc(size_t n, size_t size, struct lm_err *err);
/* Like realloc: on failure *p stays as it was.  True when *p now holds n elements. */
bool lm_resize(void *p, size_t n, size_t size, struct lm_err *err);
char *lm_strdup(const char *s, struct lm_err *err);
void lm_free(void *p);
/* For tests: the nth allocation from now (1 is the next) fails, and all after it; 0 turns it off. */
void lm_alloc_fail_at(long nth);

/* Bytes that grow.  Zero-initialised is empty; p is followed by a zero byte once anything was added. */
struct lm_buf {
	char *p;
	size_t len, cap;
};

bool lm_buf_add(struct lm_buf *b, const void *bytes, size_t n, struct lm_err *err);
bool lm_buf_str(struct lm_buf *b, const char *s, struct lm_err *err);
bool lm_buf_printf(struct lm_buf *b, struct lm_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void lm_buf_free(struct lm_buf *b);

/* Token ids that grow. */
struct lm_ids {
	uint32_t *v;
	size_t n, cap;
};

bool lm_ids_add(struct lm_ids *ids, uint32_t id, struct lm_err *err);
void lm_ids_free(struct lm_ids *ids);

/* ---- text ----------------------------------------------------------------------------------- */

/*
 * Reads one UTF-8 character of s[0..n).  Returns its length in bytes and stores the code point;
 * for bytes that are no UTF-8 (overlong, surrogate, cut) returns the length of the maximal invalid
 * prefix (at least 1) and stores -1.  n must not be 0.
 */
size_t lm_utf8_next(const char *s, size_t n, int32_t *cp);
/* Writes cp (a valid code point) as UTF-8; returns its length, 1 to 4. */
size_t lm_utf8_put(uint32_t cp, char out[4]);
bool lm_utf8_valid(const char *s, size_t n);

/* ---- threads, progress, cancellation ---------------------------------------------------------- */

typedef struct lm_pool lm_pool;

/* threads: 1 or more; the caller of lm_pool_run is one of them. */
bool lm_pool_new(lm_pool **out, int threads, struct lm_err *err);
void lm_pool_free(lm_pool *pool);
int lm_pool_threads(const lm_pool *pool);
/*
 * Calls fn(ctx, i, worker) for every i in [0, items), in any order, on all threads; returns when all
 * are done.  worker is below lm_pool_threads and no two calls run at once with the same one.
 */
typedef void lm_task_fn(void *ctx, size_t i, int worker);
void lm_pool_run(lm_pool *pool, size_t items, lm_task_fn *fn, void *ctx);

/* How a long call is watched and stopped.  Either may be left out; report runs on the caller's thread. */
struct lm_watch {
	atomic_bool *cancel;
	void (*report)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

/* False, with LM_ECANCEL in err, once w's flag is set; w may be NULL. */
bool lm_watch_go(const struct lm_watch *w, struct lm_err *err);

/* ---- vocabulary ------------------------------------------------------------------------------- */

/* A tokenizer: immutable once open, so that threads may share it. */
typedef struct lm_vocab lm_vocab;

/*
 * path: a folder with a tokenizer.json (tokenizer_config.json beside it is read when present), or a
 * GGUF file with a vocabulary in it.
 */
bool lm_vocab_open(lm_vocab **out, const char *path, struct lm_err *err);
void lm_vocab_close(lm_vocab *v);

/* Highest id + 1; ids below it may still be unused. */
uint32_t lm_vocab_size(const lm_vocab *v);

/*
 * Appends the ids of text[0..n), which may hold any bytes, to out.  special: also what the
 * post-processor (or the GGUF keys) adds.  Special tokens written in the text are recognised either way.
 */
bool lm_vocab_encode(const lm_vocab *v, const char *text, size_t n, bool special,
    struct lm_ids *out, struct lm_err *err);
/*
 * Appends what ids[0..n) spell.  special: special tokens are kept.  bytes gets the exact bytes, text
 * valid UTF-8 with U+FFFD where the bytes are none; either may be NULL.  Fails with LM_EARG on an id
 * that the vocabulary does not have.
 */
bool lm_vocab_decode(const lm_vocab *v, const uint32_t *ids, size_t n, bool special,
    struct lm_buf *bytes, struct lm_buf *text, struct lm_err *err);

/*
 * The bytes that id stands for in running text, leading space included ("\xC4\xA0dog" and
 * "\xE2\x96\x81dog" are " dog", "<0x0A>" is a newline); a special token's own name.  Borrowed; NULL
 * when the id is unused.
 */
const char *lm_vocab_piece(const lm_vocab *v, uint32_t id, size_t *n);
/* The id whose piece is bytes[0..n); the lowest that is not special when several are. */
bool lm_vocab_find(const lm_vocab *v, const char *bytes, size_t n, uint32_t *id);
bool lm_vocab_is_special(const lm_vocab *v, uint32_t id);

/* Ids that the vocabulary's own configuration names, or -1. */
enum lm_vocab_role { LM_BOS, LM_EOS, LM_UNK, LM_PAD, LM_EOT };
int64_t lm_vocab_role(const lm_vocab *v, enum lm_vocab_role role);
/* The chat template in Jinja, or NULL.  name: one of several named templates, NULL for the default. */
const char *lm_vocab_chat_template(const lm_vocab *v, const char *name, size_t *n);

#endif

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

/*
 * Appends untrusted bytes so that a terminal or a table can take them: printable UTF-8 as it is,
 * backslash doubled, controls as \n \t \x1b, bytes that are no UTF-8 as \xE2, characters without a
 * width of their own (zero-width, bidi, joiners, private use) as \u{200D}; a combining mark at the start
 * is put on a dotted circle.  ascii: everything above 0x7E is escaped.
 */
bool lm_escape(const char *s, size_t n, bool ascii, struct lm_buf *out, struct lm_err *err);
/* Cells that a printable character takes on a terminal, 0 to 2; -1 for those that lm_escape escapes. */
int lm_char_width(int32_t cp);
/* Appends valid UTF-8: U+FFFD for each maximal run of bytes that is none.  *exact: nothing was replaced. */
bool lm_utf8_mend(const char *s, size_t n, struct lm_buf *out, bool *exact, struct lm_err *err);

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

/*
 * True when BLAS runs kernels of an older processor than this one; *core is their name.  An environment
 * variable can do that.
 */
bool lm_blas_held_back(const char **core);

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

/* ---- models ----------------------------------------------------------------------------------- */

/* A checkpoint: immutable, mapped read-only, may be shared by runs and threads. */
typedef struct lm_model lm_model;

/*
 * path: a folder in Hugging Face layout, a GGUF file (the first part of a split one), or a folder that
 * holds nothing but one GGUF file.  A folder with only a tokenizer.json, or a GGUF file with only a
 * vocabulary, opens as a model without weights.
 */
bool lm_model_open(lm_model **out, const char *path, struct lm_err *err);
void lm_model_close(lm_model *m);

enum { LM_MAX_EOS = 16 };

/* Sizes and ids of a model.  All zero in a model without weights. */
struct lm_info {
	char family[32];		/* a row of arch.def: "llama" */
	char dtype[16];			/* of the largest matrices: "BF16" */
	uint32_t layers, width, heads, kv_heads, head_width, hidden, vocab, context;
	uint64_t params;		/* numbers stored, a tied head counted once */
	bool tied;			/* the unembedding is the embedding */
	bool gated;			/* MLPs have a gate */
	uint32_t eos[LM_MAX_EOS];	/* ids that end a generation */
	unsigned n_eos;
	char digest[17];		/* of configuration, tensor directory and sampled weights, hex */
};

const struct lm_info *lm_model_info(const lm_model *m);
bool lm_model_has_weights(const lm_model *m);
/* NULL when the checkpoint has no tokenizer. */
const lm_vocab *lm_model_vocab(const lm_model *m);
/* As given to lm_model_open. */
const char *lm_model_path(const lm_model *m);

/* ---- clamps ------------------------------------------------------------------------------------- */

/* Where in the MLP a clamp writes (methods.md section 2.5); ungated models have no gate. */
enum lm_point { LM_POINT_UP, LM_POINT_GATE, LM_POINT_ACT };
enum lm_mode { LM_MODE_SET, LM_MODE_ADD, LM_MODE_SCALE, LM_MODE_MIN, LM_MODE_MAX };

enum { LM_END = INT32_MAX };		/* as the last position: and all generated ones */

struct lm_clamp {
	uint32_t layer, neuron;
	enum lm_point point;
	enum lm_mode mode;
	double value;
	bool per_resid;			/* value counts in |residual stream there| / |w_down| */
	int32_t from, to;		/* positions, both included; negative: from the end of the prompt */
};

/* ---- runs --------------------------------------------------------------------------------------- */

/*
 * One timeline of a model: a prompt, a continuation, the cache of both and the clamps in force.  Used by
 * one thread at a time; m and pool are borrowed and outlive it.
 *
 * The prompt is evaluated when something asks for it, in blocks of LM_CHUNK positions counted from 0.
 * What is cached is reused in whole blocks and from whole layers, so that results carry the same bits
 * as those of a run made afresh.
 */
typedef struct lm_run lm_run;

enum { LM_CHUNK = 128 };

bool lm_run_new(lm_run **out, const lm_model *m, lm_pool *pool, struct lm_err *err);
void lm_run_free(lm_run *r);
/* How long calls on r are watched; w is borrowed until replaced, NULL for none. */
void lm_run_watch(lm_run *r, const struct lm_watch *w);

/* Replaces prompt and continuation; LM_ELIMIT when n is 0 or beyond the context, LM_EARG on a bad id. */
bool lm_run_set_prompt(lm_run *r, const uint32_t *ids, size_t n, struct lm_err *err);
/* Replaces the clamps in force; they are applied in order of layer, point, then as given. */
bool lm_run_set_clamps(lm_run *r, const struct lm_clamp *clamps, size_t n, struct lm_err *err);
/* Ids of prompt and continuation, and how many of them are prompt. */
const uint32_t *lm_run_ids(const lm_run *r, size_t *n, size_t *n_prompt);

/* Logits [n,V] of positions [pos, pos + n) of the prompt, a final cap applied. */
bool lm_run_logits(lm_run *r, size_t pos, size_t n, lm_real *out, struct lm_err *err);
/* Appends id to the continuation and gives the logits [V] after it; LM_ELIMIT at the context's end. */
bool lm_run_step(lm_run *r, uint32_t id, lm_real *logits, struct lm_err *err);
/* Forgets the continuation. */
void lm_run_rewind(lm_run *r);

/* Places whose values a pass can hand out, row by row of the prompt; see commands.md, `dump`. */
#define LM_SITES(X) \
	X(RESID, "resid")		/* [D] entering a layer; layer L: leaving the last */ \
	X(MID, "resid.mid")		/* [D] the residual stream after attention */ \
	X(UP, "mlp.up")			/* [F] */ \
	X(GATE, "mlp.gate")		/* [F] before its activation function; gated models */ \
	X(ACT, "mlp.act")		/* [F] the input of the down projection */ \
	X(PATTERN, "attn.pattern")	/* [H,T] of a query position */ \
	X(ATTN_OUT, "attn.out")		/* [D] as the projection leaves it, before any post-norm */ \
	X(MLP_OUT, "mlp.out")		/* [D] the same */

enum lm_site {
#define X(id, text) LM_SITE_##id,
	LM_SITES(X)
#undef X
	LM_NSITES
};

const char *lm_site_name(enum lm_site s);
bool lm_site_find(const char *name, enum lm_site *out);

/*
 * Gets rows [n, width] of a site at positions [pos, pos + n).  For LM_SITE_PATTERN a row is
 * [H, width / H]: weights on the first width / H positions, at least up to its own; later ones are 0.
 */
typedef bool lm_tap_fn(void *ctx, enum lm_site site, uint32_t layer, size_t pos, size_t n,
    size_t width, const lm_real *rows, struct lm_err *err);
struct lm_tap {
	unsigned sites;			/* bits 1 << LM_SITE_... */
	uint32_t layer_from, layer_to;	/* both included; layer L counts for LM_SITE_RESID alone */
	size_t pos_from, pos_to;	/* of the prompt, both included */
	lm_tap_fn *fn;
	void *ctx;
};
/* Evaluates what is needed, again where it was not kept, and calls tap->fn block by block, layers rising. */
bool lm_run_tap(lm_run *r, const struct lm_tap *tap, struct lm_err *err);

/* Final norm of x [n,D] into y [n,D]; logits [n,V] of normed rows y, the head's bias and cap applied. */
bool lm_final_norm(const lm_model *m, const lm_real *x, size_t n, lm_real *y, struct lm_err *err);
bool lm_unembed(lm_run *r, const lm_real *y, size_t n, lm_real *logits, struct lm_err *err);

/* What a run computed so far, to see what the cache saved. */
struct lm_work {
	uint64_t layer_rows;		/* layers times positions passed through one */
};
struct lm_work lm_run_work(const lm_run *r);

/* ---- distributions and sampling ------------------------------------------------------------------- */

/* Log of the sum of exponentials of logits [V]. */
double lm_logsumexp(const lm_real *logits, size_t n);
/* Kullback-Leibler divergence of softmax(q) from softmax(p), in nats. */
double lm_kl(const lm_real *p, const lm_real *q, size_t n);
/*
 * Indices of the k largest of x [n] in falling order, ties by lower index, into out [k]; NaN counts as
 * smallest.  Gives min(k, n) of them.  sign is 1; with -1 they are the smallest, in rising order.
 */
void lm_top(const lm_real *x, size_t n, int sign, size_t k, uint32_t *out);

struct lm_sampling {
	double temp;			/* 0: greedy, the lowest id of the largest logit */
	double top_p;			/* 1: all */
	uint32_t top_k;			/* 0: all */
};
/* A generator of random numbers, seeded; the same seed gives the same numbers everywhere. */
struct lm_rng {
	uint64_t s[4];
};
void lm_rng_seed(struct lm_rng *g, uint64_t seed);
uint64_t lm_rng_next(struct lm_rng *g);
double lm_rng_unit(struct lm_rng *g);	/* [0,1) */
double lm_rng_normal(struct lm_rng *g);	/* standard normal */
/* The next id: temperature, then top_k, then top_p, as transformers orders them. */
bool lm_sample(const lm_real *logits, size_t n, const struct lm_sampling *how, struct lm_rng *g,
    uint32_t *out, struct lm_err *err);

/* ---- decoding neurons through the LM head (methods.md section 2) ------------------------------------ */

/* A neuron's weight vectors: rows of the up and gate projections, columns of the down projection. */
enum lm_side { LM_SIDE_UP, LM_SIDE_GATE, LM_SIDE_DOWN, LM_NSIDES };
/* What is done to a vector before the unembedding; no head bias and no cap in any (section 2.1). */
enum lm_prep { LM_PREP_FINAL_NORM, LM_PREP_RAW, LM_PREP_GAIN, LM_PREP_COSINE };

struct lm_hit {
	uint32_t id;			/* UINT32_MAX: none, where scores are not finite */
	lm_real score;
};

/* Over the whole vocabulary.  prob of a token is exp(score - lse), its z-score (score - mean) / sd. */
struct lm_decode_stat {
	double norm;			/* of the vector as stored */
	double lse, entropy;		/* nats; NaN for LM_PREP_COSINE, which has no softmax */
	double mean, sd, skewness, kurtosis;	/* of the scores; kurtosis is the excess */
};

/* Vectors of neurons [first, first + n) of a layer, one a row of out [n,D]. */
bool lm_neuron_vectors(const lm_model *m, uint32_t layer, enum lm_side side, uint32_t first,
    uint32_t n, lm_real *out, struct lm_err *err);

/* Neurons to decode; results of several ranges follow one another. */
struct lm_neurons {
	uint32_t layer;
	enum lm_side side;
	uint32_t first, n;
};

/*
 * Decodes N neurons in all: the k_top largest scores of each into top [N,k_top], largest first, the
 * k_bottom smallest into bottom [N,k_bottom], smallest first, ties by lower id, and stat [N].  One
 * blocked product; the V x N scores are never stored.  w->report counts products of blocks.
 */
bool lm_decode(const lm_model *m, lm_pool *pool, enum lm_prep prep, const struct lm_neurons *ranges,
    size_t n_ranges, uint32_t k_top, uint32_t k_bottom, struct lm_hit *top, struct lm_hit *bottom,
    struct lm_decode_stat *stat, const struct lm_watch *w, struct lm_err *err);
/* Seconds that decoding so many neurons would take, from a trial of two blocks on each thread. */
bool lm_decode_seconds(const lm_model *m, lm_pool *pool, uint64_t neurons, double *out,
    struct lm_err *err);
/* All scores [n,V] of vectors x [n,D], prepared and multiplied as above. */
bool lm_decode_scores(const lm_model *m, lm_pool *pool, enum lm_prep prep, const lm_real *x, size_t n,
    lm_real *scores, struct lm_err *err);
/*
 * v . w for every neuron's vector w of a layer and side into dots [F], and |w| into norms [F].  centred:
 * the length of w less its mean where the model's final norm takes the mean out.
 */
bool lm_neuron_dots(const lm_model *m, lm_pool *pool, uint32_t layer, enum lm_side side,
    const lm_real *v, bool centred, double *dots, double *norms, struct lm_err *err);
/*
 * For token id: the vector v and constant c with score = c + sqrt(D) v . w / |w| for final_norm (|w|
 * centred as above), v . w for raw and gain, v . w / |w| for cosine: one token's scores of all neurons.
 */
bool lm_token_vector(const lm_model *m, enum lm_prep prep, uint32_t id, lm_real *v, double *c,
    struct lm_err *err);

/* Cosines of neurons [0,F) of a layer; the gate's are NaN in ungated models.  Input sides with the norm's
   gain folded in when fold is set (section 2.3).  Each array [F]. */
struct lm_cosines {
	double *up_down, *gate_down, *gate_up;
};
bool lm_neuron_cosines(const lm_model *m, lm_pool *pool, uint32_t layer, bool fold,
    const struct lm_cosines *out, struct lm_err *err);

/* Functional classes of gated neurons, and of ungated ones (section 2.3). */
#define LM_CLASSES(X) \
	X(ENRICHMENT, "enrichment") \
	X(CONDITIONAL_ENRICHMENT, "conditional_enrichment") \
	X(PROPORTIONAL_CHANGE, "proportional_change") \
	X(ORTHOGONAL, "orthogonal") \
	X(DEPLETION, "depletion") \
	X(CONDITIONAL_DEPLETION, "conditional_depletion") \
	X(ATYPICAL_ENRICHMENT, "atypical_enrichment") \
	X(ATYPICAL_CONDITIONAL_ENRICHMENT, "atypical_conditional_enrichment") \
	X(ATYPICAL_PROPORTIONAL_CHANGE, "atypical_proportional_change") \
	X(ATYPICAL_ORTHOGONAL, "atypical_orthogonal") \
	X(ATYPICAL_DEPLETION, "atypical_depletion") \
	X(ATYPICAL_CONDITIONAL_DEPLETION, "atypical_conditional_depletion")

enum lm_class {
#define X(id, text) LM_CLASS_##id,
	LM_CLASSES(X)
#undef X
	LM_NCLASSES
};
const char *lm_class_name(enum lm_class c);
bool lm_class_find(const char *name, enum lm_class *out);
/* c_go and c_gi NaN: ungated. */
enum lm_class lm_class_of(double c_io, double c_go, double c_gi);

#endif

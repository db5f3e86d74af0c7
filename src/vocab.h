/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab.h - inside of a tokenizer; for the files that load one and those that run it.
 *
 * Encoding goes through fixed stages, each a list of steps that a file describes: added tokens are
 * cut out of the text, the rest is normalized (normalize.c), tokens that match normalized text are
 * cut out, the rest is split into pieces (pretok.c), and the model gives each piece its ids (bpe.c
 * with merge.c, or unigram.c).  postproc.c adds ids around that, and detok.c goes back.
 */
#ifndef LM_VOCAB_H
#define LM_VOCAB_H

#include "src/gguf.h"
#include "src/json.h"
#include "src/regex.h"
#include "src/table.h"

enum {
	LM_MAX_IDS = 1 << 22,		/* so that one forged id cannot ask for all memory */
	LM_MAX_STEPS = 32,		/* of one stage */
	LM_MAX_CONTENT = 4096,		/* bytes that stand for each match in a text */
	LM_MAX_TEMPLATE = 4096,		/* ids around a text */
	LM_MAX_ADDED_LEN = 1024		/* bytes of an added token: matches go back so far */
};

/* What ByteLevel splits by: the pattern of GPT-2. */
#define LM_GPT2_PATTERN \
	"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* ---- steps ---------------------------------------------------------------------------------- */

struct lm_norm {
	enum {
		LM_NORM_NFC, LM_NORM_NFD, LM_NORM_NFKC, LM_NORM_NFKD, LM_NORM_LOWERCASE,
		LM_NORM_STRIP, LM_NORM_STRIP_ACCENTS, LM_NORM_PREPEND, LM_NORM_REPLACE,
		LM_NORM_BYTE_LEVEL
	} kind;
	bool left, right;		/* strip: where */
	struct lm_str text;		/* prepend, replace: what is put there */
	lm_regex *re;			/* replace: what is looked for */
};

struct lm_pre {
	enum {
		LM_PRE_SPLIT, LM_PRE_DIGITS, LM_PRE_WHITESPACE, LM_PRE_WHITESPACE_SPLIT,
		LM_PRE_PUNCTUATION, LM_PRE_BERT, LM_PRE_DELIMITER, LM_PRE_BYTE_LEVEL,
		    LM_PRE_METASPACE
	} kind;
	enum {
		LM_SPLIT_REMOVED, LM_SPLIT_ISOLATED, LM_SPLIT_MERGED_PREVIOUS, LM_SPLIT_MERGED_NEXT,
		LM_SPLIT_CONTIGUOUS
	} behaviour;
	enum { LM_PREPEND_ALWAYS, LM_PREPEND_FIRST, LM_PREPEND_NEVER } prepend;
	bool invert;			/* split: what lies between matches counts as match */
	bool split;			/* metaspace: cut before each replacement */
	struct lm_str text;		/* metaspace: the replacement */
	lm_regex *re;			/* byte level and metaspace: NULL for none */
};

struct lm_dec {
	enum {
		LM_DEC_BYTE_LEVEL, LM_DEC_METASPACE, LM_DEC_BYTE_FALLBACK, LM_DEC_FUSE,
		    LM_DEC_STRIP,
		LM_DEC_REPLACE, LM_DEC_SUFFIX
	} kind;
	struct lm_str text;		/* metaspace, strip, suffix: what; replace: by what */
	lm_regex *re;			/* replace */
	uint32_t start, stop;		/* strip: at most so many characters */
	bool drop;			/* metaspace: nothing in place of it in the first token */
};

/* ---- the parts ------------------------------------------------------------------------------ */

/* Tokens that are found in the text before it is tokenized. */
struct lm_added {
	struct lm_added_token {
		struct lm_str content;
		uint32_t id;
		bool special, normalized, single_word, lstrip, rstrip;
		struct lm_str shown;	/* what the decoder is given for it, with LM_ID_SHOWN */
	} *v;
	size_t n, cap;
	uint64_t next;			/* the id of the next one that the model does not have */
	struct lm_trie names;		/* of all contents to index in v */
	struct lm_trie raw, norm;	/* those to find in the text as it is; in normalized text */
};

enum lm_model_kind { LM_MODEL_NONE, LM_MODEL_BPE, LM_MODEL_SPM, LM_MODEL_UNIGRAM };

enum { LM_UNK_NONE = -1, LM_UNK_MISSING = -2 };

enum { LM_AROUND_TEXT = -1 };

/* A merge that was read and not yet put into the table. */
struct lm_pending {
	struct lm_str a, b;
	uint32_t rank, left, right, made;
};

enum { LM_PENDING = 16 };

struct lm_bpe {
	struct lm_pairtab merges;
	struct lm_pending pending[LM_PENDING];
	unsigned n_pending;
	uint32_t last_made;		/* by the merge that was loaded last */
	int64_t unk;			/* LM_UNK_MISSING: named but not in the vocabulary */
	struct lm_str unk_name;
	bool fuse_unk, byte_fallback, ignore_merges;
	bool has_bytes;			/* every byte has its <0xHH> */
	struct lm_str prefix, suffix;	/* of all but a word's first, of its last character */
	int32_t byte_id[256];		/* of the character that ByteLevel puts for it, or -1 */
	int32_t fallback[256];		/* of <0xHH>, or -1 */
	/*
	 * Where a long piece can be cut without changing its ids: bit [a][b] is set when some token
	 * holds a character that ends in byte a before one that begins with byte b.  U+2581 counts
	 * as byte 0xff.
	 */
	uint8_t *joined;		/* NULL: nowhere */
};

struct lm_unigram {
	struct lm_trie trie;
	double unk_score;
	int64_t unk;
	bool byte_fallback;
};

enum {
	LM_ID_USED = 1,
	LM_ID_SPECIAL = 2,
	LM_ID_MODEL = 4,		/* in the model's vocabulary, not only an added token */
	LM_ID_NO_MERGE = 8,		/* spm: control, unknown and byte tokens */
	LM_ID_SHOWN = 16		/* added, and its content differs from that normalized */
};

struct lm_vocab {
	struct lm_map map;		/* of tokenizer.json, which strings point into */
	struct lm_map config;		/* of tokenizer_config.json */
	struct lm_map jinja;		/* of chat_template.jinja */
	struct lm_gguf gguf;		/* or all of them are in this */
	char *path;
	struct lm_arena arena;

	uint32_t n, cap;		/* highest id + 1; room in the arrays */
	uint32_t n_model;		/* tokens of the model, counted as Hugging Face counts */
	struct lm_str *raw;		/* as the file writes them */
	struct lm_str *text;		/* as they read in running text; NULL where unused */
	uint8_t *flags;
	float *score;			/* spm and unigram, else NULL */
	struct lm_strtab by_raw, by_text;
	bool spelt;			/* there is no by_text: by_raw tells */

	enum lm_model_kind model;
	struct lm_bpe bpe;
	struct lm_unigram unigram;
	double *unigram_score;
	struct lm_added added;
	struct lm_norm norm[LM_MAX_STEPS];
	struct lm_pre pre[LM_MAX_STEPS];
	struct lm_dec dec[LM_MAX_STEPS];
	unsigned n_norm, n_pre, n_dec;
	bool byte_level;		/* the last splitter leaves spelling bytes to the model */
	bool no_decoder;		/* tokens are joined by blanks */
	int64_t *around;		/* of the post-processor; LM_AROUND_TEXT: the text's ids */
	size_t n_around;

	int64_t role[LM_EOT + 1];
	struct lm_vocab_template {
		struct lm_str name, text;	/* the one without a name is "default" */
	} *tmpl;
	size_t n_tmpl, cap_tmpl;
};

/* ---- loading -------------------------------------------------------------------------------- */

bool lm_vocab_load_json(struct lm_vocab *v, const char *dir, struct lm_err *err);
bool lm_vocab_load_config(struct lm_vocab *v, const char *dir, struct lm_err *err);
bool lm_vocab_load_gguf(struct lm_vocab *v, const char *path, struct lm_err *err);

/* Makes room for n ids. */
bool lm_vocab_reserve(struct lm_vocab *v, uint32_t n, struct lm_err *err);
/* Makes id exist; its strings stay as they are, or empty. */
bool lm_vocab_grow(struct lm_vocab *v, uint64_t id, struct lm_err *err);
/* A token of the model.  The last of equal ones is found by name; *old is the one before, or -1. */
bool lm_vocab_add(struct lm_vocab *v, struct lm_str raw, uint64_t id, int64_t *old,
    struct lm_err *err);
/* The id of a token, added or of the model, by its name in the file; -1 when there is none. */
int64_t lm_vocab_id(const struct lm_vocab *v, struct lm_str raw);
bool lm_vocab_add_template(struct lm_vocab *v, struct lm_str name, struct lm_str text,
    struct lm_err *err);

/* The descriptions in tokenizer.json; *val may be empty. */
bool lm_norm_load(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err);
bool lm_pre_load(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err);
bool lm_dec_load(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err);
bool lm_postproc_load(struct lm_vocab *v, const struct lm_json_val *val, struct lm_err *err);
/* Sets the list of the post-processor; ids are copied. */
bool lm_around_set(struct lm_vocab *v, const int64_t *ids, size_t n, struct lm_err *err);
bool lm_content_check(struct lm_str content, struct lm_err *err);
/* A {"String":..} or {"Regex":..} under "pattern". */
bool lm_pattern_load(const struct lm_json_val *val, struct lm_arena *arena, lm_regex **out,
    struct lm_err *err);
/* Adds an empty step; the stages' limit is checked. */
struct lm_norm *lm_norm_step(struct lm_vocab *v, struct lm_err *err);
struct lm_pre *lm_pre_step(struct lm_vocab *v, struct lm_err *err);
struct lm_dec *lm_dec_step(struct lm_vocab *v, struct lm_err *err);

/* One added token as the file gives it, except its id; then, after the last, the tries. */
bool lm_added_put(struct lm_vocab *v, struct lm_added_token t, struct lm_err *err);
bool lm_added_finish(struct lm_vocab *v, struct lm_err *err);
/* What the decoder is given for an id; *special: it is left out with special tokens. */
struct lm_str lm_added_shown(const struct lm_vocab *v, uint32_t id, bool *special);
/* The index of the one with that content, or -1. */
int64_t lm_added_find(const struct lm_vocab *v, struct lm_str content);

/*
 * The merge of two tokens by name, which make the token that is their strings joined.  The strings
 * must live until lm_bpe_flush, which follows the last merge.
 */
bool lm_bpe_merge(struct lm_vocab *v, struct lm_str a, struct lm_str b, uint32_t rank,
    struct lm_err *err);
bool lm_bpe_flush(struct lm_vocab *v, struct lm_err *err);
/* After tokens, merges and settings: the tables that encoding looks into. */
bool lm_bpe_finish(struct lm_vocab *v, struct lm_err *err);
bool lm_unigram_finish(struct lm_vocab *v, struct lm_err *err);

/* ---- one call ------------------------------------------------------------------------------- */

/* A token in the making, while a piece is merged. */
struct lm_sym {
	uint32_t id;			/* UINT32_MAX: none yet */
	uint32_t off, len;		/* in the piece */
	uint32_t prev, next;		/* UINT32_MAX at the ends */
};

struct lm_merge {
	uint64_t key;			/* priority << 32 | position; the smallest is first */
	uint32_t id, len;		/* what it makes, how long that is */
};

/* A word met before, and where its ids are in the output. */
struct lm_word {
	uint32_t hash, off, len, ids, n;
};

/* All that changes while a text is encoded. */
struct lm_encoder {
	const struct lm_vocab *v;
	struct lm_ids *out;
	struct lm_err *err;
	struct lm_buf text;		/* normalized text; spans are of this */
	struct lm_buf tmp[2];		/* between the steps of the normalizer */
	struct lm_spans raw_cuts, norm_cuts, cuts, a, b;
	struct lm_scan scan;
	struct lm_sym *sym;		/* of the piece at hand */
	size_t n_sym, cap_sym;
	struct lm_merge *heap;
	size_t n_heap, cap_heap;
	struct lm_word *words;		/* NULL for short texts */
	struct lm_unigram_node *nodes;
	size_t cap_nodes;
};

/*
 * Cuts text[off..off+n) into spans: flags are the index of an added token + 1, or 0 for the rest.
 */
bool lm_added_split(const struct lm_vocab *v, const struct lm_trie *trie, const char *text,
    size_t off, size_t n, struct lm_spans *out, struct lm_err *err);
/* Appends s[0..n), normalized, to e->text; *head: it still begins with the first character of s. */
bool lm_normalize(struct lm_encoder *e, const char *s, size_t n, bool *head);
/* Splits the span into e->a. */
bool lm_pretok(struct lm_encoder *e, struct lm_span piece);
/* Appends the ids of e->text[off..off+n). */
bool lm_bpe_encode(struct lm_encoder *e, size_t off, size_t n);
bool lm_unigram_encode(struct lm_encoder *e, size_t off, size_t n);
/* Merges e->sym until nothing can be; piece is what their offsets count from. */
bool lm_merge_all(struct lm_encoder *e, const char *piece);
bool lm_sym_add(struct lm_encoder *e, uint32_t id, size_t off, size_t len);

/* ---- characters ----------------------------------------------------------------------------- */

bool lm_char_space(int32_t cp);		/* Unicode's White_Space */
bool lm_char_numeric(int32_t cp);	/* general category N */
bool lm_char_punct(int32_t cp);		/* general category P, or a symbol of ASCII */
bool lm_char_word(int32_t cp);		/* letters, marks, digits, connectors, joiners */
bool lm_char_mark(int32_t cp);		/* general category M */

/* The character by which ByteLevel spells a byte, and back; -1 when it spells none. */
uint32_t lm_byte_char(unsigned char byte);
int lm_char_byte(int32_t cp);
/* Appends the characters that spell s[0..n). */
bool lm_byte_level(const char *s, size_t n, struct lm_buf *out, struct lm_err *err);
/* The byte that "<0xHH>" names, or -1. */
int lm_byte_token(struct lm_str raw);

/* Fills v->text: what each token reads in running text. */
bool lm_dec_pieces(struct lm_vocab *v, struct lm_err *err);
/*
 * Appends what the tokens spell, through the decoder; exact: bytes as they are, else valid UTF-8.
 */
bool lm_dec_run(const struct lm_vocab *v, const struct lm_str *tokens, size_t n, bool exact,
    struct lm_buf *out, struct lm_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - the one state of the program: model, index, prompt, clamps, options.
 *
 * A session belongs to one thread: in a script the only one, on the screen the worker.
 */
#ifndef UI_SESSION_H
#define UI_SESSION_H

#include "ui/cmds.h"
#include "ui/opts.h"

enum ui_unit { UI_ABS, UI_RESID, UI_SD, UI_MAX };

struct ui_clamp {
	struct lm_clamp c;		/* value in the engine's terms */
	enum ui_unit unit;
	double given;			/* value as typed */
	bool off;			/* listed but not in force: the screen's switch */
};

/* Called on the session's thread. */
struct ui_events {
	/* A long command is so far; share is 0 to 1, negative when unknown; what is being done. */
	void (*progress)(void *ctx, double share, const char *what);
	/* What the answer holds up to now, to be shown before it is complete. */
	void (*partial)(void *ctx, const struct ui_result *r);
	/* One line that is no answer: an index is going to be built, another process is waited for. */
	void (*notice)(void *ctx, const char *text);
	/* Of scripts: the answer of a command (r NULL: it failed), and a failure with its place. */
	void (*answer)(void *ctx, const char *name, const struct ui_result *r, const struct lm_err *err,
	    double ms);
	void (*failed)(void *ctx, const char *script, size_t line, const struct lm_err *err);
	void *ctx;
};

struct ui_session {
	lm_model *model;		/* NULL: only an index was opened */
	const lm_vocab *vocab;		/* NULL: no tokenizer */
	struct lm_info info;		/* of the model, or what the index says of it */
	char *path;			/* as given */
	ix_db *db;			/* NULL until it is opened */
	char *db_path;
	struct ix_info ix;		/* of db, when that is open */
	bool db_bad;			/* the index could not be read: the exit status says so */
	lm_pool *pool;
	lm_run *clean, *clamped;	/* made when first used */
	struct lm_ids prompt;
	char *prompt_text;		/* as given, prompt_len bytes; NULL: given by ids */
	size_t prompt_len;
	struct ui_clamp *clamps;
	size_t n_clamps;
	struct ui_opts opts;
	struct ui_events events;
	atomic_bool cancel;
	struct lm_watch watch;		/* of the runs: cancel, and progress of what */
	const char *watched;		/* what the watch's progress is about */
	struct lm_buf changes;		/* lines that changed something */
	size_t n_changes;
	char *journal;			/* file that they go to, or NULL */
	struct ui_result *last;		/* the last answer with a table or an array, for `save` */
	unsigned depth;			/* of source */
	bool quit;
};

/* s is zeroed; opts must be set.  path: a model or an index file; NULL: the installed demo model. */
bool ui_session_open(struct ui_session *s, const char *path, int *status, struct lm_err *err);
void ui_session_close(struct ui_session *s);

/* Opens the index if there is one; found says so.  False only when there is one that cannot be read. */
bool ui_index_find(struct ui_session *s, bool *found, struct lm_err *err);
/* Opens the index, building it first when it is missing or incomplete. */
bool ui_index_need(struct ui_session *s, struct lm_err *err);
/* Builds layers [from, to] (to = UINT32_MAX: all) with these reference prompts, NULL for the default. */
bool ui_index_build(struct ui_session *s, uint32_t from, uint32_t to, const char *const *prompts,
    size_t n_prompts, struct lm_err *err);

/* Threads as the option says; what runs on the old ones is dropped when that changed. */
bool ui_pool(struct ui_session *s, struct lm_err *err);
/* A run with the prompt, under the clamps in force or without any; NULL with err. */
lm_run *ui_run(struct ui_session *s, bool clamped, struct lm_err *err);
bool ui_prompt_set(struct ui_session *s, const uint32_t *ids, size_t n, struct lm_err *err);
/* Resolves a position, negative from the end, of the prompt. */
bool ui_pos(const struct ui_session *s, int64_t at, size_t *pos, struct lm_err *err);
/* Resolves a range against n things called `what`: [*from, *to], both included. */
bool ui_range(const struct ui_value *v, size_t n, const char *what, size_t *from, size_t *to,
    struct lm_err *err);

/* Bytes of a token, from the tokenizer or the index, kept by the table; IX_NULL when unknown. */
struct ix_cell ui_token_cell(struct ui_session *s, struct ix_table *t, uint32_t id);
/* The id that a token argument names: text that is one token, or #ID. */
bool ui_token_id(struct ui_session *s, const struct ui_word *w, uint32_t *id, struct lm_err *err);
/* The ids of a list of token arguments. */
bool ui_token_ids(struct ui_session *s, const struct ui_value *v, struct lm_ids *out,
    struct lm_err *err);

/* Logits [V] after a position of the prompt, to free with ui_free; NULL with c->err filled. */
lm_real *ui_logits_at(struct ui_call *c, bool clamped, size_t pos);
/* What the screen shows of the session: prompt, rows of tokens and clamps, and the index. */
struct ui_result *ui_session_state(struct ui_session *s);
/* The rows of `clamps`; with the screen's switch as a further column. */
void ui_put_clamps(struct ui_session *s, struct ui_result *r, const char *name);
/* Says how far a command is, and stops it when asked to. */
bool ui_progress(struct ui_session *s, double share, const char *what, struct lm_err *err);
void ui_partial(struct ui_session *s, const struct ui_result *r);
void ui_notice(struct ui_session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Notes a line that changed something, and writes it to the journal. */
bool ui_changed(struct ui_session *s, const char *line, size_t n, struct lm_err *err);
/* Runs the lines of a file; answers go to events.answer.  *count: commands run. */
bool ui_source(struct ui_session *s, const char *path, size_t *count, struct lm_err *err);

/* False when the neuron does not exist, or the side not in this family. */
bool ui_check_neuron(struct ui_session *s, struct ui_neuron n, enum lm_side side, struct lm_err *err);
const char *ui_side_name(enum lm_side s);
enum lm_side ui_side(const struct ui_args *a, const char *name);

#endif

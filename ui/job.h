/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - the worker: a thread that owns the session and runs command lines for the screen.
 *
 * Requests go down as values, news comes back as values through a queue and a pipe that wakes the loop.
 */
#ifndef UI_JOB_H
#define UI_JOB_H

#include "ui/session.h"

/* Who asked, and for what: a later request of the same owner and slot replaces one that waits or runs. */
struct ui_job {
	unsigned owner;			/* a view's number, 0: the screen itself */
	int slot;			/* of the owner; negative: never replaced */
	char *line;
};

enum ui_news_kind { UI_NEWS_ANSWER, UI_NEWS_PARTIAL, UI_NEWS_PROGRESS, UI_NEWS_NOTICE };

struct ui_news {
	struct ui_news *next;
	enum ui_news_kind kind;
	unsigned owner;
	int slot;
	char *line;			/* the command */
	struct ui_result *result;	/* of an answer or a part; NULL: it failed */
	struct ui_result *state;	/* with an answer: prompt and clamps of the session now */
	struct lm_err err;
	double ms, share;
	char text[200];			/* what is being done, or the notice */
};

typedef struct ui_worker ui_worker;

/* Takes the session over; it is closed by ui_worker_free. */
ui_worker *ui_worker_new(struct ui_session *s);
void ui_worker_free(ui_worker *w);
/* Readable when there is news. */
int ui_worker_fd(const ui_worker *w);
/* line is copied. */
void ui_worker_ask(ui_worker *w, unsigned owner, int slot, const char *line);
/* Stops what runs and drops what waits; owner 0: of everyone. */
void ui_worker_stop(ui_worker *w, unsigned owner);
/* True while something runs or waits. */
bool ui_worker_busy(ui_worker *w);
/* The next piece of news, to free; NULL when there is none. */
struct ui_news *ui_worker_news(ui_worker *w);
void ui_news_free(struct ui_news *n);

#endif

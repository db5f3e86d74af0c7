/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.c - the worker thread, its queue of requests and its news.
 */
#include "config.h"

#include "ui/job.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct waiting {
	struct waiting *next;
	struct ui_job job;
};

struct ui_worker {
	struct ui_session *s;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct waiting *first;		/* under lock, as all that follows */
	struct ui_job running;		/* line NULL: idle */
	struct ui_news *news, **tail;
	double last_progress;
	bool stop;
	int pipe[2];
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- news ---------------------------------------------------------------------------------------------- */

void
ui_news_free(struct ui_news *n)
{
	if (!n)
		return;
	ui_free(n->line);
	ui_result_unref(n->result);
	ui_result_unref(n->state);
	ui_free(n);
}

/* Puts news of the running job into the queue; its answer is the last, and the worker is idle again. */
static void
post(ui_worker *w, struct ui_news *n)
{
	pthread_mutex_lock(&w->lock);
	n->owner = w->running.owner;
	n->slot = w->running.slot;
	if (w->running.line)
		n->line = ui_xstrdup(w->running.line);
	if (n->kind == UI_NEWS_ANSWER)
		w->running = (struct ui_job){ 0 };
	*w->tail = n;
	w->tail = &n->next;
	pthread_mutex_unlock(&w->lock);
	/* A full pipe wakes as well as one more byte would. */
	if (write(w->pipe[1], "", 1) < 0 && errno != EAGAIN)
		ui_die(UI_FAILED, "wake-up pipe: %s", strerror(errno));
}

static struct ui_news *
news_of(enum ui_news_kind kind, const char *text)
{
	struct ui_news *n = ui_xalloc(1, sizeof(*n));

	n->kind = kind;
	if (text)
		strncpy(n->text, text, sizeof(n->text) - 1);
	return n;
}

static void
on_progress(void *ctx, double share, const char *what)
{
	ui_worker *w = ctx;
	struct ui_news *n;

	/* Twenty times a second is as often as anyone can see. */
	if (now() - w->last_progress < 0.05)
		return;
	w->last_progress = now();
	n = news_of(UI_NEWS_PROGRESS, what);
	n->share = share;
	post(w, n);
}

static void
on_partial(void *ctx, const struct ui_result *r)
{
	struct ui_news *n = news_of(UI_NEWS_PARTIAL, NULL);

	/* Partial answers are made for one reader: the reference is handed on, unless it still grows. */
	n->result = ui_result_copy(r);
	post(ctx, n);
}

static void
on_notice(void *ctx, const char *text)
{
	post(ctx, news_of(UI_NEWS_NOTICE, text));
}

/* ---- the thread ------------------------------------------------------------------------------------------ */

static bool
take_job(ui_worker *w)
{
	struct waiting *j;

	pthread_mutex_lock(&w->lock);
	w->running = (struct ui_job){ 0 };
	while (!w->first && !w->stop)
		pthread_cond_wait(&w->wake, &w->lock);
	j = w->first;
	if (j && !w->stop) {
		w->first = j->next;
		w->running = j->job;
		/* Under the lock: who stops this job from now on must not be overheard. */
		atomic_store(&w->s->cancel, false);
		ui_free(j);
	}
	pthread_mutex_unlock(&w->lock);
	return w->running.line != NULL;
}

static void *
worker_main(void *arg)
{
	ui_worker *w = arg;

	while (take_job(w)) {
		struct ui_news *n = news_of(UI_NEWS_ANSWER, NULL);
		const char *name;
		double start = now();
		char *line = w->running.line;

		n->result = ui_exec(w->s, line, strlen(line), &name, &n->err);
		n->ms = (now() - start) * 1e3;
		n->state = ui_session_state(w->s);
		post(w, n);
		ui_free(line);
	}
	return NULL;
}

ui_worker *
ui_worker_new(struct ui_session *s)
{
	ui_worker *w = ui_xalloc(1, sizeof(*w));

	w->s = s;
	w->tail = &w->news;
	s->events = (struct ui_events){ .progress = on_progress, .partial = on_partial,
	    .notice = on_notice, .ctx = w };
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	if (pipe(w->pipe) != 0)
		ui_die(UI_FAILED, "pipe: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		fcntl(w->pipe[i], F_SETFL, O_NONBLOCK);
		fcntl(w->pipe[i], F_SETFD, FD_CLOEXEC);
	}
	if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
		ui_die(UI_FAILED, "the worker thread cannot be started");
	return w;
}

void
ui_worker_free(ui_worker *w)
{
	struct ui_news *n;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	atomic_store(&w->s->cancel, true);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	while ((n = ui_worker_news(w)))
		ui_news_free(n);
	for (struct waiting *j = w->first, *next; j; j = next) {
		next = j->next;
		ui_free(j->job.line);
		ui_free(j);
	}
	close(w->pipe[0]);
	close(w->pipe[1]);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	ui_session_close(w->s);
	ui_free(w);
}

int
ui_worker_fd(const ui_worker *w)
{
	return w->pipe[0];
}

/* Drops waiting jobs of an owner (0: all) and slot (negative: all of them); under lock. */
static void
drop(ui_worker *w, unsigned owner, int slot)
{
	struct waiting **p = &w->first, *j;

	while ((j = *p)) {
		if ((owner == 0 || j->job.owner == owner) && (slot < 0 || j->job.slot == slot)) {
			*p = j->next;
			ui_free(j->job.line);
			ui_free(j);
		} else {
			p = &j->next;
		}
	}
	if (w->running.line && (owner == 0 || w->running.owner == owner) &&
	    (slot < 0 || w->running.slot == slot))
		atomic_store(&w->s->cancel, true);
}

void
ui_worker_ask(ui_worker *w, unsigned owner, int slot, const char *line)
{
	struct waiting *j = ui_xalloc(1, sizeof(*j)), **p;

	j->job = (struct ui_job){ owner, slot, ui_xstrdup(line) };
	pthread_mutex_lock(&w->lock);
	if (slot >= 0 && owner != 0)
		drop(w, owner, slot);
	for (p = &w->first; *p; p = &(*p)->next)
		;
	*p = j;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void
ui_worker_stop(ui_worker *w, unsigned owner)
{
	pthread_mutex_lock(&w->lock);
	drop(w, owner, -1);
	pthread_mutex_unlock(&w->lock);
}

bool
ui_worker_busy(ui_worker *w)
{
	bool busy;

	pthread_mutex_lock(&w->lock);
	busy = w->first || w->running.line;
	pthread_mutex_unlock(&w->lock);
	return busy;
}

struct ui_news *
ui_worker_news(ui_worker *w)
{
	struct ui_news *n;
	char byte[64];

	/* The pipe first: news that comes behind this leaves a byte in it. */
	while (read(w->pipe[0], byte, sizeof(byte)) > 0)
		;
	pthread_mutex_lock(&w->lock);
	n = w->news;
	if (n) {
		w->news = n->next;
		if (!w->news)
			w->tail = &w->news;
		n->next = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	return n;
}

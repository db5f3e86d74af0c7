/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c - worker threads that share out numbered pieces of one job at a time.
 *
 * Which thread takes which piece is left to chance, so a piece must not depend on it: callers cut
 * work by output, in pieces whose shape does not depend on the number of threads.  Between jobs the
 * workers spin for a moment before they sleep, since a forward pass hands out jobs back to back.
 */
#include "config.h"

#include "src/lm.h"

#include <pthread.h>

struct worker {
	struct lm_pool *pool;
	pthread_t thread;
	int index;
};

struct lm_pool {
	int threads;			/* with the caller */
	int started;			/* workers that run */
	struct worker *workers;		/* [threads - 1] */

	pthread_mutex_t lock;
	pthread_cond_t wake, idle;
	atomic_uint_fast64_t job;	/* counts jobs; a change is the signal to start */
	bool stop;			/* under lock */

	lm_task_fn *fn;			/* of the job at hand */
	void *ctx;
	size_t items;
	atomic_size_t next;		/* first piece nobody took */
	atomic_int busy;		/* workers that have not finished the job */
};

enum { SPINS = 2000 };

static void
relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static void
take_pieces(struct lm_pool *p, int worker)
{
	size_t i;

	while ((i = atomic_fetch_add(&p->next, 1)) < p->items)
		p->fn(p->ctx, i, worker);
}

/* Waits for a job other than seen; false when the pool closes. */
static bool
next_job(struct lm_pool *p, uint_fast64_t *seen)
{
	bool go;
	int i;

	for (i = 0; i < SPINS && atomic_load(&p->job) == *seen; i++)
		relax();
	pthread_mutex_lock(&p->lock);
	while (atomic_load(&p->job) == *seen && !p->stop)
		pthread_cond_wait(&p->wake, &p->lock);
	go = !p->stop;
	*seen = atomic_load(&p->job);
	pthread_mutex_unlock(&p->lock);
	return go;
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct lm_pool *p = w->pool;
	uint_fast64_t seen = 0;

	while (next_job(p, &seen)) {
		take_pieces(p, w->index);
		if (atomic_fetch_sub(&p->busy, 1) == 1) {
			pthread_mutex_lock(&p->lock);
			pthread_cond_signal(&p->idle);
			pthread_mutex_unlock(&p->lock);
		}
	}
	return NULL;
}

bool
lm_pool_new(lm_pool **out, int threads, struct lm_err *err)
{
	struct lm_pool *p;

	*out = NULL;
	if (threads < 1 || threads > 4096)
		return lm_fail(err, LM_EARG, "threads: %d found, 1 to 4096 wanted", threads);
	p = lm_zalloc(1, sizeof(*p), err);
	if (!p)
		return false;
	p->threads = threads;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	pthread_cond_init(&p->idle, NULL);
	p->workers = lm_zalloc((size_t)threads, sizeof(*p->workers), err);
	if (!p->workers) {
		lm_pool_free(p);
		return false;
	}
	for (int i = 0; i < threads - 1; i++) {
		struct worker *w = &p->workers[i];

		w->pool = p;
		w->index = i + 1;
		if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
			lm_pool_free(p);
			return lm_fail(err, LM_EIO, "thread %d of %d cannot be started", i + 2, threads);
		}
		p->started++;
	}
	*out = p;
	return true;
}

void
lm_pool_free(lm_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < p->started; i++)
		pthread_join(p->workers[i].thread, NULL);
	pthread_cond_destroy(&p->idle);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	lm_free(p->workers);
	lm_free(p);
}

int
lm_pool_threads(const lm_pool *p)
{
	return p->threads;
}

void
lm_pool_run(lm_pool *p, size_t items, lm_task_fn *fn, void *ctx)
{
	int i;

	if (items < 2 || p->started == 0) {
		for (size_t k = 0; k < items; k++)
			fn(ctx, k, 0);
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->fn = fn;
	p->ctx = ctx;
	p->items = items;
	atomic_store(&p->next, 0);
	atomic_store(&p->busy, p->started);
	atomic_fetch_add(&p->job, 1);
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);

	take_pieces(p, 0);
	for (i = 0; i < SPINS && atomic_load(&p->busy) != 0; i++)
		relax();
	if (atomic_load(&p->busy) != 0) {
		pthread_mutex_lock(&p->lock);
		while (atomic_load(&p->busy) != 0)
			pthread_cond_wait(&p->idle, &p->lock);
		pthread_mutex_unlock(&p->lock);
	}
}

bool
lm_watch_go(const struct lm_watch *w, struct lm_err *err)
{
	if (w && w->cancel && atomic_load_explicit(w->cancel, memory_order_relaxed))
		return lm_fail(err, LM_ECANCEL, "stopped");
	return true;
}

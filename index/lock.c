/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.c - one builder at a time: a lock on a file beside the index, which the system drops when its
 * holder dies, however it dies.
 *
 * Not on the index itself: closing any descriptor of it would drop the locks that SQLite holds there.
 */
#include "config.h"

#include "index/db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The holder removes the file when it is done: what we locked may no longer be what has the name. */
static bool
still_there(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

bool
ix_lock_take(struct ix_lock *l, const char *db_path, const struct ix_observer *o, struct lm_err *err)
{
	const struct timespec pause = { 0, 100000000 };
	struct lm_buf name = { 0 };
	bool told = false;
	int cause;

	*l = (struct ix_lock){ .fd = -1 };
	if (!lm_buf_printf(&name, err, "%s-build", db_path))
		return false;
	l->path = name.p;
	for (;;) {
		l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		if (l->fd < 0) {
			lm_fail(err, LM_EIO, "%s: %s", l->path, strerror(errno));
			break;
		}
		if (flock(l->fd, LOCK_EX | LOCK_NB) == 0) {
			if (still_there(l->fd, l->path))
				return true;
			close(l->fd);
			continue;
		}
		cause = errno;
		close(l->fd);
		l->fd = -1;
		if (cause != EWOULDBLOCK && cause != EINTR) {
			lm_fail(err, LM_EIO, "%s: cannot be locked: %s", l->path, strerror(cause));
			break;
		}
		if (o && o->waiting && !told)
			o->waiting(o->ctx);
		told = true;
		if (o && o->cancel && atomic_load(o->cancel)) {
			lm_fail(err, LM_ECANCEL, "stopped while another process builds %s", db_path);
			break;
		}
		nanosleep(&pause, NULL);
	}
	ix_lock_drop(l);
	return false;
}

void
ix_lock_drop(struct ix_lock *l)
{
	if (l->fd >= 0) {
		unlink(l->path);
		close(l->fd);
	}
	lm_free(l->path);
	*l = (struct ix_lock){ .fd = -1 };
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h - what all of the user interface shares: memory that does not fail, and last words.
 *
 * The engine and the index report an allocation that failed; the interface, which could not even say so
 * without memory, restores the terminal and stops.
 */
#ifndef UI_BASE_H
#define UI_BASE_H

#include "index/ix.h"

/* Exit status of the program. */
enum { UI_OK = 0, UI_FAILED = 1, UI_USAGE = 2, UI_BAD_MODEL = 3, UI_BAD_INDEX = 4, UI_INTERRUPTED = 130 };

/* Called by ui_die before it prints, to give the terminal back; NULL for none. */
void ui_die_hook(void (*restore)(void));
_Noreturn void ui_die(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "lmscope: message" on stderr, escaped, one line. */
void ui_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void *ui_xalloc(size_t n, size_t size);		/* zeroed */
void *ui_xresize(void *p, size_t n, size_t size);
char *ui_xstrdup(const char *s);
char *ui_xmemdup(const void *p, size_t n);	/* with a zero byte behind it */
void ui_free(void *p);

void ui_buf_add(struct lm_buf *b, const void *bytes, size_t n);
void ui_buf_str(struct lm_buf *b, const char *s);
void ui_buf_printf(struct lm_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Token text made fit to show. */
void ui_buf_escape(struct lm_buf *b, const char *s, size_t n, bool ascii);

#endif

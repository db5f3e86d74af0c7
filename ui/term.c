/* SPDX-License-Identifier: Apache-2.0 */
/*
 * term.c - curses on and off, suspending, standard error while it is on, the clipboard.
 */
#include "config.h"

#include "ui/term.h"

#include "ui/colour.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	bool on;
	SCREEN *screen;
	int saved_err;			/* standard error as it was */
	FILE *caught;			/* what is written to it meanwhile */
	long seen;			/* how much of that was handed out */
} term = { .saved_err = -1 };

/* A library's warning must not tear the screen: it goes to a file without a name. */
static void
catch_stderr(void)
{
	fflush(stderr);
	term.caught = tmpfile();
	term.saved_err = dup(STDERR_FILENO);
	if (!term.caught || term.saved_err < 0)
		return;
	fcntl(term.saved_err, F_SETFD, FD_CLOEXEC);
	dup2(fileno(term.caught), STDERR_FILENO);
	term.seen = 0;
}

static void
release_stderr(void)
{
	char buf[4096];
	size_t n;

	fflush(stderr);
	if (term.saved_err >= 0)
		dup2(term.saved_err, STDERR_FILENO);
	if (term.caught) {
		rewind(term.caught);
		while ((n = fread(buf, 1, sizeof(buf), term.caught)) > 0)
			if (write(STDERR_FILENO, buf, n) < 0)
				break;
		fclose(term.caught);
	}
	if (term.saved_err >= 0)
		close(term.saved_err);
	term.caught = NULL;
	term.saved_err = -1;
}

char *
ui_term_caught(void)
{
	char line[1024];

	if (!term.caught)
		return NULL;
	fflush(stderr);
	fseek(term.caught, term.seen, SEEK_SET);
	if (!fgets(line, sizeof(line), term.caught)) {
		clearerr(term.caught);
		return NULL;
	}
	term.seen = ftell(term.caught);
	line[strcspn(line, "\n")] = '\0';
	fseek(term.caught, 0, SEEK_END);
	return ui_xstrdup(line);
}

bool
ui_term_ascii(const struct ui_opts *o)
{
	return ui_opt_on(o, UI_OPT_ascii) || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

static bool
want_colour(const struct ui_opts *o)
{
	const char *no = getenv("NO_COLOR");

	if (ui_opt_is(o, UI_OPT_color, "always"))
		return true;
	return ui_opt_is(o, UI_OPT_color, "auto") && !(no && *no);
}

bool
ui_term_start(const struct ui_opts *o, struct lm_err *err)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return lm_fail(err, LM_EARG, "the screen needs a terminal; --batch runs without one");
	term.screen = newterm(NULL, stdout, stdin);
	if (!term.screen)
		return lm_fail(err, LM_EARG, "terminal type \"%s\" is not known; TERM names it",
		    getenv("TERM") ? getenv("TERM") : "");
	term.on = true;
	ui_die_hook(ui_term_stop);
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	ui_colour_init(want_colour(o));
	if (ui_opt_on(o, UI_OPT_mouse)) {
		mousemask(ALL_MOUSE_EVENTS, NULL);
		mouseinterval(150);
	}
	catch_stderr();
	return true;
}

void
ui_term_stop(void)
{
	if (!term.on)
		return;
	term.on = false;
	endwin();
	delscreen(term.screen);
	term.screen = NULL;
	release_stderr();
}

void
ui_term_suspend(void)
{
	endwin();
	kill(0, SIGTSTP);
	/* Here again: the whole screen is drawn anew. */
	refresh();
	clearok(curscr, TRUE);
}

/* OSC 52, which terminals pass through ssh; those that do not know it ignore it. */
void
ui_term_copy(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)text;
	size_t n = strlen(text);
	struct lm_buf out = { 0 };

	ui_buf_str(&out, "\033]52;c;");
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
		    (i + 2 < n ? p[i + 2] : 0);

		ui_buf_printf(&out, "%c%c%c%c", digits[v >> 18], digits[v >> 12 & 63],
		    i + 1 < n ? digits[v >> 6 & 63] : '=', i + 2 < n ? digits[v & 63] : '=');
	}
	ui_buf_str(&out, "\a");
	fwrite(out.p, 1, out.len, stdout);
	fflush(stdout);
	lm_buf_free(&out);
}

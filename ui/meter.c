/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.c - progress outside the screen: one line on stderr that is written over.
 */
#include "config.h"

#include "ui/main.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24 };

static struct {
	bool shown;
	double start, last, share_at_start;
	char what[40];			/* first word of the work that start belongs to */
} meter;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int
columns(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

static void
put_time(char *buf, size_t size, double s)
{
	if (s >= 3600)
		snprintf(buf, size, "%d h %02d min left", (int)(s / 3600), (int)(s / 60) % 60);
	else if (s >= 60)
		snprintf(buf, size, "%d min %02d s left", (int)(s / 60), (int)s % 60);
	else
		snprintf(buf, size, "%d s left", (int)(s + 0.5));
}

void
ui_meter(double share, const char *what)
{
	char bar[BAR + 1], left[40] = "", line[256];
	double t = now();
	int n;

	if (!isatty(STDERR_FILENO))
		return;
	if (!meter.shown || share < meter.share_at_start) {
		meter.start = t;
		meter.share_at_start = share;
	} else if (t - meter.last < 0.1 && share < 1) {
		return;
	}
	meter.last = t;
	n = share < 0 ? 0 : share > 1 ? BAR : (int)(share * BAR);
	memset(bar, '-', BAR);
	memset(bar, '#', (size_t)n);
	bar[BAR] = '\0';
	if (t - meter.start > 1 && share > meter.share_at_start)
		put_time(left, sizeof(left),
		    (t - meter.start) * (1 - share) / (share - meter.share_at_start));
	n = snprintf(line, sizeof(line), "[%s] %3d%%  %s  %s", bar, (int)(share * 100), what, left);
	if (n >= columns())
		line[columns() - 1] = '\0';
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
	meter.shown = true;
}

void
ui_meter_clear(void)
{
	if (meter.shown)
		fprintf(stderr, "\r\033[K");
	meter.shown = false;
}

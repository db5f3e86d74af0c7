/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the command line, and which way the program runs.
 */
#include "config.h"

#include "ui/main.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- signals ------------------------------------------------------------------------------------------- */

static atomic_bool *cancel_flag;
static volatile sig_atomic_t caught;

static void
on_signal(int sig)
{
	/* Whoever asks twice does not want to wait for the end of the work at hand. */
	if (caught) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	caught = sig;
	atomic_store(cancel_flag, true);
}

void
ui_catch_signals(atomic_bool *cancel)
{
	struct sigaction a = { .sa_handler = on_signal };

	cancel_flag = cancel;
	sigemptyset(&a.sa_mask);
	/* Without SA_RESTART: a read that waits for the next command ends as well. */
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
}

int
ui_caught(void)
{
	return caught;
}

/* ---- the command line ------------------------------------------------------------------------------------ */

static void
put_option(FILE *f, const struct ui_opt_row *o)
{
	char text[64];
	int n = 0;

	for (const char *p = o->name; *p; p++)
		text[n++] = *p == '_' ? '-' : *p;
	text[n] = '\0';
	if (o->kind != UI_O_SWITCH)
		fprintf(f, "  --%s=%-*s %s\n", text, 24 - n, o->values, o->help);
	else
		fprintf(f, "  --%s%-*s %s\n", strcmp(o->def, "yes") == 0 ? "no-" : "",
		    25 - (strcmp(o->def, "yes") == 0 ? 3 : 0), text, o->help);
}

static void
usage(FILE *f)
{
	fputs("lmscope looks inside language models, in the terminal.\n\n"
	    "  lmscope [OPTION...] [MODEL]                    browse MODEL (none: the demo model)\n"
	    "  lmscope --batch [OPTION...] [MODEL [SCRIPT]]   run the commands of SCRIPT or standard input\n"
	    "  lmscope --batch -c COMMAND [-c COMMAND...] [MODEL]\n"
	    "  lmscope index [OPTION...] MODEL [-o FILE]      build or resume MODEL's index\n"
	    "          --layers=A:B  only these layers        --prompts=FILE  reference prompts, one a line\n"
	    "  lmscope merge -o FILE PART...                  join indexes of different layers of one model\n"
	    "  lmscope --help | --version\n\n"
	    "MODEL is a folder in Hugging Face layout, a .gguf file or an index file.\n\n", f);
	for (int i = 0; i < UI_NOPTS; i++)
		if (ui_opt_row((enum ui_opt)i)->where & O_CLI)
			put_option(f, ui_opt_row((enum ui_opt)i));
	fputs("\nlmscope-commands(7) describes the commands; `lmscope --batch -c help` lists them.\n", f);
}

_Noreturn static void
bad_usage(const char *what, const char *which)
{
	ui_die(UI_USAGE, "%s %s; lmscope --help shows what there is", what, which);
}

/* --name, --name=value, --name value, --no-name. */
static void
long_option(struct ui_start *s, const char *arg, char **argv, int argc, int *i)
{
	const char *name = arg + 2, *eq = strchr(name, '='), *value = eq ? eq + 1 : NULL;
	size_t n = eq ? (size_t)(eq - name) : strlen(name);
	const char **own = n == 6 && memcmp(name, "layers", 6) == 0 ? &s->layers :
	    n == 7 && memcmp(name, "prompts", 7) == 0 ? &s->prompts : NULL;
	bool no = n > 3 && memcmp(name, "no-", 3) == 0;
	const struct ui_opt_row *o = ui_opt_find(no ? name + 3 : name, no ? n - 3 : n);
	struct lm_err err;

	if (!own && !o)
		bad_usage("there is no option", arg);
	if (!own && o->kind == UI_O_SWITCH && !value) {
		if (!ui_opts_set(&s->opts, o->name, strlen(o->name), no ? "no" : "yes", 2 + !no, O_CLI, &err))
			ui_die(UI_USAGE, "%s", err.msg);
		return;
	}
	if (no)
		bad_usage("there is no option", arg);
	if (!value && *i + 1 < argc)
		value = argv[++*i];
	if (!value)
		bad_usage("a value is missing after", arg);
	if (own)
		*own = value;
	else if (!ui_opts_set(&s->opts, name, n, value, strlen(value), O_CLI, &err))
		ui_die(UI_USAGE, "%s; lmscope --help shows what there is", err.msg);
}

static void
short_option(struct ui_start *s, const char *arg, char **argv, int argc, int *i)
{
	const char *value = arg[2] ? arg + 2 : NULL;

	if (arg[1] != 'c' && arg[1] != 'o')
		bad_usage("there is no option", arg);
	if (!value && *i + 1 < argc)
		value = argv[++*i];
	if (!value)
		bad_usage("a value is missing after", arg);
	if (arg[1] == 'o')
		s->output = value;
	else
		s->commands[s->n_commands++] = value;
}

/* Reads the command line; what is no option goes to s->words. */
static void
read_args(struct ui_start *s, int argc, char **argv)
{
	bool options = true;

	s->words = ui_xalloc((size_t)argc, sizeof(*s->words));
	s->commands = ui_xalloc((size_t)argc, sizeof(*s->commands));
	ui_opts_init(&s->opts);
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!options || arg[0] != '-' || !arg[1])
			s->words[s->n_words++] = arg;
		else if (strcmp(arg, "--") == 0)
			options = false;
		else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
			usage(stdout);
			exit(UI_OK);
		} else if (strcmp(arg, "--version") == 0) {
			printf("lmscope %s (%s)\n", PACKAGE_VERSION, sizeof(lm_real) == 4 ? "float" : "double");
			exit(UI_OK);
		} else if (strcmp(arg, "--batch") == 0)
			s->batch = true;
		else if (arg[1] == '-')
			long_option(s, arg, argv, argc, &i);
		else
			short_option(s, arg, argv, argc, &i);
	}
}

static int
run(struct ui_start *s)
{
	const char *first = s->n_words ? s->words[0] : "";
	bool index = !s->batch && strcmp(first, "index") == 0;

	if ((s->layers || s->prompts) && !index)
		bad_usage("only index takes", s->layers ? "--layers" : "--prompts");
	if (s->n_commands && !s->batch)
		bad_usage("only --batch takes", "-c");
	if (index)
		return ui_index(s);
	if (!s->batch && strcmp(first, "merge") == 0)
		return ui_merge(s);
	if (s->output)
		bad_usage("only index and merge take", "-o");
	return s->batch ? ui_batch(s) : ui_screen(s);
}

int
main(int argc, char **argv)
{
	struct ui_start s = { 0 };
	int status;

	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");		/* JSON, tables and arguments have a point */
	read_args(&s, argc, argv);
	status = run(&s);
	ui_opts_free(&s.opts);
	ui_free(s.words);
	ui_free(s.commands);
	return status;
}

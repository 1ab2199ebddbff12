/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of dtcpctl. */
#include "tools/ctl.h"

#include "base/log.h"
#include "tools/ctl_lock.h"
#include "tools/ctl_text.h"
#include "tools/ctl_value.h"
#include "tools/ctl_words.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum ctl_status ctl_fail(enum ctl_status status, const char *format, ...)
{
	char text[1024], shown[2048];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_warnx("%s", ctl_text_shown(text, shown, sizeof(shown)));
	return status;
}

static enum ctl_status ctl_no_memory(void)
{
	return ctl_fail(CTL_FAILED, "%s", strerror(ENOMEM));
}

/* Shows a page, and frees it. */
static enum ctl_status ctl_show(struct ctl_page *page)
{
	bool whole = ctl_page_print(page);

	ctl_page_free(page);
	return whole ? CTL_OK : ctl_no_memory();
}

/* Asks; with --every twice, so that *before is the answer of *seconds earlier. */
static enum ctl_status ctl_look(const struct ctl_options *options, const struct ask_daemon *daemon,
				struct ask *ask, json_t **before, double *seconds)
{
	const char *command = options->command->name;
	enum ctl_status status = ctl_ask(options, daemon, ask, command, NULL, NULL);
	struct timespec wait = {.tv_sec = options->every};
	double begun = ctl_words_now();

	*before = NULL;
	if (status != CTL_OK || !(options->given & CTL_TAKES_EVERY))
		return status;
	*before = json_incref(ask_last(ask));
	while (nanosleep(&wait, &wait) == -1 && errno == EINTR)
		;
	status = ctl_ask(options, daemon, ask, command, NULL, NULL);
	*seconds = ctl_words_now() - begun;
	return status;
}

static enum ctl_status ctl_status(const struct ctl_options *options,
				  const struct ask_daemon *daemon)
{
	struct ctl_page page = {.width = ctl_page_width()};
	struct ask *ask = NULL;
	json_t *before = NULL, *now;
	double seconds = 0;
	enum ctl_status status = ctl_daemon_open(daemon, &ask);

	if (status == CTL_OK)
		status = ctl_look(options, daemon, ask, &before, &seconds);
	if (status == CTL_OK) {
		now = ctl_value(ask_last(ask), "status");
		(ctl_client_is(now) ? ctl_client_page : ctl_server_page)(
			&page, now, ctl_value(before, "status"), seconds);
		if (!options->json)
			status = ctl_show(&page);
		else
			ctl_page_free(&page);
		if (status == CTL_OK && ctl_client_is(now) && !ctl_client_up(now))
			status = CTL_DOWN;
	}
	json_decref(before);
	ask_close(ask);
	return status;
}

static enum ctl_status ctl_drops(const struct ctl_options *options, const struct ask_daemon *daemon)
{
	struct ctl_table *table = NULL;
	struct ask *ask = NULL;
	json_t *before = NULL;
	double seconds = 0;
	enum ctl_status status = ctl_daemon_open(daemon, &ask);

	if (status == CTL_OK)
		status = ctl_look(options, daemon, ask, &before, &seconds);
	if (status == CTL_OK && !options->json) {
		table = ctl_drops_table(ctl_value(ask_last(ask), "drops"),
					ctl_value(before, "drops"), seconds);
		if (!table || !ctl_table_print(table))
			status = ctl_no_memory();
	}
	ctl_table_free(table);
	json_decref(before);
	ask_close(ask);
	return status;
}

static enum ctl_status ctl_sessions(const struct ctl_options *options,
				    const struct ask_daemon *daemon)
{
	struct ctl_sessions sessions = {.count = 0};
	struct ctl_table *table = NULL;
	struct ask *ask = NULL;
	enum ctl_status status = ctl_daemon_open(daemon, &ask);

	if (status == CTL_OK)
		status = ctl_ask(options, daemon, ask, "sessions", ctl_sessions_add, &sessions);
	if (status == CTL_OK && !options->json) {
		ctl_sessions_sort(&sessions, options->sort);
		table = ctl_sessions_table(&sessions, 0, sessions.count, false, ctl_words_now());
		if (sessions.failed || !table || !ctl_table_print(table))
			status = ctl_no_memory();
		else if (sessions.too_many)
			status = ctl_fail(CTL_FAILED,
					  "there are more than %d sessions, of which the others "
					  "are not shown",
					  CTL_SESSIONS_MAX);
	}
	ctl_table_free(table);
	ctl_sessions_free(&sessions);
	ask_close(ask);
	return status;
}

static void ctl_session_row(json_t *row, const char *line, void *arg)
{
	(void)line;
	ctl_session_page(arg, ctl_value(row, "session"));
}

static enum ctl_status ctl_session(const struct ctl_options *options,
				   const struct ask_daemon *daemon)
{
	struct ctl_page page = {.width = ctl_page_width()};
	struct ask *ask = NULL;
	enum ctl_status status = ctl_daemon_open(daemon, &ask);

	if (status == CTL_OK)
		status = ctl_ask(options, daemon, ask, "session", ctl_session_row, &page);
	if (status == CTL_OK && !options->json)
		status = ctl_show(&page);
	ctl_page_free(&page);
	ask_close(ask);
	return status;
}

static void ctl_kicked(const struct ctl_options *options, double ended)
{
	char time[CTL_TEXT_SIZE];

	(void)printf("%.0f session%s ended", ended, ctl_text_plural(ended));
	if (options->kick_for > 0)
		(void)printf("; logins are refused for %s",
			     ctl_text_duration((double)options->kick_for, time));
	else if (options->given & CTL_TAKES_FOR)
		(void)printf("; logins are not refused any more");
	(void)putchar('\n');
}

/* Sends a command whose answer has no content. */
static enum ctl_status ctl_tell(const struct ctl_options *options, const struct ask_daemon *daemon)
{
	struct ask *ask = NULL;
	enum ctl_status status = ctl_daemon_open(daemon, &ask);

	if (status == CTL_OK)
		status = ctl_ask(options, daemon, ask, options->command->name, NULL, NULL);
	if (status == CTL_OK && !options->json && ctl_value(ask_last(ask), "ended"))
		ctl_kicked(options, ctl_value_number(ask_last(ask), "ended"));
	ask_close(ask);
	return status;
}

static const struct ctl_command ctl_commands[] = {
	{.name = "status", .who = CTL_BOTH, .takes = CTL_TAKES_EVERY, .run = ctl_status},
	{.name = "watch",
	 .who = CTL_BOTH,
	 .takes = CTL_TAKES_EVERY | CTL_TAKES_FILTER | CTL_TAKES_SORT,
	 .run = ctl_watch},
	{.name = "log",
	 .who = CTL_BOTH,
	 .limit = CTL_STEER_LIMIT,
	 .word = "LEVEL",
	 .run = ctl_tell},
	{.name = "sessions",
	 .who = CTL_SERVER,
	 .takes = CTL_TAKES_FILTER | CTL_TAKES_SORT,
	 .run = ctl_sessions},
	{.name = "session", .who = CTL_SERVER, .word = "USER", .run = ctl_session},
	{.name = "drops", .who = CTL_SERVER, .takes = CTL_TAKES_EVERY, .run = ctl_drops},
	{.name = "kick",
	 .who = CTL_SERVER,
	 .takes = CTL_TAKES_FOR,
	 .word = "USER",
	 .run = ctl_tell},
	{.name = "reload", .who = CTL_SERVER, .limit = CTL_STEER_LIMIT, .run = ctl_tell},
	{.name = "reconnect", .who = CTL_CLIENT, .run = ctl_tell},
	{.name = "down", .who = CTL_CLIENT, .limit = CTL_DOWN_LIMIT, .run = ctl_tell},
	{.name = "up", .who = CTL_CLIENT, .run = ctl_tell},
	{.name = NULL},
};

static const struct ctl_column ctl_overview[] = {
	{.heading = "INSTANCE"},	   {.heading = "PROGRAM", .rank = 2},
	{.heading = "STATE", .least = 10}, {.heading = "FOR", .right = true, .rank = 1},
	{.heading = "WHAT", .least = 10},
};

/* Adds a daemon's line: its name and state. */
static void ctl_overview_row(struct ctl_table *table, const json_t *status)
{
	const char *text = NULL;
	enum ctl_style style = CTL_GOOD;
	char age[CTL_TEXT_SIZE];
	double since, sessions = ctl_value_number(status, "sessions.now");

	if (ctl_client_is(status)) {
		text = ctl_client_state(status, &style);
		since = ctl_value_number(status, "since");
	} else {
		text = json_is_true(ctl_value(status, "ready")) ? "ready" : "starting";
		since = ctl_value_number(status, "started");
	}
	ctl_table_row(table, style);
	ctl_table_cell(table, "%s", ctl_value_text(status, "interface"));
	ctl_table_cell(table, "%s", ctl_value_text(status, "program"));
	ctl_table_cell(table, "%s", text);
	ctl_table_cell(table, "%s", ctl_text_duration(ctl_words_now() - since, age));
	if (!ctl_client_is(status))
		ctl_table_cell(table, "%.0f session%s", sessions, ctl_text_plural(sessions));
	else if (ctl_client_up(status))
		ctl_table_cell(table, "%s at %s", ctl_value_text(status, "type"),
			       ctl_value_text(status, "server.name"));
	else
		ctl_table_cell(table, "%s", ctl_value_text(status, "last_error.text"));
}

/* "status" of several daemons: returns the first bad status. */
static enum ctl_status ctl_status_all(const struct ctl_options *options,
				      const struct ask_daemon *list, int count)
{
	struct ctl_table *table =
		ctl_table_new(ctl_overview, sizeof(ctl_overview) / sizeof(ctl_overview[0]));
	enum ctl_status all = CTL_OK;

	if (!table)
		return ctl_no_memory();
	for (int i = 0; i < count; i++) {
		struct ask *ask = NULL;
		enum ctl_status status = ctl_daemon_open(&list[i], &ask);

		if (status == CTL_OK)
			status = ctl_ask(options, &list[i], ask, "status", NULL, NULL);
		if (status == CTL_OK) {
			const json_t *said = ctl_value(ask_last(ask), "status");

			ctl_overview_row(table, said);
			if (ctl_client_is(said) && !ctl_client_up(said))
				status = CTL_DOWN;
		}
		if (all == CTL_OK)
			all = status;
		ask_close(ask);
	}
	if (!options->json && ctl_table_rows(table) > 1 && !ctl_table_print(table))
		all = ctl_no_memory();
	ctl_table_free(table);
	return all;
}

static enum ctl_status ctl_run(const struct ctl_options *options)
{
	struct ask_daemon daemon, *list = NULL;
	enum ctl_status status;
	int count = 0;
	bool there;

	/* All that takes rights and files comes before the first answer is read. */
	if (!options->socket)
		count = ctl_daemons(&list);
	there = options->socket ? ctl_lock_connect(options->socket) == 0 : count > 0;
	if (there && options->command->run == ctl_watch && !options->json)
		ctl_watch_prepare(options);
	else
		ctl_lock_in(false);
	if (options->command->run == ctl_status && !options->instance && count > 1 &&
	    !(options->given & CTL_TAKES_EVERY)) {
		status = ctl_status_all(options, list, count);
	} else {
		status = ctl_daemon_choose(options, list, count, &daemon);
		if (status == CTL_OK)
			status = options->command->run(options, &daemon);
	}
	free(list);
	return status;
}

int ctl_main(int argc, char **argv)
{
	struct ctl_options options;
	enum ctl_status status = CTL_OK;

	(void)setlocale(LC_CTYPE, "");
	log_init("dtcpctl", NULL, false);
	switch (ctl_options_parse(argc, argv, ctl_commands, &options)) {
	case OPTIONS_OK:
		status = ctl_run(&options);
		break;
	case OPTIONS_ERROR:
		return CTL_USAGE;
	case OPTIONS_DONE:
		break;
	}
	/* A full disk is reported only here. */
	if (fflush(stdout) != 0 || ferror(stdout))
		status = ctl_fail(CTL_FAILED, "standard output: %s", strerror(errno));
	return (int)status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The live view: keys, and when to draw; ctl_screen.c draws. */
#include "tools/ctl_screen.h"

#include "base/clock.h"
#include "tools/ctl_lock.h"
#include "tools/ctl_value.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds between draws, since the age is shown in seconds. */
#define DRAW_EVERY 1000

static volatile sig_atomic_t ctl_watch_over;

/* Its terminal is NULL as long as there is none. */
static struct ctl_screen ctl_watch_screen;

static void ctl_watch_end(int number)
{
	(void)number;
	ctl_watch_over = 1;
}

/*
 * Signals are delivered only in ppoll(), so that none is missed between the check and the wait.
 * curses has its own handler for SIGWINCH.
 */
static bool ctl_watch_signals(sigset_t *waiting)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = ctl_watch_end};
	sigset_t held;

	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGWINCH);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)sigaddset(&held, ends[i]);
		if (sigaction(ends[i], &action, NULL) == -1)
			return false;
	}
	return sigprocmask(SIG_BLOCK, &held, waiting) == 0;
}

/* Handles a key while the filter is edited. */
static void ctl_watch_type(struct ctl_screen *screen, int key)
{
	size_t len = strlen(screen->filter);

	if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		screen->typing = false;
	} else if (key == 27) {
		screen->typing = false;
		screen->filter[0] = '\0';
	} else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
		if (len > 0)
			screen->filter[len - 1] = '\0';
	} else if (key >= ' ' && key < 127 && len + 1 < sizeof(screen->filter)) {
		screen->filter[len] = (char)key;
		screen->filter[len + 1] = '\0';
	}
	screen->top = 0;
}

static void ctl_watch_scroll(struct ctl_screen *screen, int lines)
{
	if (lines < 0 && screen->top < (size_t)-lines)
		screen->top = 0;
	else
		screen->top += (size_t)lines;
}

/* Handles a key. False: quit. */
static bool ctl_watch_key(struct ctl_screen *screen, int key)
{
	/* The key of each order, as in enum ctl_sort. */
	static const char letters[] = "nupaiodt";
	const char *letter = key > 0 && key < 127 ? strchr(letters, key) : NULL;

	if (screen->typing) {
		ctl_watch_type(screen, key);
		return true;
	}
	switch (key) {
	case 'q':
		return false;
	case '/':
		screen->typing = true;
		break;
	case 27:
		screen->filter[0] = '\0';
		break;
	case 's':
		screen->sort = (screen->sort + 1) % CTL_SORT_COUNT;
		break;
	case KEY_UP:
	case 'k':
		ctl_watch_scroll(screen, -1);
		break;
	case KEY_DOWN:
	case 'j':
		ctl_watch_scroll(screen, 1);
		break;
	case KEY_PPAGE:
		ctl_watch_scroll(screen, -screen->page);
		break;
	case KEY_NPAGE:
	case ' ':
		ctl_watch_scroll(screen, screen->page);
		break;
	case KEY_HOME:
		screen->top = 0;
		break;
	case KEY_END:
		screen->top = SIZE_MAX / 2;
		break;
	default:
		if (letter)
			screen->sort = (enum ctl_sort)(letter - letters);
		break;
	}
	return true;
}

/* Handles all pending keys. */
static bool ctl_watch_keys(struct ctl_screen *screen)
{
	int key;

	while ((key = getch()) != ERR) {
		if (!ctl_watch_key(screen, key))
			return false;
		screen->changed = true;
	}
	return true;
}

static void ctl_watch_loop(struct ctl_live *live, struct ctl_screen *screen,
			   const sigset_t *waiting)
{
	bool goes_on = true;

	while (goes_on && !ctl_watch_over) {
		struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = -1}};
		int64_t now = clock_ms();
		struct timespec left;
		int wait;

		if (ctl_live_step(live, now))
			screen->changed = true;
		if (screen->changed || now >= screen->drawn + DRAW_EVERY)
			ctl_screen_draw(screen, live, now);
		fds[1].fd = ctl_live_fd(live);
		fds[1].events = ctl_live_events(live);
		wait = ctl_live_wait(live, now);
		wait = wait < DRAW_EVERY ? wait : DRAW_EVERY;
		left.tv_sec = wait / 1000;
		left.tv_nsec = (long)(wait % 1000) * 1000000;
		if (ppoll(fds, 2, &left, waiting) == -1 && errno != EINTR)
			goes_on = false;
		/* The terminal is gone. */
		else if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			goes_on = false;
		else
			goes_on = ctl_watch_keys(screen);
	}
}

static bool ctl_watch_has_terminal(void)
{
	return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
}

void ctl_watch_prepare(const struct ctl_options *options)
{
	if (ctl_watch_has_terminal() && ctl_screen_begin(&ctl_watch_screen, options->sort))
		ctl_screen_pause();
	ctl_lock_in(true);
}

/* Takes over the connection. */
static enum ctl_status ctl_watch_live(const struct ctl_options *options,
				      const struct ask_daemon *daemon, struct ask *ask)
{
	struct ctl_live live;
	const char *term = getenv("TERM");
	sigset_t waiting;

	enum ctl_status status = CTL_OK;

	ctl_live_init(&live, options, daemon, ask);
	if (!ctl_watch_screen.terminal) {
		status = ctl_fail(CTL_FAILED,
				  "watch: the terminal \"%s\" cannot do this; is TERM right?",
				  term ? term : "");
	} else if (!ctl_watch_signals(&waiting)) {
		status = ctl_fail(CTL_FAILED, "signals: %s", strerror(errno));
	} else {
		ctl_watch_loop(&live, &ctl_watch_screen, &waiting);
		ctl_screen_end(&ctl_watch_screen);
	}
	ctl_live_free(&live);
	return status;
}

/* With --json: writes each answer until the program is ended or the output is closed. */
static enum ctl_status ctl_watch_lines(const struct ctl_options *options,
				       const struct ask_daemon *daemon, struct ask *ask,
				       bool is_server)
{
	const struct timespec wait = {.tv_sec = options->every};
	enum ctl_status status = CTL_OK;

	do {
		if (is_server)
			status = ctl_ask(options, daemon, ask, "sessions", NULL, NULL);
		if (status == CTL_OK && fflush(stdout) == 0 && nanosleep(&wait, NULL) == 0)
			status = ctl_ask(options, daemon, ask, "status", NULL, NULL);
	} while (status == CTL_OK && !ferror(stdout));
	return status;
}

enum ctl_status ctl_watch(const struct ctl_options *options, const struct ask_daemon *daemon)
{
	struct ask *ask = NULL;
	enum ctl_status status;

	if (!options->json && !ctl_watch_has_terminal())
		return ctl_fail(CTL_USAGE,
				"watch: this needs a terminal; there is status, and --json");
	/* Errors of the first connection are reported as for other commands. */
	status = ctl_daemon_open(daemon, &ask);
	if (status == CTL_OK)
		status = ctl_ask(options, daemon, ask, "status", NULL, NULL);
	if (status == CTL_OK && options->json)
		status = ctl_watch_lines(options, daemon, ask,
					 !ctl_client_is(ctl_value(ask_last(ask), "status")));
	if (status == CTL_OK && !options->json)
		return ctl_watch_live(options, daemon, ask);
	ask_close(ask);
	return status;
}

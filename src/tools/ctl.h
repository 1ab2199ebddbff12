/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcpctl: monitors and controls the running daemons. */
#ifndef DTCP_TOOLS_CTL_H
#define DTCP_TOOLS_CTL_H

#include "base/options.h"
#include "ctl/ask.h"
#include "tools/ctl_page.h"
#include "tools/ctl_sessions.h"

#include <jansson.h>
#include <stdbool.h>

/* Time without data after which a daemon counts as not answering, milliseconds. */
#define CTL_LIMIT 10000

/* The same while the daemon waits for its root process, or for scripts of any duration. */
#define CTL_STEER_LIMIT 15000
#define CTL_DOWN_LIMIT	100000

/* Exit statuses, as in the manual page. */
enum ctl_status {
	CTL_OK = 0,
	CTL_FAILED = 1, /* the daemon reported an error, or did not answer */
	CTL_USAGE = 2,
	CTL_NONE = 3,	/* no daemon is running here */
	CTL_DENIED = 4, /* permission denied */
	CTL_DOWN = 5,	/* it is running, but its tunnel is not up */
};

/* Daemons that have a command. */
enum ctl_who { CTL_SERVER = 1, CTL_CLIENT = 2, CTL_BOTH = 3 };

/* Options that not all commands take. */
enum ctl_takes {
	CTL_TAKES_FILTER = 1 << 0,
	CTL_TAKES_SORT = 1 << 1,
	CTL_TAKES_FOR = 1 << 2,
	CTL_TAKES_EVERY = 1 << 3,
};

struct ctl_options;

struct ctl_command {
	const char *name;
	enum ctl_who who;
	unsigned takes;
	int limit;	  /* milliseconds; 0: CTL_LIMIT */
	const char *word; /* its argument, "USER"; NULL: none */
	/* The daemon has been chosen; it may not have been contacted yet. */
	enum ctl_status (*run)(const struct ctl_options *options, const struct ask_daemon *daemon);
};

struct ctl_options {
	const struct ctl_command *command;
	const char *word;
	const char *instance; /* NULL: none */
	const char *socket;
	bool json;
	unsigned given;	  /* enum ctl_takes */
	const char *user; /* filters */
	const char *address;
	const char *prefix;
	const char *transport;
	enum ctl_sort sort;
	long kick_for; /* seconds */
	uint32_t every;
};

/* Parses the command line; the list of commands ends with a NULL name. */
enum options_result ctl_options_parse(int argc, char *const argv[],
				      const struct ctl_command *commands,
				      struct ctl_options *options);

/* Prints one line on standard error, escaped, and returns status. */
__attribute__((format(printf, 2, 3))) enum ctl_status ctl_fail(enum ctl_status status,
							       const char *format, ...);

/*
 * Connects to the daemons that run here, or whose state is unknown. Returns their number, with *out
 * to be freed, or -errno.
 */
int ctl_daemons(struct ask_daemon **out);

/*
 * Chooses the daemon for a command among these, whose order changes, or the one that was named;
 * prints an error unless there is exactly one.
 */
enum ctl_status ctl_daemon_choose(const struct ctl_options *options, struct ask_daemon *list,
				  int count, struct ask_daemon *out);

/* The name of a daemon in messages. */
const char *ctl_daemon_name(const struct ask_daemon *daemon, char buf[static ASK_PATH_SIZE + 32]);

/* Takes the connection that was made, or makes one. Prints errors. */
enum ctl_status ctl_daemon_open(const struct ask_daemon *daemon, struct ask **out);

/* Prints the error of ask_open(). */
enum ctl_status ctl_daemon_refused(const struct ask_daemon *daemon, int rc);

/* Prints the error of a query. */
enum ctl_status ctl_daemon_said_no(const struct ctl_options *options,
				   const struct ask_daemon *daemon, const struct ask *ask,
				   enum ask_state state);

/* The query of "status", "sessions" and so on, with the options' members; NULL: no memory. */
json_t *ctl_question(const struct ctl_options *options, const char *command);

/* Sends a query and reads its whole answer, which is printed unchanged with --json. */
enum ctl_status ctl_ask(const struct ctl_options *options, const struct ask_daemon *daemon,
			struct ask *ask, const char *command, ask_row row, void *arg);

int ctl_main(int argc, char **argv);

/* Fill pages from an answer; with rates since before, an answer that is seconds older, or NULL. */
void ctl_server_page(struct ctl_page *page, const json_t *status, const json_t *before,
		     double seconds);
void ctl_client_page(struct ctl_page *page, const json_t *status, const json_t *before,
		     double seconds);
void ctl_drops_page(struct ctl_page *page, const json_t *drops, const json_t *before,
		    double seconds);
struct ctl_table *ctl_drops_table(const json_t *drops, const json_t *before, double seconds);
void ctl_session_page(struct ctl_page *page, const json_t *session);

/* Whether this is the status of a client, and up; its state as text, and the style for it. */
bool ctl_client_is(const json_t *status);
bool ctl_client_up(const json_t *status);
const char *ctl_client_state(const json_t *status, enum ctl_style *style);

/* Opens the terminal, and gives up the rest. */
void ctl_watch_prepare(const struct ctl_options *options);
enum ctl_status ctl_watch(const struct ctl_options *options, const struct ask_daemon *daemon);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcpctl: asks the running daemons what they do, and tells them what to do. */
#ifndef DTCP_TOOLS_CTL_H
#define DTCP_TOOLS_CTL_H

#include "base/options.h"
#include "ctl/ask.h"
#include "tools/ctl_page.h"
#include "tools/ctl_sessions.h"

#include <jansson.h>
#include <stdbool.h>

/* A daemon that says nothing for so long does not answer any more, milliseconds. */
#define CTL_LIMIT 10000

/* The same while it waits itself: for its root process, and for scripts of any length. */
#define CTL_STEER_LIMIT 15000
#define CTL_DOWN_LIMIT	100000

/* Exit statuses, as the manual page has them. */
enum ctl_status {
	CTL_OK = 0,
	CTL_FAILED = 1, /* the daemon said no, or did not answer */
	CTL_USAGE = 2,
	CTL_NONE = 3,	/* no daemon runs here */
	CTL_DENIED = 4, /* this is not for everybody */
	CTL_DOWN = 5,	/* it runs, and its tunnel is not up */
};

/* Who has a command. */
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
	const char *word; /* what it is about, "USER"; NULL: it takes no word */
	/* The daemon is chosen; it may not have been asked. */
	enum ctl_status (*run)(const struct ctl_options *options, const struct ask_daemon *daemon);
};

struct ctl_options {
	const struct ctl_command *command;
	const char *word;
	const char *instance; /* NULL: not said */
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

/* Reads the command line; of the commands, name is NULL at the end. */
enum options_result ctl_options_parse(int argc, char *const argv[],
				      const struct ctl_command *commands,
				      struct ctl_options *options);

/* Says one line on standard error, escaped, and returns status. */
__attribute__((format(printf, 2, 3))) enum ctl_status ctl_fail(enum ctl_status status,
							       const char *format, ...);

/* Sockets of daemons that run here, or cannot be asked whether they do; -errno. To be freed. */
int ctl_daemons(struct ask_daemon **out);

/* The daemon that a command is for; if that is not one, says so. */
enum ctl_status ctl_daemon_choose(const struct ctl_options *options, struct ask_daemon *out);

/* What to call a daemon in a message. */
const char *ctl_daemon_name(const struct ask_daemon *daemon, char buf[static ASK_PATH_SIZE + 32]);

/* Connects; tries again for a moment if too many wait. Says why not. */
enum ctl_status ctl_daemon_open(const struct ask_daemon *daemon, struct ask **out);

/* What ask_open() returned, in words. */
enum ctl_status ctl_daemon_refused(const struct ask_daemon *daemon, int rc);

/* What went wrong with a question, in words. */
enum ctl_status ctl_daemon_said_no(const struct ctl_options *options,
				   const struct ask_daemon *daemon, const struct ask *ask,
				   enum ask_state state);

/* The question of "status", "sessions" and so on, with what the options add; NULL: no memory. */
json_t *ctl_question(const struct ctl_options *options, const char *command);

/* A question and its whole answer, printed as it is with --json. */
enum ctl_status ctl_ask(const struct ctl_options *options, const struct ask_daemon *daemon,
			struct ask *ask, const char *command, ask_row row, void *arg);

int ctl_main(int argc, char **argv);

/* What the pages show, of an answer; rates since before, which is seconds older, or NULL. */
void ctl_server_page(struct ctl_page *page, const json_t *status, const json_t *before,
		     double seconds);
void ctl_client_page(struct ctl_page *page, const json_t *status, const json_t *before,
		     double seconds);
void ctl_drops_page(struct ctl_page *page, const json_t *drops, const json_t *before,
		    double seconds);
struct ctl_table *ctl_drops_table(const json_t *drops, const json_t *before, double seconds);
void ctl_session_page(struct ctl_page *page, const json_t *session);

/* Whether this is the status of a client, and up; its state in words, and how good that is. */
bool ctl_client_is(const json_t *status);
bool ctl_client_up(const json_t *status);
const char *ctl_client_state(const json_t *status, enum ctl_style *style);

enum ctl_status ctl_watch(const struct ctl_options *options, const struct ask_daemon *daemon);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/accounts/accounts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "process/ipc.h"
#include "server/accounts/history.h"
#include "server/accounts/logins.h"
#include "server/msg.h"
#include "users/users.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* Longest wait of a login for a lock of the database, which delays all others. */
enum { ACCOUNTS_PATIENCE_MS = 500 };

/* Limit of messages queued for the root process, for each id: its GRANT, REVOKE and LOGOUT. */
enum { ACCOUNTS_BACKLOG = 3 };

/* Time for the end, less than the 2 s after which remaining processes are killed. */
enum { ACCOUNTS_END_MS = 1700 };

/* Limit of messages queued for control. */
enum { ACCOUNTS_TOLD_MAX = 16 };

/* How long counted usage is cached. */
enum { ACCOUNTS_USAGE_MS = 5000 };

struct accounts {
	const struct server_options *options;
	struct event_base *base;
	struct event *second; /* checks for changes of users */
	struct ipc *root;
	struct ipc *control; /* NULL until the reserved prefixes are known */
	int control_fd;
	struct users *users;
	struct logins *logins;
	struct users_usage usage; /* being counted */
	struct event *count;	  /* counts the next piece */
	bool counting;
	int64_t count_at; /* ms: next count not before then */
	struct server_usage told;
	struct history *history;
	bool flushing; /* answers are pending until the end of this turn of the loop */
	struct prefix6 *reserved;
	size_t n_reserved;
	int64_t ends; /* ms: when the end began; 0: it has not */
	int status;
};

static void accounts_end(struct accounts *accounts, int status)
{
	accounts->status = status;
	(void)event_base_loopbreak(accounts->base);
}

static void accounts_fail(struct accounts *accounts, const char *why)
{
	log_warnx("%s", why);
	accounts_end(accounts, 1);
}

static void accounts_tell_root(struct accounts *accounts, uint32_t type, const void *body,
			       size_t size)
{
	int error = ipc_send(accounts->root, type, body, size, -1);

	if (error) {
		log_warnx("cannot send to a room: %s", strerror(-error));
		accounts_end(accounts, 1);
	}
}

/* --- callbacks of logins ------------------------------------------------------------------ */

static void accounts_answer(const struct server_grant *grant, void *arg)
{
	accounts_tell_root(arg, SERVER_MSG_GRANT, grant, sizeof(*grant));
}

static void accounts_revoked(uint32_t id, enum server_why why, void *arg)
{
	const struct server_revoked message = {.id = id, .why = why};

	accounts_tell_root(arg, SERVER_MSG_REVOKE, &message, sizeof(message));
}

/* --- messages of control ------------------------------------------------------------------ */

static void accounts_on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct accounts *accounts = arg;

	(void)fd;
	(void)what;
	accounts->flushing = false;
	logins_flush(accounts->logins);
}

static void accounts_on_login(const void *body, void *arg)
{
	static const struct timeval at_once = {0};
	struct accounts *accounts = arg;

	if (ipc_backlog(accounts->root) >
	    ACCOUNTS_BACKLOG * (size_t)server_options_ids(accounts->options)) {
		accounts_fail(accounts, "control asks for more than can be answered");
		return;
	}
	if (!logins_ask(accounts->logins, body)) {
		accounts_fail(accounts, "control asked for a login that cannot be");
		return;
	}
	/* After all logins that have arrived by now have been checked. */
	if (!accounts->flushing)
		loop_once(accounts->base, &at_once, accounts_on_flush, accounts);
	accounts->flushing = true;
}

static void accounts_on_logout(const void *body, void *arg)
{
	const struct server_id *id = body;
	struct accounts *accounts = arg;
	bool granted;

	if (history_is_up(accounts->history, id->id) ||
	    !logins_end(accounts->logins, id->id, &granted))
		accounts_fail(accounts, "control ended a session that is not there");
	else if (granted)
		accounts_tell_root(accounts, SERVER_MSG_LOGOUT, id, sizeof(*id));
}

/* --- usage of the pools, for the control socket ------------------------------------------- */

static void accounts_tell_usage(struct accounts *accounts)
{
	int error;

	logins_measured(accounts->logins, &accounts->told.database);
	error = ipc_send(accounts->control, SERVER_MSG_USAGE, &accounts->told,
			 sizeof(accounts->told), -1);
	if (error)
		log_warnx("cannot send to control: %s", strerror(-error));
}

static void accounts_counted(struct accounts *accounts, bool good)
{
	const char *trouble =
		good ? logins_trouble(accounts->logins) : users_error(accounts->users);

	accounts->counting = false;
	accounts->count_at = clock_ms() + ACCOUNTS_USAGE_MS;
	accounts->told.failed = trouble ? 1 : 0;
	(void)strlcpy(accounts->told.error, trouble ? trouble : "", sizeof(accounts->told.error));
	if (good) {
		accounts->told.users = accounts->usage.users;
		accounts->told.used[SERVER_POOL_NETWORK] = accounts->usage.network;
		accounts->told.used[SERVER_POOL_HOST] = accounts->usage.host;
	}
	accounts_tell_usage(accounts);
}

/* Counts a piece, and then lets logins have a turn. */
static void accounts_on_count(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval at_once = {0};
	struct accounts *accounts = arg;
	const struct server_options *options = accounts->options;
	enum users_result result;
	bool done;

	(void)fd;
	(void)what;
	result = users_usage_go_on(accounts->users, &accounts->usage,
				   options->has_pool ? &options->pool : NULL,
				   options->has_host ? &options->host_prefix : NULL, &done);
	if (result != USERS_OK || done)
		accounts_counted(accounts, result == USERS_OK);
	else
		loop_add(accounts->count, &at_once);
}

static void accounts_on_ask(void *arg)
{
	static const struct timeval at_once = {0};
	struct accounts *accounts = arg;

	/* It asks again if an answer takes too long: that one is for both. */
	if (accounts->counting)
		return;
	if (ipc_backlog(accounts->control) > ACCOUNTS_TOLD_MAX) {
		accounts_fail(accounts, "control asks and does not take the answers");
		return;
	}
	if (clock_ms() < accounts->count_at) {
		accounts_tell_usage(accounts);
		return;
	}
	accounts->counting = true;
	users_usage_begin(&accounts->usage);
	loop_add(accounts->count, &at_once);
}

/* --- events for the history --------------------------------------------------------------- */

static void accounts_on_began(const void *body, void *arg)
{
	const struct server_id *id = body;
	struct accounts *accounts = arg;
	const struct server_login *asked;
	struct logins_granted said;

	if (!logins_granted(accounts->logins, id->id, &asked, &said) ||
	    !history_begin(accounts->history, asked, &said))
		accounts_fail(accounts, "control began a session that cannot be");
}

static void accounts_on_ended(const void *body, void *arg)
{
	struct accounts *accounts = arg;

	if (!history_end(accounts->history, body))
		accounts_fail(accounts, "control ended a session that is not up");
}

static const struct ipc_row accounts_control_rows[] = {
	IPC_BODY(SERVER_MSG_LOGIN, struct server_login, accounts_on_login),
	IPC_BODY(SERVER_MSG_LOGOUT, struct server_id, accounts_on_logout),
	IPC_EVENT(SERVER_MSG_ASK, accounts_on_ask),
	IPC_BODY(SERVER_MSG_BEGAN, struct server_id, accounts_on_began),
	IPC_BODY(SERVER_MSG_ENDED, struct server_ended, accounts_on_ended),
};

static void accounts_on_stop_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	accounts_end(arg, 0);
}

static void accounts_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	static const struct timeval wait = {.tv_sec = 1};
	struct accounts *accounts = arg;

	if (accounts->ends == 0)
		accounts->ends = clock_ms();
	/*
	 * The root process has logged why the program ends, and it is not because of us, so exit
	 * normally. So does control, whose messages about the end of its sessions may still be on
	 * the way.
	 */
	if (violated || ipc != accounts->root || !accounts->control)
		accounts_end(accounts, violated ? 1 : 0);
	else
		loop_once(accounts->base, &wait, accounts_on_stop_late, accounts);
}

/* --- messages of the root process --------------------------------------------------------- */

/* Control's messages are handled only after the first one. */
static void accounts_reserve(struct accounts *accounts)
{
	if (!logins_reserve(accounts->logins, accounts->reserved, accounts->n_reserved)) {
		accounts_fail(accounts, "out of memory");
		return;
	}
	free(accounts->reserved);
	accounts->reserved = NULL;
	accounts->n_reserved = 0;
	if (accounts->control)
		return;
	accounts->control =
		ipc_new(accounts->base, accounts->control_fd, "control", accounts_control_rows,
			sizeof(accounts_control_rows) / sizeof(accounts_control_rows[0]),
			accounts_on_closed, accounts);
	if (!accounts->control)
		accounts_fail(accounts, "out of memory");
}

static void accounts_on_reserved(const void *body, void *arg)
{
	const struct server_reserved *message = body;
	struct accounts *accounts = arg;
	struct prefix6 *more = reallocarray(
		accounts->reserved, accounts->n_reserved + SERVER_RESERVED_MAX, sizeof(*more));

	if (!more) {
		accounts_fail(accounts, "out of memory");
		return;
	}
	accounts->reserved = more;
	memcpy(more + accounts->n_reserved, message->prefixes, message->count * sizeof(*more));
	accounts->n_reserved += message->count;
	if (!message->more)
		accounts_reserve(accounts);
}

static void accounts_on_recheck(void *arg)
{
	const struct accounts *accounts = arg;

	logins_recheck(accounts->logins);
}

static const struct ipc_row accounts_root_rows[] = {
	IPC_BODY(SERVER_MSG_RESERVED, struct server_reserved, accounts_on_reserved),
	IPC_EVENT(SERVER_MSG_RECHECK, accounts_on_recheck),
	IPC_ANSWERS_PINGS,
};

/* --- start and end ------------------------------------------------------------------------ */

static void accounts_on_second(evutil_socket_t fd, short what, void *arg)
{
	const struct accounts *accounts = arg;

	(void)fd;
	(void)what;
	logins_recheck(accounts->logins);
	/* One transaction at a time. */
	logins_flush(accounts->logins);
	history_tick(accounts->history);
}

/* Reports users' prefixes to forward: without a session they are unreachable, but assigned. */
static bool accounts_on_block(const struct users_block *block, void *arg)
{
	const struct forward_prefix assigned = {.prefix = block->prefix};

	accounts_tell_root(arg, SERVER_MSG_ASSIGNED, &assigned, sizeof(assigned));
	return true;
}

static bool accounts_open(struct accounts *accounts)
{
	struct logins_owner owner = {
		.options = accounts->options,
		.answer = accounts_answer,
		.revoked = accounts_revoked,
		.arg = accounts,
	};
	char error[512];

	if (users_open_in_root(accounts->options->database, USERS_WRITE, &accounts->users, error,
			       sizeof(error)) != USERS_OK) {
		log_warnx("%s", error);
		return false;
	}
	users_set_patience(accounts->users, ACCOUNTS_PATIENCE_MS);
	if (users_each_block(accounts->users, NULL, accounts_on_block, accounts) != USERS_OK)
		log_warnx("%s", users_error(accounts->users));
	owner.users = accounts->users;
	accounts->logins = logins_new(&owner);
	accounts->history = history_new(accounts->options, accounts->users);
	if (!accounts->logins || !accounts->history) {
		log_warnx("out of memory");
		return false;
	}
	accounts_tell_root(accounts, SERVER_MSG_READY, NULL, 0);
	return true;
}

/* How long it may still be waited for a lock, at the end. */
static unsigned int accounts_patience(const struct accounts *accounts)
{
	int64_t left = ACCOUNTS_END_MS;

	if (accounts->ends)
		left -= clock_ms() - accounts->ends;
	return left > 0 ? (unsigned int)left : 0;
}

int server_accounts_run(const struct server_options *options, int root_fd, int control_fd)
{
	const struct timeval second = {.tv_sec = 1};
	struct accounts accounts = {.options = options, .control_fd = control_fd, .status = 1};

	accounts.base = event_base_new();
	if (accounts.base) {
		accounts.root = ipc_new(accounts.base, root_fd, "monitor", accounts_root_rows,
					sizeof(accounts_root_rows) / sizeof(accounts_root_rows[0]),
					accounts_on_closed, &accounts);
		accounts.second =
			event_new(accounts.base, -1, EV_PERSIST, accounts_on_second, &accounts);
		accounts.count = evtimer_new(accounts.base, accounts_on_count, &accounts);
	}
	if (!accounts.root || !accounts.count || !accounts.second ||
	    event_add(accounts.second, &second) == -1)
		log_warnx("out of memory");
	else if (accounts_open(&accounts)) {
		ipc_batch(accounts.root);
		(void)event_base_dispatch(accounts.base);
	}
	/* Pending answers are sent, if the root process is still there. */
	if (accounts.logins)
		logins_flush(accounts.logins);
	ipc_free(&accounts.control);
	ipc_free(&accounts.root);
	history_free(accounts.history, accounts_patience(&accounts));
	logins_free(accounts.logins);
	users_close(accounts.users);
	free(accounts.reserved);
	if (accounts.second)
		event_free(accounts.second);
	if (accounts.count)
		event_free(accounts.count);
	if (accounts.base)
		event_base_free(accounts.base);
	return accounts.status;
}

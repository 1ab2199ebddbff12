/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers control's questions about users (grants.c) and makes what their sessions need. What is
 * not the server's own is in process/supervisor.h.
 */
#include "server/root/root.h"

#include "base/log.h"
#include "base/loop.h"
#include "fastpath/root.h"
#include "forward/msg.h"
#include "netconf/watch.h"
#include "process/supervisor.h"
#include "server/lease_check.h"
#include "server/msg.h"
#include "server/options.h"
#include "server/root/check.h"
#include "server/root/grants.h"
#include "server/root/instance.h"
#include "server/root/links.h"
#include "server/root/neighbours.h"
#include "server/root/reload.h"
#include "server/root/resources.h"
#include "users/users.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Prefixes that the fast path can tell apart; more of them are forward's. Memory is taken as it is
 * needed. */
enum { ROOT_ROUTES_MAX = 1 << 20 };

/* How long a login may keep all others waiting because the database is locked. */
enum { ROOT_PATIENCE_MS = 500 };

struct root {
	struct server_options *options;
	int argc; /* what the settings are read from again */
	char *const *argv;
	struct supervisor *supervisor;
	struct netlink *netlink;
	struct neighbours *neighbours;
	struct links *links;
	struct fastpath *fast; /* NULL: none */
	struct watch *watch;   /* of the machine's addresses, for it */
	struct watch *ipsec;   /* of its IPsec policies, for it */
	struct users *users;
	struct grants *grants;
	bool flushing; /* verdicts wait for the end of this turn of the loop */
	int listener;  /* for control, when all else is ready; -1: it has it, or there is none */
};

static void root_tell_sessions(const struct root *root)
{
	uint32_t count = grants_count(root->grants);

	service_status(supervisor_service(root->supervisor), "%u: %u session%s",
		       root->options->port, count, count == 1 ? "" : "s");
}

/* --- what links and grants ask for -------------------------------------------------------- */

static void root_device(uint32_t number, unsigned int interface, int fd, void *arg)
{
	const struct forward_device device = {.index = number, .interface = interface};
	const struct root *root = arg;

	supervisor_send(root->supervisor, SERVER_FORWARD, FORWARD_MSG_DEVICE, &device,
			sizeof(device), fd);
}

static void root_no_device(uint32_t index, void *arg)
{
	const struct forward_device device = {.index = index};
	const struct root *root = arg;

	supervisor_send(root->supervisor, SERVER_FORWARD, FORWARD_MSG_NO_DEVICE, &device,
			sizeof(device), -1);
}

/* Users get nothing that is somebody's. */
static void root_reserve(const struct root *root)
{
	size_t n;
	const struct prefix6 *reserved = links_reserved(root->links, &n);

	if (!users_reserve(root->users, reserved, n))
		log_warnx("out of memory");
}

static void root_machine(void *arg)
{
	const struct root *root = arg;

	root_reserve(root);
	server_resources_icmp(root->supervisor, root->links);
}

static void root_revoked(uint32_t id, void *arg)
{
	const struct server_id message = {.id = id};
	const struct root *root = arg;

	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_REVOKE, &message,
			sizeof(message), -1);
}

/* --- from control ------------------------------------------------------------------------- */

static void root_decided(const struct server_verdict *verdict, void *arg)
{
	const struct root *root = arg;

	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_VERDICT, verdict,
			sizeof(*verdict), -1);
}

static void root_on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct root *root = arg;

	(void)fd;
	(void)what;
	root->flushing = false;
	grants_flush(root->grants);
}

/* When all the logins have been looked into that have come by now. */
static void root_flush_soon(struct root *root)
{
	static const struct timeval at_once = {0};

	if (!root->flushing)
		loop_once(supervisor_base(root->supervisor), &at_once, root_on_flush, root);
	root->flushing = true;
}

static void root_on_login(const void *body, void *arg)
{
	struct root *root = arg;
	struct server_verdict verdict;

	/* There is one question for each number, which is not used again before the answer. */
	if (supervisor_backlog(root->supervisor, SERVER_CONTROL) >
	    server_options_ids(root->options)) {
		supervisor_fail(root->supervisor, "control asks and does not take the answers");
		return;
	}
	if (!grants_login(root->grants, body, &verdict)) {
		supervisor_fail(root->supervisor, "control asked for a login that cannot be");
		return;
	}
	if (verdict.result == GRANTS_LATER)
		root_flush_soon(root);
	else
		root_decided(&verdict, root);
	explicit_bzero(verdict.key, sizeof(verdict.key));
	root_tell_sessions(root);
}

static void root_on_logout(const void *body, void *arg)
{
	const struct server_id *id = body;
	const struct root *root = arg;

	if (grants_logout(root->grants, id->id))
		root_tell_sessions(root);
	else
		supervisor_fail(root->supervisor, "control ended a session that is not there");
}

static const struct ipc_row root_control_rows[] = {
	IPC_BODY(SERVER_MSG_LOGIN, struct server_login, root_on_login),
	IPC_BODY(SERVER_MSG_LOGOUT, struct server_id, root_on_logout),
};

const struct process_rows server_root_rows = PROCESS_ROWS(root_control_rows);

/* --- from the supervisor, and the timer --------------------------------------------------- */

static void root_on_changed(size_t number, const char *value, void *arg)
{
	struct server_setting setting = {.number = (uint32_t)number};
	const struct root *root = arg;

	(void)strlcpy(setting.value, value, sizeof(setting.value));
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_SETTING, &setting,
			sizeof(setting), -1);
}

static void root_reload(void *arg)
{
	struct root *root = arg;
	struct service *service = supervisor_service(root->supervisor);

	service_reloading(service);
	if (reload(root->options, root->argc, root->argv, root_on_changed, root)) {
		log_set_debug(root->options->debug);
		server_resources_settings(root->supervisor, root->options);
	}
	grants_recheck(root->grants);
	service_ready(service);
}

static void root_report(void *arg)
{
	const struct root *root = arg;

	fastpath_say(root->fast);
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_REPORT, NULL, 0, -1);
}

static void root_stop(void *arg)
{
	const struct root *root = arg;

	log_info("stopping");
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_STOP, NULL, 0, -1);
}

static void root_reaped(pid_t pid, int status, void *arg)
{
	const struct root *root = arg;

	/* Else it is a child that this process had before it became ours. */
	(void)links_reaped(root->links, pid, status);
}

static const struct supervisor_events root_events = {
	.reload = root_reload,
	.report = root_report,
	.stop = root_stop,
	.reaped = root_reaped,
};

static void root_on_second(evutil_socket_t fd, short what, void *arg)
{
	const struct root *root = arg;

	(void)fd;
	(void)what;
	grants_recheck(root->grants);
	links_tidy(root->links);
}

/* --- from the start to the end ------------------------------------------------------------ */

/* One more of the types that are offered; prefix NULL: it takes none. */
static void root_list(char *list, size_t size, const char *type, const struct prefix6 *prefix)
{
	char text[PREFIX6_STRLEN];

	(void)strlcat(list, list[0] ? ", " : "", size);
	(void)strlcat(list, type, size);
	if (prefix) {
		(void)strlcat(list, " from ", size);
		(void)strlcat(list, prefix6_format(prefix, text), size);
	}
}

static void root_log_ready(const struct root *root)
{
	const struct server_options *options = root->options;
	char types[2 * PREFIX6_STRLEN + 80] = "";
	char transports[48] = "protocol 41, not UDP";

	if (options->tunnelonly)
		root_list(types, sizeof(types), "tunnelonly", NULL);
	if (options->has_host)
		root_list(types, sizeof(types), "host", &options->host_prefix);
	if (options->has_pool)
		root_list(types, sizeof(types), "network", &options->pool);
	if (!types[0])
		root_list(types, sizeof(types), "network for users with a prefix of their own",
			  NULL);
	if (options->udp)
		(void)snprintf(transports, sizeof(transports), "protocol 41 and UDP port %u",
			       options->udp_port);
	log_info("ready on port %u: %s; over %s", options->port, types, transports);
	root_tell_sessions(root);
	service_ready(supervisor_service(root->supervisor));
}

/* What only a capability that has been given up would let us write is better found out now. */
static bool root_check_database(const char *database)
{
	char copy[PATH_MAX];

	(void)strlcpy(copy, database, sizeof(copy));
	if (access(database, R_OK | W_OK) == 0 && access(dirname(copy), R_OK | W_OK | X_OK) == 0)
		return true;
	log_warn("%s: the file and its folder must belong to root", database);
	return false;
}

static bool root_open_users(struct root *root)
{
	char error[512];

	if (users_open(root->options->database, false, &root->users, error, sizeof(error)) ==
	    USERS_OK)
		return true;
	log_warnx("%s", error);
	return false;
}

/* Tells forward of a prefix whose user is not here: unreachable now, but not unknown. */
static bool root_on_block(const struct users_block *block, void *arg)
{
	const struct forward_prefix assigned = {.prefix = block->prefix};
	const struct root *root = arg;

	supervisor_send(root->supervisor, SERVER_FORWARD, FORWARD_MSG_ASSIGNED, &assigned,
			sizeof(assigned), -1);
	return true;
}

static void root_on_addresses(void *arg)
{
	const struct root *root = arg;

	fastpath_join_uplinks(root->fast);
}

/* With the processes there. */
static int root_serve(struct root *root)
{
	const struct timeval second = {.tv_sec = 1};
	struct event_base *base = supervisor_base(root->supervisor);
	struct event *timer = event_new(base, -1, EV_PERSIST, root_on_second, root);
	int status = SUPERVISOR_FAILED;

	if (timer && event_add(timer, &second) == 0) {
		if (users_each_block(root->users, NULL, root_on_block, root) != USERS_OK)
			log_warnx("%s", users_error(root->users));
		fastpath_hand_counters(root->fast, root->supervisor, SERVER_CONTROL,
				       SERVER_MSG_FAST);
		fastpath_hand(root->fast, root->supervisor, SERVER_FORWARD);
		supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_LISTENER, NULL, 0,
				root->listener);
		root->listener = -1;
		links_watch(root->links, base);
		if (root->fast)
			root->watch = watch_new(base, root_on_addresses, root);
		fastpath_join_uplinks(root->fast);
		root->ipsec = fastpath_watch_ipsec(base, root->fast, root->options->fast);
		root_log_ready(root);
		status = supervisor_run(root->supervisor);
	}
	/* All in one go; with forward's descriptors they would go one after the other. */
	links_remove_all(root->links);
	links_unwatch(root->links);
	watch_free(root->watch);
	watch_free(root->ipsec);
	if (timer)
		event_free(timer);
	return status;
}

/* -D was the foreground for the old server. */
static void root_say_old(const struct server_options *options)
{
	if (!options->old_interface && !options->old_prefix)
		return;
	if (options->daemon)
		log_warnx("-D: becomes a daemon; to stay in the foreground, leave it out");
	else
		log_warnx("stays in the foreground; -D makes it a daemon");
}

static bool root_begin_fast(struct root *root)
{
	const struct server_options *options = root->options;
	const struct fastpath_config config = {
		.sessions_max = server_options_ids(options),
		/* Prefixes are remembered when their sessions have gone. */
		.routes_max = ROOT_ROUTES_MAX,
		.server = true,
		.udp_port = options->udp ? options->udp_port : 0,
		.interface = options->interface,
	};

	if (!fastpath_begin(options->fast, &config, &root->fast))
		return false;
	root->options->filters = fastpath_leaves_filters(root->fast);
	return true;
}

/* As long as somebody may sit at the terminal. False after logging. */
static bool root_prepare(struct root *root, struct pidfh **lock)
{
	struct links_owner owner = {
		.options = root->options,
		.device = root_device,
		.no_device = root_no_device,
		.machine = root_machine,
		.arg = root,
	};

	if (!supervisor_claim(root->supervisor) || !root_open_users(root) ||
	    !instance_claim(root->options->database, lock))
		return false;
	server_check_machine(root->options);
	(void)lease_check(root->options, root->users);
	if (netlink_open(&root->netlink) != 0 || !root_begin_fast(root))
		return false;
	root->neighbours = neighbours_new(root->supervisor, root->options);
	owner.netlink = root->netlink;
	owner.fast = root->fast;
	owner.neighbours = root->neighbours;
	root->links = links_new(&owner);
	if (!root->neighbours || !root->links) {
		log_warnx("out of memory");
		return false;
	}
	root->listener =
		server_resources_open(root->supervisor, root->options, root->netlink, root->links);
	if (root->listener < 0)
		return false;
	root_say_old(root->options);
	/* An SQLite connection does not survive the fork of a daemon. */
	users_close(root->users);
	root->users = NULL;
	return true;
}

/* In the background, if that is where it runs. */
static bool root_begin(struct root *root, struct pidfh *lock, int argc, char *const argv[])
{
	struct grants_owner owner = {
		.options = root->options,
		.links = root->links,
		.revoked = root_revoked,
		.decided = root_decided,
		.arg = root,
	};

	if (!supervisor_daemonize(root->supervisor))
		return false;
	if (pidfile_write(lock) == -1)
		log_warn("cannot write into the lock of the database");
	if (!root_open_users(root))
		return false;
	users_set_patience(root->users, ROOT_PATIENCE_MS);
	root_reserve(root);
	owner.users = root->users;
	root->grants = grants_new(&owner);
	return root->grants && supervisor_start(root->supervisor, argc, argv) &&
	       root_check_database(root->options->database);
}

int server_root_run(const struct program *program, int argc, char *const argv[])
{
	struct root root = {
		.options = program->options, .argc = argc, .argv = argv, .listener = -1};
	struct pidfh *lock = NULL;
	char **words;
	int n_words;
	int status;

	root.supervisor = supervisor_new(program, &root_events, &root, &status);
	if (!root.supervisor)
		return status;
	status = SUPERVISOR_FAILED;
	words = server_options_words(root.options, argv[0], &n_words);
	if (words && root_prepare(&root, &lock) && root_begin(&root, lock, n_words, words))
		status = root_serve(&root);
	supervisor_stop(root.supervisor);
	if (root.listener != -1)
		close(root.listener);
	supervisor_free(root.supervisor);
	server_options_free_words(words, n_words);
	grants_free(root.grants);
	links_free(root.links);
	neighbours_free(root.neighbours);
	fastpath_close(root.fast);
	netlink_close(root.netlink);
	users_close(root.users);
	/* The last thing: the next instance may be waiting for it. */
	if (lock)
		(void)pidfile_remove(lock);
	return status;
}

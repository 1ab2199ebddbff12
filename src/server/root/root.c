/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes what the sessions need that accounts has granted (provision.c), and tells control. What is
 * not the server's own is in process/supervisor.h.
 */
#include "server/root/root.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rate.h"
#include "fastpath/root.h"
#include "forward/msg.h"
#include "netconf/watch.h"
#include "process/supervisor.h"
#include "server/msg.h"
#include "server/options.h"
#include "server/root/check.h"
#include "server/root/database_owner.h"
#include "server/root/instance.h"
#include "server/root/links.h"
#include "server/root/neighbours.h"
#include "server/root/provision.h"
#include "server/root/reload.h"
#include "server/root/resources.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Prefixes that the fast path can tell apart; more of them are forward's. Memory is taken as it is
 * needed. */
enum { ROOT_ROUTES_MAX = 1 << 20 };

/* Times in a second that the settings are read again because control asks for it. */
enum { ROOT_RELOADS_RATE = 1, ROOT_RELOADS_BURST = 5 };

struct root {
	struct server_options *options;
	int argc; /* what the settings are read from again */
	char *const *argv;
	struct supervisor *supervisor;
	int lock; /* of the database */
	struct netlink *netlink;
	struct neighbours *neighbours;
	struct links *links;
	struct fastpath *fast; /* NULL: none */
	struct watch *watch;   /* of the machine's addresses, for it */
	struct watch *ipsec;   /* of its IPsec policies, for it */
	struct provision *provision;
	uint32_t assigned; /* prefixes that forward was told of */
	int listener; /* for control, when all else is ready; -1: it has it, or there is none */
	struct rate reloads; /* that control asks for */
};

static void root_tell_sessions(const struct root *root)
{
	uint32_t count = provision_count(root->provision);

	service_status(supervisor_service(root->supervisor), "%u: %u session%s",
		       root->options->port, count, count == 1 ? "" : "s");
}

/* --- what links asks for ------------------------------------------------------------------ */

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
	struct server_reserved message = {.count = 0};
	size_t n, done = 0;
	const struct prefix6 *reserved = links_reserved(root->links, &n);

	do {
		size_t left = n - done;

		message.count = (uint32_t)(left < SERVER_RESERVED_MAX ? left : SERVER_RESERVED_MAX);
		if (message.count > 0)
			memcpy(message.prefixes, reserved + done,
			       message.count * sizeof(*reserved));
		done += message.count;
		message.more = done < n;
		supervisor_send(root->supervisor, SERVER_ACCOUNTS, SERVER_MSG_RESERVED, &message,
				sizeof(message), -1);
	} while (message.more);
}

static void root_machine(void *arg)
{
	const struct root *root = arg;

	root_reserve(root);
	server_resources_icmp(root->supervisor, root->links);
}

/* --- from accounts ------------------------------------------------------------------------ */

/* Which types of tunnels there are for everybody, over which transports. */
static void root_log_ready(const struct root *root)
{
	const struct server_options *options = root->options;
	bool network = options->has_pool || !(options->tunnelonly || options->has_host);
	char text[PREFIX6_STRLEN];
	struct log_record record;

	log_record_begin(&record, LOG_INFO, "ready", "ready for logins");
	log_record_number(&record, "port", options->port);
	log_record_text(&record, "types", "%s%s%s%s%s", options->tunnelonly ? "tunnelonly" : "",
			options->tunnelonly && options->has_host ? "," : "",
			options->has_host ? "host" : "",
			network && (options->tunnelonly || options->has_host) ? "," : "",
			network ? "network" : "");
	if (options->has_host)
		log_record_text(&record, "host_prefix", "%s",
				prefix6_format(&options->host_prefix, text));
	if (options->has_pool)
		log_record_text(&record, "pool", "%s", prefix6_format(&options->pool, text));
	log_record_text(&record, "transports", options->udp ? "ipv6,udp" : "ipv6");
	if (options->udp)
		log_record_number(&record, "udp_port", options->udp_port);
	log_event(&record);
	root_tell_sessions(root);
	service_ready(supervisor_service(root->supervisor));
}

/*
 * There is one question for each number, which is not used again before the answer, and each can be
 * revoked as well.
 */
static bool root_control_listens(const struct root *root)
{
	if (supervisor_backlog(root->supervisor, SERVER_CONTROL) <=
	    2 * (size_t)server_options_ids(root->options))
		return true;
	supervisor_fail(root->supervisor, "control asks and does not take the answers");
	return false;
}

static void root_on_grant(const void *body, void *arg)
{
	const struct root *root = arg;
	struct server_verdict verdict;

	if (!root_control_listens(root))
		return;
	if (!provision_grant(root->provision, body, &verdict)) {
		supervisor_fail(root->supervisor, "accounts granted a login that cannot be");
		return;
	}
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_VERDICT, &verdict,
			sizeof(verdict), -1);
	explicit_bzero(verdict.key, sizeof(verdict.key));
	root_tell_sessions(root);
}

static void root_on_revoke(const void *body, void *arg)
{
	const struct server_revoked *revoked = body;
	const struct root *root = arg;

	if (!root_control_listens(root))
		return;
	if (provision_knows(root->provision, revoked->id) && revoked->why > 0 &&
	    revoked->why < SERVER_WHYS)
		supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_REVOKE, revoked,
				sizeof(*revoked), -1);
	else
		supervisor_fail(root->supervisor, "accounts revoked a login that is not there");
}

static void root_on_logout(const void *body, void *arg)
{
	const struct server_id *id = body;
	const struct root *root = arg;

	if (provision_end(root->provision, id->id))
		root_tell_sessions(root);
	else
		supervisor_fail(root->supervisor, "accounts ended a login that is not there");
}

static void root_on_assigned(const void *body, void *arg)
{
	const struct forward_prefix *assigned = body;
	struct root *root = arg;

	/* More than that nobody could tell apart, and each takes memory of forward's. */
	if (!prefix6_valid(&assigned->prefix) || !prefix6_is_unicast(&assigned->prefix) ||
	    root->assigned == ROOT_ROUTES_MAX)
		return;
	root->assigned++;
	supervisor_send(root->supervisor, SERVER_FORWARD, FORWARD_MSG_ASSIGNED, assigned,
			sizeof(*assigned), -1);
}

/* All that a login needs is there. */
static void root_on_ready(void *arg)
{
	struct root *root = arg;

	if (root->listener == -1)
		return;
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_LISTENER, NULL, 0,
			root->listener);
	root->listener = -1;
	root_log_ready(root);
}

static const struct ipc_row root_accounts_rows[] = {
	IPC_BODY(SERVER_MSG_GRANT, struct server_grant, root_on_grant),
	IPC_BODY(SERVER_MSG_REVOKE, struct server_revoked, root_on_revoke),
	IPC_BODY(SERVER_MSG_LOGOUT, struct server_id, root_on_logout),
	IPC_BODY(SERVER_MSG_ASSIGNED, struct forward_prefix, root_on_assigned),
	IPC_EVENT(SERVER_MSG_READY, root_on_ready),
};

const struct process_rows server_root_rows = PROCESS_ROWS(root_accounts_rows);

/* --- from the supervisor, and the timer --------------------------------------------------- */

static void root_on_changed(size_t number, const char *value, void *arg)
{
	struct server_setting setting = {.number = (uint32_t)number};
	const struct root *root = arg;

	/* Texts are this process's, and say what is somebody's. */
	if (server_settings.list[number].type == SETTING_TEXT) {
		links_look_again(root->links);
		return;
	}
	(void)strlcpy(setting.value, value, sizeof(setting.value));
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_SETTING, &setting,
			sizeof(setting), -1);
}

/* False if the settings have errors, which were logged. */
static bool root_read_settings(struct root *root)
{
	struct service *service = supervisor_service(root->supervisor);
	bool good;

	service_reloading(service);
	good = reload(root->options, root->argc, root->argv, root_on_changed, root);
	if (good) {
		log_set_json(root->options->log_json);
		server_resources_settings(root->supervisor, root->options);
		/* What has been said since then about the log is over. */
		supervisor_log_debug(root->supervisor, root->options->debug);
	}
	supervisor_send(root->supervisor, SERVER_ACCOUNTS, SERVER_MSG_RECHECK, NULL, 0, -1);
	service_ready(service);
	return good;
}

static void root_reload(void *arg)
{
	(void)root_read_settings(arg);
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
	struct log_record record;

	log_record_begin(&record, LOG_INFO, "stopping", "stopping");
	log_event(&record);
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
	links_tidy(root->links);
}

/* --- from control, for who asks over its socket -------------------------------------------- */

static void root_on_ask(void *arg)
{
	const struct root *root = arg;
	struct server_state state = {.pid = (int32_t)getpid()};
	struct log_warning warning;

	if (!root_control_listens(root))
		return;
	state.fast = root->fast && !fastpath_is_paused(root->fast);
	if (log_last_warning(&warning)) {
		(void)strlcpy(state.warning, warning.text, sizeof(state.warning));
		state.warned_ago = (uint32_t)(clock_ms() - warning.at);
	}
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_STATE, &state, sizeof(state),
			-1);
}

static void root_say_done(const struct root *root, enum server_done_result result)
{
	const struct server_done done = {.result = result};

	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_DONE, &done, sizeof(done), -1);
}

static void root_on_reload(void *arg)
{
	struct root *root = arg;

	if (!root_control_listens(root))
		return;
	if (!rate_take(&root->reloads, (uint64_t)clock_ms()))
		root_say_done(root, SERVER_DONE_BUSY);
	else
		root_say_done(root, root_read_settings(root) ? SERVER_DONE : SERVER_DONE_FAILED);
}

static void root_on_level(const void *body, void *arg)
{
	const struct server_level *level = body;
	const struct root *root = arg;

	if (!root_control_listens(root))
		return;
	if (level->debug > 1) {
		supervisor_fail(root->supervisor, "control asked for a level that the log has not");
		return;
	}
	log_info("log level: %s, until the settings are read again",
		 level->debug ? "debug" : "info");
	supervisor_log_debug(root->supervisor, level->debug == 1);
	root_say_done(root, SERVER_DONE);
}

static const struct ipc_row root_control_rows[] = {
	IPC_EVENT(SERVER_MSG_ASK, root_on_ask),
	IPC_EVENT(SERVER_MSG_RELOAD, root_on_reload),
	IPC_BODY(SERVER_MSG_LEVEL, struct server_level, root_on_level),
};

const struct process_rows server_root_control_rows = PROCESS_ROWS(root_control_rows);

/* --- from the start to the end ------------------------------------------------------------ */

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
		fastpath_hand_counters(root->fast, root->supervisor, SERVER_CONTROL,
				       SERVER_MSG_FAST);
		fastpath_hand(root->fast, root->supervisor, SERVER_FORWARD);
		links_watch(root->links, base);
		if (root->fast)
			root->watch = watch_new(base, root_on_addresses, root);
		fastpath_join_uplinks(root->fast);
		root->ipsec = fastpath_watch_ipsec(base, root->fast, root->options->fast);
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

/* The accounts process will have it. Nothing of another server's is changed. False after logging.
 */
static bool root_prepare_database(struct root *root)
{
	const char *database = root->options->database;
	char why[DATABASE_OWNER_WHY];
	struct user_ids user;

	if (!user_check(root->options->run_as, true, &user))
		return false;
	if (!database_owner_can(database, &user, why, sizeof(why))) {
		log_warnx("%s", why);
		return false;
	}
	root->lock = instance_claim(database);
	return root->lock != -1 && database_owner_take(database, &user) &&
	       database_owner_try(root->options, &user, false) >= 0;
}

/* The control socket. False after logging: one that nobody has asked for can be done without. */
static bool root_open_ctl(struct root *root)
{
	int fd;

	if (!supervisor_listen(root->supervisor, &fd))
		return root->options->control_socket == NULL;
	if (fd != -1)
		supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_CTL, NULL, 0, fd);
	return true;
}

/* As long as somebody may sit at the terminal. False after logging. */
static bool root_prepare(struct root *root)
{
	struct links_owner owner = {
		.options = root->options,
		.device = root_device,
		.no_device = root_no_device,
		.machine = root_machine,
		.arg = root,
	};

	if (!supervisor_claim(root->supervisor) || !root_prepare_database(root))
		return false;
	server_check_machine(root->options);
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
	if (root->listener < 0 || !root_open_ctl(root))
		return false;
	root_say_old(root->options);
	return true;
}

/* In the background, if that is where it runs. */
static bool root_begin(struct root *root, int argc, char *const argv[])
{
	if (!supervisor_daemonize(root->supervisor))
		return false;
	instance_write(root->lock);
	rate_init_burst(&root->reloads, ROOT_RELOADS_RATE, ROOT_RELOADS_BURST,
			(uint64_t)clock_ms());
	root_reserve(root);
	root->provision = provision_new(root->options, root->links);
	return root->provision && supervisor_start(root->supervisor, argc, argv);
}

int server_root_run(const struct program *program, int argc, char *const argv[])
{
	struct root root = {.options = program->options,
			    .argc = argc,
			    .argv = argv,
			    .listener = -1,
			    .lock = -1};
	char **words;
	int n_words;
	int status;

	root.supervisor = supervisor_new(program, &root_events, &root, &status);
	if (!root.supervisor)
		return status;
	status = SUPERVISOR_FAILED;
	words = server_options_words(root.options, argv[0], &n_words);
	if (words && root_prepare(&root) && root_begin(&root, n_words, words))
		status = root_serve(&root);
	supervisor_stop(root.supervisor);
	if (root.listener != -1)
		close(root.listener);
	supervisor_free(root.supervisor);
	server_options_free_words(words, n_words);
	provision_free(root.provision);
	links_free(root.links);
	neighbours_free(root.neighbours);
	fastpath_close(root.fast);
	netlink_close(root.netlink);
	/* The last thing: the next instance may be waiting for it. */
	if (root.lock != -1)
		instance_release(root.options->database, root.lock);
	return status;
}

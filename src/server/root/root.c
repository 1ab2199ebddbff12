/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start and end of the server's root process. Requests of the other processes are in
 * root_accounts.c and root_control.c; the part common to both daemons is process/supervisor.h.
 */
#include "server/root/root.h"

#include "base/log.h"
#include "forward/msg.h"
#include "server/root/check.h"
#include "server/root/database_owner.h"
#include "server/root/instance.h"
#include "server/root/resources.h"
#include "server/root/root_parts.h"

#include <string.h>
#include <unistd.h>

/* --- callbacks of links ------------------------------------------------------------------- */

static void root_device(uint32_t number, unsigned int interface, int fd, void *arg)
{
	const struct forward_device device = {.index = number, .interface = interface};
	const struct server_root *root = arg;

	supervisor_send(root->supervisor, SERVER_FORWARD, FORWARD_MSG_DEVICE, &device,
			sizeof(device), fd);
}

static void root_no_device(uint32_t index, void *arg)
{
	const struct forward_device device = {.index = index};
	const struct server_root *root = arg;

	supervisor_send(root->supervisor, SERVER_FORWARD, FORWARD_MSG_NO_DEVICE, &device,
			sizeof(device), -1);
}

/* Tells accounts which prefixes users must not get. */
static void root_reserve(const struct server_root *root)
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
	const struct server_root *root = arg;

	root_reserve(root);
	server_resources_icmp(root->supervisor, root->links);
}

/* --- from the supervisor, and the timer --------------------------------------------------- */

static void root_reload(void *arg)
{
	struct server_root *root = arg;

	(void)reload_now(&root->reload);
}

static void root_report(void *arg)
{
	const struct server_root *root = arg;

	fastpath_say(root->fast);
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_REPORT, NULL, 0, -1);
}

static void root_stop(void *arg)
{
	const struct server_root *root = arg;
	struct log_record record;

	log_record_begin(&record, LOG_INFO, "stopping", "stopping");
	log_event(&record);
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_STOP, NULL, 0, -1);
}

static void root_reaped(pid_t pid, int status, void *arg)
{
	const struct server_root *root = arg;

	/* False: a child that this process had before exec. */
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
	const struct server_root *root = arg;

	(void)fd;
	(void)what;
	links_tidy(root->links);
}

/* --- start and end ------------------------------------------------------------------------ */

static void root_on_addresses(void *arg)
{
	const struct server_root *root = arg;

	fastpath_join_uplinks(root->fast);
}

/* Runs while the processes exist. */
static int root_serve(struct server_root *root)
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
	/* All at once; closing forward's descriptors would remove them one by one. */
	links_remove_all(root->links);
	links_unwatch(root->links);
	watch_free(root->watch);
	watch_free(root->ipsec);
	if (timer)
		event_free(timer);
	return status;
}

/* For the old server, -D meant the foreground. */
static void root_say_old(const struct server_options *options)
{
	if (!options->old_interface && !options->old_prefix)
		return;
	if (options->daemon)
		log_warnx("-D: becomes a daemon; to stay in the foreground, leave it out");
	else
		log_warnx("stays in the foreground; -D makes it a daemon");
}

static bool root_begin_fast(struct server_root *root)
{
	const struct server_options *options = root->options;
	const struct fastpath_config config = {
		.sessions_max = server_options_ids(options),
		/* Prefixes stay known after their sessions. */
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

/* Prepares the database for accounts; refuses one that another server uses. False after logging. */
static bool root_prepare_database(struct server_root *root)
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

/* Opens the control socket. False after logging if a configured one failed; the default is
 * optional. */
static bool root_open_ctl(struct server_root *root)
{
	int fd;

	if (!supervisor_listen(root->supervisor, &fd))
		return root->options->control_socket == NULL;
	if (fd != -1)
		supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_CTL, NULL, 0, fd);
	return true;
}

/* What may fail while a user is at the terminal. False after logging. */
static bool root_prepare(struct server_root *root)
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

/* What follows going into the background. */
static bool root_begin(struct server_root *root, int argc, char *const argv[])
{
	if (!supervisor_daemonize(root->supervisor))
		return false;
	instance_write(root->lock);
	root_reserve(root);
	root->reload.supervisor = root->supervisor;
	root->reload.links = root->links;
	reload_init(&root->reload);
	root->provision = provision_new(root->options, root->links);
	return root->provision && supervisor_start(root->supervisor, argc, argv);
}

int server_root_run(const struct program *program, int argc, char *const argv[])
{
	struct server_root root = {
		.options = program->options,
		.reload = {.options = program->options, .argc = argc, .argv = argv},
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
	/* Last, since the next instance may be waiting for it. */
	if (root.lock != -1)
		instance_release(root.options->database, root.lock);
	return status;
}

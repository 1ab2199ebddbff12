/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/check.h"

#include "base/log.h"
#include "client/exits.h"
#include "client/msg.h"
#include "client/options.h"
#include "client/resolver/resolver.h"
#include "client/root/account.h"
#include "client/root/check_print.h"
#include "client/root/lan.h"
#include "client/root/lookup.h"
#include "client/root/resources.h"
#include "netconf/netlink.h"
#include "process/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct check_root {
	struct client_options options; /* those of the command line, with more transports */
	struct supervisor *supervisor;
	struct lookups *lookups;
	uint32_t next; /* the next expected step */
	bool ticks;
};

/* --- messages of control ------------------------------------------------------------------ */

static void check_on_step(const void *body, void *arg)
{
	struct check_root *root = arg;
	struct client_step step;

	memcpy(&step, body, sizeof(step));
	if (!check_print_take(&step, root->next)) {
		supervisor_fail(root->supervisor, "control told of a step that cannot be");
		return;
	}
	root->next++;
	if (root->options.json)
		check_print_json(stdout, &step);
	else
		check_print_line(stdout, &step, root->ticks);
	if (fflush(stdout) == EOF) {
		supervisor_fail(root->supervisor, "standard output: %s", strerror(errno));
		return;
	}
	/* Control waits for that, so that none of its messages is lost. */
	if (root->next == CLIENT_STEPS)
		supervisor_send(root->supervisor, CLIENT_CONTROL, CLIENT_MSG_STOP, NULL, 0, -1);
}

static void check_on_lookup(const void *body, void *arg)
{
	const struct check_root *root = arg;

	lookups_answer(root->lookups, &root->options, root->supervisor, body);
}

static const struct ipc_row check_control_rows[] = {
	IPC_BODY(CLIENT_MSG_STEP, struct client_step, check_on_step),
	IPC_BODY(CLIENT_MSG_LOOKUP, struct client_server, check_on_lookup),
};

const struct process_rows client_check_rows = PROCESS_ROWS(check_control_rows);

/* --- callbacks of the supervisor ---------------------------------------------------------- */

static void check_stop(void *arg)
{
	const struct check_root *root = arg;

	supervisor_send(root->supervisor, CLIENT_CONTROL, CLIENT_MSG_STOP, NULL, 0, -1);
}

static void check_reaped(pid_t pid, int status, void *arg)
{
	const struct check_root *root = arg;

	(void)lookups_reaped(root->lookups, pid, status);
}

static const struct supervisor_events check_events = {
	.stop = check_stop,
	.reaped = check_reaped,
};

/* --- before the start --------------------------------------------------------------------- */

/* Stores the first interface. */
static void check_on_tunnel(unsigned int index, const char *name, void *arg)
{
	char *interface = arg;

	(void)index;
	if (interface[0] == '\0')
		(void)strlcpy(interface, name, IFNAMSIZ);
}

/* True if a process has locked that pid file, as pidfile_open(3) does. */
static bool check_runs(const char *pidfile)
{
	int fd = open(pidfile, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool locked = fd != -1 && flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;

	if (fd != -1)
		close(fd);
	return locked;
}

/*
 * The server ends a user's older session when a newer one comes. It is not known which session an
 * interface of ours carries, so any of them counts; a tunnel made by a script has a pid file at
 * most. False after logging.
 */
static bool check_look(const struct client_options *options, struct client_check *check)
{
	struct netlink *netlink;
	int count;

	if (options->force)
		return true;
	if (netlink_open(&netlink) != 0)
		return false;
	count = netlink_links_by_alias(netlink, NETLINK_CLIENT_ALIAS, check_on_tunnel,
				       check->interface);
	netlink_close(netlink);
	if (count < 0)
		return false;
	if (count > 0 || (options->no_device && check_runs(options->pidfile)))
		check->login = CLIENT_CHECK_TUNNEL;
	return true;
}

static bool check_is_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool utf8 = locale && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;

	if (locale)
		freelocale(locale);
	return utf8;
}

/* Returns CLIENT_OK, or the exit status after logging. */
static int check_prepare(struct check_root *root)
{
	struct client_check check = {.login = CLIENT_CHECK_LOGIN};
	struct account_passwords passwords = {0};
	struct client_options *options = &root->options;
	const char *user = account_user(options);
	int status = CLIENT_LOCAL;
	uint32_t udp_port;

	if (!user)
		return CLIENT_USAGE;
	if (!check_look(options, &check))
		return CLIENT_LOCAL;
	/* No step depends on it: the tunnel itself works without. */
	(void)lan_check(options);
	if (options->n_servers > 1)
		log_info("of %zu servers, the first one is checked: %s", options->n_servers,
			 options->servers[0]);
	/* One server, both transports; and a free port, unless the user has chosen one. */
	options->n_servers = 1;
	options->transport = SESSION_AUTO;
	options->no_device = false;
	if (!options->udp_port_named || check.login != CLIENT_CHECK_LOGIN)
		options->udp_port = 0;
	if (check.login == CLIENT_CHECK_LOGIN &&
	    account_get(options, user, &passwords) != CLIENT_OK)
		check.login = CLIENT_CHECK_NO_PASSWORD;
	if (client_resources_open(root->supervisor, options, NULL, &udp_port)) {
		supervisor_send(root->supervisor, CLIENT_CONTROL, CLIENT_MSG_CHECK, &check,
				sizeof(check), -1);
		client_resources_tell(root->supervisor, 1, user, &passwords, udp_port);
		status = CLIENT_OK;
	}
	explicit_bzero(&passwords, sizeof(passwords));
	return status;
}

static int check_serve(struct check_root *root, int argc, char *const argv[])
{
	struct supervisor *supervisor = root->supervisor;
	int status = CLIENT_LOCAL;

	if (!supervisor_daemonize(supervisor) || !supervisor_start(supervisor, argc, argv))
		return CLIENT_LOCAL;
	root->lookups = lookups_new(supervisor_base(supervisor), &root->options,
				    supervisor_children(supervisor), RESOLVER_TIMEOUT);
	if (root->lookups)
		status = supervisor_run(supervisor);
	lookups_free(root->lookups);
	return status;
}

int client_check_run(const struct program *program, int argc, char *const argv[])
{
	struct check_root root = {.options = *(const struct client_options *)program->options,
				  .ticks = isatty(STDOUT_FILENO) && check_is_utf8()};
	int status;

	root.supervisor = supervisor_new(program, &check_events, &root, &status);
	if (!root.supervisor)
		return status;
	status = check_prepare(&root);
	if (status == CLIENT_OK)
		status = check_serve(&root, argc, argv);
	supervisor_stop(root.supervisor);
	supervisor_free(root.supervisor);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's root process: what becomes of an accounts process that says what it cannot, and what
 * is left when one of the processes dies.
 */
#include "server/root/root.h"

#include "forward/msg.h"
#include "server/msg.h"
#include "server/options.h"
#include "tests/unit/process/scenario.h"
#include "tests/unit/proto/addresses.h"
#include "users/users.h"

#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PASSWORD "secret"

/* The folder of the database, for the processes as well. */
#define FOLDER "TEST_FOLDER"

/* --- accounts ----------------------------------------------------------------------------- */

#define SAY(root, type, body) scenario_say(root, type, &(body), sizeof(body), -1)

/* A session with a device. */
static struct server_grant good_grant(void)
{
	struct server_grant grant;

	memset(&grant, 0, sizeof(grant));
	grant.verdict.result = SERVER_GRANTED;
	grant.verdict.user = 1;
	grant.type = TUNNEL_ONLY;
	grant.local = addr4("192.0.2.1");
	return grant;
}

static void grant_good(int root)
{
	const struct server_grant grant = good_grant();

	SAY(root, SERVER_MSG_GRANT, grant);
}

static int grants(int root)
{
	grant_good(root);
	return scenario_await_end(root);
}

static int too_short(int root)
{
	const struct server_grant grant = good_grant();

	scenario_say(root, SERVER_MSG_GRANT, &grant, sizeof(grant) - 1, -1);
	return scenario_await_end(root);
}

static int too_long(int root)
{
	unsigned char body[sizeof(struct server_grant) + 1] = {0};

	SAY(root, SERVER_MSG_GRANT, body);
	return scenario_await_end(root);
}

static int with_descriptor(int root)
{
	const struct server_id id = {.id = 0};

	scenario_say(root, SERVER_MSG_LOGOUT, &id, sizeof(id), STDERR_FILENO);
	return scenario_await_end(root);
}

/* That is for root to say. */
static int wrong_way(int root)
{
	const struct server_reserved reserved = {.count = 0};

	SAY(root, SERVER_MSG_RESERVED, reserved);
	return scenario_await_end(root);
}

static int wrong_grant(int root)
{
	struct server_grant grant = good_grant();

	grant.verdict.id = UINT32_MAX;
	SAY(root, SERVER_MSG_GRANT, grant);
	return scenario_await_end(root);
}

static int used_number(int root)
{
	grant_good(root);
	return grants(root);
}

static int no_session(int root)
{
	const struct server_id id = {.id = 0};

	SAY(root, SERVER_MSG_LOGOUT, id);
	return scenario_await_end(root);
}

static int nothing_to_revoke(int root)
{
	const struct server_revoked revoked = {.id = 0, .why = SERVER_WHY_DELETED};

	SAY(root, SERVER_MSG_REVOKE, revoked);
	return scenario_await_end(root);
}

static int logged_out_twice(int root)
{
	const struct server_id id = {.id = 0};

	grant_good(root);
	SAY(root, SERVER_MSG_LOGOUT, id);
	return no_session(root);
}

/* More than the channel to control holds. */
static int refuses_many(int root)
{
	struct server_grant grant = good_grant();

	grant.verdict.result = SERVER_AUTH;
	for (int i = 0; i < 5000; i++)
		SAY(root, SERVER_MSG_GRANT, grant);
	return scenario_await_end(root);
}

static int dies_granting(int root)
{
	grant_good(root);
	return raise(SIGKILL);
}

/* --- control ------------------------------------------------------------------------------ */

/* Accounts has said so by then. */
static void log_in(int root)
{
	(void)scenario_await(root, SERVER_MSG_VERDICT);
}

/* Hears the end, and nothing else. */
static int never_listens(int root)
{
	struct pollfd end = {.fd = root};

	(void)poll(&end, 1, -1);
	return 0;
}

static int dies_between(int root)
{
	log_in(root);
	return raise(SIGKILL);
}

static int is_stopped(int root)
{
	log_in(root);
	(void)kill(getppid(), SIGTERM);
	(void)scenario_await(root, SERVER_MSG_STOP);
	return 0;
}

static int leaves(int root)
{
	log_in(root);
	return 3;
}

static int stays(int root)
{
	log_in(root);
	return scenario_await_end(root);
}

static int kills_root(int root)
{
	log_in(root);
	(void)kill(getppid(), SIGKILL);
	return scenario_await_end(root);
}

/* The settings are read again, and the counters asked for. */
static int goes_on(int root)
{
	log_in(root);
	(void)kill(getppid(), SIGHUP);
	(void)kill(getppid(), SIGUSR1);
	(void)scenario_await(root, SERVER_MSG_REPORT);
	(void)kill(getppid(), SIGTERM);
	(void)scenario_await(root, SERVER_MSG_STOP);
	return 0;
}

static void set_level(int root, uint32_t debug)
{
	const struct server_order level = {.debug = debug};

	SAY(root, SERVER_MSG_LEVEL, level);
}

static int no_level(int root)
{
	set_level(root, 2);
	return scenario_await_end(root);
}

/* That is for accounts to say. */
static int ends_itself(int root)
{
	const struct server_id id = {.id = 0};

	SAY(root, SERVER_MSG_LOGOUT, id);
	return scenario_await_end(root);
}

/* Everything that may be asked of root, as often as it may. */
static int steers(int root)
{
	const struct server_order reload = {.number = 8};

	scenario_say(root, SERVER_MSG_ASK, NULL, 0, -1);
	(void)scenario_await(root, SERVER_MSG_STATE);
	set_level(root, 1);
	(void)scenario_await(root, IPC_DEBUG);
	(void)scenario_await(root, SERVER_MSG_DONE);
	for (int i = 0; i < 20; i++)
		SAY(root, SERVER_MSG_RELOAD, reload);
	for (int i = 0; i < 20; i++)
		(void)scenario_await(root, SERVER_MSG_DONE);
	(void)kill(getppid(), SIGTERM);
	(void)scenario_await(root, SERVER_MSG_STOP);
	return 0;
}

/* Asks and does not take the answers. */
static int asks_on(int root)
{
	for (int i = 0; i < 5000; i++)
		scenario_say(root, SERVER_MSG_ASK, NULL, 0, -1);
	return never_listens(root);
}

/* --- forward ------------------------------------------------------------------------------ */

/* Of the device of the first session; the shared one comes first. */
static int dies_of_device(int root)
{
	if (scenario_await(root, FORWARD_MSG_DEVICE) && scenario_await(root, FORWARD_MSG_DEVICE))
		(void)raise(SIGKILL);
	return 0;
}

/* --- the scenarios ------------------------------------------------------------------------ */

static const struct scenario scenarios[] = {
	{.name = "too short",
	 .play = {[SERVER_ACCOUNTS] = too_short},
	 .status = 1,
	 .log = "message 48 from accounts has the wrong form"},
	{.name = "too long",
	 .play = {[SERVER_ACCOUNTS] = too_long},
	 .status = 1,
	 .log = "message 48 from accounts has the wrong form"},
	{.name = "with a descriptor",
	 .play = {[SERVER_ACCOUNTS] = with_descriptor},
	 .status = 1,
	 .log = "message 33 from accounts has the wrong form"},
	{.name = "the wrong way",
	 .play = {[SERVER_ACCOUNTS] = wrong_way},
	 .status = 1,
	 .log = "unexpected message 80 from accounts"},
	{.name = "wrong grant",
	 .play = {[SERVER_ACCOUNTS] = wrong_grant},
	 .status = 1,
	 .log = "accounts granted a login that cannot be; ending"},
	{.name = "number in use",
	 .play = {[SERVER_ACCOUNTS] = used_number},
	 .status = 1,
	 .log = "accounts granted a login that cannot be; ending"},
	{.name = "no session",
	 .play = {[SERVER_ACCOUNTS] = no_session},
	 .status = 1,
	 .log = "accounts ended a login that is not there; ending"},
	{.name = "nothing to revoke",
	 .play = {[SERVER_ACCOUNTS] = nothing_to_revoke},
	 .status = 1,
	 .log = "accounts revoked a login that is not there; ending"},
	{.name = "logged out twice",
	 .play = {[SERVER_ACCOUNTS] = logged_out_twice},
	 .status = 1,
	 .log = "accounts ended a login that is not there; ending"},
	{.name = "never listens",
	 .play = {[SERVER_ACCOUNTS] = refuses_many, [SERVER_CONTROL] = never_listens},
	 .status = 1,
	 .log = "control asks and does not take the answers; ending"},
	{.name = "accounts dies",
	 .play = {[SERVER_ACCOUNTS] = dies_granting},
	 .status = 1,
	 .log = "room accounts ended unexpectedly: killed by signal 9; ending"},
	{.name = "dies between login and logout",
	 .play = {[SERVER_ACCOUNTS] = grants, [SERVER_CONTROL] = dies_between},
	 .status = 1,
	 .log = "room control ended unexpectedly: killed by signal 9; ending"},
	{.name = "leaves unasked",
	 .play = {[SERVER_ACCOUNTS] = grants, [SERVER_CONTROL] = leaves},
	 .status = 1,
	 .log = "room control ended unexpectedly: exit status 3; ending"},
	{.name = "forward dies",
	 .play = {[SERVER_ACCOUNTS] = grants,
		  [SERVER_CONTROL] = stays,
		  [SERVER_FORWARD] = dies_of_device},
	 .status = 1,
	 .log = "room forward ended unexpectedly: killed by signal 9; ending"},
	{.name = "no level",
	 .play = {[SERVER_CONTROL] = no_level},
	 .status = 1,
	 .log = "control asked for a level that the log has not; ending"},
	{.name = "control ends a session",
	 .play = {[SERVER_CONTROL] = ends_itself},
	 .status = 1,
	 .log = "unexpected message 33 from control"},
	{.name = "asks on and on",
	 .play = {[SERVER_CONTROL] = asks_on},
	 .status = 1,
	 .log = "control asks and does not take the answers; ending"},
	{.name = "steers",
	 .play = {[SERVER_CONTROL] = steers},
	 .status = 0,
	 .log = "settings read again changed=0"},
	{.name = "root dies",
	 .play = {[SERVER_ACCOUNTS] = grants, [SERVER_CONTROL] = kills_root},
	 .status = -1},
	{.name = "stopped",
	 .play = {[SERVER_ACCOUNTS] = grants, [SERVER_CONTROL] = is_stopped},
	 .status = 0},
	{.name = "goes on",
	 .play = {[SERVER_ACCOUNTS] = grants, [SERVER_CONTROL] = goes_on},
	 .status = 0,
	 .log = "settings read again changed=0"},
};

static int run_control(const struct process_self *self)
{
	return scenario_play(SERVER_CONTROL, self);
}

static int run_forward(const struct process_self *self)
{
	return scenario_play(SERVER_FORWARD, self);
}

static int run_accounts(const struct process_self *self)
{
	return scenario_play(SERVER_ACCOUNTS, self);
}

static int run_guard(const struct process_self *self)
{
	process_await_end(self);
	return 0;
}

static bool want_none(const void *of)
{
	(void)of;
	return false;
}

static const struct process processes[] = {
	[SERVER_CONTROL] = {.name = "control",
			    .verdict = PROCESS_VERDICT_AT_STOP,
			    .peers = 1U << SERVER_FORWARD,
			    .run = run_control,
			    .rows = &server_root_control_rows},
	[SERVER_FORWARD] = {.name = "forward", .run = run_forward},
	[SERVER_NDP] = {.name = "ndp", .wanted = want_none},
	[SERVER_ACCOUNTS] = {.name = "accounts", .run = run_accounts, .rows = &server_root_rows},
	[SERVER_GUARD] = {.name = "guard", .kind = PROCESS_GUARD, .run = run_guard},
};

static struct server_options options;

static struct program program = {.name = "test",
				 .processes = processes,
				 .n_processes = SERVER_PROCESSES,
				 .options = &options,
				 .user = "root"};

static const char *in_folder(const char *name)
{
	static char path[200];

	(void)snprintf(path, sizeof(path), "%s/%s", getenv(FOLDER), name);
	return path;
}

/* With a database of one user. */
static int run_root(const struct program *of, int argc, char *const argv[])
{
	char database[250];
	char *words[] = {argv[0],
			 (char[]){"-c"},
			 (char[]){"/dev/null"},
			 (char[]){"-o"},
			 (char[]){"fast=off"},
			 (char[]){"-o"},
			 (char[]){"limit.sessions=4"},
			 (char[]){"-o"},
			 (char[]){"limit.pending=4"},
			 (char[]){"-o"},
			 database,
			 (char[]){"-o"},
			 (char[]){"user=root"},
			 NULL};
	struct users *users = NULL;
	char other[DTCP_USER_MAX + 1];
	char error[256];
	int status;

	(void)argc;
	(void)snprintf(database, sizeof(database), "database=%s", in_folder("users.db"));
	if (users_open(in_folder("users.db"), USERS_CREATE, &users, error, sizeof(error)) !=
		    USERS_OK ||
	    users_add(users, "alice", PASSWORD, NULL, other) != USERS_OK)
		return EXIT_FAILURE;
	users_close(users);
	if (server_options_parse(&options, 13, words) != OPTIONS_OK)
		return EXIT_FAILURE;
	status = server_root_run(of, 13, words);
	server_options_free(&options);
	return status;
}

/* Nothing is left but the database, and what nobody could remove. */
static void look(const struct scenario *scenario, const char *log)
{
	const char *line = log;
	unsigned int reloads = 0;

	while ((line = strstr(line, "settings read again"))) {
		reloads++;
		line++;
	}
	/* Not as often as it was asked for. */
	if (strcmp(scenario->name, "steers") == 0)
		assert_in_range(reloads, 5, 19);
	assert_int_equal(if_nametoindex("dtcps0"), 0);
	assert_int_equal(if_nametoindex("dtcps1"), 0);
	assert_int_equal(unlink(in_folder("users.db.lock")), scenario->status == -1 ? 0 : -1);
	/* By the guard if need be. */
	assert_int_equal(access(in_folder("ctl.sock"), F_OK), -1);
	assert_int_equal(unlink(in_folder("users.db")), 0);
}

int main(int argc, char **argv)
{
	const struct scenario_stage stage = {
		.scenarios = scenarios,
		.count = sizeof(scenarios) / sizeof(scenarios[0]),
		.program = &program,
		.root = run_root,
		.look = look,
	};
	char folder[] = "/tmp/test-server-root-XXXXXX";
	char path[CTL_PATH_SIZE];
	bool ours = !getenv(FOLDER);
	int status;

	if (ours && (!mkdtemp(folder) || setenv(FOLDER, folder, 1) == -1))
		return EXIT_FAILURE;
	(void)strlcpy(path, in_folder("ctl.sock"), sizeof(path));
	program.socket = path;
	status = scenario_main(&stage, "server root", argc, argv);
	if (ours && rmdir(folder) == -1)
		return EXIT_FAILURE;
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's root process: what becomes of a control that says what it cannot, and what is left
 * when one of the processes dies.
 */
#include "client/root/root.h"

#include "client/exits.h"
#include "client/msg.h"
#include "client/root/account.h"
#include "client/root/guard.h"
#include "forward/msg.h"
#include "netconf/netlink.h"
#include "netconf/rules.h"
#include "tests/unit/process/scenario.h"
#include "tests/unit/proto/addresses.h"

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

/* In place of the terminal. */
enum client_exit __wrap_account_get(const struct client_options *options, const char *user,
				    struct account_passwords *passwords);

enum client_exit __wrap_account_get(const struct client_options *options, const char *user,
				    struct account_passwords *passwords)
{
	(void)options;
	(void)user;
	(void)passwords;
	return CLIENT_OK;
}

/* --- control ------------------------------------------------------------------------------ */

#define SAY(root, type, body) scenario_say(root, type, &(body), sizeof(body), -1)

static struct client_tunnel good_tunnel(void)
{
	struct client_tunnel tunnel;

	memset(&tunnel, 0, sizeof(tunnel));
	tunnel.server = tunnel.reply.her = addr4("192.0.2.1");
	tunnel.myaddr = tunnel.reply.me = addr4("192.0.2.2");
	tunnel.reply.n_prefixes = 1;
	tunnel.reply.prefixes[0] = prefix("2001:db8:100::/56");
	return tunnel;
}

static void raise_tunnel(int root)
{
	const struct client_tunnel tunnel = good_tunnel();

	SAY(root, CLIENT_MSG_RAISE, tunnel);
	(void)scenario_await(root, CLIENT_MSG_RAISED);
}

static int too_short(int root)
{
	const struct client_tunnel tunnel = good_tunnel();

	scenario_say(root, CLIENT_MSG_RAISE, &tunnel, sizeof(tunnel) - 1, -1);
	return scenario_await_end(root);
}

static int too_long(int root)
{
	unsigned char body[sizeof(struct client_tunnel) + 1] = {0};

	scenario_say(root, CLIENT_MSG_RAISE, body, sizeof(body), -1);
	return scenario_await_end(root);
}

static int with_descriptor(int root)
{
	const struct client_tunnel tunnel = good_tunnel();

	scenario_say(root, CLIENT_MSG_RAISE, &tunnel, sizeof(tunnel), STDERR_FILENO);
	return scenario_await_end(root);
}

/* That is for root to say. */
static int wrong_way(int root)
{
	scenario_say(root, CLIENT_MSG_LOST, NULL, 0, -1);
	return scenario_await_end(root);
}

static int wrong_tunnel(int root)
{
	struct client_tunnel tunnel = good_tunnel();

	tunnel.server_index = 1;
	SAY(root, CLIENT_MSG_RAISE, tunnel);
	return scenario_await_end(root);
}

static int nothing_to_lower(int root)
{
	scenario_say(root, CLIENT_MSG_LOWER, NULL, 0, -1);
	return scenario_await_end(root);
}

static int lowered_twice(int root)
{
	raise_tunnel(root);
	scenario_say(root, CLIENT_MSG_LOWER, NULL, 0, -1);
	(void)scenario_await(root, CLIENT_MSG_LOWERED);
	return nothing_to_lower(root);
}

static int session_too_early(int root)
{
	const struct client_session session = {.state = CLIENT_STATE_UP};

	SAY(root, CLIENT_MSG_SESSION, session);
	return scenario_await_end(root);
}

static int session_too_late(int root)
{
	raise_tunnel(root);
	scenario_say(root, CLIENT_MSG_LOWER, NULL, 0, -1);
	return session_too_early(root);
}

static int session_of_no_kind(int root)
{
	const struct client_session session = {.state = CLIENT_STATES};

	raise_tunnel(root);
	SAY(root, CLIENT_MSG_SESSION, session);
	return scenario_await_end(root);
}

static int no_name(int root)
{
	const struct client_server server = {.server = 0};

	SAY(root, CLIENT_MSG_LOOKUP, server);
	return scenario_await_end(root);
}

static int no_such_server(int root)
{
	const struct client_server server = {.server = UINT32_MAX};

	SAY(root, CLIENT_MSG_LOOKUP, server);
	return scenario_await_end(root);
}

static int port_without_udp(int root)
{
	scenario_say(root, CLIENT_MSG_PORT, NULL, 0, -1);
	return scenario_await_end(root);
}

static int asks_and_asks(int root)
{
	for (int i = 0; i < 10000; i++)
		scenario_say(root, CLIENT_MSG_ASK, NULL, 0, -1);
	return scenario_takes_nothing(root);
}

static int log_of_no_kind(int root)
{
	const struct client_log log = {.debug = 2};

	SAY(root, CLIENT_MSG_LOG, log);
	return scenario_await_end(root);
}

static int pong_unasked(int root)
{
	scenario_say(root, IPC_PONG, NULL, 0, -1);
	return scenario_await_end(root);
}

static int up_and_down(int root)
{
	const struct client_session session = {.state = CLIENT_STATE_UP};
	const struct client_log log = {.debug = 0};

	(void)scenario_await(root, CLIENT_MSG_CTL);
	SAY(root, CLIENT_MSG_LOG, log);
	scenario_say(root, CLIENT_MSG_ASK, NULL, 0, -1);
	(void)scenario_await(root, CLIENT_MSG_INTERFACE);
	raise_tunnel(root);
	SAY(root, CLIENT_MSG_SESSION, session);
	/* Another session, with the same inside. */
	raise_tunnel(root);
	scenario_say(root, CLIENT_MSG_LOWER, NULL, 0, -1);
	(void)scenario_await(root, CLIENT_MSG_LOWERED);
	return CLIENT_CLOSED;
}

/* The tunnel is for root to remove. */
static int leaves_while_up(int root)
{
	raise_tunnel(root);
	return CLIENT_TIMEOUT;
}

static int is_stopped(int root)
{
	raise_tunnel(root);
	(void)kill(getppid(), SIGTERM);
	(void)scenario_await(root, CLIENT_MSG_STOP);
	return CLIENT_OK;
}

static int dies_while_up(int root)
{
	raise_tunnel(root);
	return raise(SIGKILL);
}

/* Between the question and the answer. */
static int dies_while_it_is_made(int root)
{
	const struct client_tunnel tunnel = good_tunnel();

	SAY(root, CLIENT_MSG_RAISE, tunnel);
	return raise(SIGKILL);
}

/* Another one dies of the tunnel, and is the cause of the end. */
static int stays(int root)
{
	raise_tunnel(root);
	return scenario_await_end(root);
}

static int kills_root(int root)
{
	/* Which comes with the control socket. */
	if (!scenario_await(root, CLIENT_MSG_CTL))
		return scenario_await_end(root);
	raise_tunnel(root);
	(void)kill(getppid(), SIGKILL);
	return scenario_await_end(root);
}

/* --- forward, and the guard --------------------------------------------------------------- */

static int dies_of_device(int root)
{
	if (scenario_await(root, FORWARD_MSG_DEVICE))
		(void)raise(SIGKILL);
	return 0;
}

static int dies_of_tunnel(int root)
{
	if (scenario_await(root, CLIENT_MSG_GUARD))
		(void)raise(SIGKILL);
	return 0;
}

static const struct process_self *guard; /* of this process */

/* The real one. */
static int guards(int root)
{
	(void)root;
	return client_guard_run(guard);
}

/* --- the scenarios ------------------------------------------------------------------------ */

static const struct scenario scenarios[] = {
	{.name = "too short",
	 .play = {[CLIENT_CONTROL] = too_short, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "message 32 from control has the wrong form"},
	{.name = "too long",
	 .play = {[CLIENT_CONTROL] = too_long, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "message 32 from control has the wrong form"},
	{.name = "with a descriptor",
	 .play = {[CLIENT_CONTROL] = with_descriptor, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "message 32 from control has the wrong form"},
	{.name = "the wrong way",
	 .play = {[CLIENT_CONTROL] = wrong_way, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "unexpected message 9 from control"},
	{.name = "pong unasked",
	 .play = {[CLIENT_CONTROL] = pong_unasked, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control answered what it was not asked"},
	{.name = "wrong tunnel",
	 .play = {[CLIENT_CONTROL] = wrong_tunnel, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control asked for a tunnel that cannot be: server; ending"},
	{.name = "nothing to lower",
	 .play = {[CLIENT_CONTROL] = nothing_to_lower, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control asked to remove a tunnel that is not there; ending"},
	{.name = "session too early",
	 .play = {[CLIENT_CONTROL] = session_too_early, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control told of a session that cannot be; ending"},
	{.name = "no name",
	 .play = {[CLIENT_CONTROL] = no_name, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control asked for the address of a server that has no name; ending"},
	{.name = "no such server",
	 .play = {[CLIENT_CONTROL] = no_such_server, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control asked for the address of a server that has no name; ending"},
	{.name = "port without UDP",
	 .play = {[CLIENT_CONTROL] = port_without_udp, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control asked for another UDP port, which is not to be; ending"},
	{.name = "asks and asks",
	 .play = {[CLIENT_CONTROL] = asks_and_asks, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control asks and does not take the answers; ending"},
	{.name = "log of no kind",
	 .play = {[CLIENT_CONTROL] = log_of_no_kind, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control asked for a log that cannot be; ending"},
	{.name = "dies while it is made",
	 .play = {[CLIENT_CONTROL] = dies_while_it_is_made, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "room control ended unexpectedly: killed by signal 9; ending"},
	/* From here on the tunnel was up, and so the script has to run with "down". */
	{.name = "lowered twice",
	 .play = {[CLIENT_CONTROL] = lowered_twice, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control asked to remove a tunnel that is not there; ending"},
	{.name = "session too late",
	 .play = {[CLIENT_CONTROL] = session_too_late, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control told of a session that cannot be; ending"},
	{.name = "session of no kind",
	 .play = {[CLIENT_CONTROL] = session_of_no_kind, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "control told of a session that cannot be; ending"},
	{.name = "up and down",
	 .play = {[CLIENT_CONTROL] = up_and_down, [CLIENT_GUARD] = guards},
	 .status = CLIENT_CLOSED},
	{.name = "leaves while up",
	 .play = {[CLIENT_CONTROL] = leaves_while_up, [CLIENT_GUARD] = guards},
	 .status = CLIENT_TIMEOUT},
	{.name = "stopped",
	 .play = {[CLIENT_CONTROL] = is_stopped, [CLIENT_GUARD] = guards},
	 .status = CLIENT_OK},
	{.name = "dies while up",
	 .play = {[CLIENT_CONTROL] = dies_while_up, [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "room control ended unexpectedly: killed by signal 9; ending"},
	{.name = "forward dies",
	 .play = {[CLIENT_CONTROL] = stays,
		  [CLIENT_FORWARD] = dies_of_device,
		  [CLIENT_GUARD] = guards},
	 .status = 1,
	 .log = "room forward ended unexpectedly: killed by signal 9; ending"},
	{.name = "guard dies",
	 .play = {[CLIENT_CONTROL] = stays, [CLIENT_GUARD] = dies_of_tunnel},
	 .status = 1,
	 .log = "room guard ended unexpectedly: killed by signal 9; ending"},
	{.name = "root dies",
	 .play = {[CLIENT_CONTROL] = kills_root, [CLIENT_GUARD] = guards},
	 .status = -1,
	 .log = "monitor is gone; removing what it has made"},
};

enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]), FIRST_UP = 14 };

static int run_control(const struct process_self *self)
{
	return scenario_play(CLIENT_CONTROL, self);
}

static int run_forward(const struct process_self *self)
{
	return scenario_play(CLIENT_FORWARD, self);
}

static int run_guard(const struct process_self *self)
{
	guard = self;
	return scenario_play(CLIENT_GUARD, self);
}

static struct client_options options = {.servers = {"192.0.2.1"},
					.n_servers = 1,
					.login = "alice",
					.script = "/usr/bin/printenv state prefix",
					.script_named = true,
					.interface = "dtcp0",
					.type = TUNNEL_NETWORK,
					.transport = SESSION_IPV6,
					.fast = FAST_OFF,
					.mtu = 1280,
					.metric = 1024,
					.n_routes = 1};

static const struct process processes[] = {
	[CLIENT_CONTROL] = {.name = "control",
			    .verdict = PROCESS_VERDICT,
			    .peers = 1U << CLIENT_FORWARD,
			    .run = run_control,
			    .rows = &client_root_rows},
	[CLIENT_GUARD] = {.name = "guard", .kind = PROCESS_GUARD, .run = run_guard},
	[CLIENT_FORWARD] = {.name = "forward", .run = run_forward},
	[CLIENT_RESOLVER] = {.name = "resolver", .kind = PROCESS_ON_DEMAND, .run = run_control},
};

static struct program program = {.name = "test",
				 .processes = processes,
				 .n_processes = CLIENT_PROCESSES,
				 .options = &options,
				 .user = "root",
				 .scripts = true};

/* Nothing is left; the script has run with "down" once if it has run with "up". */
static void look(const struct scenario *scenario, const char *log)
{
	const char *down = strstr(log, "/usr/bin/printenv: down\n");
	struct netlink *netlink;

	/* As long as root's process lives, it removes all by itself. */
	if (scenario->status != -1 && strstr(log, "monitor is gone"))
		fail_msg("it was left to the guard:\n%s", log);
	if (scenario - scenarios >= FIRST_UP && !down)
		fail_msg("the script has not run with \"down\":\n%s", log);
	if (down && strstr(down + 1, "/usr/bin/printenv: down\n"))
		fail_msg("the script has run twice with \"down\":\n%s", log);
	/* Somebody has removed it, whoever that was to be. */
	assert_int_equal(access(program.socket, F_OK), -1);
	assert_int_equal(if_nametoindex("dtcp0"), 0);
	assert_int_equal(netlink_open(&netlink), 0);
	assert_int_equal(netlink_reject_sweep(netlink, NULL), 0);
	assert_int_equal(rules_sweep(netlink), 0);
	netlink_close(netlink);
}

int main(int argc, char **argv)
{
	char path[64];

	const struct scenario_stage stage = {.scenarios = scenarios,
					     .count = SCENARIOS,
					     .program = &program,
					     .root = client_root_run,
					     .look = look};

	/* The processes have it from us: the guard removes it. */
	(void)snprintf(path, sizeof(path), "/tmp/dtcp-test-root-%d.sock", (int)getpid());
	if (setenv("TEST_SOCKET", path, 0) == -1)
		return EXIT_FAILURE;
	(void)strlcpy(path, getenv("TEST_SOCKET"), sizeof(path));
	program.socket = path;
	return scenario_main(&stage, "client root", argc, argv);
}

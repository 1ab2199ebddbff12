/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's control room without memory for one moment of a session's life: it logs in all the
 * same, or it ends and says so, and never hangs.
 */
#include "alloc.h"
#include "world.h"

#include "client/control/control.h"
#include "client/exits.h"
#include "client/msg.h"
#include "forward/msg.h"
#include "process/ipc.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define GREETING "+OK 0B1517C87D516A5FA65BED722D51A04F ready"
#define REPLY	 "+OK 198.51.100.2 192.0.2.1 2001:db8:1::/48"

struct world {
	int monitor, forward; /* our ends */
	int listener;
	bool named; /* the server, so it has to be looked up */
	bool silent;
	bool well; /* all went as ever */
};

/* Looks the server's name up for it. */
static bool look_up(struct world *world)
{
	struct client_addresses addresses = {.count = 1};
	struct client_server server;
	int resolver[2];
	bool told;

	(void)inet_pton(AF_INET, NETWORK_HERE, &addresses.list[0]);
	if (!world_hear(world->monitor, CLIENT_MSG_LOOKUP, &server, sizeof(server),
			&world->silent) ||
	    ipc_pair(resolver) != 0)
		return false;
	told = world_tell(world->monitor, CLIENT_MSG_RESOLVER, &server, sizeof(server),
			  resolver[1]) &&
	       world_tell(resolver[0], CLIENT_MSG_ADDRESSES, &addresses, sizeof(addresses), -1);
	close(resolver[0]);
	return told;
}

/* The client connects, or its room ends. */
static int let_in(struct world *world)
{
	struct pollfd fds[] = {{.fd = world->listener, .events = POLLIN},
			       {.fd = world->monitor, .events = POLLIN}};

	if (poll(fds, 2, WORLD_PATIENCE) == 0)
		world->silent = true;
	return fds[0].revents & POLLIN ? accept(world->listener, NULL, NULL) : -1;
}

static bool serve(struct world *world, int fd)
{
	const struct client_raised raised = {.ok = 1};
	struct forward_session add;
	struct client_tunnel tunnel;
	char line[600];
	bool *silent = &world->silent;

	return world_say(fd, GREETING) && world_line(fd, line, sizeof(line), silent) &&
	       strncmp(line, "tunnel foo ", 11) == 0 && world_say(fd, REPLY) &&
	       world_hear(world->forward, FORWARD_MSG_ADD, &add, sizeof(add), silent) &&
	       world_hear(world->monitor, CLIENT_MSG_RAISE, &tunnel, sizeof(tunnel), silent) &&
	       world_tell(world->monitor, CLIENT_MSG_RAISED, &raised, sizeof(raised), -1) &&
	       world_tell(world->monitor, CLIENT_MSG_NETWORK, NULL, 0, -1) &&
	       world_tell(world->monitor, CLIENT_MSG_STOP, NULL, 0, -1) &&
	       world_line(fd, line, sizeof(line), silent) && strcmp(line, "quit") == 0 &&
	       world_say(fd, "+OK good bye");
}

static void *world_run(void *arg)
{
	const struct client_password password = {.text = "bar"};
	const struct client_account account = {.user = "foo"};
	struct world *world = arg;
	int fd = -1;

	if (world_tell(world->monitor, CLIENT_MSG_PASSWORD, &password, sizeof(password), -1) &&
	    world_tell(world->monitor, CLIENT_MSG_ACCOUNT, &account, sizeof(account), -1) &&
	    (!world->named || look_up(world)))
		fd = let_in(world);
	if (fd != -1) {
		world->well = serve(world, fd);
		close(fd);
	}
	/* What was made is taken down before the end; a room that ends without leaves it to
	 * monitor. */
	if (world_hear(world->monitor, CLIENT_MSG_LOWER, NULL, 0, &world->silent))
		(void)world_tell(world->monitor, CLIENT_MSG_LOWERED, NULL, 0, -1);
	while (world_hear(world->monitor, 0, NULL, 0, &world->silent))
		;
	close(world->monitor);
	close(world->forward);
	return NULL;
}

static struct client_options options;

static bool run(unsigned long n)
{
	struct world world = {.listener = -1, .named = client_options_named(&options, 0)};
	int monitor[2], forward[2], status;
	pthread_t thread;
	bool failed;

	assert_int_equal(ipc_pair(monitor), 0);
	assert_int_equal(ipc_pair(forward), 0);
	world.listener = world_listen(&options.port);
	assert_int_not_equal(world.listener, -1);
	world.monitor = monitor[1];
	world.forward = forward[1];
	assert_int_equal(pthread_create(&thread, NULL, world_run, &world), 0);
	alloc_fail(n);
	status = client_control_run(&options, monitor[0], forward[0]);
	failed = alloc_failed();
	/* Channels that were never made. */
	(void)shutdown(monitor[0], SHUT_RDWR);
	(void)shutdown(forward[0], SHUT_RDWR);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(monitor[0]);
	(void)close(forward[0]);
	close(world.listener);
	print_message("allocation %lu: status %d, %d\n", n, status, world.well);
	assert_false(world.silent);
	assert_true(failed || (status == CLIENT_OK && world.well));
	alloc_fail(0);
	return failed;
}

static void one_moment_of_a_life(const char *server)
{
	char words[][32] = {"dtcpclient", "-n", "-t", "network", ""};
	char *argv[] = {words[0], words[1], words[2], words[3], words[4], NULL};

	(void)strlcpy(words[4], server, sizeof(words[4]));
	optind = 1;
	assert_int_equal(client_options_parse(&options, 5, argv), OPTIONS_OK);
	alloc_each(run);
	client_options_free(&options);
}

static void server_by_address(void **state)
{
	(void)state;
	one_moment_of_a_life(NETWORK_HERE);
}

static void server_by_name(void **state)
{
	(void)state;
	one_moment_of_a_life("broker.example.net");
}

static int make_network(void **state)
{
	(void)state;
	/* No tunnel can end on loopback. */
	need(network_make(), "network namespace");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_by_address),
		cmocka_unit_test(server_by_name),
	};

	alloc_install(false);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("allocation failures, client", tests, make_network,
					   NULL);
}

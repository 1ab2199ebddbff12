/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's control room without memory for one moment of a session's life. A connection may
 * end for it, or the room (which ends the program); nobody is left without an answer, and the next
 * client gets in as ever.
 */
#include "alloc.h"
#include "world.h"

#include "forward/msg.h"
#include "process/ipc.h"
#include "server/control/control.h"
#include "server/msg.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUEST "tunnel foo DAC487C8DFBBF9EE5C7F8CDCC37B62A3 network"

struct world {
	int monitor, accounts, forward; /* our ends */
	int listener;
	uint16_t port;
	unsigned int live; /* sessions that were granted */
	bool silent;
	bool blamed;		  /* a client, for what it had said rightly */
	bool first_ok, second_ok; /* which clients got their tunnels */
};

static int come(const struct world *world)
{
	const struct sockaddr_in addr = world_address(world->port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd != -1 && connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

static bool hear_ok(struct world *world, int fd)
{
	char line[600];

	if (!world_line(fd, line, sizeof(line), &world->silent))
		return false;
	world->blamed |= strcmp(line, "-ERR invalid command") == 0;
	return strncmp(line, "+OK ", 4) == 0;
}

/* The others do what they are asked for the session that logs in. */
static bool grant(struct world *world, int fd)
{
	struct server_verdict verdict = {
		.result = SERVER_GRANTED,
		.user = 1,
		.prefixes = {.n = 1, .list = {{{.s6_addr = {0x20, 0x01, 0x0d, 0xb8}}, 48}}},
	};
	struct server_login login;
	struct forward_session add;

	/* The connection has ended where there was no memory for the request. */
	if (!world_speaks_first(world->accounts, fd, &world->silent)) {
		(void)hear_ok(world, fd);
		return false;
	}
	if (!world_hear(world->accounts, SERVER_MSG_LOGIN, &login, sizeof(login), &world->silent))
		return false;
	verdict.id = login.id;
	return world_tell(world->monitor, SERVER_MSG_VERDICT, &verdict, sizeof(verdict), -1) &&
	       world_hear(world->forward, FORWARD_MSG_ADD, &add, sizeof(add), &world->silent) &&
	       world_tell(world->forward, FORWARD_MSG_ADDED, &(struct forward_id){add.id},
			  sizeof(struct forward_id), -1);
}

/* True where all went well; the end of the connection or of the room is no silence. */
static bool live_a_life(struct world *world)
{
	struct server_id id;
	int fd = come(world);
	bool ok;

	if (fd == -1)
		return false;
	ok = hear_ok(world, fd) && world_say(fd, REQUEST) && grant(world, fd) &&
	     hear_ok(world, fd) && world_say(fd, "ping") && hear_ok(world, fd) &&
	     world_say(fd, "quit") && hear_ok(world, fd) &&
	     world_hear(world->accounts, SERVER_MSG_LOGOUT, &id, sizeof(id), &world->silent);
	close(fd);
	return ok;
}

static void *world_run(void *arg)
{
	struct world *world = arg;

	(void)world_tell(world->monitor, SERVER_MSG_LISTENER, NULL, 0, dup(world->listener));
	world->first_ok = live_a_life(world);
	/* The one has no trouble of the other's. Where the room has ended, that shows at once. */
	world->second_ok = live_a_life(world);
	(void)world_tell(world->monitor, SERVER_MSG_STOP, NULL, 0, -1);
	/* A room that is gone has closed; one that hears STOP does. */
	while (world_hear(world->monitor, 0, NULL, 0, &world->silent))
		;
	close(world->monitor);
	close(world->accounts);
	close(world->forward);
	return NULL;
}

static struct server_options options;

static bool run(unsigned long n)
{
	struct world world = {.listener = -1};
	int monitor[2], accounts[2], forward[2], status;
	pthread_t thread;
	bool failed;

	assert_int_equal(ipc_pair(monitor), 0);
	assert_int_equal(ipc_pair(accounts), 0);
	assert_int_equal(ipc_pair(forward), 0);
	world.listener = world_listen(&world.port);
	assert_int_not_equal(world.listener, -1);
	world.monitor = monitor[1];
	world.accounts = accounts[1];
	world.forward = forward[1];
	assert_int_equal(pthread_create(&thread, NULL, world_run, &world), 0);
	alloc_fail(n);
	status = server_control_run(&options, monitor[0], accounts[0], forward[0]);
	failed = alloc_failed();
	alloc_fail(0);
	/* So that nobody knocks where nobody opens, as when the process has ended. */
	(void)shutdown(world.listener, SHUT_RDWR);
	close(world.listener);
	/* Channels that were never made. */
	(void)shutdown(monitor[0], SHUT_RDWR);
	(void)shutdown(accounts[0], SHUT_RDWR);
	(void)shutdown(forward[0], SHUT_RDWR);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(monitor[0]);
	(void)close(accounts[0]);
	(void)close(forward[0]);
	print_message("allocation %lu: status %d, %d %d\n", n, status, world.first_ok,
		      world.second_ok);
	assert_false(world.silent);
	assert_false(world.blamed);
	/* Either the room goes on, and as if nothing had been, or it has ended and says so. */
	assert_true(failed || (world.first_ok && world.second_ok));
	assert_true(status != 0 || world.first_ok || world.second_ok);
	return failed;
}

static void one_moment_of_a_life(void **state)
{
	char name[] = "dtcps";
	char *argv[] = {name, NULL};

	(void)state;
	/* No tunnel can end on loopback. */
	need(network_make(), "network namespace");
	optind = 1;
	assert_int_equal(server_options_parse_room(&options, 1, argv), OPTIONS_OK);
	options.sessions_max = 2;
	alloc_each(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_moment_of_a_life),
	};

	alloc_install(false);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("allocation failures, server", tests, NULL, NULL);
}

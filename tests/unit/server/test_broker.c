/* SPDX-License-Identifier: BSD-2-Clause */
/* How many logins accounts is asked about at a time, and which. */
#include "server/control/broker.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENTS = 300, MANY = 64 };

static struct {
	struct server_options options;
	struct login_limits_config config;
	struct broker broker;
	struct client clients[CLIENTS];
	unsigned int fed;      /* what the machines were told */
	size_t asked;	       /* logins that accounts was asked about */
	uint32_t ids[CLIENTS]; /* of these */
	int users[CLIENTS];    /* of these, by number */
	size_t answered;
	size_t over;
} rig;

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd);
void __wrap_client_feed(struct client *client, const struct conn_event *event);

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd)
{
	const struct server_login *login = body;

	(void)ipc;
	assert_int_equal(fd, -1);
	if (type == SERVER_MSG_LOGOUT) {
		/* Each that was answered is over, in this order. */
		assert_int_equal(((const struct server_id *)body)->id, rig.ids[rig.over++]);
		return 0;
	}
	assert_int_equal(type, SERVER_MSG_LOGIN);
	assert_int_equal(size, sizeof(*login));
	assert_in_range(rig.asked, 0, CLIENTS - 1);
	rig.ids[rig.asked] = login->id;
	assert_int_equal(sscanf(login->user, "user%d", &rig.users[rig.asked]), 1);
	rig.asked++;
	return 0;
}

void __wrap_client_feed(struct client *client, const struct conn_event *event)
{
	(void)client;
	(void)event;
	rig.fed++;
}

static int begin(void **state)
{
	static const uint64_t key[2] = {1, 2};

	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.options.limits = (struct connection_limits_config){
		.connections = 2 * CLIENTS,
		.pending = CLIENTS,
		.source_connections = CLIENTS,
		.source_pending = CLIENTS,
	};
	rig.config = (struct login_limits_config){.failures = CLIENTS, .delay_max = 0};
	rig.broker.options = &rig.options;
	broker_init(&rig.broker);
	rig.broker.sessions = sessions_new(2 * CLIENTS, key);
	rig.broker.connection_limits = connection_limits_new(&rig.options.limits, 2 * CLIENTS, key);
	rig.broker.login_limits = login_limits_new(&rig.config, CLIENTS, key);
	assert_non_null(rig.broker.sessions);
	assert_non_null(rig.broker.connection_limits);
	assert_non_null(rig.broker.login_limits);
	return 0;
}

static int end(void **state)
{
	(void)state;
	sessions_free(rig.broker.sessions);
	connection_limits_free(rig.broker.connection_limits);
	login_limits_free(rig.broker.login_limits);
	return 0;
}

static void log_in(int number)
{
	struct client *client = &rig.clients[number];
	static struct conn_config config;

	conn_init(&client->conn, &config, "00", (struct in_addr){htonl(0x0a000001)},
		  (struct in_addr){htonl(0xc0000201)});
	(void)snprintf(client->conn.request.user, sizeof(client->conn.request.user), "user%d",
		       number);
	client->conn.request.type = TUNNEL_HOST;
	connection_limits_enter(rig.broker.connection_limits, &client->place, client->conn.peer,
				client, 0);
	broker_act(&rig.broker, client, CONN_DO_LOGIN);
}

/* Accounts says no to the next of those that it was asked about. */
static void answer(void)
{
	const struct server_verdict verdict = {.id = rig.ids[rig.answered++],
					       .result = SERVER_AUTH};

	broker_verdict(&rig.broker, &verdict);
}

static void test_some_at_a_time(void **state)
{
	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		log_in(i);
	assert_int_equal(rig.asked, MANY);
	while (rig.answered < CLIENTS) {
		assert_true(rig.asked == CLIENTS || rig.asked == rig.answered + MANY);
		answer();
	}
	/* Whoever came first was first. */
	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(rig.users[i], i);
	assert_int_equal(rig.fed, CLIENTS);
	assert_int_equal(rig.over, CLIENTS);
	/* An answer that nobody waits for changes nothing. */
	broker_verdict(&rig.broker, &(struct server_verdict){.id = 0, .result = SERVER_AUTH});
	for (int i = 0; i < CLIENTS; i++)
		connection_limits_leave(rig.broker.connection_limits, &rig.clients[i].place);
}

/* Nothing is done for those who have left before it was their turn. */
static void test_who_has_left(void **state)
{
	size_t expected = MANY;

	(void)state;
	for (int i = 0; i < CLIENTS; i++) {
		log_in(i);
		expected += i >= MANY && i % 3 != 0;
	}
	for (int i = 0; i < CLIENTS; i += 3) {
		broker_ended(&rig.broker, &rig.clients[i]);
		/* Once more changes nothing. */
		broker_ended(&rig.broker, &rig.clients[i]);
	}
	while (rig.answered < rig.asked)
		answer();
	assert_int_equal(rig.asked, expected);
	for (size_t i = MANY; i < rig.asked; i++)
		assert_int_not_equal(rig.users[i] % 3, 0);
	assert_int_equal(rig.fed, CLIENTS * 2 / 3);
	assert_int_equal(connection_limits_wait(rig.broker.connection_limits, 1000), 0);
	for (int i = 0; i < CLIENTS; i++)
		connection_limits_leave(rig.broker.connection_limits, &rig.clients[i].place);
}

/* While so many are in work, newcomers wait in the kernel; none that is there is dropped. */
static void test_newcomers_wait(void **state)
{
	struct connection_limits_place *drop;
	const char *why;

	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		log_in(i);
	assert_true(connection_limits_wait(rig.broker.connection_limits, 1000) > 0);
	assert_null(connection_limits_worst(rig.broker.connection_limits));
	while (rig.answered < CLIENTS - 1)
		answer();
	/* Those that were in vain can go. */
	assert_int_equal(connection_limits_wait(rig.broker.connection_limits, 1000), 0);
	assert_int_equal(connection_limits_ask(rig.broker.connection_limits,
					       (struct in_addr){htonl(0x0a000002)}, &drop, &why),
			 CONNECTION_LIMITS_DROP);
	assert_ptr_not_equal(drop, &rig.clients[CLIENTS - 1].place);
	answer();
	for (int i = 0; i < CLIENTS; i++)
		connection_limits_leave(rig.broker.connection_limits, &rig.clients[i].place);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_some_at_a_time),
		TEST(test_who_has_left),
		TEST(test_newcomers_wait),
	};

	return cmocka_run_group_tests_name("server broker", tests, NULL, NULL);
}

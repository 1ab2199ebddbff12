/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What forward is told of a session, and what becomes of what it says of its path. Which of its
 * messages are believed in which state is in test_words.c.
 */
#include "server/control/broker_forward.h"

#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct {
	struct server_options options;
	struct broker broker;
	struct client client;
	struct server_verdict verdict;
	struct forward_session added; /* the last */
	unsigned int removed;
} rig;

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd);

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd)
{
	(void)ipc;
	assert_int_equal(fd, -1);
	if (type == FORWARD_MSG_ADD) {
		assert_int_equal(size, sizeof(rig.added));
		memcpy(&rig.added, body, size);
		return 0;
	}
	assert_int_equal(type, FORWARD_MSG_REMOVE);
	assert_int_equal(((const struct forward_id *)body)->id, rig.added.id);
	rig.removed++;
	return 0;
}

static int begin(void **state)
{
	static const uint64_t key[2] = {1, 2};
	static struct conn_config config;

	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.options.mtu = 1480;
	rig.broker.options = &rig.options;
	broker_init(&rig.broker);
	rig.broker.sessions = sessions_new(4, key);
	assert_non_null(rig.broker.sessions);
	conn_init(&rig.client.conn, &config, "00", addr4("192.0.2.1"), addr4("198.51.100.2"));
	(void)strlcpy(rig.client.conn.request.user, "alice", sizeof(rig.client.conn.request.user));
	/* What clients are told of as the far end, behind a NAT that is one to one. */
	rig.client.conn.reply.her = addr4("203.0.113.2");
	return 0;
}

static int end(void **state)
{
	(void)state;
	sessions_free(rig.broker.sessions);
	return 0;
}

/* What forward gets of a session of that type, of what the rig has. */
static const struct forward_session *add(enum tunnel_type type, bool udp)
{
	struct server_session *session = sessions_take(rig.broker.sessions);

	assert_non_null(session);
	session->peer = rig.client.conn.peer;
	session->client = &rig.client;
	session->type = (uint8_t)type;
	session->udp = udp;
	rig.client.session = session;
	sessions_grant(rig.broker.sessions, session, 7);
	session->state = SLOT_ADD;
	broker_forward_add(&rig.broker, &rig.client, &rig.verdict);
	assert_true(forward_session_valid(&rig.added, true));
	assert_int_equal(rig.added.id, session->id);
	return &rig.added;
}

static void expect_prefixes(const char *const expected[], size_t n)
{
	assert_int_equal(rig.added.n_prefixes, n);
	for (size_t i = 0; i < n; i++) {
		char text[PREFIX6_STRLEN];

		assert_string_equal(prefix6_format(&rig.added.prefixes[i], text), expected[i]);
	}
}

#define EXPECT_PREFIXES(...)                                                                       \
	expect_prefixes((const char *const[]){__VA_ARGS__},                                        \
			sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void expect_address(struct in6_addr got, const char *expected)
{
	struct in6_addr wanted = addr6(expected);

	assert_memory_equal(&got, &wanted, sizeof(got));
}

static void give_prefix(const char *text)
{
	struct dtcp_reply *reply = &rig.client.conn.reply;

	reply->prefixes[reply->n_prefixes++] = prefix(text);
}

/* The path is watched between the link-local addresses, that of ours being what the client uses. */
static void test_network(void **state)
{
	const struct forward_session *got;

	(void)state;
	give_prefix("2001:db8:100::/56");
	give_prefix("2001:db8:700::/48");
	got = add(TUNNEL_NETWORK, false);
	assert_int_equal(got->transport, FORWARD_PROTO41);
	assert_int_equal(got->mtu, 1480);
	assert_int_equal(got->peer.s_addr, addr4("192.0.2.1").s_addr);
	assert_int_equal(got->local.s_addr, addr4("198.51.100.2").s_addr);
	assert_int_equal(got->alias.s_addr, addr4("203.0.113.2").s_addr);
	expect_address(got->near, "fe80::cb00:7102");
	expect_address(got->far, "::");
	EXPECT_PREFIXES("2001:db8:100::/56", "2001:db8:700::/48", "fe80::c000:201/128");
}

/* Both ends have an address of the prefix of hosts. */
static void test_host(void **state)
{
	const struct forward_session *got;

	(void)state;
	rig.client.conn.reply.has_me6 = rig.client.conn.reply.has_her6 = true;
	rig.client.conn.reply.me6 = addr6("2001:db8:4f::5");
	rig.client.conn.reply.her6 = addr6("2001:db8:4f::1");
	got = add(TUNNEL_HOST, false);
	expect_address(got->near, "2001:db8:4f::1");
	expect_address(got->far, "2001:db8:4f::5");
	EXPECT_PREFIXES("2001:db8:4f::5/128", "fe80::c000:201/128");
}

/* Less fits into UDP, probes watch the path, and the link-local address is the user's. */
static void test_udp(void **state)
{
	const struct prefix6 local = {.addr = dtcp_link_local_user("alice"), .len = 128};
	const struct forward_session *got;
	char text[PREFIX6_STRLEN];

	(void)state;
	rig.client.conn.request.udp_port = 4029;
	rig.client.conn.reply.session = 0x1234;
	memset(rig.verdict.key, 0x5a, sizeof(rig.verdict.key));
	give_prefix("2001:db8:100::/56");
	got = add(TUNNEL_NETWORK, true);
	assert_int_equal(got->transport, FORWARD_UDP);
	assert_int_equal(got->mtu, FORWARD_UDP_MTU_MAX);
	assert_int_equal(got->peer_port, 4029);
	assert_int_equal(got->session, 0x1234);
	assert_memory_equal(got->key, rig.verdict.key, sizeof(got->key));
	expect_address(got->near, "::");
	EXPECT_PREFIXES("2001:db8:100::/56", prefix6_format(&local, text));
	/* What was set to less stays so. */
	rig.options.mtu = 1300;
	assert_int_equal(add(TUNNEL_NETWORK, true)->mtu, 1300);
}

/* On a device of its own: its prefixes are led there, and no other address is. */
static void test_tunnelonly(void **state)
{
	const struct forward_session *got;
	struct server_session *session;

	(void)state;
	rig.verdict.device = 3;
	rig.verdict.prefixes.n = 1;
	rig.verdict.prefixes.list[0] = prefix("2001:db8:900::/48");
	rig.options.tunnelonly_any = true;
	got = add(TUNNEL_ONLY, false);
	session = rig.client.session;
	assert_int_equal(got->device, 3);
	assert_int_equal(got->any_source, 1);
	assert_int_equal(got->adverts, 0);
	EXPECT_PREFIXES("2001:db8:900::/48");
	assert_non_null(session->routed);
	sessions_release(rig.broker.sessions, session);
}

/* Forward hears of the end once, and only if it has heard of the session. */
static void test_remove(void **state)
{
	struct server_session *session;

	(void)state;
	give_prefix("2001:db8:100::/56");
	(void)add(TUNNEL_NETWORK, false);
	session = rig.client.session;
	broker_forward_remove(&rig.broker, session);
	assert_int_equal(rig.removed, 1);
	broker_forward_remove(&rig.broker, session);
	assert_int_equal(rig.removed, 1);
}

static void hear(uint32_t type, const void *body)
{
	for (size_t i = 0; i < broker_forward_rows.count; i++) {
		if (broker_forward_rows.list[i].type == type)
			ipc_row_handle(&broker_forward_rows.list[i], body, -1, &rig.broker);
	}
}

/* Dead paths are counted, one of a session that ends not any more. */
static void test_paths(void **state)
{
	struct forward_path path = {.alive = 0};
	struct server_session *session;

	(void)state;
	give_prefix("2001:db8:100::/56");
	path.id = add(TUNNEL_NETWORK, false)->id;
	session = rig.client.session;
	dialog_hear(sessions_dialog(rig.broker.sessions, path.id), FORWARD_MSG_ADDED);
	hear(FORWARD_MSG_PATH, &path);
	assert_true(session->path_dead);
	assert_int_equal(rig.broker.dead_paths, 1);
	hear(FORWARD_MSG_PATH, &path);
	assert_int_equal(rig.broker.dead_paths, 1);
	path.alive = 1;
	hear(FORWARD_MSG_PATH, &path);
	assert_true(session->path_alive);
	assert_int_equal(rig.broker.dead_paths, 0);
	path.alive = 0;
	hear(FORWARD_MSG_PATH, &path);
	broker_forward_remove(&rig.broker, session);
	assert_int_equal(rig.broker.dead_paths, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_network),    TEST(test_host),	  TEST(test_udp),
		TEST(test_tunnelonly), TEST(test_remove), TEST(test_paths),
	};

	return cmocka_run_group_tests_name("server broker forward", tests, NULL, NULL);
}

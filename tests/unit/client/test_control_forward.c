/* SPDX-License-Identifier: BSD-2-Clause */
/* What control tells forward of a session. */
#include "client/control/control_parts.h"
#include "forward/msg.h"
#include "process/ipc.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct client_options options = {.n_servers = 1, .servers = {"broker.example"}, .mtu = 1280};
static struct control control;
static struct ipc *forward, *monitor; /* the other ends */
static struct forward_session added;
static unsigned int n_added, n_removed, n_told;

static void on_add(const void *body, void *arg)
{
	(void)arg;
	memcpy(&added, body, sizeof(added));
	n_added++;
}

static void on_remove(const void *body, void *arg)
{
	(void)body;
	(void)arg;
	n_removed++;
}

static void on_told(const void *body, void *arg)
{
	(void)body;
	(void)arg;
	n_told++;
}

static void on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	(void)arg;
	assert_false(violated);
}

static const struct ipc_row forward_rows[] = {
	IPC_BODY(FORWARD_MSG_ADD, struct forward_session, on_add),
	IPC_BODY(FORWARD_MSG_REMOVE, struct forward_id, on_remove),
};
static const struct ipc_row monitor_rows[] = {
	IPC_BODY(CLIENT_MSG_SESSION, struct client_session, on_told),
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static int begin(void **state)
{
	const struct session_config config = {
		.servers = {"broker.example"}, .n_servers = 1, .forwards = true};
	int to_forward[2];
	int to_monitor[2];

	(void)state;
	memset(&control, 0, sizeof(control));
	n_added = n_removed = n_told = 0;
	assert_int_equal(ipc_pair(to_forward), 0);
	assert_int_equal(ipc_pair(to_monitor), 0);
	control.options = &options;
	control.base = event_base_new();
	assert_non_null(control.base);
	control.timer = evtimer_new(control.base, on_timer, NULL);
	control.forward = control_forward_open(&control, to_forward[0]);
	control.root = ipc_new(control.base, to_monitor[0], "monitor", NULL, 0, on_closed, NULL);
	forward = ipc_new(control.base, to_forward[1], "control", forward_rows, 2, on_closed, NULL);
	monitor = ipc_new(control.base, to_monitor[1], "control", monitor_rows, 1, on_closed, NULL);
	assert_true(control.timer && control.forward && control.root && forward && monitor);
	session_init(&control.session, &config);
	session_account(&control.session, "foo");
	assert_int_equal(inet_pton(AF_INET, "198.51.100.2", &control.session.local), 1);
	control.session.reply.me = control.session.local;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &control.session.reply.her), 1);
	control.session.remote = control.session.reply.her;
	return 0;
}

static int end(void **state)
{
	(void)state;
	ipc_free(&control.forward);
	ipc_free(&control.root);
	ipc_free(&forward);
	ipc_free(&monitor);
	event_free(control.timer);
	event_base_free(control.base);
	return 0;
}

/* Both sides have read what was sent so far. */
static void settle(const unsigned int *count, unsigned int want)
{
	while (*count < want)
		assert_int_equal(event_base_loop(control.base, EVLOOP_ONCE), 0);
}

/* The ends of the link: those that the reply has; else ours, and whoever is at the other one. */
static void test_ends(void **state)
{
	struct dtcp_reply *reply = &control.session.reply;
	struct in6_addr near, none = {0};

	(void)state;
	control_forward_add(&control);
	settle(&n_added, 1);
	assert_int_equal(inet_pton(AF_INET6, "fe80::198.51.100.2", &near), 1);
	assert_memory_equal(&added.near, &near, sizeof(near));
	assert_memory_equal(&added.far, &none, sizeof(none));
	assert_int_equal(added.answers, 0);
	control.session.servers[0].answers = control.session.remote;
	reply->has_me6 = reply->has_her6 = true;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::2", &reply->me6), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &reply->her6), 1);
	control_forward_add(&control);
	settle(&n_added, 2);
	assert_memory_equal(&added.near, &reply->me6, sizeof(near));
	assert_memory_equal(&added.far, &reply->her6, sizeof(near));
	assert_int_equal(added.answers, 1);
	/* Over UDP there are probes. */
	control.session.udp = true;
	control_forward_add(&control);
	settle(&n_added, 3);
	assert_memory_equal(&added.near, &none, sizeof(none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ends, begin, end),
	};

	return cmocka_run_group_tests_name("client control forward", tests, NULL, NULL);
}
